/* See network.h. The supervisor's children are found by their parent's id and their name in /proc. */
#include "tests/harness/network.h"

#include "tests/harness/harness.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_ROOM 65536

struct t_network {
	char dir[T_DIR_MAX], state[T_DIR_MAX + 16], run[T_DIR_MAX + 16], config[T_DIR_MAX + 32];
	char admin[T_ROLE_COUNT][T_PATH_MAX];
	char variables[4][T_PATH_MAX];
	const char *more_variable;
	char root[T_PATH_MAX];
	uint16_t port, cups_port, station_port; /* station_port 0: none listens */
	bool by_mqtt;                           /* gateways may come by the broker */
	struct t_mosquitto *broker;
	struct t_process *up;
	char output[OUTPUT_ROOM];
};

const char *t_role_name(enum t_role role)
{
	static const char *const names[] = {"join-server", "application-server", "network-server",
					    "gateway-bridge"};
	return names[role];
}

/* --- start and stop ------------------------------------------------------------------------------------------ */

static void write_config(const struct t_network *network, const char *more_config)
{
	char text[4096], url[64] = "", station[32] = "";
	if (network->by_mqtt)
		snprintf(url, sizeof url, "  mqtt.url: \"mqtt://127.0.0.1:%u\"\n",
			 t_mosquitto_port(network->broker));
	if (network->station_port)
		snprintf(station, sizeof station, "\"127.0.0.1:%u\"", network->station_port);
	int length = snprintf(text, sizeof text,
			      "common:\n  state_dir: \"%s\"\n  run_dir: \"%s\"\n  log_level: debug\n"
			      "gateway-bridge:\n  udp_listen: [\"127.0.0.1:%u\"]\n"
			      "  station_listen: [%s]\n"
			      "  cups_listen: [\"127.0.0.1:%u\"]\n%s"
			      "application-server:\n  mqtt:\n    host: \"127.0.0.1\"\n    port: %u\n%s",
			      network->state, network->run, network->port, station, network->cups_port, url,
			      t_mosquitto_port(network->broker), more_config);
	ASSERT(length > 0 && (size_t)length < sizeof text);
	t_write_file(network->config, text);
}

static struct t_process *run(struct t_network *network, const char *program, const char *name,
			     const char *const *words)
{
	struct t_process_options options = {.program = program, .dir = network->dir, .name = name};
	size_t count = 0;
	for (; words[count]; count++) {
		ASSERT(count < T_ARGUMENTS);
		options.arguments[count] = words[count];
	}
	for (size_t i = 0; i < ARRAY_SIZE(network->variables); i++)
		options.variables[i] = network->variables[i];
	options.variables[ARRAY_SIZE(network->variables)] = network->more_variable;
	return t_process_start(&options);
}

static bool all_healthy(void *ctx)
{
	struct t_network *network = ctx;
	if (!t_process_running(network->up))
		return false;
	for (unsigned i = 0; i < T_ROLE_COUNT; i++) {
		if (!t_is_healthy(network->admin[i]))
			return false;
	}
	return true;
}

bool t_network_healthy(struct t_network *network)
{
	return t_wait_until(all_healthy, network, T_SLOW_CEILING);
}

bool t_network_resume(struct t_network *network)
{
	network->up = run(network, "lamppost", "up", (const char *const[]){"up", NULL});
	bool healthy = t_network_healthy(network);
	if (!healthy)
		fprintf(stderr, "%s\n", t_process_log(network->up, network->output, OUTPUT_ROOM));
	return healthy;
}

