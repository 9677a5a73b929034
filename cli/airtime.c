/* Three tables: agencies, gateways, and the devices that use most. The server adds up agencies and gateways; devices are listed in
 * pages and sorted here. */
#include "cli/airtime.h"

#include "cli/client.h"
#include "cli/device_status.h"
#include "cli/pages.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOP 10

static const struct cli_option options[] = {
	{"agency", "ID", "only of this agency"},
	{"device", "EUI", "only this device"},
	{"gateway", "GATEWAY", "only this gateway"},
	{"days", "N", "so many days (UTC), today with them (1; at most 400)"},
	{"top", "N", "so many devices (10)"},
};

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

static const char *count_text(char text[CLI_SPAN_TEXT], const json_t *object, const char *member)
{
	snprintf(text, CLI_SPAN_TEXT, "%" JSON_INTEGER_FORMAT, number_of(object, member));
	return text;
}

/* "12.0 of 60 s left", or "none". */
static const char *quota_text(char text[64], const json_t *item, const char *which)
{
	const json_t *quota = json_object_get(json_object_get(item, "quotas_today"), which);
	if (json_is_object(quota))
		snprintf(text, 64, "%.1f of %" JSON_INTEGER_FORMAT " s left",
			 (double)number_of(quota, "left_ms") / 1000, number_of(quota, "quota_s"));
	else
		snprintf(text, 64, "none");
	return text;
}

