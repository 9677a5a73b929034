#include "join-server/edge_rotate.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/key_file.h"
#include "join-server/store_sqlite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TO_FILE_ROWS 2 /* of the audit: rotate, settle */

static const struct {
	int code;
	const char *reason;
} results[JS_ROTATE_RESULT_COUNT] = {
	[JS_ROTATED] = {200, ""},
	[JS_ROTATED_WAITS] = {200, ""},
	[JS_ROTATE_FILE] =
		{409, "the key file's folder cannot be written: see its mode, the space that is left, and "
		      "ReadWritePaths= of the unit"},
	[JS_ROTATE_FILE_THERE] = {409, "a key file stands there already, of another time: move it away"},
	[JS_ROTATE_NOT_FOR_US] = {422, "the new key is not sealed to this join server"},
	[JS_ROTATE_SAME_KEY] = {409, "that is the master key already"},
	[JS_ROTATE_AUDIT_FULL] = {507, "the audit is full, and nothing is done without its row"},
	[JS_ROTATE_UNSYNCED] =
		{500, "the new key stands in its file, but the folder could not be synced: the old "
		      "key opens the vault as well until the join server is restarted on a disk that "
		      "is well"},
	[JS_ROTATE_NO_MEMORY] = {500, "no memory"},
	[JS_ROTATE_FAILED] = {500, "the database could not be written: the old key goes on"},
};

int js_rotate_code(enum js_rotate_result result)
{
	ASSERT_CMP((unsigned)result, <, JS_ROTATE_RESULT_COUNT);
	return results[result].code;
}

const char *js_rotate_reason(enum js_rotate_result result)
{
	ASSERT_CMP((unsigned)result, <, JS_ROTATE_RESULT_COUNT);
	return results[result].reason;
}

static void step(const struct js_rotate_order *order, int number)
{
	if (order->after_step)
		order->after_step(order->ctx, number);
}

static bool is_known(const struct js_vault_rows *rows, const struct secret_master *key)
{
	uint8_t fingerprint[JS_VAULT_FINGERPRINT];
	js_vault_fingerprint(fingerprint, key);
	for (size_t i = 0; i < rows->wrap_count; i++)
		if (secret_equal(rows->wraps[i].fingerprint, fingerprint, sizeof fingerprint))
			return true;
	return false;
}

/* Audits and saves; durable when it returns. On a failure the rows in memory are as they were, and the turn fails with all that is in it:
 * what else it wrote was rolled back. */
static enum js_rotate_result save(struct js_edge_vault *vault, struct now now, const char *who,
				  enum js_audit_what what, const struct js_vault_rows *before)
{
	char detail[JS_AUDIT_DETAIL], fingerprint[JS_VAULT_FINGERPRINT_TEXT];
	const struct js_vault_wrap *newest = js_vault_newest(&vault->vault.rows);
	js_vault_fingerprint_text(fingerprint, newest->fingerprint);
	snprintf(detail, sizeof detail, "fingerprint %s", fingerprint);
	enum status status = js_join_flush(vault->join);
	if (status == ST_OK)
		status = js_audit_write(&vault->join->audit, &vault->store, now.wall, who, what,
					js_vault_source_name(newest->form.source), detail);
	bool full = status == ST_REFUSED;
	if (status == ST_OK)
		status = vault->store.save_vault(vault->store.ctx, &vault->vault.rows);
	if (status == ST_OK)
		status = js_store_commit(vault->db);
	if (status == ST_OK)
		return JS_ROTATED;
	vault->vault.rows = *before;
	vault->failed = !full;
	return full ? JS_ROTATE_AUDIT_FULL : JS_ROTATE_FAILED;
}

static enum js_rotate_result write_key(const char *path, const struct secret_master *key)
{
	unlink(path); /* of a rotation that never became one */
	enum key_file_verdict verdict = key_file_create(path, secret_master_bytes(key), SECRET_KEY, 0600);
	if (verdict == KEY_FILE_OK)
		return JS_ROTATED;
	LOG_WARN("key_file_failed", "file=%s reason=%s", path, key_file_verdict_name(verdict));
	return JS_ROTATE_FILE;
}

