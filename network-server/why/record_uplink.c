/* The one record of a data frame whose window has closed: accepted, or why not. Called at the end of the flow, which leaves
 * what it judged by in the `struct ns_uplink`. */
#include "network-server/why/record_uplink.h"

#include "common/lorawan/fcnt.h"
#include "network-server/mac/mac.h"
#include "network-server/why/record.h"

#define FRAME_OVERHEAD 5 /* MHDR and MIC */

static const struct ns_copy *best_copy(const struct ns_frame *frame)
{
	const struct ns_copy *best = &frame->copies[0];
	for (uint8_t i = 1; i < frame->copy_count; i++)
		if (frame->copies[i].snr_cdb > best->snr_cdb)
			best = &frame->copies[i];
	return best;
}

static struct ns_whom whom_of(const struct ns *ns, const struct ns_uplink *uplink, const struct ns_copy *copy)
{
	const struct ns_frame *frame = uplink->frame;
	uint32_t device = uplink->session           ? uplink->session->device
			  : uplink->candidates == 1 ? uplink->candidate
						    : NS_NO_SLOT;
	return ns_of_frame(ns, device, copy->gateway_slot, frame->phy, frame->phy_length);
}

static struct ns_numbers accepted(const struct ns_uplink *uplink, const struct ns_copy *copy)
{
	uint32_t gateways = uplink->frame->gateway_count;
	return (struct ns_numbers){
		.a = uplink->fcnt,
		.b = decision_halves(copy->has_snr ? copy->snr_cdb : INT16_MIN,
				     uplink->heard.dr | (gateways < UINT8_MAX ? gateways : UINT8_MAX) << 8),
		.c = (uint16_t)copy->rssi_dbm,
	};
}

static uint8_t region_of_gateway(const struct ns *ns, const struct ns_copy *copy)
{
	if (!ns_slab_holds(&ns->gateways.slab, copy->gateway_slot))
		return UINT8_MAX;
	return ns_region_word(ns_region(ns, ns_gateways_at(&ns->gateways, copy->gateway_slot)->region)->id);
}

static struct ns_numbers unmatched(const struct ns *ns, const struct ns_uplink *uplink, enum ns_drop drop,
				   const struct ns_copy *copy)
{
	uint32_t addr = uplink->parsed.dev_addr.value;
	uint8_t served = region_of_gateway(ns, copy);
	uint8_t wanted = uplink->profile ? ns_region_word(ns_region(ns, uplink->profile->region)->id)
					 : UINT8_MAX;
	if (drop == NS_DROP_REGION)
		return (struct ns_numbers){.a = addr, .c = (uint16_t)(served | wanted << 8)};
	if (drop == NS_DROP_DATA_RATE)
		return (struct ns_numbers){.a = copy->freq_hz,
					   .b = decision_halves(copy->modulation.spreading_factor,
								copy->modulation.bandwidth_hz / 1000),
					   .c = served};
	if (drop == NS_DROP_MIC)
		return (struct ns_numbers){.a = addr,
					   .b = decision_halves(uplink->parsed.fcnt, uplink->candidates)};
	return (struct ns_numbers){
		.a = addr,
		.b = decision_halves(uplink->parsed.fcnt, copy->has_snr ? copy->snr_cdb : INT16_MIN)};
}

static struct ns_numbers numbers_of(const struct ns *ns, const struct ns_uplink *uplink, enum ns_drop drop,
				    const struct ns_copy *copy)
{
	const struct ns_session *session = uplink->session;
	if (drop == NS_DROP_UNKNOWN_GATEWAY)
		return ns_numbers_of_eui(&copy->gateway, 0);
	if (drop == NS_DROP_MALFORMED)
		return ns_numbers_of_heard(copy->freq_hz, copy->rssi_dbm, copy->has_snr, copy->snr_cdb,
					   uplink->frame->phy_length);
	if (!session)
		return unmatched(ns, uplink, drop, copy);
	if (drop == NS_DROP_JOURNAL_FULL)
		return ns_numbers_of_journal(ns);
	if (drop == NS_DROP_REPEATED || drop == NS_DROP_REPEAT_LIMIT)
		return (struct ns_numbers){uplink->fcnt,
					   decision_halves(session->repeats, uplink->repeat_limit), 0};
	if (drop == NS_DROP_LATE_REFUSED)
		return (struct ns_numbers){
			uplink->fcnt, uplink->age < 0 ? UINT32_MAX : decision_u32(uplink->age / US_PER_S),
			decision_u16(uplink->profile->record.late_uplink_s)};
	return (struct ns_numbers){uplink->fcnt, session->fcnt_up, LW_MAX_FCNT_GAP};
}

void ns_record_uplink(struct ns *ns, struct now now, const struct ns_uplink *uplink, enum ns_drop drop)
{
	const struct ns_copy *copy = best_copy(uplink->frame);
	struct ns_whom whom = whom_of(ns, uplink, copy);
	if (drop == NS_ACCEPTED)
		ns_record_note(ns, now, uplink->late ? NS_NOTE_UPLINK_LATE : NS_NOTE_UPLINK, whom,
			       accepted(uplink, copy));
	else
		ns_record_rule(ns, now, drop, whom, numbers_of(ns, uplink, drop, copy));
}

void ns_record_too_long(struct ns *ns, struct now now, const struct ns_uplink *uplink)
{
	bool dwell = ns_mac_uplink_dwell(uplink->session, uplink->region);
	uint8_t dr = uplink->heard.dr, most = lw_region_max_payload(uplink->region, dr, dwell, false).m;
	unsigned length = uplink->frame->phy_length - FRAME_OVERHEAD;
	if (length <= most)
		return;
	ns->uplinks_too_long++;
	const struct ns_copy *copy = best_copy(uplink->frame);
	ns_record_note(ns, now, NS_NOTE_UPLINK_TOO_LONG, whom_of(ns, uplink, copy),
		       (struct ns_numbers){.a = uplink->fcnt,
					   .b = decision_bytes(0, 0, dr, 0),
					   .c = (uint16_t)(length | (unsigned)most << 8)});
}