static struct t_network *start(bool by_mqtt, bool stations, const char *more_config)
{
	struct t_network *network = calloc(1, sizeof *network);
	ASSERT(network != NULL);
	network->by_mqtt = by_mqtt;
	ASSERT(getcwd(network->root, sizeof network->root) != NULL);
	t_temp_dir(network->dir);
	snprintf(network->state, sizeof network->state, "%s/state", network->dir);
	snprintf(network->run, sizeof network->run, "%s/run", network->dir);
	snprintf(network->config, sizeof network->config, "%s/lamppost.yaml", network->dir);
	for (unsigned i = 0; i < T_ROLE_COUNT; i++)
		snprintf(network->admin[i], T_PATH_MAX, "%s/%s.admin.sock", network->run,
			 t_role_name((enum t_role)i));
	snprintf(network->variables[0], T_PATH_MAX, "LAMPPOST_CONFIG=%s", network->config);
	snprintf(network->variables[1], T_PATH_MAX, "LAMPPOST_STATE=%s", network->state);
	snprintf(network->variables[2], T_PATH_MAX, "LAMPPOST_RUN=%s", network->run);
	snprintf(network->variables[3], T_PATH_MAX, "XDG_CONFIG_HOME=%s/config", network->dir);
	network->port = t_free_udp_port();
	network->cups_port = t_free_tcp_port();
	network->station_port = stations ? t_free_tcp_port() : 0;
	network->broker = t_mosquitto_start(network->dir, 0);
	write_config(network, more_config);
	t_cli_must(network, 0, "init");
	ASSERT(t_network_resume(network));
	return network;
}

struct t_network *t_network_start(const char *more_config)
{
	return start(false, false, more_config);
}

struct t_network *t_network_start_by_mqtt(const char *more_config)
{
	return start(true, false, more_config);
}

struct t_network *t_network_start_for_gateways(const char *more_config)
{
	return start(true, true, more_config);
}

uint16_t t_network_station_port(const struct t_network *network)
{
	return network->station_port;
}

void t_network_stop(struct t_network *network)
{
	if (!t_int("orderly stop of the network", 0, t_process_stop(network->up)))
		fprintf(stderr, "%s\n", t_process_log(network->up, network->output, OUTPUT_ROOM));
	t_process_free(network->up);
	network->up = NULL;
}

void t_network_free(struct t_network *network)
{
	if (network->up)
		t_network_stop(network);
	t_mosquitto_free(network->broker);
	t_temp_dir_remove(network->dir);
	free(network);
}

const char *t_network_dir(const struct t_network *network)
{
	return network->dir;
}

const char *t_network_state(const struct t_network *network)
{
	return network->state;
}

uint16_t t_network_cups_port(const struct t_network *network)
{
	return network->cups_port;
}

uint16_t t_network_port(const struct t_network *network)
{
	return network->port;
}

struct t_mosquitto *t_network_broker(struct t_network *network)
{
	return network->broker;
}

const char *t_network_admin(const struct t_network *network, enum t_role role)
{
	return network->admin[role];
}

void t_network_variable(struct t_network *network, const char *variable)
{
	network->more_variable = variable;
}

struct t_subscriber *t_network_subscribe(struct t_network *network)
{
	return t_subscribe(t_mosquitto_port(network->broker), "agency", "application/#");
}

/* --- its processes ------------------------------------------------------------------------------------------- */

/* "PID (name) state PPID ...": the kernel cuts a name to 15 characters. */
static bool is_child(const char *pid, int parent, const char *name)
{
	char path[300], line[512], cut[16];
	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	bool read = fgets(line, sizeof line, file) != NULL;
	fclose(file);
	char *open = read ? strchr(line, '(') : NULL, *close = read ? strrchr(line, ')') : NULL;
	char state;
	int its_parent;
	if (!open || !close || sscanf(close + 1, " %c %d", &state, &its_parent) != 2)
		return false;
	*close = '\0';
	snprintf(cut, sizeof cut, "%s", name);
	return its_parent == parent && state != 'Z' && strcmp(open + 1, cut) == 0;
}

int t_network_pid(const struct t_network *network, enum t_role role)
{
	DIR *proc = opendir("/proc");
	ASSERT(proc != NULL);
	int found = 0;
	for (struct dirent *entry; found == 0 && (entry = readdir(proc)) != NULL;) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_child(entry->d_name, t_process_pid(network->up), t_role_name(role)))
			found = (int)strtol(entry->d_name, NULL, 10);
	}
	closedir(proc);
	return found;
}

