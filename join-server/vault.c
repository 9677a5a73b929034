#include "join-server/vault.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

/* Where a sealed value belongs: authenticated with it, so that one in the place of another does not open. */
static const char wrap_context[] = "join.db/vault_wraps", mark_context[] = "join.db/vault.mark_key",
		  box_context[] = "join.db/vault.box", audit_context[] = "join.db/vault.audit_key";

static const char *const source_names[JS_VAULT_SOURCE_COUNT] = {
	[JS_VAULT_FILE] = "file",
	[JS_VAULT_CREDENTIAL] = "credential",
	[JS_VAULT_PASSPHRASE] = "passphrase",
};

const char *js_vault_source_name(enum js_vault_source source)
{
	return (unsigned)source < JS_VAULT_SOURCE_COUNT ? source_names[source] : "unknown";
}

bool js_vault_source_parse(const char *text, enum js_vault_source *source)
{
	for (size_t i = 0; i < JS_VAULT_SOURCE_COUNT; i++) {
		if (strcmp(text, source_names[i]) != 0)
			continue;
		*source = (enum js_vault_source)i;
		return true;
	}
	return false;
}

void js_vault_fingerprint(uint8_t fingerprint[JS_VAULT_FINGERPRINT], const struct secret_master *master)
{
	static const char label[] = "lamppost master fingerprint";
	uint8_t mac[SECRET_HASH];
	secret_hmac_sha256(mac, secret_master_bytes(master), SECRET_KEY, label, sizeof label - 1);
	memcpy(fingerprint, mac, JS_VAULT_FINGERPRINT);
}

void js_vault_fingerprint_text(char text[JS_VAULT_FINGERPRINT_TEXT],
			       const uint8_t fingerprint[JS_VAULT_FINGERPRINT])
{
	static const char digits[] = "0123456789abcdef";
	char *out = text;
	for (size_t i = 0; i < JS_VAULT_FINGERPRINT; i++) {
		if (i > 0 && i % 2 == 0)
			*out++ = '-';
		*out++ = digits[fingerprint[i] >> 4];
		*out++ = digits[fingerprint[i] & 15];
	}
	*out = '\0';
}

static void wrap(struct js_vault *vault, struct js_vault_wrap *wrap, const struct secret_master *master,
		 const struct js_vault_form *form, uint64_t id, struct wall now)
{
	*wrap = (struct js_vault_wrap){.id = id, .form = *form, .time = now};
	js_vault_fingerprint(wrap->fingerprint, master);
	secret_seal(master, wrap_context, sizeof wrap_context, secret_master_bytes(vault->key), SECRET_KEY,
		    wrap->wrapped);
}

static enum status make_signer(struct js_vault *vault)
{
	uint8_t seed[SECRET_KEY];
	secret_random(seed, sizeof seed);
	vault->signer = secret_signer_from(seed);
	secret_seal(vault->key, audit_context, sizeof audit_context, seed, sizeof seed,
		    vault->rows.audit_key);
	secret_wipe(seed, sizeof seed);
	vault->rows.has_audit_key = vault->made_signer = vault->signer != NULL;
	return vault->signer ? ST_OK : ST_NO_MEMORY;
}

static enum status open_signer(struct js_vault *vault)
{
	uint8_t seed[SECRET_KEY];
	if (!vault->rows.has_audit_key)
		return make_signer(vault);
	if (secret_open(vault->key, audit_context, sizeof audit_context, vault->rows.audit_key,
			JS_VAULT_SEALED, seed) != ST_OK)
		return ST_REFUSED;
	vault->signer = secret_signer_from(seed);
	secret_wipe(seed, sizeof seed);
	return vault->signer ? ST_OK : ST_NO_MEMORY;
}

enum status js_vault_make(struct js_vault *vault, const struct secret_master *master,
			  const struct js_vault_form *form, bool before, struct wall now)
{
	memset(vault, 0, sizeof *vault);
	vault->key = secret_master_generate();
	vault->mark_key = before ? secret_master_from(secret_master_bytes(master)) : secret_master_generate();
	if (!vault->key || !vault->mark_key || make_signer(vault) != ST_OK) {
		js_vault_release(vault);
		return ST_NO_MEMORY;
	}
	vault->rows.before = before;
	vault->rows.made = now;
	secret_seal(vault->key, mark_context, sizeof mark_context, secret_master_bytes(vault->mark_key),
		    SECRET_KEY, vault->rows.mark_key);
	wrap(vault, &vault->rows.wraps[0], master, form, 1, now);
	vault->rows.wraps[0].opened = now;
	vault->rows.wrap_count = 1;
	vault->opened_by = 1;
	return ST_OK;
}

