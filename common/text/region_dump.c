/* Every member of a region, one fact a line. The tests compare this with golden files, so the order is fixed.
 */
#include "common/text/region_yaml.h"

static void dump_head(FILE *out, const struct lw_region *r)
{
	fprintf(out, "id %s\ncommon_name %s\nplan_name %s\nplan_variant %s\nspec_revision %s\n", r->id,
		r->common_name, r->plan_name, r->plan_variant, r->spec_revision);
	fprintf(out, "plan_type %s\nstatus %s\nfreq_step_hz %u\n", lw_plan_type_name(r->plan_type),
		lw_region_status_name(r->status), r->freq_step_hz);
	fprintf(out, "phy lora_sync_word %u preamble %u fsk_sync_word %02x%02x%02x preamble %u\n",
		r->lora_sync_word, r->lora_preamble_symbols, r->fsk_sync_word[0], r->fsk_sync_word[1],
		r->fsk_sync_word[2], r->fsk_preamble_bytes);
	fprintf(out, "commands new_channel %d dl_channel %d tx_param_setup %d\n", r->has_new_channel_req,
		r->has_dl_channel_req, r->has_tx_param_setup_req);
	for (size_t i = 0; i < r->freq_range_count; i++) {
		const struct lw_freq_range *range = &r->freq_ranges[i];
		fprintf(out, "freq_range %u %u grid %u %u uplink %d downlink %d\n", range->min_hz,
			range->max_hz, range->grid_first_hz, range->grid_step_hz, range->uplink,
			range->downlink);
	}
}

static void dump_channels(FILE *out, const struct lw_region *r)
{
	fprintf(out, "max_channels %u %u\n", r->max_uplink_channels, r->max_downlink_channels);
	for (size_t i = 0; i < r->uplink_channel_count; i++) {
		const struct lw_channel *channel = &r->uplink_channels[i];
		fprintf(out, "uplink_channel %zu %u %u dr %u %u\n", i, channel->freq_hz,
			channel->bandwidth_hz, channel->min_dr, channel->max_dr);
	}
	for (size_t i = 0; i < r->downlink_channel_count; i++) {
		const struct lw_channel *channel = &r->downlink_channels[i];
		fprintf(out, "downlink_channel %zu %u %u dr %u %u\n", i, channel->freq_hz,
			channel->bandwidth_hz, channel->min_dr, channel->max_dr);
	}
	for (size_t i = 0; i < r->join_group_count; i++) {
		const struct lw_channel_group *group = &r->join_groups[i];
		fprintf(out, "join_group %u %u %u %u %u dr %u %u\n", group->first_index, group->count,
			group->first_freq_hz, group->step_hz, group->bandwidth_hz, group->min_dr,
			group->max_dr);
	}
	for (size_t i = 0; i < r->join_channel_count; i++) {
		const struct lw_join_channel *join = &r->join_channels[i];
		fprintf(out, "join_channel %u %u rx1 %u rx2 %u dr %u %u\n", join->index, join->freq_hz,
			join->rx1_freq_hz, join->rx2_freq_hz, join->min_dr, join->max_dr);
	}
	fprintf(out, "rx1_rule %s %u\n", lw_rx1_rule_name(r->rx1_rule), r->rx1_modulo);
}

static void dump_data_rates(FILE *out, const struct lw_region *r)
{
	static const char *const kinds[] = {"lora", "fsk", "lr_fhss"};
	for (int direction = LW_UP; direction <= LW_DOWN; direction++) {
		for (uint8_t dr = 0; dr < LW_DATA_RATES; dr++) {
			const struct lw_data_rate *rate = lw_region_data_rate(r, (enum lw_direction)direction,
									      dr);
			if (!rate)
				continue;
			fprintf(out, "%s_dr %u %s sf %u bw %u cr %s deviation %u grid %u bps %u\n",
				direction == LW_UP ? "uplink" : "downlink", dr, kinds[rate->modulation.kind],
				rate->modulation.spreading_factor, rate->modulation.bandwidth_hz,
				rate->modulation.code_rate[0] ? rate->modulation.code_rate : "-",
				rate->modulation.freq_deviation_hz, rate->grid_step_hz, rate->bit_rate_bps);
		}
	}
	fprintf(out, "adr_max_dr %u\ndefault_max_eirp_cdbm %d\n", r->adr_max_dr, r->default_max_eirp_cdbm);
	for (size_t i = 0; i < LW_TX_POWERS; i++)
		if (r->tx_powers[i].defined)
			fprintf(out, "tx_power %zu %d\n", i, r->tx_powers[i].offset_cdb);
}

