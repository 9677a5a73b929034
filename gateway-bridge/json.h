/* A strict reader of the small JSON texts that gateways send (RFC 8259, UTF-8). jsmn cuts the text into
 * tokens, but takes almost anything for JSON, so the grammar is checked before it in one pass: what follows
 * may then rely on well-formed text.
 *
 * Invariant: nothing is allocated after init; a text of GB_JSON_TEXT_MAX bytes always has room. Values are
 * named by the index of their token; 0 is the whole document, GB_JSON_NONE no value. */
#ifndef LAMPPOST_BRIDGE_JSON_H
#define LAMPPOST_BRIDGE_JSON_H

#include "gateway-bridge/verdicts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GB_JSON_TEXT_MAX 65536 /* a UDP payload has at most 65,507 bytes */
#define GB_JSON_LEVELS   8
#define GB_JSON_NONE     (-1)

enum gb_json_type {
	GB_JSON_NULL,
	GB_JSON_BOOL,
	GB_JSON_NUMBER,
	GB_JSON_STRING,
	GB_JSON_ARRAY,
	GB_JSON_OBJECT
};

struct gb_json; /* opaque: the tokens of one document, and the memory to read the next one into */

/* Takes about 1 MB, which the kernel only backs as far as it is used. Aborts without memory (start-up only).
 */
struct gb_json *gb_json_new(void);
void gb_json_free(struct gb_json *json);

/* Reads a text of at most GB_JSON_TEXT_MAX bytes; keeps a borrow of it until the last question. GB_ACCEPTED,
 * GB_NOT_JSON, GB_BAD_UTF8, GB_TOO_DEEP. */
enum gb_verdict gb_json_parse(struct gb_json *json, const char *text, size_t length);

enum gb_json_type gb_json_type(const struct gb_json *json, int value);
/* The index behind a value and all that is in it. */
int gb_json_after(const struct gb_json *json, int value);
/* Walks an array: `at` of gb_json_first(), then gb_json_next(), GB_JSON_NONE at its end. */
int gb_json_first(const struct gb_json *json, int array);
int gb_json_next(const struct gb_json *json, int array, int at);
/* Walks an object's members; `at` is the name's token, its value is `at` + 1. */
int gb_json_first_member(const struct gb_json *json, int object);
int gb_json_next_member(const struct gb_json *json, int object, int at);
/* Whether a string (or name) is `text`, escapes decoded. */
bool gb_json_equals(const struct gb_json *json, int string, const char *text);
/* Whether two of these names (tokens; the array is sorted by it) are the same. */
bool gb_json_names_repeat(struct gb_json *json, int *names, int count);
/* Whether any object in the value, itself included, names a member twice. */
bool gb_json_has_duplicates(struct gb_json *json, int value);

/* Decodes a string with its escapes as UTF-8, NUL-terminated; false when it does not fit or holds a NUL
 * (`out` is then its beginning). */
bool gb_json_string(const struct gb_json *json, int string, char *out, size_t capacity);
bool gb_json_bool(const struct gb_json *json, int value);
/* An integer written as one (no fraction, no exponent); false when it is not, or beyond int64. */
bool gb_json_integer(const struct gb_json *json, int number, int64_t *out);
/* A natural number of up to 64 bits, written as one; false when it is not. */
bool gb_json_natural(const struct gb_json *json, int number, uint64_t *out);
/* Copies a number as it was written, NUL-terminated; false when it does not fit. */
bool gb_json_number_text(const struct gb_json *json, int number, char *out, size_t capacity);
/* Any number; false when it is beyond a double. */
bool gb_json_real(const struct gb_json *json, int number, double *out);

#endif
