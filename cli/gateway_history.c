/* What came of one gateway, minute by minute, hour by hour or day by day: the series that the application server keeps, as a table. */
#include "cli/gateway_health.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <string.h>

#define CELLS 12
#define CELL  32

static long long number_of(const json_t *point, const char *name)
{
	return json_integer_value(json_object_get(point, name));
}

/* What was to be sent and was not: all results but those that say it was, and silence. */
static long long refused(const json_t *point)
{
	long long sum = 0;
	const char *name;
	json_t *count;
	json_object_foreach((json_t *)json_object_get(point, "results"), name, count)
	{
		if (strcmp(name, "ok") != 0 && strcmp(name, "no_answer") != 0)
			sum += json_integer_value(count);
	}
	return sum;
}

static void write_real(char cell[CELL], const json_t *point, const char *name)
{
	const json_t *value = json_object_get(point, name);
	snprintf(cell, CELL, json_is_number(value) ? "%.1f" : "", json_number_value(value));
}

static void add_point(struct table_text *table, const json_t *point)
{
	char texts[CELLS][CELL];
	const char *cells[CELLS];
	const char *at = json_string_value(json_object_get(point, "at"));
	const json_t *trip = json_object_get(point, "trip_95_ms");
	const long long counts[] = {number_of(point, "received"), number_of(point, "crc_errors"),
				    number_of(point, "forwarded"), number_of(point, "sent"), refused(point)};
	snprintf(texts[0], CELL, "%.10s %.5s", at ? at : "", at && strlen(at) > 11 ? at + 11 : "");
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		snprintf(texts[1 + i], CELL, "%lld", counts[i]);
	snprintf(texts[6], CELL, "%.1f", (double)number_of(point, "airtime_ms") / 1000);
	snprintf(texts[7], CELL, "%.1f",
		 (double)(number_of(point, "bytes_up") + number_of(point, "bytes_down")) / 1000);
	snprintf(texts[8], CELL, json_is_integer(trip) ? "%lld" : "", (long long)json_integer_value(trip));
	write_real(texts[9], point, "drift_ppm");
	write_real(texts[10], point, "temperature_c");
	snprintf(texts[11], CELL, "%lld", number_of(point, "offline_s"));
	for (size_t i = 0; i < CELLS; i++)
		cells[i] = texts[i];
	table_text_add(table, cells);
	if (number_of(point, "offline_s") > 0)
		table_text_colour(table, 11, COLOUR_BAD);
}

void cli_gateway_print_history(FILE *out, const json_t *points, size_t width)
{
	static const char *const titles[CELLS] = {"from (UTC)", "heard",     "crc bad",   "forwarded",
						  "sent",       "refused",   "airtime s", "kB",
						  "trip ms",    "drift ppm", "deg C",     "out s"};
	struct table_text table;
	size_t i;
	const json_t *point;
	table_text_init(&table, CELLS, titles);
	json_array_foreach(points, i, point)
	{
		add_point(&table, point);
	}
	table_text_print(&table, out, width);
	table_text_release(&table);
}

int cli_gateway_history(const struct cli_arguments *arguments)
{
	static const char *const names[] = {"by", "from", "to"};
	char target[CLI_TARGET_MAX] = "/api/v1/gateways/";
	const char *eui = arguments->operands[0];
	json_t *answer = NULL;
	bool fits = cli_target_append(target, eui) && strlen(target) + sizeof "/health" <= CLI_TARGET_MAX;
	if (fits)
		snprintf(target + strlen(target), sizeof target - strlen(target), "/health");
	for (size_t i = 0; fits && i < ARRAY_SIZE(names); i++)
		if (cli_argument(arguments, names[i]))
			fits = cli_target_append_query(target, names[i], cli_argument(arguments, names[i]));
	if (!fits)
		return cli_problem(CLI_USAGE, eui, NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, eui, IO_HTTP_GET, target, NULL, &answer);
	const json_t *points = json_object_get(answer, "items");
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(points, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else if (exit_code == CLI_DONE && json_array_size(points) == 0) {
		puts("Nothing was counted in that time.");
	} else if (exit_code == CLI_DONE) {
		cli_gateway_print_history(stdout, points, terminal_width());
	}
	json_decref(answer);
	cli_client_free(client);
	return exit_code;
}
