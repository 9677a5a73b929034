#include "network-server/join_course.h"

#include "common/base/check.h"
#include "network-server/downlink.h"
#include "network-server/uplink.h"

#define NO_CHANNEL UINT8_MAX

/* --- what verdicts mean ------------------------------------------------------------------------------------- */

static const struct {
	enum ns_drop drop;
	enum net_join_verdict verdict;
} ends[] = {
	{NS_DROP_FOREIGN_JOIN_EUI, NET_JOIN_FOREIGN},
	{NS_DROP_JOIN_UNKNOWN_DEVICE, NET_JOIN_UNKNOWN_DEV_EUI},
	{NS_DROP_JOIN_EUI_DIFFERS, NET_JOIN_JOIN_EUI_DIFFERS},
	{NS_DROP_JOIN_NOT_OTAA, NET_JOIN_NOT_OTAA},
	{NS_DROP_JOIN_REPEATED, NET_JOIN_DEV_NONCE_REPEATED},
	{NS_DROP_DEVICE_DISABLED, NET_JOIN_DEVICE_DISABLED},
	{NS_DROP_DEVICE_REPLACED, NET_JOIN_DEVICE_REPLACED},
	{NS_DROP_REGION, NET_JOIN_WRONG_REGION},
	{NS_DROP_DATA_RATE, NET_JOIN_DATA_RATE},
	{NS_DROP_DEDUP_FULL, NET_JOIN_BUSY},
	{NS_DROP_JOURNAL_FULL, NET_JOIN_JOURNAL_FULL},
	{NS_DROP_JOIN_NO_ADDRESS, NET_JOIN_NO_ADDRESS},
	{NS_DROP_JOIN_FULL, NET_JOIN_BUSY},
	{NS_DROP_JOIN_STORM, NET_JOIN_STORM},
	{NS_DROP_OUTBOX_FULL, NET_JOIN_BUSY},
	{NS_DROP_DOWNLINK_FULL, NET_JOIN_BUSY},
	{NS_DROP_JOIN_TIMEOUT, NET_JOIN_SERVER_AWAY},
	{NS_DROP_JOIN_REFUSED, NET_JOIN_SERVER_REFUSED},
	{NS_DROP_JOIN_BAD_ANSWER, NET_JOIN_BAD_ANSWER},
	{NS_DROP_SESSIONS_FULL, NET_JOIN_SESSIONS_FULL},
	{NS_DROP_JOIN_SERVER_BUSY, NET_JOIN_FOREIGN_BUSY},
	{NS_DROP_JOIN_SERVER_SHUNNED, NET_JOIN_FOREIGN_AWAY},
	{NS_DROP_REJOIN_NET_ID, NET_JOIN_REJOIN_NET_ID},
	{NS_DROP_REJOIN_VERSION, NET_JOIN_REJOIN_VERSION},
	{NS_DROP_REJOIN_NOT_ALLOWED, NET_JOIN_REJOIN_NOT_ALLOWED},
	{NS_DROP_REJOIN_NO_SESSION, NET_JOIN_REJOIN_NO_SESSION},
	{NS_DROP_REJOIN_MIC, NET_JOIN_REJOIN_MIC},
	{NS_DROP_RJ_COUNT, NET_JOIN_RJ_COUNT},
	{NS_DROP_NO_GATEWAY, NET_JOIN_NO_GATEWAY},
	{NS_DROP_TOO_LATE, NET_JOIN_TOO_LATE},
	{NS_DROP_DUTY_CYCLE, NET_JOIN_DUTY_CYCLE},
	{NS_DROP_ATTEMPTS_SPENT, NET_JOIN_GATEWAY_REFUSED},
};

bool ns_course_end(enum ns_drop drop, enum net_join_verdict *verdict)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (ends[i].drop == drop) {
			*verdict = ends[i].verdict;
			return true;
		}
	}
	return false;
}

