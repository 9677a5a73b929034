/* What is wrong, and what a person does about it. Each kind of fact has a function; each warning of /healthz a row. */
#include "cli/status.h"

#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define DISK_BAD_PERCENT     5
#define DISK_WARNING_PERCENT 10
#define LINK_PATIENCE_S      10
#define BACKLOG_WARNING      1000

/* --- reading facts -------------------------------------------------------------------------------------------------- */

const json_t *cli_status_process(const json_t *facts, const char *name)
{
	size_t i;
	const json_t *process;
	json_array_foreach(json_object_get(facts, "processes"), i, process)
	{
		const char *its = json_string_value(json_object_get(process, "process"));
		if (its && strcmp(its, name) == 0)
			return process;
	}
	return NULL;
}

bool cli_status_answers(const json_t *process)
{
	return json_is_object(json_object_get(process, "health"));
}

void cli_status_label(const json_t *counter, char text[64])
{
	const char *labels = json_string_value(json_object_get(counter, "labels"));
	const char *begin = labels ? strchr(labels, '"') : NULL;
	size_t length = begin ? strcspn(begin + 1, "\"") : 0;
	snprintf(text, 64, "%.*s", (int)length, begin ? begin + 1 : "");
}

static bool is_one_of(const char *text, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, text) == 0)
			return true;
	return false;
}

long long cli_status_count(const json_t *process, const char *name, bool hour, const char *const *labels)
{
	long long sum = 0;
	size_t i;
	const json_t *counter;
	json_array_foreach(json_object_get(json_object_get(process, "counters"), "counters"), i, counter)
	{
		char label[64];
		const char *its = json_string_value(json_object_get(counter, "name"));
		cli_status_label(counter, label);
		if (its && strcmp(its, name) == 0 && (!labels || is_one_of(label, labels)))
			sum += json_integer_value(json_object_get(counter, hour ? "hour" : "recent"));
	}
	return sum;
}

void cli_status_span(long long seconds, char text[32])
{
	if (seconds >= 2 * 86400)
		snprintf(text, 32, "%lld d %lld h", seconds / 86400, seconds % 86400 / 3600);
	else if (seconds >= 7200)
		snprintf(text, 32, "%lld h %lld min", seconds / 3600, seconds % 3600 / 60);
	else if (seconds >= 120)
		snprintf(text, 32, "%lld min", seconds / 60);
	else
		snprintf(text, 32, "%lld s", seconds);
}

/* --- findings ------------------------------------------------------------------------------------------------------- */

static void find(json_t *findings, const char *level, const char *next, const char *what)
{
	json_array_append_new(findings, json_pack("{ss ss ss}", "level", level, "what", what, "next", next));
}

static void judge_process(json_t *findings, const json_t *process, bool any)
{
	char what[200], next[200];
	const char *name = json_string_value(json_object_get(process, "process"));
	const char *status = json_string_value(json_object_get(process, "status"));
	snprintf(what, sizeof what, "%s: %s", name, status);
	if (strcmp(status, "not running") == 0)
		snprintf(next, sizeof next, "%s",
			 any ? "lamppost up starts it again by itself; if it stays so, its log says why; "
			       "lamppost doctor"
			     : "lamppost up, or start the service that runs it");
	else if (strcmp(status, "not answering") == 0)
		snprintf(next, sizeof next, "look at its log and at the machine's load; lamppost doctor");
	else if (strcmp(status, "refused") == 0)
		snprintf(next, sizeof next, "you may not ask it: run this as root or as the service's user");
	else
		snprintf(next, sizeof next, "look at its log; lamppost doctor");
	if (strcmp(status, "healthy") != 0)
		find(findings, "bad", next, what);
}

