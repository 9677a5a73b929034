/* The network server's process: configuration, keys, regions, store, sockets around the core of network.h. What happens
 * in a turn changes memory; the turn's commit makes it durable; only then is the outbox drained (common/io/loop.h). */
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "common/io/process.h"
#include "common/io/state_lock.h"
#include "common/text/region_yaml.h"
#include "network-server/edge_process.h"
#include "network-server/reconfigure.h"

#include <errno.h>
#include <sys/stat.h>

/* --- the turn --- */

static enum status commit(void *ctx)
{
	struct ns_edge *edge = ctx;
	return ns_store_commit(&edge->store, &edge->ns, clock_now());
}

static void drain(void *ctx, struct now now)
{
	struct ns_edge *edge = ctx;
	ns_edge_network_drain(edge);
	for (size_t i = 0; i < edge->ns.outbox.count; i++) {
		const struct ns_out *out = &edge->ns.outbox.entries[i];
		if (out->kind == NS_OUT_JOIN)
			ns_edge_join_call(edge, now, &out->join);
		else
			ns_edge_network_send(edge, out);
	}
	ns_outbox_clear(&edge->ns.outbox);
	if (ns_edge_network_waits(edge))
		io_timer_start(edge->timer, 5 * US_PER_MS, US_PER_S);
}

static struct mono next_deadline(void *ctx)
{
	struct ns_edge *edge = ctx;
	return ns_next_deadline(&edge->ns);
}

static void on_tick(void *ctx, struct now now)
{
	struct ns_edge *edge = ctx;
	ns_on_tick(&edge->ns, now);
}

static void on_timer(void *ctx, struct now now)
{
	struct ns_edge *edge = ctx;
	ns_edge_check_disk(edge);
	ns_edge_log_verdicts(edge);
	ns_edge_log_off_plan(edge, now);
}

/* --- start and stop --- */

static enum status load_regions(struct ns_edge *edge, struct ns_config *config)
{
	const struct option_list *ids = &edge->options.regions;
	edge->regions = calloc(ids->count, sizeof *edge->regions);
	if (!edge->regions)
		return ST_NO_MEMORY;
	for (size_t i = 0; i < ids->count; i++) {
		if (!region_load(&edge->regions[i], ids->items[i])) {
			LOG_ERROR("region_refused", "region=%s reason=\"not known\"", ids->items[i]);
			return ST_INVALID;
		}
	}
	config->regions = edge->regions;
	config->region_count = (uint8_t)ids->count;
	return ST_OK;
}

static enum status configure(struct ns_edge *edge, struct ns_config *config)
{
	char problem[CONFIG_ERROR_MAX];
	ns_config_defaults(config);
	enum status status = load_regions(edge, config);
	if (status != ST_OK)
		return status;
	if (ns_config_from(config, &edge->common, &edge->options, &edge->options.regions, problem))
		return ST_OK;
	LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
	return ST_INVALID;
}

static void on_hangup(void *ctx, struct now now)
{
	struct ns_edge *edge = ctx;
	edge->reload_now = now;
	enum reload_verdict verdict = reload_run(&edge->reload);
	(void)verdict; /* it was logged, and stands in /healthz */
}

static enum status open_store(struct ns_edge *edge, struct ns_config *config)
{
	char path[OPTION_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/network.db", edge->common.state_dir);
	enum status status = io_state_lock(edge->common.state_dir, "network-server");
	if (status == ST_OK)
		status = ns_store_open(&edge->store, path, NULL);
	if (status == ST_OK)
		status = ns_store_epoch(&edge->store, &config->epoch);
	if (status == ST_OK)
		status = checkpoint_start(edge->store.db, NULL, 0, &edge->checkpoint);
	return status;
}

static enum status open_sockets(struct ns_edge *edge)
{
	if (mkdir(edge->common.run_dir, 0750) != 0 && errno != EEXIST) {
		LOG_ERROR("run_dir_failed", "path=%s error=\"%s\"", edge->common.run_dir, strerror(errno));
		return ST_IO;
	}
	edge->timer = io_timer_new(edge->loop, on_timer, edge);
	io_timer_start(edge->timer, US_PER_MS, US_PER_S);
	enum status status = ns_edge_join_open(edge);
	if (status == ST_OK)
		status = ns_edge_join_servers_open(edge);
	if (status == ST_OK)
		status = ns_edge_join_answers_open(edge);
	if (status == ST_OK)
		status = ns_edge_network_open(edge);
	if (status == ST_OK)
		status = ns_edge_metrics_open(edge);
	return status;
}

static enum status start(struct ns_edge *edge)
{
	const struct io_turn turn = {.commit = commit,
				     .drain = drain,
				     .next_deadline = next_deadline,
				     .on_tick = on_tick,
				     .on_hangup = on_hangup,
				     .ctx = edge};
	struct ns_config config = {0};
	edge->loop = io_loop_new(&turn);
	edge->rng = secret_rng();
	enum status status = configure(edge, &config);
	if (status == ST_OK)
		status = ns_edge_keys_load(edge, &config);
	if (status == ST_OK)
		status = open_store(edge, &config);
	if (status == ST_OK) {
		ns_init(&edge->ns, &config, &edge->rng);
		edge->ns_is_up = true;
		status = ns_edge_load(edge, clock_now());
	}
	secret_wipe(&config, sizeof config);
	return status == ST_OK ? open_sockets(edge) : status;
}

static void release(struct ns_edge *edge)
{
	io_admin_free(edge->admin);
	io_link_server_free(edge->links_server);
	if (edge->join_pipe)
		table_release(&edge->calls);
	io_http_pipe_free(edge->join_pipe);
	if (edge->ns_is_up)
		ns_edge_join_servers_release(edge);
	ns_edge_join_answers_release(edge);
	io_timer_free(edge->timer);
	if (edge->ns_is_up)
		ns_release(&edge->ns);
	checkpoint_stop(edge->checkpoint);
	ns_store_close(&edge->store);
	ns_edge_keys_release(edge);
	free(edge->regions);
	free(edge->message);
	free(edge->bytes);
	arena_release(&edge->arena);
	if (edge->loop)
		io_loop_free(edge->loop);
}

int main(int argc, char **argv)
{
	static struct ns_edge edge;
	const struct config_program program = {"network-server", "The MAC layer of a LoRaWAN network.",
					       ns_option_rows,   ns_option_row_count,
					       &edge.options,    sizeof edge.options};
	int code;
	if (!config_start(&program, &edge.common, argc, argv, &code))
		return code;
	reload_init(&edge.reload, &program, &edge.common, argc, argv, ns_edge_reconfigure, &edge);
	log_init("network-server", edge.common.log_level);
	io_harden();
	enum status status = secret_init();
	if (status == ST_OK)
		status = start(&edge);
	if (status == ST_OK) {
		LOG_INFO("started", "version=%s sessions=%u devices=%u", LAMPPOST_VERSION,
			 edge.ns.sessions.slab.count, edge.ns.sessions.devices.count);
		code = io_loop_run(edge.loop);
		LOG_INFO("stopped", "code=%d", code);
	} else {
		LOG_ERROR("start_refused", "status=%s", status_name(status));
		code = status == ST_INVALID ? 2 : 1;
	}
	release(&edge);
	return code;
}