static void dump_tables(FILE *out, const struct lw_region *r)
{
	for (int repeater = 0; repeater < 2; repeater++) {
		for (int dwell = 0; dwell < 2; dwell++) {
			if (!r->has_payload_table[repeater][dwell])
				continue;
			fprintf(out, "max_payload repeater %d dwell %d m", repeater, dwell);
			for (size_t dr = 0; dr < LW_DATA_RATES; dr++)
				fprintf(out, " %u", r->max_payloads[repeater][dwell][dr].m);
			fprintf(out, " n");
			for (size_t dr = 0; dr < LW_DATA_RATES; dr++)
				fprintf(out, " %u", r->max_payloads[repeater][dwell][dr].n);
			fprintf(out, "\n");
		}
	}
	fprintf(out, "max_rx1_dr_offset %u\n", r->max_rx1_dr_offset);
	for (int dwell = 0; dwell < 2; dwell++) {
		for (size_t dr = 0; r->has_rx1_table[dwell] && dr < LW_DATA_RATES; dr++) {
			if (r->rx1_drs[dwell][dr][0] == LW_DR_NONE)
				continue;
			fprintf(out, "rx1 dwell %d uplink_dr %zu:", dwell, dr);
			for (size_t offset = 0; offset <= r->max_rx1_dr_offset; offset++)
				fprintf(out, " %u", r->rx1_drs[dwell][dr][offset]);
			fprintf(out, "\n");
		}
	}
	fprintf(out, "rx2 %u dr %u\n", r->rx2.freq_hz, r->rx2.dr);
	fprintf(out, "cflist type %u first %u count %u dr %u %u step %u masks %u bits %u\n", r->cflist.type,
		r->cflist.first_channel, r->cflist.channel_count, r->cflist.min_dr, r->cflist.max_dr,
		r->cflist.freq_step_hz, r->cflist.mask_count, r->cflist.mask_bits);
	for (size_t i = 0; i < LW_CH_MASK_CNTLS; i++)
		fprintf(out, "ch_mask_cntl %zu %s %u %u\n", i, lw_mask_action_name(r->mask_cntls[i].action),
			r->mask_cntls[i].first_channel, r->mask_cntls[i].channel_count);
}

static void dump_defaults(FILE *out, const struct lw_region *r)
{
	const struct lw_region_defaults *d = &r->defaults;
	fprintf(out, "defaults rx_delay %u %u join_accept_delay %u %u rx1_dr_offset %u\n",
		d->receive_delay1_s, d->receive_delay2_s, d->join_accept_delay1_s, d->join_accept_delay2_s,
		d->rx1_dr_offset);
	fprintf(out, "defaults max_fcnt_gap %u adr_ack %u %u retransmit %u %u\n", d->max_fcnt_gap,
		d->adr_ack_limit, d->adr_ack_delay, d->retransmit_timeout_min_s, d->retransmit_timeout_max_s);
	fprintf(out, "defaults ping_slot_periodicity %u class_b_resp %u class_c_resp %u downlink_dwell %u\n",
		d->ping_slot_periodicity, d->class_b_resp_timeout_s, d->class_c_resp_timeout_s,
		d->downlink_dwell_time);
}

static void dump_hop(FILE *out, const char *name, const struct lw_hop *hop)
{
	fprintf(out, "%s %s dr %u join_channels %u %u freqs", name, lw_hop_method_name(hop->method), hop->dr,
		hop->channels_per_join_channel, hop->first_join_channel);
	for (size_t i = 0; i < hop->freq_count; i++)
		fprintf(out, " %u", hop->freqs_hz[i]);
	fprintf(out, "\n");
}

static void dump_class_b(FILE *out, const struct lw_region *r)
{
	const struct lw_beacon_rule *b = &r->beacon;
	dump_hop(out, "beacon", &b->hop);
	fprintf(out, "beacon sf %u bw %u cr %s period %u preamble %u inverted %d\n",
		b->modulation.spreading_factor, b->modulation.bandwidth_hz, b->modulation.code_rate,
		b->period_s, b->preamble_symbols, b->inverted_polarity);
	fprintf(out, "beacon bytes %u %u %u %u %u %u %u total %u\n", b->rfu1_bytes, b->param_bytes,
		b->time_bytes, b->crc1_bytes, b->gw_specific_bytes, b->rfu2_bytes, b->crc2_bytes,
		b->total_bytes);
	dump_hop(out, "ping_slot", &r->ping_slot);
}

void region_dump(FILE *out, const struct lw_region *region)
{
	dump_head(out, region);
	dump_channels(out, region);
	dump_data_rates(out, region);
	dump_tables(out, region);
	dump_defaults(out, region);
	dump_class_b(out, region);
	fprintf(out, "dwell limit_ms %u uplink %d downlink %d by_command %d\n", region->dwell.limit_ms,
		region->dwell.uplink_default, region->dwell.downlink_default,
		region->dwell.set_by_tx_param_setup);
	fprintf(out, "lbt required %d threshold_cdbm %d carrier_sense_ms %u\n", region->lbt.required,
		region->lbt.threshold_cdbm, region->lbt.carrier_sense_ms);
	for (size_t i = 0; i < region->sub_band_count; i++) {
		const struct lw_sub_band *band = &region->sub_bands[i];
		fprintf(out, "sub_band %u %u permille %u eirp_cdbm %d\n", band->min_hz, band->max_hz,
			band->duty_cycle_permille, band->max_eirp_cdbm);
	}
	for (size_t i = 0; i < region->wor_channel_count; i++) {
		const struct lw_wor_channel *wor = &region->wor_channels[i];
		fprintf(out, "wor_channel %u %u ack %u dr %u\n", wor->index, wor->freq_hz, wor->ack_freq_hz,
			wor->dr);
	}
}
