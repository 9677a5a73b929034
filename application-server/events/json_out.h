/* Writes compact JSON straight into a buffer, for the events that pass at the full rate. Members of the form that
 * subscribers know from ChirpStack: floats have a fraction (`10.0`) and are the shortest digits that read back. The error
 * (no room) is sticky: ask once, at the end. */
#ifndef LAMPPOST_AS_JSON_OUT_H
#define LAMPPOST_AS_JSON_OUT_H

#include "common/base/bytes.h"

#include <jansson.h>

struct json_out {
	struct wr wr;
	bool comma; /* the next member or element needs one before it */
};

struct json_out json_out_init(char *text, size_t capacity);
/* Ends the text with NUL; false when it did not fit. */
bool json_out_done(struct json_out *out, size_t *length);

/* `name` NULL: an element of an array, or the root. Names are written as they are. */
void json_out_open(struct json_out *out, const char *name, char bracket); /* '{' or '[' */
void json_out_close(struct json_out *out, char bracket);                  /* '}' or ']' */
void json_out_text(struct json_out *out, const char *name, const char *text);
void json_out_integer(struct json_out *out, const char *name, int64_t value);
void json_out_float(struct json_out *out, const char *name, double value); /* not finite: null */
void json_out_single(struct json_out *out, const char *name, float value); /* as many digits as a float has */
void json_out_bool(struct json_out *out, const char *name, bool value);
void json_out_base64(struct json_out *out, const char *name, const uint8_t *bytes, size_t length);
/* Any JSON value, every number in it as a float. */
void json_out_floats(struct json_out *out, const char *name, const json_t *value);
/* A name that is data (a tag): escaped. */
void json_out_tag(struct json_out *out, const char *name, const char *text);

#endif
