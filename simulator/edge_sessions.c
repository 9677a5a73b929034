/* The import file of a load generator's devices. */
#include "simulator/edge_load.h"
#include "simulator/load_session.h"

#include "common/base/hex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int sim_edge_sessions(const struct sim_load_options *options)
{
	FILE *file = fopen(options->csv_file, "w");
	if (file == NULL) {
		fprintf(stderr, "lamppost-sim: %s: %s\n", options->csv_file, strerror(errno));
		return 1;
	}
	fputs("dev_eui,name,application,profile,activation,dev_addr,nwk_s_key,app_s_key,fcnt_up,fcnt_down\n",
	      file);
	for (uint32_t i = 0; i < options->devices; i++) {
		uint32_t number = options->first_device + i;
		struct sim_load_session session = sim_load_session(number);
		char eui[LW_EUI64_TEXT], dev_addr[LW_DEV_ADDR_TEXT], nwk[33], app[33];
		lw_eui64_format(eui, &session.dev_eui);
		lw_dev_addr_format(dev_addr, session.dev_addr);
		hex_encode(nwk, session.nwk_s_key.bytes, 16);
		hex_encode(app, session.app_s_key.bytes, 16);
		fprintf(file, "%s,load-%u,%s,%s,abp,%s,%s,%s,0,0\n", eui, number, options->application,
			options->profile, dev_addr, nwk, app);
	}
	int failed = ferror(file);
	if (fclose(file) != 0 || failed) {
		fprintf(stderr, "lamppost-sim: %s: cannot be written\n", options->csv_file);
		return 1;
	}
	return 0;
}