static void print_agencies(const json_t *items)
{
	static const char *const titles[] = {"AGENCY",    "UP S",   "UPLINKS",  "DOWN S",
					     "DOWNLINKS", "DEAF S", "UP QUOTA", "DOWN QUOTA"};
	struct table_text table;
	size_t i;
	const json_t *item;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		char texts[6][CLI_SPAN_TEXT], up[64], down[64];
		const char *const cells[] = {text_of(item, "slug"),
					     cli_seconds_text(texts[1], item, "uplink_ms"),
					     count_text(texts[2], item, "uplinks"),
					     cli_seconds_text(texts[3], item, "downlink_ms"),
					     count_text(texts[4], item, "downlinks"),
					     cli_seconds_text(texts[5], item, "deaf_ms"),
					     quota_text(up, item, "uplink"),
					     quota_text(down, item, "downlink")};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

/* "parks 3.1 s, water 0.2 s" */
static void shares_text(char *text, size_t capacity, const json_t *agencies)
{
	size_t i, used = 0;
	const json_t *share;
	text[0] = '\0';
	json_array_foreach(agencies, i, share)
	{
		const char *slug = text_of(share, "slug");
		int added = snprintf(text + used, capacity - used, "%s%s %.1f s", used ? ", " : "",
				     *slug ? slug : "(gone)", (double)number_of(share, "deaf_ms") / 1000);
		if (added < 0 || used + (size_t)added >= capacity)
			return;
		used += (size_t)added;
	}
}

static void print_gateways(const json_t *items)
{
	static const char *const titles[] = {"GATEWAY", "NAME", "DOWNLINKS", "DOWN S",
					     "DEAF S",  "DEAF", "FOR"};
	struct table_text table;
	size_t i;
	const json_t *item;
	if (json_array_size(items) == 0)
		return;
	printf("\n");
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		char texts[3][CLI_SPAN_TEXT], percent[32], shares[400];
		shares_text(shares, sizeof shares, json_object_get(item, "agencies"));
		snprintf(percent, sizeof percent, "%.2f %%",
			 json_number_value(json_object_get(item, "deaf_percent")));
		const char *const cells[] = {text_of(item, "eui"),
					     text_of(item, "name"),
					     count_text(texts[0], item, "downlinks"),
					     cli_seconds_text(texts[1], item, "downlink_ms"),
					     cli_seconds_text(texts[2], item, "deaf_ms"),
					     percent,
					     shares};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

static json_int_t use_of(const json_t *device)
{
	const json_t *air = json_object_get(device, "airtime");
	return number_of(air, "uplink_ms") + number_of(air, "downlink_ms");
}

static int by_use(const void *a, const void *b)
{
	json_int_t x = use_of(*(json_t *const *)a), y = use_of(*(json_t *const *)b);
	return (x < y) - (x > y);
}

/* Gives the `top` devices that use most, most first. */
static json_t *top_devices(const json_t *items, size_t top)
{
	size_t count = json_array_size(items), i;
	json_t **sorted = calloc(count + 1, sizeof *sorted), *found = json_array();
	ASSERT(sorted && found);
	for (i = 0; i < count; i++)
		sorted[i] = json_array_get(items, i);
	qsort(sorted, count, sizeof *sorted, by_use);
	for (i = 0; i < count && i < top && use_of(sorted[i]) > 0; i++)
		json_array_append(found, sorted[i]);
	free(sorted);
	return found;
}

static void print_devices(const json_t *items)
{
	static const char *const titles[] = {"DEVICE", "NAME", "AGENCY", "UP S", "DOWN S", "DEAF S", "DR"};
	struct table_text table;
	size_t i;
	const json_t *item;
	if (json_array_size(items) == 0)
		return;
	printf("\n");
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		const json_t *air = json_object_get(item, "airtime");
		char texts[4][CLI_SPAN_TEXT];
		const char *const cells[] = {text_of(item, "dev_eui"),
					     text_of(item, "name"),
					     text_of(item, "agency_slug"),
					     cli_seconds_text(texts[0], air, "uplink_ms"),
					     cli_seconds_text(texts[1], air, "downlink_ms"),
					     cli_seconds_text(texts[2], air, "deaf_ms"),
					     count_text(texts[3], item, "dr")};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

/* Appends the pages of a path with the options that it takes. */
static int fetch(struct cli_client *client, const struct cli_arguments *arguments, const char *path,
		 const char *const *names, json_t *items)
{
	char target[CLI_TARGET_MAX];
	snprintf(target, sizeof target, "%s", path);
	for (; *names; names++) {
		const char *value = cli_argument(arguments, *names);
		if (value && !cli_target_append_query(target, *names, value))
			return cli_problem(CLI_USAGE, *names, NULL, "too long");
	}
	return cli_fetch_pages(client, "airtime", target, SIZE_MAX, items);
}

/* One device: its days. */
static int fetch_device(struct cli_client *client, const struct cli_arguments *arguments, const char *eui,
			json_t *items)
{
	char target[CLI_TARGET_MAX] = "/api/v1/devices/";
	const char *days = cli_argument(arguments, "days");
	json_t *answer = NULL, *list;
	if (!cli_target_append(target, eui) || strlen(target) + 8 > CLI_TARGET_MAX)
		return cli_problem(CLI_USAGE, "--device", NULL, "too long");
	memcpy(target + strlen(target), "/status", 8);
	if (!cli_target_append_query(target, "days", days ? days : "1"))
		return cli_problem(CLI_USAGE, "--days", NULL, "too long");
	int exit_code = cli_call(client, eui, IO_HTTP_GET, target, NULL, &answer);
	if (exit_code != CLI_DONE)
		return exit_code;
	json_t *air = json_object();
	static const char *const members[] = {"uplink_ms", "downlink_ms", "deaf_ms"};
	list = json_object_get(answer, "days");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		json_int_t sum = 0;
		for (size_t day = 0; day < json_array_size(list); day++)
			sum += number_of(json_array_get(list, day), members[i]);
		json_object_set_new(air, members[i], json_integer(sum));
	}
	json_object_set_new(answer, "airtime", air);
	json_array_append_new(items, answer);
	return CLI_DONE;
}

static int run(const struct cli_arguments *arguments)
{
	static const char *const agency_names[] = {"agency", "days", NULL}, *const gateway_names[] = {
										    "gateway", "days", NULL};
	const char *device = cli_argument(arguments, "device"), *gateway = cli_argument(arguments, "gateway");
	const char *agency = cli_argument(arguments, "agency"), *wanted = cli_argument(arguments, "top");
	unsigned long top = TOP;
	if (wanted && !cli_parse_count("--top", wanted, &top))
		return CLI_USAGE;
	if ((device != NULL) + (gateway != NULL) + (agency != NULL) > 1)
		return cli_problem(CLI_USAGE, "airtime", "lamppost airtime --help",
				   "--agency, --device and --gateway stand alone");
	struct cli_client *client = cli_client_new(arguments);
	json_t *agencies = json_array(), *gateways = json_array(), *devices = json_array(), *most = NULL;
	int exit_code = CLI_DONE;
	if (!device && !gateway)
		exit_code = fetch(client, arguments, "/api/v1/airtime", agency_names, agencies);
	if (exit_code == CLI_DONE && !device && !agency)
		exit_code = fetch(client, arguments, "/api/v1/airtime/gateways", gateway_names, gateways);
	if (exit_code == CLI_DONE && device)
		exit_code = fetch_device(client, arguments, device, devices);
	else if (exit_code == CLI_DONE && !gateway)
		exit_code = fetch(client, arguments,
				  cli_argument(arguments, "days") ? "/api/v1/devices?limit=500&status=true"
								  : "/api/v1/devices?limit=500&days=1",
				  agency_names, devices);
	if (exit_code == CLI_DONE) {
		most = top_devices(devices, top);
		if (arguments->json) {
			json_t *all = json_pack("{sO sO sO}", "agencies", agencies, "gateways", gateways,
						"devices", most);
			json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
			putchar('\n');
			json_decref(all);
		} else {
			if (!device && !gateway)
				print_agencies(agencies);
			print_gateways(gateways);
			print_devices(most);
		}
	}
	json_decref(agencies);
	json_decref(gateways);
	json_decref(devices);
	json_decref(most);
	cli_client_free(client);
	return exit_code;
}

const struct cli_command cli_airtime_commands[] = {
	{.group = "airtime",
	 .summary = "who uses the air: agencies with their quotas, gateways, the devices that use most",
	 .description =
		 "UP S and DOWN S are seconds on the air: accepted uplinks with their repeats, accepted "
		 "joins, and every downlink, acknowledgements and MAC commands with them. DEAF S is how long "
		 "gateways heard nothing because they sent. Days are UTC; quotas are of today.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost airtime\n"
		     "lamppost airtime --agency parks --days 7\n"
		     "lamppost airtime --gateway 0016c001ff10a235 --days 30\n"
		     "lamppost airtime --device 70b3d57ed0000001 --days 7 --json\n",
	 .run = run},
};
const size_t cli_airtime_command_count = ARRAY_SIZE(cli_airtime_commands);
