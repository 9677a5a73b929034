#include "network-server/store_network.h"

#include "common/base/log.h"

#include <string.h>

enum status ns_store_state_save(struct ns_store *store, const struct ns *ns)
{
	enum status status = ST_OK;
	for (size_t i = 0; i < ns->write_count && status == ST_OK; i++) {
		const struct ns_write *write = &ns->writes[i];
		int statement = write->deleted ? NS_SQL_STATE_REMOVE : NS_SQL_STATE_SAVE;
		db_bind_i64(store->db, statement, 1, (int64_t)write->kind);
		db_bind_blob(store->db, statement, 2, write->key, write->key_length);
		if (!write->deleted)
			db_bind_blob(store->db, statement, 3, write->bytes, write->length);
		status = db_run(store->db, statement);
	}
	return status;
}

/* As in store_session.c: what the tables are going to look for is asked for some rows before. */
#define ROWS 32

struct row {
	enum ns_write_kind kind;
	size_t key_length, length;
	uint8_t key[NS_WRITE_KEY];
	uint8_t bytes[NS_WRITE_BYTES];
};

/* A record that cannot be taken (its region is not configured any more) is skipped with a line. */
static void take(struct ns *ns, enum ns_write_kind kind, const uint8_t *key, size_t key_length,
		 const uint8_t *bytes, size_t length)
{
	if (!ns_load_write(ns, kind, key, key_length, bytes, length))
		LOG_WARN("state_row_skipped", "kind=%d", (int)kind);
}

static void take_all(struct ns *ns, const struct row *rows, size_t *count)
{
	for (const struct row *row = rows; row < rows + *count; row++)
		take(ns, row->kind, row->key, row->key_length, row->bytes, row->length);
	*count = 0;
}

static void keep(struct ns *ns, struct row *row, enum ns_write_kind kind, const uint8_t *key,
		 size_t key_length, const uint8_t *bytes, size_t length)
{
	row->kind = kind;
	row->key_length = key_length;
	row->length = length;
	if (key_length > 0)
		memcpy(row->key, key, key_length);
	if (length > 0)
		memcpy(row->bytes, bytes, length);
	struct lw_eui64 dev_eui;
	if (kind == NS_WRITE_DEVICE && key_length == sizeof dev_eui.bytes) {
		memcpy(dev_eui.bytes, key, sizeof dev_eui.bytes);
		ns_device_foresee(&ns->sessions, &dev_eui);
	}
}

enum status ns_store_state_load(struct ns_store *store, struct ns *ns)
{
	struct row rows[ROWS];
	size_t count = 0;
	enum db_step step;
	while ((step = db_step(store->db, NS_SQL_STATE_LOAD)) == DB_ROW) {
		size_t key_length, length;
		enum ns_write_kind kind = (enum ns_write_kind)db_column_i64(store->db, NS_SQL_STATE_LOAD, 0);
		const uint8_t *key = db_column_blob(store->db, NS_SQL_STATE_LOAD, 1, &key_length);
		const uint8_t *bytes = db_column_blob(store->db, NS_SQL_STATE_LOAD, 2, &length);
		bool fits = key_length <= sizeof rows[0].key && length <= sizeof rows[0].bytes;
		if (count == ROWS || !fits)
			take_all(ns, rows, &count);
		if (fits)
			keep(ns, &rows[count++], kind, key, key_length, bytes, length);
		else
			take(ns, kind, key, key_length, bytes, length);
	}
	take_all(ns, rows, &count);
	return step == DB_DONE ? ST_OK : ST_DATABASE;
}

uint32_t ns_store_expected(struct ns_store *store)
{
	int64_t last = -1;
	if (db_step(store->db, NS_SQL_SESSION_LAST) == DB_ROW)
		last = db_column_i64(store->db, NS_SQL_SESSION_LAST, 0);
	db_reset(store->db, NS_SQL_SESSION_LAST);
	return last < 0 ? 0 : last < NS_NO_SLOT ? (uint32_t)last + 1 : NS_NO_SLOT;
}

enum status ns_store_load(struct ns_store *store, struct ns *ns, struct now now)
{
	enum status status = ns_store_state_load(store, ns);
	if (status == ST_OK)
		status = ns_store_sessions_load(store, ns);
	if (status == ST_OK) {
		ns_slab_loaded(&ns->sessions.slab);
		status = ns_store_journal_load(store, ns, now);
	}
	if (status == ST_OK)
		ns_loaded(ns, now);
	return status;
}
