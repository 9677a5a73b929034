#include "network-server/strangers.h"

#include "common/base/check.h"
#include "network-server/network.h"
#include "network-server/rejoin.h"
#include "network-server/why/record.h"

#define SLICE        64 /* silent entries forgotten in one go */
#define GATEWAYS_MAX 8  /* told apart; more count as so many */

struct pair {
	struct lw_eui64 dev_eui, join_eui;
};

struct stranger {
	struct pair pair; /* the key */
	struct mono due;
	uint32_t number;       /* of the attempt */
	struct lw_eui64 first; /* that heard the last request: the others' copies do not count */
	struct lw_eui64 gateways[GATEWAYS_MAX]; /* that heard it since the last report */
	struct net_join_report report;          /* of what was heard since the last one; `times` 0: nothing */
};

static void sort_init(struct ns_stranger_sort *sort, struct rng *rng)
{
	table_init(&sort->table, NS_STRANGERS_MAX, sizeof(struct stranger), sizeof(struct pair), rng);
	sort->next = MONO_NEVER;
}

void ns_strangers_init(struct ns_strangers *strangers, struct rng *rng)
{
	*strangers = (struct ns_strangers){0};
	sort_init(&strangers->ours, rng);
	sort_init(&strangers->foreign, rng);
}

void ns_strangers_release(struct ns_strangers *strangers)
{
	table_release(&strangers->ours.table);
	table_release(&strangers->foreign.table);
	*strangers = (struct ns_strangers){0};
}

/* Who could be meant: the registered device of the reversed or swapped EUI. */
static enum net_join_verdict judge(const struct ns *ns, const struct ns_asked *asked, uint32_t *device)
{
	struct lw_eui64 mirror = lw_eui64_reverse(&asked->request.dev_eui);
	*device = ns_device_find(&ns->sessions, &mirror);
	if (*device != NS_NO_SLOT)
		return NET_JOIN_DEV_EUI_REVERSED;
	*device = ns_device_find(&ns->sessions, &asked->request.join_eui);
	if (*device != NS_NO_SLOT &&
	    lw_eui64_equal(&ns_device_at(&ns->sessions, *device)->join_eui, &asked->request.dev_eui))
		return NET_JOIN_EUIS_SWAPPED;
	*device = NS_NO_SLOT;
	return ns_foreign_is_our_join_eui(&ns->foreign, &asked->request.join_eui) ? NET_JOIN_UNKNOWN_DEV_EUI
										  : NET_JOIN_FOREIGN;
}

static void note(struct stranger *stranger, struct now now, const struct ns_asked *asked,
		 const struct gw_uplink *uplink)
{
	struct net_join_report *report = &stranger->report;
	bool another = !report->has_heard || report->dev_nonce != asked->request.dev_nonce;
	if (another)
		stranger->first = uplink->gateway;
	else if (!lw_eui64_equal(&stranger->first, &uplink->gateway) && report->times == 0)
		return; /* a copy that comes after the report */
	bool better = report->times == 0 || report->dev_nonce != asked->request.dev_nonce ||
		      uplink->rssi_dbm > report->rssi_dbm;
	if (report->times == 0) {
		report->time = now.wall;
		report->gateway_count = 0;
	}
	uint32_t i = 0;
	while (i < report->gateway_count && !lw_eui64_equal(&stranger->gateways[i], &uplink->gateway))
		i++;
	if (i == report->gateway_count && i < GATEWAYS_MAX)
		stranger->gateways[report->gateway_count++] = uplink->gateway;
	report->times += another || lw_eui64_equal(&stranger->first, &uplink->gateway);
	report->dev_nonce = asked->request.dev_nonce;
	report->request = ns_asked_kind(asked->type);
	if (!better)
		return;
	report->has_heard = true;
	report->freq_hz = uplink->freq_hz;
	report->modulation = uplink->modulation;
	report->gateway = uplink->gateway;
	report->rssi_dbm = uplink->rssi_dbm;
	report->has_snr = uplink->has_snr;
	report->snr_cdb = uplink->snr_cdb;
}

