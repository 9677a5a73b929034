#include "network-server/why/record_join.h"

#include "common/base/check.h"
#include "network-server/join_course.h"

static struct ns_whom whom_of(const struct ns *ns, const struct ns_join *join)
{
	const struct bi_join_req *request = &join->call.request;
	return ns_of_frame(ns, ns_device_find(&ns->sessions, &join->dev_eui), NS_NO_SLOT,
			   request->phy_payload, (uint8_t)request->phy_length);
}

static struct ns_whom whom_heard(const struct ns *ns, const struct ns_join *join,
				 const struct ns_frame *frame)
{
	return ns_of_frame(ns, ns_device_find(&ns->sessions, &join->dev_eui),
			   ns_join_best_copy(frame)->gateway_slot, frame->phy, frame->phy_length);
}

static struct ns_numbers numbers_of_frame(const struct ns *ns, const struct ns_join *join,
					  const struct ns_frame *frame, enum ns_drop drop)
{
	const struct ns_copy *copy = ns_join_best_copy(frame);
	uint16_t dev_nonce = (uint16_t)join->report.dev_nonce;
	uint8_t served =
		ns_slab_holds(&ns->gateways.slab, copy->gateway_slot)
			? ns_region_word(
				  ns_region(ns, ns_gateways_at(&ns->gateways, copy->gateway_slot)->region)
					  ->id)
			: UINT8_MAX;
	uint32_t device = ns_device_find(&ns->sessions, &join->dev_eui);
	const struct ns_profile *profile = device == NS_NO_SLOT
						   ? NULL
						   : ns_profile_of(ns, ns_device_at(&ns->sessions, device));
	uint8_t wanted = profile ? ns_region_word(ns_region(ns, profile->region)->id) : UINT8_MAX;
	switch ((int)drop) {
	case NS_DROP_MALFORMED:
		return ns_numbers_of_heard(copy->freq_hz, copy->rssi_dbm, copy->has_snr, copy->snr_cdb,
					   frame->phy_length);
	case NS_DROP_JOIN_UNKNOWN_DEVICE: return ns_numbers_of_eui(&join->dev_eui, dev_nonce);
	case NS_DROP_JOIN_EUI_DIFFERS:
	case NS_DROP_JOIN_NOT_OTAA: return ns_numbers_of_eui(&join->report.join_eui, dev_nonce);
	case NS_DROP_DEVICE_DISABLED:
	case NS_DROP_DEVICE_REPLACED: return (struct ns_numbers){.a = dev_nonce};
	case NS_DROP_REGION: return (struct ns_numbers){.c = (uint16_t)(served | wanted << 8)};
	case NS_DROP_DATA_RATE:
		return (struct ns_numbers){copy->freq_hz,
					   decision_halves(copy->modulation.spreading_factor,
							   copy->modulation.bandwidth_hz / 1000),
					   served};
	case NS_DROP_JOURNAL_FULL: return ns_numbers_of_journal(ns);
	case NS_DROP_JOIN_SERVER_BUSY:
		return (struct ns_numbers){.a = ns->join_server_states[join->call.server].in_flight,
					   .c = dev_nonce};
	case NS_DROP_JOIN_SERVER_SHUNNED:
		return (struct ns_numbers){.a = ns->join_server_states[join->call.server].failures,
					   .c = dev_nonce};
	case NS_DROP_JOIN_STORM:
		return (struct ns_numbers){decision_bytes(join->storm_cause, 0, 0, 0), 0, dev_nonce};
	case NS_DROP_JOIN_FULL: return (struct ns_numbers){.a = ns->joins.count, .c = dev_nonce};
	case NS_DROP_JOIN_NO_ADDRESS:
		return (struct ns_numbers){.a = ns->config.prefix_count, .c = dev_nonce};
	case NS_DROP_REJOIN_NET_ID: {
		struct ns_asked asked;
		ASSERT(ns_asked_read(ns, frame->phy, frame->phy_length, &asked));
		return (struct ns_numbers){asked.net_id.value, decision_bytes(join->type, 0, 0, 0),
					   dev_nonce};
	}
	case NS_DROP_RJ_COUNT:
		return (struct ns_numbers){join->rj_count_expected, decision_bytes(join->type, 0, 0, 0),
					   dev_nonce};
	case NS_DROP_REJOIN_VERSION:
	case NS_DROP_REJOIN_NOT_ALLOWED:
	case NS_DROP_REJOIN_NO_SESSION:
	case NS_DROP_REJOIN_MIC:
		return (struct ns_numbers){.b = decision_bytes(join->type, 0, 0, 0), .c = dev_nonce};
	default: return (struct ns_numbers){.c = dev_nonce};
	}
}

