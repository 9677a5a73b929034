/* An export's file, page by page (its form is in common/crypto/vault_seal.h): whoever reads it sees whether it is one, and whether it is whole. */
#ifndef LAMPPOST_CLI_VAULT_FILE_H
#define LAMPPOST_CLI_VAULT_FILE_H

#include "common/crypto/vault_seal.h"

#include <stdbool.h>
#include <stdio.h>

struct cli_vault_file {
	const char *what; /* the command, for what is reported; borrowed */
	FILE *in;
	char *line; /* owned */
	size_t room;
	long number;
	long long devices; /* of the pages so far */
	bool ended;
	/* The page that was read last. */
	uint8_t sealed[VAULT_PAGE_SEALED];
	size_t length;
};

/* "-" is standard input. An enum cli_exit, reported; release it in either case. */
int cli_vault_file_open(struct cli_vault_file *file, const char *what, const char *path);
/* The next page. False: there is none, with CLI_DONE in `*code` if the file was whole, else reported. */
bool cli_vault_file_next(struct cli_vault_file *file, int *code);
/* From the first line again; false: it cannot be read twice. */
bool cli_vault_file_rewind(struct cli_vault_file *file);
void cli_vault_file_release(struct cli_vault_file *file);

/* The secret key FILE of lamppost vault keypair; NULL with `*code`, reported. */
struct secret_box *cli_vault_secret_key(const char *path, int *code);
/* Opens the page that was read last. An enum cli_exit, reported. */
int cli_vault_file_page(const struct cli_vault_file *file, const struct secret_box *box,
			struct vault_page *page);

#endif
