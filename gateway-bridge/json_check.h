/* The grammar of JSON (RFC 8259) over UTF-8, walked with a cursor; inside the bridge's JSON reader alone. */
#ifndef LAMPPOST_BRIDGE_JSON_CHECK_H
#define LAMPPOST_BRIDGE_JSON_CHECK_H

#include "gateway-bridge/verdicts.h"

#include <stddef.h>

struct gb_cursor {
	const char *at, *end;
	enum gb_verdict verdict; /* the first thing that was wrong */
};

/* The next byte, taken; −1 at the end. */
int gb_cursor_take(struct gb_cursor *cursor);
/* Whether the text is one JSON value with blanks around it, at most GB_JSON_LEVELS deep. GB_ACCEPTED, GB_NOT_JSON,
 * GB_BAD_UTF8, GB_TOO_DEEP. */
enum gb_verdict gb_json_check(const char *text, size_t length);

#endif
