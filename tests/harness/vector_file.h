/* A file of test vectors (tests/vectors/README.md) fed to one side of the protocol. Every kind in the file has a row; every row says how
 * many of its entries are run and how many are not that side's, and why. So none is left out in silence: an entry without a row, or
 * another number than the row's, fails. */
#ifndef LAMPPOST_TESTS_VECTOR_FILE_H
#define LAMPPOST_TESTS_VECTOR_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/lorawan/types.h"

struct t_vector_kind {
	const char *kind;
	/* Runs one entry; false: it is not one of this side's. NULL: none of the kind is. */
	bool (*run)(const json_t *input, const json_t *expect);
	unsigned ran;
	unsigned not_run;
	const char *why_not; /* where not_run is above 0 */
};

/* Opens tests/vectors/FILE and runs it by the table. Entries that are not verified are not counted. */
void t_vector_file(const char *file, const struct t_vector_kind *kinds, size_t count);

/* Members. Hex goes into `bytes` as it stands; the length is returned, 0 if the member is not there or null. */
size_t t_hex_member(const json_t *object, const char *key, uint8_t *bytes, size_t capacity);
bool t_has_member(const json_t *object, const char *key); /* there, and not null */
uint32_t t_hex_number(const json_t *object, const char *key);
long long t_int_member(const json_t *object, const char *key); /* 0 if not there */
bool t_true_member(const json_t *object, const char *key);
bool t_text_is(const json_t *object, const char *key, const char *value);
struct lw_key t_key_member(const json_t *object, const char *key); /* zeroes if not there */
struct lw_eui64 t_eui_member(const json_t *object, const char *key);

#endif
