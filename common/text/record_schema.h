/* The records of the city (agencies, applications, profiles, deployments, devices, gateways) as tables of
 * rows: one row a field, with its type, bounds, default and help. The REST API validates by it and the
 * command line builds its options, help and columns from it, so that the two cannot disagree.
 *
 * Invariants: what record_check() accepted is normal (identifiers in lower case, defaults filled, nothing
 * unknown); a secret is write-only and travels sealed: a value that looks like a plain key is refused. Pure.
 *
 * Records are named by a UUID or by a slug (unique in the agency); devices and gateways by their EUI.
 * References accept either form; whoever stores the record resolves them. */
#ifndef LAMPPOST_TEXT_RECORD_SCHEMA_H
#define LAMPPOST_TEXT_RECORD_SCHEMA_H

#include "common/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_kind {
	RECORD_AGENCY,
	RECORD_APPLICATION,
	RECORD_PROFILE,
	RECORD_DEPLOYMENT,
	RECORD_DEVICE,
	RECORD_GATEWAY,
	RECORD_KIND_COUNT
};

enum record_type {
	RECORD_TEXT,       /* UTF-8 without control characters; min..max bytes */
	RECORD_SLUG,       /* 1 to 63 of a-z, 0-9 and -, no - at an end; not of the shape of a UUID or EUI */
	RECORD_UUID,       /* 8-4-4-4-12 hex digits */
	RECORD_EUI,        /* 16 hex digits */
	RECORD_DEV_ADDR,   /* 8 hex digits */
	RECORD_NET_ID,     /* 6 hex digits */
	RECORD_SEALED_KEY, /* base64 of RECORD_SEALED_KEY_SIZE bytes (common/crypto/sealed_key.h) */
	RECORD_INTEGER,    /* min..max */
	RECORD_NUMBER,     /* min..max, finite */
	RECORD_BOOLEAN,
	RECORD_ENUM, /* one of `names` */
	RECORD_TAGS, /* object of texts: at most 32, keys 1..63, values up to 255 bytes */
	RECORD_OBJECT, /* any JSON object, at most 64 KiB when written out, or one of `names` where there are any */
	RECORD_REFERENCE, /* UUID or slug of a record of kind `reference` */
	RECORD_TIME,      /* RFC 3339, made by the server */
	RECORD_TYPE_COUNT
};
const char *record_type_name(enum record_type type); /* "text", "eui"... */

#define RECORD_SEALED_KEY_SIZE 74
#define RECORD_FIELDS_MAX      48

enum record_flag {
	RECORD_REQUIRED = 1, /* must be given at creation */
	RECORD_FIXED = 2,    /* may not change after creation */
	RECORD_SECRET = 4,   /* taken, never given out again; empty in exports */
	RECORD_SERVER = 8,   /* made by the server; refused in what clients send */
	RECORD_LIST = 16,    /* a column of the table that people see */
	RECORD_NULLABLE = 32 /* null is a value: not set */
};

struct record_field {
	const char *name; /* as in JSON and CSV; the option is `--` and this with - for _ */
	enum record_type type;
	unsigned flags;
	int64_t min, max;           /* INTEGER, NUMBER: the value; TEXT: bytes */
	const char *const *names;   /* ENUM, OBJECT: NULL-terminated */
	enum record_kind reference; /* REFERENCE */
	const char *standard;       /* default at creation, as JSON text; NULL: none (null where nullable) */
	const char *unit;           /* "s", "Hz", "m", "degrees"; NULL: none */
	const char *help;           /* one line, no full stop */
};

struct record_schema {
	enum record_kind kind;
	const char *name;       /* "device" */
	const char *collection; /* "devices", the path of the REST API */
	const char *title;      /* "Devices" */
	const char *help;       /* one line */
	const char *identifier; /* field that names a record in a path beside its UUID: "slug", "dev_eui",
				   "eui" */
	const struct record_field *fields;
	size_t field_count;
};

/* The schema of a kind. */
const struct record_schema *record_schema(enum record_kind kind);
/* By name ("device"), or by collection ("devices"); NULL: none. */
const struct record_schema *record_schema_named(const char *name);
const struct record_schema *record_schema_of_collection(const char *collection);
/* NULL: no such field. */
const struct record_field *record_field(const struct record_schema *schema, const char *name);

/* --- validation. A reason names the rule and the allowed range, and never repeats the value of a secret. */
#define RECORD_PROBLEMS_MAX 16

struct record_problem {
	char field[40]; /* "" : the whole record */
	char reason[200];
};

struct record_problems {
	size_t count; /* more than RECORD_PROBLEMS_MAX are not kept */
	struct record_problem items[RECORD_PROBLEMS_MAX];
};
void record_problems_add(struct record_problems *problems, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

enum record_mode {
	RECORD_CREATE, /* required fields must be there, defaults are filled */
	RECORD_CHANGE, /* only what is given; fixed fields are refused */
	RECORD_UPSERT  /* as CREATE, without filling defaults: an import's row that may meet a record */
};

/* Checks what a client sent. ST_OK: `*normal` is a new object that the caller frees with json_decref().
 * ST_INVALID: every problem found is in `problems` (which is cleared first). ST_NO_MEMORY. */
enum status record_check(const struct record_schema *schema, enum record_mode mode, const json_t *object,
			 json_t **normal, struct record_problems *problems) MUST_USE;
/* Adds the defaults that are missing, as RECORD_CREATE does. */
enum status record_fill(const struct record_schema *schema, json_t *normal) MUST_USE;

/* --- text, for options and CSV cells. */
/* Turns text into the field's JSON value, which the caller frees: "12", "true", "k=v;k=v" for tags, JSON text
 * for objects; "" is null for a nullable field. Keys must be sealed before. ST_INVALID: `problem` says why.
 */
enum status record_value_from_text(const struct record_field *field, const char *text, json_t **value,
				   struct record_problem *problem) MUST_USE;
/* Fills the text of a value for people and for CSV, cut at `capacity`; "" for null or a missing value. */
void record_value_to_text(const struct record_field *field, const json_t *value, char *text, size_t capacity);

#endif
