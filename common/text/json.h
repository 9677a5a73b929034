/* Strict reading of JSON that others sent: REST bodies, TS002 messages, command payloads. Limits on size and
 * depth, duplicate members refused, unknown members refused on request, and a sticky error that names the
 * place:
 *
 *	/devices/3/dev_eui: expected 16 hex digits
 *
 *	struct jr_doc doc;
 *	if (jr_parse(&doc, text, length, JR_DEPTH_DEFAULT)) {
 *		struct jr root = jr_root(&doc);
 *		struct jr eui = jr_member(&root, "dev_eui");
 *		jr_hex(&eui, device.dev_eui.bytes, 8);
 *		struct jr tags = jr_optional(&root, "tags");
 *		jr_only(&root, (const char *const[]){"dev_eui", "tags", NULL});
 *	}
 *	if (doc.failed) refuse(doc.error);
 *	jr_release(&doc);
 *
 * A `struct jr` is a place; it keeps a borrow of its parent place and of the document. After an error every
 * reader yields zero, false or "". Readers of an absent optional place yield the same without an error: ask
 * jr_is_there(). */
#ifndef LAMPPOST_TEXT_JSON_H
#define LAMPPOST_TEXT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JR_ERROR_MAX     256
#define JR_SIZE_MAX      (4 * 1024 * 1024)
#define JR_DEPTH_DEFAULT 16

struct jr_doc {
	json_t *root; /* owned */
	bool failed;
	char error[JR_ERROR_MAX];
};

struct jr {
	struct jr_doc *doc;
	json_t *value;           /* borrowed; NULL when absent */
	const struct jr *parent; /* NULL at the root */
	const char *key;         /* in an object */
	size_t index;            /* in an array, when key is NULL */
};

/* Parses; any JSON value may be the root. False with doc->error ("line 3, column 7: ..."). Release in either
 * case. */
bool jr_parse(struct jr_doc *doc, const char *text, size_t length, unsigned max_depth);
void jr_release(struct jr_doc *doc);
/* Makes an error stick at a place: "PATH: MESSAGE". The first one wins. */
void jr_fail(const struct jr *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct jr jr_root(struct jr_doc *doc);
/* A member that must be there and not null. */
struct jr jr_member(const struct jr *object, const char *key);
/* A member that may be absent or null. */
struct jr jr_optional(const struct jr *object, const char *key);
bool jr_is_there(const struct jr *at);
/* Elements of an array; an error when it is none or has more than `max`. */
size_t jr_count(const struct jr *array, size_t max);
struct jr jr_element(const struct jr *array, size_t index);
/* Refuses members that are not in the list, which ends with NULL. */
void jr_only(const struct jr *object, const char *const *names);

/* A whole number; 10.0 is one (as Node-RED and others write it). */
int64_t jr_int(const struct jr *at, int64_t min, int64_t max);
/* A finite number. */
double jr_number(const struct jr *at, double min, double max);
bool jr_bool(const struct jr *at);
/* Lends a text of at most `max` bytes, valid as long as the document; "" otherwise. */
const char *jr_string(const struct jr *at, size_t max);
/* Exactly `length` bytes as hex digits of either case. */
void jr_hex(const struct jr *at, uint8_t *bytes, size_t length);
/* Hex of any even length, with or without "0x"; returns the length in bytes. */
size_t jr_hex_any(const struct jr *at, uint8_t *bytes, size_t capacity);
/* Base64 of at most `capacity` bytes; returns the length. */
size_t jr_base64(const struct jr *at, uint8_t *bytes, size_t capacity);
/* Index of a text among names (ending with NULL); 0 with an error otherwise. */
size_t jr_choice(const struct jr *at, const char *const *names);

#endif
