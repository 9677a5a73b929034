/* Desired state from the application server (docs/contract.md, "Desired state"): begin, records in order of version, end.
 * Each record is applied to memory and written in the turn's transaction; `applied` goes out after the commit. In a full
 * run what was not named is removed at its end, a slice a turn; only then is it acknowledged. A record that cannot be
 * taken breaks the run: its end is not acknowledged, nor any later one, until the application server has been asked for
 * everything since the last that was. */
#include "network-server/network.h"

#include "common/base/check.h"
#include "common/lorawan/gateway_plan.h"
#include "network-server/item_flow.h"
#include "network-server/downlink.h"
#include "network-server/state_rows.h"
#include "network-server/why/record.h"

#define SWEEP_REMOVED 256   /* a turn */
#define SWEEP_SEEN    16384 /* a turn */
#define ASK_PAUSE     (5 * US_PER_S)
#define ASK_PAUSE_MAX (3600 * US_PER_S)

static void refuse(struct ns *ns, struct now now, enum ns_drop drop, uint64_t version)
{
	ns->state.broken = true;
	struct ns_numbers numbers = {decision_u32((int64_t)version),
				     decision_u32((int64_t)ns->state.last_version), 0};
	if (drop == NS_DROP_JOURNAL_FULL)
		numbers = ns_numbers_of_journal(ns);
	ns_record_drop(ns, now, drop, ns_of_server(ns), numbers);
}

/* Its version alone; of the device it names, where that is known. */
static void refuse_record(struct ns *ns, struct now now, enum ns_drop drop, uint64_t version, uint32_t device)
{
	struct ns_whom whom = device == NS_NO_SLOT ? ns_of_server(ns) : ns_of_device(ns, device);
	struct ns_numbers numbers = {.a = decision_u32((int64_t)version)};
	if (drop == NS_DROP_SESSIONS_FULL)
		numbers.a = ns->sessions.slab.capacity;
	if (now.wall.us == 0) /* a row that is loaded at a start */
		ns_count(ns, drop);
	else
		ns_record_drop(ns, now, drop, whom, numbers);
}

static bool in_order(struct ns *ns, struct now now, uint64_t version)
{
	struct ns_state *state = &ns->state;
	if (!state->running || version < state->last_version || version == 0) {
		refuse(ns, now, NS_DROP_STATE_OUT_OF_ORDER, version);
		return false;
	}
	state->last_version = version;
	return true;
}

void ns_on_state_begin(struct ns *ns, struct now now, const struct net_state_begin *begin)
{
	struct ns_state *state = &ns->state;
	const struct net_uuid *city = state->sweeping ? &state->run_city : &state->city;
	state->running = begin->full || ns_uuid_equal(&begin->city, city);
	if (!state->running) {
		refuse(ns, now, NS_DROP_STATE_OUT_OF_ORDER, 0);
		return;
	}
	state->full = begin->full;
	if (!begin->full) { /* may follow at the heels of a full run */
		state->broken = state->behind;
		state->last_version = state->sweeping ? state->end_version : state->applied_version;
		return;
	}
	state->broken = state->sweeping = state->behind = false;
	state->run_city = begin->city;
	state->last_version = 0;
	state->run++;
	state->city = (struct net_uuid){{0}};
	state->applied_version = 0;
	ns_state_write_meta(ns);
}

static int find_profile(const struct ns *ns, const struct net_uuid *id)
{
	for (int i = 0; i < NS_PROFILES_MAX; i++)
		if (ns->profiles[i].used && ns_uuid_equal(&ns->profiles[i].record.id, id))
			return i;
	return -1;
}

static void remove_profile(struct ns *ns, int index)
{
	ns_write(ns, NS_WRITE_PROFILE, ns->profiles[index].record.id.bytes, 16)->deleted = true;
	ns->profiles[index] = (struct ns_profile){0};
}

bool ns_state_put_profile(struct ns *ns, struct now now, const struct net_profile *profile)
{
	int region = ns_region_find(ns, profile->region_id);
	if (region < 0 || profile->rx_delay_s > 15 || profile->mac_version >= LW_MAC_VERSION_COUNT) {
		refuse_record(ns, now, NS_DROP_STATE_INVALID, profile->version, NS_NO_SLOT);
		return false;
	}
	int index = find_profile(ns, &profile->id);
	for (int i = 0; i < NS_PROFILES_MAX && index < 0; i++)
		if (!ns->profiles[i].used)
			index = i;
	if (index < 0) {
		refuse_record(ns, now, NS_DROP_STATE_FULL, profile->version, NS_NO_SLOT);
		return false;
	}
	uint8_t number = ns_region_in(ns, (uint8_t)region, profile->regional_revision);
	ns->profiles[index] = (struct ns_profile){*profile, ns->state.run, true, number};
	return true;
}

