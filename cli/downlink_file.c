/* Many commands from a file: every line is one call. Lines that are wrong are named, the others go; each has an id, its own or
 * one that is drawn, so that the file with ids may be sent twice. */
#include "cli/csv.h"
#include "cli/downlink.h"
#include "cli/import_rows.h"
#include "cli/input.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sending {
	struct cli_client *client;
	struct cli_complaints complaints;
	bool json;
	size_t sent;
	int broken; /* an exit code that ends it: the server is away */
};

/* The columns of CSV, and what each becomes in the call. */
static const struct {
	const char *column, *member;
	enum { TEXT, NUMBER, BOOLEAN, EXPIRES, BYTES } kind;
} columns[] = {
	{"dev_eui", "dev_eui", TEXT},
	{"port", "f_port", NUMBER},
	{"hex", "hex", TEXT},
	{"base64", "data", TEXT},
	{"text", "data", BYTES},
	{"confirmed", "confirmed", BOOLEAN},
	{"priority", "priority", NUMBER},
	{"expires", "expires", EXPIRES},
	{"id", "id", TEXT},
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

/* Why the server refused a line, in one. */
static void complain(struct sending *sending, unsigned line, const json_t *problem)
{
	const char *detail = text_of(problem, "detail");
	cli_complain(&sending->complaints, line, "", *detail ? detail : "refused");
}

/* Sends one line's command; `body` has `dev_eui` beside the members of the call. */
static void send_line(struct sending *sending, unsigned line, json_t *body)
{
	char target[CLI_TARGET_MAX], id[CLI_ID_TEXT], eui[64];
	json_t *answer = NULL;
	int code = 0;
	snprintf(eui, sizeof eui, "%s", text_of(body, "dev_eui"));
	json_object_del(body, "dev_eui");
	if (!*eui || !cli_downlink_target(target, eui, NULL)) {
		cli_complain(&sending->complaints, line, "dev_eui", "is needed");
		return;
	}
	if (!json_object_get(body, "id")) {
		cli_downlink_id(id);
		json_object_set_new(body, "id", json_string(id));
	}
	sending->broken = cli_call_raw(sending->client, eui, IO_HTTP_POST, target, body, &answer, &code);
	if (sending->broken)
		return;
	if (code < 200 || code > 299) {
		complain(sending, line, answer);
	} else {
		sending->sent++;
		if (sending->json) {
			json_dumpf(answer, stdout, JSON_COMPACT);
			putchar('\n');
		}
	}
	json_decref(answer);
}

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

/* Adds one cell to the body; false after complaining. */
static bool add_cell(struct sending *sending, unsigned line, json_t *body, size_t column, const char *cell)
{
	const char *member = columns[column].member;
	char *end = NULL, text[BASE64_ROOM(4096)];
	switch (columns[column].kind) {
	case TEXT: json_object_set_new(body, member, json_string(cell)); return true;
	case NUMBER:
		json_object_set_new(body, member, json_integer(strtol(cell, &end, 10)));
		if (*end == '\0')
			return true;
		cli_complain(&sending->complaints, line, columns[column].column, "expected a number");
		return false;
	case BOOLEAN:
		if (strcmp(cell, "true") == 0 || strcmp(cell, "false") == 0) {
			json_object_set_new(body, member, json_boolean(*cell == 't'));
			return true;
		}
		cli_complain(&sending->complaints, line, columns[column].column, "expected true or false");
		return false;
	case EXPIRES:
		if (cli_downlink_expires(body, cell))
			return true;
		cli_complain(&sending->complaints, line, columns[column].column,
			     "expected a span (2h) or a time");
		return false;
	case BYTES:
		if (strlen(cell) <= 4096) {
			base64_encode(text, (const uint8_t *)cell, strlen(cell));
			json_object_set_new(body, member, json_string(text));
			return true;
		}
		cli_complain(&sending->complaints, line, columns[column].column, "longer than any frame");
		return false;
	}
	return false;
}

static bool read_header(struct sending *sending, struct csv *csv, size_t order[CSV_CELLS_MAX])
{
	if (!csv_next(csv) || csv->problem) {
		cli_complain(&sending->complaints, csv->line, "",
			     csv->problem ? csv->problem : "the file is empty");
		return false;
	}
	for (size_t i = 0; i < csv->count; i++) {
		order[i] = 0;
		while (order[i] < ARRAY_SIZE(columns) && strcmp(columns[order[i]].column, csv->cells[i]) != 0)
			order[i]++;
		if (order[i] == ARRAY_SIZE(columns)) {
			cli_complain(&sending->complaints, csv->line, csv->cells[i],
				     "no such column: dev_eui, port, hex, base64, text, confirmed, priority, "
				     "expires, id");
			return false;
		}
	}
	return true;
}

static void send_csv(struct sending *sending, const char *text, size_t length, struct progress *progress)
{
	size_t order[CSV_CELLS_MAX], column_count;
	struct csv *csv = malloc(sizeof *csv);
	ASSERT(csv);
	csv_init(csv, text, length);
	bool ok = read_header(sending, csv, order);
	column_count = csv->count;
	while (ok && !sending->broken && csv_next(csv)) {
		if (csv->problem || csv->count != column_count) {
			cli_complain(&sending->complaints, csv->line, "",
				     csv->problem ? csv->problem : "not as many cells as the header");
			continue;
		}
		json_t *body = json_object();
		bool whole = true;
		for (size_t i = 0; i < csv->count; i++)
			if (*csv->cells[i])
				whole = add_cell(sending, csv->line, body, order[i], csv->cells[i]) && whole;
		if (whole)
			send_line(sending, csv->line, body);
		json_decref(body);
		progress_show(progress, (size_t)(csv->at - text), length);
	}
	free(csv);
}

/* --- JSON lines ---------------------------------------------------------------------------------------------------- */

static void send_json_lines(struct sending *sending, const char *text, size_t length,
			    struct progress *progress)
{
	const char *end = text + length;
	unsigned number = 1;
	for (const char *at = text; at < end && !sending->broken; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((stop ? stop : end) - at);
		json_error_t error;
		json_t *body = json_loadb(at, size, JSON_REJECT_DUPLICATES, &error);
		if (json_is_object(body))
			send_line(sending, number, body);
		else if (strspn(at, " \t\r") < size)
			cli_complain(&sending->complaints, number, "", "expected a JSON object");
		json_decref(body);
		at += size + (stop ? 1 : 0);
		progress_show(progress, (size_t)(at - text), length);
	}
}

int cli_downlink_send_file(struct cli_client *client, const char *file, bool json)
{
	size_t length;
	char *text = cli_read_file(file, &length);
	if (!text)
		return cli_problem(CLI_FAILED, file, NULL, "cannot be read: %s", strerror(errno));
	struct sending sending = {.client = client, .complaints = {.file = file}, .json = json};
	struct progress progress;
	progress_start(&progress, "sending");
	if (text[strspn(text, " \t\r\n")] == '{')
		send_json_lines(&sending, text, length, &progress);
	else
		send_csv(&sending, text, length, &progress);
	progress_end(&progress);
	explicit_bzero(text, length);
	free(text);
	if (!json)
		printf("%zu sent\n", sending.sent);
	if (sending.broken)
		return sending.broken;
	if (sending.complaints.count)
		return cli_problem(CLI_REFUSED, file,
				   "mend those lines and send them alone, or all again if each has an id",
				   "%zu lines were refused", sending.complaints.count);
	return CLI_DONE;
}
