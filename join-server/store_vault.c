/* The vault's rows in join.db, and the devices in order, for what goes through all of them. */
#include "join-server/store_parts.h"

#include <string.h>

enum status js_store_list_devices(void *ctx, uint64_t *at, size_t limit, struct js_device *devices,
				  size_t *count, bool *done)
{
	struct db *db = ctx;
	*count = 0;
	db_bind_i64(db, LIST_DEVICES, 1, js_store_sweep_key(*at));
	db_bind_i64(db, LIST_DEVICES, 2, (int64_t)limit);
	enum db_step step;
	while ((step = db_step(db, LIST_DEVICES)) == DB_ROW) {
		int64_t key = db_column_i64(db, LIST_DEVICES, 9);
		uint64_t number;
		memcpy(&number, &key, sizeof number);
		struct js_device *device = &devices[*count];
		*device = (struct js_device){.dev_eui = lw_eui64_from_number(number)};
		if (!js_store_read_device(db, LIST_DEVICES, device)) {
			db_reset(db, LIST_DEVICES);
			return js_store_damaged("devices");
		}
		*at = (number ^ UINT64_C(1) << 63) + 1;
		(*count)++;
	}
	if (step == DB_FAILED)
		return db_step_status(db);
	/* Behind the greatest of all EUIs the place begins again at 0. */
	*done = *count < limit || *at == 0;
	return ST_OK;
}

static bool read_wrap(struct db *db, struct js_vault_wrap *wrap)
{
	*wrap = (struct js_vault_wrap){.id = (uint64_t)db_column_i64(db, LOAD_WRAPS, 0)};
	struct secret_derive *derive = &wrap->form.derive;
	bool good = js_vault_source_parse(db_column_text(db, LOAD_WRAPS, 1), &wrap->form.source) &&
		    db_column_copy(db, LOAD_WRAPS, 2, wrap->fingerprint, sizeof wrap->fingerprint) &&
		    db_column_copy(db, LOAD_WRAPS, 6, wrap->wrapped, sizeof wrap->wrapped);
	wrap->time.us = db_column_i64(db, LOAD_WRAPS, 7);
	wrap->opened.us = db_column_i64(db, LOAD_WRAPS, 8);
	if (!good || wrap->form.source != JS_VAULT_PASSPHRASE)
		return good;
	derive->passes = (uint32_t)db_column_i64(db, LOAD_WRAPS, 4);
	derive->memory = (uint32_t)db_column_i64(db, LOAD_WRAPS, 5);
	return db_column_copy(db, LOAD_WRAPS, 3, derive->salt, sizeof derive->salt) &&
	       secret_derive_is_good(derive);
}

static enum status load_wraps(struct db *db, struct js_vault_rows *rows)
{
	enum db_step step;
	while ((step = db_step(db, LOAD_WRAPS)) == DB_ROW) {
		if (rows->wrap_count < JS_VAULT_WRAPS && read_wrap(db, &rows->wraps[rows->wrap_count])) {
			rows->wrap_count++;
			continue;
		}
		db_reset(db, LOAD_WRAPS);
		return js_store_damaged("vault_wraps");
	}
	if (step == DB_FAILED)
		return db_step_status(db);
	return rows->wrap_count > 0 ? ST_OK : js_store_damaged("vault_wraps");
}

/* No vault yet: of a new file, or of one from before. */
static enum status look_for_use(struct db *db, bool *used)
{
	enum db_step step = db_step(db, IS_USED);
	if (step != DB_ROW)
		return step == DB_FAILED ? db_step_status(db) : js_store_damaged("devices");
	*used = db_column_i64(db, IS_USED, 0) != 0;
	db_reset(db, IS_USED);
	return ST_NOT_FOUND;
}