bool t_network_kill(struct t_network *network, enum t_role role)
{
	int pid = t_network_pid(network, role);
	return pid > 0 && kill(pid, SIGKILL) == 0;
}

void t_network_hangup(struct t_network *network)
{
	t_process_signal(network->up, SIGHUP);
}

void t_network_crash(struct t_network *network)
{
	int pids[T_ROLE_COUNT];
	for (unsigned i = 0; i < T_ROLE_COUNT; i++)
		pids[i] = t_network_pid(network, (enum t_role)i);
	t_process_signal(network->up, SIGKILL);
	for (unsigned i = 0; i < T_ROLE_COUNT; i++) {
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	}
	t_process_free(network->up);
	network->up = NULL;
}

/* --- the command line ---------------------------------------------------------------------------------------- */

static int finish(struct t_network *network, struct t_process *process)
{
	int code = t_process_wait(process);
	t_process_log(process, network->output, OUTPUT_ROOM);
	t_process_free(process);
	return code;
}

/* A log of its own for every command, so that the output is the last one's. */
static void remove_log(const struct t_network *network, const char *name)
{
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/%s.log", network->dir, name);
	(void)unlink(path);
}

int t_cli_at(struct t_network *network, const char *const *words)
{
	remove_log(network, "command");
	return finish(network, run(network, "lamppost", "command", words));
}

const char *t_cli_output(const struct t_network *network)
{
	return network->output;
}

bool t_cli_must_at(struct t_network *network, int code, const char *const *words)
{
	char member[128] = "lamppost";
	for (size_t i = 0; i < 4 && words[i]; i++) {
		size_t used = strlen(member);
		snprintf(member + used, sizeof member - used, " %s", words[i]);
	}
	bool ok = t_int(member, code, t_cli_at(network, words));
	if (!ok)
		fprintf(stderr, "%s\n", network->output);
	return ok;
}

struct wanted_version {
	struct t_network *network;
	json_int_t version;
};

/* A process's /healthz says up to which version it applied. */
static bool has_version(void *ctx)
{
	const struct wanted_version *wanted = ctx;
	for (unsigned role = 0; role < T_ROLE_COUNT; role++) {
		char body[4096];
		if (role != T_JOIN_SERVER && role != T_NETWORK_SERVER)
			continue;
		if (t_unix_get(wanted->network->admin[role], "/healthz", body, sizeof body) != 200)
			return false;
		json_t *health = json_loads(body, 0, NULL);
		json_int_t version = json_integer_value(json_object_get(health, "applied_version"));
		json_decref(health);
		if (version < wanted->version)
			return false;
	}
	return true;
}

/* The greatest version of a collection's records. */
static json_int_t newest(const struct t_network *network, const char *collection)
{
	char socket_path[T_PATH_MAX], target[64];
	static char body[1 << 20];
	snprintf(socket_path, sizeof socket_path, "%s/city.sock", network->run);
	snprintf(target, sizeof target, "/api/v1/%s?limit=500", collection);
	t_int(target, 200, t_unix_get(socket_path, target, body, sizeof body));
	json_t *answer = json_loads(body, 0, NULL), *item;
	json_int_t version = 0;
	size_t i;
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		json_int_t its = json_integer_value(json_object_get(item, "version"));
		version = its > version ? its : version;
	}
	json_decref(answer);
	return version;
}

bool t_network_replicated(struct t_network *network)
{
	static const char *const collections[] = {"profiles", "devices", "gateways"};
	struct wanted_version wanted = {network, 1};
	for (size_t i = 0; i < ARRAY_SIZE(collections); i++) {
		json_int_t version = newest(network, collections[i]);
		wanted.version = version > wanted.version ? version : wanted.version;
	}
	return t_true("replicated", t_wait_until(has_version, &wanted, T_SLOW_CEILING));
}

