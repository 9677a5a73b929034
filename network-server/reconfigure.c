#include "network-server/reconfigure.h"

#include "common/lorawan/gateway_plan.h"

#include <string.h>

static bool names(const struct option_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], id) == 0)
			return true;
	return false;
}

static bool all_run(const char *key, const struct option_map *table, const struct option_list *regions,
		    char problem[CONFIG_ERROR_MAX])
{
	for (size_t i = 0; i < table->count; i++) {
		if (!names(regions, table->entries[i].label)) {
			snprintf(problem, CONFIG_ERROR_MAX, "network-server.%s.%s: no such region here", key,
				 table->entries[i].label);
			return false;
		}
	}
	return true;
}

static bool read_channels(struct ns_config *config, const struct ns_options *options,
			  const struct option_list *regions, char problem[CONFIG_ERROR_MAX])
{
	for (uint8_t i = 0; i < config->region_count; i++) {
		char why[OPTION_EXPECT_MAX + OPTION_LABEL_MAX];
		const struct lw_region *region = &config->regions[i];
		if (!ns_extra_channels_init(&config->extra[i], &options->extra_channels, region, why,
					    sizeof why) ||
		    !ns_channel_plan_init(&config->channel_plans[i], &options->channel_plans, region, why,
					  sizeof why)) {
			snprintf(problem, CONFIG_ERROR_MAX, "network-server.%s", why);
			return false;
		}
	}
	return all_run("extra_channels", &options->extra_channels, regions, problem) &&
	       all_run("channel_plans", &options->channel_plans, regions, problem);
}

/* Their keys are the edge's to read. */
static bool read_join_servers(struct ns_config *config, const struct ns_options *options,
			      char problem[CONFIG_ERROR_MAX])
{
	const struct option_map *map = &options->join_servers;
	bool asynchronous = false;
	for (config->join_server_count = 0; config->join_server_count < map->count;
	     config->join_server_count++) {
		uint8_t i = config->join_server_count;
		char expect[OPTION_EXPECT_MAX];
		struct bi_join_server *server = &config->join_servers[i];
		if (!bi_join_server_parse(BI_NETWORK_SERVER, map->entries[i].label, map->entries[i].value,
					  server, expect)) {
			snprintf(problem, CONFIG_ERROR_MAX, "network-server.join_servers.%s: %s",
				 map->entries[i].label, expect);
			return false;
		}
		asynchronous = asynchronous || server->asynchronous;
	}
	if (!asynchronous || options->answers_listen[0])
		return true;
	snprintf(problem, CONFIG_ERROR_MAX,
		 "network-server.join_answers.listen: expected an address, since a join server answers "
		 "asynchronously");
	return false;
}

bool ns_config_from(struct ns_config *config, const struct config_common *common,
		    const struct ns_options *options, const struct option_list *regions,
		    char problem[CONFIG_ERROR_MAX])
{
	const struct option_list *prefixes = &common->dev_addr_prefixes;
	const struct option_list *euis = &options->join_eui_prefixes;
	config->net_id = config_net_id(common);
	config->prefix_count = config->join_eui_prefix_count = 0;
	bool good = true; /* the rows' checks let them pass */
	for (size_t i = 0; i < prefixes->count; i++)
		good = lw_dev_addr_prefix_parse(prefixes->items[i],
						&config->prefixes[config->prefix_count++]) &&
		       good;
	for (size_t i = 0; i < euis->count; i++)
		good = lw_eui_prefix_parse(euis->items[i],
					   &config->join_eui_prefixes[config->join_eui_prefix_count++]) &&
		       good;
	if (!good)
		snprintf(problem, CONFIG_ERROR_MAX, "a prefix cannot be read");
	config->dedup_window = options->dedup_window_ms * US_PER_MS;
	config->rx_delay_s = (uint8_t)options->rx_delay_s;
	config->journal_limit = (uint64_t)options->journal_limit << 20;
	config->max_devices = (uint32_t)options->max_devices;
	config->first_come = !options->join_storm;
	return good && read_join_servers(config, options, problem) &&
	       read_channels(config, options, regions, problem);
}

static bool same_channels(const struct ns_config *a, const struct ns_config *b)
{
	bool same = true;
	for (size_t i = 0; i < NS_REGIONS_MAX; i++) {
		same = same && a->extra[i].count == b->extra[i].count;
		for (uint8_t k = 0; same && k < a->extra[i].count; k++)
			same = a->extra[i].at[k].freq_hz == b->extra[i].at[k].freq_hz;
		same = same && lw_mask_equal(&a->channel_plans[i], &b->channel_plans[i]);
	}
	return same;
}

/* Those whose record names no channels follow the network's plan. */
static void follow_channel_plans(struct ns *ns)
{
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++) {
		if (!ns_slab_holds(&ns->gateways.slab, slot))
			continue;
		struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
		(void)lw_gateway_mask(ns_region(ns, gateway->region), gateway->record.channel_plan,
				      &ns->config.channel_plans[gateway->region], &gateway->channels);
	}
}

void ns_reconfigure(struct ns *ns, const struct ns_config *config)
{
	ns->config.dedup_window = ns->dedup.window = config->dedup_window;
	ns->config.rx_delay_s = config->rx_delay_s;
	ns->config.first_come = config->first_come;
	ns->config.journal_limit = ns->journal.limit = config->journal_limit;
	bool same = same_channels(&ns->config, config);
	if (!same)
		ns_off_plan_forget_all(ns);
	memcpy(ns->config.extra, config->extra, sizeof ns->config.extra);
	memcpy(ns->config.channel_plans, config->channel_plans, sizeof ns->config.channel_plans);
	follow_channel_plans(ns);
	if (!same)
		ns->gateways.version++;           /* stations are told their channels anew */
	memset(ns->wanted, 0, sizeof ns->wanted); /* plans are made anew of them */
	memcpy(ns->config.prefixes, config->prefixes, sizeof ns->config.prefixes);
	ns->config.prefix_count = config->prefix_count;
	memcpy(ns->config.join_eui_prefixes, config->join_eui_prefixes, sizeof ns->config.join_eui_prefixes);
	ns->config.join_eui_prefix_count = config->join_eui_prefix_count;
	ns_foreign_set_prefixes(&ns->foreign, config->prefixes, config->prefix_count);
	ns_foreign_allow_join_euis(&ns->foreign, config->join_eui_prefixes, config->join_eui_prefix_count);
}
