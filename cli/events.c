#include "cli/events.h"

#include "cli/client.h"
#include "cli/held.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_option options[] = {
	{"follow", NULL, "go on until Ctrl-C (without it: nothing else is there yet)"},
	{"application", "ID", "only of this application"},
	{"device", "EUI", "only of this device"},
	{"after", "EVENT", "what came after this event, then go on"},
	{"count", "N", "end after N events"},
	{"kek", "FILE", "open payloads with the agency's KEKs, on this machine"},
};

struct following {
	bool json;
	struct cli_keks *keks; /* NULL: payloads are shown as they come */
	unsigned long left;    /* events still wanted; 0: no limit */
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* What the server no longer keeps is said on standard error: standard output is readings. */
static void print_gap(const json_t *gap)
{
	fprintf(stderr, "lamppost: events %lld to %lld are no longer kept\n",
		(long long)json_integer_value(json_object_get(gap, "from")),
		(long long)json_integer_value(json_object_get(gap, "to")));
}

/* What became of a command, and what a device says of itself; false for other kinds. */
static bool print_downlink(const char *kind, const json_t *event)
{
	char line[300];
	if (strcmp(kind, "txack") == 0)
		snprintf(line, sizeof line, "%s sent, counter %lld, gateway %s",
			 text_of(event, "queueItemId"),
			 (long long)json_integer_value(json_object_get(event, "fCntDown")),
			 text_of(event, "gatewayId"));
	else if (strcmp(kind, "ack") == 0)
		snprintf(line, sizeof line, "%s %s", text_of(event, "queueItemId"),
			 json_is_true(json_object_get(event, "acknowledged")) ? "acknowledged"
									      : "not acknowledged");
	else if (strcmp(kind, "log") == 0)
		snprintf(line, sizeof line, "%s %s: %s", text_of(event, "level"), text_of(event, "code"),
			 text_of(event, "description"));
	else if (strcmp(kind, "status") != 0)
		return false;
	else if (json_is_true(json_object_get(event, "externalPowerSource")) ||
		 json_is_true(json_object_get(event, "batteryLevelUnavailable")))
		snprintf(line, sizeof line, "%s, margin %lld dB",
			 json_is_true(json_object_get(event, "externalPowerSource")) ? "external power"
										     : "battery not measured",
			 (long long)json_integer_value(json_object_get(event, "margin")));
	else
		snprintf(line, sizeof line, "battery %.0f %%, margin %lld dB",
			 json_number_value(json_object_get(event, "batteryLevel")),
			 (long long)json_integer_value(json_object_get(event, "margin")));
	printable_write(stdout, line);
	return true;
}

/* One event, one line: time, device, kind, what it says. */
static void print_line(const char *kind, const json_t *event)
{
	const json_t *info = json_object_get(event, "deviceInfo");
	const json_t *object = json_object_get(event, "object");
	char left[120];
	snprintf(left, sizeof left, "%.19s  %-6.6s  %s  %-20.20s  ", text_of(event, "time"), kind,
		 text_of(info, "devEui"), text_of(info, "deviceName"));
	printable_write(stdout, left);
	if (object) {
		char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
		printable_write(stdout, text ? text : "");
		free(text);
	} else if (strcmp(kind, "join") == 0) {
		printable_write(stdout, "address ");
		printable_write(stdout, text_of(event, "devAddr"));
	} else if (!print_downlink(kind, event)) {
		printable_write(stdout, text_of(event, "data"));
		if (json_is_true(json_object_get(event, "encrypted")))
			fputs("  encrypted: only the agency's key opens it", stdout);
	}
	putchar('\n');
}

/* Written anew, so that it is one line however the server broke its own. */
static void print_json_line(const char *id, const char *kind, json_t *event)
{
	json_t *line = json_pack("{s:s, s:s, s:O?}", "id", id, "kind", kind, "event", event);
	json_dumpf(line ? line : json_null(), stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(line);
}

static bool on_event(void *ctx, const char *id, const char *kind, const char *data)
{
	struct following *following = ctx;
	json_t *event = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
	char why[CLI_HELD_WHY_MAX];
	if (following->keks && strcmp(kind, "up") == 0 &&
	    cli_held_open(following->keks, event, why) == CLI_HELD_CLOSED)
		fprintf(stderr, "lamppost: %s: %s\n", id, why);
	if (following->json)
		print_json_line(id, kind, event);
	else if (event && strcmp(kind, "gap") == 0)
		print_gap(event);
	else if (event)
		print_line(kind, event);
	fflush(stdout);
	json_decref(event);
	return following->left == 0 || --following->left > 0;
}

static int run_events(const struct cli_arguments *arguments)
{
	if (!cli_argument(arguments, "follow"))
		return cli_problem(CLI_USAGE, "events", "lamppost events --follow", "expected --follow");
	struct following following = {.json = arguments->json};
	struct cli_keks keks;
	const char *count = cli_argument(arguments, "count"), *kek = cli_argument(arguments, "kek");
	if (count && !cli_parse_count("--count", count, &following.left))
		return CLI_USAGE;
	char target[CLI_TARGET_MAX] = "/api/v1/events";
	static const char *const filters[] = {"application", "device", "after"};
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		const char *value = cli_argument(arguments, filters[i]);
		if (value && !cli_target_append_query(target, filters[i], value))
			return cli_problem(CLI_USAGE, filters[i], NULL, "too long");
	}
	if (kek) {
		int read = cli_keks_read(kek, &keks);
		if (read != CLI_DONE)
			return read;
		following.keks = &keks;
	}
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_follow(client, "events", target, on_event, &following);
	cli_client_free(client);
	if (kek)
		cli_keks_release(&keks);
	return exit_code;
}

const struct cli_command cli_events_commands[] = {
	{.group = "events",
	 .summary = "readings, joins and what becomes of commands, as they are delivered",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost events --follow --application soil\n"
		     "lamppost events --follow --json --count 10 > ten.jsonl\n"
		     "lamppost events --follow --application soil --kek parks.kek\n",
	 .run = run_events},
};
const size_t cli_events_command_count = ARRAY_SIZE(cli_events_commands);
