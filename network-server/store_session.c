#include "network-server/store_network.h"

#include "common/base/log.h"

enum status ns_store_sessions_save(struct ns_store *store, const struct ns *ns, const uint32_t *slots,
				   size_t count)
{
	enum status status = ST_OK;
	for (size_t i = 0; i < count && status == ST_OK; i++) {
		if (!ns_slab_holds(&ns->sessions.slab, slots[i])) {
			db_bind_i64(store->db, NS_SQL_SESSION_REMOVE, 1, slots[i]);
			status = db_run(store->db, NS_SQL_SESSION_REMOVE);
			continue;
		}
		uint8_t bytes[NS_SESSION_BYTES];
		size_t length = ns_session_row(ns, slots[i], bytes);
		db_bind_i64(store->db, NS_SQL_SESSION_SAVE, 1, slots[i]);
		db_bind_blob(store->db, NS_SQL_SESSION_SAVE, 2, bytes, length);
		status = db_run(store->db, NS_SQL_SESSION_SAVE);
	}
	return status;
}

/* A session whose device has gone is left out; one that does not open means another master key, and stops the start. */
enum status ns_store_sessions_load(struct ns_store *store, struct ns *ns)
{
	enum db_step step;
	while ((step = db_step(store->db, NS_SQL_SESSION_LOAD)) == DB_ROW) {
		size_t length;
		uint32_t slot = (uint32_t)db_column_i64(store->db, NS_SQL_SESSION_LOAD, 0);
		const uint8_t *bytes = db_column_blob(store->db, NS_SQL_SESSION_LOAD, 1, &length);
		struct ns_session session;
		if (!ns_session_decode(&ns->sessions, &session, ns->config.master, bytes, length)) {
			LOG_ERROR("session_row_damaged", "slot=%u", slot);
			db_reset(store->db, NS_SQL_SESSION_LOAD);
			return ST_DATABASE;
		}
		if (!ns_region_is_there(ns, session.region) ||
		    !ns_session_restore(&ns->sessions, slot, &session))
			if (slot < ns->sessions.slab.capacity)
				ns_session_mark(&ns->sessions, slot); /* the next sweep removes the row */
		secret_wipe(&session, sizeof session);
	}
	return step == DB_DONE ? ST_OK : ST_DATABASE;
}
