#include "network-server/rejoin.h"

#include "common/base/check.h"
#include "common/lorawan/version.h"
#include "network-server/mac/mac.h"
#include "network-server/why/record.h"

#define MIC_LENGTH 4

bool ns_asked_read(const struct ns *ns, const uint8_t *phy, size_t length, struct ns_asked *asked)
{
	*asked = (struct ns_asked){.type = LW_JOIN_REQ_TYPE_JOIN};
	if (lw_join_request_parse(&asked->request, phy, length) == LW_OK)
		return true;
	struct lw_rejoin_request rejoin;
	if (lw_rejoin_request_parse(&rejoin, phy, length) != LW_OK)
		return false;
	asked->type = rejoin.type;
	asked->net_id = rejoin.net_id;
	asked->request = (struct lw_join_request){.join_eui = rejoin.join_eui,
						  .dev_eui = rejoin.dev_eui,
						  .dev_nonce = rejoin.rj_count,
						  .mic = rejoin.mic};
	uint32_t device = ns_device_find(&ns->sessions, &rejoin.dev_eui);
	if (rejoin.type != 1 && device != NS_NO_SLOT)
		asked->request.join_eui = ns_device_at(&ns->sessions, device)->join_eui;
	return true;
}

enum net_join_request ns_asked_kind(uint8_t type)
{
	return ns_is_rejoin(type) ? (enum net_join_request)(NET_REQUEST_REJOIN_0 + type) : NET_REQUEST_JOIN;
}

static void use(struct ns_join *join, const struct ns_session *session, uint32_t slot)
{
	join->session = slot;
	join->session_tag = session->tag;
}

/* The sessions that the device may be in, the one in use first. */
static enum ns_drop find_session(struct ns *ns, struct ns_join *join, const struct ns_asked *asked,
				 const struct ns_frame *frame)
{
	const struct ns_device *device = ns_device_at(&ns->sessions, join->device);
	const uint32_t slots[] = {device->session, device->pending, device->elder};
	enum ns_drop drop = NS_DROP_REJOIN_NO_SESSION;
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
		if (slots[i] == NS_NO_SLOT)
			continue;
		const struct ns_session *session = ns_session_at(&ns->sessions, slots[i]);
		if (!(session->flags & NS_SESSION_1_1))
			continue;
		drop = NS_DROP_REJOIN_MIC;
		struct lw_mic mic = lw_mic_join(ns->aes, &session->s_nwk_s_int_key, frame->phy,
						(size_t)frame->phy_length - MIC_LENGTH);
		if (lw_mic_equal(mic, asked->request.mic)) {
			use(join, session, slots[i]);
			return NS_ACCEPTED;
		}
	}
	return drop;
}

/* Type 1: whichever it uses, if it still knows one. */
static void find_windows_session(struct ns *ns, struct ns_join *join)
{
	const struct ns_device *device = ns_device_at(&ns->sessions, join->device);
	uint32_t slot = device->session != NS_NO_SLOT ? device->session : device->pending;
	if (slot != NS_NO_SLOT)
		use(join, ns_session_at(&ns->sessions, slot), slot);
}

static bool is_allowed(enum net_rejoin allowed, uint8_t type)
{
	return allowed == NET_REJOIN_ALL || (allowed == NET_REJOIN_KEYS && type == 2);
}

enum ns_drop ns_rejoin_admit(struct ns *ns, struct ns_join *join, const struct ns_profile *profile,
			     const struct ns_asked *asked, const struct ns_frame *frame)
{
	if (asked->type != 1 && asked->net_id.value != ns->config.net_id.value)
		return NS_DROP_REJOIN_NET_ID;
	if (!lw_behaves(profile->record.mac_version, LW_REJOINS))
		return NS_DROP_REJOIN_VERSION;
	if (!is_allowed(profile->record.rejoin, asked->type))
		return NS_DROP_REJOIN_NOT_ALLOWED;
	if (asked->type == 1) {
		find_windows_session(ns, join);
		return NS_ACCEPTED;
	}
	enum ns_drop drop = find_session(ns, join, asked, frame);
	if (drop != NS_ACCEPTED)
		return drop;
	const struct ns_session *session = ns_session_at(&ns->sessions, join->session);
	join->rj_count_expected = session->rj_count0;
	bool fits = asked->request.dev_nonce >= session->rj_count0 && asked->request.dev_nonce < UINT16_MAX;
	return fits ? NS_ACCEPTED : NS_DROP_RJ_COUNT;
}

