#include "join-server/edge_vault.h"

#include "common/base/deadlines.h"
#include "common/base/log.h"
#include "common/io/key_file.h"
#include "join-server/reseal.h"
#include "join-server/store_sqlite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void js_vault_new_path(char path[JS_MASTER_PATH + 8], const char *of)
{
	snprintf(path, JS_MASTER_PATH + 8, "%s.new", of);
}

static enum status refuse(struct js_edge_vault *vault, const char *reason, const char *advice)
{
	vault->refused = true;
	LOG_ERROR("vault_refused", "reason=\"%s\" try=\"%s\"", reason, advice);
	return ST_REFUSED;
}

/* --- a database without a vault ------------------------------------------------------------------------------ */

static enum status make(struct js_edge_vault *vault, bool used, struct now now)
{
	struct js_vault_form form = {.source = vault->master.source};
	if (used && form.source != JS_VAULT_FILE)
		return refuse(vault, "this join.db is of before the vault: its keys are sealed under a file",
			      "start once with the old join-server.master_key, then lamppost vault rotate");
	if (form.source == JS_VAULT_PASSPHRASE)
		form.derive = secret_derive_new();
	struct secret_master *key = js_master_for(&vault->master, &form);
	if (!key)
		return ST_NO_MEMORY;
	enum status status = js_vault_make(&vault->vault, key, &form, used, now.wall);
	if (status == ST_OK)
		js_master_tell(&vault->master, key);
	secret_master_free(key);
	vault->made = status == ST_OK;
	return status;
}

/* --- a vault ----------------------------------------------------------------------------------------------------- */

/* The file of a rotation that was under way when the process ended. Once its wrap was committed it is the master key, and only its name is
 * missing; else it never became one. */
static enum status open_with_new_file(struct js_edge_vault *vault, const struct js_vault_rows *rows,
				      struct now now)
{
	char path[JS_MASTER_PATH + 8];
	uint8_t bytes[SECRET_KEY];
	js_vault_new_path(path, vault->master.path);
	if (vault->master.source != JS_VAULT_FILE || key_file_read(path, bytes, sizeof bytes) != KEY_FILE_OK)
		return ST_NOT_FOUND;
	struct secret_master *key = secret_master_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	enum status status = key ? js_vault_open(&vault->vault, rows, key, now.wall) : ST_NO_MEMORY;
	secret_master_free(key);
	if (status == ST_OK && key_file_replace(path, vault->master.path) != KEY_FILE_OK) {
		js_vault_release(&vault->vault);
		status = ST_IO;
	}
	if (status == ST_OK)
		LOG_INFO("vault_rotation_finished", "file=%s", vault->master.path);
	else if (status == ST_NOT_FOUND && unlink(path) == 0)
		LOG_INFO("vault_rotation_undone", "file=%s", path);
	return status;
}

static enum status open_rows(struct js_edge_vault *vault, const struct js_vault_rows *rows, struct now now)
{
	enum status status = ST_NOT_FOUND;
	for (size_t i = rows->wrap_count; i-- > 0 && status == ST_NOT_FOUND;) {
		struct secret_master *key = js_master_for(&vault->master, &rows->wraps[i].form);
		if (!key)
			continue;
		status = js_vault_open(&vault->vault, rows, key, now.wall);
		if (status == ST_OK)
			js_master_tell(&vault->master, key);
		secret_master_free(key);
	}
	return status;
}

static enum status refuse_key(struct js_edge_vault *vault, const struct js_vault_rows *rows)
{
	char reason[256], wanted[JS_VAULT_FINGERPRINT_TEXT];
	const struct js_vault_wrap *newest = js_vault_newest(rows);
	js_vault_fingerprint_text(wanted, newest->fingerprint);
	if (vault->master.source == JS_VAULT_PASSPHRASE && newest->form.source == JS_VAULT_PASSPHRASE)
		return refuse(vault, "the passphrase is wrong", "start again and type it anew");
	snprintf(reason, sizeof reason,
		 "the master key is not this vault's, which is a %s with fingerprint %s",
		 js_vault_source_name(newest->form.source), wanted);
	return refuse(vault, reason,
		      "put the right key back from its backup, or set join-server.master_key to where it is");
}

static enum status open_existing(struct js_edge_vault *vault, const struct js_vault_rows *rows,
				 struct now now)
{
	enum status status = open_with_new_file(vault, rows, now);
	if (status == ST_NOT_FOUND)
		status = open_rows(vault, rows, now);
	if (status == ST_NOT_FOUND)
		return refuse_key(vault, rows);
	if (status == ST_REFUSED)
		return refuse(vault, "the vault's rows in join.db are damaged",
			      "restore join.db from a backup");
	if (status != ST_OK)
		return status;
	bool newest = vault->vault.opened_by == js_vault_newest(&vault->vault.rows)->id;
	vault->settled = newest && js_vault_settle(&vault->vault);
	if (!newest)
		LOG_WARN("vault_rotation_waits", "reason=\"the old master key opened it\"");
	return ST_OK;
}

/* --- the box key --------------------------------------------------------------------------------------------- */

