/* Two cities that connect their servers, over real TLS: the sensors of one whose keys the other's join server has join by it, in
 * the response and asynchronously; and join servers that are slow, down, or answer with rubbish, each named by `lamppost join
 * list`, while the city's own sensors join as ever. A reload while a join waits for one of them. */
#include "tests/harness/harness.h"
#include "tests/harness/foreign_join.h"
#include "tests/harness/network.h"
#include "tests/harness/ts002_peer.h"

#include "common/base/check.h"
#include "common/backend/ts002.h"
#include "common/io/http_server.h"
#include "common/io/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY_HEAD "8a1f6c02d94e4b7fa3b05c6de71829"

/* By join server: the sixth octet of the JoinEUI names it. */
static const struct sensor {
	const char *name, *dev_eui, *join_eui;
	const char *
		home; /* at the other city's join server; NULL: it does not know the device; "": it is not theirs */
	const char *problem; /* NULL: it joins */
	const char *cause;   /* begins so */
} sensors[] = {
	{"own", "70b3d57ed0060001", "70b3d57ed0000001", "", NULL, NULL},
	{"neighbour", "70b3d57ed0060002", "70b3d57ed1000001", "000000", NULL, NULL},
	{"later", "70b3d57ed0060003", "70b3d57ed2000001", "000000", NULL, NULL},
	{"elsewhere", "70b3d57ed0060004", "70b3d57ed1000001", "000024", "foreign_join_server_refused",
	 "neighbour: ActivationDisallowed: home_elsewhere"},
	{"unknown", "70b3d57ed0060005", "70b3d57ed1000001", NULL, "foreign_join_server_refused",
	 "neighbour: UnknownDevEUI: unknown_device"},
	{"garbage", "70b3d57ed0060006", "70b3d57ed3000001", "", "foreign_join_server_not_reached",
	 "garbage: answer not_json"},
	{"transaction", "70b3d57ed0060007", "70b3d57ed4000001", "", "foreign_join_server_not_reached",
	 "transaction: answer of wrong_transaction"},
	{"receiver", "70b3d57ed0060008", "70b3d57ed5000001", "", "foreign_join_server_not_reached",
	 "receiver: answer of wrong_receiver"},
	{"broken", "70b3d57ed0060009", "70b3d57ed6000001", "", "foreign_join_server_not_reached",
	 "broken: HTTP 500"},
	{"slow", "70b3d57ed006000a", "70b3d57ed7000001", "", "foreign_join_server_not_reached",
	 "slow: timed out"},
	{"down", "70b3d57ed006000b", "70b3d57ed8000001", "", "foreign_join_server_not_reached",
	 "down: not reached"},
	{"refuses", "70b3d57ed006000c", "70b3d57ed9000001", "", "foreign_join_server_refused",
	 "refuses: MICFailed"},
	{"stalls", "70b3d57ed006000d", "70b3d57eda000001", "", "foreign_join_server_not_reached",
	 "stalls: timed out"},
};

static char tls[T_DIR_MAX], path[T_PATH_MAX];
static struct t_network *network;
static struct t_foreign_join neighbour;
static bool seen[ARRAY_SIZE(sensors)];

/* --- a join server that does everything wrong, in a process of its own ------------------------------------------------- */

static struct io_http_server *scripted;

static void send_text(const struct io_http_request *request, int code, const char *text)
{
	enum status status = io_http_reply(scripted, io_http_request_exchange(request), code, NULL, text,
					   strlen(text));
	(void)status;
}

static void on_garbage(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	send_text(request, 200, "<html>It works!</html>");
}

static void on_broken(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	send_text(request, 500, "{}");
}

static void on_slow(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	(void)request; /* never answered */
}

static void refuse_as(const struct io_http_request *request, uint32_t transaction, const char *receiver)
{
	struct bi_message message, answer = {0};
	struct bi_error error;
	char text[BI_WRITTEN_MAX];
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	ASSERT(bi_read((const char *)body, length, &message, &error));
	if (message.envelope.type == BI_ERROR_NOTIF) { /* that this answer was of no use */
		send_text(request, 200, "");
		return;
	}
	answer.envelope = bi_answer_envelope(&message.envelope);
	answer.envelope.result = BI_MIC_FAILED;
	answer.envelope.transaction_id += transaction;
	if (receiver)
		snprintf(answer.envelope.receiver_id, BI_ID_TEXT, "%s", receiver);
	ASSERT(bi_write(&answer, text, sizeof text) > 0);
	send_text(request, 200, text);
}

