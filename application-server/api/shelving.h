/* One row of what is put on the shelf (POST /api/v1/stock): checked when it is read, kept in city.db until all rows of the call are
 * found good, written when that is decided. The way there is an import's (import.h): slices of a few rows a turn, all or none,
 * whatever ends in between. */
#ifndef LAMPPOST_AS_SHELVING_H
#define LAMPPOST_AS_SHELVING_H

#include "application-server/api/api.h"
#include "application-server/api/taken.h"
#include "common/text/record_schema.h"

/* A row costs about 25 µs of a small machine to check, and less to write. */
#define AS_SHELVING_ROWS_TURN 16

/* Whether the caller may put devices on a shelf and take them off; false with an answer. */
bool as_may_shelve(const struct as_call *call, struct as_answer *answer);
/* Gives what is to be written, a new object, with the keyed hash of its token already; NULL: nothing, since the row has problems,
 * or since the device was claimed from this very shelf (`*left`): a file that is shelved again takes nothing from anybody. */
enum status as_shelving_check(struct as_api *api, const struct as_asking *asking, const json_t *row,
			      json_t **kept, bool *left, struct record_problems *problems) MUST_USE;
/* Whether a kept row is one of these. */
bool as_shelving_is_kept(const json_t *kept);
enum status as_shelving_write(struct as_api *api, struct wall now, const json_t *kept) MUST_USE;

#endif
