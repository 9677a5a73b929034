/* The numbered SQL files of a process, compiled in by migrations/embed.sh. The schema's version is their count. */
#ifndef LAMPPOST_DB_MIGRATIONS_H
#define LAMPPOST_DB_MIGRATIONS_H

struct db_migrations {
	const char *process;	  /* "network-server" */
	const char *const *texts; /* `count` scripts, in order */
	int count;
};

extern const struct db_migrations db_migrations_network_server;
extern const struct db_migrations db_migrations_join_server;
extern const struct db_migrations db_migrations_application_server;

#endif
