#include "network-server/store_network.h"

#include "common/base/log.h"

#include <string.h>

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

/* Rows are taken some at a time: where the tables will look for each is asked for when it was read, and has come from memory
 * when its turn is. With a million sessions each look-up is a miss of every cache otherwise. */
#define ROWS 32

struct row {
	uint32_t slot;
	size_t length;
	uint8_t bytes[NS_SESSION_BYTES];
};

/* A session whose device has gone is left out; one that does not open means another master key, and stops the start. */
static bool take(struct ns *ns, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct ns_session session;
	if (!ns_session_decode(&ns->sessions, &session, ns->config.master, bytes, length)) {
		LOG_ERROR("session_row_damaged", "slot=%u", slot);
		return false;
	}
	bool taken = ns_region_is_there(ns, session.region) && ns_session_load(&ns->sessions, slot, &session);
	if ((!taken || ns_session_row_is_old(bytes, length)) && slot < ns->sessions.slab.capacity)
		ns_session_mark(&ns->sessions, slot); /* the next sweep removes the row, or writes it anew */
	secret_wipe(&session, sizeof session);
	return true;
}

static bool take_all(struct ns *ns, const struct row *rows, size_t *count)
{
	bool good = true;
	for (size_t i = 0; i < *count && good; i++)
		good = take(ns, rows[i].slot, rows[i].bytes, rows[i].length);
	*count = 0;
	return good;
}

static void keep(struct ns *ns, struct row *row, uint32_t slot, const uint8_t *bytes, size_t length)
{
	struct lw_eui64 dev_eui;
	struct lw_dev_addr dev_addr;
	row->slot = slot;
	row->length = length;
	if (length > 0)
		memcpy(row->bytes, bytes, length);
	ns_session_row_whose(bytes, length, &dev_eui, &dev_addr);
	ns_device_foresee(&ns->sessions, &dev_eui);
	ns_sessions_foresee(&ns->sessions, dev_addr);
}

static bool take_rows(struct ns_store *store, struct ns *ns, enum db_step *step)
{
	struct row rows[ROWS];
	size_t count = 0;
	bool good = true;
	while (good && (*step = db_step(store->db, NS_SQL_SESSION_LOAD)) == DB_ROW) {
		size_t length;
		uint32_t slot = (uint32_t)db_column_i64(store->db, NS_SQL_SESSION_LOAD, 0);
		const uint8_t *bytes = db_column_blob(store->db, NS_SQL_SESSION_LOAD, 1, &length);
		if (count == ROWS || length > sizeof rows[0].bytes)
			good = take_all(ns, rows, &count);
		if (length > sizeof rows[0].bytes)
			good = good && take(ns, slot, bytes, length);
		else
			keep(ns, &rows[count++], slot, bytes, length);
	}
	return good && take_all(ns, rows, &count);
}

enum status ns_store_sessions_load(struct ns_store *store, struct ns *ns)
{
	enum db_step step = DB_DONE;
	bool good = take_rows(store, ns, &step);
	db_reset(store->db, NS_SQL_SESSION_LOAD);
	return good && step == DB_DONE ? ST_OK : ST_DATABASE;
}
