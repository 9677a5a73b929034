#include "join-server/audit.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[JS_AUDIT_COUNT] = {
	[JS_AUDIT_VAULT_MADE] = "vault_made",
	[JS_AUDIT_VAULT_TAKEN_OVER] = "vault_taken_over",
	[JS_AUDIT_ROTATE] = "rotate",
	[JS_AUDIT_SETTLE] = "settle",
	[JS_AUDIT_RESEALED] = "resealed",
	[JS_AUDIT_BOX_KEPT] = "box_kept",
	[JS_AUDIT_SIGNER] = "audit_key_made",
	[JS_AUDIT_EXPORT] = "export",
	[JS_AUDIT_IMPORT] = "import",
	[JS_AUDIT_KEK_PUT] = "kek_put",
	[JS_AUDIT_KEK_DELETE] = "kek_delete",
	[JS_AUDIT_ALLOW_ONCE] = "allow_once",
	[JS_AUDIT_ALLOW_WITHDRAW] = "allow_withdraw",
	[JS_AUDIT_READ_STATUS] = "read_status",
	[JS_AUDIT_READ_AUDIT] = "read_audit",
	[JS_AUDIT_READ_KEKS] = "read_keks",
};

const char *js_audit_name(enum js_audit_what what)
{
	return (unsigned)what < JS_AUDIT_COUNT ? names[what] : "unknown";
}

enum status js_audit_init(struct js_audit *audit, const struct js_store *store,
			  const struct secret_master *secret)
{
	static const char label[] = "lamppost join-server audit";
	struct js_audit_row row;
	memset(audit, 0, sizeof *audit);
	secret_hmac_sha256(audit->key, secret_master_bytes(secret), SECRET_KEY, label, sizeof label - 1);
	enum status status = store->last_audit(store->ctx, &row);
	if (status == ST_NOT_FOUND)
		return ST_OK;
	if (status == ST_OK) {
		audit->seq = row.seq;
		memcpy(audit->head, row.hash, sizeof audit->head);
	}
	return status;
}

static void hash_of(const struct js_audit *audit, const struct js_audit_row *row,
		    const uint8_t before[SECRET_HASH], uint8_t hash[SECRET_HASH])
{
	const char *const texts[AUDIT_CHAIN_TEXTS] = {row->who, row->what, row->subject, row->detail};
	audit_chain_hash(hash, audit->key, before, row->seq, row->time, texts);
}

enum status js_audit_write(struct js_audit *audit, const struct js_store *store, struct wall now,
			   const char *who, enum js_audit_what what, const char *subject, const char *detail)
{
	if (audit->seq >= JS_AUDIT_ROWS_MAX)
		return ST_REFUSED;
	struct js_audit_row row = {.seq = audit->seq + 1, .time = now};
	snprintf(row.who, sizeof row.who, "%s", who);
	snprintf(row.what, sizeof row.what, "%s", js_audit_name(what));
	snprintf(row.subject, sizeof row.subject, "%s", subject);
	snprintf(row.detail, sizeof row.detail, "%s", detail);
	hash_of(audit, &row, audit->head, row.hash);
	enum status status = store->put_audit(store->ctx, &row);
	if (status != ST_OK)
		return status;
	audit->seq = row.seq;
	memcpy(audit->head, row.hash, sizeof audit->head);
	audit->written++;
	char head[17];
	hex_encode(head, row.hash, 8);
	LOG_INFO("audit", "seq=%" PRIu64 " what=%s who=\"%s\" subject=\"%s\" hash=%s", row.seq, row.what,
		 row.who, row.subject, head);
	return ST_OK;
}

enum status js_audit_read(struct js_audit *audit, const struct js_store *store, struct wall now,
			  const char *who, enum js_audit_what what)
{
	for (size_t i = 0; i < JS_AUDIT_READERS; i++) {
		if (audit->readers[i].time.us == 0 || audit->readers[i].what != what ||
		    strncmp(audit->readers[i].who, who, JS_AUDIT_WHO - 1) != 0)
			continue;
		if (now.us >= audit->readers[i].time.us &&
		    now.us - audit->readers[i].time.us < JS_AUDIT_READ_SPAN)
			return ST_OK;
		audit->readers[i].time.us = 0;
	}
	enum status status = js_audit_write(audit, store, now, who, what, "", "");
	if (status != ST_OK)
		return status;
	size_t at = audit->reader_at++ % JS_AUDIT_READERS;
	snprintf(audit->readers[at].who, JS_AUDIT_WHO, "%s", who);
	audit->readers[at].what = what;
	audit->readers[at].time = now;
	return ST_OK;
}

struct audit_head js_audit_head(const struct js_audit *audit, struct wall now,
				const struct secret_signer *signer)
{
	struct audit_head head = {.seq = audit->seq, .time = now};
	memcpy(head.hash, audit->head, sizeof head.hash);
	audit_head_sign(&head, signer);
	return head;
}

bool js_audit_is_good(const struct js_audit *audit, const struct js_audit_row *row,
		      const uint8_t before[SECRET_HASH])
{
	uint8_t hash[SECRET_HASH];
	hash_of(audit, row, before, hash);
	return secret_equal(hash, row->hash, sizeof hash);
}