/* A copy of it stands in the vault, so that its file may go where a file is not wanted. Where there is a file, it wins. */
static enum status settle_box(struct js_edge_vault *vault, struct secret_box **box)
{
	struct secret_box *kept = js_vault_take_box(&vault->vault);
	if (!*box && !kept)
		return refuse(vault, "the box key is missing: keys that are on their way cannot be opened",
			      "restore keys/join-server.box from a backup");
	if (!*box) {
		*box = kept;
		return ST_OK;
	}
	if (!kept || !secret_equal(secret_box_secret(kept), secret_box_secret(*box), SECRET_KEY)) {
		js_vault_keep_box(&vault->vault, *box);
		vault->kept_box = true;
	}
	secret_box_free(kept);
	return ST_OK;
}

enum status js_edge_vault_look(const struct config_common *common, const struct js_config *config)
{
	struct js_master master;
	char problem[CONFIG_ERROR_MAX], path[JS_MASTER_PATH + 8];
	bool good = js_master_parse(&master, common, config, problem);
	js_vault_new_path(path, master.path);
	if (good && (master.source == JS_VAULT_PASSPHRASE || key_file_exists(master.path) ||
		     (master.source == JS_VAULT_FILE && key_file_exists(path))))
		return ST_OK;
	if (good)
		snprintf(problem, sizeof problem,
			 "the master key %.300s is missing. Try: restore it from a backup; "
			 "without a join.db beside it, lamppost init makes it",
			 master.path);
	LOG_ERROR("master_key_refused", "reason=\"%s\"", problem);
	return ST_REFUSED;
}

enum status js_edge_vault_open(struct js_edge_vault *vault, struct db *db, const struct config_common *common,
			       const struct js_config *config, struct secret_box **box, struct now now)
{
	struct js_vault_rows rows;
	bool used = false;
	char problem[CONFIG_ERROR_MAX];
	vault->db = db;
	vault->store = js_store_sqlite(db);
	vault->reseal_due = MONO_NEVER;
	enum status status = vault->store.load_vault(vault->store.ctx, &rows, &used);
	if (status != ST_OK && status != ST_NOT_FOUND)
		return status;
	if (!js_master_parse(&vault->master, common, config, problem) ||
	    !js_master_read(&vault->master, status == ST_NOT_FOUND, problem)) {
		LOG_ERROR("master_key_refused", "reason=\"%s\"", problem);
		js_master_forget(&vault->master);
		return ST_REFUSED;
	}
	status = status == ST_OK ? open_existing(vault, &rows, now) : make(vault, used, now);
	js_master_forget(&vault->master);
	if (status == ST_OK)
		status = settle_box(vault, box);
	if (status == ST_OK)
		status = vault->store.save_vault(vault->store.ctx, &vault->vault.rows);
	if (status == ST_OK && vault->vault.rows.before)
		vault->reseal_due = now.mono;
	return status;
}

struct js_key_vault js_edge_vault_keys(const struct js_edge_vault *vault, const struct secret_box *box)
{
	const struct js_vault *opened = &vault->vault;
	return (struct js_key_vault){.master = opened->key,
				     .box = box,
				     .mark = opened->mark_key,
				     .before = opened->rows.before ? opened->mark_key : NULL};
}

enum status js_edge_vault_begin(struct js_edge_vault *vault, struct js_join *join, struct now now)
{
	const struct {
		bool done;
		enum js_audit_what what;
	} rows[] = {{vault->made, vault->vault.rows.before ? JS_AUDIT_VAULT_TAKEN_OVER : JS_AUDIT_VAULT_MADE},
		    {vault->settled, JS_AUDIT_SETTLE},
		    {vault->kept_box, JS_AUDIT_BOX_KEPT}};
	const char *source = js_vault_source_name(js_vault_newest(&vault->vault.rows)->form.source);
	enum status status = ST_OK;
	vault->join = join;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0] && status == ST_OK; i++)
		if (rows[i].done)
			status = js_audit_write(&join->audit, &vault->store, now.wall, "join-server",
						rows[i].what, source, "at the start");
	char fingerprint[SECRET_FINGERPRINT_TEXT];
	secret_fingerprint(fingerprint, secret_signer_public(vault->vault.signer));
	if (status == ST_OK && vault->vault.made_signer)
		status = js_audit_write(&join->audit, &vault->store, now.wall, "join-server", JS_AUDIT_SIGNER,
					"signs heads of this audit", fingerprint);
	vault->vault.made_signer = false;
	return status == ST_OK ? js_store_commit(vault->db) : status;
}

/* --- sealing anew ---------------------------------------------------------------------------------------------- */

enum status js_edge_vault_on_tick(struct js_edge_vault *vault, struct now now)
{
	bool done = false;
	if (vault->reseal_due.us > now.mono.us)
		return ST_OK;
	enum status status = js_reseal_slice(vault->join, JS_RESEAL_SLICE, &vault->reseal_at,
					     &vault->counters.resealed, &done);
	vault->reseal_due = mono_add(now.mono, JS_RESEAL_INTERVAL_US);
	if (status != ST_OK || !done)
		return status;
	vault->reseal_due = MONO_NEVER;
	vault->vault.rows.before = false;
	vault->join->options.vault.before = NULL;
	status = vault->store.save_vault(vault->store.ctx, &vault->vault.rows);
	if (status != ST_OK)
		return status;
	return js_audit_write(&vault->join->audit, &vault->store, now.wall, "join-server", JS_AUDIT_RESEALED,
			      "root keys", "the old master key opens nothing in join.db any more");
}

struct mono js_edge_vault_next_deadline(const struct js_edge_vault *vault)
{
	return vault->reseal_due;
}

void js_edge_vault_release(struct js_edge_vault *vault)
{
	js_master_forget(&vault->master);
	js_vault_release(&vault->vault);
}
