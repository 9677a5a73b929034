/* The loader follows the file from top to bottom, one function a key; those of channels and data rates stand in
 * region_channels.c and region_rates.c. Texts that explain (`note`, `formula`, `revision_notes`) are read and checked for
 * form, not kept. What the file says twice (beacon layout and its total) must agree. */
#include "common/text/region_reader.h"

#include "common/base/hex.h"

#include <string.h>

/* --- the keys, in the file's order --- */

static void load_head(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	node_t root = reader->tree.root;
	const char *const plans[] = {lw_plan_type_name(LW_PLAN_DYNAMIC), lw_plan_type_name(LW_PLAN_FIXED)};
	const char *const states[] = {lw_region_status_name(LW_REGION_ACTIVE),
				      lw_region_status_name(LW_REGION_LEGACY),
				      lw_region_status_name(LW_REGION_DEPRECATED),
				      lw_region_status_name(LW_REGION_NOT_LORA_ALLIANCE)};
	member_int(reader, root, "schema_version", 1, 1);
	member_text(reader, root, "region_id", region->id, sizeof region->id);
	member_text(reader, root, "common_name", region->common_name, sizeof region->common_name);
	member_text(reader, root, "plan_name", region->plan_name, sizeof region->plan_name);
	member_text(reader, root, "plan_variant", region->plan_variant, sizeof region->plan_variant);
	member_text(reader, root, "spec_revision", region->spec_revision, sizeof region->spec_revision);
	region->plan_type = (enum lw_plan_type)member_name(reader, root, "plan_type", plans,
							   ARRAY_SIZE(plans));
	region->status = (enum lw_region_status)member_name(reader, root, "status", states,
							    ARRAY_SIZE(states));
	region->freq_step_hz = (uint32_t)member_int(reader, root, "frequency_step_hz", 1, 1000);
}

static void load_phy(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	node_t phy = section(reader, "phy");
	char sync[7];
	region->lora_sync_word = member_u8(reader, phy, "lora_sync_word", 255);
	region->lora_preamble_symbols = member_u8(reader, phy, "lora_preamble_symbols", 64);
	member_text(reader, phy, "fsk_sync_word_hex", sync, sizeof sync);
	if (!reader->tree.failed &&
	    !hex_decode_exact(region->fsk_sync_word, sizeof region->fsk_sync_word, sync))
		yt_fail(&reader->tree, yt_optional(&reader->tree, phy, "fsk_sync_word_hex"),
			"expected 6 hex digits");
	region->fsk_preamble_bytes = member_u8(reader, phy, "fsk_preamble_bytes", 64);
	done(reader, phy);
	node_t commands = section(reader, "mac_commands");
	region->has_new_channel_req = member_bool(reader, commands, "new_channel_req");
	region->has_dl_channel_req = member_bool(reader, commands, "dl_channel_req");
	region->has_tx_param_setup_req = member_bool(reader, commands, "tx_param_setup_req");
	done(reader, commands);
}

static void load_rx2_and_cflist(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	node_t rx2 = section(reader, "rx2");
	region->rx2.freq_hz = (uint32_t)member_int(reader, rx2, "frequency_hz", 1, MAX_HZ);
	region->rx2.dr = member_u8(reader, rx2, "dr", LW_DATA_RATES - 2);
	expect_downlink_dr(reader, rx2);
	skip_text(reader, rx2, "note");
	done(reader, rx2);
	node_t cflist = section(reader, "cflist");
	region->cflist = (struct lw_cflist_rule){
		.type = member_u8(reader, cflist, "type", 1),
		.first_channel = member_u8(reader, cflist, "first_channel", 15),
		.channel_count = member_u8(reader, cflist, "channel_count", 5),
		.min_dr = member_u8(reader, cflist, "min_dr", LW_DATA_RATES - 2),
		.max_dr = member_u8(reader, cflist, "max_dr", LW_DATA_RATES - 2),
		.freq_step_hz = member_hz(reader, cflist, "frequency_step_hz"),
		.mask_count = member_u8(reader, cflist, "mask_count", 7),
		.mask_bits = member_u8(reader, cflist, "mask_bits", LW_UPLINK_CHANNELS_MAX),
	};
	done(reader, cflist);
	bool frequencies = region->plan_type == LW_PLAN_DYNAMIC;
	if (region->cflist.type != (frequencies ? 0 : 1))
		yt_fail(&reader->tree, cflist, "type does not go with the plan");
	if (frequencies && (region->cflist.first_channel != region->uplink_channel_count ||
			    region->cflist.freq_step_hz != region->freq_step_hz))
		yt_fail(&reader->tree, cflist, "first_channel or step does not go with the plan");
	if (!frequencies && (region->cflist.mask_bits != region->uplink_channel_count ||
			     region->cflist.mask_count != (region->cflist.mask_bits + 15) / 16))
		yt_fail(&reader->tree, cflist, "masks do not go with the plan");
}

