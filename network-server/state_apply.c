/* Desired state from the application server (docs/contract.md, "Desired state"): begin, records in order of version, end.
 * Each record is applied to memory and written in the turn's transaction; `applied` goes out after the commit. In a full
 * run what was not named is removed at its end, a slice a turn; only then is it acknowledged. A record that cannot be
 * taken breaks the run: its end is not acknowledged, nor any later one, until the application server has been asked for
 * everything since the last that was. */
#include "network-server/network.h"

#include "common/base/check.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/gateway_plan.h"
#include "network-server/item_flow.h"
#include "network-server/downlink.h"
#include "network-server/mac/mac.h"
#include "network-server/state_rows.h"

#define SWEEP_REMOVED 256   /* a turn */
#define SWEEP_SEEN    16384 /* a turn */
#define ASK_PAUSE     (5 * US_PER_S)
#define ASK_PAUSE_MAX (3600 * US_PER_S)

static void refuse(struct ns *ns, enum ns_drop drop)
{
	ns->state.broken = true;
	ns_count(ns, drop);
}

static bool in_order(struct ns *ns, uint64_t version)
{
	struct ns_state *state = &ns->state;
	if (!state->running || version < state->last_version || version == 0) {
		refuse(ns, NS_DROP_STATE_OUT_OF_ORDER);
		return false;
	}
	state->last_version = version;
	return true;
}

