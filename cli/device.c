/* Keys are read, sealed and wiped here; the server sees sealed ones only. An import is one request and one transaction:
 * every row is checked and its keys sealed before anything leaves, and every row that is wrong is named with its line. */
#include "cli/device.h"

#include "cli/client.h"
#include "cli/csv.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "cli/record_print.h"
#include "cli/records.h"
#include "cli/seal.h"
#include "common/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERRORS_SHOWN 50

static const struct cli_option key_options[] = {
	{"app-key", "KEY", "OTAA: AppKey; the one root key of a 1.0.x device"},
	{"nwk-key", "KEY", "OTAA 1.1: NwkKey"},
	{"nwk-s-key", "KEY", "ABP: NwkSKey; 1.1: FNwkSIntKey"},
	{"s-nwk-s-int-key", "KEY", "ABP 1.1: SNwkSIntKey"},
	{"nwk-s-enc-key", "KEY", "ABP 1.1: NwkSEncKey"},
	{"app-s-key", "KEY", "ABP: AppSKey"},
};

/* Fills the field's name of an option: "app_key" of "app-key". */
static void field_name(char *name, size_t capacity, const char *option)
{
	snprintf(name, capacity, "%s", option);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
}

int cli_device_keys(const struct record_schema *schema, int argc, char **argv)
{
	struct cli_arguments arguments;
	if (!cli_arguments_parse(&arguments, "device keys", key_options, ARRAY_SIZE(key_options), 2, argc,
				 argv))
		return CLI_USAGE;
	if (arguments.help) {
		cli_verb_help(schema, "keys");
		printf("KEY is 32 hex digits, @FILE, or - for standard input (what stands on a command line, "
		       "others "
		       "may see).\n\n");
		cli_options_print(key_options, ARRAY_SIZE(key_options));
		return CLI_DONE;
	}
	char target[CLI_TARGET_MAX] = "/api/v1/devices/";
	if (arguments.operand_count != 2 || strcmp(arguments.operands[0], "set") != 0 ||
	    !cli_target_append(target, arguments.operands[1]))
		return cli_problem(CLI_USAGE, "device keys", "lamppost device keys --help",
				   "expected `set` and a DevEUI");
	snprintf(target + strlen(target), CLI_TARGET_MAX - strlen(target), "/keys");
	struct cli_client *client = cli_client_new(&arguments);
	struct cli_seal *seal = NULL;
	json_t *keys = json_object();
	int exit_code = cli_seal_open(client, &seal);
	for (size_t i = 0; i < ARRAY_SIZE(key_options) && exit_code == CLI_DONE; i++) {
		if (!arguments.values[i])
			continue;
		char field[48];
		field_name(field, sizeof field, key_options[i].name);
		json_t *sealed = cli_seal_word(seal, field, arguments.operands[1], arguments.values[i]);
		if (!sealed)
			exit_code = CLI_REFUSED;
		else
			json_object_set_new(keys, field, sealed);
	}
	if (exit_code == CLI_DONE && json_object_size(keys) == 0)
		exit_code = cli_problem(CLI_USAGE, "device keys set", "lamppost device keys --help",
					"no key is given");
	if (exit_code == CLI_DONE)
		exit_code = cli_call(client, arguments.operands[1], IO_HTTP_PUT, target, keys, NULL);
	if (exit_code == CLI_DONE)
		printf(arguments.json ? "{\"keys\": %zu}\n" : "%zu keys set\n", json_object_size(keys));
	json_decref(keys);
	cli_seal_free(seal);
	cli_client_free(client);
	return exit_code;
}

/* --- import ---------------------------------------------------------------------------------------------------- */

struct import {
	const char *file;
	const struct record_schema *schema;
	const struct cli_seal *seal;
	const struct record_field *columns[CSV_CELLS_MAX];
	size_t column_count;
	size_t eui_column;
	json_t *rows;
	size_t wrong; /* rows that were refused here */
};

