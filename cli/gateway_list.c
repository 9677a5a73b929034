/* The list of all gateways: asked for page by page, sorted by trouble, as lines. */
#include "cli/gateway_health.h"

#include "cli/client.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PATIENCE  (2 * US_PER_S)
#define PAGES_MAX 40

const char *const cli_gateway_states[] = {"offline", "silent", "unstable", "never_seen", "", "online", NULL};

static const char *text_of(const json_t *item, const char *name)
{
	const char *text = json_string_value(json_object_get(item, name));
	return text ? text : "";
}

static size_t trouble_of(const json_t *item)
{
	size_t i = 0;
	while (cli_gateway_states[i] && strcmp(text_of(item, "state"), cli_gateway_states[i]) != 0)
		i++;
	return i;
}

static int by_need(const void *a, const void *b)
{
	const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
	size_t first = trouble_of(left), second = trouble_of(right);
	if (first != second)
		return first < second ? -1 : 1;
	double loss = json_number_value(json_object_get(left, "loss_percent")) -
		      json_number_value(json_object_get(right, "loss_percent"));
	if (loss > 0.05 || loss < -0.05)
		return loss > 0 ? -1 : 1;
	int order = strcmp(text_of(left, "name"), text_of(right, "name"));
	return order ? order : strcmp(text_of(left, "eui"), text_of(right, "eui"));
}

void cli_gateways_sort(json_t *items)
{
	size_t count = json_array_size(items);
	json_t **order = calloc(count ? count : 1, sizeof *order);
	ASSERT(order != NULL);
	for (size_t i = 0; i < count; i++)
		order[i] = json_incref(json_array_get(items, i));
	qsort(order, count, sizeof *order, by_need);
	for (size_t i = 0; i < count; i++)
		json_array_set_new(items, i, order[i]);
	free(order);
}

size_t cli_gateways_count(const json_t *items, const char *state)
{
	size_t i, count = 0;
	const json_t *item;
	json_array_foreach(items, i, item)
	{
		count += strcmp(text_of(item, "state"), state) == 0;
	}
	return count;
}

const char *cli_gateway_age(char text[32], const char *then, long long now_s)
{
	struct tm parts = {0};
	int year, month;
	text[0] = '\0';
	if (sscanf(then, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &parts.tm_mday, &parts.tm_hour,
		   &parts.tm_min, &parts.tm_sec) != 6) /* NOLINT(cert-err34-c): digits of a width */
		return text;
	parts.tm_year = year - 1900;
	parts.tm_mon = month - 1;
	long long age = now_s - (long long)timegm(&parts);
	age = age < 0 ? 0 : age;
	if (age < 120)
		snprintf(text, 32, "%lld s", age);
	else if (age < 7200)
		snprintf(text, 32, "%lld min", age / 60);
	else if (age < 172800)
		snprintf(text, 32, "%lld h", age / 3600);
	else
		snprintf(text, 32, "%lld days", age / 86400);
	return text;
}

/* --- asking */

json_t *cli_gateways_ask(struct cli_client *client, const struct cli_arguments *arguments)
{
	char after[200] = "";
	json_t *items = json_array();
	const char *agency = cli_argument(arguments, "agency");
	for (unsigned page = 0; page < PAGES_MAX; page++) {
		char target[CLI_TARGET_MAX] = "/api/v1/gateways?limit=500";
		bool fits = (!agency || cli_target_append_query(target, "agency", agency)) &&
			    (!after[0] || cli_target_append_query(target, "after", after));
		json_t *answer = fits ? cli_try_within(client, target, PATIENCE) : NULL;
		if (!answer) {
			json_decref(items);
			return NULL;
		}
		const char *next = json_string_value(json_object_get(answer, "next"));
		json_array_extend(items, json_object_get(answer, "items"));
		snprintf(after, sizeof after, "%s", next ? next : "");
		json_decref(answer);
		if (!after[0])
			break;
	}
	cli_gateways_sort(items);
	return items;
}

/* --- as lines */

void cli_gateway_cells(const json_t *item, char cells[CLI_GATEWAY_CELLS][256])
{
	char age[32];
	const json_t *rate = json_object_get(item, "uplinks_hour"),
		     *loss = json_object_get(item, "loss_percent");
	snprintf(cells[0], 256, "%s", text_of(item, "state")[0] ? text_of(item, "state") : "?");
	snprintf(cells[1], 256, "%s", text_of(item, "name"));
	snprintf(cells[2], 256, "%s",
		 cli_gateway_age(age, text_of(item, "last_seen"), (long long)time(NULL)));
	snprintf(cells[3], 256, json_is_integer(rate) ? "%lld" : "", (long long)json_integer_value(rate));
	snprintf(cells[4], 256, json_is_number(loss) ? "%.1f %%" : "", json_number_value(loss));
	snprintf(cells[5], 256, "%s", text_of(item, "says"));
}

void cli_gateways_print(const json_t *items)
{
	static const char *const titles[] = {"eui", "state", "name", "seen", "uplinks/h", "loss", "reason"};
	struct table_text table;
	size_t i;
	const json_t *item;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		char texts[CLI_GATEWAY_CELLS][256];
		cli_gateway_cells(item, texts);
		const char *const cells[] = {
			text_of(item, "eui"), texts[0], texts[1], texts[2], texts[3], texts[4], texts[5]};
		table_text_add(&table, cells);
		table_text_colour_by_word(&table, 1);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}
