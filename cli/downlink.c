#include "cli/downlink.h"

#include "cli/input.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/printable.h"
#include "common/crypto/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAYLOAD_MAX  4096
#define PAGE         500
#define WAIT_DEFAULT 60
#define POLL_MS      500

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

/* Seconds of "90s", "30m", "2h", "7d"; 0: none of these. */
static long seconds_of(const char *text)
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
	long seconds = seconds_of(text);
	if (seconds)
		json_object_set_new(body, "ttl_s", json_integer(seconds));
	else if (strchr(text, '-') && strchr(text, ':'))
		json_object_set_new(body, "expires_at", json_string(text));
	else
		return false;
	return true;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int cli_downlink_wait(struct cli_client *client, const char *eui, const char *id, double seconds,
		      json_t **item)
{
	char target[CLI_TARGET_MAX];
	double end = now_s() + seconds;
	*item = NULL;
	if (!cli_downlink_target(target, eui, id))
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	for (;;) {
		int exit_code = cli_call(client, eui, IO_HTTP_GET, target, NULL, item);
		if (exit_code != CLI_DONE)
			return exit_code;
		const char *status = text_of(*item, "status"), *cause = text_of(*item, "cause");
		if (json_is_true(json_object_get(*item, "ended"))) {
			if (strcmp(status, "sent") == 0 || strcmp(status, "acknowledged") == 0)
				return CLI_DONE;
			return cli_problem(CLI_FAILED, id, "lamppost downlink list EUI --all", "%s%s%s",
					   status, *cause ? ": " : "", cause);
		}
		if (now_s() >= end)
			return cli_problem(CLI_TIMED_OUT, id, "lamppost downlink list EUI",
					   "still %s after %.0f s; it goes on without us", status, seconds);
		json_decref(*item);
		*item = NULL;
		(void)nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
	}
}

/* --- send ------------------------------------------------------------------------------------------------------- */

static const struct cli_option send_options[] = {
	{"port", "N", "FPort, 1 to 223"},
	{"hex", "DIGITS", "payload as hex digits; blanks and colons between them are fine"},
	{"base64", "TEXT", "payload as base64"},
	{"text", "TEXT", "payload as the bytes of a text"},
	{"file", "FILE", "payload as the bytes of a file, - for standard input"},
	{"object", "OBJECT", "for the profile's codec to encode: JSON or YAML, @FILE, or -"},
	{"confirmed", NULL, "ask the device to acknowledge, and repeat until it does"},
	{"priority", "N", "0 (default) to 6: higher leaves first"},
	{"expires", "WHEN", "after 90s, 30m, 2h, 7d, or at a time: 2026-03-04T16:00:00Z"},
	{"id", "UUID", "the command's identity: the same one twice is one command"},
	{"encrypted", NULL, "the payload is encrypted already, under --counter (private devices)"},
	{"counter", "N", "FCntDown that it was encrypted under"},
	{"wait", "[=TIME]", "until it was sent, or acknowledged if confirmed; 60s by default"},
	{"from", "FILE",
	 "many: CSV with a header (dev_eui, port, hex...), or JSON lines; - for standard input"},
};

static int refuse_payload(const char *option, const char *why)
{
	return cli_problem(CLI_USAGE, option, "lamppost downlink send --help", "%s", why);
}

static void set_base64(json_t *body, const void *bytes, size_t length)
{
	char text[BASE64_ROOM(PAYLOAD_MAX)];
	base64_encode(text, bytes, length);
	json_object_set_new(body, "data", json_string(text));
}

static int set_hex(json_t *body, const char *word)
{
	char digits[2 * PAYLOAD_MAX + 1];
	uint8_t bytes[PAYLOAD_MAX];
	size_t count = 0, length = 0;
	for (; *word && count < sizeof digits - 1; word++)
		if (!strchr(" \t:-", *word))
			digits[count++] = *word;
	if (*word || !hex_decode(bytes, sizeof bytes, &length, digits, count))
		return refuse_payload("--hex", "expected an even number of hex digits");
	set_base64(body, bytes, length);
	return CLI_DONE;
}

