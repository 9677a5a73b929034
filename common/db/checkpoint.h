/* Moves the WAL into the database file on a thread of its own, small and often, so that no commit on the loop
 * ever pays for it (DESIGN 3; measured in decision 0002). One round:
 *
 *	1. PASSIVE: copies pages while the loop goes on committing;
 *	2. sync the database file (through SQLite's own file, so that no lock is lost);
 *	3. PASSIVE again: the few pages that came meanwhile;
 *	4. RESTART: finds nearly nothing to do, and lets the next commit begin at the WAL's start, so that it
 * keeps its size.
 *
 * The thread has its own connection and touches nothing but SQLite. */
#ifndef LAMPPOST_DB_CHECKPOINT_H
#define LAMPPOST_DB_CHECKPOINT_H

#include "common/base/status.h"
#include "common/db/db.h"

struct checkpoint;

struct checkpoint_stats {
	uint64_t rounds;
	uint64_t restarts; /* rounds that let the WAL begin anew */
	uint64_t pages;    /* moved in all */
	uint64_t failures;
	uint64_t busy;       /* RESTARTs that another reader or writer put off */
	uint64_t longest_us; /* the longest round */
	uint64_t wal_pages;  /* in the WAL after the last commit seen */
};

/* Hooks the connection's commits and starts the thread; a round begins when the WAL holds `pages` (0: 750).
 */
enum status checkpoint_start(struct db *db, const char *vfs, int pages, struct checkpoint **out) MUST_USE;
/* Ends the thread after its round, then moves what is left. Before db_close(). NULL is allowed. */
void checkpoint_stop(struct checkpoint *checkpoint);
/* A snapshot; any thread. */
struct checkpoint_stats checkpoint_stats(const struct checkpoint *checkpoint);

#endif
