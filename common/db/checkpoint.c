#include "common/db/checkpoint.h"

#include "common/base/check.h"
#include "common/base/log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGES_DEFAULT    750
#define RESTART_TRIES    100
#define RESTART_PAUSE_NS 100000 /* × tries: 10 ms at most */

struct checkpoint {
	struct db *db; /* the loop's connection, whose commits are watched */
	sqlite3 *own;  /* the thread's */
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t wake;
	struct checkpoint_stats stats;
	int pages;
	int counted; /* of the WAL as it stands, in stats.pages already */
	bool due;
	bool stop;
};

static uint64_t clock_us(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

/* Syncs the database file through the VFS that SQLite holds it with: an open() and close() of our own would
 * drop the POSIX locks of every connection in this process. */
static bool sync_database(sqlite3 *own)
{
	sqlite3_file *file = NULL;
	return sqlite3_file_control(own, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file &&
	       file->pMethods && file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

/* Gives SQLite's code; what was moved is added up in `moved`. */
static int run_round(sqlite3 *own, int *moved)
{
	int log = 0, done = 0;
	int code = sqlite3_wal_checkpoint_v2(own, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	if (code == SQLITE_OK && !sync_database(own))
		code = SQLITE_IOERR_FSYNC;
	if (code == SQLITE_OK)
		code = sqlite3_wal_checkpoint_v2(own, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	if (code == SQLITE_OK)
		code = sqlite3_wal_checkpoint_v2(own, NULL, SQLITE_CHECKPOINT_RESTART, &log, &done);
	*moved = done > 0 ? done : 0;
	return code;
}

static void count_round(struct checkpoint *checkpoint, int code, int moved, uint64_t took_us)
{
	struct checkpoint_stats *stats = &checkpoint->stats;
	stats->rounds++;
	/* SQLite counts from the WAL's start, which moves only with a RESTART. */
	if (moved > checkpoint->counted)
		stats->pages += (uint64_t)(moved - checkpoint->counted);
	checkpoint->counted = code == SQLITE_OK ? 0 : moved;
	if (code == SQLITE_OK)
		stats->restarts++;
	else if (code == SQLITE_BUSY)
		stats->busy++; /* the next commit past the limit tries again */
	else
		stats->failures++;
	if (took_us > stats->longest_us)
		stats->longest_us = took_us;
}

static void *run(void *argument)
{
	struct checkpoint *checkpoint = argument;
	pthread_mutex_lock(&checkpoint->lock);
	for (;;) {
		while (!checkpoint->due && !checkpoint->stop)
			pthread_cond_wait(&checkpoint->wake, &checkpoint->lock);
		if (checkpoint->stop)
			break;
		checkpoint->due = false;
		pthread_mutex_unlock(&checkpoint->lock);
		uint64_t before = clock_us();
		int moved = 0;
		int code = run_round(checkpoint->own, &moved);
		uint64_t took_us = clock_us() - before;
		if (code != SQLITE_OK && code != SQLITE_BUSY)
			LOG_WARN("checkpoint", "code=%d reason=\"%s\"", code, sqlite3_errstr(code));
		pthread_mutex_lock(&checkpoint->lock);
		count_round(checkpoint, code, moved, took_us);
	}
	pthread_mutex_unlock(&checkpoint->lock);
	return NULL;
}

/* In the commit of the loop's connection: only says that a round is due. */
static int on_commit(void *ctx, sqlite3 *handle, const char *name, int pages)
{
	struct checkpoint *checkpoint = ctx;
	(void)handle;
	(void)name;
	pthread_mutex_lock(&checkpoint->lock);
	checkpoint->stats.wal_pages = (uint64_t)pages;
	if (pages >= checkpoint->pages && !checkpoint->due) {
		checkpoint->due = true;
		pthread_cond_signal(&checkpoint->wake);
	}
	pthread_mutex_unlock(&checkpoint->lock);
	return SQLITE_OK;
}

/* RESTART needs the write lock for a moment: between two commits of a busy loop there is one, which a try without patience never
 * meets. The patience is short, since with the lock held RESTART also waits for readers, and the loop then waits for it. */
static int wait_a_little(void *ctx, int tries)
{
	(void)ctx;
	if (tries >= RESTART_TRIES)
		return 0;
	nanosleep(&(struct timespec){.tv_nsec = RESTART_PAUSE_NS}, NULL);
	return 1;
}

enum status checkpoint_start(struct db *db, const char *vfs, int pages, struct checkpoint **out)
{
	struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
	ASSERT(checkpoint);
	checkpoint->db = db;
	checkpoint->pages = pages > 0 ? pages : PAGES_DEFAULT;
	/* The schema is read at once: a checkpoint of a connection that never read would be refused. */
	if (sqlite3_open_v2(db_path(db), &checkpoint->own, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    vfs) != SQLITE_OK ||
	    sqlite3_exec(
		    checkpoint->own,
		    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=-1; "
		    "SELECT count(*) FROM sqlite_schema",
		    NULL, NULL, NULL) != SQLITE_OK) {
		LOG_ERROR("checkpoint", "file=\"%s\" reason=\"%s\"", db_path(db),
			  checkpoint->own ? sqlite3_errmsg(checkpoint->own) : "no memory");
		sqlite3_close(checkpoint->own);
		free(checkpoint);
		return ST_DATABASE;
	}
	sqlite3_busy_handler(checkpoint->own, wait_a_little, NULL);
	pthread_mutex_init(&checkpoint->lock, NULL);
	pthread_cond_init(&checkpoint->wake, NULL);
	ASSERT(pthread_create(&checkpoint->thread, NULL, run, checkpoint) == 0);
	sqlite3_wal_hook(db_handle(db), on_commit, checkpoint);
	*out = checkpoint;
	return ST_OK;
}

void checkpoint_stop(struct checkpoint *checkpoint)
{
	if (!checkpoint)
		return;
	sqlite3_wal_hook(db_handle(checkpoint->db), NULL, NULL);
	pthread_mutex_lock(&checkpoint->lock);
	checkpoint->stop = true;
	pthread_cond_signal(&checkpoint->wake);
	pthread_mutex_unlock(&checkpoint->lock);
	pthread_join(checkpoint->thread, NULL);
	int moved = 0;
	run_round(checkpoint->own, &moved);
	sqlite3_close(checkpoint->own);
	pthread_cond_destroy(&checkpoint->wake);
	pthread_mutex_destroy(&checkpoint->lock);
	free(checkpoint);
}

struct checkpoint_stats checkpoint_stats(const struct checkpoint *checkpoint)
{
	struct checkpoint *locked = (struct checkpoint *)(uintptr_t)checkpoint;
	pthread_mutex_lock(&locked->lock);
	struct checkpoint_stats stats = locked->stats;
	pthread_mutex_unlock(&locked->lock);
	return stats;
}
