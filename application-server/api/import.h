/* Bulk registration: one call, all or nothing, in slices of AS_IMPORT_ROWS_TURN rows a turn, so that nothing else waits for long.
 *
 *	as_handle_import()                                   the client's answer comes later
 *	      │
 *	  CHECKING ── each row read, checked, prepared; the prepared ones laid down in city.db
 *	      │  │
 *	      │  └──a row with a problem, a dry run, the client gone──▶ DROPPING ── what was laid down is removed ──▶ answer
 *	      ▼ the body's end, no problem: the decision, durable with its turn
 *	  WRITING ── a slice is registered and removed in one transaction ──▶ answer
 *
 * Invariants: before the decision nothing is registered, and nothing will be. After it everything will: a crash goes on where it
 * was (as_import_resume()). While an import goes on no other call changes a record (as_route_changes_records(); the edge
 * lets them wait), so that what was checked still holds when it is written. One at a time.
 *
 * Readers may see a part of the devices for the seconds of WRITING. */
#ifndef LAMPPOST_AS_IMPORT_H
#define LAMPPOST_AS_IMPORT_H

#include "application-server/api/api.h"

/* A row costs up to 0.2 ms of a small machine (its AppSKey is opened and sealed again); a Seal request is worth nothing after 20 ms. */
#define AS_IMPORT_ROWS_TURN 32

bool as_import_goes_on(const struct as_api *api);
/* Does one turn's share. True: it is over, and `answer` is filled (whoever resumed it has no client to tell). */
bool as_import_step(struct as_api *api, struct now now, struct as_answer *answer);
/* The client does not wait any more: what is not decided is dropped. */
void as_import_forsake(struct as_api *api);
/* At the start: takes up what the last run decided or left behind. */
enum status as_import_resume(struct as_api *api) MUST_USE;
void as_import_release(struct as_api *api);

#endif
