/* The join server of another city, as a process under test: its state, its records, its peers. */
#ifndef LAMPPOST_TESTS_FOREIGN_JOIN_H
#define LAMPPOST_TESTS_FOREIGN_JOIN_H

#include "tests/harness/process.h"

struct t_foreign_join {
	char dir[T_DIR_MAX], join_sock[T_DIR_MAX + 32], admin_sock[T_DIR_MAX + 48], config[T_DIR_MAX + 32];
	struct t_process *process;
	uint64_t version;
};

/* Makes its state; `section` is what stands in its section join-server. */
void t_foreign_join_start(struct t_foreign_join *join, const char *net_id, const char *section);
void t_foreign_join_stop(struct t_foreign_join *join);
/* A device of 1.0.4 with that AppKey (32 digits); `home` NULL: none said. */
void t_foreign_join_add(struct t_foreign_join *join, const char *dev_eui, const char *join_eui,
			const char *app_key, const char *home);

#endif
