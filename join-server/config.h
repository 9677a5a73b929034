/* The rows of section `join-server`. */
#ifndef LAMPPOST_JOIN_SERVER_CONFIG_H
#define LAMPPOST_JOIN_SERVER_CONFIG_H

#include "common/base/options.h"

struct js_config {
	char master_key[OPTION_PATH_MAX]; /* "": STATE/keys/join-server.master */
	char box_key[OPTION_PATH_MAX];    /* "": STATE/keys/join-server.box */
	struct option_map keks;           /* label → file */
	struct option_map callers;        /* joins, provisioning, app_keys → users */
	char listen[64];                  /* "": not served to other machines */
	char certificate[OPTION_PATH_MAX], key[OPTION_PATH_MAX], ca[OPTION_PATH_MAX];
	int64_t connections;
	struct option_map peers; /* label → words (peers.h) */
	int64_t session_key_days;
};

extern const struct option js_config_rows[];
extern const size_t js_config_row_count;

#endif
