#include "network-server/store_network.h"

#include "common/base/check.h"
#include "common/base/log.h"

#include <inttypes.h>

static const char *const statements[NS_SQL_COUNT] = {
	[NS_SQL_JOURNAL_ADD] = "INSERT INTO journal (first, last, bytes) VALUES (?1, ?2, ?3)",
	[NS_SQL_JOURNAL_LOAD] = "SELECT first, bytes FROM journal ORDER BY first",
	/* From the blob that holds ?1 on. */
	[NS_SQL_JOURNAL_FROM] =
		("SELECT first, bytes FROM journal WHERE first >= coalesce((SELECT max(first) FROM "
		 "journal WHERE first <= ?1), 0) ORDER BY first LIMIT ?2"),
	[NS_SQL_JOURNAL_OLD] = "SELECT first, last, length(bytes) FROM journal ORDER BY first LIMIT ?1",
	[NS_SQL_JOURNAL_DELETE] = "DELETE FROM journal WHERE first <= ?1",
	[NS_SQL_JOURNAL_SIZE] = "SELECT coalesce(sum(length(bytes)), 0) FROM journal",
	[NS_SQL_SESSION_SAVE] = "INSERT OR REPLACE INTO sessions (slot, bytes) VALUES (?1, ?2)",
	[NS_SQL_SESSION_REMOVE] = "DELETE FROM sessions WHERE slot = ?1",
	[NS_SQL_SESSION_LOAD] = "SELECT slot, bytes FROM sessions ORDER BY slot",
	[NS_SQL_SESSION_LAST] = "SELECT coalesce(max(slot), -1) FROM sessions",
	[NS_SQL_STATE_SAVE] = "INSERT OR REPLACE INTO state (kind, key, bytes) VALUES (?1, ?2, ?3)",
	[NS_SQL_STATE_REMOVE] = "DELETE FROM state WHERE kind = ?1 AND key = ?2",
	[NS_SQL_STATE_LOAD] = "SELECT kind, key, bytes FROM state ORDER BY kind, key",
	[NS_SQL_META_LOAD] = "SELECT next_row, epoch, event_row FROM meta WHERE id = 1",
	[NS_SQL_META_SAVE] = "UPDATE meta SET next_row = ?1, event_row = ?2 WHERE id = 1",
};

enum status ns_store_open(struct ns_store *store, const char *path, const char *vfs)
{
	*store = (struct ns_store){0};
	const struct db_options options = {
		.path = path,
		.migrations = &db_migrations_network_server,
		.statements = statements,
		.statement_count = NS_SQL_COUNT,
		.vfs = vfs,
	};
	return db_open(&options, &store->db);
}

void ns_store_close(struct ns_store *store)
{
	db_close(store->db);
	store->db = NULL;
}

enum status ns_store_epoch(struct ns_store *store, uint32_t *epoch)
{
	if (db_step(store->db, NS_SQL_META_LOAD) != DB_ROW)
		return ST_DATABASE;
	*epoch = (uint32_t)db_column_i64(store->db, NS_SQL_META_LOAD, 1);
	db_reset(store->db, NS_SQL_META_LOAD);
	return ST_OK;
}

enum status ns_store_journal_turn(struct ns_store *store, struct ns *ns)
{
	size_t length;
	const uint8_t *turn = ns_journal_turn(&ns->journal, &length);
	if (length == 0)
		return ST_OK;
	db_bind_i64(store->db, NS_SQL_JOURNAL_ADD, 1, (int64_t)ns->journal.first_row);
	db_bind_i64(store->db, NS_SQL_JOURNAL_ADD, 2, (int64_t)ns->journal.next_row - 1);
	db_bind_blob(store->db, NS_SQL_JOURNAL_ADD, 3, turn, length);
	return db_run(store->db, NS_SQL_JOURNAL_ADD);
}

bool ns_store_journal_has_old(const struct ns_store *store, const struct ns *ns)
{
	return ns_journal_deletable(&ns->journal) >= store->clean_up_to && ns->journal.bytes > 0;
}

/* A slice of what is folded and stored; row numbers go on from where they were even if all of it goes. */
enum status ns_store_journal_clean(struct ns_store *store, struct ns *ns)
{
	uint64_t deletable = ns_journal_deletable(&ns->journal), up_to = 0, bytes = 0, blobs = 0;
	bool more = false;
	enum db_step step;
	db_bind_i64(store->db, NS_SQL_JOURNAL_OLD, 1, NS_DELETE_SLICE + 1);
	while ((step = db_step(store->db, NS_SQL_JOURNAL_OLD)) == DB_ROW) {
		uint64_t last = (uint64_t)db_column_i64(store->db, NS_SQL_JOURNAL_OLD, 1);
		if (last > deletable) {
			store->clean_up_to = last;
			more = true;
			break;
		}
		if (blobs == NS_DELETE_SLICE) {
			more = true;
			break;
		}
		up_to = (uint64_t)db_column_i64(store->db, NS_SQL_JOURNAL_OLD, 0);
		bytes += (uint64_t)db_column_i64(store->db, NS_SQL_JOURNAL_OLD, 2);
		blobs++;
	}
	db_reset(store->db, NS_SQL_JOURNAL_OLD);
	if (step == DB_FAILED)
		return ST_DATABASE;
	if (!more)
		store->clean_up_to = ns->journal.next_row;
	if (blobs == 0)
		return ST_OK;
	db_bind_i64(store->db, NS_SQL_JOURNAL_DELETE, 1, (int64_t)up_to);
	enum status status = db_run(store->db, NS_SQL_JOURNAL_DELETE);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->db, NS_SQL_META_SAVE, 1, (int64_t)ns->journal.next_row);
	db_bind_i64(store->db, NS_SQL_META_SAVE, 2, (int64_t)ns->journal.event_row);
	ns->journal.bytes -= bytes < ns->journal.bytes ? bytes : ns->journal.bytes;
	store->blobs_deleted += blobs;
	return db_run(store->db, NS_SQL_META_SAVE);
}

