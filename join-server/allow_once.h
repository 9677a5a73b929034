/* One join for a device that lost its counter (complaint: genuine devices are refused for ever). A person allows one DevEUI one
 * join with a DevNonce that was used or is too low, for a while:
 *
 *	           allow                        a join of the device is accepted (nonces.h)
 *	(nothing) ───────▶ allowed, durable ────────────────────────────────────────────────▶ (nothing)
 *	                        │  its time is over, taken back, a new root key
 *	                        └────────────────────────────────────────────────▶ (nothing)
 *
 * While it is open whoever recorded an old join-request of the device can use it up by sending that again; what they get is an
 * accept that only the device can read, and the alarm of the device's next, refused, try. So it is short, one, and audited by the
 * application server, which alone may call here and says who may allow what. Allowing again begins the time anew. */
#ifndef LAMPPOST_JOIN_SERVER_ALLOW_ONCE_H
#define LAMPPOST_JOIN_SERVER_ALLOW_ONCE_H

#include "join-server/join.h"

#include <jansson.h>

#define JS_ALLOW_ONCE_MAX_S 86400
#define JS_ALLOW_ONCE_TEXT  256 /* room for a problem of the body */

struct js_allow_once {
	struct lw_eui64 dev_eui;
	bool changes;   /* or only asks */
	uint32_t for_s; /* 0: taken back */
};

enum js_allow_once_result {
	JS_ALLOW_ONCE_DONE,
	JS_ALLOW_ONCE_UNKNOWN_DEVICE, /* 404 */
	JS_ALLOW_ONCE_NOTHING_USED,   /* 409: it never joined, so any DevNonce is accepted */
	JS_ALLOW_ONCE_FAILED,         /* 500: the store; the turn's commit fails as well */
};
int js_allow_once_code(enum js_allow_once_result result);           /* of HTTP */
const char *js_allow_once_reason(enum js_allow_once_result result); /* a sentence */

/* Reads {"dev_eui": HEX, "for_s"?: 0..JS_ALLOW_ONCE_MAX_S}; without `for_s` it only asks. False with "PATH: what was expected". */
bool js_allow_once_parse(const uint8_t *body, size_t length, struct js_allow_once *order,
			 char problem[JS_ALLOW_ONCE_TEXT]);
/* Does it, and fills how long a join is allowed from now on; 0: none. */
enum js_allow_once_result js_allow_once(struct js_join *join, struct now now,
					const struct js_allow_once *order, span_us *left);
/* Behind js_allow_once(), in the same turn: {"dev_eui": HEX, "allowed": bool, "left_s": N, "key_uses": N, "key_used_us": µs or 0}, the last two of
 * the root key; the caller frees it. NULL: no memory. */
json_t *js_allow_once_json(const struct js_join *join, const struct js_allow_once *order, span_us left);

#endif