enum ns_drop ns_stranger_hear(struct ns *ns, struct now now, const struct ns_asked *asked,
			      const struct gw_uplink *uplink)
{
	uint32_t device;
	enum net_join_verdict verdict = judge(ns, asked, &device);
	bool foreign = verdict == NET_JOIN_FOREIGN;
	struct ns_stranger_sort *sort = foreign ? &ns->strangers.foreign : &ns->strangers.ours;
	const struct pair pair = {asked->request.dev_eui, asked->request.join_eui};
	bool made;
	struct stranger *stranger = table_put(&sort->table, &pair, &made);
	enum ns_drop drop = foreign ? NS_DROP_FOREIGN_JOIN_EUI : NS_DROP_JOIN_UNKNOWN_DEVICE;
	if (!stranger) {
		ns->strangers.over++;
		return drop;
	}
	if (made) {
		stranger->number = ns_join_reports_number(&ns->join_reports);
		stranger->due = mono_add(now.mono, NS_STRANGER_FIRST);
		if (stranger->due.us < sort->next.us)
			sort->next = stranger->due;
	}
	struct net_join_report *report = &stranger->report;
	report->verdict = verdict;
	report->has_device = device != NS_NO_SLOT;
	if (report->has_device) {
		report->device = ns_device_at(&ns->sessions, device)->dev_eui;
		report->device_join_eui = ns_device_at(&ns->sessions, device)->join_eui;
	}
	if (!foreign &&
	    (!report->has_heard || report->dev_nonce != asked->request.dev_nonce)) /* once for all copies */
		ns_record_rule(ns, now, drop,
			       ns_of_frame(ns, NS_NO_SLOT, ns_gateways_find(&ns->gateways, &uplink->gateway),
					   uplink->phy, uplink->phy_length),
			       ns_numbers_of_eui(&asked->request.dev_eui, asked->request.dev_nonce));
	note(stranger, now, asked, uplink);
	return drop;
}

static bool has_budget(struct ns_stranger_sort *sort, struct mono now)
{
	if (mono_since(now, sort->second) >= US_PER_S) {
		sort->second = now;
		sort->reports = 0;
	}
	return sort->reports < NS_STRANGER_REPORTS;
}

static void tell(struct ns *ns, struct stranger *stranger)
{
	struct net_join_report *report = ns_join_reports_add(&ns->join_reports, stranger->number, true);
	if (!report)
		return; /* gathered on */
	uint64_t attempt = report->attempt;
	uint32_t told = report->times; /* by one that has not left yet */
	*report = stranger->report;
	report->attempt = attempt;
	report->times += told;
	report->dev_eui = stranger->pair.dev_eui;
	report->join_eui = stranger->pair.join_eui;
	uint32_t slot = ns_gateways_find(&ns->gateways, &report->gateway);
	if (slot != NS_NO_SLOT)
		snprintf(report->region_id, sizeof report->region_id, "%.15s",
			 ns_gateways_at(&ns->gateways, slot)->record.gateway.region_id);
	stranger->report.times = 0;
}

/* Tells what is due as far as the second's budget goes, forgets what was silent. What is over the budget waits, and is
 * gathered on. */
static void tick(struct ns *ns, struct now now, struct ns_stranger_sort *sort)
{
	struct pair silent[SLICE];
	size_t at = 0, count = 0;
	if (sort->next.us > now.mono.us)
		return;
	sort->next = MONO_NEVER;
	for (struct stranger *stranger; (stranger = table_next(&sort->table, &at));) {
		if (stranger->due.us <= now.mono.us) {
			if (stranger->report.times == 0) {
				if (count < SLICE)
					silent[count++] = stranger->pair;
				stranger->due = mono_add(now.mono, US_PER_S);
			} else if (sort == &ns->strangers.foreign && !ns->app_connected) {
				stranger->report.times =
					0; /* nobody to show it to: it does not wait in the ring */
				stranger->due = mono_add(now.mono, NS_STRANGER_AGAIN);
			} else if (has_budget(sort, now.mono)) {
				sort->reports++;
				tell(ns, stranger);
				stranger->due = mono_add(now.mono, NS_STRANGER_AGAIN);
			} else {
				stranger->due = mono_add(sort->second, US_PER_S);
			}
		}
		if (stranger->due.us < sort->next.us)
			sort->next = stranger->due;
	}
	for (size_t i = 0; i < count; i++)
		table_remove(&sort->table, &silent[i]);
}

void ns_strangers_tick(struct ns *ns, struct now now)
{
	tick(ns, now, &ns->strangers.ours);
	tick(ns, now, &ns->strangers.foreign);
}

struct mono ns_strangers_next(const struct ns_strangers *strangers)
{
	return strangers->ours.next.us < strangers->foreign.next.us ? strangers->ours.next
								    : strangers->foreign.next;
}
