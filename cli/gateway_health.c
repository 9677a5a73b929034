/* The commands' rows, and the two that are a call and a print: impact and ping. */
#include "cli/gateway_health.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

/* --- impact */

/* What one agency would lose. */
struct loss {
	char agency[64];
	unsigned only, best, heard;
};

#define AGENCIES_MAX 200

static struct loss *loss_of(struct loss *losses, size_t *count, const char *agency)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(losses[i].agency, agency) == 0)
			return &losses[i];
	if (*count < AGENCIES_MAX)
		(*count)++;
	snprintf(losses[*count - 1].agency, sizeof losses[0].agency, "%s", agency);
	return &losses[*count - 1];
}

static int fetch_impact(struct cli_client *client, const char *eui, const char *days, json_t *items)
{
	char after[40] = "";
	for (;;) {
		char target[CLI_TARGET_MAX] = "/api/v1/gateways/";
		json_t *answer = NULL;
		if (!cli_target_append(target, eui) || strlen(target) + 100 > CLI_TARGET_MAX)
			return cli_problem(CLI_USAGE, eui, NULL, "too long");
		snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/impact");
		if ((days && !cli_target_append_query(target, "days", days)) ||
		    (after[0] && !cli_target_append_query(target, "after", after)))
			return cli_problem(CLI_USAGE, "--days", NULL, "too long");
		int exit_code = cli_call(client, eui, IO_HTTP_GET, target, NULL, &answer);
		if (exit_code != CLI_DONE)
			return exit_code;
		const char *next = json_string_value(json_object_get(answer, "next"));
		json_array_extend(items, json_object_get(answer, "items"));
		snprintf(after, sizeof after, "%s", next ? next : "");
		json_decref(answer);
		if (!after[0])
			return CLI_DONE;
	}
}

static int by_only(const void *a, const void *b)
{
	const struct loss *left = a, *right = b;
	if (left->only != right->only)
		return left->only < right->only ? 1 : -1;
	return (left->best < right->best) - (left->best > right->best);
}

/* The agencies' slugs by their UUID; what the caller may not see stays a UUID. */
static const char *name_of(struct cli_client *client, json_t *names, const char *agency)
{
	char target[CLI_TARGET_MAX] = "/api/v1/agencies/";
	if (!json_object_get(names, agency) && cli_target_append(target, agency)) {
		json_t *answer = cli_try(client, target);
		const char *slug = json_string_value(json_object_get(answer, "slug"));
		json_object_set_new(names, agency, json_string(slug ? slug : agency));
		json_decref(answer);
	}
	return json_string_value(json_object_get(names, agency));
}

static void print_impact(struct cli_client *client, const char *eui, const char *days, const json_t *items)
{
	static const char *const titles[] = {"agency", "only it hears", "it is the best", "it hears",
					     "share"};
	struct loss *losses = calloc(AGENCIES_MAX, sizeof *losses);
	struct loss all = {.only = 0};
	size_t i, count = 0;
	const json_t *item;
	json_t *names = json_object();
	struct table_text table;
	ASSERT(losses != NULL);
	json_array_foreach(items, i, item)
	{
		const char *agency = json_string_value(json_object_get(item, "agency"));
		bool only = json_is_true(json_object_get(item, "only")),
		     best = json_is_true(json_object_get(item, "best"));
		struct loss *loss = loss_of(losses, &count, agency ? agency : "");
		loss->only += only;
		loss->best += best;
		loss->heard++;
		all.only += only;
		all.best += best;
		all.heard++;
	}
	qsort(losses, count, sizeof *losses, by_only);
	printf("Without %s: %u devices would not be heard any more, %u would lose their best gateway, of %u "
	       "that it heard in %s "
	       "days.\n",
	       eui, all.only, all.best, all.heard, days ? days : "7");
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	for (i = 0; i < count; i++) {
		char only[16], best[16], heard[16], share[16];
		snprintf(only, sizeof only, "%u", losses[i].only);
		snprintf(best, sizeof best, "%u", losses[i].best);
		snprintf(heard, sizeof heard, "%u", losses[i].heard);
		snprintf(share, sizeof share, "%u %%", all.only ? 100 * losses[i].only / all.only : 0);
		const char *const cells[] = {name_of(client, names, losses[i].agency), only, best, heard,
					     share};
		table_text_add(&table, cells);
		if (losses[i].only > 0)
			table_text_colour(&table, 1, COLOUR_BAD);
	}
	if (count > 0)
		table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
	json_decref(names);
	free(losses);
}

static int run_impact(const struct cli_arguments *arguments)
{
	const char *eui = arguments->operands[0], *days = cli_argument(arguments, "days");
	struct cli_client *client = cli_client_new(arguments);
	json_t *items = json_array();
	int exit_code = fetch_impact(client, eui, days, items);
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(items, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		print_impact(client, eui, days, items);
	}
	json_decref(items);
	cli_client_free(client);
	return exit_code;
}

