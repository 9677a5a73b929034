/* The rows of section `join-server`. */
#ifndef LAMPPOST_JOIN_SERVER_CONFIG_H
#define LAMPPOST_JOIN_SERVER_CONFIG_H

#include "common/base/options.h"

struct js_config {
	char master_key[OPTION_PATH_MAX]; /* "": STATE/keys/join-server.master */
	char box_key[OPTION_PATH_MAX];    /* "": STATE/keys/join-server.box */
	struct option_map keks;           /* label → file */
	struct option_map callers;        /* joins, provisioning → users */
};

extern const struct option js_config_rows[];
extern const size_t js_config_row_count;

#endif
