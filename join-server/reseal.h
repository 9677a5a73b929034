/* Root keys of a database of before the vault are sealed under the old master key itself; here they are sealed anew under the vault key,
 * a slice a tick, so that no turn is long. A crash in the middle loses nothing: each key opens under one or the other (key_vault.h), and
 * the next start begins again. */
#ifndef LAMPPOST_JOIN_SERVER_RESEAL_H
#define LAMPPOST_JOIN_SERVER_RESEAL_H

#include "join-server/join.h"

#define JS_RESEAL_MAX 64

/* Looks at `limit` (JS_RESEAL_MAX at most) devices from *at on, and moves *at; counts the keys that it sealed anew. A key that opens under
 * neither stays as it is: its device's joins say key_unreadable. */
enum status js_reseal_slice(struct js_join *join, size_t limit, uint64_t *at, uint64_t *count,
			    bool *done) MUST_USE;

#endif
