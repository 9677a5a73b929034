/* `lamppost-sim run`: the virtual world on the real clock, its gateways on real sockets. */
#ifndef LAMPPOST_SIM_EDGE_RUN_H
#define LAMPPOST_SIM_EDGE_RUN_H

#include <stdbool.h>

struct sim_run_options {
	const char *scenario_file;
	const char *devices_file; /* NULL: none */
	const char *report_file;  /* NULL: none */
	const char *bridge;       /* HOST:PORT, numeric: packet forwarders' */
	const char *lns;          /* ws[s]://HOST:PORT: of stations that name none */
	const char *broker;       /* mqtt[s]://HOST:PORT: of forwarders by MQTT that name none */
	double duration_s;        /* below 0: the scenario's */
	double drain_s;           /* at most so long after it; what is on its way has a second in any case */
	bool quiet;
};

/* Returns the exit code: 0 if every expectation holds, 1 if not or if something failed, 2 for a file that is refused. */
int sim_edge_run(const struct sim_run_options *options);
/* Reads a whole file of at most 4 MiB; NULL with a line on standard error. The caller frees. */
char *sim_edge_read_file(const char *path, unsigned long *length);

#endif
