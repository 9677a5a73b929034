/* `lamppost capture info`: a survey as text or JSON. */
#include "cli/capture.h"
#include "cli/capture_survey.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESSES_SHOWN 20
#define TIME_TEXT       48

static const char *const datagram_names[] = {"PUSH_DATA", "PUSH_ACK", "PULL_DATA",
					     "PULL_RESP", "PULL_ACK", "TX_ACK"};

static void format_time(char text[TIME_TEXT], struct wall time)
{
	char stamp[32];
	struct tm utc;
	time_t seconds = (time_t)(time.us / US_PER_S);
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, TIME_TEXT, "%s.%06dZ", stamp, (int)(time.us % US_PER_S));
}

static int busier_address(const void *a, const void *b)
{
	const struct survey_address *first = *(const struct survey_address *const *)a,
				    *second = *(const struct survey_address *const *)b;
	uint64_t x = first->up + first->down, y = second->up + second->down;
	if (x != y)
		return x < y ? 1 : -1;
	return first->dev_addr < second->dev_addr ? -1 : 1;
}

static int smaller_gateway(const void *a, const void *b)
{
	const struct survey_gateway *first = *(const struct survey_gateway *const *)a,
				    *second = *(const struct survey_gateway *const *)b;
	return memcmp(first->eui, second->eui, sizeof first->eui);
}

/* The table's entries in order, the caller's. */
static const void **sorted(const struct table *table, int (*compare)(const void *, const void *))
{
	const void **list = calloc(table->count + 1, sizeof *list), *entry;
	size_t at = 0, count = 0;
	ASSERT(list);
	while ((entry = table_next(table, &at)))
		list[count++] = entry;
	qsort(list, count, sizeof *list, compare);
	return list;
}

/* --- JSON */

static void set_count(json_t *object, const char *name, uint64_t count)
{
	if (count > 0)
		json_object_set_new(object, name, json_integer((json_int_t)count));
}

static json_t *gateways_json(const struct capture_survey *survey)
{
	json_t *list = json_array();
	const struct survey_gateway **gateways = (const struct survey_gateway **)sorted(&survey->gateways,
											smaller_gateway);
	for (size_t i = 0; i < survey->gateways.count; i++) {
		char eui[LW_EUI64_TEXT];
		struct lw_eui64 key;
		memcpy(key.bytes, gateways[i]->eui, sizeof key.bytes);
		lw_eui64_format(eui, &key);
		json_t *row = json_pack("{s:s, s:I}", "gateway", eui, "frames",
					(json_int_t)gateways[i]->frames);
		for (size_t kind = 0; kind < ARRAY_SIZE(datagram_names); kind++)
			set_count(row, datagram_names[kind], gateways[i]->datagrams[kind]);
		json_array_append_new(list, row);
	}
	free(gateways);
	return list;
}

static json_t *addresses_json(const struct capture_survey *survey)
{
	json_t *list = json_array();
	const struct survey_address **addresses = (const struct survey_address **)sorted(&survey->addresses,
											 busier_address);
	for (size_t i = 0; i < survey->addresses.count; i++) {
		char text[LW_DEV_ADDR_TEXT];
		lw_dev_addr_format(text, (struct lw_dev_addr){addresses[i]->dev_addr});
		json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "dev_addr", text, "up",
						      (json_int_t)addresses[i]->up, "down",
						      (json_int_t)addresses[i]->down));
	}
	free(addresses);
	return list;
}