enum net_join_verdict ns_course_refusal(enum bi_result result, const char *description)
{
	/* The names are those of join-server/verdict.c; a colon may follow, and numbers. */
	static const struct {
		const char *name;
		enum net_join_verdict verdict;
	} names[] = {
		{"mic_failed", NET_JOIN_WRONG_KEY},
		{"no_key", NET_JOIN_NO_KEY},
		{"unknown_device", NET_JOIN_NOT_PROVISIONED},
		{"disabled", NET_JOIN_DEVICE_DISABLED},
		{"late_copy", NET_JOIN_DEV_NONCE_REPEATED},
		{"dev_nonce_used", NET_JOIN_DEV_NONCE_USED},
		{"dev_nonce_not_increasing", NET_JOIN_DEV_NONCE_NOT_INCREASING},
		{"join_nonce_exhausted", NET_JOIN_JOIN_NONCE_EXHAUSTED},
		{"rejoin_not_1_1", NET_JOIN_REJOIN_VERSION},
		{"rejoin_other_network", NET_JOIN_REJOIN_NET_ID},
		{"rj_count_not_increasing", NET_JOIN_RJ_COUNT},
	};
	size_t length = strcspn(description, ":");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == length && memcmp(names[i].name, description, length) == 0)
			return names[i].verdict;
	switch (result) {
	case BI_MIC_FAILED: return NET_JOIN_WRONG_KEY;
	case BI_UNKNOWN_DEV_EUI: return NET_JOIN_NOT_PROVISIONED;
	case BI_FRAME_REPLAYED: return NET_JOIN_DEV_NONCE_USED;
	case BI_ACTIVATION_DISALLOWED: return NET_JOIN_DEVICE_DISABLED;
	default: return NET_JOIN_SERVER_REFUSED;
	}
}

/* --- how it was heard --------------------------------------------------------------------------------------- */

/* "8-15,65". */
static void write_mask(char text[NET_PLAN_TEXT], const struct lw_channel_mask *mask)
{
	size_t used = 0;
	text[0] = 0;
	for (unsigned first = 0; first < LW_UPLINK_CHANNELS_MAX && used < NET_PLAN_TEXT; first++) {
		unsigned last = first;
		if (!lw_mask_get(mask, (uint8_t)first))
			continue;
		while (last + 1 < LW_UPLINK_CHANNELS_MAX && lw_mask_get(mask, (uint8_t)(last + 1)))
			last++;
		int written = snprintf(text + used, NET_PLAN_TEXT - used, last > first ? "%s%u-%u" : "%s%u",
				       used ? "," : "", first, last);
		used += (size_t)written;
		first = last;
	}
}

/* Where the gateways are set to a part of a fixed plan, a device outside it is only heard by chance, and not after its
 * join, when it keeps to the plan's channels. */
static void look_at_channel(const struct ns *ns, const struct ns_copy *copy, struct net_join_report *report)
{
	if (!ns_slab_holds(&ns->gateways.slab, copy->gateway_slot))
		return;
	const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, copy->gateway_slot);
	const struct lw_region *region = ns_region(ns, gateway->region);
	snprintf(report->region_id, sizeof report->region_id, "%.15s", region->id);
	int channel = lw_region_uplink_channel(region, copy->freq_hz);
	report->channel = channel < 0 ? NO_CHANNEL : (uint8_t)channel;
	if (region->plan_type != LW_PLAN_FIXED)
		return;
	write_mask(report->plan, &gateway->channels);
	report->off_plan = channel < 0 || !lw_mask_get(&gateway->channels, (uint8_t)channel);
	if (channel >= 0)
		report->sub_band =
			(uint8_t)((copy->modulation.bandwidth_hz == 500000 ? channel - 64 : channel / 8) + 1);
}

static void fill_heard(const struct ns *ns, const struct ns_copy *copy, uint32_t gateways,
		       struct net_join_report *report)
{
	report->has_heard = true;
	report->times = 1;
	report->freq_hz = copy->freq_hz;
	report->modulation = copy->modulation;
	report->gateway_count = gateways;
	report->gateway = copy->gateway;
	report->rssi_dbm = copy->rssi_dbm;
	report->has_snr = copy->has_snr;
	report->snr_cdb = copy->has_snr ? copy->snr_cdb : 0;
	look_at_channel(ns, copy, report);
}

