/* Where the master key comes from at the start (`join-server.master_key`):
 *
 *	"" or a path       a file of 32 bytes (common/io/key_file.h)
 *	credential:NAME    $CREDENTIALS_DIRECTORY/NAME, put there by systemd (LoadCredential=, LoadCredentialEncrypted=)
 *	passphrase         Argon2id of what a person says: handed over by `lamppost up` (common/io/vault_channel.h), else asked on the
 *	                   terminal
 */
#ifndef LAMPPOST_JOIN_SERVER_EDGE_MASTER_H
#define LAMPPOST_JOIN_SERVER_EDGE_MASTER_H

#include "common/io/passphrase.h"
#include "common/text/config.h"
#include "join-server/config.h"
#include "join-server/vault.h"

#define JS_MASTER_PATH (2 * OPTION_PATH_MAX)

struct js_master {
	enum js_vault_source source;
	char path[JS_MASTER_PATH];       /* JS_VAULT_FILE, JS_VAULT_CREDENTIAL */
	struct secret_master *key;       /* owned; NULL: not read, or to be made of the passphrase */
	char passphrase[PASSPHRASE_MAX]; /* wiped by js_master_forget() */
	size_t length;
	int channel; /* to `lamppost up`; -1: none */
};

/* What the configuration says. False: no credential's name, with a line in `problem`. */
bool js_master_parse(struct js_master *master, const struct config_common *common,
		     const struct js_config *config, char problem[CONFIG_ERROR_MAX]);
/* Reads or asks. `is_new`: there is no vault yet, so a passphrase is asked twice. False with a line in `problem`. */
bool js_master_read(struct js_master *master, bool is_new, char problem[CONFIG_ERROR_MAX]);
/* Gives the key for a wrap of that form (the caller's); NULL: it is of another kind, or there is no memory. */
struct secret_master *js_master_for(const struct js_master *master, const struct js_vault_form *form);
/* Tells `lamppost up` the key that opens the vault now; nothing without one. */
void js_master_tell(const struct js_master *master, const struct secret_master *key);
/* Wipes what was read. */
void js_master_forget(struct js_master *master);

#endif