static void on_transaction(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	refuse_as(request, 1, NULL);
}

static void on_receiver(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	refuse_as(request, 0, "000024");
}

/* What it was asked, in memory that both processes share: a join that was answered is not asked again. */
static struct asked {
	unsigned count, twice;
	uint32_t transactions[256];
	/* Of the one that stalls: how often, the last; and where it answers, how often, how often that same one. */
	unsigned stalled, renewed, again;
	uint32_t waits;
} * asked;

static uint32_t transaction_of(const struct io_http_request *request)
{
	struct bi_message message;
	struct bi_error error;
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	ASSERT(bi_read((const char *)body, length, &message, &error));
	return message.envelope.transaction_id;
}

/* Never answered, for longer than a reload takes. */
static void on_stalls(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	asked->waits = transaction_of(request);
	asked->stalled++;
}

static void on_renewed(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	asked->again += transaction_of(request) == asked->waits;
	asked->renewed++;
	refuse_as(request, 0, NULL);
}

static void on_refuses(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)ctx;
	(void)now;
	uint32_t transaction = transaction_of(request);
	for (unsigned i = 0; i < asked->count && i < ARRAY_SIZE(asked->transactions); i++)
		asked->twice += asked->transactions[i] == transaction;
	asked->transactions[asked->count++ % ARRAY_SIZE(asked->transactions)] = transaction;
	refuse_as(request, 0, NULL);
}

static const struct io_http_route routes[] = {
	{IO_HTTP_POST, "/refuses", on_refuses},         {IO_HTTP_POST, "/garbage", on_garbage},
	{IO_HTTP_POST, "/transaction", on_transaction}, {IO_HTTP_POST, "/receiver", on_receiver},
	{IO_HTTP_POST, "/broken", on_broken},           {IO_HTTP_POST, "/slow", on_slow},
	{IO_HTTP_POST, "/stalls", on_stalls},           {IO_HTTP_POST, "/renewed", on_renewed},
};