static const struct warning {
	const char *warning, *what, *next;
} warnings[] = {
	{"receive_buffer_small", "the kernel gives a smaller receive buffer than was asked for",
	 "sysctl -w net.core.rmem_max=16777216"},
	{"kernel_drops", "the kernel dropped datagrams of gateways before they were read",
	 "lamppost doctor; a larger net.core.rmem_max, or fewer others on this machine"},
	{"gateways_flapping", "gateways change their address again and again", "lamppost why gateway EUI"},
	{"mqtt_broker_away", "the broker by which gateways come is not reached",
	 "see that it runs and lets the bridge in: gateway-bridge.mqtt"},
	{"mqtt_not_subscribed",
	 "the broker by which gateways come refuses a subscription: they are not heard",
	 "let the bridge's user read gateway/+/event/+ and gateway/+/state/+ there"},
	{"journal_filling", "the journal is over 80 % of its limit: events wait to be stored",
	 "see that the application server runs; at the limit uplinks are no longer accepted"},
	{"configuration_refused", "the configuration was read again and refused; the old one stays in force",
	 "put that line right, then SIGHUP again"},
	{"restart_needed", "the configuration has changes that only a restart takes over",
	 "restart the process, or put the old values back"},
	{"join_storm", "a join storm: more devices ask to join than the gateways can answer",
	 "nothing: they are answered in turn; docs/storm.md says how to read the line above"},
	{"vault_two_master_keys", "two master keys open the join server's vault: a rotation is not finished",
	 "lamppost vault status: set join-server.master_key to the new one, restart, destroy the old one"},
	{"kek_file_ignored",
	 "a KEK of join-server.keks has the label and version of one in the vault, and is not used",
	 "its log names it: give the file the next number (LABEL.n)"},
	{"gateway_off_plan", "gateways hear frequencies that are not in their plan",
	 "lamppost gateway config EUI --for ..., and compare"},
};

static const struct warning *warning_of(const char *word)
{
	for (size_t i = 0; word && i < ARRAY_SIZE(warnings); i++)
		if (strcmp(warnings[i].warning, word) == 0)
			return &warnings[i];
	return NULL;
}

const char *cli_status_warning(const char *word)
{
	const struct warning *row = warning_of(word);
	return row ? row->what : word;
}

/* Sentences of the form "CAUSE; next: WHAT", as the network server makes them of each gateway. */
static size_t judge_off_plan(json_t *findings, const json_t *health)
{
	static const char parting[] = "; next: ";
	const json_t *sentences = json_object_get(health, "off_plan"), *sentence;
	size_t i;
	json_array_foreach(sentences, i, sentence)
	{
		char what[512];
		snprintf(what, sizeof what, "%s",
			 json_is_string(sentence) ? json_string_value(sentence) : "?");
		char *next = strstr(what, parting);
		if (next)
			*next = '\0';
		find(findings, "warning", next ? next + strlen(parting) : "lamppost why gateway EUI", what);
	}
	return json_array_size(sentences);
}

/* The API has a socket of its own: it can be gone while its process is well. Who may not ask it is no fault of the network. */
static void judge_api(json_t *findings, const json_t *facts)
{
	const char *api = json_string_value(json_object_get(facts, "api"));
	const json_t *process = cli_status_process(facts, "application-server");
	if (!api || strcmp(api, "answers") == 0 || strcmp(api, "refused") == 0 ||
	    !cli_status_answers(process))
		return;
	find(findings, "bad", "restart the application-server, and see who removed city.sock",
	     "the API does not answer on city.sock, though the application-server runs");
}

/* The network server's journal takes no more either because it is full, or because the disk is. */
static bool is_disk_low(const json_t *health)
{
	long long used = json_integer_value(json_object_get(health, "journal_bytes"));
	long long limit = json_integer_value(json_object_get(health, "journal_limit"));
	return limit > 0 && used < limit / 2;
}