static void fill_who(const struct ns_device *device, const struct ns_asked *asked,
		     struct net_join_report *report)
{
	report->dev_eui = asked->request.dev_eui;
	report->join_eui = asked->request.join_eui;
	report->dev_nonce = asked->request.dev_nonce;
	report->request = ns_asked_kind(asked->type);
	if (!device)
		return;
	report->has_device = true;
	report->device = device->dev_eui;
	report->device_join_eui = device->join_eui;
}

/* --- telling ------------------------------------------------------------------------------------------------ */

/* A whole report of the attempt, as it stands in join->report. */
static void tell(struct ns *ns, const struct ns_join *join, enum net_join_verdict verdict)
{
	if (join->attempt == 0)
		return;
	struct net_join_report *report = ns_join_reports_add(&ns->join_reports, join->attempt, false);
	uint64_t attempt = report->attempt;
	*report = join->report;
	report->attempt = attempt;
	report->verdict = verdict;
}

/* How it goes on; what was said before stays. */
static struct net_join_report *tell_more(struct ns *ns, struct now now, const struct ns_device *device,
					 uint32_t attempt, enum net_join_verdict verdict)
{
	struct net_join_report *report = ns_join_reports_add(&ns->join_reports, attempt, false);
	if (report->time.us == 0)
		report->time = now.wall;
	report->verdict = verdict;
	if (!report->has_device) {
		report->dev_eui = device->dev_eui;
		report->join_eui = device->join_eui;
		report->has_device = true;
		report->device = device->dev_eui;
		report->device_join_eui = device->join_eui;
	}
	return report;
}

static bool is_unheard(const struct ns_device *device)
{
	return device->attempt != 0 &&
	       (device->attempt_is == NET_JOIN_ACCEPT_SENT || device->attempt_is == NET_JOIN_ACCEPTED);
}

/* Gives the device's new attempt its number; 0: one was told of a moment ago. */
static uint32_t next_attempt(struct ns *ns, struct now now, struct ns_device *device)
{
	uint16_t second = (uint16_t)(now.mono.us / US_PER_S);
	if (device->attempt != 0 && (uint16_t)(second - device->attempt_s) < NS_COURSE_PAUSE)
		return 0;
	if (is_unheard(device)) {
		device->unheard = (uint8_t)(device->unheard + (device->unheard < UINT8_MAX));
		tell_more(ns, now, device, device->attempt, NET_JOIN_ACCEPT_UNHEARD)->unheard =
			device->unheard;
	}
	device->attempt = ns_join_reports_number(&ns->join_reports);
	device->attempt_s = second;
	device->attempt_is = NET_JOIN_WAITING;
	return device->attempt;
}

void ns_course_begin(struct ns *ns, struct now now, struct ns_join *join, const struct ns_asked *asked,
		     const struct ns_frame *frame)
{
	struct net_join_report *report = &join->report;
	uint32_t slot = ns_device_find(&ns->sessions, &asked->request.dev_eui);
	struct ns_device *device = slot == NS_NO_SLOT ? NULL : ns_device_at(&ns->sessions, slot);
	join->attempt = device ? next_attempt(ns, now, device) : ns_join_reports_number(&ns->join_reports);
	report->time = ns_frame_time(frame);
	report->unheard = device ? device->unheard : 0;
	fill_who(device, asked, report);
	fill_heard(ns, ns_join_best_copy(frame), frame->gateway_count, report);
}

/* Another's join server has verdicts of its own: what is to be done is not done here. */
static enum net_join_verdict of_its_server(const struct ns_join *join, enum net_join_verdict verdict)
{
	if (join->call.server == NS_JOIN_SERVER_OURS)
		return verdict;
	return verdict == NET_JOIN_SERVER_AWAY  ? NET_JOIN_FOREIGN_AWAY
	       : verdict == NET_JOIN_BAD_ANSWER ? NET_JOIN_FOREIGN_BAD_ANSWER
						: verdict;
}

