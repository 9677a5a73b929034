/* Which names a filter of live frames by verdict may have: a name that no rule has would show nothing for ever. They are those
 * of the network server's table `drop` (`GET /why/rules`), "problems", and what frames say beside the rules. */
#ifndef LAMPPOST_TEXT_FRAME_VERDICT_H
#define LAMPPOST_TEXT_FRAME_VERDICT_H

#include <jansson.h>
#include <stddef.h>

/* The first of `names`, with commas between, that is none, and its length; NULL: all are, or no rule of the network server is
 * among `rules` (an array; NULL: none are known), so that nothing can be said. */
const char *frame_verdict_unknown(const json_t *rules, const char *names, size_t *length);

#endif
