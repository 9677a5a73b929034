/* What is asked of the vault on join.sock, as JSON (docs/contract.md). Pure. */
#ifndef LAMPPOST_JOIN_SERVER_VAULT_ORDERS_H
#define LAMPPOST_JOIN_SERVER_VAULT_ORDERS_H

#include "common/crypto/vault_seal.h"
#include "join-server/join.h"
#include "join-server/vault.h"

#include <jansson.h>

#define JS_VAULT_PROBLEM 256
#define JS_AUDIT_PAGE    200

/* {"to": "file"|"credential"|"passphrase", "sealed"?, "salt"?, "passes"?, "memory"?, "who"?} */
struct js_rotate_body {
	struct js_vault_form form;
	uint8_t sealed[VAULT_MASTER_SEALED];
	size_t length; /* 0: none */
	char who[JS_AUDIT_WHO];
};
bool js_rotate_parse(const uint8_t *body, size_t length, long uid, struct js_rotate_body *order,
		     char problem[JS_VAULT_PROBLEM]);

/* {"to": HEX of a public key, "device"?: EUI, "after"?: EUI, "who"?} */
struct js_export_order {
	uint8_t to[SECRET_KEY];
	bool one; /* `device` alone */
	struct lw_eui64 device;
	bool follows; /* the page behind `after` */
	struct lw_eui64 after;
	char who[JS_AUDIT_WHO];
};
struct js_export_page {
	uint8_t sealed[VAULT_PAGE_SEALED];
	size_t length;
	size_t devices;    /* in the page */
	size_t unreadable; /* whose keys do not open, or that have none: left out */
	bool more;
	struct lw_eui64 last;
};
enum js_export_result {
	JS_EXPORTED,
	JS_EXPORT_UNKNOWN,    /* 404: no such device, or it has no key */
	JS_EXPORT_BAD_KEY,    /* 422: no usable public key */
	JS_EXPORT_AUDIT_FULL, /* 507 */
	JS_EXPORT_FAILED      /* 500 */
};
bool js_export_parse(const uint8_t *body, size_t length, long uid, struct js_export_order *order,
		     char problem[JS_VAULT_PROBLEM]);
/* A page of root keys, sealed to the named public key and audited, in the turn. */
enum js_export_result js_export(struct js_join *join, struct now now, const struct js_export_order *order,
				struct js_export_page *page);
json_t *js_export_json(const struct js_export_order *order, const struct js_export_page *page);

/* {"rows": [...], "good": bool, "bad_seq": N|null, "seq": N, "head": HEX}: a page behind `after`, verified against the row before it. NULL: the
 * store. */
json_t *js_audit_json(const struct js_join *join, uint64_t after);

#endif
