/* The cells of each device of a key file: out of a table by its header, out of ThingPark's lines by their places, or out of
 * JSON objects, one behind the other or in an array. */
#include "cli/key_reading.h"

#include "cli/problem.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void complain(struct key_reading *reading, unsigned line, const char *field, const char *reason)
{
	cli_complain(&reading->complaints, line, field, reason);
}

/* --- tables ---------------------------------------------------------------------------------------------------------- */

static void note_column(struct key_reading *reading, const char *title, const char *field, bool turned)
{
	struct key_summary *summary = reading->summary;
	if (summary->column_count == KEY_COLUMNS_MAX)
		return;
	snprintf(summary->columns[summary->column_count].title, sizeof summary->columns[0].title, "%.47s",
		 title);
	summary->columns[summary->column_count].turned = turned;
	snprintf(summary->columns[summary->column_count++].field, sizeof summary->columns[0].field, "%s",
		 field);
}

/* "dev_eui_lsb" is dev_eui; whoever names a column has looked at it. */
static enum key_order take_order(char *name)
{
	size_t length = strlen(name);
	if (length < 4 || strcmp(name + length - 4, "_lsb") != 0)
		return KEY_FIRST_BYTE_FIRST;
	name[length - 4] = '\0';
	return KEY_LAST_BYTE_FIRST;
}

/* Whether --map says what the column is: "field=Title,field=Title". */
static bool is_mapped(const char *map, const char *title, enum key_field *field, enum key_order *order,
		      char name[48])
{
	while (map && *map) {
		size_t length = strcspn(map, ","), word = strcspn(map, "=");
		if (word < length && word < 48 && strlen(title) == length - word - 1 &&
		    strncasecmp(map + word + 1, title, length - word - 1) == 0) {
			memcpy(name, map, word);
			name[word] = '\0';
			*order = take_order(name);
			return key_field_parse(name, field);
		}
		map += length + (map[length] == ',');
	}
	return false;
}

static void tell_column(struct key_reading *reading, size_t i, const char *title)
{
	char name[48];
	enum key_field field;
	if (is_mapped(reading->request->map, title, &field, &reading->orders[i], name)) {
		reading->columns[i] = field;
	} else {
		field = key_column(title);
		reading->orders[i] = key_column_order(title);
		snprintf(name, sizeof name, "%s", field == KEY_RECORD ? title : key_field_name(field));
		for (size_t j = 0; j < i; j++) /* the first of two spellings counts */
			if (field != KEY_RECORD && reading->columns[j] == field)
				field = KEY_NONE;
		reading->columns[i] = field;
	}
	reading->record_fields[i] = reading->columns[i] == KEY_RECORD
					    ? record_field(record_schema(RECORD_DEVICE), name)
					    : NULL;
	note_column(reading, title, reading->columns[i] == KEY_NONE ? "" : name,
		    reading->orders[i] == KEY_LAST_BYTE_FIRST);
}

/* ThingPark's lines have places for names: CREATE_OTAA, DevEUI or code, -, model, JoinEUI, AppKey. */
static void thingpark_columns(struct key_reading *reading)
{
	static const struct {
		size_t place;
		enum key_field field;
	} places[] = {{1, KEY_DEV_EUI}, {4, KEY_JOIN_EUI}, {5, KEY_APP_KEY}};
	memset(reading->columns, 0, sizeof reading->columns);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char title[24];
		reading->columns[places[i].place] = places[i].field;
		snprintf(title, sizeof title, "column %c", 'A' + (int)places[i].place);
		reading->orders[places[i].place] = KEY_FIRST_BYTE_FIRST;
		note_column(reading, title, key_field_name(places[i].field), false);
	}
}

/* ";;;": what a spreadsheet writes of a line that was emptied. */
static bool is_emptied(const struct csv *csv)
{
	for (size_t i = 0; i < csv->count; i++)
		if (strspn(csv->cells[i], " \t") < strlen(csv->cells[i]))
			return false;
	return true;
}