void ns_on_profile(struct ns *ns, struct now now, const struct net_profile *profile)
{
	if (!in_order(ns, now, profile->version))
		return;
	if (profile->deleted) {
		int index = find_profile(ns, &profile->id);
		if (index >= 0)
			remove_profile(ns, index);
		return;
	}
	if (!ns_state_put_profile(ns, now, profile)) {
		ns->state.broken = true;
		return;
	}
	ns_state_write_profile(ns, profile);
}

bool ns_state_put_gateway(struct ns *ns, struct now now, const struct net_gateway *gateway)
{
	int region = ns_region_find(ns, gateway->gateway.region_id);
	struct lw_channel_mask channels;
	if (region < 0 || !lw_gateway_mask(ns_region(ns, (uint8_t)region), gateway->channel_plan,
					   &ns->config.channel_plans[region], &channels)) {
		refuse_record(ns, now, NS_DROP_STATE_INVALID, gateway->version, NS_NO_SLOT);
		return false;
	}
	uint32_t slot = ns_gateways_find(&ns->gateways, &gateway->gateway.eui);
	bool fresh = slot == NS_NO_SLOT;
	if (!fresh) {
		struct ns_gateway *known = ns_gateways_at(&ns->gateways, slot);
		if (known->region != region || !lw_mask_equal(&known->channels, &channels))
			ns_off_plan_forget(ns, known);
	}
	slot = ns_gateways_put(&ns->gateways, gateway, (uint8_t)region, &channels);
	if (slot == NS_NO_SLOT) {
		refuse_record(ns, now, NS_DROP_STATE_FULL, gateway->version, NS_NO_SLOT);
		return false;
	}
	ns_gateways_at(&ns->gateways, slot)->run = ns->state.run;
	if (fresh) /* records of before name another gateway of this slot */
		ns_gateways_at(&ns->gateways, slot)->since = now.wall;
	return true;
}

static void remove_gateway(struct ns *ns, uint32_t slot)
{
	struct lw_eui64 eui = ns_gateways_at(&ns->gateways, slot)->record.gateway.eui;
	ns_write(ns, NS_WRITE_GATEWAY, eui.bytes, 8)->deleted = true;
	ns_off_plan_removed(ns, ns_gateways_at(&ns->gateways, slot));
	ns_gateways_remove(&ns->gateways, slot);
	ns_record_forget_gateway(ns, slot);
}

void ns_on_gateway(struct ns *ns, struct now now, const struct net_gateway *gateway)
{
	if (!in_order(ns, now, gateway->version))
		return;
	if (gateway->deleted) {
		uint32_t slot = ns_gateways_find(&ns->gateways, &gateway->gateway.eui);
		if (slot != NS_NO_SLOT)
			remove_gateway(ns, slot);
		return;
	}
	if (!ns_state_put_gateway(ns, now, gateway)) {
		ns->state.broken = true;
		return;
	}
	ns_state_write_gateway(ns, gateway);
}

static void remove_device(struct ns *ns, struct now now, uint32_t slot)
{
	struct ns_device *device = ns_device_at(&ns->sessions, slot);
	ns_write(ns, NS_WRITE_DEVICE, device->dev_eui.bytes, 8)->deleted = true;
	ns_downlink_cancel(ns, slot);
	ns_items_device_gone(ns, now, slot);
	if (device->session != NS_NO_SLOT)
		ns_drop_session(ns, now, device->session);
	if (device->pending != NS_NO_SLOT)
		ns_drop_session(ns, now, device->pending);
	if (device->elder != NS_NO_SLOT)
		ns_drop_session(ns, now, device->elder);
	ns_foreign_remove_join_eui(&ns->foreign, &device->join_eui);
	ns_storm_forget(ns, slot);
	ns_device_remove(&ns->sessions, slot);
	ns_record_forget_device(ns, slot);
}

bool ns_state_put_device(struct ns *ns, struct now now, const struct net_device *record, uint32_t *slot)
{
	int profile = find_profile(ns, &record->profile);
	if (profile < 0) {
		refuse_record(ns, now, NS_DROP_STATE_INVALID, record->version,
			      ns_device_find(&ns->sessions, &record->dev_eui));
		return false;
	}
	uint32_t before = ns->sessions.devices.count;
	*slot = ns_device_put(&ns->sessions, &record->dev_eui);
	bool fresh = ns->sessions.devices.count != before;
	if (*slot == NS_NO_SLOT || !ns_foreign_add_join_eui(&ns->foreign, &record->join_eui)) {
		if (*slot != NS_NO_SLOT && fresh)
			ns_device_remove(&ns->sessions, *slot);
		refuse_record(ns, now, NS_DROP_STATE_FULL, record->version, fresh ? NS_NO_SLOT : *slot);
		return false;
	}
	struct ns_device *device = ns_device_at(&ns->sessions, *slot);
	if (!fresh)
		ns_foreign_remove_join_eui(&ns->foreign, &device->join_eui);
	device->join_eui = record->join_eui;
	device->version = record->version;
	device->run = ns->state.run;
	device->profile = (uint16_t)profile;
	device->flags = (uint8_t)((record->enabled ? NS_DEVICE_ENABLED : 0) |
				  (record->activation == NET_ABP ? NS_DEVICE_ABP : 0) |
				  (record->private_keys ? NS_DEVICE_PRIVATE : 0) |
				  (record->replaced ? NS_DEVICE_REPLACED : 0));
	return true;
}