static void load_defaults(struct region_reader *reader)
{
	node_t map = section(reader, "defaults");
	reader->region->defaults = (struct lw_region_defaults){
		.receive_delay1_s = (uint8_t)member_int(reader, map, "receive_delay1_s", 1, 15),
		.receive_delay2_s = (uint8_t)member_int(reader, map, "receive_delay2_s", 1, 16),
		.join_accept_delay1_s = (uint8_t)member_int(reader, map, "join_accept_delay1_s", 1, 15),
		.join_accept_delay2_s = (uint8_t)member_int(reader, map, "join_accept_delay2_s", 1, 16),
		.rx1_dr_offset = member_u8(reader, map, "rx1_dr_offset", reader->region->max_rx1_dr_offset),
		.max_fcnt_gap = (uint32_t)member_int(reader, map, "max_fcnt_gap", 1, 65535),
		.adr_ack_limit = (uint16_t)member_int(reader, map, "adr_ack_limit", 1, 32768),
		.adr_ack_delay = (uint16_t)member_int(reader, map, "adr_ack_delay", 1, 32768),
		.retransmit_timeout_min_s = member_u8(reader, map, "retransmit_timeout_min_s", 60),
		.retransmit_timeout_max_s = member_u8(reader, map, "retransmit_timeout_max_s", 60),
		.ping_slot_periodicity = member_u8(reader, map, "ping_slot_periodicity", 7),
		.class_b_resp_timeout_s = member_u8(reader, map, "class_b_resp_timeout_s", 255),
		.class_c_resp_timeout_s = member_u8(reader, map, "class_c_resp_timeout_s", 255),
		.downlink_dwell_time = member_u8(reader, map, "downlink_dwell_time", 1),
	};
	done(reader, map);
}

static void load_hop(struct region_reader *reader, node_t map, struct lw_hop *hop)
{
	const char *methods[LW_HOP_HOPPING_BY_JOIN_CHANNEL + 1];
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		methods[i] = lw_hop_method_name((enum lw_hop_method)i);
	hop->method = (enum lw_hop_method)member_name(reader, map, "method", methods, ARRAY_SIZE(methods));
	node_t list = yt_member(&reader->tree, map, "frequencies_hz");
	for (node_t freq = yt_items(&reader->tree, list, LW_BEACON_FREQS_MAX); freq; freq = freq->next)
		hop->freqs_hz[hop->freq_count++] = (uint32_t)yt_int(&reader->tree, freq, 1, MAX_HZ);
	if (hop->freq_count == 0)
		yt_fail(&reader->tree, list, "expected a frequency");
	hop->dr = member_u8(reader, map, "dr", LW_DATA_RATES - 2);
	expect_downlink_dr(reader, map);
	if (hop->method == LW_HOP_FIXED_BY_JOIN_CHANNEL || hop->method == LW_HOP_HOPPING_BY_JOIN_CHANNEL) {
		hop->channels_per_join_channel = (uint8_t)member_int(reader, map, "channels_per_join_channel",
								     1, LW_BEACON_FREQS_MAX);
		hop->first_join_channel = member_u8(reader, map, "first_join_channel", 19);
	}
	skip_text(reader, map, "formula");
}

static void load_beacon(struct region_reader *reader)
{
	struct lw_beacon_rule *beacon = &reader->region->beacon;
	node_t map = section(reader, "beacon");
	load_hop(reader, map, &beacon->hop);
	beacon->modulation.kind = LW_LORA;
	beacon->modulation.spreading_factor = (uint8_t)member_int(reader, map, "spreading_factor", 5, 12);
	beacon->modulation.bandwidth_hz = (uint32_t)member_int(reader, map, "bandwidth_hz", 7800, 2000000);
	member_text(reader, map, "coding_rate", beacon->modulation.code_rate,
		    sizeof beacon->modulation.code_rate);
	beacon->period_s = (uint16_t)member_int(reader, map, "period_s", 1, 3600);
	beacon->preamble_symbols = member_u8(reader, map, "preamble_symbols", 64);
	beacon->inverted_polarity = member_bool(reader, map, "inverted_polarity");
	beacon->rfu1_bytes = member_u8(reader, map, "rfu1_bytes", 16);
	beacon->param_bytes = member_u8(reader, map, "param_bytes", 1);
	beacon->time_bytes = member_u8(reader, map, "time_bytes", 4);
	beacon->crc1_bytes = member_u8(reader, map, "crc1_bytes", 2);
	beacon->gw_specific_bytes = member_u8(reader, map, "gw_specific_bytes", 16);
	beacon->rfu2_bytes = member_u8(reader, map, "rfu2_bytes", 16);
	beacon->crc2_bytes = member_u8(reader, map, "crc2_bytes", 2);
	int total = beacon->rfu1_bytes + beacon->param_bytes + beacon->time_bytes + beacon->crc1_bytes +
		    beacon->gw_specific_bytes + beacon->rfu2_bytes + beacon->crc2_bytes;
	beacon->total_bytes = (uint8_t)member_int(reader, map, "total_bytes", total, total);
	done(reader, map);
	const struct lw_data_rate *rate = lw_region_data_rate(reader->region, LW_DOWN, beacon->hop.dr);
	if (rate && (rate->modulation.spreading_factor != beacon->modulation.spreading_factor ||
		     rate->modulation.bandwidth_hz != beacon->modulation.bandwidth_hz))
		yt_fail(&reader->tree, map, "modulation is not that of dr");
	node_t ping_slot = section(reader, "ping_slot");
	load_hop(reader, ping_slot, &reader->region->ping_slot);
	done(reader, ping_slot);
}