static int set_base64_word(json_t *body, const char *word)
{
	uint8_t bytes[PAYLOAD_MAX];
	size_t length = 0;
	if (!base64_decode(bytes, sizeof bytes, &length, word, strlen(word)))
		return refuse_payload("--base64", "expected base64");
	set_base64(body, bytes, length);
	return CLI_DONE;
}

static int set_text(json_t *body, const char *word)
{
	if (strlen(word) > PAYLOAD_MAX)
		return refuse_payload("--text", "longer than any frame");
	set_base64(body, word, strlen(word));
	return CLI_DONE;
}

static int set_file(json_t *body, const char *word)
{
	size_t length = 0;
	char *bytes = cli_read_file(word, &length);
	if (!bytes)
		return cli_problem(CLI_FAILED, word, NULL, "cannot be read: %s", strerror(errno));
	int exit_code = length > PAYLOAD_MAX ? refuse_payload("--file", "longer than any frame") : CLI_DONE;
	if (exit_code == CLI_DONE)
		set_base64(body, bytes, length);
	explicit_bzero(bytes, length);
	free(bytes);
	return exit_code;
}

static int set_object(json_t *body, const char *word)
{
	char error[300] = "";
	char *text = cli_input_text("--object", word);
	if (!text)
		return CLI_FAILED;
	json_t *object = cli_parse_object("--object", text, strlen(text), error, sizeof error);
	free(text);
	if (!object)
		return cli_problem(CLI_USAGE, "--object", NULL, "%s", error);
	json_object_set_new(body, "object", object);
	return CLI_DONE;
}

/* Exactly one of the five ways to state a payload. */
static int set_payload(json_t *body, const struct cli_arguments *arguments)
{
	static const struct {
		const char *name;
		int (*set)(json_t *body, const char *word);
	} ways[] = {{"hex", set_hex},
		    {"base64", set_base64_word},
		    {"text", set_text},
		    {"file", set_file},
		    {"object", set_object}};
	int given = -1;
	for (int i = 0; i < (int)ARRAY_SIZE(ways); i++) {
		if (!cli_argument(arguments, ways[i].name))
			continue;
		if (given >= 0)
			return refuse_payload(ways[i].name, "one payload is enough");
		given = i;
	}
	if (given < 0)
		return refuse_payload("downlink send",
				      "expected --hex, --base64, --text, --file or --object");
	return ways[given].set(body, cli_argument(arguments, ways[given].name));
}

/* A number from 0; false after reporting. */
static bool set_number(json_t *body, const char *member, const char *option, const char *text)
{
	char *end = NULL;
	errno = 0;
	unsigned long number = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
	if (!end || *end || errno || number > UINT32_MAX) {
		(void)cli_problem(CLI_USAGE, option, NULL, "%s: expected a number", text);
		return false;
	}
	json_object_set_new(body, member, json_integer((json_int_t)number));
	return true;
}

static int make_body(json_t *body, const struct cli_arguments *arguments, char id[CLI_ID_TEXT])
{
	static const struct {
		const char *option, *member, *shown;
	} numbers[] = {{"port", "f_port", "--port"},
		       {"priority", "priority", "--priority"},
		       {"counter", "f_cnt_down", "--counter"}};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *text = cli_argument(arguments, numbers[i].option);
		if (text && !set_number(body, numbers[i].member, numbers[i].shown, text))
			return CLI_USAGE;
	}
	if (!json_object_get(body, "f_port"))
		return refuse_payload("downlink send", "expected --port");
	if (cli_argument(arguments, "confirmed"))
		json_object_set_new(body, "confirmed", json_true());
	if (cli_argument(arguments, "encrypted"))
		json_object_set_new(body, "encrypted", json_true());
	const char *expires = cli_argument(arguments, "expires");
	if (expires && !cli_downlink_expires(body, expires))
		return refuse_payload("--expires", "expected a span (90s, 30m, 2h, 7d) or a time");
	const char *given = cli_argument(arguments, "id");
	if (given && strlen(given) >= CLI_ID_TEXT)
		return refuse_payload("--id", "expected a UUID");
	if (given)
		snprintf(id, CLI_ID_TEXT, "%s", given);
	else
		cli_downlink_id(id);
	json_object_set_new(body, "id", json_string(id));
	return set_payload(body, arguments);
}

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2));
	putchar('\n');
}