static void take_record_of(struct key_reading *reading, const struct csv *csv)
{
	struct key_cells cells = {.record_count = 0};
	bool thingpark = reading->format == KEY_THINGPARK;
	if (is_emptied(csv))
		return;
	if (!thingpark && csv->count != reading->column_count) {
		char reason[80];
		snprintf(reason, sizeof reason, "%zu cells, the header has %zu", csv->count,
			 reading->column_count);
		complain(reading, csv->line, "", reason);
		return;
	}
	if (thingpark && csv->cells[0][0] == '#')
		return;
	if (thingpark && strcmp(csv->cells[0], "CREATE_OTAA") != 0) {
		complain(reading, csv->line, "", "only CREATE_OTAA lines register a device here");
		return;
	}
	for (size_t i = 0; i < csv->count; i++) {
		if (reading->columns[i] == KEY_RECORD && cells.record_count < KEY_COLUMNS_MAX) {
			cells.record_fields[cells.record_count] = reading->record_fields[i];
			cells.record_values[cells.record_count++] = csv->cells[i];
		} else if (reading->columns[i] != KEY_NONE) {
			cells.values[reading->columns[i]] = csv->cells[i];
			cells.orders[reading->columns[i]] = reading->orders[i];
		}
	}
	key_take_device(reading, csv->line, &cells);
}

/* The header; false when there is none to go by. */
static bool take_header(struct key_reading *reading, const struct csv *csv)
{
	bool eui = false;
	if (reading->format == KEY_AUTO)
		reading->format = key_format_guess(csv->cells, csv->count, csv->separator);
	reading->summary->format = reading->format;
	if (reading->format == KEY_THINGPARK) {
		thingpark_columns(reading);
		return true;
	}
	reading->column_count = csv->count;
	for (size_t i = 0; i < csv->count; i++) {
		tell_column(reading, i, csv->cells[i]);
		eui |= reading->columns[i] == KEY_DEV_EUI || reading->columns[i] == KEY_QR;
	}
	if (!eui)
		complain(reading, csv->line, "dev_eui",
			 "no column is a DevEUI: name it, as in --map 'dev_eui=TITLE,app_key=TITLE'");
	return eui;
}

/* Begins behind a line that names the sign between cells, if there is one. */
static struct csv *open_table(const struct key_text *text)
{
	struct csv *csv = malloc(sizeof *csv);
	size_t first = key_separator_line(text->text, text->length);
	ASSERT(csv);
	csv_init(csv, text->text + first, text->length - first);
	csv->next_line += first > 0;
	csv->separator = key_separator(text->text, text->length);
	return csv;
}

