#include "network-server/why/explain.h"

#include <string.h>

/* What is to be shown, newest first. */
struct found {
	const struct decision *decisions[NS_WHY_LIMIT_MAX];
	unsigned count, limit;
	unsigned walked; /* records looked at */
};

static uint64_t time_of(const struct decision *decision)
{
	return (uint64_t)decision->time_high << 32 | decision->time_low;
}

/* A gateway's last downlink may be one that it refused, which stands among its troubles too,
 * without its frame. */
static bool is_same(const struct decision *one, const struct decision *other)
{
	return time_of(one) == time_of(other) && one->table == other->table &&
	       one->verdict == other->verdict && one->other == other->other && one->a == other->a &&
	       one->b == other->b && one->c == other->c;
}

/* In its place by time; of equals the one that was found first stands first. A full list loses its oldest. False: it is
 * older than all of a full list, and so is what follows in its chain. */
static bool insert(struct found *found, const struct decision *decision)
{
	unsigned at = found->count;
	while (at > 0 && time_of(found->decisions[at - 1]) < time_of(decision))
		at--;
	for (unsigned i = at; i > 0 && time_of(found->decisions[i - 1]) == time_of(decision); i--)
		if (is_same(found->decisions[i - 1], decision))
			return true;
	if (at == found->limit)
		return false;
	if (found->count < found->limit)
		found->count++;
	memmove(&found->decisions[at + 1], &found->decisions[at],
		(found->count - at - 1) * sizeof(struct decision *));
	found->decisions[at] = decision;
	return true;
}

static void add_chain(const struct ns *ns, struct found *found, uint32_t subject)
{
	const struct decision *decision = decision_newest(&ns->decisions, subject);
	for (; decision && found->walked < NS_WHY_WALK && insert(found, decision); found->walked++)
		decision = decision_older(&ns->decisions, decision);
}

static void write_found(const struct ns *ns, const struct found *found, FILE *out)
{
	fputs("{\"decisions\":[", out);
	for (unsigned i = 0; i < found->count; i++) {
		struct decision_names names;
		ns_why_names(ns, found->decisions[i], &names);
		fputs(i > 0 ? "," : "", out);
		decision_json(out, &ns_book, found->decisions[i], &names);
	}
	fputs("]}", out);
}

static struct found found_init(unsigned limit)
{
	return (struct found){.limit = limit < NS_WHY_LIMIT_MAX ? limit : NS_WHY_LIMIT_MAX};
}

static void name_gateway(const struct ns *ns, uint32_t slot, const struct decision *decision, char eui[17])
{
	if (!ns_slab_holds(&ns->gateways.slab, slot))
		return;
	const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	if (gateway->since.us <= decision_time(decision).us + US_PER_MS)
		lw_eui64_format(eui, &gateway->record.gateway.eui);
}

void ns_why_names(const struct ns *ns, const struct decision *decision, struct decision_names *names)
{
	*names = (struct decision_names){.device = ""};
	uint32_t gateways = ns->config.max_devices;
	if (decision->subject < gateways && ns_slab_holds(&ns->sessions.devices, decision->subject))
		lw_eui64_format(names->device, &ns_device_at(&ns->sessions, decision->subject)->dev_eui);
	if (decision->other != DECISION_NO_OTHER)
		name_gateway(ns, decision->other, decision, names->gateway);
	else if (decision->subject >= gateways)
		name_gateway(ns, (decision->subject - gateways) / NS_GATEWAY_CHAINS, decision,
			     names->gateway);
}

bool ns_why_device(const struct ns *ns, const struct lw_eui64 *dev_eui, unsigned limit, FILE *out)
{
	uint32_t slot = ns_device_find(&ns->sessions, dev_eui);
	struct found found = found_init(limit);
	if (slot == NS_NO_SLOT)
		return false;
	add_chain(ns, &found, slot);
	write_found(ns, &found, out);
	return true;
}

bool ns_why_gateway(const struct ns *ns, const struct lw_eui64 *eui, unsigned limit, FILE *out)
{
	uint32_t slot = ns_gateways_find(&ns->gateways, eui);
	struct found found = found_init(limit);
	if (slot == NS_NO_SLOT)
		return false;
	bool hears_others = ns_gateways_at(&ns->gateways, slot)->foreign_run > 0;
	for (unsigned chain = 0; chain < NS_GATEWAY_CHAINS; chain++)
		if (chain != NS_GATEWAY_FOREIGN || hears_others)
			add_chain(ns, &found, ns_subject_of_gateway(ns, slot, (enum ns_of_gateway)chain));
	write_found(ns, &found, out);
	return true;
}

/* What gateways heard or sent last, for a frame that went no further. */
static void add_gateways_last(const struct ns *ns, struct found *found, uint32_t ref)
{
	for (uint32_t slot = 0; slot < ns->gateways.slab.high && found->walked < NS_WHY_WALK; slot++) {
		if (!ns_slab_holds(&ns->gateways.slab, slot))
			continue;
		const struct decision *heard = decision_newest(
			&ns->decisions, ns_subject_of_gateway(ns, slot, NS_GATEWAY_HEARD));
		found->walked++;
		if (heard && heard->about == DECISION_ABOUT_FRAME && heard->ref == ref)
			(void)insert(found, heard);
	}
}

/* Records of that frame from this one on. */
static void add_frame(const struct ns *ns, struct found *found, const struct decision *decision, uint32_t ref)
{
	for (; decision && found->walked < NS_WHY_WALK; found->walked++) {
		if (decision->about == DECISION_ABOUT_FRAME && decision->ref == ref)
			(void)insert(found, decision);
		decision = decision_older(&ns->decisions, decision);
	}
}

