/* SIGHUP: what may change while running goes to the core and to the sockets. The free-space floor is read from what is in
 * force, every second. */
#include "network-server/edge_process.h"

#include "network-server/reconfigure.h"

#include <sys/statvfs.h>

bool ns_edge_reconfigure(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	struct ns_edge *edge = ctx;
	const struct ns_options *options = wanted->config, *file = wanted->file_config;
	struct ns_config config = edge->ns.config;
	struct callers callers;
	bool good = ns_config_from(&config, wanted->common, options, &file->regions, problem) &&
		    ns_edge_callers_init(&callers, options, problem);
	if (good) {
		ns_reconfigure(&edge->ns, &config);
		ns_edge_network_set_callers(edge, &callers);
	}
	secret_wipe(&config, sizeof config);
	return good;
}

void ns_edge_check_disk(struct ns_edge *edge)
{
	struct statvfs disk;
	if (statvfs(edge->common.state_dir, &disk) == 0)
		edge->ns.journal.disk_low = (uint64_t)disk.f_bavail * disk.f_frsize <
					    (uint64_t)edge->options.disk_floor << 20;
}
