/* Reading single values (private to common/backend). Each says BI_FAULT_NONE, or what is wrong and fills nothing. */
#ifndef LAMPPOST_BACKEND_TS002_VALUES_H
#define LAMPPOST_BACKEND_TS002_VALUES_H

#include "common/backend/ts002_fields.h"

#include <jansson.h>

/* Lends a member, its name in any case; NULL when missing, null, or an empty text. */
const json_t *bi_member(const json_t *object, const char *name);
/* Hexadecimal text of `least` to `most` octets, with or without 0x. */
enum bi_fault bi_read_hex(const json_t *value, uint8_t *out, size_t least, size_t most, size_t *length);
enum bi_fault bi_read_integer(const json_t *value, json_int_t most, uint32_t *out);
/* Text of 1 .. capacity − 1 printable ASCII characters. */
enum bi_fault bi_read_text(const json_t *value, char *out, size_t capacity);
/* A member of a body. */
enum bi_fault bi_read_value(const json_t *value, const struct bi_field *field, struct bi_message *message);

#endif