/* FILE.new is written and its wrap committed: it takes its place, and the old wrap goes if the configuration reads that file. Once the
 * name is changed the old key may stand nowhere any more, so nothing is undone then. */
static enum js_rotate_result finish_file(struct js_edge_vault *vault, struct now now,
					 const struct js_rotate_order *order, const char *from,
					 const char *to, bool in_place, const struct js_vault_rows *before)
{
	if (key_file_replace(from, to) != KEY_FILE_OK) {
		LOG_ERROR("key_file_failed", "file=%s", to);
		if (!key_file_exists(from)) {
			vault->vault.opened_by = js_vault_newest(&vault->vault.rows)->id;
			return JS_ROTATE_UNSYNCED;
		}
		vault->vault.rows = *before;
		enum js_rotate_result undone = save(vault, now, order->who, JS_AUDIT_SETTLE,
						    &vault->vault.rows);
		return undone == JS_ROTATED ? JS_ROTATE_FILE : undone;
	}
	step(order, 3);
	if (!in_place)
		return JS_ROTATED_WAITS;
	const struct js_vault_rows both = vault->vault.rows;
	js_vault_settle(&vault->vault);
	enum js_rotate_result result = save(vault, now, order->who, JS_AUDIT_SETTLE, &both);
	if (result == JS_ROTATED)
		step(order, 4);
	return result;
}

static enum js_rotate_result to_file(struct js_edge_vault *vault, struct now now,
				     const struct js_rotate_order *order, const char *file)
{
	char path[JS_MASTER_PATH + 8];
	bool in_place = vault->master.source == JS_VAULT_FILE && strcmp(vault->master.path, file) == 0;
	if (!in_place && key_file_exists(file))
		return JS_ROTATE_FILE_THERE;
	if (vault->join->audit.seq + TO_FILE_ROWS > JS_AUDIT_ROWS_MAX)
		return JS_ROTATE_AUDIT_FULL;
	struct secret_master *key = secret_master_generate();
	if (!key)
		return JS_ROTATE_NO_MEMORY;
	js_vault_new_path(path, file);
	const struct js_vault_rows before = vault->vault.rows;
	enum js_rotate_result result = write_key(path, key);
	if (result == JS_ROTATED) {
		step(order, 1);
		js_vault_rewrap(&vault->vault, key, &order->form, true, now.wall);
		result = save(vault, now, order->who, JS_AUDIT_ROTATE, &before);
		/* A commit that failed may be on the disk all the same: the next start looks. */
		if (result == JS_ROTATE_AUDIT_FULL)
			unlink(path);
	}
	secret_master_free(key);
	if (result != JS_ROTATED)
		return result;
	step(order, 2);
	return finish_file(vault, now, order, path, file, in_place, &before);
}

static enum js_rotate_result to_given(struct js_edge_vault *vault, struct now now,
				      const struct js_rotate_order *order)
{
	if (is_known(&vault->vault.rows, order->key))
		return JS_ROTATE_SAME_KEY;
	/* The same kind of passphrase is asked for at the next start as at this one: nothing has to be set. */
	bool at_once = order->form.source == JS_VAULT_PASSPHRASE &&
		       vault->master.source == JS_VAULT_PASSPHRASE;
	const struct js_vault_rows before = vault->vault.rows;
	uint64_t opened_by = vault->vault.opened_by;
	js_vault_rewrap(&vault->vault, order->key, &order->form, !at_once, now.wall);
	enum js_rotate_result result = save(vault, now, order->who, JS_AUDIT_ROTATE, &before);
	if (result != JS_ROTATED) {
		vault->vault.opened_by = opened_by;
		return result;
	}
	if (at_once)
		js_master_tell(&vault->master, order->key);
	step(order, 2);
	return at_once ? JS_ROTATED : JS_ROTATED_WAITS;
}

enum js_rotate_result js_rotate(struct js_edge_vault *vault, struct now now,
				const struct js_rotate_order *order, const char *file)
{
	ASSERT(order->key || order->form.source == JS_VAULT_FILE);
	enum js_rotate_result result = order->form.source == JS_VAULT_FILE ? to_file(vault, now, order, file)
									   : to_given(vault, now, order);
	vault->counters.rotations += result == JS_ROTATED || result == JS_ROTATED_WAITS;
	return result;
}