/* What /healthz says beside a warning: where the mistake is; which keys wait. Empty for others. */
static void put_details(const json_t *health, const char *warning, char *text, size_t capacity)
{
	const json_t *said = strcmp(warning, "configuration_refused") == 0
				     ? json_object_get(health, "configuration_error")
				     : json_object_get(health, warning);
	size_t i, used = 0;
	const json_t *item;
	text[0] = '\0';
	if (json_is_string(said))
		snprintf(text, capacity, ": %s", json_string_value(said));
	json_array_foreach(said, i, item)
	{
		const char *key = json_string_value(item);
		if (key && used < capacity)
			used += (size_t)snprintf(text + used, capacity - used, "%s%s", i ? ", " : ": ", key);
	}
}

static void judge_warnings(json_t *findings, const json_t *process)
{
	size_t i;
	const json_t *warning;
	const char *name = json_string_value(json_object_get(process, "process"));
	json_array_foreach(json_object_get(json_object_get(process, "health"), "warnings"), i, warning)
	{
		char what[640], details[400];
		const char *word = json_string_value(warning), *says = cli_status_warning(word);
		const struct warning *known = warning_of(word);
		const char *next = known ? known->next : "lamppost doctor";
		if (word && strcmp(word, "gateway_off_plan") == 0 &&
		    judge_off_plan(findings, json_object_get(process, "health")) > 0)
			continue;
		if (word && strcmp(word, "journal_filling") == 0 &&
		    is_disk_low(json_object_get(process, "health"))) {
			says = "the disk has less room than network-server.disk_floor: under it "
			       "no "
			       "uplink is accepted";
			next = "make room on it; lamppost doctor says how much is missing";
		}
		put_details(json_object_get(process, "health"), word ? word : "", details, sizeof details);
		snprintf(what, sizeof what, "%s: %s%s", name, says ? says : "?", details);
		find(findings, "warning", next, what);
	}
}

static bool is_settled(const json_t *process)
{
	const json_t *up = json_object_get(json_object_get(process, "health"), "uptime_s");
	return cli_status_answers(process) && json_integer_value(up) >= LINK_PATIENCE_S;
}

/* Processes that run and do not hear each other, a while after both have started. */
static void judge_links(json_t *findings, const json_t *facts)
{
	static const struct {
		const char *process, *member, *other;
	} links[] = {{"gateway-bridge", "network_server", "network-server"},
		     {"network-server", "application_server", "application-server"},
		     {"application-server", "join_server", "join-server"}};
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const json_t *process = cli_status_process(facts, links[i].process);
		char what[160];
		if (!json_is_false(json_object_get(json_object_get(process, "health"), links[i].member)) ||
		    !is_settled(process) || !is_settled(cli_status_process(facts, links[i].other)))
			continue;
		snprintf(what, sizeof what, "%s is not linked to %s, which runs", links[i].process,
			 links[i].other);
		find(findings, "bad", "see that both use one run_dir, and their logs", what);
	}
}

static void judge_broker(json_t *findings, const json_t *facts)
{
	const json_t *mqtt = json_object_get(json_object_get(facts, "city"), "mqtt");
	const char *state = json_string_value(json_object_get(mqtt, "state"));
	long long backlog = json_integer_value(json_object_get(mqtt, "backlog"));
	char what[160];
	if (!state || strcmp(state, "off") == 0)
		return;
	if (strcmp(state, "up") != 0) {
		snprintf(what, sizeof what, "the MQTT broker is not connected (%s); %lld events wait for it",
			 state, backlog);
		find(findings, "bad",
		     "see that the broker runs, and application-server.mqtt.* in the configuration", what);
	} else if (backlog > BACKLOG_WARNING) {
		snprintf(what, sizeof what, "%lld events wait for the MQTT broker", backlog);
		find(findings, "warning", "the broker is slower than the network: look at its load", what);
	}
}

