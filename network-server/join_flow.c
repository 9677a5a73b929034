#include "network-server/join_flow.h"

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/lorawan/version.h"
#include "network-server/air_tell.h"
#include "network-server/downlink.h"
#include "network-server/join_call.h"
#include "network-server/join_course.h"
#include "network-server/join_short.h"
#include "network-server/mac/mac.h"
#include "network-server/rejoin.h"
#include "network-server/uplink.h"
#include "network-server/why/record_join.h"

static bool address_taken(const void *ctx, struct lw_dev_addr dev_addr)
{
	const struct ns *ns = ctx;
	return ns_sessions_has_addr(&ns->sessions, dev_addr);
}

static enum ns_drop find_device(const struct ns *ns, const struct lw_join_request *request, uint32_t *slot)
{
	*slot = ns_device_find(&ns->sessions, &request->dev_eui);
	if (*slot == NS_NO_SLOT)
		return NS_DROP_JOIN_UNKNOWN_DEVICE;
	const struct ns_device *device = ns_device_at(&ns->sessions, *slot);
	if (device->flags & NS_DEVICE_ABP)
		return NS_DROP_JOIN_NOT_OTAA;
	if (!(device->flags & NS_DEVICE_ENABLED))
		return device->flags & NS_DEVICE_REPLACED ? NS_DROP_DEVICE_REPLACED : NS_DROP_DEVICE_DISABLED;
	if (!lw_eui64_equal(&device->join_eui, &request->join_eui))
		return NS_DROP_JOIN_EUI_DIFFERS;
	return NS_ACCEPTED;
}

const struct ns_copy *ns_join_best_copy(const struct ns_frame *frame)
{
	const struct ns_copy *best = &frame->copies[0];
	unsigned most = 0;
	for (uint8_t i = 0; i < frame->copy_count; i++) {
		unsigned count = 0;
		for (uint8_t j = 0; j < frame->copy_count; j++)
			count += frame->copies[i].freq_hz == frame->copies[j].freq_hz;
		if (count > most || (count == most && frame->copies[i].snr_cdb > best->snr_cdb)) {
			most = count;
			best = &frame->copies[i];
		}
	}
	return best;
}

static enum ns_drop find_windows(const struct ns *ns, struct ns_join *join, const struct ns_profile *profile,
				 const struct ns_frame *frame)
{
	const struct ns_copy *copy = ns_join_best_copy(frame);
	join->region = profile->region;
	if (ns_gateways_at(&ns->gateways, copy->gateway_slot)->region != ns_region_base(profile->region))
		return NS_DROP_REGION;
	const struct lw_region *region = ns_region(ns, profile->region);
	if (!lw_region_uplink_dr(region, &copy->modulation, &join->join_dr))
		return NS_DROP_DATA_RATE;
	struct ns_windows *windows = &join->windows;
	windows->region = profile->region;
	windows->dwell = region->dwell.downlink_default;
	windows->has_rx1 = lw_region_join_windows(region, copy->freq_hz, join->join_dr, &windows->rx1,
						  &windows->rx2);
	join->rx2_freq_hz = windows->rx2.freq_hz;
	if (ns_is_rejoin(join->type))
		ns_rejoin_windows(ns, join, copy, windows);
	windows->rx1_delay = region->defaults.join_accept_delay1_s * US_PER_S;
	ns_windows_hearers(windows, frame);
	join->give_up = mono_add(ns_windows_start(windows), US_PER_S - NS_LEAD_UNKNOWN);
	return NS_ACCEPTED;
}

/* A device of before masks in a CFList is settled by LinkADRReq. */
static bool knows_cflist(const struct lw_region *region, enum lw_mac_version version)
{
	return region->plan_type == LW_PLAN_DYNAMIC || lw_behaves(version, LW_CFLIST_MASKS);
}

/* What the accept tells the device (TS001 §6.2.3): our delays, and the channels that are heard. */
static void choose_parameters(struct ns *ns, struct ns_join *join, const struct ns_profile *profile)
{
	const struct lw_region *region = ns_region(ns, join->region);
	const struct net_profile *record = &profile->record;
	struct bi_join_req *request = &join->call.request;
	struct ns_wish wish;
	ns_wish(ns, record, region, false, &wish);
	join->dl_settings = (struct lw_dl_settings){
		.opt_neg = lw_behaves(record->mac_version, LW_OPT_NEG),
		.rx1_dr_offset = wish.rx1_dr_offset,
		.rx2_data_rate = wish.rx2_dr,
	};
	request->mac_version = record->mac_version;
	request->dl_settings = lw_dl_settings_encode(&join->dl_settings);
	request->rx_delay = wish.rx_delay_s;
	lw_plan_init(&join->plan, region);
	request->has_cflist = !ns_short_accept(ns, join) &&
			      lw_cflist_build(&ns_wanted(ns, join->region)->plan, region, request->cflist);
	if (request->has_cflist && knows_cflist(region, record->mac_version))
		(void)lw_cflist_apply(&join->plan, region, request->cflist);
	if (join->type == 2)
		ns_rejoin_keep(ns, join);
#if MUTANT == MUTANT_CFLIST_ORDER
	for (size_t i = 0; i < 3; i++) {
		uint8_t first = request->cflist[i];
		request->cflist[i] = request->cflist[i + 3];
		request->cflist[i + 3] = first;
	}
#endif
}

