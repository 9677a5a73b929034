/* The bytes of a key file as UTF-8 text: a byte order mark is taken off, UTF-16 of either order (what spreadsheets call
 * "Unicode text") is turned, Latin-1 passes where it is no UTF-8. Pure. */
#ifndef LAMPPOST_CLI_KEY_TEXT_H
#define LAMPPOST_CLI_KEY_TEXT_H

#include <stddef.h>

enum key_encoding { KEY_UTF8, KEY_UTF16_LE, KEY_UTF16_BE, KEY_LATIN1 };
const char *key_encoding_name(enum key_encoding encoding); /* "UTF-8" */

struct key_text {
	char *text; /* owned, NUL-terminated; holds keys in clear */
	size_t length;
	enum key_encoding encoding;
};

/* Fills from borrowed bytes. Never fails: what is no character becomes '?'. */
void key_text_init(struct key_text *text, const char *bytes, size_t length);
void key_text_release(struct key_text *text); /* wipes */

#endif
