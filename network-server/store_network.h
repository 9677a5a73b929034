/* network.db: the only place with SQL. One transaction a turn (ns_store_commit), run before the outbox is drained; slices
 * of session rows and of deletions ride along, so that nothing big ever happens in one turn (DESIGN 3). */
#ifndef LAMPPOST_NETWORK_SERVER_STORE_NETWORK_H
#define LAMPPOST_NETWORK_SERVER_STORE_NETWORK_H

#include "common/db/db.h"
#include "network-server/network.h"

enum {
	NS_SQL_JOURNAL_ADD,
	NS_SQL_JOURNAL_LOAD,
	NS_SQL_JOURNAL_FROM,
	NS_SQL_JOURNAL_OLD,
	NS_SQL_JOURNAL_DELETE,
	NS_SQL_JOURNAL_SIZE,
	NS_SQL_SESSION_SAVE,
	NS_SQL_SESSION_REMOVE,
	NS_SQL_SESSION_LOAD,
	NS_SQL_SESSION_LAST,
	NS_SQL_STATE_SAVE,
	NS_SQL_STATE_REMOVE,
	NS_SQL_STATE_LOAD,
	NS_SQL_META_LOAD,
	NS_SQL_META_SAVE,
	NS_SQL_COUNT
};

#define NS_FOLD_SLICE   256 /* session rows a turn */
#define NS_DELETE_SLICE 32  /* journal rows a turn */

struct ns_store {
	struct db *db;
	uint64_t clean_up_to; /* no journal row below is left to delete */
	uint64_t rows_folded, blobs_deleted;
};

/* Opens or makes the file. `vfs` NULL: the system's. */
enum status ns_store_open(struct ns_store *store, const char *path, const char *vfs) MUST_USE;
void ns_store_close(struct ns_store *store);
/* The epoch that event ids are made of. */
enum status ns_store_epoch(struct ns_store *store, uint32_t *epoch) MUST_USE;
/* About how many sessions, and devices, are stored, by the greatest slot: counting them would read the whole file. */
uint32_t ns_store_expected(struct ns_store *store);
/* Brings a fresh core to where the last one stood: rows, then the journal's tail. ST_DATABASE when a row is damaged. */
enum status ns_store_load(struct ns_store *store, struct ns *ns, struct now now) MUST_USE;
/* Makes durable all that the turn changed, then tells the core. Anything but ST_OK: nothing of it is, stop. */
enum status ns_store_commit(struct ns_store *store, struct ns *ns, struct now now) MUST_USE;
/* Walks the packed events of committed rows above `after`, at most `blobs` turns of them; `*seen` is the last row looked
 * at. `visit` returns false to stop before that event is counted as seen. Returns whether there may be more. */
bool ns_store_events(struct ns_store *store, uint64_t after, unsigned blobs,
		     bool (*visit)(void *ctx, uint64_t row, const uint8_t *event, size_t length), void *ctx,
		     uint64_t *seen);

/* The parts, each within the turn's transaction (store_journal.c, store_session.c, store_state.c). */
enum status ns_store_journal_turn(struct ns_store *store, struct ns *ns) MUST_USE;
enum status ns_store_journal_clean(struct ns_store *store, struct ns *ns) MUST_USE;
bool ns_store_journal_has_old(const struct ns_store *store, const struct ns *ns);
enum status ns_store_journal_load(struct ns_store *store, struct ns *ns, struct now now) MUST_USE;
enum status ns_store_sessions_save(struct ns_store *store, const struct ns *ns, const uint32_t *slots,
				   size_t count) MUST_USE;
enum status ns_store_sessions_load(struct ns_store *store, struct ns *ns) MUST_USE;
enum status ns_store_state_save(struct ns_store *store, const struct ns *ns) MUST_USE;
enum status ns_store_state_load(struct ns_store *store, struct ns *ns) MUST_USE;

#endif
