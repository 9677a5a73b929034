#include "cli/import_rows.h"

#include "cli/client.h"
#include "cli/csv.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_SHOWN 50

struct import {
	struct cli_complaints complaints;
	const struct record_schema *schema;
	const struct cli_seal *seal;
	const struct record_field *columns[CSV_CELLS_MAX];
	size_t column_count;
	size_t eui_column;
	json_t *rows;
};

void cli_complain(struct cli_complaints *complaints, unsigned line, const char *field, const char *reason)
{
	if (complaints->count++ < ERRORS_SHOWN)
		fprintf(stderr, "%s:%u: %s%s%s\n", complaints->file, line, field, *field ? ": " : "", reason);
}

int cli_complaints_end(const struct cli_complaints *complaints)
{
	if (complaints->read_to)
		fprintf(stderr, "%s: lines behind %lld were not looked at\n", complaints->file,
			(long long)complaints->read_to);
	return cli_problem(CLI_REFUSED, complaints->file, "mend the lines and import the file again",
			   "%zu error%s%s; nothing was registered", complaints->count,
			   complaints->count == 1 ? "" : "s", complaints->read_to ? " so far" : "");
}

int cli_complaints_answer(const char *file, int code, const json_t *answer)
{
	const json_t *errors = json_object_get(answer, "errors"), *error;
	struct cli_complaints complaints = {
		.file = file, .read_to = json_integer_value(json_object_get(answer, "read_to_line"))};
	size_t i;
	json_array_foreach(errors, i, error)
	{
		const char *field = json_string_value(json_object_get(error, "field"));
		const char *reason = json_string_value(json_object_get(error, "reason"));
		cli_complain(&complaints, (unsigned)json_integer_value(json_object_get(error, "line")),
			     field ? field : "", reason ? reason : "refused");
	}
	return complaints.count ? cli_complaints_end(&complaints) : cli_report_answer(file, code, answer);
}

static void complain(struct import *import, unsigned line, const char *field, const char *reason)
{
	cli_complain(&import->complaints, line, field, reason);
}

static bool read_header(struct import *import, struct csv *csv)
{
	if (!csv_next(csv) || csv->problem) {
		complain(import, csv->line, "", csv->problem ? csv->problem : "the file is empty");
		return false;
	}
	bool ok = true, has_eui = false;
	for (size_t i = 0; i < csv->count; i++) {
		const struct record_field *field = record_field(import->schema, csv->cells[i]);
		bool known = field && !(field->flags & RECORD_SERVER);
		bool twice = false;
		for (size_t j = 0; j < i; j++)
			twice |= field && import->columns[j] == field;
		if (!known || twice) {
			complain(import, csv->line, csv->cells[i],
				 twice ? "column given twice" : "unknown column");
			ok = false;
		}
		import->columns[i] = field;
		if (field && strcmp(field->name, "dev_eui") == 0) {
			has_eui = true;
			import->eui_column = i;
		}
	}
	import->column_count = csv->count;
	if (ok && !has_eui)
		complain(import, csv->line, "dev_eui", "this column is missing");
	return ok && has_eui;
}

/* Gives the value of one cell; NULL with the reason in `problem`. */
static json_t *cell_value(const struct import *import, const struct record_field *field,
			  const struct lw_eui64 *dev_eui, const char *text, struct record_problem *problem)
{
	json_t *value = NULL;
	if (field->type == RECORD_SEALED_KEY) {
		const char *reason = "";
		value = cli_seal_key(import->seal, field->name, dev_eui, text, &reason);
		snprintf(problem->reason, sizeof problem->reason, "%s", reason);
	} else if (record_value_from_text(field, text, &value, problem) != ST_OK) {
		value = NULL;
	}
	return value;
}

static void read_row(struct import *import, const struct csv *csv)
{
	if (csv->count != import->column_count) {
		char reason[80];
		snprintf(reason, sizeof reason, "%zu cells, the header has %zu", csv->count,
			 import->column_count);
		complain(import, csv->line, "", reason);
		return;
	}
	struct lw_eui64 dev_eui;
	if (!lw_eui64_parse(csv->cells[import->eui_column], &dev_eui)) {
		complain(import, csv->line, "dev_eui", "expected 16 hex digits");
		return;
	}
	json_t *row = json_object();
	json_object_set_new(row, "line", json_integer(csv->line));
	for (size_t i = 0; i < csv->count; i++) {
		const struct record_field *field = import->columns[i];
		struct record_problem problem = {"", ""};
		if (csv->cells[i][0] == '\0')
			continue; /* an empty cell leaves the field as it is, or at its default */
		json_t *value = cell_value(import, field, &dev_eui, csv->cells[i], &problem);
		if (!value)
			complain(import, csv->line, field->name, problem.reason);
		else
			json_object_set_new(row, field->name, value);
	}
	json_array_append_new(import->rows, row);
}

static void read_text(struct import *import, const char *text, size_t length)
{
	struct csv *csv = malloc(sizeof *csv);
	ASSERT(csv != NULL);
	csv_init(csv, text, length);
	struct progress progress;
	progress_start(&progress, "reading");
	if (read_header(import, csv)) {
		while (csv_next(csv)) {
			if (csv->problem)
				complain(import, csv->line, "", csv->problem);
			else
				read_row(import, csv);
			progress_show(&progress, (size_t)(csv->at - text), length);
		}
	}
	progress_end(&progress);
	explicit_bzero(csv, sizeof *csv);
	free(csv);
}

int cli_import_read(const char *file, const char *text, size_t length, const struct record_schema *schema,
		    const struct cli_seal *seal, json_t **rows)
{
	struct import import = {
		.complaints.file = file, .schema = schema, .seal = seal, .rows = json_array()};
	read_text(&import, text, length);
	int exit_code = CLI_DONE;
	if (import.complaints.count > 0)
		exit_code = cli_complaints_end(&import.complaints);
	else if (json_array_size(import.rows) == 0)
		exit_code = cli_problem(CLI_REFUSED, file, NULL, "no rows");
	if (exit_code == CLI_DONE)
		*rows = import.rows;
	else
		json_decref(import.rows);
	return exit_code;
}