/* --- ping */

void cli_gateway_print_ping(FILE *out, const char *eui, const json_t *answer)
{
	const json_t *trip = json_object_get(answer, "round_trip_ms");
	const char *how = json_string_value(json_object_get(answer, "how"));
	if (json_is_number(trip))
		fprintf(out, "%s: %g ms%s%s\n", eui, json_number_value(trip), how ? ", " : "",
			how ? how : "");
	else
		fprintf(out,
			"%s: heard %g s after the question. Its protocol has no way to ask, so this is no "
			"round "
			"trip; lamppost gateway show %s has that of its downlinks\n",
			eui, json_number_value(json_object_get(answer, "waited_ms")) / 1000, eui);
}

static int run_ping(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX] = "/api/v1/gateways/";
	const char *eui = arguments->operands[0];
	json_t *answer = NULL;
	if (!cli_target_append(target, eui) || strlen(target) + sizeof "/ping" > CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/ping");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, eui, IO_HTTP_POST, target, NULL, &answer);
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		cli_gateway_print_ping(stdout, eui, answer);
	}
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

/* --- the rows */

static const struct cli_option impact_options[] = {{"days", "N", "heard in the last N days (7; up to 90)"}};
static const struct cli_option watch_options[] = {
	{"plain", NULL, "lines in place of a screen, one table after the other"},
	{"count", "N", "with --plain or --json: end after N times"},
	{"agency", "ID", "only of this agency"},
};

static const struct cli_option history_options[] = {
	{"by", "SPAN", "minute (the last hour), hour (the last two days; the default) or day (the last 90)"},
	{"from", "TIME", "from when, as in 2027-01-15T08:00:00Z"},
	{"to", "TIME", "to when; now"},
};

const struct cli_command cli_gateway_health_commands[] = {
	{.group = "gateway",
	 .name = "history",
	 .summary = "what came of one by the minute, hour or day",
	 .description =
		 "Frames heard, with a wrong checksum and forwarded; downlinks sent and refused; time on the "
		 "air; payload both ways; the round trip that 95 of 100 are within; how fast its clock "
		 "runs; temperature; seconds without a word of it. Minutes are kept for two days, hours "
		 "for 90, days for three years, unless the configuration says otherwise.",
	 .operands = "GATEWAY",
	 .options = history_options,
	 .option_count = ARRAY_SIZE(history_options),
	 .examples =
		 "lamppost gateway history 0016c001ff10a235 --by minute\n"
		 "lamppost gateway history 0016c001ff10a235 --by day --from 2027-01-01T00:00:00Z --json\n",
	 .run = cli_gateway_history},
	{.group = "gateway",
	 .name = "watch",
	 .summary = "all gateways on one live screen, those in trouble first",
	 .description = "Every gateway with its state and the reason, again every two seconds. Keys: up and "
			"down, page up and "
			"down, enter for one gateway in full, escape back, t for those in trouble alone, q "
			"to end.\n\nWithout a "
			"terminal, or with --plain, a table is printed instead, again and again; with --json "
			"a line of JSON.",
	 .options = watch_options,
	 .option_count = ARRAY_SIZE(watch_options),
	 .examples = "lamppost gateway watch\n"
		     "lamppost gateway watch --plain --count 1\n",
	 .run = cli_gateway_watch},
	{.group = "gateway",
	 .name = "impact",
	 .summary = "what the loss of one would cost: devices that only it hears, by agency",
	 .description = "Counted from the uplinks of registered devices. Of each device the six gateways "
			"that heard it last are "
			"remembered, so a device that roams far may be counted late. Uplinks of the last "
			"hour may not be "
			"counted yet.",
	 .operands = "GATEWAY",
	 .options = impact_options,
	 .option_count = ARRAY_SIZE(impact_options),
	 .examples = "lamppost gateway impact 0016c001ff10a235\n"
		     "lamppost gateway impact 0016c001ff10a235 --days 30 --json\n",
	 .run = run_impact},
	{.group = "gateway",
	 .name = "ping",
	 .summary = "how long the way to a gateway and back takes, now",
	 .description =
		 "Stations are asked. Semtech UDP and MQTT have no way to ask: of such a gateway it is "
		 "told when it is heard next, for 12 seconds (it asks for downlinks every 10, as a "
		 "rule).",
	 .operands = "GATEWAY",
	 .examples = "lamppost gateway ping 0016c001ff10a235\n",
	 .run = run_ping},
};
const size_t cli_gateway_health_command_count = ARRAY_SIZE(cli_gateway_health_commands);
