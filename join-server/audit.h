/* The join server's audit: who did what to the vault and who read of it what only administrators may. A row is written in the turn
 * of the deed, so that there is no deed without its row, and nothing leaves before the row is on the disk. Rows hang together
 * (common/crypto/audit_chain.h) under a key that the vault makes. Append-only, kept for ever: people act rarely. Nothing secret is
 * ever a detail; a key is named by the fingerprint of what it was sealed to.
 *
 * Reads of the same kind by the same user are one row an hour, so that who polls does not fill the file. */
#ifndef LAMPPOST_JOIN_SERVER_AUDIT_H
#define LAMPPOST_JOIN_SERVER_AUDIT_H

#include "common/base/units.h"
#include "common/crypto/audit_chain.h"
#include "join-server/store.h"

#define JS_AUDIT_ROWS_MAX  10000000u /* beyond it nothing is done that would need a row */
#define JS_AUDIT_READERS   32        /* kinds of read by users, remembered for the hour */
#define JS_AUDIT_READ_SPAN (3600 * US_PER_S)

enum js_audit_what {
	JS_AUDIT_VAULT_MADE,
	JS_AUDIT_VAULT_TAKEN_OVER, /* a database of before the vault */
	JS_AUDIT_ROTATE,
	JS_AUDIT_SETTLE, /* the old master key opens nothing any more */
	JS_AUDIT_RESEALED,
	JS_AUDIT_BOX_KEPT,
	JS_AUDIT_SIGNER, /* the key of heads was made */
	JS_AUDIT_EXPORT,
	JS_AUDIT_IMPORT,
	JS_AUDIT_KEK_PUT,
	JS_AUDIT_KEK_DELETE,
	JS_AUDIT_ALLOW_ONCE,
	JS_AUDIT_ALLOW_WITHDRAW,
	JS_AUDIT_READ_STATUS,
	JS_AUDIT_READ_AUDIT,
	JS_AUDIT_READ_KEKS,
	JS_AUDIT_COUNT
};
const char *js_audit_name(enum js_audit_what what); /* "rotate", "export"... */

struct js_audit {
	uint8_t key[SECRET_HASH];
	uint64_t seq; /* of the newest row; 0: none */
	uint8_t head[SECRET_HASH];
	uint64_t written; /* since the start */
	struct {
		char who[JS_AUDIT_WHO];
		enum js_audit_what what;
		struct wall time;
	} readers[JS_AUDIT_READERS];
	size_t reader_at;
};

/* Reads the newest row. `secret`: what the chain's key is made of. ST_DATABASE. */
enum status js_audit_init(struct js_audit *audit, const struct js_store *store,
			  const struct secret_master *secret) MUST_USE;
/* Writes a row, in the turn. ST_REFUSED: the audit is full, so the deed must not be done. Logged as well, with its hash. */
enum status js_audit_write(struct js_audit *audit, const struct js_store *store, struct wall now,
			   const char *who, enum js_audit_what what, const char *subject,
			   const char *detail) MUST_USE;
/* The same for a read: once an hour for a user and kind. */
enum status js_audit_read(struct js_audit *audit, const struct js_store *store, struct wall now,
			  const char *who, enum js_audit_what what) MUST_USE;
/* The head as it is now, signed. */
struct audit_head js_audit_head(const struct js_audit *audit, struct wall now,
				const struct secret_signer *signer);
/* Whether a row is what its hash says, behind the hash `before`. */
bool js_audit_is_good(const struct js_audit *audit, const struct js_audit_row *row,
		      const uint8_t before[SECRET_HASH]);

#endif