static void load_limits(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	node_t dwell = section(reader, "dwell_time");
	region->dwell = (struct lw_dwell_rule){
		.limit_ms = member_u16(reader, dwell, "limit_ms", 10000),
		.uplink_default = member_int(reader, dwell, "uplink_default", 0, 1) == 1,
		.downlink_default = member_int(reader, dwell, "downlink_default", 0, 1) == 1,
		.set_by_tx_param_setup = member_bool(reader, dwell, "set_by_tx_param_setup"),
	};
	skip_text(reader, dwell, "note");
	done(reader, dwell);
	node_t lbt = section(reader, "lbt");
	region->lbt = (struct lw_lbt_rule){
		.required = member_bool(reader, lbt, "required"),
		.threshold_cdbm = member_cdb(reader, lbt, "threshold_dbm", -140, 0),
		.carrier_sense_ms = member_u16(reader, lbt, "carrier_sense_ms", 1000),
	};
	skip_text(reader, lbt, "note");
	done(reader, lbt);
	for (node_t item = section_items(reader, "sub_bands", LW_SUB_BANDS_MAX); item; item = item->next) {
		uint32_t min_hz = member_hz(reader, item, "min_hz");
		region->sub_bands[region->sub_band_count++] = (struct lw_sub_band){
			.min_hz = min_hz,
			.max_hz = (uint32_t)member_int(reader, item, "max_hz", min_hz, MAX_HZ),
			.duty_cycle_permille = (uint16_t)member_int(reader, item, "duty_cycle_permille", 1,
								    1000),
			.max_eirp_cdbm = member_cdb(reader, item, "max_eirp_dbm", -30, 36),
		};
		skip_text(reader, item, "note");
		done(reader, item);
	}
}

static void load_tail(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	for (node_t item = section_items(reader, "relay_wor_channels", LW_WOR_CHANNELS_MAX); item;
	     item = item->next) {
		region->wor_channels[region->wor_channel_count++] = (struct lw_wor_channel){
			.index = member_u8(reader, item, "index", LW_WOR_CHANNELS_MAX - 1),
			.freq_hz = member_hz(reader, item, "frequency_hz"),
			.ack_freq_hz = member_hz(reader, item, "ack_frequency_hz"),
			.dr = member_u8(reader, item, "dr", LW_DATA_RATES - 2),
		};
		done(reader, item);
	}
	for (node_t item = section_items(reader, "revision_notes", 64); item; item = item->next) {
		skip_text(reader, item, "revisions");
		skip_text(reader, item, "note");
		done(reader, item);
	}
	done(reader, reader->tree.root);
}

bool region_load_text(struct lw_region *region, const char *file, const char *text, size_t length,
		      char error[REGION_ERROR_MAX])
{
	static void (*const steps[])(struct region_reader *) = {
		load_head,
		region_load_freq_ranges,
		load_phy,
		region_load_channels,
		region_load_join_channels,
		region_load_rx1_rule,
		region_load_data_rates,
		region_load_powers,
		region_load_payloads,
		region_load_rx1_table,
		load_rx2_and_cflist,
		region_load_mask_cntls,
		load_defaults,
		load_beacon,
		load_limits,
		load_tail,
	};
	memset(region, 0, sizeof *region);
	struct region_reader reader = {.region = region};
	if (yt_parse(&reader.tree, file, text, length))
		yt_expect_map(&reader.tree, reader.tree.root);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && !reader.tree.failed; i++)
		steps[i](&reader);
	bool loaded = !reader.tree.failed;
	if (!loaded)
		memcpy(error, reader.tree.error, sizeof reader.tree.error);
	yt_release(&reader.tree);
	return loaded;
}

bool region_load(struct lw_region *region, const char *id)
{
	for (size_t i = 0; i < region_source_count; i++) {
		if (strcmp(region_sources[i].id, id) != 0)
			continue;
		char error[REGION_ERROR_MAX];
		bool loaded = region_load_text(region, id, region_sources[i].text, region_sources[i].length,
					       error);
		/* The files are compiled in and tested: one that does not load is a bug. */
		ASSERT(loaded);
		return true;
	}
	return false;
}