/* "maker: HTTP 500, asked 3 times". */
static void say_server(struct ns *ns, const struct ns_join *join, enum ns_drop drop)
{
	bool shunned = drop == NS_DROP_JOIN_SERVER_SHUNNED, away = drop == NS_DROP_JOIN_TIMEOUT;
	if (join->call.server == NS_JOIN_SERVER_OURS ||
	    !(shunned || away || drop == NS_DROP_JOIN_SERVER_BUSY || drop == NS_DROP_JOIN_BAD_ANSWER))
		return;
	struct net_join_report *told = ns_join_reports_add(&ns->join_reports, join->attempt, false);
	const char *name = ns->config.join_servers[join->call.server].name;
	if (away)
		snprintf(told->cause, sizeof told->cause, "%.20s: %s, asked %u times", name, join->cause,
			 join->tries);
	else
		snprintf(told->cause, sizeof told->cause, "%.20s%s", name,
			 shunned ? ": not asked, its last calls failed" : "");
}

void ns_course_refused(struct ns *ns, const struct ns_join *join, enum ns_drop drop)
{
	enum net_join_verdict verdict;
	const struct net_join_report *report = &join->report;
	if (join->attempt == 0 || !ns_course_end(drop, &verdict))
		return;
	struct lw_eui64 mirror = lw_eui64_reverse(&report->device_join_eui);
	if (verdict == NET_JOIN_JOIN_EUI_DIFFERS && lw_eui64_equal(&mirror, &report->join_eui))
		verdict = NET_JOIN_JOIN_EUI_REVERSED;
	uint32_t slot = ns_device_find(&ns->sessions, &report->dev_eui);
	const struct ns_profile *profile = slot == NS_NO_SLOT
						   ? NULL
						   : ns_profile_of(ns, ns_device_at(&ns->sessions, slot));
	if (verdict == NET_JOIN_WRONG_REGION && !profile)
		verdict = NET_JOIN_NO_PROFILE;
	verdict = of_its_server(join, verdict);
	if (verdict != NET_JOIN_STORM || !ns_storm_has_refused(ns, slot)) {
		tell(ns, join, verdict);
		say_server(ns, join, drop);
	}
	if (verdict == NET_JOIN_WRONG_REGION || verdict == NET_JOIN_DATA_RATE) {
		struct net_join_report *told = ns_join_reports_add(&ns->join_reports, join->attempt, false);
		if (profile)
			snprintf(told->cause, sizeof told->cause, "%.15s",
				 ns_region(ns, profile->region)->id);
	}
	if (slot != NS_NO_SLOT)
		ns_device_at(&ns->sessions, slot)->attempt_is = (uint8_t)verdict;
}

void ns_course_waits(struct ns *ns, struct ns_join *join)
{
	if (!join->waits)
		tell(ns, join, NET_JOIN_WAITING);
	join->waits = true;
}

void ns_course_no(struct ns *ns, const struct ns_join *join, const struct bi_envelope *answer)
{
	bool ours = join->call.server == NS_JOIN_SERVER_OURS;
	enum net_join_verdict verdict = ours ? ns_course_refusal(answer->result, answer->description)
					     : NET_JOIN_FOREIGN_REFUSED;
	if (join->attempt == 0)
		return;
	tell(ns, join, verdict);
	struct net_join_report *told = ns_join_reports_add(&ns->join_reports, join->attempt, false);
	const char *name = ours ? "" : ns->config.join_servers[join->call.server].name;
	snprintf(told->cause, sizeof told->cause, "%.20s%s%s%s%.50s", name, ours ? "" : ": ",
		 bi_result_name(answer->result, answer->protocol), answer->description[0] ? ": " : "",
		 answer->description);
	uint32_t slot = ns_device_find(&ns->sessions, &join->dev_eui);
	if (slot != NS_NO_SLOT)
		ns_device_at(&ns->sessions, slot)->attempt_is = (uint8_t)verdict;
}

