/* Section `network-server` of the configuration. */
#ifndef LAMPPOST_NETWORK_SERVER_CONFIG_H
#define LAMPPOST_NETWORK_SERVER_CONFIG_H

#include "common/base/options.h"

struct ns_options {
	int64_t dedup_window_ms;
	struct option_list regions;
	int64_t rx_delay_s;
	int64_t journal_limit; /* MiB */
	int64_t disk_floor;    /* MiB */
	int64_t max_devices;
	struct option_map extra_channels; /* region → MHz */
	struct option_map channel_plans;  /* region → channels */
	struct option_list join_eui_prefixes;
	bool join_storm;
	struct option_map callers;      /* bridges, applications → users */
	struct option_map join_servers; /* name → words (join_servers.h) */
	char answers_listen[64];        /* "": no asynchronous answers */
	char answers_certificate[OPTION_PATH_MAX], answers_key[OPTION_PATH_MAX], answers_ca[OPTION_PATH_MAX];
};

extern const struct option ns_option_rows[];
extern const size_t ns_option_row_count;

#endif