/* Serves until it is killed, or this program ends. */
static pid_t serve_faults(uint16_t port)
{
	pid_t pid = fork();
	ASSERT(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	char ca[T_DIR_MAX + 32], certificate[T_DIR_MAX + 32], key[T_DIR_MAX + 32];
	snprintf(ca, sizeof ca, "%s/ca.crt", tls);
	snprintf(certificate, sizeof certificate, "%s/scripted.crt", tls);
	snprintf(key, sizeof key, "%s/scripted.key", tls);
	const struct io_http_server_options options = {.host = "127.0.0.1",
						       .port = port,
						       .cert_file = certificate,
						       .key_file = key,
						       .ca_file = ca,
						       .client_certificates = IO_TLS_CLIENTS_REQUIRED};
	struct io_loop *loop = io_loop_new(NULL);
	if (io_http_server_open(loop, &options, &scripted) != ST_OK)
		_exit(1);
	io_http_server_add(scripted, routes, ARRAY_SIZE(routes), NULL);
	_exit(io_loop_run(loop));
}

/* --- two cities ----------------------------------------------------------------------------------------------------- */

static void start_network(uint16_t neighbour_port, uint16_t scripted_port, uint16_t answers_port)
{
	static char more[8192];
	static const struct {
		const char *name;
		char octet;
		unsigned timeout_ms;
	} faults[] = {{"garbage", '3', 900}, {"transaction", '4', 900}, {"receiver", '5', 900},
		      {"broken", '6', 900},  {"slow", '7', 900},        {"refuses", '9', 900},
		      {"stalls", 'a', 4000}};
	size_t used = (size_t)snprintf(
		more, sizeof more,
		"network-server:\n"
		"  join_answers: {listen: \"127.0.0.1:%u\", certificate: %s/ns.a.crt, key: %s/ns.a.key, ca: "
		"%s/ca.crt}\n"
		"  join_servers:\n"
		"    neighbour: {join_euis: [70b3d57ed1000000/40], url: \"https://127.0.0.1:%u/\", "
		"certificate: "
		"%s/ns.a.crt, key: %s/ns.a.key, ca: %s/ca.crt, kek: city-a, kek_file: %s/city-a.kek}\n"
		"    later: {join_euis: [70b3d57ed2000000/40], url: \"https://127.0.0.1:%u/\", certificate: "
		"%s/ns.a-later.crt, key: %s/ns.a-later.key, ca: %s/ca.crt, protocol: \"1.1\", kek: city-a, "
		"kek_file: "
		"%s/city-a.kek, asynchronous: true, answers_from: js.b}\n"
		"    down: {join_euis: [70b3d57ed8000000/40], url: \"https://127.0.0.1:%u/\", ca: "
		"%s/ca.crt}\n",
		answers_port, tls, tls, tls, neighbour_port, tls, tls, tls, tls, neighbour_port, tls, tls,
		tls, tls, t_free_tcp_port(), tls);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		used += (size_t)snprintf(
			more + used, sizeof more - used,
			"    %s: {join_euis: [70b3d57ed%c000000/40], url: \"https://127.0.0.1:%u/%s\", "
			"certificate: %s/ns.a.crt, key: %s/ns.a.key, ca: %s/ca.crt, timeout_ms: %u, "
			"protocol: \"1.1\"}\n",
			faults[i].name, faults[i].octet, scripted_port, faults[i].name, tls, tls, tls,
			faults[i].timeout_ms);
	network = t_network_start(more);
}

static void start_neighbour(uint16_t port, uint16_t answers_port)
{
	static char section[4096];
	snprintf(section, sizeof section,
		 "  listen: 127.0.0.1:%u\n  certificate: %s/js.b.crt\n  key: %s/js.b.key\n  ca: %s/ca.crt\n"
		 "  keks: {city-a: %s/city-a.kek, application: %s/keys/kek-application.join-server}\n"
		 "  peers:\n"
		 "    city-a: {certificate: ns.a, net_ids: [\"000000\"], messages: [joins, home], join_euis: "
		 "any, kek: "
		 "city-a}\n"
		 "    city-a-later: {certificate: ns.a-later, net_ids: [\"000000\"], messages: [joins], "
		 "join_euis: any, "
		 "kek: city-a, url: \"https://127.0.0.1:%u/\"}\n",
		 port, tls, tls, tls, tls, t_network_state(network), answers_port);
	t_foreign_join_start(&neighbour, "60000d", section);
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++) {
		char key[33];
		snprintf(key, sizeof key, KEY_HEAD "%02zu", i);
		if (sensors[i].home && sensors[i].home[0])
			t_foreign_join_add(&neighbour, sensors[i].dev_eui, sensors[i].join_eui, key,
					   sensors[i].home);
	}
}

/* Sensors whose keys another has are registered without. */
static void furnish(void)
{
	t_cli_must(network, 0, "agency", "add", "--slug", "parks", "--name", "Parks");
	t_cli_must(network, 0, "application", "add", "--slug", "desk", "--name", "Desk", "--agency", "parks");
	t_cli_must(network, 0, "profile", "add", "--slug", "probe", "--name", "Probe", "--region", "us915",
		   "--mac-version", "1.0.4");
	t_cli_must(network, 0, "gateway", "add", "aa555a0000000101", "--name", "Roof", "--region", "us915",
		   "--channel-plan", "8-15,65");
	snprintf(path, sizeof path, "%s/sensors.csv", t_network_dir(network));
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "dev_eui,name,application,profile,activation,join_eui,app_key\n");
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++) {
		fprintf(file, "%s,%s,desk,probe,otaa,%s,", sensors[i].dev_eui, sensors[i].name,
			sensors[i].join_eui);
		fprintf(file, i == 0 ? KEY_HEAD "00\n" : "\n");
	}
	fclose(file);
	t_cli_must(network, 0, "device", "import", path);
	t_network_replicated(network);
}