static enum ns_drop start(struct ns *ns, struct now now, struct ns_frame *frame, struct ns_join *join)
{
	struct ns_asked asked;
	if (!ns_asked_read(ns, frame->phy, frame->phy_length, &asked))
		return NS_DROP_MALFORMED;
	join->type = asked.type;
	join->dev_eui = asked.request.dev_eui;
	join->time = ns_frame_time(frame);
	join->seen = ns_frame_seen(now, frame);
	join->airtime_us = frame->airtime_us;
	if (ns->storm.on && ns_storm_is_answered(ns, now, &join->dev_eui)) {
		ns_storm_in_flight(ns, now, &join->dev_eui);
		return NS_DROP_JOIN_IN_FLIGHT;
	}
	ns_course_begin(ns, now, join, &asked, frame);
	enum ns_drop drop = find_device(ns, &asked.request, &join->device);
	if (drop != NS_ACCEPTED)
		return drop;
	const struct ns_profile *profile = ns_profile_of(ns, ns_device_at(&ns->sessions, join->device));
	if (!profile || !ns_slab_holds(&ns->gateways.slab, frame->copies[0].gateway_slot))
		return NS_DROP_REGION;
	if (ns_is_rejoin(join->type) &&
	    (drop = ns_rejoin_admit(ns, join, profile, &asked, frame)) != NS_ACCEPTED)
		return drop;
	if ((drop = find_windows(ns, join, profile, frame)) != NS_ACCEPTED)
		return drop;
	/* A backhaul brought it too late: its accept would reach nobody, and would take the place of a session that the
	 * device may have joined meanwhile. */
	if (now.mono.us >= join->give_up.us)
		return NS_DROP_TOO_LATE;
	if (!ns_journal_open(&ns->journal))
		return NS_DROP_JOURNAL_FULL;
	choose_parameters(ns, join, profile);
	join->call.type = ns_is_rejoin(join->type) ? BI_REJOIN_REQ : BI_JOIN_REQ;
	join->call.join_eui = asked.request.join_eui;
	if ((drop = ns_join_choose(ns, now, join)) != NS_ACCEPTED)
		return drop;
	join->call.request.dev_eui = asked.request.dev_eui;
	memcpy(join->call.request.phy_payload, frame->phy, frame->phy_length);
	join->call.request.phy_length = frame->phy_length;
	if (!ns_foreign_draw(&ns->foreign, ns->rng, ns_day(now.wall), address_taken, ns,
			     &join->call.request.dev_addr))
		return NS_DROP_JOIN_NO_ADDRESS;
	ns_storm_offered(ns, now, join);
	if ((drop = ns_storm_admit(ns, now, join)) != NS_ACCEPTED)
		return drop;
	bool made;
	do
		join->transaction = rng_u32(ns->rng);
	while (join->transaction == 0 || table_get(&ns->joins_by_transaction, &join->transaction));
	join->call.transaction = join->transaction;
	uint32_t slot = ns_slab_take(&ns->joins);
	if (slot == NS_NO_SLOT) {
		ns_storm_let_go(ns, join);
		ns_storm_failed(ns, join->windows.storm, NS_STORM_FAILED_NO_ROOM);
		return NS_DROP_JOIN_FULL;
	}
	struct ns_join_row *row = table_put(&ns->joins_by_transaction, &join->transaction, &made);
	ASSERT(row && made);
	row->slot = slot;
	struct ns_join *kept = ns_slab_at(&ns->joins, slot);
	*kept = *join;
	if (ns_is_rejoin(join->type))
		ns_rejoin_count(ns, now, kept);
	ns_record_join_asked(ns, now, kept, frame);
	ns_join_ask(ns, now, kept);
	return NS_ACCEPTED;
}

enum ns_drop ns_join_handle(struct ns *ns, struct now now, struct ns_frame *frame)
{
	struct ns_join join = {
		.type = LW_JOIN_REQ_TYPE_JOIN, .session = NS_NO_SLOT, .call.server = NS_JOIN_SERVER_OURS};
	enum ns_drop drop = start(ns, now, frame, &join);
	if (drop != NS_ACCEPTED) {
		ns_count(ns, drop);
		ns_record_join_frame(ns, now, &join, frame, drop);
		ns_course_refused(ns, &join, drop);
	}
	if (ns_frames_followed(&ns->frames))
		ns_frames_join(ns, now, frame, &join, drop);
	return drop;
}

