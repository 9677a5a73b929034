/* A file of devices goes to the shelf as one call, all or none whatever ends in between; single ones are taken off it. */
#include "cli/device_claim.h"

#include "cli/client.h"
#include "cli/import_rows.h"
#include "cli/input.h"
#include "cli/key_file.h"
#include "cli/problem.h"
#include "cli/table.h"
#include "common/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* Says what is on the shelf now; of an answer that got lost nobody knows, and the same file again tells. */
static int send_rows(const char *file, struct cli_client *client, json_t *rows, bool dry_run, bool json)
{
	json_t *answer = NULL, *body = json_pack("{sb sO}", "dry_run", (int)dry_run, "devices", rows);
	int code = 0;
	int exit_code = cli_call_raw(client, file, IO_HTTP_POST, "/api/v1/stock", body, &answer, &code);
	json_decref(body);
	if (exit_code != CLI_DONE && !dry_run)
		fprintf(stderr,
			"note: either all of the file is on the shelf or nothing: shelve the same file "
			"again to have it there, it puts none there twice\n");
	if (exit_code == CLI_DONE && (code < 200 || code > 299)) {
		exit_code = cli_complaints_answer(file, code, answer);
	} else if (exit_code == CLI_DONE && json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (exit_code == CLI_DONE) {
		json_int_t shelved = json_integer_value(json_object_get(answer, "shelved")),
			   claimed = json_integer_value(json_object_get(answer, "claimed"));
		printf("%lld devices %s\n", (long long)shelved,
		       dry_run ? "could go on the shelf; nothing was put there" : "on the shelf");
		if (claimed)
			printf("%lld were claimed from it before and stay with their owners\n",
			       (long long)claimed);
	}
	json_decref(answer);
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
		exit_code = send_rows(request.file, client, rows, dry_run, arguments->json);
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

static bool confirmed(const struct cli_arguments *arguments)
{
	char answer[16];
	fprintf(stderr, "Take %zu device%s off the shelf, keys and token with it? Type yes: ",
		arguments->operand_count, arguments->operand_count == 1 ? "" : "s");
	return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

/* Each by itself; what is not there does not keep the others on the shelf. */
int cli_device_unshelve(const struct cli_arguments *arguments)
{
	if (!cli_argument(arguments, "yes") && !isatty(STDIN_FILENO))
		return cli_problem(CLI_REFUSED, "unshelve", "add --yes", "nobody is there to confirm");
	if (!cli_argument(arguments, "yes") && !confirmed(arguments))
		return cli_problem(CLI_REFUSED, "unshelve", NULL, "not confirmed, nothing was taken off");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = CLI_DONE;
	size_t count = 0;
	for (size_t i = 0; i < arguments->operand_count; i++) {
		char target[CLI_TARGET_MAX] = "/api/v1/stock/";
		int one = cli_target_append(target, arguments->operands[i])
				  ? cli_call(client, arguments->operands[i], IO_HTTP_DELETE, target, NULL,
					     NULL)
				  : cli_problem(CLI_USAGE, "device unshelve", NULL, "the EUI is too long");
		count += one == CLI_DONE;
		exit_code = exit_code == CLI_DONE ? one : exit_code;
	}
	printf(arguments->json ? "{\"unshelved\": %zu}\n" : "%zu taken off the shelf\n", count);
	cli_client_free(client);
	return exit_code;
}