static void print_json(const struct capture_survey *survey, const char *path)
{
	json_t *types = json_object(), *datagrams = json_object(), *skipped = json_object();
	for (unsigned i = 0; i < SURVEY_TYPES; i++)
		set_count(types, capture_type_name(i), survey->types[i]);
	for (size_t i = 0; i < ARRAY_SIZE(datagram_names); i++)
		set_count(datagrams, datagram_names[i], survey->datagrams[i]);
	for (unsigned i = 0; i < CAPTURE_SKIP_COUNT; i++)
		set_count(skipped, capture_skip_name((enum capture_skip)i), survey->skipped[i]);
	json_t *document = json_pack("{s:s, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "file", path, "packets",
				     (json_int_t)survey->packets, "cut_short", survey->cut_short, "frames",
				     types, "datagrams", datagrams, "skipped", skipped, "gateways",
				     gateways_json(survey), "dev_addrs", addresses_json(survey));
	if (survey->has_time) {
		char first[TIME_TEXT], last[TIME_TEXT];
		format_time(first, survey->first);
		format_time(last, survey->last);
		json_object_set_new(document, "first", json_string(first));
		json_object_set_new(document, "last", json_string(last));
	}
	set_count(document, "more_gateways", survey->more_gateways);
	set_count(document, "more_dev_addrs", survey->more_addresses);
	json_dumpf(document, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(document);
}

/* --- text */

static void print_gateways(const struct capture_survey *survey)
{
	static const char *const titles[] = {"GATEWAY", "FRAMES", "PUSH_DATA", "PULL_DATA", "TX_ACK"};
	struct table_text table;
	const struct survey_gateway **gateways = (const struct survey_gateway **)sorted(&survey->gateways,
											smaller_gateway);
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	for (size_t i = 0; i < survey->gateways.count; i++) {
		char eui[LW_EUI64_TEXT], numbers[4][24];
		const uint64_t counts[4] = {gateways[i]->frames, gateways[i]->datagrams[SEMTECH_PUSH_DATA],
					    gateways[i]->datagrams[SEMTECH_PULL_DATA],
					    gateways[i]->datagrams[SEMTECH_TX_ACK]};
		struct lw_eui64 key;
		memcpy(key.bytes, gateways[i]->eui, sizeof key.bytes);
		lw_eui64_format(eui, &key);
		for (size_t n = 0; n < 4; n++)
			snprintf(numbers[n], sizeof numbers[n], "%" PRIu64, counts[n]);
		const char *cells[] = {eui, numbers[0], numbers[1], numbers[2], numbers[3]};
		table_text_add(&table, cells);
	}
	putchar('\n');
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
	free(gateways);
}

static void print_addresses(const struct capture_survey *survey)
{
	static const char *const titles[] = {"DEVADDR", "UP", "DOWN"};
	struct table_text table;
	const struct survey_address **addresses = (const struct survey_address **)sorted(&survey->addresses,
											 busier_address);
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	for (size_t i = 0; i < survey->addresses.count && i < ADDRESSES_SHOWN; i++) {
		char text[LW_DEV_ADDR_TEXT], up[24], down[24];
		lw_dev_addr_format(text, (struct lw_dev_addr){addresses[i]->dev_addr});
		snprintf(up, sizeof up, "%" PRIu64, addresses[i]->up);
		snprintf(down, sizeof down, "%" PRIu64, addresses[i]->down);
		const char *cells[] = {text, up, down};
		table_text_add(&table, cells);
	}
	putchar('\n');
	table_text_print(&table, stdout, terminal_width());
	if (survey->addresses.count > ADDRESSES_SHOWN)
		printf("and %zu more; --json lists all\n", survey->addresses.count - ADDRESSES_SHOWN);
	table_text_release(&table);
	free(addresses);
}

static void print_text(const struct capture_survey *survey, const char *path)
{
	printf("%s: %" PRIu64 " packets%s\n", path, survey->packets,
	       survey->cut_short ? ", and one that is cut short at the end" : "");
	if (survey->has_time) {
		char first[TIME_TEXT], last[TIME_TEXT];
		format_time(first, survey->first);
		format_time(last, survey->last);
		printf("from %s to %s (%.1f s)\n", first, last,
		       (double)(survey->last.us - survey->first.us) / (double)US_PER_S);
	}
	for (size_t i = 0; i < ARRAY_SIZE(datagram_names); i++)
		if (survey->datagrams[i] > 0)
			printf("  %8" PRIu64 "  %s\n", survey->datagrams[i], datagram_names[i]);
	for (unsigned i = 0; i < SURVEY_TYPES; i++)
		if (survey->types[i] > 0)
			printf("  %8" PRIu64 "  %s\n", survey->types[i], capture_type_name(i));
	for (unsigned i = 0; i < CAPTURE_SKIP_COUNT; i++)
		if (survey->skipped[i] > 0)
			printf("  %8" PRIu64 "  not read: %s\n", survey->skipped[i],
			       capture_skip_name((enum capture_skip)i));
	if (survey->gateways.count > 0)
		print_gateways(survey);
	if (survey->addresses.count > 0)
		print_addresses(survey);
}

int cli_capture_info(const struct cli_arguments *arguments)
{
	uint16_t port;
	struct capture_file *file;
	struct capture_survey survey;
	const char *path = arguments->operands[0];
	if (!cli_capture_port(arguments, &port))
		return CLI_USAGE;
	int code = capture_file_open(&file, path);
	if (code != CLI_DONE)
		return code;
	bool read = capture_survey_make(&survey, file, port);
	capture_file_close(file);
	if (!read)
		return CLI_FAILED;
	if (arguments->json)
		print_json(&survey, path);
	else
		print_text(&survey, path);
	capture_survey_release(&survey);
	return CLI_DONE;
}