static void add_frame_of(const struct ns *ns, struct found *found, uint32_t subject, uint32_t ref)
{
	add_frame(ns, found, decision_newest(&ns->decisions, subject), ref);
}

static void add_frame_of_whose(const struct ns *ns, struct found *found, struct ns_why_whose whose,
			       uint32_t ref)
{
	uint32_t at = 0, slot;
	while (whose.dev_addr && (slot = ns_sessions_next(&ns->sessions, *whose.dev_addr, &at)) != NS_NO_SLOT)
		add_frame_of(ns, found, ns_session_at(&ns->sessions, slot)->device, ref);
	slot = whose.dev_eui ? ns_device_find(&ns->sessions, whose.dev_eui) : NS_NO_SLOT;
	if (slot != NS_NO_SLOT)
		add_frame_of(ns, found, slot, ref);
	if (found->count == 0 && (whose.dev_addr || whose.dev_eui))
		add_frame_of(ns, found, ns_subject_of_nobody(ns, NS_NOBODY_FRAMES), ref);
}

bool ns_why_frame(const struct ns *ns, const uint8_t mic[4], struct ns_why_whose whose, unsigned limit,
		  FILE *out)
{
	struct found found = found_init(limit);
	uint32_t ref = decision_ref(mic);
	add_frame_of_whose(ns, &found, whose, ref);
	if (found.count == 0)
		add_frame(ns, &found, decision_find(&ns->decisions, DECISION_ABOUT_FRAME, ref), ref);
	if (found.count == 0)
		add_gateways_last(ns, &found, ref);
	if (found.count == 0)
		return false;
	write_found(ns, &found, out);
	return true;
}

/* Frames with this address that no session fitted. */
static void add_nobodys(const struct ns *ns, struct found *found, uint32_t dev_addr)
{
	const struct decision *decision = decision_newest(&ns->decisions,
							  ns_subject_of_nobody(ns, NS_NOBODY_FRAMES));
	for (; decision && found->walked < NS_WHY_WALK; found->walked++) {
		enum ns_drop drop = (enum ns_drop)decision->verdict;
		bool names_address = decision->table == NS_TABLE_DROP_UP &&
				     (drop == NS_DROP_UNKNOWN_DEV_ADDR || drop == NS_DROP_MIC ||
				      drop == NS_DROP_REGION);
		if (names_address && decision->a == dev_addr)
			(void)insert(found, decision);
		decision = decision_older(&ns->decisions, decision);
	}
}

bool ns_why_dev_addr(const struct ns *ns, struct lw_dev_addr dev_addr, unsigned limit, FILE *out)
{
	struct found found = found_init(limit);
	uint32_t at = 0, slot, sessions = 0;
	while ((slot = ns_sessions_next(&ns->sessions, dev_addr, &at)) != NS_NO_SLOT) {
		sessions++;
		add_chain(ns, &found, ns_session_at(&ns->sessions, slot)->device);
	}
	add_nobodys(ns, &found, dev_addr.value);
	if (found.count == 0 && sessions == 0)
		return false;
	write_found(ns, &found, out);
	return true;
}

bool ns_why_server(const struct ns *ns, unsigned limit, FILE *out)
{
	struct found found = found_init(limit);
	for (unsigned nobody = 0; nobody < NS_NOBODY_COUNT; nobody++)
		add_chain(ns, &found, ns_subject_of_nobody(ns, (enum ns_nobody)nobody));
	write_found(ns, &found, out);
	return true;
}

static bool says(const struct decision *decision, enum ns_drop drop)
{
	uint16_t rule = drop == NS_ACCEPTED ? NS_TABLE_NOTE << 8 | NS_NOTE_UPLINK : ns_rule_of_drop(drop);
	uint16_t late = NS_TABLE_NOTE << 8 | NS_NOTE_UPLINK_LATE;
	uint16_t has = (uint16_t)(decision->table << 8 | decision->verdict);
	return has == rule || (drop == NS_ACCEPTED && has == late);
}

/* A frame's record of that verdict: its own, or what its gateway heard last. */
static const struct decision *find_said(const struct ns *ns, uint32_t ref, const struct lw_eui64 *gateway,
					enum ns_drop drop)
{
	const struct decision *decision = decision_find(&ns->decisions, DECISION_ABOUT_FRAME, ref);
	for (unsigned i = 0; decision && i < 16; i++) {
		if (decision->about == DECISION_ABOUT_FRAME && decision->ref == ref && says(decision, drop))
			return decision;
		decision = decision_older(&ns->decisions, decision);
	}
	uint32_t slot = ns_gateways_find(&ns->gateways, gateway);
	if (slot == NS_NO_SLOT)
		return NULL;
	decision = decision_newest(&ns->decisions, ns_subject_of_gateway(ns, slot, NS_GATEWAY_HEARD));
	return decision && says(decision, drop) ? decision : NULL;
}

bool ns_why_sentence(const struct ns *ns, const uint8_t *phy, uint8_t length, const struct lw_eui64 *gateway,
		     enum ns_drop drop, char sentence[DECISION_TEXT], const char **next)
{
	const struct decision_rule *rule = ns_verdict(drop);
	const struct decision *decision = length < 4 ? NULL
						     : find_said(ns, decision_ref(phy + length - 4), gateway,
								 drop);
	struct decision_names names;
	if (!decision && strchr(rule->sentence, '{'))
		return false;
	*next = rule->next;
	if (!decision) {
		snprintf(sentence, DECISION_TEXT, "%s", rule->sentence);
		return true;
	}
	ns_why_names(ns, decision, &names);
	decision_say(sentence, &ns_book, decision, &names);
	return true;
}
