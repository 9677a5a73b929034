/* The write lock of a database file, taken although a query of the same connection is open. */
#ifndef LAMPPOST_DB_WRITE_LOCK_H
#define LAMPPOST_DB_WRITE_LOCK_H

#include <sqlite3.h>

/* BEGIN IMMEDIATE; asks again for up to `busy_ms` while somebody else writes. SQLite's code. Borrows the handle. */
int db_write_lock(sqlite3 *handle, int busy_ms);

#endif