void ns_course_yes(struct ns *ns, const struct ns_join *join)
{
	tell(ns, join, NET_JOIN_ACCEPT_SENT);
	if (join->attempt !=
	    0) /* a second request may have come while the join server thought about this one */
		ns_device_at(&ns->sessions, join->device)->attempt = join->attempt;
}

void ns_course_stopped(struct ns *ns, struct now now, const struct ns_asked *asked,
		       const struct ns_copy *copy, enum ns_drop drop)
{
	uint32_t slot = ns_device_find(&ns->sessions, &asked->request.dev_eui);
	if (slot == NS_NO_SLOT)
		return;
	struct ns_device *device = ns_device_at(&ns->sessions, slot);
	struct ns_join join = {.attempt = next_attempt(ns, now, device), .call.server = NS_JOIN_SERVER_OURS};
	join.report.time = copy->wall;
	join.report.unheard = device->unheard;
	fill_who(device, asked, &join.report);
	fill_heard(ns, copy, 1, &join.report);
	ns_course_refused(ns, &join, drop);
}

/* --- the accept --------------------------------------------------------------------------------------------- */

/* The device of a join's downlink that is still the one of its last attempt. */
static struct ns_device *device_of(struct ns *ns, const struct ns_downlink *downlink)
{
	if (!downlink->is_join || downlink->join_attempt == 0 ||
	    !ns_slab_holds(&ns->sessions.devices, downlink->device))
		return NULL;
	struct ns_device *device = ns_device_at(&ns->sessions, downlink->device);
	return device->attempt == downlink->join_attempt ? device : NULL;
}

static void tell_attempt(struct ns *ns, struct now now, const struct ns_device *device,
			 const struct ns_downlink *downlink, enum net_join_verdict verdict)
{
	const struct ns_attempt *attempt = &downlink->plan.attempts[downlink->attempt];
	struct net_join_report *report = tell_more(ns, now, device, downlink->join_attempt, verdict);
	report->has_tx = true;
	report->tx_gateway = attempt->tx.gateway;
	report->tx_window = attempt->tx.window;
	report->tx_freq_hz = attempt->tx.freq_hz;
	if (verdict == NET_JOIN_ACCEPT_SENT)
		report->left = mono_since(attempt->start, now.mono);
}

void ns_course_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	struct ns_device *device = device_of(ns, downlink);
	if (!device)
		return;
	device->attempt_is = NET_JOIN_ACCEPT_SENT;
	tell_attempt(ns, now, device, downlink, NET_JOIN_ACCEPT_SENT);
}

void ns_course_not_sent(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop drop,
			const char *cause)
{
	enum net_join_verdict verdict;
	struct ns_device *device = device_of(ns, downlink);
	if (!device || !ns_course_end(drop, &verdict))
		return;
	device->attempt_is = (uint8_t)verdict;
	struct net_join_report *report = tell_more(ns, now, device, downlink->join_attempt, verdict);
	snprintf(report->cause, sizeof report->cause, "%.60s", cause);
}

void ns_course_on_air(struct ns *ns, struct now now, const struct ns_downlink *downlink)
{
	struct ns_device *device = device_of(ns, downlink);
	if (!device || device->attempt_is == NET_JOIN_JOINED)
		return;
	device->attempt_is = NET_JOIN_ACCEPTED;
	tell_attempt(ns, now, device, downlink, NET_JOIN_ACCEPTED);
}

void ns_course_joined(struct ns *ns, struct now now, uint32_t device)
{
	struct ns_device *joined = ns_device_at(&ns->sessions, device);
	ns_storm_joined(ns, now, device);
	joined->unheard = 0;
	if (joined->attempt == 0)
		return;
	joined->attempt_is = NET_JOIN_JOINED;
	(void)tell_more(ns, now, joined, joined->attempt, NET_JOIN_JOINED);
}
