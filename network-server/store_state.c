#include "network-server/store_network.h"

#include "common/base/log.h"

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

/* A record that cannot be taken (its region is not configured any more) is skipped with a line. */
enum status ns_store_state_load(struct ns_store *store, struct ns *ns)
{
	enum db_step step;
	while ((step = db_step(store->db, NS_SQL_STATE_LOAD)) == DB_ROW) {
		size_t key_length, length;
		enum ns_write_kind kind = (enum ns_write_kind)db_column_i64(store->db, NS_SQL_STATE_LOAD, 0);
		const uint8_t *key = db_column_blob(store->db, NS_SQL_STATE_LOAD, 1, &key_length);
		const uint8_t *bytes = db_column_blob(store->db, NS_SQL_STATE_LOAD, 2, &length);
		if (!ns_load_write(ns, kind, key, key_length, bytes, length))
			LOG_WARN("state_row_skipped", "kind=%d", (int)kind);
	}
	return step == DB_DONE ? ST_OK : ST_DATABASE;
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
