#include "cli/join.h"

#include "cli/allow_once.h"
#include "cli/client.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "cli/text_width.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <string.h>

#define SPAN_MAX (366L * 86400)

static const struct cli_option options[] = {
	{"unknown", NULL, "what is not registered, of the last 24 hours (the city's engineers)"},
	{"device", "EUI", "every attempt of one device, in full"},
	{"since", "TIME", "only what was heard in the last 30m, 2h, 1d"},
	{"limit", "N", "at most so many (100)"},
};

bool cli_parse_span(const char *text, long *seconds)
{
	static const struct {
		char unit;
		long factor;
	} units[] = {{'\0', 1}, {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	long value = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9' && value <= SPAN_MAX; at++)
		value = value * 10 + (*at - '0');
	if (at == text || (*at && at[1]))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (units[i].unit == *at && value <= SPAN_MAX / units[i].factor) {
			*seconds = value * units[i].factor;
			return true;
		}
	}
	return false;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* What is wrong, or how far it came. */
static const char *verdict_of(const json_t *attempt)
{
	const char *problem = text_of(attempt, "problem");
	return *problem ? problem : text_of(attempt, "verdict");
}

#define HANGING 28 /* columns before a sentence's further lines */

/* A label, and a sentence behind it that hangs under the terminal's width. */
static void print_pair(const char *label, const char *text)
{
	char sentence[1024];
	snprintf(sentence, sizeof sentence, "%.*s", (int)strcspn(text, "\n"), text);
	printable_write(stdout, label);
	wrap_print(stdout, sentence, terminal_width(), text_width(label), HANGING);
}

void cli_print_attempt(const json_t *attempt)
{
	char left[160];
	const json_t *rssi = json_object_get(attempt, "rssi");
	bool rejoin = strncmp(text_of(attempt, "request"), "rejoin", 6) == 0;
	snprintf(left, sizeof left, "%.19s  %-6s %-24s ", text_of(attempt, "updated"),
		 rejoin ? "rejoin" : "join", verdict_of(attempt));
	print_pair(left, text_of(attempt, "message"));
	if (rssi) {
		snprintf(left, sizeof left,
			 "%-28sheard by %" JSON_INTEGER_FORMAT " gateway(s), best %s, %" JSON_INTEGER_FORMAT
			 " dBm, %s, %.6g MHz, %s ",
			 "", json_integer_value(json_object_get(attempt, "gateway_count")),
			 text_of(attempt, "gateway"), json_integer_value(rssi), text_of(attempt, "data_rate"),
			 json_number_value(json_object_get(attempt, "frequency")) / 1e6,
			 rejoin ? "RJcount" : "DevNonce");
		char nonce[16];
		snprintf(nonce, sizeof nonce, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(attempt, "dev_nonce")));
		print_pair(left, nonce);
	}
	if (*text_of(attempt, "next")) {
		snprintf(left, sizeof left, "%-28s→ ", "");
		print_pair(left, text_of(attempt, "next"));
	}
}

static void print_table(const json_t *items, bool unknown)
{
	static const char *const titles[] = {"DEVICE",  "VERDICT", "TRIES", "LAST HEARD (UTC)",
					     "GATEWAY", "RSSI",    "HINT"};
	struct table_text table;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	size_t i;
	const json_t *item;
	json_array_foreach(items, i, item)
	{
		char tries[24], heard[24], rssi[24] = "";
		const json_t *device = json_object_get(item, "device");
		const char *count = unknown ? "requests" : "attempts", *hint = text_of(item, "next");
		snprintf(tries, sizeof tries, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(item, count)));
		snprintf(heard, sizeof heard, "%.19s", text_of(item, "updated"));
		if (json_object_get(item, "rssi"))
			snprintf(rssi, sizeof rssi, "%" JSON_INTEGER_FORMAT,
				 json_integer_value(json_object_get(item, "rssi")));
		const char *cells[] = {!unknown && json_is_string(device) ? json_string_value(device)
									  : text_of(item, "dev_eui"),
				       verdict_of(item),
				       tries,
				       heard,
				       text_of(item, "gateway"),
				       rssi,
				       hint};
		table_text_add(&table, cells);
		table_text_colour(&table, 1,
				  *text_of(item, "problem") ? COLOUR_BAD : colour_of_word(cells[1]));
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static void print_nothing(bool unknown, const char *device)
{
	if (unknown)
		printf("No join-request of an unregistered device was heard in the last 24 hours.\n"
		       "If a sensor is on and not listed here, no gateway hears it: see lamppost device "
		       "watch EUI.\n");
	else if (device)
		printf("No join-request of this device was heard.\n"
		       "lamppost device watch %s shows what comes; lamppost join list --unknown what is not "
		       "registered.\n",
		       device);
	else
		printf("No join-request of a registered device was heard. lamppost join list --unknown shows "
		       "what is "
		       "not registered.\n");
}

static bool make_target(char target[CLI_TARGET_MAX], const struct cli_arguments *arguments)
{
	const char *device = cli_argument(arguments, "device"), *since = cli_argument(arguments, "since");
	const char *limit = cli_argument(arguments, "limit");
	char number[24];
	long seconds;
	snprintf(target, CLI_TARGET_MAX, device ? "/api/v1/devices/" : "/api/v1/joins");
	bool fits = true;
	if (device) {
		fits = cli_target_append(target, device) && strlen(target) + 7 < CLI_TARGET_MAX;
		if (fits)
			memcpy(target + strlen(target), "/joins", 7);
	}
	if (fits && cli_argument(arguments, "unknown"))
		fits = cli_target_append_query(target, "unknown", "true");
	if (fits && since && cli_parse_span(since, &seconds)) {
		snprintf(number, sizeof number, "%ld", seconds);
		fits = cli_target_append_query(target, "since", number);
	}
	return fits && (!limit || cli_target_append_query(target, "limit", limit));
}

static void print_answer(const json_t *answer, const struct cli_arguments *arguments)
{
	const json_t *items = json_object_get(answer, "items");
	const char *device = cli_argument(arguments, "device");
	bool unknown = cli_argument(arguments, "unknown") != NULL;
	if (arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (json_array_size(items) == 0) {
		print_nothing(unknown, device);
	} else if (device) {
		for (size_t i = json_array_size(items); i > 0; i--)
			cli_print_attempt(json_array_get(items, i - 1));
	} else {
		print_table(items, unknown);
	}
}

static int run_list(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX];
	long seconds;
	const char *since = cli_argument(arguments, "since");
	if (since && !cli_parse_span(since, &seconds))
		return cli_problem(CLI_USAGE, since, "--since 30m",
				   "expected a time such as 90s, 30m, 2h or 1d");
	if (cli_argument(arguments, "device") && (cli_argument(arguments, "unknown") || since))
		return cli_problem(CLI_USAGE, "--device", "lamppost join list --help",
				   "stands alone: it shows all attempts of one device");
	if (!make_target(target, arguments))
		return cli_problem(CLI_USAGE, "join list", NULL, "an option is too long");
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = NULL;
	const char *device = cli_argument(arguments, "device");
	int exit_code = cli_call(client, device ? device : "joins", IO_HTTP_GET, target, NULL, &answer);
	if (exit_code == CLI_DONE)
		print_answer(answer, arguments);
	if (exit_code == CLI_DONE && cli_argument(arguments, "device") && !arguments->json &&
	    json_array_size(json_object_get(answer, "items")) > 0)
		cli_allow_once_tell(client, cli_argument(arguments, "device"));
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

const struct cli_command cli_join_commands[] = {
	{.group = "join",
	 .name = "list",
	 .summary = "the last join-request of each device: what became of it, and what to do next",
	 .description = "To follow one device live: lamppost device watch EUI.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost join list --since 2h\n"
		     "lamppost join list --unknown\n"
		     "lamppost join list --device 70b3d57ed0000001\n",
	 .run = run_list},
};
const size_t cli_join_command_count = ARRAY_SIZE(cli_join_commands);