/* What keys of an answer are opened with. */
struct opener {
	const char *label; /* NULL: none is agreed on */
	const uint8_t *kek;
};

static struct opener opener_of(const struct ns *ns, const struct ns_join *join)
{
	if (join->call.server == NS_JOIN_SERVER_OURS)
		return (struct opener){ns->config.has_kek ? "network" : NULL, ns->config.kek};
	const struct bi_join_server *server = &ns->config.join_servers[join->call.server];
	return (struct opener){server->kek_label[0] ? server->kek_label : NULL, server->kek};
}

/* TS002 §9: wrapped under the KEK that we share with the join server; in clear only where there is none. */
static bool open_key(const struct opener *opener, const struct bi_key_envelope *envelope, struct lw_key *key)
{
	if (envelope->length == BI_KEY_CLEAR && envelope->label[0] == 0 && !opener->label) {
		memcpy(key->bytes, envelope->key, BI_KEY_CLEAR);
		return true;
	}
	return envelope->length == BI_KEY_WRAPPED && opener->label &&
	       strcmp(envelope->label, opener->label) == 0 &&
	       aes_unwrap(opener->kek, AES_KEY, envelope->key, BI_KEY_WRAPPED, key->bytes) == AES_WRAP_OK;
}

/* An AppSKey in clear is not for us to see (invariant 6): no session is made with it. */
static bool open_keys(const struct opener *opener, const struct bi_join_ans *answer, bool v1_1,
		      struct ns_session *session)
{
	if (answer->app_s_key.length == BI_KEY_CLEAR)
		return false;
	if (v1_1)
		return open_key(opener, &answer->f_nwk_s_int_key, &session->f_nwk_s_int_key) &&
		       open_key(opener, &answer->s_nwk_s_int_key, &session->s_nwk_s_int_key) &&
		       open_key(opener, &answer->nwk_s_enc_key, &session->nwk_s_enc_key);
	if (!open_key(opener, &answer->nwk_s_key, &session->f_nwk_s_int_key))
		return false;
	session->s_nwk_s_int_key = session->nwk_s_enc_key = session->f_nwk_s_int_key;
	return true;
}

/* After the accept: its windows, its channels, all else as the region has it. */
static void set_parameters(struct ns *ns, const struct ns_join *join, struct ns_session *session)
{
	const struct bi_join_req *request = &join->call.request;
	const struct lw_region *region = ns_region(ns, join->region);
	ns_mac_boot(ns, NULL, region, false, session);
	session->rx_delay_s = request->rx_delay ? request->rx_delay : 1;
	session->rx1_dr_offset = join->dl_settings.rx1_dr_offset;
	session->rx2_dr = join->dl_settings.rx2_data_rate;
	session->rx2_freq_hz = join->rx2_freq_hz;
	(void)ns_session_set_plan(&ns->sessions, session, &join->plan);
	if (region->plan_type != LW_PLAN_FIXED)
		return;
	session->flags = (uint8_t)(session->flags & ~NS_SESSION_SETTLE);
	if (request->has_cflist)
		session->flags |= knows_cflist(region, (enum lw_mac_version)request->mac_version)
					  ? NS_SESSION_TRUSTED
					  : NS_SESSION_SETTLE;
}

static bool make_session(struct ns *ns, const struct ns_join *join, const struct bi_join_ans *answer,
			 struct ns_session *session)
{
	const struct bi_join_req *request = &join->call.request;
	*session = (struct ns_session){
		.dev_eui = join->dev_eui,
		.dev_addr = request->dev_addr,
		.device = join->device,
		.flags = NS_SESSION_PENDING,
		.region = join->region,
		.mac_version = (uint8_t)request->mac_version,
		.last_dr = join->join_dr,
	};
	if (!ns_rejoin_inherit(ns, join, session))
		set_parameters(ns, join, session);
	if (join->dl_settings.opt_neg)
		session->flags |= NS_SESSION_1_1;
	session->tag = ns_new_tag(ns);
	rng_fill(ns->rng, session->id.bytes, sizeof session->id.bytes);
	struct opener opener = opener_of(ns, join);
	return answer->phy_length >= LW_JOIN_ACCEPT_LENGTH &&
	       open_keys(&opener, answer, join->dl_settings.opt_neg, session);
}

