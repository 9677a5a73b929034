#include "cli/downlink.h"

#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 500

/* --- shared --------------------------------------------------------------------------------------------------- */

void cli_downlink_id(char id[CLI_ID_TEXT])
{
	uint8_t bytes[16];
	char hex[33];
	if (secret_init() != ST_OK)
		memset(bytes, 0, sizeof bytes);
	secret_random(bytes, sizeof bytes);
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	hex_encode(hex, bytes, sizeof bytes);
	snprintf(id, CLI_ID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool cli_downlink_target(char target[CLI_TARGET_MAX], const char *eui, const char *id)
{
	snprintf(target, CLI_TARGET_MAX, "/api/v1/devices/");
	if (!cli_target_append(target, eui) || strlen(target) + sizeof "/downlinks/" > CLI_TARGET_MAX)
		return false;
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/downlinks%s", id ? "/" : "");
	return !id || cli_target_append(target, id);
}

long cli_downlink_seconds(const char *text)
{
	static const struct {
		char unit;
		long seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end = NULL;
	errno = 0;
	long number = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
	for (size_t i = 0; end && !errno && i < ARRAY_SIZE(units); i++)
		if (end[0] == units[i].unit && end[1] == '\0' && number > 0 && number < 1000000)
			return number * units[i].seconds;
	return 0;
}

bool cli_downlink_expires(json_t *body, const char *text)
{
	long seconds = cli_downlink_seconds(text);
	if (seconds)
		json_object_set_new(body, "ttl_s", json_integer(seconds));
	else if (strchr(text, '-') && strchr(text, ':'))
		json_object_set_new(body, "expires_at", json_string(text));
	else
		return false;
	return true;
}

const char *cli_downlink_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

void cli_downlink_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

/* --- list -------------------------------------------------------------------------------------------------------- */

static const struct cli_option list_options[] = {
	{"state", "STATE",
	 "queued, planned, sent, acknowledged, failed, expired, refused, stale_counter, waiting or ended"},
	{"all", NULL, "also those that have ended"},
	{"limit", "N", "at most so many, newest first"},
};

static void print_table(const json_t *items)
{
	static const char *const titles[] = {"id",   "status", "port",    "bytes", "confirmed",
					     "prio", "tries",  "created", "cause"};
	struct table_text table;
	size_t i;
	json_t *item;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		char port[24], bytes[24], priority[24], tries[24], created[24];
		bool flushing = json_is_true(json_object_get(item, "flushing"));
		snprintf(port, sizeof port, "%lld",
			 (long long)json_integer_value(json_object_get(item, "f_port")));
		snprintf(bytes, sizeof bytes, "%lld",
			 (long long)json_integer_value(json_object_get(item, "length")));
		snprintf(priority, sizeof priority, "%lld",
			 (long long)json_integer_value(json_object_get(item, "priority")));
		snprintf(tries, sizeof tries, "%lld",
			 (long long)json_integer_value(json_object_get(item, "tries")));
		snprintf(created, sizeof created, "%.19s", cli_downlink_text(item, "created_at"));
		const char *const cells[] = {cli_downlink_text(item, "id"),
					     cli_downlink_text(item, "status"),
					     port,
					     bytes,
					     json_is_true(json_object_get(item, "confirmed")) ? "yes" : "no",
					     priority,
					     tries,
					     created,
					     flushing ? "to be dropped" : cli_downlink_text(item, "cause")};
		table_text_add(&table, cells);
		table_text_colour_by_word(&table, 1);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static int fetch(struct cli_client *client, const char *eui, const char *state, size_t limit, json_t *items)
{
	char after[64] = "";
	for (;;) {
		char target[CLI_TARGET_MAX], number[24];
		size_t wanted = limit - json_array_size(items);
		json_t *page = NULL;
		snprintf(number, sizeof number, "%zu", wanted < PAGE ? wanted : PAGE);
		if (!cli_downlink_target(target, eui, NULL) ||
		    !cli_target_append_query(target, "limit", number) ||
		    !cli_target_append_query(target, "state", state) ||
		    (*after && !cli_target_append_query(target, "after", after)))
			return cli_problem(CLI_USAGE, eui, NULL, "too long");
		int exit_code = cli_call(client, eui, IO_HTTP_GET, target, NULL, &page);
		if (exit_code != CLI_DONE)
			return exit_code;
		json_array_extend(items, json_object_get(page, "items"));
		snprintf(after, sizeof after, "%s", cli_downlink_text(page, "next"));
		json_decref(page);
		if (!*after || json_array_size(items) >= limit)
			return CLI_DONE;
	}
}

static int run_list(const struct cli_arguments *arguments)
{
	const char *state = cli_argument(arguments, "state"), *limit_text = cli_argument(arguments, "limit");
	size_t limit = SIZE_MAX;
	if (state && cli_argument(arguments, "all"))
		return cli_problem(CLI_USAGE, "--all", NULL, "--state says which");
	if (limit_text && !cli_parse_count("--limit", limit_text, &limit))
		return CLI_USAGE;
	if (!state)
		state = cli_argument(arguments, "all") ? "all" : "waiting";
	struct cli_client *client = cli_client_new(arguments);
	json_t *items = json_array();
	int exit_code = fetch(client, arguments->operands[0], state, limit, items);
	if (exit_code == CLI_DONE && arguments->json)
		cli_downlink_print_json(items);
	else if (exit_code == CLI_DONE)
		print_table(items);
	json_decref(items);
	cli_client_free(client);
	return exit_code;
}

/* --- flush -------------------------------------------------------------------------------------------------------- */

static const struct cli_option flush_options[] = {{"id", "UUID", "only this one"}};

static int run_flush(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX];
	json_t *answer = NULL;
	const char *eui = arguments->operands[0];
	if (!cli_downlink_target(target, eui, cli_argument(arguments, "id")))
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, eui, IO_HTTP_DELETE, target, NULL, &answer);
	if (exit_code == CLI_DONE && arguments->json)
		cli_downlink_print_json(answer);
	else if (exit_code == CLI_DONE)
		printf("%lld to be dropped\n",
		       (long long)json_integer_value(json_object_get(answer, "flushing")));
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

/* --- the rows ----------------------------------------------------------------------------------------------------- */

const struct cli_command cli_downlink_commands[] = {
	{.group = "downlink",
	 .name = "send",
	 .summary = "queue a command for a device",
	 .description =
		 "A device hears a command after its next uplink (class A). One of --hex, --base64, --text, "
		 "--file and --object states the payload. The device is left out with --from, whose file "
		 "names "
		 "the devices: then each line that is refused is named, and the others are sent.\n\nFor a "
		 "device whose key "
		 "only you hold, --kek encrypts the payload on this machine. If the network spends the "
		 "counter on a frame of "
		 "its own first, the command is encrypted anew under the next one: at once if that is known "
		 "at once, "
		 "later only with --wait; eight times at most.",
	 .operands = "[EUI]",
	 .options = cli_downlink_send_options,
	 .option_count = CLI_DOWNLINK_SEND_OPTIONS,
	 .examples = "lamppost downlink send 70b3d57ed0000001 --port 10 --hex 0a0164 --confirmed --wait=5m\n"
		     "lamppost downlink send 70b3d57ed0000001 --port 2 --text on --expires 2h --priority 5\n"
		     "lamppost downlink send 70b3d57ed0000001 --port 10 --hex 0a0164 --kek parks.kek --wait\n"
		     "lamppost downlink send --from commands.csv\n",
	 .exits = "0 queued; with --wait: sent, or acknowledged if confirmed\n"
		  "1 with --wait: failed, expired or refused\n"
		  "6 with --wait: not yet\n",
	 .run = cli_downlink_send},
	{.group = "downlink",
	 .name = "list",
	 .summary = "what waits for a device, and what became of the rest",
	 .operands = "EUI",
	 .options = list_options,
	 .option_count = ARRAY_SIZE(list_options),
	 .examples = "lamppost downlink list 70b3d57ed0000001\n"
		     "lamppost downlink list 70b3d57ed0000001 --state failed --json\n",
	 .run = run_list},
	{.group = "downlink",
	 .name = "flush",
	 .summary = "drop what waits",
	 .operands = "EUI",
	 .options = flush_options,
	 .option_count = ARRAY_SIZE(flush_options),
	 .examples = "lamppost downlink flush 70b3d57ed0000001\n",
	 .run = run_flush},
};
const size_t cli_downlink_command_count = ARRAY_SIZE(cli_downlink_commands);