static struct t_process *simulate(void)
{
	snprintf(path, sizeof path, "%s/desk.yaml", t_network_dir(network));
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fprintf(file, "seed: 7\nregion: us915\narea_m: 200\npath_loss: {exponent: 2.7, shadowing_db: 0, "
		      "fading: none}\n"
		      "gateways:\n  - {eui: \"aa555a0000000101\", x: 20, y: 50, protocol: udp2, sub_band: "
		      "2}\ndevices:\n");
	for (size_t i = 0; i < ARRAY_SIZE(sensors); i++)
		fprintf(file,
			"  - {name: \"%s\", dev_eui: \"%s\", join_eui: \"%s\", activation: otaa, "
			"mac_version: "
			"\"1.0.4\", app_key: \"" KEY_HEAD
			"%02zu\", x: 0, y: 0, sub_band: 2, dr: 3, first_s: %.1f, "
			"interval_s: 8, payload: counter, dev_nonce: 10}\n",
			sensors[i].name, sensors[i].dev_eui, sensors[i].join_eui, i, 0.5 + 0.6 * (double)i);
	fclose(file);
	return t_network_simulate(network, path, NULL);
}

/* --- what is told ---------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *item, const char *member)
{
	const char *value = json_string_value(json_object_get(item, member));
	return value ? value : "";
}

/* What a server's failures are called changes once its breaker has opened, so what was seen once counts. */
static bool all_seen(void *ctx)
{
	(void)ctx;
	if (t_cli(network, "join", "list", "--json") != 0)
		return false;
	json_t *answer = json_loads(t_cli_output(network), 0, NULL);
	size_t i;
	const json_t *item;
	json_array_foreach(json_object_get(answer, "items"), i, item)
	{
		for (size_t j = 0; j < ARRAY_SIZE(sensors); j++) {
			const struct sensor *sensor = &sensors[j];
			if (strcmp(text_of(item, "dev_eui"), sensor->dev_eui) != 0)
				continue;
			if (!sensor->problem)
				seen[j] |= strcmp(text_of(item, "verdict"), "joined") == 0;
			else
				seen[j] |= strcmp(text_of(item, "problem"), sensor->problem) == 0 &&
					   strncmp(text_of(item, "cause"), sensor->cause,
						   strlen(sensor->cause)) == 0;
		}
	}
	json_decref(answer);
	bool all = true;
	for (size_t j = 0; j < ARRAY_SIZE(sensors); j++)
		all = all && seen[j];
	return all;
}

/* --- a reload while a join waits --------------------------------------------------------------------------------------- */

static void reconfigure(const char *before, const char *after)
{
	char text[16384];
	snprintf(path, sizeof path, "%s/lamppost.yaml", t_network_dir(network));
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	size_t length = fread(text, 1, sizeof text / 2, file);
	fclose(file);
	text[length] = '\0';
	char *found = strstr(text, before);
	assert_non_null(found);
	memmove(found + strlen(after), found + strlen(before), strlen(found + strlen(before)) + 1);
	memcpy(found, after, strlen(after));
	t_write_file(path, text);
	t_network_hangup(network);
}

static bool is_more(void *ctx)
{
	const unsigned *count = ctx;
	return asked->stalled > *count;
}

static bool is_renewed(void *ctx)
{
	const unsigned *count = ctx;
	return asked->renewed > *count;
}

static bool is_taken_out(void *ctx)
{
	(void)ctx;
	return t_cli(network, "join", "list", "--json") == 0 &&
	       strstr(t_cli_output(network), "taken out of the configuration") != NULL;
}

static void wait_for_a_join_that_waits(void)
{
	unsigned stalled = asked->stalled;
	t_true("one is asked, and stalls", t_wait_until(is_more, &stalled, T_SLOW_CEILING));
}

/* The join waits four seconds; a machine on which a reload takes longer is given more than one. */
static void a_join_that_waits_follows_the_configuration(void)
{
	t_row("reached in another way: what waits is asked there, with its TransactionID");
	for (int i = 0; i < 5 && asked->again == 0; i++) {
		if (i > 0)
			reconfigure("/renewed", "/stalls");
		wait_for_a_join_that_waits();
		unsigned renewed = asked->renewed;
		reconfigure("/stalls", "/renewed");
		t_true("asked there", t_wait_until(is_renewed, &renewed, T_SLOW_CEILING));
	}
	t_uint("the same", 1, asked->again);
	t_row("taken out: what waits ends");
	reconfigure("/renewed", "/stalls");
	bool told = false;
	for (int i = 0; i < 5 && !told; i++) {
		if (i > 0)
			reconfigure("70b3d57edb000000/40", "70b3d57eda000000/40");
		wait_for_a_join_that_waits();
		reconfigure("70b3d57eda000000/40", "70b3d57edb000000/40");
		told = t_wait_until(is_taken_out, NULL, 10);
	}
	t_true("told", told);
}