/* A record that the network server cannot take holds up all that come after it. */
static void judge_records(json_t *findings, const json_t *facts)
{
	static const char *const refused[] = {"state_invalid", "state_full", NULL};
	const json_t *city = json_object_get(facts, "city");
	const json_t *said = json_object_get(json_object_get(city, "replication"), "network-server");
	long long behind = json_integer_value(json_object_get(said, "wanted_version")) -
			   json_integer_value(json_object_get(said, "applied_version"));
	const json_t *network = cli_status_process(facts, "network-server");
	char what[160];
	if (behind <= 0 || cli_status_count(network, "lamppost_network_drops_total", true, refused) == 0)
		return;
	snprintf(what, sizeof what,
		 "registration stands still: the network server refuses a record, and %lld wait behind it",
		 behind);
	find(findings, "bad",
	     "see that network-server.regions has every region that profiles and gateways name, and its log",
	     what);
}

static void judge_disk(json_t *findings, const json_t *facts)
{
	const json_t *disk = json_object_get(facts, "disk");
	double size = json_number_value(json_object_get(disk, "size_bytes"));
	double free_percent = size > 0 ? 100 * json_number_value(json_object_get(disk, "free_bytes")) / size
				       : 100;
	char what[160];
	if (free_percent >= DISK_WARNING_PERCENT)
		return;
	snprintf(what, sizeof what, "%.0f %% of the disk of %s is free", free_percent,
		 json_string_value(json_object_get(facts, "state_dir")));
	find(findings, free_percent < DISK_BAD_PERCENT ? "bad" : "warning",
	     "make room, or a shorter application-server.readings_kept", what);
}

static void judge_gateways(json_t *findings, const json_t *facts)
{
	size_t silent = 0, i;
	const json_t *gateway;
	const char *longest = NULL;
	long long longest_ms = -1;
	char what[160], next[80];
	json_array_foreach(json_object_get(facts, "gateways"), i, gateway)
	{
		long long silent_ms = json_integer_value(json_object_get(gateway, "silent_ms"));
		silent += silent_ms >= 0;
		if (silent_ms <= longest_ms)
			continue;
		longest_ms = silent_ms;
		longest = json_string_value(json_object_get(gateway, "eui"));
	}
	if (silent == 0)
		return;
	snprintf(what, sizeof what, "%zu gateway%s silent", silent, silent == 1 ? " is" : "s are");
	snprintf(next, sizeof next, "lamppost why gateway %.16s", longest ? longest : "EUI");
	find(findings, "warning", next, what);
}

/* Notices are for the list: a network with nothing but them is well. */
static void judge_alarms(json_t *findings, const json_t *facts)
{
	const json_t *alarms = json_object_get(json_object_get(facts, "city"), "alarms");
	long long critical = json_integer_value(json_object_get(alarms, "critical"));
	long long warning = json_integer_value(json_object_get(alarms, "warning"));
	long long failing = json_integer_value(json_object_get(alarms, "channels_failing"));
	char what[160];
	if (critical + warning > 0) {
		snprintf(what, sizeof what, "alarms are open: %lld critical, %lld warning%s", critical,
			 warning, warning == 1 ? "" : "s");
		find(findings, critical > 0 ? "bad" : "warning", "lamppost alarm list", what);
	}
	if (failing > 0) {
		snprintf(what, sizeof what, "%lld channel%s not take what is to be told of alarms", failing,
			 failing == 1 ? " does" : "s do");
		find(findings, "bad", "lamppost alarm channels", what);
	}
}

json_t *cli_status_judge(const json_t *facts)
{
	json_t *findings = json_array();
	size_t i;
	const json_t *process;
	bool any = false;
	json_array_foreach(json_object_get(facts, "processes"), i, process)
	{
		any = any || cli_status_answers(process);
	}
	json_array_foreach(json_object_get(facts, "processes"), i, process)
	{
		judge_process(findings, process, any);
	}
	judge_links(findings, facts);
	judge_api(findings, facts);
	judge_broker(findings, facts);
	judge_records(findings, facts);
	judge_disk(findings, facts);
	judge_gateways(findings, facts);
	judge_alarms(findings, facts);
	json_array_foreach(json_object_get(facts, "processes"), i, process)
	{
		judge_warnings(findings, process);
	}
	return findings;
}