static void read_table(struct key_reading *reading, const struct key_text *text)
{
	struct csv *csv = open_table(text);
	bool first = true, goes_on = true;
	while (goes_on && csv_next(csv)) {
		if (csv->problem) {
			complain(reading, csv->line, "", csv->problem);
			goes_on = !first;
			continue;
		}
		if (first)
			goes_on = take_header(reading, csv);
		if (goes_on && (!first || reading->format == KEY_THINGPARK))
			take_record_of(reading, csv);
		first = false;
	}
	if (first && goes_on)
		complain(reading, 1, "", "the file is empty");
	explicit_bzero(csv, sizeof *csv);
	free(csv);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------ */

static void take_object(struct key_reading *reading, unsigned line, const json_t *object)
{
	struct key_cells cells;
	key_cells_from_json(object, &cells, &reading->format);
	key_take_device(reading, line, &cells);
}

static unsigned lines_to(const char *text, size_t place)
{
	unsigned line = 1;
	for (size_t i = 0; i < place; i++)
		line += text[i] == '\n';
	return line;
}

static void read_json(struct key_reading *reading, const struct key_text *text)
{
	size_t at = 0, blanks;
	unsigned line = 1;
	while ((blanks = strspn(text->text + at, " \t\r\n,")), at + blanks < text->length) {
		json_error_t error;
		line += lines_to(text->text + at, blanks) - 1;
		at += blanks;
		json_t *value = json_loadb(text->text + at, text->length - at,
					   JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
		if (!value) { /* jansson's words may repeat what stands there: a key */
			complain(reading, line + (unsigned)(error.line > 0 ? error.line - 1 : 0), "",
				 "is not JSON, or a member stands there twice");
			return;
		}
		size_t index;
		json_t *item;
		if (json_is_array(value)) {
			json_array_foreach(value, index, item) take_object(reading, line, item);
		} else {
			take_object(reading, line, value);
		}
		json_decref(value);
		line += lines_to(text->text + at, (size_t)error.position) - 1;
		at += (size_t)error.position;
	}
	reading->summary->format = reading->format;
}

/* --- all ------------------------------------------------------------------------------------------------------------- */

static bool is_json(const struct key_text *text)
{
	size_t at = strspn(text->text, " \t\r\n");
	return text->text[at] == '{' || text->text[at] == '[';
}

/* Our own form is read by its own, stricter rules. */
static bool is_ours(const struct key_request *request, const struct key_text *text)
{
	bool ours = request->format == KEY_LAMPPOST;
	if (request->shelf || request->map || (request->format != KEY_AUTO && !ours))
		return false;
	struct csv *csv = open_table(text);
	if (key_separator_line(text->text, text->length) == 0 && !ours)
		ours = csv_next(csv) && !csv->problem &&
		       key_format_guess(csv->cells, csv->count, csv->separator) == KEY_LAMPPOST;
	explicit_bzero(csv, sizeof *csv);
	free(csv);
	return ours;
}

int key_rows_read(const struct key_request *request, const char *bytes, size_t length,
		  const struct cli_seal *seal, json_t **rows, struct key_summary *summary)
{
	struct key_reading *reading = calloc(1, sizeof *reading);
	struct key_text text;
	ASSERT(reading);
	*reading = (struct key_reading){.request = request,
					.complaints.file = request->file,
					.seal = seal,
					.summary = summary,
					.format = request->format,
					.rows = json_array()};
	key_text_init(&text, bytes, length);
	*summary = (struct key_summary){.format = request->format, .encoding = text.encoding};
	if (!is_json(&text) && is_ours(request, &text)) {
		summary->format = KEY_LAMPPOST;
		summary->separator = ',';
		json_decref(reading->rows);
		free(reading);
		int ours = cli_import_read(request->file, text.text, text.length,
					   record_schema(RECORD_DEVICE), seal, rows);
		key_text_release(&text);
		return ours;
	}
	if (is_json(&text)) {
		read_json(reading, &text);
	} else {
		summary->separator = key_separator(text.text, text.length);
		read_table(reading, &text);
	}
	key_text_release(&text);
	int exit_code = CLI_DONE;
	if (reading->complaints.count > 0)
		exit_code = cli_complaints_end(&reading->complaints);
	else if (json_array_size(reading->rows) == 0)
		exit_code = cli_problem(CLI_REFUSED, request->file, NULL, "no rows");
	if (exit_code == CLI_DONE)
		*rows = reading->rows;
	else
		json_decref(reading->rows);
	free(reading);
	return exit_code;
}

void key_summary_print(const struct key_summary *summary, FILE *out)
{
	fprintf(out, "read as %s, %s, %s\n", key_format_name(summary->format),
		key_encoding_name(summary->encoding),
		summary->separator == ';'    ? "semicolons between"
		: summary->separator == '\t' ? "tabs between"
		: summary->separator == ','  ? "commas between"
					     : "JSON");
	for (size_t i = 0; i < summary->column_count; i++) {
		const char *field = summary->columns[i].field;
		fprintf(out, "  %s -> %s%s\n", summary->columns[i].title, *field ? field : "passed over",
			*field && summary->columns[i].turned ? ", turned round: its last byte stands first"
							     : "");
	}
}
