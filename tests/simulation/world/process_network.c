/* The network server in the world: its core, edges and store; what main.c does around them is written again here. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/text/region_yaml.h"
#include "network-server/edge_process.h"
#include "network-server/join_flow.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_TURNS 128

struct network {
	struct ns_edge edge;
	struct rng rng;
};

/* Read once: regions are the same in every world. */
static const struct lw_region *region(void)
{
	static struct lw_region region;
	static bool loaded;
	if (!loaded)
		ASSERT(region_load(&region, WORLD_REGION));
	loaded = true;
	return &region;
}

static void configure(struct machine *machine, struct ns_config *config)
{
	const struct world *world = machine->world;
	uint32_t devices = world->device_count + 64;
	char problem[64];
	ns_config_defaults(config);
	config->prefixes[0] = (struct lw_dev_addr_prefix){0x26000000, 7};
	config->prefix_count = 1;
	config->regions = region();
	config->region_count = 1;
	ASSERT(ns_extra_channels_init(&config->extra[0], &(struct option_map){0}, config->regions, problem,
				      sizeof problem));
	config->max_devices = devices;
	config->max_gateways = WORLD_GATEWAYS_MAX;
	config->max_frames = devices;
	config->max_remembered = 4 * devices;
	config->max_downlinks = devices;
	config->max_joins = devices;
	config->max_items = 8 * devices;
	config->master = world->keys->master[WORLD_NETWORK];
	config->box = world->keys->box[WORLD_NETWORK];
	memcpy(config->kek, world->keys->kek_network, sizeof config->kek);
	config->has_kek = true;
}

/* What a commit that was cut off by the power had made durable after all is known from here on. */
static bool note_committed(void *ctx, uint64_t row, const uint8_t *event, size_t length)
{
	(void)row;
	judge_committed(ctx, event, length);
	return true;
}

static bool start(struct machine *machine)
{
	struct network *self = calloc(1, sizeof *self);
	struct ns_config config = {0};
	ASSERT(self);
	machine->self = self;
	struct ns_edge *edge = &self->edge;
	snprintf(edge->common.run_dir, sizeof edge->common.run_dir, "%s", WORLD_RUN_DIR);
	edge->loop = &machine->loop;
	edge->rng = machine->rng = rng_seeded(rng_u64(&machine->rng));
	configure(machine, &config);
	uint64_t seen;
	enum status status = ns_store_open(&edge->store, "network/network.db", FAULT_VFS);
	if (status == ST_OK)
		status = ns_store_epoch(&edge->store, &config.epoch);
	ASSERT(status == ST_OK);
	ns_init(&edge->ns, &config, &edge->rng);
	edge->ns_is_up = true;
	status = ns_store_load(&edge->store, &edge->ns, machine_now(machine));
	if (status == ST_OK)
		ns_store_events(&edge->store, 0, UINT32_MAX >> 1, note_committed, machine->world, &seen);
	if (status == ST_OK)
		status = ns_edge_join_open(edge);
	if (status == ST_OK)
		status = ns_edge_network_open(edge);
	return status == ST_OK;
}

static void release(struct machine *machine)
{
	struct network *self = machine->self;
	struct ns_edge *edge = &self->edge;
	io_link_server_free(edge->links_server);
	if (edge->join_pipe)
		table_release(&edge->calls);
	io_http_pipe_free(edge->join_pipe);
	ns_release(&edge->ns);
	ns_store_close(&edge->store);
	free(edge->message);
	free(edge->bytes);
	arena_release(&edge->arena);
	free(self);
	machine->self = NULL;
}

