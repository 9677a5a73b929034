/* The core's configuration from the rows of the file, at the start and again while running. Pure.
 *
 * What changes while running: everything but what memory was taken for (max_devices), what sessions refer to (regions) and
 * what both ends of a link have to change at once (net_id, keys). */
#ifndef LAMPPOST_NETWORK_SERVER_RECONFIGURE_H
#define LAMPPOST_NETWORK_SERVER_RECONFIGURE_H

#include "common/text/config.h"
#include "network-server/config.h"
#include "network-server/network.h"

/* Fills what the rows say, into a configuration whose `regions` are there. `regions`: the ids that extra_channels may name
 * (of the file, which may be ahead of what runs). False with one line in `problem`; `config` is then unspecified. */
bool ns_config_from(struct ns_config *config, const struct config_common *common,
		    const struct ns_options *options, const struct option_list *regions,
		    char problem[CONFIG_ERROR_MAX]);
/* Takes over what may change while running. Windows that are open close as they were meant to. */
void ns_reconfigure(struct ns *ns, const struct ns_config *config);

#endif