void ns_on_state_begin(struct ns *ns, struct now now, const struct net_state_begin *begin)
{
	(void)now;
	struct ns_state *state = &ns->state;
	const struct net_uuid *city = state->sweeping ? &state->run_city : &state->city;
	state->running = begin->full || ns_uuid_equal(&begin->city, city);
	if (!state->running) {
		refuse(ns, NS_DROP_STATE_OUT_OF_ORDER);
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

bool ns_state_put_profile(struct ns *ns, const struct net_profile *profile)
{
	int region = ns_region_find(ns, profile->region_id);
	if (region < 0 || profile->rx_delay_s > 15 || profile->mac_version >= LW_MAC_VERSION_COUNT) {
		ns_count(ns, NS_DROP_STATE_INVALID);
		return false;
	}
	int index = find_profile(ns, &profile->id);
	for (int i = 0; i < NS_PROFILES_MAX && index < 0; i++)
		if (!ns->profiles[i].used)
			index = i;
	if (index < 0) {
		ns_count(ns, NS_DROP_STATE_FULL);
		return false;
	}
	ns->profiles[index] = (struct ns_profile){*profile, ns->state.run, true, (uint8_t)region};
	return true;
}

void ns_on_profile(struct ns *ns, struct now now, const struct net_profile *profile)
{
	(void)now;
	if (!in_order(ns, profile->version))
		return;
	if (profile->deleted) {
		int index = find_profile(ns, &profile->id);
		if (index >= 0)
			remove_profile(ns, index);
		return;
	}
	if (!ns_state_put_profile(ns, profile)) {
		ns->state.broken = true;
		return;
	}
	ns_state_write_profile(ns, profile);
}

bool ns_state_put_gateway(struct ns *ns, const struct net_gateway *gateway)
{
	int region = ns_region_find(ns, gateway->gateway.region_id);
	struct lw_channel_mask channels;
	if (region < 0 ||
	    !lw_gateway_mask(ns_region(ns, (uint8_t)region), gateway->channel_plan, &channels)) {
		ns_count(ns, NS_DROP_STATE_INVALID);
		return false;
	}
	uint32_t slot = ns_gateways_find(&ns->gateways, &gateway->gateway.eui);
	if (slot != NS_NO_SLOT) {
		struct ns_gateway *known = ns_gateways_at(&ns->gateways, slot);
		if (known->region != region || !lw_mask_equal(&known->channels, &channels))
			ns_off_plan_forget(ns, known);
	}
	slot = ns_gateways_put(&ns->gateways, gateway, (uint8_t)region, &channels);
	if (slot == NS_NO_SLOT) {
		ns_count(ns, NS_DROP_STATE_FULL);
		return false;
	}
	ns_gateways_at(&ns->gateways, slot)->run = ns->state.run;
	return true;
}

static void remove_gateway(struct ns *ns, uint32_t slot)
{
	struct lw_eui64 eui = ns_gateways_at(&ns->gateways, slot)->record.gateway.eui;
	ns_write(ns, NS_WRITE_GATEWAY, eui.bytes, 8)->deleted = true;
	ns_off_plan_forget(ns, ns_gateways_at(&ns->gateways, slot));
	ns_gateways_remove(&ns->gateways, slot);
}

void ns_on_gateway(struct ns *ns, struct now now, const struct net_gateway *gateway)
{
	(void)now;
	if (!in_order(ns, gateway->version))
		return;
	if (gateway->deleted) {
		uint32_t slot = ns_gateways_find(&ns->gateways, &gateway->gateway.eui);
		if (slot != NS_NO_SLOT)
			remove_gateway(ns, slot);
		return;
	}
	if (!ns_state_put_gateway(ns, gateway)) {
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
	ns_device_remove(&ns->sessions, slot);
}

bool ns_state_put_device(struct ns *ns, const struct net_device *record, uint32_t *slot)
{
	int profile = find_profile(ns, &record->profile);
	if (profile < 0) {
		ns_count(ns, NS_DROP_STATE_INVALID);
		return false;
	}
	bool fresh = ns_device_find(&ns->sessions, &record->dev_eui) == NS_NO_SLOT;
	*slot = ns_device_put(&ns->sessions, &record->dev_eui);
	if (*slot == NS_NO_SLOT || !ns_foreign_add_join_eui(&ns->foreign, &record->join_eui)) {
		if (*slot != NS_NO_SLOT && fresh)
			ns_device_remove(&ns->sessions, *slot);
		ns_count(ns, NS_DROP_STATE_FULL);
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
				  (record->private_keys ? NS_DEVICE_PRIVATE : 0));
	return true;
}

static bool open_key(const struct ns *ns, const struct net_device *record, bool present,
		     const uint8_t *sealed, enum sealed_key_kind kind, struct lw_key *key)
{
	return present && sealed_key_open(ns->config.box, sealed, NET_SEALED_KEY_SIZE, kind,
					  record->dev_eui.bytes, key->bytes) == SEALED_KEY_OK;
}

static bool open_abp_keys(const struct ns *ns, const struct net_device *record, bool v1_1,
			  struct ns_session *session)
{
	if (v1_1)
		return open_key(ns, record, record->has_nwk_s_key, record->nwk_s_key, SEALED_F_NWK_S_INT_KEY,
				&session->f_nwk_s_int_key) &&
		       open_key(ns, record, record->has_s_nwk_s_int_key, record->s_nwk_s_int_key,
				SEALED_S_NWK_S_INT_KEY, &session->s_nwk_s_int_key) &&
		       open_key(ns, record, record->has_nwk_s_enc_key, record->nwk_s_enc_key,
				SEALED_NWK_S_ENC_KEY, &session->nwk_s_enc_key);
	if (!open_key(ns, record, record->has_nwk_s_key, record->nwk_s_key, SEALED_NWK_S_KEY,
		      &session->f_nwk_s_int_key))
		return false;
	session->s_nwk_s_int_key = session->nwk_s_enc_key = session->f_nwk_s_int_key;
	return true;
}

/* The session of an ABP device: what it boots with. One with the same address and keys goes on as it is. */
static enum ns_drop apply_abp(struct ns *ns, struct now now, const struct net_device *record, uint32_t slot)
{
	const struct ns_device *device = ns_device_at(&ns->sessions, slot);
	const struct ns_profile *profile = ns_profile_of(ns, device);
	const struct lw_region *region = ns_region(ns, profile->region);
	bool v1_1 = profile->record.mac_version >= LW_MAC_1_1_0;
	struct ns_session session = {
		.dev_eui = record->dev_eui,
		.dev_addr = record->dev_addr,
		.device = slot,
		.fcnt_up = record->fcnt_up,
		.n_fcnt_down = record->fcnt_down,
		.a_fcnt_down = v1_1 ? record->fcnt_down : 0,
		.flags = (uint8_t)(NS_SESSION_ABP | (v1_1 ? NS_SESSION_1_1 : 0)),
		.region = profile->region,
		.mac_version = (uint8_t)profile->record.mac_version,
	};
	enum ns_drop drop = NS_ACCEPTED;
	ns_mac_boot(ns, &profile->record, region, true, &session);
	session.tag = ns_new_tag(ns);
	if (!ns_foreign_is_our_addr(&ns->foreign, record->dev_addr)) {
		drop = NS_DROP_FOREIGN_DEV_ADDR;
	} else if (!open_abp_keys(ns, record, v1_1, &session)) {
		drop = NS_DROP_STATE_KEY;
	} else {
		uint32_t present = device->session;
		const struct ns_session *old = present == NS_NO_SLOT ? NULL
								     : ns_session_at(&ns->sessions, present);
		if (!old || old->dev_addr.value != session.dev_addr.value ||
		    !secret_equal(&old->f_nwk_s_int_key, &session.f_nwk_s_int_key,
				  3 * sizeof(struct lw_key))) {
			if (old)
				ns_drop_session(ns, now, present);
			uint32_t added = ns_session_add(&ns->sessions, &session);
			if (added == NS_NO_SLOT)
				drop = NS_DROP_SESSIONS_FULL;
			else
				ns_journal_session(ns, NS_JOURNAL_SESSION, added);
			if (old)
				ns_items_session_ended(ns, now, slot);
		}
	}
	secret_wipe(&session, sizeof session);
	return drop;
}

void ns_on_device(struct ns *ns, struct now now, const struct net_device *record)
{
	if (!in_order(ns, record->version))
		return;
	uint32_t slot = ns_device_find(&ns->sessions, &record->dev_eui);
	if (record->deleted) {
		if (slot != NS_NO_SLOT)
			remove_device(ns, now, slot);
		return;
	}
	if (!ns_journal_open(&ns->journal)) {
		refuse(ns, NS_DROP_JOURNAL_FULL);
		return;
	}
	if (!ns_state_put_device(ns, record, &slot)) {
		ns->state.broken = true;
		return;
	}
	if (record->activation == NET_ABP) {
		/* A key that does not open is the record's fault, not the run's: the device stays silent. */
		enum ns_drop drop = apply_abp(ns, now, record, slot);
		if (drop != NS_ACCEPTED)
			ns_count(ns, drop);
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
		refuse(ns, NS_DROP_STATE_OUT_OF_ORDER);
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
