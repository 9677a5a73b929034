#include "cli/device_status.h"

#include "cli/client.h"
#include "cli/join.h"
#include "cli/pages.h"
#include "cli/problem.h"
#include "cli/records.h"
#include "cli/table.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <string.h>

#define SAID_SHOWN 10

const char *cli_span_text(char text[CLI_SPAN_TEXT], json_int_t seconds)
{
	static const struct {
		json_int_t from, unit;
		const char *name;
	} rows[] = {{2 * 86400, 86400, "days"}, {2 * 3600, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (seconds >= rows[i].from) {
			snprintf(text, CLI_SPAN_TEXT, "%" JSON_INTEGER_FORMAT " %s", seconds / rows[i].unit,
				 rows[i].name);
			return text;
		}
	snprintf(text, CLI_SPAN_TEXT, "0 s");
	return text;
}

const char *cli_seconds_text(char text[CLI_SPAN_TEXT], const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	text[0] = '\0';
	if (json_is_integer(value))
		snprintf(text, CLI_SPAN_TEXT, "%.1f", (double)json_integer_value(value) / 1000);
	return text;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static const char *integer_text(char text[CLI_SPAN_TEXT], const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	text[0] = '\0';
	if (json_is_integer(value))
		snprintf(text, CLI_SPAN_TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return text;
}

static const char *battery_text(char text[CLI_SPAN_TEXT], const json_t *object)
{
	const json_t *percent = json_object_get(object, "battery_percent");
	const json_t *external = json_object_get(object, "external_power");
	if (json_is_integer(percent))
		snprintf(text, CLI_SPAN_TEXT, "%" JSON_INTEGER_FORMAT " %%", json_integer_value(percent));
	else
		snprintf(text, CLI_SPAN_TEXT, "%s",
			 json_is_true(external)   ? "external"
			 : json_is_null(external) ? "unknown"
						  : "");
	return text;
}

static const char *loss_text(char text[64], const json_t *loss)
{
	const json_t *percent = json_object_get(loss, "percent");
	text[0] = '\0';
	if (json_is_number(percent))
		snprintf(text, 64, "%.1f %% (%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT ")",
			 json_number_value(percent), number_of(loss, "lost"), number_of(loss, "expected"));
	return text;
}

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
}

/* --- one ---------------------------------------------------------------------------------------------------------- */

static void add_pair(struct table_text *table, const char *name, const char *value)
{
	const char *const cells[] = {name, value};
	table_text_add(table, cells);
}

static void print_summary(const json_t *answer)
{
	static const char *const titles[] = {"field", "value"};
	static const struct {
		const char *member, *title;
	} losses[] = {{"today", "lost today"}, {"7_days", "lost in 7 days"}, {"30_days", "lost in 30 days"}};
	const json_t *air = json_object_get(answer, "airtime_today");
	char text[200], span[CLI_SPAN_TEXT], up[CLI_SPAN_TEXT], down[CLI_SPAN_TEXT], loss[64];
	struct table_text table;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	add_pair(&table, "device", text_of(answer, "dev_eui"));
	add_pair(&table, "name", text_of(answer, "name"));
	if (*text_of(answer, "last_seen"))
		snprintf(text, sizeof text,
			 "%.19s UTC, %s ago, by %" JSON_INTEGER_FORMAT " gateway(s), DR%" JSON_INTEGER_FORMAT,
			 text_of(answer, "last_seen"), cli_span_text(span, number_of(answer, "silent_s")),
			 number_of(answer, "gateway_count"), number_of(answer, "dr"));
	else
		snprintf(text, sizeof text, "never");
	add_pair(&table, "last seen", text);
	if (*text_of(answer, "status_at")) {
		snprintf(text, sizeof text, "%s, margin %" JSON_INTEGER_FORMAT " dB, as it said %.19s UTC",
			 battery_text(span, answer), number_of(answer, "margin_db"),
			 text_of(answer, "status_at"));
		add_pair(&table, "battery", text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++)
		add_pair(&table, losses[i].title,
			 loss_text(loss, json_object_get(json_object_get(answer, "loss"), losses[i].member)));
	snprintf(text, sizeof text, "%s s up, %s s down", cli_seconds_text(up, air, "uplink_ms"),
		 cli_seconds_text(down, air, "downlink_ms"));
	add_pair(&table, "airtime today", text);
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static void print_days(const json_t *days)
{
	static const char *const titles[] = {"DAY (UTC)", "EXPECTED", "RECEIVED", "LOST",
					     "UP S",      "DOWN S",   "DEAF S",   "JOINS"};
	struct table_text table;
	size_t i;
	const json_t *day;
	if (json_array_size(days) == 0)
		return;
	printf("\n");
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(days, i, day)
	{
		char texts[ARRAY_SIZE(titles)][CLI_SPAN_TEXT];
		const char *const cells[] = {text_of(day, "day"),
					     integer_text(texts[1], day, "expected"),
					     integer_text(texts[2], day, "received"),
					     integer_text(texts[3], day, "lost"),
					     cli_seconds_text(texts[4], day, "uplink_ms"),
					     cli_seconds_text(texts[5], day, "downlink_ms"),
					     cli_seconds_text(texts[6], day, "deaf_ms"),
					     integer_text(texts[7], day, "joins")};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static void print_history(const json_t *history)
{
	static const char *const titles[] = {"SAID (UTC)", "BATTERY", "MARGIN DB"};
	struct table_text table;
	size_t i;
	const json_t *said;
	if (json_array_size(history) == 0)
		return;
	printf("\n");
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(history, i, said)
	{
		char time[24], battery[CLI_SPAN_TEXT], margin[CLI_SPAN_TEXT];
		if (i == SAID_SHOWN)
			break;
		snprintf(time, sizeof time, "%.19s", text_of(said, "time"));
		const char *const cells[] = {time, battery_text(battery, said),
					     integer_text(margin, said, "margin_db")};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static const struct cli_option status_options[] = {{"days", "N", "days in the table (7; at most 400)"}};

static int run_status(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX] = "/api/v1/devices/";
	const char *days = cli_argument(arguments, "days");
	if (!cli_target_append(target, arguments->operands[0]) || strlen(target) + 8 > CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, "device status", NULL, "the name is too long");
	memcpy(target + strlen(target), "/status", 8);
	if (days && !cli_target_append_query(target, "days", days))
		return cli_problem(CLI_USAGE, "--days", NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = NULL;
	int exit_code = cli_call(client, arguments->operands[0], IO_HTTP_GET, target, NULL, &answer);
	if (exit_code == CLI_DONE && arguments->json) {
		print_json(answer);
	} else if (exit_code == CLI_DONE) {
		print_summary(answer);
		print_days(json_object_get(answer, "days"));
		print_history(json_object_get(answer, "history"));
	}
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}

/* --- many --------------------------------------------------------------------------------------------------------- */

static const struct cli_option list_options[] = {
	{"agency", "ID", "only of this agency"},
	{"limit", "N", "at most so many"},
	{"application", "ID", "only of this application"},
	{"status", NULL, "with silence, battery, loss and airtime"},
	{"silent", "TIME",
	 "only those not heard for longer than 30m, 2h, 1d (never heard: since registered)"},
	{"battery-below", "PERCENT", "only those whose battery said less"},
	{"loss-above", "PERCENT", "only those that lost more"},
	{"days", "N", "loss and airtime of so many days, today with them (7)"},
};

/* Makes the target; false after reporting. */
static bool make_target(char target[CLI_TARGET_MAX], const struct cli_arguments *arguments)
{
	static const struct {
		const char *option, *query;
	} rows[] = {{"agency", "agency"},
		    {"application", "application"},
		    {"battery-below", "battery_below"},
		    {"loss-above", "loss_above"},
		    {"days", "days"}};
	const char *silent = cli_argument(arguments, "silent");
	char number[24];
	long seconds;
	snprintf(target, CLI_TARGET_MAX, "/api/v1/devices?limit=500&status=true");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *value = cli_argument(arguments, rows[i].option);
		if (value && !cli_target_append_query(target, rows[i].query, value)) {
			(void)cli_problem(CLI_USAGE, rows[i].option, NULL, "too long");
			return false;
		}
	}
	if (silent && !cli_parse_span(silent, &seconds)) {
		(void)cli_problem(CLI_USAGE, silent, "--silent 2h",
				  "expected a time such as 90s, 30m, 2h or 1d");
		return false;
	}
	if (silent) {
		snprintf(number, sizeof number, "%ld", seconds);
		return cli_target_append_query(target, "silent_s", number);
	}
	return true;
}

static void print_list(const json_t *items)
{
	static const char *const titles[] = {"DEVICE", "NAME", "SILENT", "BATTERY", "MARGIN DB",
					     "LOST",   "UP S", "DOWN S", "DR",      "GATEWAYS"};
	struct table_text table;
	size_t i;
	const json_t *item;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		const json_t *air = json_object_get(item, "airtime");
		char span[CLI_SPAN_TEXT], battery[CLI_SPAN_TEXT], loss[64], margin[CLI_SPAN_TEXT],
			up[CLI_SPAN_TEXT], down[CLI_SPAN_TEXT], dr[CLI_SPAN_TEXT], gateways[CLI_SPAN_TEXT];
		const char *const cells[] = {text_of(item, "dev_eui"),
					     text_of(item, "name"),
					     *text_of(item, "last_seen")
						     ? cli_span_text(span, number_of(item, "silent_s"))
						     : "never",
					     battery_text(battery, item),
					     integer_text(margin, item, "margin_db"),
					     loss_text(loss, json_object_get(item, "loss")),
					     cli_seconds_text(up, air, "uplink_ms"),
					     cli_seconds_text(down, air, "downlink_ms"),
					     integer_text(dr, item, "dr"),
					     integer_text(gateways, item, "gateway_count")};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static bool asks_for_status(const struct cli_arguments *arguments)
{
	static const char *const names[] = {"status", "silent", "battery-below", "loss-above", "days"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (cli_argument(arguments, names[i]))
			return true;
	return false;
}

static int run_list(const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX];
	unsigned long limit = SIZE_MAX;
	const char *wanted = cli_argument(arguments, "limit");
	if (!asks_for_status(arguments))
		return cli_record_list(arguments);
	if ((wanted && !cli_parse_count("--limit", wanted, &limit)) || !make_target(target, arguments))
		return CLI_USAGE;
	struct cli_client *client = cli_client_new(arguments);
	json_t *items = json_array();
	int exit_code = cli_fetch_pages(client, "devices", target, limit, items);
	if (exit_code == CLI_DONE && arguments->json)
		print_json(items);
	else if (exit_code == CLI_DONE && json_array_size(items) == 0)
		printf("No device is like that.\n");
	else if (exit_code == CLI_DONE)
		print_list(items);
	json_decref(items);
	cli_client_free(client);
	return exit_code;
}

const struct cli_command cli_device_status_commands[] = {
	{.group = "device",
	 .name = "list",
	 .summary = "all that you may see, or only those that fare badly",
	 .description = "With --status or a filter the table says how each fares. LOST counts gaps in the "
			"device's own frame counter: what was sent and reached no gateway.",
	 .options = list_options,
	 .option_count = ARRAY_SIZE(list_options),
	 .examples = "lamppost device list --application soil\n"
		     "lamppost device list --silent 1d\n"
		     "lamppost device list --loss-above 10 --days 30\n"
		     "lamppost device list --battery-below 20 --agency parks\n",
	 .run = run_list},
	{.group = "device",
	 .name = "status",
	 .summary = "how one fares: last seen, battery with its history, loss, airtime",
	 .operands = "EUI",
	 .options = status_options,
	 .option_count = ARRAY_SIZE(status_options),
	 .examples = "lamppost device status 70b3d57ed0000001\n"
		     "lamppost device status 70b3d57ed0000001 --days 30\n",
	 .run = run_status},
};
const size_t cli_device_status_command_count = ARRAY_SIZE(cli_device_status_commands);
