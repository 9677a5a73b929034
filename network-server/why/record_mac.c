#include "network-server/why/record_mac.h"

/* The values of a block, as the kind's rule names them: those of the first request, of LinkADRReq the last. */
static struct ns_numbers values_of(enum ns_mac_kind kind, const struct ns_mac_block *asked)
{
	const struct lw_mac_command *first = &asked->commands[0], *last = &asked->commands[asked->count - 1];
	switch (kind) {
	case NS_MAC_DUTY_CYCLE: return (struct ns_numbers){.a = first->as.duty_cycle_req.max_dcycle};
	case NS_MAC_TX_PARAM_SETUP:
		return (struct ns_numbers){
			.a = decision_bytes(lw_max_eirp_dbm(first->as.tx_param_setup_req.max_eirp),
					    first->as.tx_param_setup_req.uplink_dwell_time,
					    first->as.tx_param_setup_req.downlink_dwell_time, 0)};
	case NS_MAC_RX_PARAM_SETUP:
		return (struct ns_numbers){.a = first->as.rx_param_setup_req.frequency_hz,
					   .b = decision_bytes(first->as.rx_param_setup_req.rx1_dr_offset,
							       first->as.rx_param_setup_req.rx2_data_rate, 0,
							       0)};
	case NS_MAC_NEW_CHANNEL:
		return (struct ns_numbers){.a = first->as.new_channel_req.frequency_hz,
					   .b = decision_bytes(first->as.new_channel_req.ch_index,
							       first->as.new_channel_req.min_dr,
							       first->as.new_channel_req.max_dr,
							       asked->count)};
	case NS_MAC_LINK_ADR:
		return (struct ns_numbers){.a = decision_halves(last->as.link_adr_req.ch_mask,
								last->as.link_adr_req.ch_mask_cntl),
					   .b = decision_bytes(last->as.link_adr_req.data_rate,
							       last->as.link_adr_req.tx_power,
							       last->as.link_adr_req.nb_trans, asked->count)};
	case NS_MAC_RX_TIMING_SETUP: return (struct ns_numbers){.a = first->as.rx_timing_setup_req.delay};
	case NS_MAC_DL_CHANNEL:
		return (struct ns_numbers){
			.a = first->as.dl_channel_req.frequency_hz,
			.b = decision_bytes(first->as.dl_channel_req.ch_index, 0, 0, asked->count)};
	case NS_MAC_ADR_PARAM_SETUP:
		return (struct ns_numbers){.a = decision_bytes(first->as.adr_param_setup_req.limit_exp,
							       first->as.adr_param_setup_req.delay_exp, 0,
							       0)};
	case NS_MAC_FORCE_REJOIN:
		return (struct ns_numbers){.a = decision_bytes(first->as.force_rejoin_req.rejoin_type,
							       first->as.force_rejoin_req.data_rate,
							       first->as.force_rejoin_req.max_retries,
							       first->as.force_rejoin_req.period)};
	case NS_MAC_REJOIN_PARAM_SETUP:
		return (struct ns_numbers){.a = decision_bytes(first->as.rejoin_param_setup_req.max_time_n,
							       first->as.rejoin_param_setup_req.max_count_n,
							       0, 0)};
	case NS_MAC_BEACON_FREQ: return (struct ns_numbers){.a = first->as.beacon_freq_req.frequency_hz};
	case NS_MAC_PING_SLOT_CHANNEL:
		return (struct ns_numbers){.a = first->as.ping_slot_channel_req.frequency_hz,
					   .b = first->as.ping_slot_channel_req.data_rate};
	case NS_MAC_DEV_STATUS:
	case NS_MAC_KINDS: break;
	}
	return (struct ns_numbers){0};
}

/* The answer's byte as it was on air. */
static uint8_t answer_byte(const struct lw_mac_command *answer, uint32_t freq_step_hz)
{
	uint8_t bytes[8] = {0};
	struct wr wr = wr_init(bytes, sizeof bytes);
	return lw_mac_write(&wr, answer, freq_step_hz) == LW_MAC_WRITE_OK ? bytes[1] : 0;
}

void ns_record_mac(struct ns *ns, struct now now, const struct ns_session *session, enum ns_mac_kind kind,
		   enum ns_mac_became became, const struct ns_mac_block *asked,
		   const struct ns_mac_block *answers)
{
	struct ns_numbers numbers = values_of(kind, asked);
	uint8_t answer = answers ? answer_byte(&answers->commands[0],
					       ns_region(ns, session->region)->freq_step_hz)
				 : 0;
	numbers.c = (uint16_t)(answer | session->mac.tries[kind] << 8);
	if (kind == NS_MAC_DEV_STATUS && answers)
		numbers.a = decision_bytes(answers->commands[0].as.dev_status_ans.battery,
					   answers->commands[0].as.dev_status_ans.margin, 0, 0);
	ns_record(ns, now, NS_TABLE_MAC, ns_mac_rule(kind, became), ns_of_device(ns, session->device),
		  numbers);
}

void ns_record_mac_drop(struct ns *ns, struct now now, const struct ns_session *session, enum ns_drop drop,
			uint8_t cid, uint8_t length)
{
	ns_record_drop(ns, now, drop, ns_of_device(ns, session->device),
		       (struct ns_numbers){.a = decision_bytes(cid, length, 0, 0)});
}

void ns_record_adr(struct ns *ns, struct now now, struct ns_session *session,
		   const struct ns_adr_input *input, const struct ns_adr_decision *decision)
{
	const struct ns_adr_settings *wanted = &decision->wanted;
	unsigned settings = (wanted->dr ^ wanted->power << 1 ^ wanted->nb_trans << 2) & 15u;
	uint8_t told = (uint8_t)(1 + (decision->reason << 4 | settings));
	if (session->adr.told == told)
		return;
	session->adr.told = told;
	ns_record(ns, now, NS_TABLE_ADR, decision->reason, ns_of_device(ns, session->device),
		  ns_adr_numbers(input, decision));
}
