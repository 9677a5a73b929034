/* A DevEUI that is somebody's already. A caller is told of devices that it sees and of what waits on a shelf that it sees; whether
 * another agency has registered a device, or holds it on its shelf, is one answer with the same words: it is not free, claim it if
 * its label has a token, else ask the city's engineers. They find who has it under the reference, which is a row of the audit; the
 * same question of the same caller has the same reference, so that asking often fills no table. Both tables are looked at whatever
 * the first one says: the way to the answer is one. */
#ifndef LAMPPOST_AS_TAKEN_H
#define LAMPPOST_AS_TAKEN_H

#include "application-server/agencies/scope.h"
#include "application-server/store_stock.h"

enum as_taken {
	AS_FREE,
	AS_TAKEN_SEEN,  /* registered, and the caller sees it */
	AS_TAKEN_WAITS, /* on a shelf that the caller sees */
	AS_TAKEN_LEFT,  /* it left that shelf: whoever claimed it has it */
	AS_TAKEN_ELSEWHERE
};

/* Who asks, for the audit. */
struct as_asking {
	struct as_store *store;
	const struct as_scope *scope;
	const char *who; /* as_call.who; NULL: nobody in particular */
	struct wall now;
};

#define AS_TAKEN_WORDS 200

/* Fills `*taken` and, unless it is free, `words`: a clause behind "dev_eui". `shelf` may be NULL; else it is filled with the row
 * of a shelf that the caller sees (AS_TAKEN_WAITS, AS_TAKEN_LEFT), or zeroes. */
enum status as_eui_is_taken(const struct as_asking *asking, const struct lw_eui64 *dev_eui,
			    enum as_taken *taken, struct as_stock *shelf,
			    char words[AS_TAKEN_WORDS]) MUST_USE;

#endif
