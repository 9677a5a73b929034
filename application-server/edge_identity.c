#include "application-server/edge_identity.h"

#include "common/io/clock.h"

#include <string.h>

#define LOOK_EVERY (3600 * US_PER_S)

static void look(struct as_edge_identity *edge, struct now now)
{
	edge->looked = now.mono;
	edge->hosts = edge->config->server_hosts;
	as_server_files_look(&edge->authority, edge->config, edge->state_dir, now.wall);
}

enum status as_edge_identity_open(struct as_edge_identity *edge, struct as_store *store,
				  const struct as_keys *keys, struct rng *rng, const struct as_config *config,
				  const char *state_dir)
{
	const struct as_identity_config said = as_identity_config_of(config);
	struct now now = clock_now();
	*edge = (struct as_edge_identity){.config = config, .state_dir = state_dir};
	edge->packages = as_packages_new(state_dir);
	if (!edge->packages)
		return ST_NO_MEMORY;
	enum status status = as_authority_open(&edge->authority, store, keys, rng, &said, now.wall);
	if (status != ST_OK)
		return status;
	look(edge, now);
	return as_store_commit(store);
}

void as_edge_identity_close(struct as_edge_identity *edge)
{
	as_packages_free(edge->packages);
	edge->packages = NULL;
}

static bool hosts_changed(const struct as_edge_identity *edge)
{
	const struct option_list *now = &edge->config->server_hosts, *then = &edge->hosts;
	bool changed = now->count != then->count;
	for (size_t i = 0; i < now->count && !changed; i++)
		changed = strcmp(now->items[i], then->items[i]) != 0;
	return changed;
}

void as_edge_identity_tick(struct as_edge_identity *edge, struct now now)
{
	const struct as_identity_config said = as_identity_config_of(edge->config);
	edge->authority.config = said;
	if (hosts_changed(edge) || mono_since(now.mono, edge->looked) >= LOOK_EVERY)
		look(edge, now);
}
