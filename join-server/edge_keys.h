/* The join server's key files but the master key's (docs/contract.md, Files; edge_master.h), read at the start; the KEKs again when the configuration is. */
#ifndef LAMPPOST_JOIN_SERVER_KEYS_H
#define LAMPPOST_JOIN_SERVER_KEYS_H

#include "common/crypto/secret.h"
#include "common/text/config.h"
#include "join-server/config.h"
#include "join-server/join.h"

struct js_keys {
	struct secret_box *box; /* owned; NULL: it has no file */
	struct lw_kek keks[JS_KEKS_MAX];
	size_t kek_count;
};

/* Reads all of them; ST_REFUSED with a line in the log for each that is missing, open to others, or of another size. */
enum status js_keys_load(struct js_keys *keys, const struct config_common *common,
			 const struct js_config *config) MUST_USE;
/* Reads the KEKs alone, into `keys` whose others stay as they are. False with one line in `problem`. */
bool js_kek_files_load(struct js_keys *keys, const struct config_common *common,
		       const struct js_config *config, char problem[CONFIG_ERROR_MAX]);
void js_keys_release(struct js_keys *keys); /* wipes */

#endif
