#include "cli/record_print.h"

#include "cli/table.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <string.h>

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
}

/* Fills the text of a field; of a reference the slug, where the server gave one. */
static void field_text(const struct record_field *field, const json_t *record, char *text, size_t capacity)
{
	char name[48];
	/* A state that the server does not know is not an empty one. */
	if (field->type == RECORD_ENUM && field->flags & RECORD_SERVER &&
	    json_is_null(json_object_get(record, field->name))) {
		snprintf(text, capacity, "?");
		return;
	}
	snprintf(name, sizeof name, "%s_slug", field->name);
	const json_t *slug = field->type == RECORD_REFERENCE ? json_object_get(record, name) : NULL;
	record_value_to_text(field, json_is_string(slug) ? slug : json_object_get(record, field->name), text,
			     capacity);
}

/* A device that joins has no counters to begin with. */
static bool is_of_no_use(const char *name, const json_t *record)
{
	const char *activation = json_string_value(json_object_get(record, "activation"));
	return activation && strcmp(activation, "otaa") == 0 &&
	       (strcmp(name, "fcnt_up") == 0 || strcmp(name, "fcnt_down") == 0);
}

/* What stands beside the record itself: the device that took its place, the one whose place it took. */
static void add_others(struct table_text *table, const json_t *record)
{
	static const char *const names[] = {"replaced_by", "replaced_at", "replaces", "in_place_since"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = json_string_value(json_object_get(record, names[i]));
		const char *const cells[] = {names[i], text};
		if (text)
			table_text_add(table, cells);
	}
}

static void print_record(const struct record_schema *schema, const json_t *record)
{
	const char *const titles[] = {"field", "value"};
	struct table_text table;
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct record_field *field = &schema->fields[i];
		const json_t *value = json_object_get(record, field->name);
		char text[512];
		bool state = field->type == RECORD_ENUM && field->flags & RECORD_SERVER;
		if (!value || (json_is_null(value) && !state) || (field->flags & RECORD_SECRET) ||
		    is_of_no_use(field->name, record))
			continue;
		field_text(field, record, text, sizeof text);
		const char *const cells[] = {field->name, text};
		table_text_add(&table, cells);
		if (state)
			table_text_colour_by_word(&table, 1);
	}
	add_others(&table, record);
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

void record_print_one(const struct record_schema *schema, const json_t *record, bool json)
{
	if (json)
		print_json(record);
	else
		print_record(schema, record);
}

void record_print_list(const struct record_schema *schema, const json_t *items, bool json)
{
	if (json) {
		print_json(items);
		return;
	}
	const char *titles[TABLE_COLUMNS_MAX];
	const struct record_field *columns[TABLE_COLUMNS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < schema->field_count && count < TABLE_COLUMNS_MAX; i++) {
		if (!(schema->fields[i].flags & RECORD_LIST))
			continue;
		columns[count] = &schema->fields[i];
		titles[count++] = schema->fields[i].name;
	}
	struct table_text table;
	table_text_init(&table, count, titles);
	size_t row;
	const json_t *item;
	json_array_foreach(items, row, item)
	{
		char texts[TABLE_COLUMNS_MAX][256];
		const char *cells[TABLE_COLUMNS_MAX];
		for (size_t i = 0; i < count; i++) {
			field_text(columns[i], item, texts[i], sizeof texts[i]);
			cells[i] = texts[i];
		}
		table_text_add(&table, cells);
		for (size_t i = 0; i < count; i++)
			if (columns[i]->type == RECORD_ENUM && columns[i]->flags & RECORD_SERVER)
				table_text_colour_by_word(&table, i);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
}

void record_print_unregistered(const json_t *items, bool json)
{
	static const char *const titles[] = {"eui", "address", "last_seen", "datagrams"};
	struct table_text table;
	size_t i;
	const json_t *item;
	const char *first = json_string_value(json_object_get(json_array_get(items, 0), "eui"));
	if (json) {
		print_json(items);
		return;
	}
	if (!first) {
		printf("Every gateway that is heard is registered.\n");
		return;
	}
	table_text_init(&table, ARRAY_SIZE(titles), titles);
	json_array_foreach(items, i, item)
	{
		char count[24];
		snprintf(count, sizeof count, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(item, "datagrams")));
		const char *const cells[] = {json_string_value(json_object_get(item, "eui")),
					     json_string_value(json_object_get(item, "address")),
					     json_string_value(json_object_get(item, "last_seen")), count};
		table_text_add(&table, cells);
	}
	table_text_print(&table, stdout, terminal_width());
	table_text_release(&table);
	char next[200];
	snprintf(next, sizeof next, "\nTo register one: lamppost gateway add %s --name NAME --region REGION",
		 first);
	printable_write(stdout, next);
	putchar('\n');
}
