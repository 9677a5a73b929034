/* Hexadecimal and base64 text. Decoders are strict about length and characters and never write past `capacity`. */
#ifndef LAMPPOST_BASE_HEX_H
#define LAMPPOST_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of one digit of either case; −1 for another character. */
int hex_digit(char c);

/* Writes 2 × `length` lower-case digits and a NUL; `text` must have room for them. */
void hex_encode(char *text, const uint8_t *bytes, size_t length);

/* Decodes `text_length` digits of either case into `bytes`. Returns false, nothing promised about `bytes`, on an odd
 * length, a foreign character, or more than `capacity` bytes. `length` is filled on success. */
bool hex_decode(uint8_t *bytes, size_t capacity, size_t *length, const char *text, size_t text_length);

/* Decodes exactly `length` bytes from a NUL-terminated text of 2 × `length` digits. */
bool hex_decode_exact(uint8_t *bytes, size_t length, const char *text);

/* Room that base64_encode needs, NUL included. */
#define BASE64_ROOM(length) (((length) + 2) / 3 * 4 + 1)

/* Writes standard base64 with padding and a NUL; `text` has BASE64_ROOM(length). Returns the length without NUL. */
size_t base64_encode(char *text, const uint8_t *bytes, size_t length);

/* Decodes base64 as gateways write it (gateway-protocols A.5): both alphabets, padding optional, white space skipped,
 * unused trailing bits ignored. Refuses other characters, padding in the middle, a remainder of one character, more
 * than `capacity` bytes. `length` is filled on success. */
bool base64_decode(uint8_t *bytes, size_t capacity, size_t *length, const char *text, size_t text_length);

#endif
