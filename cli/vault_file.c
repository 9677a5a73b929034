#include "cli/vault_file.h"

#include "cli/problem.h"
#include "common/base/hex.h"
#include "common/io/key_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int cli_vault_file_open(struct cli_vault_file *file, const char *what, const char *path)
{
	*file = (struct cli_vault_file){.what = what};
	file->in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	return file->in ? CLI_DONE
			: cli_problem(CLI_NOT_FOUND, path, NULL, "cannot be read: %s", strerror(errno));
}

void cli_vault_file_release(struct cli_vault_file *file)
{
	if (file->in && file->in != stdin)
		fclose(file->in);
	free(file->line);
	file->in = NULL;
	file->line = NULL;
}

bool cli_vault_file_rewind(struct cli_vault_file *file)
{
	file->number = 0;
	file->devices = 0;
	file->ended = false;
	return fseek(file->in, 0, SEEK_SET) == 0;
}

/* A page, or another line that may be there; `*is_page` says which. */
static int read_line(struct cli_vault_file *file, bool *is_page)
{
	json_t *object = json_loads(file->line, 0, NULL);
	const char *sealed = json_string_value(json_object_get(object, "sealed"));
	long long devices = json_integer_value(json_object_get(object, "devices"));
	int code = CLI_DONE;
	if (file->number == 1 && json_integer_value(json_object_get(object, "lamppost_vault_export")) != 1)
		code = cli_problem(CLI_REFUSED, file->what, "the file that lamppost vault export --out wrote",
				   "that is no export of a vault");
	else if (file->number != 1 && file->ended)
		code = cli_problem(CLI_REFUSED, file->what, NULL, "line %ld stands behind the end",
				   file->number);
	else if (sealed &&
		 base64_decode(file->sealed, sizeof file->sealed, &file->length, sealed, strlen(sealed)))
		*is_page = true;
	else if (json_is_true(json_object_get(object, "end")) && devices == file->devices)
		file->ended = true;
	else if (file->number != 1)
		code = cli_problem(CLI_REFUSED, file->what, NULL, "line %ld is no line of an export",
				   file->number);
	file->devices += *is_page ? devices : 0;
	json_decref(object);
	return code;
}

bool cli_vault_file_next(struct cli_vault_file *file, int *code)
{
	bool is_page = false;
	*code = CLI_DONE;
	while (*code == CLI_DONE && !is_page && getline(&file->line, &file->room, file->in) > 0) {
		file->number++;
		*code = read_line(file, &is_page);
	}
	if (*code == CLI_DONE && !is_page && !file->ended)
		*code = cli_problem(CLI_FAILED, file->what, "export again",
				    "the export is not whole: its end is missing");
	return *code == CLI_DONE && is_page;
}

struct secret_box *cli_vault_secret_key(const char *path, int *code)
{
	uint8_t bytes[SECRET_KEY];
	enum key_file_verdict verdict = key_file_read(path, bytes, sizeof bytes);
	struct secret_box *box = NULL;
	if (verdict != KEY_FILE_OK) {
		*code = cli_problem(CLI_REFUSED, path, key_file_verdict_advice(verdict),
				    "the secret key cannot be used: %s", key_file_verdict_name(verdict));
		return NULL;
	}
	if (secret_init() == ST_OK)
		box = secret_box_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	*code = box ? CLI_DONE : cli_problem(CLI_FAILED, path, NULL, "no memory for the key");
	return box;
}

int cli_vault_file_page(const struct cli_vault_file *file, const struct secret_box *box,
			struct vault_page *page)
{
	enum status status = vault_page_open(box, file->sealed, file->length, page);
	if (status == ST_OK)
		return CLI_DONE;
	return cli_problem(CLI_REFUSED, file->what,
			   "the secret key whose public half stands in its first line",
			   status == ST_REFUSED ? "it was sealed to another key, or changed"
						: "that is no page of an export");
}
