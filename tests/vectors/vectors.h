/* The vector runner's inside: an entry, its readers and its checks, and the table of kinds.
 *
 * Whatever a handler reads of `expect` or `input` is taken out of it; what is left at the end is a failure, so that no
 * value in the data goes unchecked. Every check gives back the value expected, and a handler builds from those: decoding
 * and building meet in the file, not in our own structs. */
#ifndef LAMPPOST_TESTS_VECTORS_H
#define LAMPPOST_TESTS_VECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/aes.h"
#include "common/lorawan/types.h"

#define BYTES_MAX 512

struct bytes {
	uint8_t at[BYTES_MAX];
	size_t length;
};

#define V_PARTS_MAX 64

struct vector {
	const char *file;
	const char *name;
	const char *kind;
	json_t *input; /* own copies: members leave as they are read */
	json_t *expect;
	struct aes *aes;
	json_t *parts[V_PARTS_MAX]; /* objects and arrays taken out of `expect`, looked through at the end */
	const char *part_names[V_PARTS_MAX];
	size_t part_count;
	int failures;
};

struct vector_kind {
	const char *kind;
	void (*run)(struct vector *vector);
};

extern const struct vector_kind vectors_crypto[], vectors_keys[], vectors_frames[], vectors_join[],
	vectors_join_server[], vectors_malformed[], vectors_mac[], vectors_lpp[], vectors_class_b[],
	vectors_relay[], vectors_packages[], vectors_fragments[]; /* each ends with an empty row */

/* Prints the failure line and counts it. */
void v_fail(struct vector *vector, const char *member, const char *expected, const char *got);
void v_fail_bytes(struct vector *vector, const char *member, const struct bytes *expected, const uint8_t *got,
		  size_t length);
/* Fails for every member that nobody read. */
void v_leftovers(struct vector *vector);

/* Inputs. A missing or unusable one fails and reads as zero. */
bool v_has(struct vector *vector, const char *member); /* there, and not null; a null is taken out */
struct bytes v_bytes(struct vector *vector, const char *member);
struct bytes v_hex(struct vector *vector, const char *member, const json_t *value); /* of a value in hand */
struct lw_key v_key(struct vector *vector, const char *member);
struct lw_eui64 v_eui(struct vector *vector, const char *member);
struct lw_dev_addr v_dev_addr(struct vector *vector, const char *member);
struct lw_net_id v_net_id(struct vector *vector, const char *member);
uint64_t v_uint(struct vector *vector, const char *member);
uint64_t v_hex_number(struct vector *vector, const char *member); /* display order, any number of digits */
const char *v_text(struct vector *vector, const char *member);    /* lent until the entry's end */
enum lw_direction v_direction(struct vector *vector);
void v_ignore(struct vector *vector, const char *member); /* of no matter to this kind; may be absent */

/* Checks of `from`, which is `vector->expect` or a part of it. Each takes the member out, fails if it is not there, and
 * returns the value expected (zero if unusable). */
bool x_has(json_t *from, const char *member);                            /* there at all */
json_t *x_part(struct vector *vector, json_t *from, const char *member); /* an object or array */
uint64_t x_uint(struct vector *vector, json_t *from, const char *member, uint64_t got);
int64_t x_int(struct vector *vector, json_t *from, const char *member, int64_t got);
bool x_bool(struct vector *vector, json_t *from, const char *member, bool got);
void x_null(struct vector *vector, json_t *from, const char *member, bool got_null);
void x_text(struct vector *vector, json_t *from, const char *member, const char *got);
struct bytes x_bytes(struct vector *vector, json_t *from, const char *member, const uint8_t *got,
		     size_t length);
struct lw_key x_key(struct vector *vector, json_t *from, const char *member, struct lw_key got);
struct lw_eui64 x_eui(struct vector *vector, json_t *from, const char *member, struct lw_eui64 got);
struct lw_dev_addr x_dev_addr(struct vector *vector, json_t *from, const char *member,
			      struct lw_dev_addr got);
struct lw_net_id x_net_id(struct vector *vector, json_t *from, const char *member, struct lw_net_id got);
/* A number written as hex in display order. */
uint64_t x_hex_number(struct vector *vector, json_t *from, const char *member, uint64_t got);
/* {"reject": true, "reason": got}. */
void x_reject(struct vector *vector, const char *got);
/* Bytes that were built, against bytes of the data. */
void x_built(struct vector *vector, const char *member, const struct bytes *expected, const uint8_t *got,
	     size_t length);

#endif