void t_network_furnish(struct t_network *network)
{
	static const char *const profiles[][3] = {{"air-1-0-4", "1.0.4", "air"},
						  {"climate-1-1", "1.1.0", "climate"},
						  {"water-1-0-3", "1.0.3", "water"},
						  {"parking-abp", "1.0.4", "parking"},
						  {"people-1-0-4", "1.0.4", "people"}};
	char path[2 * T_PATH_MAX];
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks and Recreation");
	t_cli_must(network, 0, "application", "add", "--slug", "city-block", "--name", "City block",
		   "--agency", "parks");
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		snprintf(path, sizeof path, "@%s/simulator/scenarios/codecs/%s.yaml", network->root,
			 profiles[i][2]);
		t_cli_must(network, 0, "profile", "add", "--slug", profiles[i][0], "--name", profiles[i][0],
			   "--region", "us915", "--mac-version", profiles[i][1], "--codec", path);
	}
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000101", "--name", "City Hall roof", "--region",
		   "us915", "--channel-plan", "8-15,65");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000102", "--name", "Bridge tower", "--region",
		   "us915", "--channel-plan", "8-15,65");
	snprintf(path, sizeof path, "%s/simulator/scenarios/demo.csv", network->root);
	t_cli_must(network, 0, "device", "import", path);
	t_network_replicated(network);
}

/* --- the simulator ------------------------------------------------------------------------------------------- */

struct t_process *t_network_program(struct t_network *network, const char *program, const char *name,
				    const char *const *words)
{
	remove_log(network, name);
	return run(network, program, name, words);
}

struct t_process *t_network_simulate(struct t_network *network, const char *scenario, const char *seconds)
{
	return t_network_simulate_at(network, scenario, seconds, network->port);
}

struct t_process *t_network_simulate_at(struct t_network *network, const char *scenario, const char *seconds,
					uint16_t port)
{
	char path[2 * T_PATH_MAX], bridge[32], report[T_PATH_MAX];
	snprintf(path, sizeof path, "%s%s%s", scenario[0] == '/' ? "" : network->root,
		 scenario[0] == '/' ? "" : "/", scenario);
	snprintf(bridge, sizeof bridge, "127.0.0.1:%u", port);
	snprintf(report, sizeof report, "%s/sent.json", network->dir);
	return run(network, "lamppost-sim", "simulator",
		   (const char *const[]){"run", path, "--bridge", bridge, "--report", report,
					 seconds ? "--duration" : NULL, seconds, NULL});
}

json_t *t_network_report(const struct t_network *network)
{
	char path[T_PATH_MAX];
	snprintf(path, sizeof path, "%s/sent.json", network->dir);
	return json_load_file(path, 0, NULL);
}

static void write_received(const char *path, struct t_subscriber *subscriber)
{
	FILE *file = fopen(path, "w");
	ASSERT(file != NULL);
	size_t count = t_subscriber_count(subscriber);
	for (size_t i = 0; i < count; i++) {
		const char *topic = t_subscriber_topic(subscriber, i);
		const char *slash = strrchr(topic, '/');
		fprintf(file, "{\"topic\":\"%s\",\"kind\":\"%s\",\"event\":%s}\n", topic,
			slash ? slash + 1 : "", t_subscriber_payload(subscriber, i));
	}
	fclose(file);
}

int t_network_check(struct t_network *network, struct t_subscriber *subscriber, bool allow_loss, bool show)
{
	char report[T_PATH_MAX], received[T_PATH_MAX];
	snprintf(report, sizeof report, "%s/sent.json", network->dir);
	snprintf(received, sizeof received, "%s/received.jsonl", network->dir);
	write_received(received, subscriber);
	remove_log(network, "check");
	const char *const words[] = {"check",      "--report", report,
				     "--received", received,   allow_loss ? "--allow-loss" : NULL,
				     NULL};
	int code = finish(network, run(network, "lamppost-sim", "check", words));
	if (show)
		fputs(network->output, stderr);
	return code;
}