void ns_on_device(struct ns *ns, struct now now, const struct net_device *record)
{
	if (!in_order(ns, now, record->version))
		return;
	uint32_t slot = ns_device_find(&ns->sessions, &record->dev_eui);
	if (record->deleted) {
		if (slot != NS_NO_SLOT)
			remove_device(ns, now, slot);
		return;
	}
	if (!ns_journal_open(&ns->journal)) {
		refuse(ns, now, NS_DROP_JOURNAL_FULL, record->version);
		return;
	}
	if (!ns_state_put_device(ns, now, record, &slot)) {
		ns->state.broken = true;
		return;
	}
	if (record->activation == NET_ABP) {
		/* A key that does not open is the record's fault, not the run's: the device stays silent. */
		enum ns_drop drop = ns_state_apply_abp(ns, now, record, slot);
		if (drop != NS_ACCEPTED)
			refuse_record(ns, now, drop, record->version, slot);
	}
	ns_state_write_device(ns, record);
}

/* Removes what a full run did not name, as far as this turn takes it. True when all of it is gone. */
static bool sweep(struct ns *ns, struct now now)
{
	struct ns_state *state = &ns->state;
	unsigned removed = 0, seen = 0;
	for (; state->device_cursor < ns->sessions.devices.high; state->device_cursor++) {
		uint32_t slot = state->device_cursor;
		if (removed == SWEEP_REMOVED || ++seen > SWEEP_SEEN || ns_turn_is_full(ns))
			return false;
		if (ns_slab_holds(&ns->sessions.devices, slot) &&
		    ns_device_at(&ns->sessions, slot)->run != state->run) {
			remove_device(ns, now, slot);
			removed++;
		}
	}
	for (; state->gateway_cursor < ns->gateways.slab.high; state->gateway_cursor++) {
		uint32_t slot = state->gateway_cursor;
		if (ns_turn_is_full(ns))
			return false;
		if (ns_slab_holds(&ns->gateways.slab, slot) &&
		    ns_gateways_at(&ns->gateways, slot)->run != state->run)
			remove_gateway(ns, slot);
	}
	for (int i = 0; i < NS_PROFILES_MAX; i++) {
		if (ns_turn_is_full(ns))
			return false;
		if (ns->profiles[i].used && ns->profiles[i].run != state->run)
			remove_profile(ns, i);
	}
	return true;
}

static void apply(struct ns *ns)
{
	struct ns_state *state = &ns->state;
	state->sweeping = false;
	state->city = state->run_city;
	state->applied_version = state->end_version;
	state->pause = 0;
	ns_state_write_meta(ns);
	struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_STATE_APPLIED);
	ASSERT(out);
	out->seq = state->applied_version;
}

void ns_on_state_end(struct ns *ns, struct now now, const struct net_state_end *end)
{
	struct ns_state *state = &ns->state;
	bool fits = state->running && end->version >= state->last_version;
	if (!fits)
		refuse(ns, now, NS_DROP_STATE_OUT_OF_ORDER, end->version);
	state->running = false;
	if (state->broken) {
		if (state->behind)
			return;
		state->behind = true;
		state->pause = state->pause == 0 ? ASK_PAUSE : state->pause * 2;
		if (state->pause > ASK_PAUSE_MAX)
			state->pause = ASK_PAUSE_MAX;
		state->ask_at = mono_add(now.mono, state->pause);
		return;
	}
	state->end_version = end->version;
	if (state->full) {
		state->sweeping = true;
		state->device_cursor = state->gateway_cursor = 0;
	}
	if (!state->sweeping)
		apply(ns);
	else
		ns_state_tick(ns, now);
}

void ns_state_tick(struct ns *ns, struct now now)
{
	struct ns_state *state = &ns->state;
	if (state->sweeping && !state->running && sweep(ns, now))
		apply(ns);
	if (!state->behind || now.mono.us < state->ask_at.us || ns_turn_is_full(ns))
		return;
	state->behind = false;
	state->running = false;
	if (ns->app_connected) {
		struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_STATE_WANTED);
		ASSERT(out);
	}
}