/* Kept with the session that the device uses; a device that has none joins anyway. */
void ns_on_force_rejoin(struct ns *ns, struct now now, const struct net_force_rejoin *wanted)
{
	const struct ns_rejoin_order order = {
		.period = wanted->period,
		.max_retries = wanted->max_retries,
		.rejoin_type = wanted->rejoin_type,
		.data_rate = wanted->has_data_rate ? wanted->data_rate : NS_REJOIN_ORDER_OWN_DR,
	};
	uint32_t device = ns_device_find(&ns->sessions, &wanted->dev_eui);
	if (device == NS_NO_SLOT) {
		ns_record_drop(ns, now, NS_DROP_ORDER_UNKNOWN_DEVICE, ns_of_device(ns, NS_NO_SLOT),
			       ns_numbers_of_eui(&wanted->dev_eui, 0));
		return;
	}
	const struct ns_device *record = ns_device_at(&ns->sessions, device);
	const struct ns_profile *profile = ns_profile_of(ns, record);
	struct ns_numbers numbers = {
		.a = decision_bytes(order.rejoin_type, order.max_retries, order.period, order.data_rate)};
	uint32_t slot = record->session != NS_NO_SLOT ? record->session : record->pending;
	enum ns_drop drop = NS_ACCEPTED;
	if (slot == NS_NO_SLOT)
		drop = NS_DROP_ORDER_NO_SESSION;
	else if (!profile || !is_allowed(profile->record.rejoin, order.rejoin_type))
		drop = NS_DROP_ORDER_NOT_ALLOWED;
	else if (ns_mac_order_rejoin(ns, now, slot, &order) != NS_ORDER_TAKEN)
		drop = NS_DROP_ORDER_NOT_TAKEN;
	if (drop == NS_ACCEPTED)
		ns_record_note(ns, now, NS_NOTE_REJOIN_ORDERED, ns_of_device(ns, device), numbers);
	else
		ns_record_drop(ns, now, drop, ns_of_device(ns, device), numbers);
}

static struct ns_session *session_of(const struct ns *ns, const struct ns_join *join)
{
	if (join->session == NS_NO_SLOT)
		return NULL;
	return ns_session_get(&ns->sessions, join->session, join->session_tag);
}

const struct ns_session *ns_join_in_use(const struct ns *ns, const struct ns_join *join)
{
	const struct ns_session *proved = session_of(ns, join);
	uint32_t slot = ns_device_at(&ns->sessions, join->device)->session;
	if (proved)
		return proved;
	return slot == NS_NO_SLOT ? NULL : ns_session_at(&ns->sessions, slot);
}

void ns_join_make_room(struct ns *ns, struct now now, const struct ns_join *join)
{
	const struct ns_device *device = ns_device_at(&ns->sessions, join->device);
	const struct ns_session *kept = ns_join_in_use(ns, join);
	uint32_t gone = device->elder;
	if (gone != NS_NO_SLOT && kept == ns_session_at(&ns->sessions, gone))
		gone = device->pending;
	if (gone != NS_NO_SLOT)
		ns_drop_session(ns, now, gone);
}

void ns_rejoin_windows(const struct ns *ns, const struct ns_join *join, const struct ns_copy *copy,
		       struct ns_windows *windows)
{
	const struct ns_session *session = session_of(ns, join);
	if (!session || session->region != join->region)
		return;
	const struct lw_region *region = ns_region(ns, session->region);
	const struct lw_channel_plan *plan = ns_session_plan(&ns->sessions, session);
	int channel = lw_plan_find_channel(plan, region, copy->freq_hz, join->join_dr, 0);
	windows->dwell = ns_mac_downlink_dwell(session, region);
	windows->rx2 = (struct lw_rx_window){session->rx2_freq_hz, session->rx2_dr};
	windows->has_rx1 = channel >= 0 &&
			   lw_plan_rx1_freq(plan, region, (uint8_t)channel, &windows->rx1.freq_hz) &&
			   ns_mac_rx1_dr(session, region, join->join_dr, &windows->rx1.dr);
}

void ns_rejoin_keep(struct ns *ns, struct ns_join *join)
{
	const struct ns_session *session = session_of(ns, join);
	struct bi_join_req *request = &join->call.request;
	join->dl_settings.rx1_dr_offset = session->rx1_dr_offset;
	join->dl_settings.rx2_data_rate = session->rx2_dr;
	request->dl_settings = lw_dl_settings_encode(&join->dl_settings);
	request->rx_delay = session->rx_delay_s;
	request->has_cflist = false;
	join->plan = *ns_session_plan(&ns->sessions, session);
}

void ns_rejoin_count(struct ns *ns, struct now now, const struct ns_join *join)
{
	struct ns_session *session = session_of(ns, join);
	if (join->type == 1 || !session)
		return;
	ns_mac_rejoin_seen(ns, now, join->session);
	session->rj_count0 = (uint16_t)(join->report.dev_nonce + 1);
	ns_journal_session(ns, NS_JOURNAL_SESSION, join->session);
}

/* Questions in flight are forgotten: the device answers none of before, and what it has not confirmed is asked again. */
bool ns_rejoin_inherit(struct ns *ns, const struct ns_join *join, struct ns_session *session)
{
	const struct ns_session *old = session_of(ns, join);
	if (!old || join->type != 2)
		return false;
	const uint8_t kept = NS_SESSION_SETTLE | NS_SESSION_TRUSTED | NS_SESSION_ADR;
	session->flags = (uint8_t)(session->flags | (old->flags & kept));
	session->rx_delay_s = old->rx_delay_s;
	session->rx1_dr_offset = old->rx1_dr_offset;
	session->rx2_dr = old->rx2_dr;
	session->rx2_freq_hz = old->rx2_freq_hz;
	session->nb_trans = old->nb_trans;
	session->last_dr = old->last_dr;
	session->mac = old->mac;
	session->mac.question_length = 0;
	session->mac.deaf = 0;
	session->adr = old->adr;
	session->rare = old->rare;
	return ns_session_set_plan(&ns->sessions, session, ns_session_plan(&ns->sessions, old));
}
