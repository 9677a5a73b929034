/* What is asked of KEKs on join.sock (docs/contract.md): put, list, delete. Each order is checked, audited and done in the turn. */
#ifndef LAMPPOST_JOIN_SERVER_KEK_ORDERS_H
#define LAMPPOST_JOIN_SERVER_KEK_ORDERS_H

#include "common/crypto/sealed_kek.h"
#include "join-server/join.h"

#include <jansson.h>

#define JS_KEK_PROBLEM 256
#define JS_ORDER_WHO   48 /* characters that a caller says of the person behind it */

struct js_kek_order {
	char label[LW_KEK_LABEL_MAX + 1];
	uint32_t version; /* of a delete: 0: all */
	uint8_t sealed[SEALED_KEK_LENGTH];
	size_t length;
	bool force;
	char who[JS_AUDIT_WHO]; /* for the audit: the user, and the person that it says it acts for */
};

enum js_kek_result {
	JS_KEK_DONE,
	JS_KEK_BAD_LABEL,   /* 422 */
	JS_KEK_BAD_SEAL,    /* 422: it does not open for label and version */
	JS_KEK_IS_FILE,     /* 409: the configuration has the label */
	JS_KEK_OLD_VERSION, /* 409: below the newest that there is or was */
	JS_KEK_OTHER_KEY,   /* 409: that version is or was there, with another key, or as a file's */
	JS_KEK_TOO_MANY,    /* 409: labels, or versions of the label */
	JS_KEK_UNKNOWN,     /* 404 */
	JS_KEK_NEEDED,      /* 409: kept envelopes may be made with it */
	JS_KEK_AUDIT_FULL,  /* 507 */
	JS_KEK_FAILED,      /* 500: the store */
	JS_KEK_RESULT_COUNT
};
int js_kek_code(enum js_kek_result result);
const char *js_kek_reason(enum js_kek_result result); /* a sentence */

/* "uid 1000", or "uid 1000 for anna". False: `person` (NULL: none) has characters that it must not have, or is too long. */
bool js_order_who(char who[JS_AUDIT_WHO], long uid, const char *person);
/* Reads {"version", "sealed", "who"?} into an order whose label is set. False with "PATH: what was expected". */
bool js_kek_order_parse(const uint8_t *body, size_t length, long uid, struct js_kek_order *order,
			char problem[JS_KEK_PROBLEM]);
enum js_kek_result js_kek_put(struct js_join *join, struct now now, const struct js_kek_order *order);
enum js_kek_result js_kek_delete(struct js_join *join, struct now now, const struct js_kek_order *order);
/* {"label", "version", "kek_label"}; the caller frees it. */
json_t *js_kek_put_json(const struct js_kek_order *order);
/* {"keks": [...]}, never a key. */
json_t *js_keks_json(const struct js_join *join);

#endif
