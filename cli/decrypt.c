/* `lamppost decrypt`: lines of JSON in, the same lines out with their payloads in clear. A line may be an event as MQTT or a webhook
 * delivers it, a line of `lamppost events --json`, a reading, or the answer with a page of readings. What is in clear already passes as
 * it is, and so does what does not open, with a word on standard error. */
#include "cli/agency_kek.h"
#include "cli/held.h"
#include "cli/problem.h"
#include "common/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOLD_MAX 10 /* lines that are named one by one */

struct decrypting {
	struct cli_keks keks;
	unsigned long line, closed;
};

static void tell(struct decrypting *all, const char *why)
{
	if (++all->closed <= TOLD_MAX)
		fprintf(stderr, "lamppost: line %lu: %s\n", all->line, why);
}

static void open_one(struct decrypting *all, json_t *uplink)
{
	char why[CLI_HELD_WHY_MAX];
	if (cli_held_open(&all->keks, uplink, why) != CLI_HELD_CLOSED)
		return;
	tell(all, why);
}

static void open_value(struct decrypting *all, json_t *value)
{
	json_t *event = json_object_get(value, "event"), *items = json_object_get(value, "items"), *item;
	size_t i;
	if (json_is_object(event))
		open_one(all, event);
	else if (json_is_array(items))
		json_array_foreach(items, i, item) open_one(all, item);
	else
		open_one(all, value);
}

static void open_line(struct decrypting *all, const char *text, size_t length)
{
	json_error_t error;
	all->line++;
	if (length == strspn(text, " \t\r\n"))
		return;
	json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(value)) {
		open_value(all, value);
		json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else {
		tell(all, "is no JSON object, as lamppost events --json prints one a line");
	}
	fflush(stdout);
	json_decref(value);
}

static int run_decrypt(const struct cli_arguments *arguments)
{
	const char *kek = cli_argument(arguments, "kek"),
		   *path = arguments->operand_count ? arguments->operands[0] : "-";
	struct decrypting all = {.line = 0};
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	if (!kek)
		return cli_problem(CLI_USAGE, "decrypt", "lamppost decrypt --help",
				   "expected --kek FILE, as lamppost agency kek new made it");
	int code = cli_keks_read(kek, &all.keks);
	if (code != CLI_DONE)
		return code;
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	if (!in) {
		cli_keks_release(&all.keks);
		return cli_problem(CLI_FAILED, path, NULL, "cannot be read: %s", strerror(errno));
	}
	while ((length = getline(&line, &room, in)) >= 0)
		open_line(&all, line, (size_t)length);
	if (in != stdin)
		(void)fclose(in);
	free(line);
	cli_keks_release(&all.keks);
	if (all.closed > TOLD_MAX)
		fprintf(stderr, "lamppost: and %lu more that did not open\n", all.closed - TOLD_MAX);
	return all.closed ? CLI_FAILED : CLI_DONE;
}

static const struct cli_option options[] = {
	{"kek", "FILE", "the agency's KEKs, as lamppost agency kek new made the file"},
};

const struct cli_command cli_decrypt_commands[] = {
	{.group = "decrypt",
	 .summary = "payloads under a key that only you hold, opened on this machine",
	 .description = "Reads lines of JSON (events as MQTT or a webhook delivers them, what lamppost "
			"events --json prints, "
			"readings of the API) and prints them with `data` in clear. No server is asked. "
			"Live: lamppost events "
			"--follow --kek FILE.",
	 .operands = "[FILE]",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "mosquitto_sub -h broker -t 'application/+/device/+/event/up' | lamppost decrypt --kek "
		     "parks.kek\n"
		     "lamppost decrypt --kek parks.kek events.jsonl\n",
	 .exits = "1 some lines did not open: the first ten are named\n",
	 .local = true,
	 .run = run_decrypt},
};
const size_t cli_decrypt_command_count = ARRAY_SIZE(cli_decrypt_commands);
