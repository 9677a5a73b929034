/* The vault of the process: opened at the start, before anything can be asked; sealed anew where a database is from before it; its
 * master key changed while joins go on (edge_rotate.h); its calls on join.sock (edge_vault_calls.h).
 *
 * A start finds one of:
 *
 *	no vault, empty database     makes one
 *	no vault, keys in it         takes it over in the same transaction: the old master key wraps the new vault key, and goes on opening
 *	                             root keys until all have been sealed anew, in slices
 *	one wrap                     opens it
 *	two wraps                    a rotation was under way: opens with either; with the newest, the other goes
 */
#ifndef LAMPPOST_JOIN_SERVER_EDGE_VAULT_H
#define LAMPPOST_JOIN_SERVER_EDGE_VAULT_H

#include "common/db/db.h"
#include "join-server/edge_master.h"
#include "join-server/join.h"

#define JS_RESEAL_SLICE       32 /* devices in one tick */
#define JS_RESEAL_INTERVAL_US (5 * US_PER_MS)

struct js_edge_vault {
	struct db *db; /* borrowed, as are the next two */
	struct js_store store;
	struct js_join *join; /* NULL until the core is up */
	struct js_vault vault;
	struct js_master
		master; /* what it was read from; the key and the passphrase are wiped after the start */
	/* Done at the start, and not in the audit yet. */
	bool made, settled, kept_box;
	/* Root keys that are sealed under the old master key itself. */
	uint64_t reseal_at;
	struct mono reseal_due;
	struct {
		uint64_t rotations, exports, devices_exported, devices_imported, resealed;
	} counters;
	bool failed;  /* a commit within the turn failed: so must the turn's */
	bool refused; /* the start: the master key is not the one */
};

/* Whether there is a master key to be read, before a database is made that would then stand without one. ST_REFUSED: no; logged. */
enum status js_edge_vault_look(const struct config_common *common, const struct js_config *config) MUST_USE;
/* Opens or makes it. `*box` is the box key of its file, NULL: there is none; it is given from the vault then. Not committed.
 * ST_REFUSED with `vault->refused`: the key or passphrase is not the one; all is logged with what to do. */
enum status js_edge_vault_open(struct js_edge_vault *vault, struct db *db, const struct config_common *common,
			       const struct js_config *config, struct secret_box **box,
			       struct now now) MUST_USE;
/* What the core seals with. */
struct js_key_vault js_edge_vault_keys(const struct js_edge_vault *vault, const struct secret_box *box);
/* The core is up: writes into its audit what the start did. */
enum status js_edge_vault_begin(struct js_edge_vault *vault, struct js_join *join, struct now now) MUST_USE;
/* The next slice of sealing anew. */
enum status js_edge_vault_on_tick(struct js_edge_vault *vault, struct now now) MUST_USE;
struct mono js_edge_vault_next_deadline(const struct js_edge_vault *vault);
void js_edge_vault_release(struct js_edge_vault *vault);

/* The file that a rotation writes before it takes the place of the old one. */
void js_vault_new_path(char path[JS_MASTER_PATH + 8], const char *of);

#endif
