/* The store in join.db. Writes begin a transaction by themselves; js_store_commit() ends it at the end of the turn. */
#ifndef LAMPPOST_JOIN_SERVER_STORE_SQLITE_H
#define LAMPPOST_JOIN_SERVER_STORE_SQLITE_H

#include "common/db/db.h"
#include "join-server/store.h"

/* Opens or makes the file, brings its schema up. `vfs` NULL: the system's. */
enum status js_store_open(const char *path, const char *vfs, struct db **db) MUST_USE;
/* The store's functions over an open database, which is borrowed. */
struct js_store js_store_sqlite(struct db *db);
/* Makes the turn's changes durable; ST_OK when there were none. */
enum status js_store_commit(struct db *db) MUST_USE;

#endif
