/* The other half of an export (vault_orders.h): what another join server used up with a device's root key is used up here as well, so that no
 * DevNonce is taken twice and no JoinNonce given twice when a device changes its join server. Pure over its store.
 *
 *	{"sealed": BASE64 of a page, sealed to our box; "who"?}
 *	{"devices": N, "changed": N, "known": N, "unregistered": N, "refused": [{"dev_eui", "reason"}]}
 *
 * Root keys come with a page, and only tell which key the nonces were used with (its mark, key_vault.h): which devices there are, and with
 * which keys, is the city's word alone (provisioning.h). A device that is not registered here yet has its nonces kept until it is; with another key than
 * the imported one it then begins anew, as ever.
 *
 * A page is one commit, and taking it twice changes nothing but the audit: a process that was killed, or a file that was sent again, does
 * no harm. */
#ifndef LAMPPOST_JOIN_SERVER_VAULT_IMPORT_H
#define LAMPPOST_JOIN_SERVER_VAULT_IMPORT_H

#include "common/crypto/vault_seal.h"
#include "join-server/join.h"
#include "join-server/vault_orders.h"

#include <jansson.h>

struct js_import_order {
	uint8_t sealed[VAULT_PAGE_SEALED];
	size_t length;
	char who[JS_AUDIT_WHO];
};

/* Why a device of a page is left as it is. */
enum js_import_refusal {
	JS_IMPORT_TAKEN = 0,
	JS_IMPORT_NO_KEY,      /* the record has not the key that its version joins with */
	JS_IMPORT_MALFORMED,   /* a version or nonces that cannot be */
	JS_IMPORT_ANOTHER_KEY, /* it is registered here with another root key */
	JS_IMPORT_OTHERS_NONCES, /* not registered, and its nonces here are of another key, which they would be lost with */
	JS_IMPORT_REFUSAL_COUNT
};
const char *js_import_refusal_name(enum js_import_refusal refusal); /* "no_key", "malformed"... */

struct js_imported {
	size_t devices, changed, known, unregistered, refused_count;
	struct {
		struct lw_eui64 dev_eui;
		enum js_import_refusal reason;
	} refused[VAULT_PAGE_RECORDS];
};

enum js_import_result {
	JS_IMPORTED,
	JS_IMPORT_NOT_FOR_US, /* 422: not sealed to our box, or changed */
	JS_IMPORT_NO_PAGE,    /* 422 */
	JS_IMPORT_OLD,        /* 422: a page of before, without the DevNonces that were used */
	JS_IMPORT_AUDIT_FULL, /* 507: nothing was changed */
	JS_IMPORT_FAILED,     /* 500: the database, perhaps in the middle of the page; it may be sent again */
	JS_IMPORT_RESULT_COUNT
};

bool js_import_parse(const uint8_t *body, size_t length, long uid, struct js_import_order *order,
		     char problem[JS_VAULT_PROBLEM]);
/* Takes a page, and audits it, in the turn. */
enum js_import_result js_import(struct js_join *join, struct now now, const struct js_import_order *order,
				struct js_imported *imported);
json_t *js_imported_json(const struct js_imported *imported);

#endif