enum status js_store_load_vault(void *ctx, struct js_vault_rows *rows, bool *used)
{
	struct db *db = ctx;
	enum db_step step = db_step(db, LOAD_VAULT);
	if (step == DB_DONE)
		return look_for_use(db, used);
	if (step == DB_FAILED)
		return db_step_status(db);
	struct js_vault_rows read = {.before = db_column_i64(db, LOAD_VAULT, 1) != 0,
				     .has_box = !db_column_is_null(db, LOAD_VAULT, 2),
				     .has_audit_key = !db_column_is_null(db, LOAD_VAULT, 5),
				     .made.us = db_column_i64(db, LOAD_VAULT, 3),
				     .rotated.us = db_column_i64(db, LOAD_VAULT, 4)};
	bool good = db_column_copy(db, LOAD_VAULT, 0, read.mark_key, sizeof read.mark_key) &&
		    (!read.has_audit_key ||
		     db_column_copy(db, LOAD_VAULT, 5, read.audit_key, sizeof read.audit_key)) &&
		    (!read.has_box || db_column_copy(db, LOAD_VAULT, 2, read.box, sizeof read.box));
	db_reset(db, LOAD_VAULT);
	enum status status = good ? load_wraps(db, &read) : js_store_damaged("vault");
	if (status == ST_OK)
		*rows = read;
	*used = true;
	return status;
}

static enum status save_wrap(struct db *db, const struct js_vault_wrap *wrap)
{
	bool derived = wrap->form.source == JS_VAULT_PASSPHRASE;
	const struct secret_derive *derive = &wrap->form.derive;
	db_bind_i64(db, SAVE_WRAP, 1, (int64_t)wrap->id);
	db_bind_text(db, SAVE_WRAP, 2, js_vault_source_name(wrap->form.source));
	db_bind_blob(db, SAVE_WRAP, 3, wrap->fingerprint, sizeof wrap->fingerprint);
	if (derived) {
		db_bind_blob(db, SAVE_WRAP, 4, derive->salt, sizeof derive->salt);
		db_bind_i64(db, SAVE_WRAP, 5, derive->passes);
		db_bind_i64(db, SAVE_WRAP, 6, derive->memory);
	} else {
		for (int parameter = 4; parameter <= 6; parameter++)
			db_bind_null(db, SAVE_WRAP, parameter);
	}
	db_bind_blob(db, SAVE_WRAP, 7, wrap->wrapped, sizeof wrap->wrapped);
	db_bind_i64(db, SAVE_WRAP, 8, wrap->time.us);
	if (wrap->opened.us)
		db_bind_i64(db, SAVE_WRAP, 9, wrap->opened.us);
	else
		db_bind_null(db, SAVE_WRAP, 9);
	return db_run(db, SAVE_WRAP);
}

enum status js_store_save_vault(void *ctx, const struct js_vault_rows *rows)
{
	struct db *db = ctx;
	enum status status = js_store_begin(db);
	if (status != ST_OK)
		return status;
	db_bind_blob(db, SAVE_VAULT, 1, rows->mark_key, sizeof rows->mark_key);
	db_bind_i64(db, SAVE_VAULT, 2, rows->before);
	if (rows->has_box)
		db_bind_blob(db, SAVE_VAULT, 3, rows->box, sizeof rows->box);
	else
		db_bind_null(db, SAVE_VAULT, 3);
	db_bind_i64(db, SAVE_VAULT, 4, rows->made.us);
	if (rows->rotated.us)
		db_bind_i64(db, SAVE_VAULT, 5, rows->rotated.us);
	else
		db_bind_null(db, SAVE_VAULT, 5);
	if (rows->has_audit_key)
		db_bind_blob(db, SAVE_VAULT, 6, rows->audit_key, sizeof rows->audit_key);
	else
		db_bind_null(db, SAVE_VAULT, 6);
	status = db_run(db, SAVE_VAULT);
	if (status == ST_OK)
		status = db_run(db, REMOVE_WRAPS);
	for (size_t i = 0; i < rows->wrap_count && status == ST_OK; i++)
		status = save_wrap(db, &rows->wraps[i]);
	return status;
}
