#include "network-server/why/record.h"

#include "common/base/check.h"

#include <string.h>

uint32_t ns_subjects(const struct ns_config *config)
{
	return config->max_devices + NS_GATEWAY_CHAINS * config->max_gateways + NS_NOBODY_COUNT;
}

uint32_t ns_subject_of_gateway(const struct ns *ns, uint32_t gateway, enum ns_of_gateway chain)
{
	return ns->config.max_devices + NS_GATEWAY_CHAINS * gateway + chain;
}

uint32_t ns_subject_of_nobody(const struct ns *ns, enum ns_nobody nobody)
{
	return ns->config.max_devices + NS_GATEWAY_CHAINS * ns->config.max_gateways + nobody;
}

struct ns_whom ns_of_device(const struct ns *ns, uint32_t device)
{
	uint32_t subject = device == NS_NO_SLOT ? ns_subject_of_nobody(ns, NS_NOBODY_FRAMES) : device;
	return (struct ns_whom){.subject = subject, .gateway = NS_NO_SLOT};
}

struct ns_whom ns_of_item(const struct ns *ns, uint32_t device, const struct net_uuid *item)
{
	struct ns_whom whom = ns_of_device(ns, device);
	whom.about = DECISION_ABOUT_ITEM;
	whom.ref = decision_ref(item->bytes);
	return whom;
}

struct ns_whom ns_of_frame(const struct ns *ns, uint32_t device, uint32_t gateway, const uint8_t *phy,
			   uint8_t length)
{
	struct ns_whom whom = ns_of_device(ns, device);
	whom.gateway = gateway;
	if (length >= 4) {
		whom.about = DECISION_ABOUT_FRAME;
		whom.ref = decision_ref(phy + length - 4);
	}
	return whom;
}

struct ns_whom ns_of_server(const struct ns *ns)
{
	return (struct ns_whom){.subject = ns_subject_of_nobody(ns, NS_NOBODY_SERVER), .gateway = NS_NO_SLOT};
}

struct ns_whom ns_of_gateway(const struct ns *ns, uint32_t gateway)
{
	return (struct ns_whom){.subject = ns_subject_of_gateway(ns, gateway, NS_GATEWAY_TROUBLE),
				.gateway = gateway};
}

static struct decision decision_of(enum ns_table table, unsigned verdict, struct ns_whom whom,
				   struct ns_numbers numbers)
{
	return (struct decision){
		.ref = whom.ref,
		.a = numbers.a,
		.b = numbers.b,
		.c = numbers.c,
		.other = whom.gateway >= DECISION_NO_OTHER ? DECISION_NO_OTHER : (uint16_t)whom.gateway,
		.verdict = (uint8_t)verdict,
		.table = table & 15,
		.about = whom.about & 15,
	};
}

void ns_record(struct ns *ns, struct now now, enum ns_table table, unsigned verdict, struct ns_whom whom,
	       struct ns_numbers numbers)
{
	struct decision decision = decision_of(table, verdict, whom, numbers);
	decision_add(&ns->decisions, now.wall, whom.subject, &decision);
}

void ns_record_drop(struct ns *ns, struct now now, enum ns_drop drop, struct ns_whom whom,
		    struct ns_numbers numbers)
{
	ns_count(ns, drop);
	ns_record_rule(ns, now, drop, whom, numbers);
}

void ns_record_rule(struct ns *ns, struct now now, enum ns_drop drop, struct ns_whom whom,
		    struct ns_numbers numbers)
{
	uint16_t rule = ns_rule_of_drop(drop);
	ns_record(ns, now, (enum ns_table)(rule >> 8), rule & UINT8_MAX, whom, numbers);
}

void ns_record_last(struct ns *ns, struct now now, enum ns_table table, unsigned verdict,
		    enum ns_of_gateway chain, struct ns_whom whom, struct ns_numbers numbers)
{
	if (whom.gateway == NS_NO_SLOT)
		return;
	struct decision decision = decision_of(table, verdict, whom, numbers);
	decision_replace(&ns->decisions, now.wall, ns_subject_of_gateway(ns, whom.gateway, chain), &decision);
}

void ns_record_protocol(struct ns *ns, struct now now, enum ns_protocol_what what, uint64_t number)
{
	ns_record_drop(ns, now, NS_DROP_PROTOCOL, ns_of_server(ns),
		       (struct ns_numbers){.a = decision_u32((int64_t)number), .c = (uint16_t)what});
}

void ns_record_forget_device(struct ns *ns, uint32_t device)
{
	decision_forget(&ns->decisions, device);
}

void ns_record_forget_gateway(struct ns *ns, uint32_t gateway)
{
	for (unsigned chain = 0; chain < NS_GATEWAY_CHAINS; chain++)
		decision_forget(&ns->decisions,
				ns_subject_of_gateway(ns, gateway, (enum ns_of_gateway)chain));
}

struct ns_numbers ns_numbers_of_heard(uint32_t freq_hz, int16_t rssi_dbm, bool has_snr, int16_t snr_cdb,
				      uint8_t length)
{
	return (struct ns_numbers){freq_hz, decision_halves(rssi_dbm, has_snr ? snr_cdb : INT16_MIN), length};
}

struct ns_numbers ns_numbers_of_eui(const struct lw_eui64 *eui, uint16_t c)
{
	return (struct ns_numbers){decision_ref(eui->bytes), decision_ref(eui->bytes + 4), c};
}

struct ns_numbers ns_numbers_of_journal(const struct ns *ns)
{
	const struct ns_journal *journal = &ns->journal;
	return (struct ns_numbers){.a = decision_u32((int64_t)(journal->bytes >> 20)),
				   .b = decision_u32((int64_t)(journal->limit >> 20)),
				   .c = journal->disk_low};
}