static enum status emit_event(struct ns *ns, struct now now, const struct ns_join *join,
			      const struct bi_join_ans *answer, const struct ns_session *session)
{
	struct proto_message *message = ns_event(ns, PROTO_JOIN_EVENT);
	struct net_join_event *event = &message->join_event;
	event->head.time = join->time;
	event->head.dev_eui = join->dev_eui;
	event->session = session->id;
	event->join_eui = join->call.join_eui;
	event->request = ns_asked_kind(join->type);
	const struct ns_session *before = ns_join_in_use(ns, join);
	event->has_in_use = before != NULL;
	if (before)
		event->in_use = before->id;
	event->dev_addr = session->dev_addr;
	snprintf(event->region_id, sizeof event->region_id, "%.15s", ns_region(ns, join->region)->id);
	memcpy(event->app_s_key_label, answer->app_s_key.label, NET_KEK_LABEL_MAX - 1);
	if (answer->app_s_key.length == NET_WRAPPED_KEY_SIZE)
		memcpy(event->app_s_key_wrapped, answer->app_s_key.key, NET_WRAPPED_KEY_SIZE);
	_Static_assert(NET_SESSION_KEY_ID_MAX == BI_SESSION_KEY_ID_MAX, "an id fits");
	event->session_key_id_length = answer->session_key_id.length;
	memcpy(event->session_key_id, answer->session_key_id.bytes, answer->session_key_id.length);
	return ns_emit(ns, now, NS_JOURNAL_EVENT, NULL, 0, message, &event->head);
}

static enum ns_drop accept(struct ns *ns, struct now now, struct ns_join *join,
			   const struct bi_message *message)
{
	const struct bi_join_ans *answer = &message->join_ans;
	if (message->envelope.type != (ns_is_rejoin(join->type) ? BI_REJOIN_ANS : BI_JOIN_ANS))
		return NS_DROP_JOIN_BAD_ANSWER;
	if (message->envelope.result != BI_SUCCESS)
		return NS_DROP_JOIN_REFUSED;
	uint32_t device = ns_device_find(&ns->sessions, &join->dev_eui);
	if (device == NS_NO_SLOT || device != join->device)
		return NS_DROP_JOIN_UNKNOWN_DEVICE;
	struct ns_session session;
	enum ns_drop drop = NS_ACCEPTED;
	if (!make_session(ns, join, answer, &session)) {
		drop = NS_DROP_JOIN_BAD_ANSWER;
	} else {
		ns_join_make_room(ns, now, join);
		uint32_t slot = ns_session_add(&ns->sessions, &session);
		if (slot == NS_NO_SLOT) {
			drop = NS_DROP_SESSIONS_FULL;
		} else {
			ns_journal_session(ns, NS_JOURNAL_SESSION, slot);
			if (emit_event(ns, now, join, answer, &session) != ST_OK)
				drop = NS_DROP_OUTBOX_FULL;
		}
	}
	secret_wipe(&session, sizeof session);
	ns_storm_let_go(ns, join);
	if (drop == NS_ACCEPTED) {
		ns_record_joined(ns, now, join);
		ns_course_yes(ns, join);
		ns_air_tell_uplink(ns, NET_AIR_JOIN_REQUEST, &join->dev_eui, join->seen, join->airtime_us);
		ns_downlink_join(ns, now, device, &join->windows, answer->phy_payload, answer->phy_length);
	}
	return drop;
}

static enum ns_storm_failure why_failed(enum ns_drop drop)
{
	return drop == NS_DROP_JOIN_REFUSED || drop == NS_DROP_JOIN_BAD_ANSWER ? NS_STORM_FAILED_NO
									       : NS_STORM_FAILED_NO_ROOM;
}

void ns_on_join_answer(struct ns *ns, struct now now, uint32_t transaction, const struct bi_message *answer)
{
	const struct ns_join_row *row = table_get(&ns->joins_by_transaction, &transaction);
	if (!row) {
		if (answer)
			ns_count(ns, NS_DROP_JOIN_TIMEOUT); /* recorded when it was given up */
		return;
	}
	if (!answer || ns_turn_is_full(ns))
		return; /* made again at its deadline */
	uint32_t slot = row->slot;
	struct ns_join *join = ns_slab_at(&ns->joins, slot);
	enum ns_drop drop = accept(ns, now, join, answer);
	ns_join_answered(ns, join, drop);
	if (drop == NS_ACCEPTED) {
		ns->joins_done++;
	} else {
		ns_count(ns, drop);
		ns_storm_failed(ns, join->windows.storm, why_failed(drop));
		ns_record_join_end(ns, now, join, drop, answer);
	}
	if (drop == NS_DROP_JOIN_REFUSED)
		ns_course_no(ns, join, &answer->envelope);
	else if (drop != NS_ACCEPTED)
		ns_course_refused(ns, join, drop);
	if (ns_frames_followed(&ns->frames))
		ns_frames_joined(ns, now, join, drop,
				 drop == NS_DROP_JOIN_REFUSED ? &answer->envelope : NULL);
	ns_join_close(ns, join, slot);
}