static void print_sent(const json_t *item)
{
	size_t i;
	json_t *note;
	printf("%s  %s, port %lld, %lld bytes\n", text_of(item, "id"), text_of(item, "status"),
	       (long long)json_integer_value(json_object_get(item, "f_port")),
	       (long long)json_integer_value(json_object_get(item, "length")));
	json_array_foreach(json_object_get(item, "notes"), i, note)
	{
		fputs("  ", stdout);
		printable_write(stdout, json_string_value(note));
		putchar('\n');
	}
}

/* What became of it, as far as it is known. */
static void print_fate(const json_t *item)
{
	char line[200];
	snprintf(line, sizeof line, "%s  %s, counter %lld, gateway %s, tries %lld\n", text_of(item, "id"),
		 text_of(item, "status"), (long long)json_integer_value(json_object_get(item, "f_cnt_down")),
		 *text_of(item, "gateway") ? text_of(item, "gateway") : "none",
		 (long long)json_integer_value(json_object_get(item, "tries")));
	fputs(line, stdout);
}

static int send_one(struct cli_client *client, const struct cli_arguments *arguments, double wait_s)
{
	char target[CLI_TARGET_MAX], id[CLI_ID_TEXT];
	const char *eui = arguments->operands[0];
	json_t *body = json_object(), *item = NULL;
	int exit_code = make_body(body, arguments, id);
	if (exit_code == CLI_DONE && !cli_downlink_target(target, eui, NULL))
		exit_code = cli_problem(CLI_USAGE, eui, NULL, "too long");
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, eui, IO_HTTP_POST, target, body, &item);
	json_decref(body);
	if (exit_code == CLI_TIMED_OUT || exit_code == CLI_INTERRUPTED)
		fprintf(stderr, "lamppost: sending it again with --id %s is harmless\n", id);
	if (exit_code != CLI_DONE)
		return exit_code;
	if (wait_s > 0) {
		if (!arguments->json)
			print_sent(item);
		fflush(stdout);
		json_decref(item);
		exit_code = cli_downlink_wait(client, eui, id, wait_s, &item);
		if (item && !arguments->json)
			print_fate(item);
	} else if (!arguments->json) {
		print_sent(item);
	}
	if (item && arguments->json)
		print_json(item);
	json_decref(item);
	return exit_code;
}

static int run_send(const struct cli_arguments *arguments)
{
	const char *wait = cli_argument(arguments, "wait"), *from = cli_argument(arguments, "from");
	double wait_s = wait ? *wait ? (double)seconds_of(wait) : WAIT_DEFAULT : 0;
	if (wait && wait_s <= 0)
		return refuse_payload("--wait", "expected a span: 90s, 5m, 2h");
	if (from) {
		for (size_t i = 0; i < ARRAY_SIZE(send_options); i++)
			if (arguments->values[i] && arguments->values[i] != from)
				return refuse_payload("--from", "the file says everything: no other option");
		if (arguments->operand_count)
			return refuse_payload("--from", "the file names the devices");
	} else if (arguments->operand_count != 1) {
		return refuse_payload("downlink send", "expected one DevEUI");
	}
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = from ? cli_downlink_send_file(client, from, arguments->json)
			     : send_one(client, arguments, wait_s);
	cli_client_free(client);
	return exit_code;
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
		snprintf(created, sizeof created, "%.19s", text_of(item, "created_at"));
		const char *const cells[] = {text_of(item, "id"),
					     text_of(item, "status"),
					     port,
					     bytes,
					     json_is_true(json_object_get(item, "confirmed")) ? "yes" : "no",
					     priority,
					     tries,
					     created,
					     flushing ? "to be dropped" : text_of(item, "cause")};
		table_text_add(&table, cells);
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
		snprintf(after, sizeof after, "%s", text_of(page, "next"));
		json_decref(page);
		if (!*after || json_array_size(items) >= limit)
			return CLI_DONE;
	}
}