static enum status open_key(const struct secret_master *with, const char *context, size_t context_length,
			    const uint8_t sealed[JS_VAULT_SEALED], struct secret_master **key)
{
	uint8_t bytes[SECRET_KEY];
	enum status status = secret_open(with, context, context_length, sealed, JS_VAULT_SEALED, bytes);
	if (status != ST_OK)
		return ST_REFUSED;
	*key = secret_master_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	return *key ? ST_OK : ST_NO_MEMORY;
}

enum status js_vault_open(struct js_vault *vault, const struct js_vault_rows *rows,
			  const struct secret_master *master, struct wall now)
{
	uint8_t fingerprint[JS_VAULT_FINGERPRINT];
	js_vault_fingerprint(fingerprint, master);
	memset(vault, 0, sizeof *vault);
	vault->rows = *rows;
	struct js_vault_wrap *found = NULL;
	for (size_t i = 0; i < rows->wrap_count; i++)
		if (secret_equal(rows->wraps[i].fingerprint, fingerprint, sizeof fingerprint))
			found = &vault->rows.wraps[i];
	if (!found)
		return ST_NOT_FOUND;
	enum status status = open_key(master, wrap_context, sizeof wrap_context, found->wrapped, &vault->key);
	if (status == ST_OK)
		status = open_key(vault->key, mark_context, sizeof mark_context, vault->rows.mark_key,
				  &vault->mark_key);
	if (status == ST_OK)
		status = open_signer(vault);
	if (status != ST_OK) {
		js_vault_release(vault);
		return status;
	}
	vault->opened_by = found->id;
	found->opened = now;
	return ST_OK;
}

void js_vault_rewrap(struct js_vault *vault, const struct secret_master *master,
		     const struct js_vault_form *form, bool keep, struct wall now)
{
	struct js_vault_rows *rows = &vault->rows;
	uint64_t id = js_vault_newest(rows)->id + 1;
	size_t kept = 0;
	for (size_t i = 0; i < rows->wrap_count; i++)
		if (keep && rows->wraps[i].id == vault->opened_by)
			rows->wraps[kept++] = rows->wraps[i];
	wrap(vault, &rows->wraps[kept++], master, form, id, now);
	rows->wrap_count = kept;
	rows->rotated = now;
	if (!keep)
		vault->opened_by = id;
}

bool js_vault_settle(struct js_vault *vault)
{
	struct js_vault_rows *rows = &vault->rows;
	if (rows->wrap_count < 2)
		return false;
	rows->wraps[0] = rows->wraps[rows->wrap_count - 1];
	rows->wrap_count = 1;
	secret_wipe(&rows->wraps[1], sizeof rows->wraps[1]);
	vault->opened_by = rows->wraps[0].id;
	return true;
}

const struct js_vault_wrap *js_vault_newest(const struct js_vault_rows *rows)
{
	ASSERT_CMP(rows->wrap_count, >, 0);
	return &rows->wraps[rows->wrap_count - 1];
}

void js_vault_keep_box(struct js_vault *vault, const struct secret_box *box)
{
	secret_seal(vault->key, box_context, sizeof box_context, secret_box_secret(box), SECRET_KEY,
		    vault->rows.box);
	vault->rows.has_box = true;
}

struct secret_box *js_vault_take_box(const struct js_vault *vault)
{
	uint8_t bytes[SECRET_KEY];
	if (!vault->rows.has_box || secret_open(vault->key, box_context, sizeof box_context, vault->rows.box,
						JS_VAULT_SEALED, bytes) != ST_OK)
		return NULL;
	struct secret_box *box = secret_box_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	return box;
}

void js_vault_release(struct js_vault *vault)
{
	secret_master_free(vault->key);
	secret_master_free(vault->mark_key);
	secret_signer_free(vault->signer);
	secret_wipe(vault, sizeof *vault);
}
