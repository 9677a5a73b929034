/* `lamppost-sim load` and `lamppost-sim sessions`: a load generator for benchmarks, and the import file of its devices. */
#ifndef LAMPPOST_SIM_EDGE_LOAD_H
#define LAMPPOST_SIM_EDGE_LOAD_H

#include <stdint.h>

#define SIM_LOAD_GATEWAYS_MAX 4096

struct sim_load_options {
	const char *bridge;      /* HOST:PORT, numeric */
	const char *report_file; /* NULL: none */
	const char *csv_file;    /* sessions */
	const char *application; /* sessions: slugs that go into the file */
	const char *profile;
	uint32_t devices;
	uint32_t first_device;
	uint32_t first_fcnt;
	uint32_t gateways;           /* EUIs 4c50475700000000 + index */
	uint32_t copies;             /* gateways that hear each uplink; 0: the lesser of 3 and `gateways` */
	uint32_t confirmed_permille; /* of the uplinks: those ask for an answer */
	double rate;                 /* uplinks a second */
	double seconds;
};

#define SIM_LOAD_DEFAULTS                                                                            \
	{                                                                                            \
		.bridge = "127.0.0.1:1700", .application = "load", .profile = "load", .gateways = 3, \
		.rate = 1000, .seconds = 10                                                          \
	}

/* Sends the load; prints and reports what was sent each second, whether the generator itself fell behind, and the PUSH_DATA
 * that got no answer. Returns the exit code: 1 if a socket failed or nothing was sent. */
int sim_edge_load(const struct sim_load_options *options);
/* Writes the CSV (header and one line a device). */
int sim_edge_sessions(const struct sim_load_options *options);

#endif
