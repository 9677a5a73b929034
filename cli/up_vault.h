/* A passphrase for the join server's vault, as `lamppost up` hands it over (common/io/vault_channel.h): asked once, wiped as soon as it has
 * opened the vault; from then on the key that was made of it stands in locked memory, so that a restart of the join server needs nobody. */
#ifndef LAMPPOST_CLI_UP_VAULT_H
#define LAMPPOST_CLI_UP_VAULT_H

#include "cli/place.h"
#include "common/crypto/secret.h"
#include "common/io/passphrase.h"
#include "common/io/process.h"

enum cli_vault_source { CLI_VAULT_FILE, CLI_VAULT_CREDENTIAL, CLI_VAULT_PASSPHRASE };
/* What `join-server.master_key` of a configuration says; a file that cannot be read says CLI_VAULT_FILE, and is refused elsewhere. */
enum cli_vault_source cli_vault_source_of(const char *config);

struct cli_up_vault {
	bool wanted;
	char passphrase[PASSPHRASE_MAX];
	size_t length;             /* 0: it was wiped */
	struct secret_master *key; /* owned; NULL: not told yet */
	int ours, theirs;          /* ends of the channel; -1: none */
	char variable[32];
};

/* Asks if the configuration wants it: on the descriptor `fd` ("0"; NULL: the terminal). CLI_DONE, or another exit code, reported. */
int cli_up_vault_ask(struct cli_up_vault *vault, const struct cli_place *place, const char *fd);
/* Before a start of the join server: adds the channel to `options` and its variable at `*variable`. */
void cli_up_vault_hand_over(struct cli_up_vault *vault, struct io_process_options *options,
			    const char **variable);
/* Behind it: the child has its end. */
void cli_up_vault_handed(struct cli_up_vault *vault);
/* Takes what the join server told meanwhile. */
void cli_up_vault_take(struct cli_up_vault *vault);
void cli_up_vault_release(struct cli_up_vault *vault); /* wipes */

#endif
