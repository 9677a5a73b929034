/* The vault: one random key seals everything secret in join.db (key_vault.h, keks.h); it stands there wrapped under the master
 * key, which a file, a credential of systemd or a passphrase gives at the start. So a rotation of the master key wraps one key
 * anew and touches nothing else.
 *
 *	master key ──wraps──▶ vault key ──seals──▶ root keys, KEKs, the box key, the mark key, the audit's key
 *
 * There are two wraps, under the old and the new master key, from a rotation until the new one is known to be in its place; either
 * opens the vault, so a crash at any instant leaves one that opens.
 *
 * The mark key makes the marks of nonces (key_vault.h). It never changes: with another one every device would look as if it had
 * a new root key, and its used DevNonces would be forgotten. A database of before the vault has its old master key as mark key,
 * and root keys that are still sealed under it (`before`) until they have been sealed anew (reseal.h).
 *
 * The audit's key signs heads of the audit (common/crypto/audit_chain.h). A vault of before it gets one when it is opened.
 *
 * Pure over its rows; what is written and when is the caller's. */
#ifndef LAMPPOST_JOIN_SERVER_VAULT_H
#define LAMPPOST_JOIN_SERVER_VAULT_H

#include "common/base/status.h"
#include "common/base/units.h"
#include "common/crypto/secret.h"

#define JS_VAULT_WRAPS            2
#define JS_VAULT_SEALED           (SECRET_KEY + SECRET_SEAL_OVERHEAD)
#define JS_VAULT_FINGERPRINT      16
#define JS_VAULT_FINGERPRINT_TEXT 40

enum js_vault_source { JS_VAULT_FILE, JS_VAULT_CREDENTIAL, JS_VAULT_PASSPHRASE, JS_VAULT_SOURCE_COUNT };
const char *js_vault_source_name(enum js_vault_source source); /* "file", "credential", "passphrase" */
bool js_vault_source_parse(const char *text, enum js_vault_source *source);

/* How a master key comes to be. */
struct js_vault_form {
	enum js_vault_source source;
	struct secret_derive derive; /* JS_VAULT_PASSPHRASE */
};

struct js_vault_wrap {
	uint64_t id;
	struct js_vault_form form;
	uint8_t fingerprint[JS_VAULT_FINGERPRINT]; /* of the master key */
	uint8_t wrapped[JS_VAULT_SEALED];
	struct wall time;
	struct wall opened; /* last start with it; 0: none yet */
};

/* What is stored. */
struct js_vault_rows {
	uint8_t mark_key[JS_VAULT_SEALED];
	bool before;
	bool has_audit_key;
	uint8_t audit_key[JS_VAULT_SEALED]; /* Ed25519's seed */
	bool has_box;
	uint8_t box[JS_VAULT_SEALED];
	struct wall made;
	struct wall rotated;                        /* 0: never */
	struct js_vault_wrap wraps[JS_VAULT_WRAPS]; /* the newest last */
	size_t wrap_count;
};

struct js_vault {
	struct js_vault_rows rows;
	struct secret_master *key;      /* owned; NULL: not open */
	struct secret_master *mark_key; /* owned */
	struct secret_signer *signer;   /* owned: of the audit's heads */
	bool made_signer;               /* there was none yet */
	uint64_t opened_by;             /* id of the wrap */
};

void js_vault_fingerprint(uint8_t fingerprint[JS_VAULT_FINGERPRINT], const struct secret_master *master);
/* For people: "abcd-efgh-ijkm-npqr-..." */
void js_vault_fingerprint_text(char text[JS_VAULT_FINGERPRINT_TEXT],
			       const uint8_t fingerprint[JS_VAULT_FINGERPRINT]);

/* Makes a new vault, open, under a master key. `before`: the database has root keys that are sealed under that master key
 * itself. ST_NO_MEMORY. */
enum status js_vault_make(struct js_vault *vault, const struct secret_master *master,
			  const struct js_vault_form *form, bool before, struct wall now) MUST_USE;
/* Opens rows that were loaded. ST_NOT_FOUND: no wrap is of that master key; ST_REFUSED: one is, and does not open, or the mark key
 * or the audit's key does not: the file is damaged. */
enum status js_vault_open(struct js_vault *vault, const struct js_vault_rows *rows,
			  const struct secret_master *master, struct wall now) MUST_USE;
/* Adds a wrap under a new master key, the newest from then on; `keep` says whether the one that opened the vault goes on opening it.
 * Any other goes. */
void js_vault_rewrap(struct js_vault *vault, const struct secret_master *master,
		     const struct js_vault_form *form, bool keep, struct wall now);
/* Takes all wraps away but the newest. False: there was but one. */
bool js_vault_settle(struct js_vault *vault);
const struct js_vault_wrap *js_vault_newest(const struct js_vault_rows *rows);
/* The box key, sealed in the rows: kept; given as a box, the caller's (NULL: none, or damaged). */
void js_vault_keep_box(struct js_vault *vault, const struct secret_box *box);
struct secret_box *js_vault_take_box(const struct js_vault *vault);
/* Wipes. */
void js_vault_release(struct js_vault *vault);

#endif
