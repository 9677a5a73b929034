/* The numbered SQL files of a process, compiled in by migrations/embed.sh, and what brings a database up to
 * them. The schema's version is their count, kept in `PRAGMA user_version`.
 *
 * A migration of an existing database never runs without a verified backup beside it (`<file>.backup-v<N>`),
 * is rehearsed on a copy first, and is kept only when no surviving table lost rows and no foreign key dangles
 * (DESIGN 8). */
#ifndef LAMPPOST_DB_MIGRATIONS_H
#define LAMPPOST_DB_MIGRATIONS_H

#include "common/base/status.h"

struct db;

struct db_migrations {
	const char *process;      /* "network-server" */
	const char *const *texts; /* `count` scripts, in order */
	int count;
};

extern const struct db_migrations db_migrations_network_server;
extern const struct db_migrations db_migrations_join_server;
extern const struct db_migrations db_migrations_application_server;
extern const struct db_migrations db_migrations_readings;

/* Brings `db` to version `count` in one transaction. ST_OK also when nothing is to do. ST_DATABASE: newer
 * than ours, a script failed, rows were lost; the file is as it was. db_open() calls it. */
enum status db_migrate(struct db *db, const struct db_migrations *migrations) MUST_USE;

#endif
