/* The members of each body as rows: reading, writing and the errors all follow them (private to
 * common/backend). */
#ifndef LAMPPOST_BACKEND_TS002_FIELDS_H
#define LAMPPOST_BACKEND_TS002_FIELDS_H

#include "common/backend/ts002.h"

enum bi_kind {
	BI_KIND_EUI64,
	BI_KIND_OPTIONAL_EUI64, /* `extra` is the offset of its has_ flag */
	BI_KIND_DEV_ADDR,
	BI_KIND_NET_ID,
	BI_KIND_MAC_VERSION,
	BI_KIND_OCTET,          /* one octet in hexadecimal */
	BI_KIND_SECONDS_15,     /* integer 0 .. 15 */
	BI_KIND_U32,            /* integer; `extra` is the offset of its has_ flag */
	BI_KIND_FRAME,          /* `extra` is the offset of its length octet */
	BI_KIND_JOIN_ACCEPT,    /* the same, 17 or 33 octets */
	BI_KIND_CFLIST,         /* 16 octets; `extra` is the offset of its has_ flag */
	BI_KIND_KEY,            /* struct bi_key_envelope */
	BI_KIND_SESSION_KEY_ID, /* struct bi_session_key_id */
	BI_KIND_COUNT
};

struct bi_field {
	const char *name;
	enum bi_kind kind;
	bool required; /* in an answer: after BI_SUCCESS */
	size_t offset; /* in struct bi_message */
	size_t extra;
};

struct bi_body {
	const struct bi_field *fields;
	size_t count;
};

/* The rows of a type below BI_BODIES. */
const struct bi_body *bi_body_of(enum bi_type type);
/* What a kind demands, for people: "16 hexadecimal digits". */
const char *bi_kind_rule(enum bi_kind kind);

#endif