/* Says what is wrong with a line, the first ERRORS_SHOWN of them. */
static void complain(struct import *import, unsigned line, const char *field, const char *reason)
{
	if (import->wrong++ < ERRORS_SHOWN)
		fprintf(stderr, "%s:%u: %s%s%s\n", import->file, line, field, *field ? ": " : "", reason);
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

/* Reads the whole file into rows. Returns an exit code. */
static int read_file(struct import *import)
{
	size_t length;
	char *text = cli_read_file(import->file, &length);
	if (!text)
		return cli_problem(CLI_FAILED, import->file, NULL, "cannot be read: %s", strerror(errno));
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
	explicit_bzero(text, length);
	free(csv);
	free(text);
	if (import->wrong > 0)
		return cli_problem(CLI_REFUSED, import->file, "mend the lines and import the file again",
				   "%zu errors; nothing was registered", import->wrong);
	if (json_array_size(import->rows) == 0)
		return cli_problem(CLI_REFUSED, import->file, NULL, "no rows");
	return CLI_DONE;
}

/* Reports the server's line-numbered reasons. */
static int refused_by_server(struct import *import, int code, const json_t *answer)
{
	const json_t *errors = json_object_get(answer, "errors");
	if (json_array_size(errors) == 0)
		return cli_report_answer(import->file, code, answer);
	size_t i;
	const json_t *error;
	json_array_foreach(errors, i, error)
	{
		const char *field = json_string_value(json_object_get(error, "field"));
		const char *reason = json_string_value(json_object_get(error, "reason"));
		complain(import, (unsigned)json_integer_value(json_object_get(error, "line")),
			 field ? field : "", reason ? reason : "refused");
	}
	return cli_problem(CLI_REFUSED, import->file, "mend the lines and import the file again",
			   "%zu errors; nothing was registered", json_array_size(errors));
}

static const struct cli_option import_options[] = {{"dry-run", NULL, "check everything, register nothing"}};

static int send_rows(struct import *import, struct cli_client *client, const struct cli_arguments *arguments)
{
	bool dry_run = cli_argument(arguments, "dry-run") != NULL;
	json_t *body = json_pack("{s:b, s:O}", "dry_run", dry_run, "rows", import->rows);
	json_t *answer = NULL;
	int code = 0;
	int exit_code = cli_call_raw(client, import->file, IO_HTTP_POST, "/api/v1/devices/import", body,
				     &answer, &code);
	json_decref(body);
	if (exit_code == CLI_DONE && (code < 200 || code > 299)) {
		exit_code = refused_by_server(import, code, answer);
	} else if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		printf("%s%lld created, %lld updated\n", dry_run ? "dry run, nothing registered: " : "",
		       (long long)json_integer_value(json_object_get(answer, "created")),
		       (long long)json_integer_value(json_object_get(answer, "updated")));
	}
	json_decref(answer);
	return exit_code;
}

int cli_device_import(const struct record_schema *schema, int argc, char **argv)
{
	struct cli_arguments arguments;
	if (!cli_arguments_parse(&arguments, "device import", import_options, ARRAY_SIZE(import_options), 1,
				 argc, argv))
		return CLI_USAGE;
	if (arguments.help) {
		cli_verb_help(schema, "import");
		cli_options_print(import_options, ARRAY_SIZE(import_options));
		return CLI_DONE;
	}
	if (arguments.operand_count != 1)
		return cli_problem(CLI_USAGE, "device import", "lamppost device import --help",
				   "expected one file");
	struct cli_client *client = cli_client_new(&arguments);
	struct cli_seal *seal = NULL;
	struct import import = {.file = arguments.operands[0], .schema = schema, .rows = json_array()};
	int exit_code = cli_seal_open(client, &seal);
	import.seal = seal;
	if (exit_code == CLI_DONE)
		exit_code = read_file(&import);
	if (exit_code == CLI_DONE)
		exit_code = send_rows(&import, client, &arguments);
	json_decref(import.rows);
	cli_seal_free(seal);
	cli_client_free(client);
	return exit_code;
}