static int run_list(const struct cli_arguments *arguments)
{
	const char *state = cli_argument(arguments, "state"), *limit_text = cli_argument(arguments, "limit");
	size_t limit = SIZE_MAX;
	if (arguments->operand_count != 1)
		return cli_problem(CLI_USAGE, "downlink list", "lamppost downlink list --help",
				   "expected one DevEUI");
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
		print_json(items);
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
	if (arguments->operand_count != 1)
		return cli_problem(CLI_USAGE, "downlink flush", "lamppost downlink flush --help",
				   "expected one DevEUI");
	const char *eui = arguments->operands[0];
	if (!cli_downlink_target(target, eui, cli_argument(arguments, "id")))
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, eui, IO_HTTP_DELETE, target, NULL, &answer);
	if (exit_code == CLI_DONE && arguments->json)
		print_json(answer);
	else if (exit_code == CLI_DONE)
		printf("%lld to be dropped\n",
		       (long long)json_integer_value(json_object_get(answer, "flushing")));
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

/* --- the group ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *operands, *help, *examples;
	const struct cli_option *options;
	size_t option_count;
	int (*run)(const struct cli_arguments *arguments);
} verbs[] = {
	{"send", "EUI --port N --hex DIGITS ...", "queue a command for a device",
	 "  lamppost downlink send 70b3d57ed0000001 --port 10 --hex 0a0164 --confirmed --wait=5m\n"
	 "  lamppost downlink send 70b3d57ed0000001 --port 2 --text on --expires 2h --priority 5\n"
	 "  lamppost downlink send --from commands.csv\n",
	 send_options, ARRAY_SIZE(send_options), run_send},
	{"list", "EUI [--all]", "what waits for a device, and what became of the rest",
	 "  lamppost downlink list 70b3d57ed0000001\n"
	 "  lamppost downlink list 70b3d57ed0000001 --state failed --json\n",
	 list_options, ARRAY_SIZE(list_options), run_list},
	{"flush", "EUI [--id UUID]", "drop what waits", "  lamppost downlink flush 70b3d57ed0000001\n",
	 flush_options, ARRAY_SIZE(flush_options), run_flush},
};

static void print_group_help(FILE *out)
{
	fprintf(out, "lamppost downlink: commands to devices\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-6s %-32s %s\n", verbs[i].name, verbs[i].operands, verbs[i].help);
	fprintf(out,
		"\nA device hears a command after its next uplink (class A). Exit codes of --wait: 0 sent "
		"or\nacknowledged, 1 failed, expired or refused, 6 not yet.\n\nExamples:\n%s",
		verbs[0].examples);
}

int cli_downlink(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_group_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? CLI_USAGE : CLI_DONE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		char command[32];
		struct cli_arguments arguments;
		if (strcmp(verbs[i].name, argv[1]) != 0)
			continue;
		snprintf(command, sizeof command, "downlink %s", verbs[i].name);
		if (!cli_arguments_parse(&arguments, command, verbs[i].options, verbs[i].option_count, 1,
					 argc - 2, argv + 2))
			return CLI_USAGE;
		if (!arguments.help)
			return verbs[i].run(&arguments);
		printf("lamppost downlink %s %s\n  %s\n\nExamples:\n%s\n", verbs[i].name, verbs[i].operands,
		       verbs[i].help, verbs[i].examples);
		cli_options_print(verbs[i].options, verbs[i].option_count);
		return CLI_DONE;
	}
	return cli_problem(CLI_USAGE, argv[1], "lamppost downlink --help",
			   "no such command of `lamppost downlink`");
}
