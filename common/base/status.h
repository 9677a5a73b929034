/* What the environment answered. Errors are of three kinds, never mixed: a bug asserts (check.h), the environment
 * failing is an `enum status`, the world saying no is a named verdict of its own flow (a table of rows beside it).
 *
 * A function that returns a status leaves its out-parameters untouched when it fails. */
#ifndef LAMPPOST_BASE_STATUS_H
#define LAMPPOST_BASE_STATUS_H

#define MUST_USE __attribute__((warn_unused_result))

enum status {
	ST_OK = 0,
	ST_NO_MEMORY,   /* allocation failed */
	ST_IO,          /* a file, socket or device failed; errno says more at the place it happened */
	ST_DATABASE,    /* SQLite failed: disk full, file damaged, schema unknown */
	ST_FULL,        /* a bounded queue, table or buffer has no room */
	ST_NOT_FOUND,   /* no such record, key or file */
	ST_EXISTS,      /* there is one already */
	ST_INVALID,     /* malformed input */
	ST_REFUSED,     /* not permitted */
	ST_UNAVAILABLE, /* the peer is not there, or closed */
	ST_TIMEOUT,     /* a deadline passed */
	ST_CONFLICT,    /* another version won */
	ST_COUNT
};

/* Gives the static name of a status ("not_found"); "unknown" for a value outside the enum. */
const char *status_name(enum status status);

#endif