static void two_cities_connect_their_servers(void **state)
{
	(void)state;
	uint16_t neighbour_port = t_free_tcp_port(), scripted_port = t_free_tcp_port(),
		 answers_port = t_free_tcp_port();
	char kek[T_DIR_MAX + 32];
	t_temp_dir(tls);
	t_tls_authority(tls, "ca");
	static const char *const names[] = {"js.b", "ns.a", "ns.a-later", "scripted"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		t_tls_certificate(tls, "ca", names[i]);
	snprintf(kek, sizeof kek, "%s/city-a.kek", tls);
	t_write_file(kek, "0123456789abcdef");
	assert_int_equal(0, chmod(kek, 0600));
	asked = mmap(NULL, sizeof *asked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     /* cppcheck-suppress invalidFunctionArg ; an anonymous mapping has no file */
		     -1, 0);
	assert_true(asked != MAP_FAILED);
	pid_t faults = serve_faults(scripted_port);
	start_network(neighbour_port, scripted_port, answers_port);
	start_neighbour(neighbour_port, answers_port);
	furnish();
	struct t_process *simulator = simulate();
	if (!t_wait_until(all_seen, NULL, T_SLOW_CEILING)) {
		for (size_t j = 0; j < ARRAY_SIZE(sensors); j++) {
			t_row(sensors[j].name);
			t_true("seen", seen[j]);
		}
		fputs(t_cli_output(network), stderr);
	}
	t_row("counters");
	const char *admin = t_network_admin(network, T_NETWORK_SERVER);
	t_true("joins by the neighbour",
	       t_metric(admin, "lamppost_network_join_server_accepted_total{server=\"neighbour\"}") >= 1);
	t_true("joins that were answered later",
	       t_metric(admin, "lamppost_network_join_server_accepted_total{server=\"later\"}") >= 1);
	t_true("they are told that their answers are of no use",
	       t_metric(admin, "lamppost_network_join_notifications_total") >= 1);
	t_true("posted", t_metric(neighbour.admin_sock, "lamppost_join_peer_answers_total") >= 1);
	t_row("what was answered is not asked again");
	t_true("asked", asked->count > 0);
	t_uint("twice", 0, asked->twice);
	t_row("an answer of nobody's");
	char url[64], body[512];
	snprintf(url, sizeof url, "https://127.0.0.1:%u/", answers_port);
	t_int("a certificate of no join server", 403,
	      t_tls_post(tls, "ca", "scripted", url, "{}", body, sizeof body));
	t_int("no certificate", 0, t_tls_post(tls, "ca", NULL, url, "{}", body, sizeof body));
	int idle[100]; /* of one address, which does not keep others from telling */
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++)
		idle[i] = t_idle_from("127.0.0.2", answers_port);
	t_int("one that comes late", 200,
	      t_tls_post(tls, "ca", "js.b", url,
			 "{\"ProtocolVersion\":\"1.1\",\"SenderID\":\"70b3d57ed2000001\",\"ReceiverID\":"
			 "\"000000\","
			 "\"TransactionID\":1,\"MessageType\":\"JoinAns\",\"Result\":{\"ResultCode\":"
			 "\"MICFailed\"}}",
			 body, sizeof body));
	t_true("counted", t_metric(admin, "lamppost_network_join_answers_late_total") >= 1);
	unsigned closed = 0;
	for (size_t i = 0; i < ARRAY_SIZE(idle); i++) {
		char byte;
		closed += recv(idle[i], &byte, 1, MSG_DONTWAIT) == 0;
		close(idle[i]);
	}
	t_uint("it had half of the 64", ARRAY_SIZE(idle) - 32, closed);
	a_join_that_waits_follows_the_configuration();
	t_process_stop(simulator);
	t_process_free(simulator);
	t_foreign_join_stop(&neighbour);
	t_network_free(network);
	kill(faults, SIGKILL);
	waitpid(faults, NULL, 0);
	munmap(asked, sizeof *asked);
	t_temp_dir_remove(tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(two_cities_connect_their_servers)};
	return t_run(tests);
}