enum status ns_store_commit(struct ns_store *store, struct ns *ns, struct now now)
{
	uint32_t slots[NS_FOLD_SLICE];
	size_t length;
	size_t count = ns_fold_slice(ns, now, slots, NS_FOLD_SLICE);
	(void)ns_journal_turn(&ns->journal, &length);
	bool old = ns_store_journal_has_old(store, ns);
	if (length == 0 && count == 0 && ns->write_count == 0 && !old)
		return ST_OK;
	enum status status = db_begin(store->db);
	if (status == ST_OK)
		status = ns_store_journal_turn(store, ns);
	if (status == ST_OK)
		status = ns_store_state_save(store, ns);
	if (status == ST_OK)
		status = ns_store_sessions_save(store, ns, slots, count);
	if (status == ST_OK && old)
		status = ns_store_journal_clean(store, ns);
	if (status == ST_OK)
		status = db_commit(store->db);
	if (status != ST_OK) {
		LOG_ERROR("commit_failed", "status=%s error=\"%s\"", status_name(status),
			  db_error(store->db));
		db_rollback(store->db);
		return status;
	}
	store->rows_folded += count;
	ns_turn_done(ns);
	return ST_OK;
}

enum status ns_store_journal_load(struct ns_store *store, struct ns *ns, struct now now)
{
	if (db_step(store->db, NS_SQL_META_LOAD) != DB_ROW)
		return ST_DATABASE;
	ns->journal.next_row = ns->journal.first_row = (uint64_t)db_column_i64(store->db, NS_SQL_META_LOAD,
									       0);
	uint64_t event_row = (uint64_t)db_column_i64(store->db, NS_SQL_META_LOAD, 2);
	db_reset(store->db, NS_SQL_META_LOAD);
	uint64_t entries = 0;
	bool good = true;
	enum db_step step;
	while (good && (step = db_step(store->db, NS_SQL_JOURNAL_LOAD)) == DB_ROW) {
		size_t length;
		uint64_t first = (uint64_t)db_column_i64(store->db, NS_SQL_JOURNAL_LOAD, 0);
		const uint8_t *blob = db_column_blob(store->db, NS_SQL_JOURNAL_LOAD, 1, &length);
		struct ns_journal_reader reader;
		struct ns_journal_entry entry;
		ns_journal_read(&reader, first, blob, length);
		while (good && ns_journal_entry(&reader, &entry)) {
			good = ns_replay(ns, now, &entry);
			entries++;
			if (!good)
				LOG_ERROR("journal_row_damaged", "row=%" PRIu64 " kind=%d", entry.row,
					  (int)entry.kind);
		}
		good = good && rd_ok(&reader.rd);
		ns->journal.bytes += length;
	}
	db_reset(store->db, NS_SQL_JOURNAL_LOAD);
	if (!good || step == DB_FAILED)
		return ST_DATABASE;
	/* Events that were deleted had been stored; those that are here are told again until they are. */
	if (ns->journal.event_row < event_row)
		ns->journal.event_row = event_row;
	ns->journal.stored_row = entries == 0 ? ns->journal.event_row : 0;
	LOG_INFO("journal_replayed", "entries=%" PRIu64 " next_row=%" PRIu64, entries, ns->journal.next_row);
	return ST_OK;
}

bool ns_store_events(struct ns_store *store, uint64_t after, unsigned blobs,
		     bool (*visit)(void *ctx, uint64_t row, const uint8_t *event, size_t length), void *ctx,
		     uint64_t *seen)
{
	db_bind_i64(store->db, NS_SQL_JOURNAL_FROM, 1, (int64_t)after + 1);
	db_bind_i64(store->db, NS_SQL_JOURNAL_FROM, 2, (int64_t)blobs);
	unsigned walked = 0;
	bool stopped = false;
	*seen = after;
	while (!stopped && db_step(store->db, NS_SQL_JOURNAL_FROM) == DB_ROW) {
		size_t length, event_length;
		uint64_t first = (uint64_t)db_column_i64(store->db, NS_SQL_JOURNAL_FROM, 0);
		const uint8_t *blob = db_column_blob(store->db, NS_SQL_JOURNAL_FROM, 1, &length);
		struct ns_journal_reader reader;
		struct ns_journal_entry entry;
		ns_journal_read(&reader, first, blob, length);
		while (!stopped && ns_journal_entry(&reader, &entry)) {
			if (entry.row <= after)
				continue;
			const uint8_t *event = ns_journal_event(&entry, &event_length);
			if (event && !visit(ctx, entry.row, event, event_length))
				stopped = true;
			else
				*seen = entry.row;
		}
		walked++;
	}
	db_reset(store->db, NS_SQL_JOURNAL_FROM);
	return stopped || walked == blobs;
}
