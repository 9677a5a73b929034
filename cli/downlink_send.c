/* One command: its payload in one of five forms, its answer in words, and what becomes of it as long as somebody waits. */
#include "cli/downlink.h"

#include "cli/input.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/printable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAYLOAD_MAX  4096
#define WAIT_DEFAULT 60
#define POLL_MS      500

/* --- waiting -------------------------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One look at it. CLI_DONE with `*over`: whether nothing more is to be waited for. */
static int look(struct cli_client *client, const char *id, const char *target, json_t **item, bool *over)
{
	int exit_code = cli_call(client, id, IO_HTTP_GET, target, NULL, item);
	if (exit_code != CLI_DONE)
		return exit_code;
	const char *status = cli_downlink_text(*item, "status"), *cause = cli_downlink_text(*item, "cause");
	*over = json_is_true(json_object_get(*item, "ended"));
	if (!*over || strcmp(status, "sent") == 0 || strcmp(status, "acknowledged") == 0)
		return CLI_DONE;
	return cli_problem(CLI_FAILED, id, "lamppost downlink list EUI --all", "%s%s%s", status,
			   *cause ? ": " : "", cause);
}

int cli_downlink_wait(struct cli_client *client, const char *eui, const char *id, double seconds,
		      json_t **item)
{
	char target[CLI_TARGET_MAX], text[80];
	double end = now_s() + seconds;
	struct progress progress;
	*item = NULL;
	if (!cli_downlink_target(target, eui, id))
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	snprintf(text, sizeof text, "waiting until %.40s is heard", eui);
	progress_start(&progress, text);
	for (;;) {
		bool over = false;
		progress_clear(&progress);
		int exit_code = look(client, id, target, item, &over);
		if (exit_code != CLI_DONE || over)
			return exit_code;
		if (now_s() >= end)
			return cli_problem(CLI_TIMED_OUT, id, "lamppost downlink list EUI",
					   "still %s after %.0f s; it goes on without us",
					   cli_downlink_text(*item, "status"), seconds);
		json_decref(*item);
		*item = NULL;
		progress_sleep(&progress, POLL_MS);
	}
}

/* --- sending -------------------------------------------------------------------------------------------------- */

const struct cli_option cli_downlink_send_options[CLI_DOWNLINK_SEND_OPTIONS] = {
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
	{"kek", "FILE", "encrypt it here, with the agency's KEKs, under the next counter"},
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

void cli_downlink_print_sent(const json_t *item)
{
	size_t i;
	json_t *note;
	printf("%s  %s, port %lld, %lld bytes\n", cli_downlink_text(item, "id"),
	       cli_downlink_text(item, "status"),
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
void cli_downlink_print_fate(const json_t *item)
{
	char line[200];
	snprintf(line, sizeof line, "%s  %s, counter %lld, gateway %s, tries %lld\n",
		 cli_downlink_text(item, "id"), cli_downlink_text(item, "status"),
		 (long long)json_integer_value(json_object_get(item, "f_cnt_down")),
		 *cli_downlink_text(item, "gateway") ? cli_downlink_text(item, "gateway") : "none",
		 (long long)json_integer_value(json_object_get(item, "tries")));
	fputs(line, stdout);
}

static int send_one(struct cli_client *client, const struct cli_arguments *arguments, double wait_s)
{
	char target[CLI_TARGET_MAX], id[CLI_ID_TEXT];
	const char *eui = arguments->operands[0];
	json_t *body = json_object(), *item = NULL;
	int exit_code = make_body(body, arguments, id);
	if (exit_code == CLI_DONE && cli_argument(arguments, "kek")) {
		exit_code = cli_downlink_send_held(client, arguments, body, wait_s);
		json_decref(body);
		return exit_code;
	}
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
			cli_downlink_print_sent(item);
		fflush(stdout);
		json_decref(item);
		exit_code = cli_downlink_wait(client, eui, id, wait_s, &item);
		if (item && !arguments->json)
			cli_downlink_print_fate(item);
	} else if (!arguments->json) {
		cli_downlink_print_sent(item);
	}
	if (item && arguments->json)
		cli_downlink_print_json(item);
	json_decref(item);
	return exit_code;
}

int cli_downlink_send(const struct cli_arguments *arguments)
{
	const char *wait = cli_argument(arguments, "wait"), *from = cli_argument(arguments, "from");
	double wait_s = wait ? *wait ? (double)cli_downlink_seconds(wait) : WAIT_DEFAULT : 0;
	if (wait && wait_s <= 0)
		return refuse_payload("--wait", "expected a span: 90s, 5m, 2h");
	if (from) {
		if (cli_argument(arguments, "kek"))
			return refuse_payload(
				"--kek", "encrypts for one device at a time, under the counter that its "
					 "session says: leave --from out, and send a line after the other");
		for (size_t i = 0; i < CLI_DOWNLINK_SEND_OPTIONS; i++)
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