/* As the checkpoint thread does it, on this connection. */
static void checkpoint(struct machine *machine, struct db *db)
{
	int log, done;
	if (machine->turns % CHECKPOINT_TURNS != 0)
		return;
	sqlite3_wal_checkpoint_v2(db_handle(db), NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	sqlite3_wal_checkpoint_v2(db_handle(db), NULL, SQLITE_CHECKPOINT_RESTART, &log, &done);
}

/* The turn's bytes are where they were until the next one writes over them. */
static void note_turn(struct world *world, const struct ns *ns, size_t length)
{
	struct ns_journal_reader reader;
	struct ns_journal_entry entry;
	ns_journal_read(&reader, 0, ns->journal.turn, length);
	while (ns_journal_entry(&reader, &entry)) {
		size_t event_length;
		const uint8_t *event = ns_journal_event(&entry, &event_length);
		if (event)
			judge_committed(world, event, event_length);
	}
}

static enum status commit(struct machine *machine, struct now now)
{
	struct ns_edge *edge = &((struct network *)machine->self)->edge;
	size_t length; /* a sweep within the commit adds to it, but no event */
	ns_journal_turn(&edge->ns.journal, &length);
	enum status status = ns_store_commit(&edge->store, &edge->ns, now);
	if (status == ST_OK) {
		note_turn(machine->world, &edge->ns, length);
		checkpoint(machine, edge->store.db);
	}
	return status;
}

static void drain(struct machine *machine, struct now now)
{
	struct ns_edge *edge = &((struct network *)machine->self)->edge;
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
		machine_touch(machine);
}

static struct mono next_deadline(struct machine *machine)
{
	return ns_next_deadline(&((struct network *)machine->self)->edge.ns);
}

static void on_tick(struct machine *machine, struct now now)
{
	ns_on_tick(&((struct network *)machine->self)->edge.ns, now);
}

/* The session that the device has, if the network has it as well and nothing is under way between the two. */
static const struct ns_session *settled_session(const struct ns *ns, const struct sim_device *device)
{
	uint32_t slot = ns_device_find(&ns->sessions, &device->config.dev_eui);
	if (slot == NS_NO_SLOT || !device->joined || device->answer_count > 0)
		return NULL;
	slot = ns_device_at(&ns->sessions, slot)->session;
	const struct ns_session *session = slot == NS_NO_SLOT ? NULL : ns_session_at(&ns->sessions, slot);
	bool same = session && session->dev_addr.value == device->dev_addr.value &&
		    session->fcnt_up == device->fcnt_up && session->mac.question_length == 0;
	return same ? session : NULL;
}

const char *world_mac_differs(const struct world *world, unsigned index)
{
	const struct network *self = world->machines[WORLD_NETWORK].self;
	const struct sim_device *device = sim_world_device(world->sim, index);
	const struct ns_session *session = self ? settled_session(&self->edge.ns, device) : NULL;
	if (!session)
		return NULL;
	const struct lw_channel_plan *plan = ns_session_plan(&self->edge.ns.sessions, session);
	for (uint8_t i = 0; i < LW_PLAN_DYNAMIC_MAX; i++) {
		const struct sim_channel *channel = &device->channels[i];
		struct lw_channel own = {.freq_hz = 0};
		(void)lw_plan_channel(plan, region(), i, &own);
		if (own.freq_hz != channel->freq_hz)
			return "channel";
		if (channel->freq_hz != 0 && lw_mask_get(&plan->enabled, i) != channel->enabled)
			return "mask of channels";
		if (channel->freq_hz != 0 && plan->rx1_freq_hz[i] != channel->down_freq_hz)
			return "frequency of RX1";
	}
	return session->rx_delay_s != device->rx_delay_s              ? "RxDelay"
	       : session->rx1_dr_offset != device->rx1_offset         ? "RX1DROffset"
	       : session->rx2_dr != device->rx2_dr                    ? "data rate of RX2"
	       : session->rx2_freq_hz != device->rx2_freq_hz          ? "frequency of RX2"
	       : session->nb_trans != device->nb_trans                ? "NbTrans"
	       : session->mac.tx_power != device->power_index         ? "power"
	       : session->mac.max_duty_cycle != device->duty_exponent ? "duty cycle"
								      : NULL;
}

const char *world_journal_left(const struct world *world)
{
	const struct network *self = world->machines[WORLD_NETWORK].self;
	if (!self)
		return NULL;
	const struct ns *ns = &self->edge.ns;
	return ns->sessions.dirty_count > 0                      ? "sessions that were not folded"
	       : ns->journal.stored_row < ns->journal.event_row  ? "events that nobody has stored"
	       : ns_store_journal_has_old(&self->edge.store, ns) ? "journal rows that nobody needs"
								 : NULL;
}

void world_storm(const struct world *world, struct world_storm *storm)
{
	const struct network *self = world->machines[WORLD_NETWORK].self;
	char warnings[64] = "", members[NS_EDGE_STORM_TEXT];
	*storm = (struct world_storm){.up = self != NULL, .health = "{}"};
	if (!self)
		return;
	const struct ns *ns = &self->edge.ns;
	const struct now now = machine_now(&world->machines[WORLD_NETWORK]);
	ns_edge_storm_health(&self->edge, now, warnings, sizeof warnings, members, sizeof members);
	snprintf(storm->health, sizeof storm->health, "{%s}", members[0] ? members + 1 : "");
	for (unsigned i = 0; i < world->device_count; i++) {
		const struct lw_eui64 dev_eui = lw_eui64_from_number(world_dev_eui(i));
		uint32_t slot = ns_device_find(&ns->sessions, &dev_eui);
		bool asked = slot != NS_NO_SLOT && ns->storm.number != 0 &&
			     ns->storm.devices[slot].storm == ns->storm.number;
		storm->asked += asked;
		storm->without_session += asked && !sim_world_device(world->sim, i)->joined;
	}
	for (uint32_t slot = 0; slot < ns->joins.high; slot++)
		if (ns_slab_holds(&ns->joins, slot))
			storm->kept += ((const struct ns_join *)ns_slab_at(&ns->joins, slot))->kept.held;
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++)
		if (ns_slab_holds(&ns->gateways.slab, slot))
			storm->planned += ns_gateway_pending(ns_gateways_at(&ns->gateways, slot), now.mono);
}

void world_trace_network(struct world *world)
{
	struct network *self = world->machines[WORLD_NETWORK].self;
	if (!self)
		return;
	const struct ns *ns = &self->edge.ns;
	for (int i = 0; i < NS_DROP_COUNT; i++)
		if (ns->drops[i] > 0)
			world_trace(world, "network server: %s %llu", ns_verdict((enum ns_drop)i)->name,
				    (unsigned long long)ns->drops[i]);
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++) {
		if (!ns_slab_holds(&ns->gateways.slab, slot))
			continue;
		const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
		world_trace(world, "network server: gateway of slot %u, link %llu, mapped %d, downlinks %llu",
			    slot, (unsigned long long)gateway->link, gateway->mapped,
			    (unsigned long long)gateway->downlinks);
	}
}

const struct machine_kind world_network = {.name = "network",
					   .start = start,
					   .release = release,
					   .commit = commit,
					   .drain = drain,
					   .next_deadline = next_deadline,
					   .on_tick = on_tick};
