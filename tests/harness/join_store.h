/* A join server's store in memory that tells what was changed from what was committed: a crash loses the rest. */
#ifndef LAMPPOST_TESTS_JOIN_STORE_H
#define LAMPPOST_TESTS_JOIN_STORE_H

#include "join-server/store.h"

#define T_JOIN_ROWS 16

struct t_join_rows {
	struct js_state state;
	size_t device_count;
	struct js_device devices[T_JOIN_ROWS];
	size_t nonces_count;
	struct {
		struct lw_eui64 join_eui, dev_eui;
		struct js_nonces nonces;
	} nonces[T_JOIN_ROWS];
	size_t session_count;
	struct js_session sessions[T_JOIN_ROWS];
	uint64_t audited; /* seq of the last row */
};

struct t_join_store {
	struct t_join_rows now;
	struct t_join_rows committed;
	bool fails; /* every write says ST_DATABASE */
	unsigned writes;
};

struct js_store t_join_store_init(struct t_join_store *store);
void t_join_store_commit(struct t_join_store *store);
void t_join_store_crash(struct t_join_store *store);
/* NULL: none. */
struct js_device *t_join_store_device(struct t_join_store *store, uint64_t dev_eui);

#endif
