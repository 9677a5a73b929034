/* Devices go to the shelf some hundred a call: first every call is checked, then every call is done. */
#include "cli/device_claim.h"

#include "cli/client.h"
#include "cli/input.h"
#include "cli/key_file.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 256

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static int send_slice(const char *file, struct cli_client *client, const json_t *rows, size_t from,
		      bool dry_run)
{
	json_t *slice = json_array(), *answer = NULL, *error;
	size_t index;
	int code = 0;
	for (size_t i = from; i < json_array_size(rows) && i < from + AT_ONCE; i++)
		json_array_append(slice, json_array_get(rows, i));
	json_t *body = json_pack("{sb so}", "dry_run", (int)dry_run, "devices", slice);
	int exit_code = cli_call_raw(client, file, IO_HTTP_POST, "/api/v1/stock", body, &answer, &code);
	json_decref(body);
	if (exit_code == CLI_DONE && (code < 200 || code > 299)) {
		struct cli_complaints complaints = {.file = file};
		json_array_foreach(json_object_get(answer, "errors"), index, error) cli_complain(
			&complaints, (unsigned)json_integer_value(json_object_get(error, "line")),
			text_of(error, "field"), text_of(error, "reason"));
		exit_code = complaints.count ? cli_complaints_end(&complaints)
					     : cli_report_answer(file, code, answer);
	}
	json_decref(answer);
	return exit_code;
}

/* The server sees one call at a time: what stands in the file twice is seen here. */
static int check_twice(const char *file, const json_t *rows)
{
	struct cli_complaints complaints = {.file = file};
	json_t *seen = json_object(), *row;
	size_t index;
	json_array_foreach((json_t *)(uintptr_t)rows, index, row)
	{
		if (json_object_get(seen, text_of(row, "dev_eui")))
			cli_complain(&complaints, (unsigned)json_integer_value(json_object_get(row, "line")),
				     "dev_eui", "stands in this file twice");
		json_object_set_new(seen, text_of(row, "dev_eui"), json_true());
	}
	json_decref(seen);
	return complaints.count ? cli_complaints_end(&complaints) : CLI_DONE;
}

/* Every row is checked before the first is put there. What stops the second round (the server ends, somebody else is faster) is
 * told with how far it came: a row that is there already may be put there again. */
static int send_all(const char *file, struct cli_client *client, const json_t *rows, bool dry_run)
{
	size_t count = json_array_size(rows);
	int exit_code = check_twice(file, rows);
	for (int pass = 0; pass < (dry_run ? 1 : 2); pass++)
		for (size_t i = 0; i < count && exit_code == CLI_DONE; i += AT_ONCE) {
			exit_code = send_slice(file, client, rows, i, pass == 0);
			if (exit_code != CLI_DONE && pass == 1 && count > AT_ONCE)
				fprintf(stderr,
					"note: %zu of %zu devices are on the shelf; shelve the same file "
					"again to go on, it puts none there twice\n",
					i, count);
		}
	return exit_code;
}

int cli_device_shelve(const struct cli_arguments *arguments)
{
	struct key_request request = {.file = arguments->operands[0],
				      .map = cli_argument(arguments, "map"),
				      .join_eui = cli_argument(arguments, "join-eui"),
				      .shelf = true};
	const char *format = cli_argument(arguments, "format");
	bool dry_run = cli_argument(arguments, "dry-run") != NULL;
	size_t length;
	if (format && !key_format_parse(format, &request.format))
		return cli_problem(CLI_USAGE, "--format", "lamppost device shelve --help", "%s: not known",
				   format);
	char *text = cli_read_file(request.file, &length);
	if (!text)
		return cli_problem(CLI_FAILED, request.file, NULL, "cannot be read: %s", strerror(errno));
	struct cli_client *client = cli_client_new(arguments);
	struct cli_seal *seal = NULL;
	struct key_summary summary;
	json_t *rows = NULL;
	int exit_code = cli_seal_open(client, &seal);
	if (exit_code == CLI_DONE)
		exit_code = key_rows_read(&request, text, length, seal, &rows, &summary);
	explicit_bzero(text, length);
	free(text);
	if (exit_code == CLI_DONE && dry_run && !arguments->json)
		key_summary_print(&summary, stdout);
	if (exit_code == CLI_DONE)
		exit_code = send_all(request.file, client, rows, dry_run);
	if (exit_code == CLI_DONE)
		printf(arguments->json ? "{\"shelved\": %zu, \"dry_run\": %s}\n" : "%zu devices %s\n",
		       json_array_size(rows),
		       arguments->json ? (dry_run ? "true" : "false")
		       : dry_run       ? "could go on the shelf; nothing was put there"
				       : "on the shelf");
	json_decref(rows);
	cli_seal_free(seal);
	cli_client_free(client);
	return exit_code;
}

int cli_device_shelf(const struct cli_arguments *arguments)
{
	static const char *const titles[] = {"DEV_EUI", "STATE", "SERIAL", "PROFILE_ID", "HOLDER"};
	struct cli_client *client = cli_client_new(arguments);
	char target[CLI_TARGET_MAX] = "/api/v1/stock?limit=1000", after[CLI_TARGET_MAX] = "";
	struct table_text table;
	json_t *all = json_array();
	int exit_code;
	do {
		json_t *answer = NULL;
		snprintf(target, sizeof target, "/api/v1/stock?limit=1000");
		if (*after)
			(void)cli_target_append_query(target, "after", after);
		exit_code = cli_call(client, "shelf", IO_HTTP_GET, target, NULL, &answer);
		json_array_extend(all, json_object_get(answer, "items"));
		snprintf(after, sizeof after, "%s", text_of(answer, "next"));
		json_decref(answer);
	} while (exit_code == CLI_DONE && *after);
	if (exit_code == CLI_DONE && arguments->json) {
		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		json_t *item;
		size_t index;
		table_text_init(&table, ARRAY_SIZE(titles), titles);
		json_array_foreach(all, index, item)
		{
			const char *holder = text_of(item, "holder");
			const char *cells[] = {text_of(item, "dev_eui"),
					       json_is_true(json_object_get(item, "waits")) ? "waits"
											    : "claimed",
					       text_of(item, "serial"), text_of(item, "profile_id"),
					       *holder ? holder : "(the city)"};
			table_text_add(&table, cells);
		}
		table_text_print(&table, stdout, 0);
		table_text_release(&table);
	}
	json_decref(all);
	cli_client_free(client);
	return exit_code;
}