static int32_t ms_left(struct now now, const struct ns_join *join)
{
	return (int32_t)(mono_since(join->give_up, now.mono) / US_PER_MS);
}

void ns_record_join_frame(struct ns *ns, struct now now, const struct ns_join *join,
			  const struct ns_frame *frame, enum ns_drop drop)
{
	struct ns_numbers numbers = numbers_of_frame(ns, join, frame, drop);
	if (drop == NS_DROP_TOO_LATE) /* of the accept: nothing of it would reach the device */
		numbers = (struct ns_numbers){(uint32_t)ms_left(now, join), NS_LEAD_UNKNOWN / US_PER_MS, 0};
	ns_record_rule(ns, now, drop, whom_heard(ns, join, frame), numbers);
}

void ns_record_join_asked(struct ns *ns, struct now now, const struct ns_join *join,
			  const struct ns_frame *frame)
{
	const struct ns_copy *copy = ns_join_best_copy(frame);
	bool rejoin = ns_is_rejoin(join->type);
	uint32_t most = rejoin ? 15 : UINT8_MAX;
	uint32_t gateways = frame->gateway_count < most ? frame->gateway_count : most;
	if (rejoin)
		gateways |= (uint32_t)join->type << 4;
	ns_record_note(ns, now, rejoin ? NS_NOTE_REJOIN_ASKED : NS_NOTE_JOIN_ASKED,
		       whom_heard(ns, join, frame),
		       (struct ns_numbers){
			       .a = decision_halves(copy->has_snr ? copy->snr_cdb : INT16_MIN,
						    join->join_dr | gateways << 8),
			       .b = join->call.request.dev_addr.value,
			       .c = (uint16_t)join->report.dev_nonce,
		       });
}

void ns_record_join_again(struct ns *ns, struct now now, const struct ns_join *join)
{
	ns_record_note(ns, now, NS_NOTE_JOIN_ASKED_AGAIN, whom_of(ns, join),
		       (struct ns_numbers){.a = (uint32_t)ms_left(now, join),
					   .c = (uint16_t)join->report.dev_nonce});
}

void ns_record_join_end(struct ns *ns, struct now now, const struct ns_join *join, enum ns_drop drop,
			const struct bi_message *answer)
{
	struct ns_numbers numbers = {.c = (uint16_t)join->report.dev_nonce};
	if (drop == NS_DROP_JOIN_TIMEOUT)
		numbers.a = (uint32_t)-ms_left(now, join);
	else if (drop == NS_DROP_JOIN_REFUSED)
		numbers.a = join->call.server == NS_JOIN_SERVER_OURS
				    ? ns_course_refusal(answer->envelope.result, answer->envelope.description)
				    : NET_JOIN_FOREIGN_REFUSED;
	else if (drop == NS_DROP_JOIN_BAD_ANSWER)
		numbers.a = answer->envelope.type == (ns_is_rejoin(join->type) ? BI_REJOIN_ANS : BI_JOIN_ANS);
	else if (drop == NS_DROP_SESSIONS_FULL)
		numbers.a = ns->sessions.slab.capacity;
	else if (drop == NS_DROP_JOIN_UNKNOWN_DEVICE)
		numbers = ns_numbers_of_eui(&join->dev_eui, numbers.c);
	ns_record_rule(ns, now, drop, whom_of(ns, join), numbers);
}

void ns_record_joined(struct ns *ns, struct now now, const struct ns_join *join)
{
	bool rejoin = ns_is_rejoin(join->type);
	ns_record_note(ns, now, rejoin ? NS_NOTE_SESSION_REJOINED : NS_NOTE_SESSION_JOINED, whom_of(ns, join),
		       (struct ns_numbers){.a = join->call.request.dev_addr.value,
					   .b = decision_bytes(join->call.request.rx_delay,
							       join->dl_settings.rx2_data_rate,
							       rejoin ? join->type : 0, 0),
					   .c = (uint16_t)join->report.dev_nonce});
}
