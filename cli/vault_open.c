/* `lamppost vault open`: an export in clear, for whoever has its secret key. */
#include "cli/vault.h"

#include "cli/arguments.h"
#include "cli/problem.h"
#include "cli/vault_file.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_key(bool there, const uint8_t key[16])
{
	char text[33] = "";
	if (there)
		hex_encode(text, key, 16);
	printf(",%s", text);
	explicit_bzero(text, sizeof text);
}

/* A row for lamppost device import, or an object with the nonces as well. */
static void print_record(const struct cli_arguments *arguments, const struct vault_record *record)
{
	char dev_eui[17], join_eui[17];
	const char *application = cli_argument(arguments, "application"),
		   *profile = cli_argument(arguments, "profile");
	hex_encode(dev_eui, record->dev_eui, 8);
	hex_encode(join_eui, record->join_eui, 8);
	if (arguments->json) {
		char app[33] = "", nwk[33] = "";
		if (record->has_app_key)
			hex_encode(app, record->app_key, 16);
		if (record->has_nwk_key)
			hex_encode(nwk, record->nwk_key, 16);
		printf("{\"dev_eui\":\"%s\",\"join_eui\":\"%s\",\"mac_version\":\"%u.%u.%u\",\"app_key\":\"%"
		       "s\","
		       "\"nwk_key\":\"%s\",\"join_nonce\":%u,\"dev_nonce\":%d,\"rj_count1\":%d}\n",
		       dev_eui, join_eui, record->version[0], record->version[1], record->version[2], app,
		       nwk, record->join_nonce, record->has_dev_nonce ? record->dev_nonce : -1,
		       record->has_rj_count1 ? record->rj_count1 : -1);
		explicit_bzero(app, sizeof app);
		explicit_bzero(nwk, sizeof nwk);
		return;
	}
	printf("%s,%s,%s,%s,%s", dev_eui, dev_eui, application ? application : "", profile ? profile : "",
	       join_eui);
	print_key(record->has_app_key, record->app_key);
	print_key(record->has_nwk_key, record->nwk_key);
	printf("\n");
}

static int open_pages(const struct cli_arguments *arguments, struct cli_vault_file *file,
		      const struct secret_box *box)
{
	int code;
	if (!arguments->json)
		printf("dev_eui,name,application,profile,join_eui,app_key,nwk_key\n");
	while (cli_vault_file_next(file, &code)) {
		struct vault_page page;
		struct vault_record record;
		code = cli_vault_file_page(file, box, &page);
		if (code != CLI_DONE)
			return code;
		while (vault_page_next(&page, &record))
			print_record(arguments, &record);
		secret_wipe(&record, sizeof record);
		vault_page_wipe(&page);
	}
	return code;
}

static int run_open(const struct cli_arguments *arguments)
{
	const char *key = cli_argument(arguments, "key");
	struct cli_vault_file file;
	int code;
	if (!key)
		return cli_problem(CLI_USAGE, "vault open", NULL, "--key SECRETKEYFILE is needed");
	if (isatty(STDOUT_FILENO) && !cli_argument(arguments, "show"))
		return cli_problem(CLI_REFUSED, "vault open", "--show, or | lamppost device import -",
				   "keys in clear would stand on this terminal");
	struct secret_box *box = cli_vault_secret_key(key, &code);
	if (!box)
		return code;
	code = cli_vault_file_open(&file, "vault open", arguments->operands[0]);
	if (code == CLI_DONE)
		code = open_pages(arguments, &file, box);
	cli_vault_file_release(&file);
	secret_box_free(box);
	return code;
}

static const struct cli_option open_options[] = {
	{"key", "FILE", "the secret key"},
	{"application", "APPLICATION", "for the column of that name"},
	{"profile", "PROFILE", "for the column of that name"},
	{"show", NULL, "on a terminal too"},
};

const struct cli_command cli_vault_open_commands[] = {
	{.group = "vault",
	 .name = "open",
	 .summary = "an export, opened with the secret key: rows for lamppost device import",
	 .description =
		 "Checks every page and that the export is whole. It prints keys in clear: into a pipe, so "
		 "that no file holds them. --json has the last nonces as well; lamppost vault import "
		 "moves all of them.",
	 .operands = "FILE",
	 .options = open_options,
	 .option_count = ARRAY_SIZE(open_options),
	 .examples = "lamppost vault open city.export --key move.key --application parks --profile meter "
		     "| lamppost device import -\n",
	 .exits = "1 the export is not whole\n4 it is sealed to another key, or was changed\n",
	 .local = true,
	 .run = run_open},
};
const size_t cli_vault_open_command_count = ARRAY_SIZE(cli_vault_open_commands);
