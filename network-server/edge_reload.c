/* SIGHUP: what may change while running goes to the core and to the sockets. The free-space floor is read from what is in
 * force, every second. */
#include "network-server/edge_join_servers.h"

#include "common/base/check.h"
#include "network-server/reconfigure.h"

#include <stdlib.h>
#include <sys/statvfs.h>

bool ns_edge_reconfigure(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	struct ns_edge *edge = ctx;
	const struct ns_options *options = wanted->config, *file = wanted->file_config;
	struct ns_config config = edge->ns.config;
	struct ns_edge_join_change *joins = calloc(1, sizeof *joins);
	struct callers callers;
	ASSERT(joins);
	bool good = ns_config_from(&config, wanted->common, options, &file->regions, problem) &&
		    ns_edge_callers_init(&callers, options, problem) &&
		    ns_edge_join_servers_prepare(edge, &config, joins, problem);
	/* The last step that may fail: it changes something where it does not. */
	if (good && !ns_edge_join_answers_change(edge, options, problem)) {
		ns_edge_join_servers_drop(joins);
		good = false;
	}
	if (good) {
		ns_edge_join_servers_take_over(edge, edge->reload_now, joins);
		ns_reconfigure(&edge->ns, &config);
		ns_edge_network_set_callers(edge, &callers);
	}
	free(joins);
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
