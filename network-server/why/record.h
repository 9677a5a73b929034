/* Recording what was decided, from the flows: counts a drop, and keeps 32 bytes about it (common/base/decision.h). The
 * sentence is in the rule's table (book.h), so a number that is wrong here is wrong there: tests assert on numbers.
 *
 *	ns_record_drop(ns, now, NS_DROP_FCNT_OLD, ns_of_frame(device, gateway, mic),
 *		       (struct ns_numbers){.a = received, .b = expected});
 *
 * Subjects: a device's slot; each gateway has four (what it heard last, how much of others since, what it sent last, its troubles); then those who
 * have no record. Foreign frames are not recorded: a gateway's are
 * counted; copies are as a gateway's last alone (invariant 12). */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_RECORD_H
#define LAMPPOST_NETWORK_SERVER_WHY_RECORD_H

#include "network-server/network.h"
#include "network-server/why/book.h"

struct ns_copy;
struct ns_item;
struct ns_plan_why;

/* Whom a record is about. */
struct ns_whom {
	uint32_t subject;
	uint32_t gateway; /* slot, or NS_NO_SLOT */
	enum decision_about about;
	uint32_t ref;
};

/* What a gateway's three chains hold. */
enum ns_of_gateway {
	NS_GATEWAY_HEARD,   /* one record: its last reception of a frame of ours */
	NS_GATEWAY_FOREIGN, /* one record: how many of others it heard since */
	NS_GATEWAY_SENT,    /* one record: its last downlink */
	NS_GATEWAY_TROUBLE, /* what it refused */
	NS_GATEWAY_CHAINS
};

enum ns_nobody {
	NS_NOBODY_FRAMES, /* frames of our addresses, and joins, that matched no device */
	NS_NOBODY_SERVER, /* records, messages and callers that were refused */
	NS_NOBODY_COUNT
};

uint32_t ns_subjects(const struct ns_config *config);
uint32_t ns_subject_of_gateway(const struct ns *ns, uint32_t gateway, enum ns_of_gateway chain);
uint32_t ns_subject_of_nobody(const struct ns *ns, enum ns_nobody nobody);

/* `device` may be NS_NO_SLOT: nobody's. */
struct ns_whom ns_of_device(const struct ns *ns, uint32_t device);
struct ns_whom ns_of_item(const struct ns *ns, uint32_t device, const struct net_uuid *item);
/* A frame by its bytes: its MIC is the last four. */
struct ns_whom ns_of_frame(const struct ns *ns, uint32_t device, uint32_t gateway, const uint8_t *phy,
			   uint8_t length);
struct ns_whom ns_of_server(const struct ns *ns);
/* Of a gateway's trouble. */
struct ns_whom ns_of_gateway(const struct ns *ns, uint32_t gateway);

/* A drop's rule alone, where it is counted elsewhere; or counted and recorded. */
void ns_record_rule(struct ns *ns, struct now now, enum ns_drop drop, struct ns_whom whom,
		    struct ns_numbers numbers);
void ns_record_drop(struct ns *ns, struct now now, enum ns_drop drop, struct ns_whom whom,
		    struct ns_numbers numbers);
void ns_record(struct ns *ns, struct now now, enum ns_table table, unsigned verdict, struct ns_whom whom,
	       struct ns_numbers numbers);
static inline void ns_record_note(struct ns *ns, struct now now, enum ns_note note, struct ns_whom whom,
				  struct ns_numbers numbers)
{
	ns_record(ns, now, NS_TABLE_NOTE, note, whom, numbers);
}
/* Replaces what is kept of a gateway's last: a reception or a downlink. */
void ns_record_last(struct ns *ns, struct now now, enum ns_table table, unsigned verdict,
		    enum ns_of_gateway chain, struct ns_whom whom, struct ns_numbers numbers);

/* There is no way for a downlink to go: counts and records. */
void ns_record_no_way(struct ns *ns, struct now now, const struct ns_downlink *downlink, enum ns_drop drop,
		      const struct ns_plan_why *why);

/* What is wrong with a message, and the number that says more. */
enum ns_protocol_what {
	NS_PROTOCOL_MESSAGE, /* it cannot be read, or its sender may not send it; its kind */
	NS_PROTOCOL_ROW,     /* it names no event of ours; the row */
	NS_PROTOCOL_VALUE,   /* a value outside its range: it was passed over; its kind */
};
/* Counts and records such a message. */
void ns_record_protocol(struct ns *ns, struct now now, enum ns_protocol_what what, uint64_t number);

/* Forgets who is removed. */
void ns_record_forget_device(struct ns *ns, uint32_t device);
void ns_record_forget_gateway(struct ns *ns, uint32_t gateway);

/* --- numbers that several rules share --- */
struct ns_numbers ns_numbers_of_heard(uint32_t freq_hz, int16_t rssi_dbm, bool has_snr, int16_t snr_cdb,
				      uint8_t length);
struct ns_numbers ns_numbers_of_eui(const struct lw_eui64 *eui, uint16_t c);
struct ns_numbers ns_numbers_of_journal(const struct ns *ns);

#endif
