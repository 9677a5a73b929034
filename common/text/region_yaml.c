/* The loader follows the file from top to bottom, one function a key. Texts that explain (`note`, `formula`,
 * `revision_notes`) are read and checked for form, not kept. What the file says twice (channel groups and the
 * channels written out, beacon layout and its total) must agree. */
#include "common/text/region_yaml.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/text/yaml_tree.h"

#include <string.h>

#define NOTE_MAX 512
#define MAX_HZ   INT64_C(4294967295)

struct load {
	struct yt tree;
	struct lw_region *region;
};

typedef const struct yt_node *node_t;

/* --- members of a map, by name --- */

static int64_t member_int(struct load *load, node_t map, const char *key, int64_t min, int64_t max)
{
	return yt_int(&load->tree, yt_member(&load->tree, map, key), min, max);
}

static uint8_t member_u8(struct load *load, node_t map, const char *key, uint8_t max)
{
	return (uint8_t)member_int(load, map, key, 0, max);
}

static uint16_t member_u16(struct load *load, node_t map, const char *key, uint16_t max)
{
	return (uint16_t)member_int(load, map, key, 0, max);
}

static uint32_t member_hz(struct load *load, node_t map, const char *key)
{
	return (uint32_t)member_int(load, map, key, 0, MAX_HZ);
}

static int16_t member_cdb(struct load *load, node_t map, const char *key, int min_db, int max_db)
{
	return (int16_t)yt_hundredths(&load->tree, yt_member(&load->tree, map, key), 100 * min_db,
				      100 * max_db);
}

static bool member_bool(struct load *load, node_t map, const char *key)
{
	return yt_bool(&load->tree, yt_member(&load->tree, map, key));
}

static void member_text(struct load *load, node_t map, const char *key, char *text, size_t capacity)
{
	yt_text(&load->tree, yt_member(&load->tree, map, key), text, capacity);
}

static void skip_text(struct load *load, node_t map, const char *key)
{
	char text[NOTE_MAX];
	node_t node = yt_optional(&load->tree, map, key);
	if (node)
		yt_text(&load->tree, node, text, sizeof text);
}

static size_t member_name(struct load *load, node_t map, const char *key, const char *const *names,
			  size_t count)
{
	return yt_choice(&load->tree, yt_member(&load->tree, map, key), names, count);
}

static node_t section_items(struct load *load, const char *key, size_t max)
{
	return yt_items(&load->tree, yt_member(&load->tree, load->tree.root, key), max);
}

static node_t section(struct load *load, const char *key)
{
	return yt_member(&load->tree, load->tree.root, key);
}

static void done(struct load *load, node_t map)
{
	yt_done(&load->tree, map);
}

/* --- the keys, in the file's order --- */

static void load_head(struct load *load)
{
	struct lw_region *region = load->region;
	node_t root = load->tree.root;
	const char *const plans[] = {lw_plan_type_name(LW_PLAN_DYNAMIC), lw_plan_type_name(LW_PLAN_FIXED)};
	const char *const states[] = {lw_region_status_name(LW_REGION_ACTIVE),
				      lw_region_status_name(LW_REGION_LEGACY),
				      lw_region_status_name(LW_REGION_DEPRECATED),
				      lw_region_status_name(LW_REGION_NOT_LORA_ALLIANCE)};
	member_int(load, root, "schema_version", 1, 1);
	member_text(load, root, "region_id", region->id, sizeof region->id);
	member_text(load, root, "common_name", region->common_name, sizeof region->common_name);
	member_text(load, root, "plan_name", region->plan_name, sizeof region->plan_name);
	member_text(load, root, "plan_variant", region->plan_variant, sizeof region->plan_variant);
	member_text(load, root, "spec_revision", region->spec_revision, sizeof region->spec_revision);
	region->plan_type = (enum lw_plan_type)member_name(load, root, "plan_type", plans, ARRAY_SIZE(plans));
	region->status = (enum lw_region_status)member_name(load, root, "status", states, ARRAY_SIZE(states));
	region->freq_step_hz = (uint32_t)member_int(load, root, "frequency_step_hz", 1, 1000);
}

static void load_freq_ranges(struct load *load)
{
	static const char *const directions[] = {"uplink", "downlink", "uplink_downlink"};
	for (node_t item = section_items(load, "frequency_ranges", LW_FREQ_RANGES_MAX); item;
	     item = item->next) {
		size_t direction = member_name(load, item, "applies_to", directions, ARRAY_SIZE(directions));
		uint32_t min_hz = member_hz(load, item, "min_hz");
		load->region->freq_ranges[load->region->freq_range_count++] = (struct lw_freq_range){
			.min_hz = min_hz,
			.max_hz = (uint32_t)member_int(load, item, "max_hz", min_hz, MAX_HZ),
			.grid_first_hz = member_hz(load, item, "grid_first_hz"),
			.grid_step_hz = member_hz(load, item, "grid_step_hz"),
			.uplink = direction != 1,
			.downlink = direction != 0,
		};
		done(load, item);
	}
}

static void load_phy(struct load *load)
{
	struct lw_region *region = load->region;
	node_t phy = section(load, "phy");
	char sync[7];
	region->lora_sync_word = member_u8(load, phy, "lora_sync_word", 255);
	region->lora_preamble_symbols = member_u8(load, phy, "lora_preamble_symbols", 64);
	member_text(load, phy, "fsk_sync_word_hex", sync, sizeof sync);
	if (!load->tree.failed &&
	    !hex_decode_exact(region->fsk_sync_word, sizeof region->fsk_sync_word, sync))
		yt_fail(&load->tree, yt_optional(&load->tree, phy, "fsk_sync_word_hex"),
			"expected 6 hex digits");
	region->fsk_preamble_bytes = member_u8(load, phy, "fsk_preamble_bytes", 64);
	done(load, phy);
	node_t commands = section(load, "mac_commands");
	region->has_new_channel_req = member_bool(load, commands, "new_channel_req");
	region->has_dl_channel_req = member_bool(load, commands, "dl_channel_req");
	region->has_tx_param_setup_req = member_bool(load, commands, "tx_param_setup_req");
	done(load, commands);
}

static struct lw_channel_group read_group(struct load *load, node_t item)
{
	struct lw_channel_group group = {
		.first_index = member_u8(load, item, "first_index", LW_UPLINK_CHANNELS_MAX - 1),
		.count = (uint8_t)member_int(load, item, "count", 1, LW_UPLINK_CHANNELS_MAX),
		.first_freq_hz = member_hz(load, item, "first_frequency_hz"),
		.step_hz = member_hz(load, item, "step_hz"),
		.bandwidth_hz = member_hz(load, item, "bandwidth_hz"),
		.min_dr = member_u8(load, item, "min_dr", LW_DATA_RATES - 2),
	};
	group.max_dr = (uint8_t)member_int(load, item, "max_dr", group.min_dr, LW_DATA_RATES - 2);
	done(load, item);
	return group;
}

static bool is_of_group(const struct lw_channel *channel, const struct lw_channel_group *group, size_t k)
{
	return channel->freq_hz == group->first_freq_hz + k * group->step_hz &&
	       channel->bandwidth_hz == group->bandwidth_hz && channel->min_dr == group->min_dr &&
	       channel->max_dr == group->max_dr;
}

/* Reads the channels written out, in order of their index without a gap, and holds them against their groups.
 */
static uint8_t load_channels(struct load *load, const char *groups_key, const char *channels_key,
			     struct lw_channel *channels, size_t max)
{
	uint8_t count = 0;
	for (node_t item = section_items(load, channels_key, max); item; item = item->next) {
		member_int(load, item, "index", count, count);
		struct lw_channel channel = {
			.freq_hz = (uint32_t)member_int(load, item, "frequency_hz", 1, MAX_HZ),
			.bandwidth_hz = member_hz(load, item, "bandwidth_hz"),
			.min_dr = member_u8(load, item, "min_dr", LW_DATA_RATES - 2),
		};
		channel.max_dr = (uint8_t)member_int(load, item, "max_dr", channel.min_dr, LW_DATA_RATES - 2);
		done(load, item);
		channels[count++] = channel;
	}
	size_t grouped = 0;
	for (node_t item = section_items(load, groups_key, LW_CHANNEL_GROUPS_MAX); item; item = item->next) {
		struct lw_channel_group group = read_group(load, item);
		for (size_t k = 0; k < group.count && !load->tree.failed; k++, grouped++) {
			size_t index = group.first_index + k;
			if (index >= count || !is_of_group(&channels[index], &group, k))
				yt_fail(&load->tree, item, "channel %zu of %s is not the group's", index,
					channels_key);
		}
	}
	if (grouped != count)
		yt_fail(&load->tree, section(load, groups_key), "expected %u channels in all", count);
	return count;
}

static void load_all_channels(struct load *load)
{
	struct lw_region *region = load->region;
	node_t root = load->tree.root;
	region->max_uplink_channels = (uint8_t)member_int(load, root, "max_uplink_channels", 1,
							  LW_UPLINK_CHANNELS_MAX);
	region->max_downlink_channels = (uint8_t)member_int(load, root, "max_downlink_channels", 1,
							    LW_DOWNLINK_CHANNELS_MAX);
	region->uplink_channel_count = load_channels(load, "uplink_channel_groups", "uplink_channels",
						     region->uplink_channels, region->max_uplink_channels);
	region->downlink_channel_count = load_channels(load, "downlink_channel_groups", "downlink_channels",
						       region->downlink_channels,
						       region->max_downlink_channels);
	if (region->uplink_channel_count == 0)
		yt_fail(&load->tree, section(load, "uplink_channels"), "expected a channel");
	/* A dynamic plan's channels live in masks of 16 bits. */
	if (region->plan_type == LW_PLAN_DYNAMIC && region->max_uplink_channels > 16)
		yt_fail(&load->tree, section(load, "max_uplink_channels"), "expected 1 to 16");
}

static void load_join_channels(struct load *load)
{
	struct lw_region *region = load->region;
	node_t groups = section_items(load, "join_request_channel_groups", LW_CHANNEL_GROUPS_MAX);
	for (node_t item = groups; item; item = item->next)
		region->join_groups[region->join_group_count++] = read_group(load, item);
	node_t channels = section_items(load, "join_request_channels", LW_JOIN_CHANNELS_MAX);
	for (node_t item = channels; item; item = item->next) {
		struct lw_join_channel channel = {
			.index = member_u8(load, item, "common_join_channel_index", 19),
			.freq_hz = member_hz(load, item, "frequency_hz"),
			.rx1_freq_hz = member_hz(load, item, "rx1_frequency_hz"),
			.rx2_freq_hz = member_hz(load, item, "rx2_frequency_hz"),
			.min_dr = member_u8(load, item, "min_dr", LW_DATA_RATES - 2),
		};
		channel.max_dr = (uint8_t)member_int(load, item, "max_dr", channel.min_dr, LW_DATA_RATES - 2);
		done(load, item);
		region->join_channels[region->join_channel_count++] = channel;
	}
	if (!groups && !channels)
		yt_fail(&load->tree, section(load, "join_request_channels"), "expected a channel to join on");
}

static void load_rx1_rule(struct load *load)
{
	node_t rule = section(load, "rx1_channel");
	const char *const rules[] = {lw_rx1_rule_name(LW_RX1_SAME_FREQUENCY), lw_rx1_rule_name(LW_RX1_MODULO),
				     lw_rx1_rule_name(LW_RX1_SAME_INDEX)};
	load->region->rx1_rule = (enum lw_rx1_rule)member_name(load, rule, "method", rules,
							       ARRAY_SIZE(rules));
	load->region->rx1_modulo = member_u8(load, rule, "modulo", LW_DOWNLINK_CHANNELS_MAX);
	if (load->region->rx1_rule == LW_RX1_MODULO &&
	    (load->region->rx1_modulo == 0 ||
	     load->region->rx1_modulo > load->region->downlink_channel_count))
		yt_fail(&load->tree, yt_optional(&load->tree, rule, "modulo"),
			"expected 1 to the number of downlink channels");
	done(load, rule);
}

static struct lw_data_rate read_data_rate(struct load *load, node_t item)
{
	static const char *const kinds[] = {"lora", "fsk", "lr_fhss"}; /* order of enum lw_modulation_kind */
	struct lw_data_rate rate = {.defined = true};
	struct lw_modulation *modulation = &rate.modulation;
	modulation->kind = (enum lw_modulation_kind)member_name(load, item, "modulation", kinds,
								ARRAY_SIZE(kinds));
	rate.bit_rate_bps = (uint32_t)member_int(load, item, "bit_rate_bps", 1, 10000000);
	switch (modulation->kind) {
	case LW_LORA:
		modulation->spreading_factor = (uint8_t)member_int(load, item, "spreading_factor", 5, 12);
		modulation->bandwidth_hz = (uint32_t)member_int(load, item, "bandwidth_hz", 7800, 2000000);
		member_text(load, item, "coding_rate", modulation->code_rate, sizeof modulation->code_rate);
		break;
	case LW_FSK:
		modulation->bit_rate_bps = rate.bit_rate_bps;
		modulation->freq_deviation_hz = member_hz(load, item, "frequency_deviation_hz");
		break;
	case LW_LR_FHSS:
		modulation->bandwidth_hz = member_hz(load, item, "occupied_channel_width_hz");
		rate.grid_step_hz = member_hz(load, item, "grid_step_hz");
		member_text(load, item, "coding_rate", modulation->code_rate, sizeof modulation->code_rate);
		break;
	}
	return rate;
}

static void load_data_rates(struct load *load)
{
	struct lw_region *region = load->region;
	for (node_t item = section_items(load, "data_rates", 2 * LW_DATA_RATES); item; item = item->next) {
		uint8_t index = member_u8(load, item, "index", LW_DATA_RATES - 2);
		struct lw_data_rate rate = read_data_rate(load, item);
		bool in_direction[2] = {[LW_UP] = member_bool(load, item, "uplink"),
					[LW_DOWN] = member_bool(load, item, "downlink")};
		done(load, item);
		for (int direction = LW_UP; direction <= LW_DOWN; direction++) {
			if (!in_direction[direction])
				continue;
			if (region->data_rates[direction][index].defined)
				yt_fail(&load->tree, item, "data rate %u stands twice in one direction",
					index);
			region->data_rates[direction][index] = rate;
		}
	}
	region->adr_max_dr = member_u8(load, load->tree.root, "adr_max_dr", LW_DATA_RATES - 2);
	if (!lw_region_data_rate(region, LW_UP, region->adr_max_dr))
		yt_fail(&load->tree, section(load, "adr_max_dr"), "not an uplink data rate");
}

static void load_powers(struct load *load)
{
	struct lw_region *region = load->region;
	region->default_max_eirp_cdbm = member_cdb(load, load->tree.root, "default_max_eirp_dbm", -30, 36);
	for (node_t item = section_items(load, "tx_power", LW_TX_POWERS); item; item = item->next) {
		uint8_t index = member_u8(load, item, "index", LW_TX_POWERS - 2);
		int16_t offset_cdb = member_cdb(load, item, "offset_db", -60, 0);
		if (region->tx_powers[index].defined)
			yt_fail(&load->tree, item, "power %u stands twice", index);
		region->tx_powers[index] = (struct lw_tx_power){true, offset_cdb};
		done(load, item);
	}
	if (!region->tx_powers[0].defined)
		yt_fail(&load->tree, section(load, "tx_power"), "expected index 0");
}

static void load_payloads(struct load *load)
{
	struct lw_region *region = load->region;
	bool listed[2][2][LW_DATA_RATES] = {0};
	for (node_t item = section_items(load, "max_payload_sizes", 4 * LW_DATA_RATES); item;
	     item = item->next) {
		bool repeater = member_bool(load, item, "repeater_compatible");
		bool dwell = member_int(load, item, "dwell_time", 0, 1) == 1;
		uint8_t dr = member_u8(load, item, "dr", LW_DATA_RATES - 2);
		uint8_t m = member_u8(load, item, "m", 250);
		/* MACPayload has 8 bytes beside the application's: DevAddr, FCtrl, FCnt, FPort. */
		uint8_t n = m >= 8 ? (uint8_t)(m - 8) : 0;
		member_int(load, item, "n", n, n);
		if (listed[repeater][dwell][dr])
			yt_fail(&load->tree, item, "stands twice");
		listed[repeater][dwell][dr] = true;
		region->has_payload_table[repeater][dwell] = true;
		region->max_payloads[repeater][dwell][dr] = (struct lw_max_payload){m, n};
		done(load, item);
	}
	if (!region->has_payload_table[0][0] || !region->has_payload_table[1][0])
		yt_fail(&load->tree, section(load, "max_payload_sizes"), "expected rows for dwell_time 0");
}

static void load_rx1_table(struct load *load)
{
	struct lw_region *region = load->region;
	memset(region->rx1_drs, LW_DR_NONE, sizeof region->rx1_drs);
	region->max_rx1_dr_offset = member_u8(load, load->tree.root, "max_rx1_dr_offset", LW_RX1_OFFSETS - 1);
	for (node_t item = section_items(load, "rx1_dr_table", 2 * LW_DATA_RATES); item; item = item->next) {
		bool dwell = member_int(load, item, "downlink_dwell_time", 0, 1) == 1;
		uint8_t uplink_dr = member_u8(load, item, "uplink_dr", LW_DATA_RATES - 2);
		node_t list = yt_member(&load->tree, item, "downlink_dr");
		uint8_t *row = region->rx1_drs[dwell][uplink_dr];
		if (row[0] != LW_DR_NONE)
			yt_fail(&load->tree, item, "uplink_dr %u stands twice", uplink_dr);
		size_t offset = 0;
		for (node_t dr = yt_items(&load->tree, list, region->max_rx1_dr_offset + 1U); dr;
		     dr = dr->next) {
			row[offset] = (uint8_t)yt_int(&load->tree, dr, 0, LW_DATA_RATES - 2);
			if (!lw_region_data_rate(region, LW_DOWN, row[offset++]))
				yt_fail(&load->tree, dr, "not a downlink data rate");
		}
		if (offset != region->max_rx1_dr_offset + 1U)
			yt_fail(&load->tree, list, "expected %u data rates", region->max_rx1_dr_offset + 1U);
		region->has_rx1_table[dwell] = true;
		done(load, item);
	}
	for (uint8_t dr = 0; dr < LW_DATA_RATES; dr++)
		if (lw_region_data_rate(region, LW_UP, dr) && region->rx1_drs[0][dr][0] == LW_DR_NONE)
			yt_fail(&load->tree, section(load, "rx1_dr_table"), "expected a row for uplink_dr %u",
				dr);
}

static void expect_downlink_dr(struct load *load, node_t map)
{
	uint8_t dr = member_u8(load, map, "dr", LW_DATA_RATES - 2);
	if (!lw_region_data_rate(load->region, LW_DOWN, dr))
		yt_fail(&load->tree, yt_optional(&load->tree, map, "dr"), "not a downlink data rate");
}

static void load_rx2_and_cflist(struct load *load)
{
	struct lw_region *region = load->region;
	node_t rx2 = section(load, "rx2");
	region->rx2.freq_hz = (uint32_t)member_int(load, rx2, "frequency_hz", 1, MAX_HZ);
	region->rx2.dr = member_u8(load, rx2, "dr", LW_DATA_RATES - 2);
	expect_downlink_dr(load, rx2);
	skip_text(load, rx2, "note");
	done(load, rx2);
	node_t cflist = section(load, "cflist");
	region->cflist = (struct lw_cflist_rule){
		.type = member_u8(load, cflist, "type", 1),
		.first_channel = member_u8(load, cflist, "first_channel", 15),
		.channel_count = member_u8(load, cflist, "channel_count", 5),
		.min_dr = member_u8(load, cflist, "min_dr", LW_DATA_RATES - 2),
		.max_dr = member_u8(load, cflist, "max_dr", LW_DATA_RATES - 2),
		.freq_step_hz = member_hz(load, cflist, "frequency_step_hz"),
		.mask_count = member_u8(load, cflist, "mask_count", 7),
		.mask_bits = member_u8(load, cflist, "mask_bits", LW_UPLINK_CHANNELS_MAX),
	};
	done(load, cflist);
	bool frequencies = region->plan_type == LW_PLAN_DYNAMIC;
	if (region->cflist.type != (frequencies ? 0 : 1))
		yt_fail(&load->tree, cflist, "type does not go with the plan");
	if (frequencies && (region->cflist.first_channel != region->uplink_channel_count ||
			    region->cflist.freq_step_hz != region->freq_step_hz))
		yt_fail(&load->tree, cflist, "first_channel or step does not go with the plan");
	if (!frequencies && (region->cflist.mask_bits != region->uplink_channel_count ||
			     region->cflist.mask_count != (region->cflist.mask_bits + 15) / 16))
		yt_fail(&load->tree, cflist, "masks do not go with the plan");
}

static void load_mask_cntls(struct load *load)
{
	struct lw_region *region = load->region;
	const char *actions[LW_MASK_BANKS + 1];
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		actions[i] = lw_mask_action_name((enum lw_mask_action)i);
	uint8_t value = 0;
	for (node_t item = section_items(load, "link_adr_ch_mask_cntl", LW_CH_MASK_CNTLS); item;
	     item = item->next) {
		member_int(load, item, "value", value, value);
		struct lw_mask_cntl cntl = {
			.action = (enum lw_mask_action)member_name(load, item, "action", actions,
								   ARRAY_SIZE(actions)),
			.first_channel = member_u8(load, item, "first_channel", LW_UPLINK_CHANNELS_MAX - 1),
			.channel_count = member_u8(load, item, "channel_count", LW_UPLINK_CHANNELS_MAX),
		};
		if (cntl.first_channel + cntl.channel_count > region->max_uplink_channels)
			yt_fail(&load->tree, item, "reaches past the last channel");
		if (cntl.action == LW_MASK_16 && cntl.channel_count > 16)
			yt_fail(&load->tree, item, "expected at most 16 channels");
		bool of_72 = cntl.action == LW_MASK_125_ON_MASK_500 ||
			     cntl.action == LW_MASK_125_OFF_MASK_500 || cntl.action == LW_MASK_BANKS;
		if (of_72 && region->uplink_channel_count != 72)
			yt_fail(&load->tree, item, "goes with 64 + 8 channels only");
		region->mask_cntls[value++] = cntl;
		done(load, item);
	}
	if (value != LW_CH_MASK_CNTLS)
		yt_fail(&load->tree, section(load, "link_adr_ch_mask_cntl"), "expected values 0 to 7");
}

static void load_defaults(struct load *load)
{
	node_t map = section(load, "defaults");
	load->region->defaults = (struct lw_region_defaults){
		.receive_delay1_s = (uint8_t)member_int(load, map, "receive_delay1_s", 1, 15),
		.receive_delay2_s = (uint8_t)member_int(load, map, "receive_delay2_s", 1, 16),
		.join_accept_delay1_s = (uint8_t)member_int(load, map, "join_accept_delay1_s", 1, 15),
		.join_accept_delay2_s = (uint8_t)member_int(load, map, "join_accept_delay2_s", 1, 16),
		.rx1_dr_offset = member_u8(load, map, "rx1_dr_offset", load->region->max_rx1_dr_offset),
		.max_fcnt_gap = (uint32_t)member_int(load, map, "max_fcnt_gap", 1, 65535),
		.adr_ack_limit = (uint16_t)member_int(load, map, "adr_ack_limit", 1, 32768),
		.adr_ack_delay = (uint16_t)member_int(load, map, "adr_ack_delay", 1, 32768),
		.retransmit_timeout_min_s = member_u8(load, map, "retransmit_timeout_min_s", 60),
		.retransmit_timeout_max_s = member_u8(load, map, "retransmit_timeout_max_s", 60),
		.ping_slot_periodicity = member_u8(load, map, "ping_slot_periodicity", 7),
		.class_b_resp_timeout_s = member_u8(load, map, "class_b_resp_timeout_s", 255),
		.class_c_resp_timeout_s = member_u8(load, map, "class_c_resp_timeout_s", 255),
		.downlink_dwell_time = member_u8(load, map, "downlink_dwell_time", 1),
	};
	done(load, map);
}

static void load_hop(struct load *load, node_t map, struct lw_hop *hop)
{
	const char *methods[LW_HOP_HOPPING_BY_JOIN_CHANNEL + 1];
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		methods[i] = lw_hop_method_name((enum lw_hop_method)i);
	hop->method = (enum lw_hop_method)member_name(load, map, "method", methods, ARRAY_SIZE(methods));
	node_t list = yt_member(&load->tree, map, "frequencies_hz");
	for (node_t freq = yt_items(&load->tree, list, LW_BEACON_FREQS_MAX); freq; freq = freq->next)
		hop->freqs_hz[hop->freq_count++] = (uint32_t)yt_int(&load->tree, freq, 1, MAX_HZ);
	if (hop->freq_count == 0)
		yt_fail(&load->tree, list, "expected a frequency");
	hop->dr = member_u8(load, map, "dr", LW_DATA_RATES - 2);
	expect_downlink_dr(load, map);
	if (hop->method == LW_HOP_FIXED_BY_JOIN_CHANNEL || hop->method == LW_HOP_HOPPING_BY_JOIN_CHANNEL) {
		hop->channels_per_join_channel = (uint8_t)member_int(load, map, "channels_per_join_channel",
								     1, LW_BEACON_FREQS_MAX);
		hop->first_join_channel = member_u8(load, map, "first_join_channel", 19);
	}
	skip_text(load, map, "formula");
}

static void load_beacon(struct load *load)
{
	struct lw_beacon_rule *beacon = &load->region->beacon;
	node_t map = section(load, "beacon");
	load_hop(load, map, &beacon->hop);
	beacon->modulation.kind = LW_LORA;
	beacon->modulation.spreading_factor = (uint8_t)member_int(load, map, "spreading_factor", 5, 12);
	beacon->modulation.bandwidth_hz = (uint32_t)member_int(load, map, "bandwidth_hz", 7800, 2000000);
	member_text(load, map, "coding_rate", beacon->modulation.code_rate,
		    sizeof beacon->modulation.code_rate);
	beacon->period_s = (uint16_t)member_int(load, map, "period_s", 1, 3600);
	beacon->preamble_symbols = member_u8(load, map, "preamble_symbols", 64);
	beacon->inverted_polarity = member_bool(load, map, "inverted_polarity");
	beacon->rfu1_bytes = member_u8(load, map, "rfu1_bytes", 16);
	beacon->param_bytes = member_u8(load, map, "param_bytes", 1);
	beacon->time_bytes = member_u8(load, map, "time_bytes", 4);
	beacon->crc1_bytes = member_u8(load, map, "crc1_bytes", 2);
	beacon->gw_specific_bytes = member_u8(load, map, "gw_specific_bytes", 16);
	beacon->rfu2_bytes = member_u8(load, map, "rfu2_bytes", 16);
	beacon->crc2_bytes = member_u8(load, map, "crc2_bytes", 2);
	int total = beacon->rfu1_bytes + beacon->param_bytes + beacon->time_bytes + beacon->crc1_bytes +
		    beacon->gw_specific_bytes + beacon->rfu2_bytes + beacon->crc2_bytes;
	beacon->total_bytes = (uint8_t)member_int(load, map, "total_bytes", total, total);
	done(load, map);
	const struct lw_data_rate *rate = lw_region_data_rate(load->region, LW_DOWN, beacon->hop.dr);
	if (rate && (rate->modulation.spreading_factor != beacon->modulation.spreading_factor ||
		     rate->modulation.bandwidth_hz != beacon->modulation.bandwidth_hz))
		yt_fail(&load->tree, map, "modulation is not that of dr");
	node_t ping_slot = section(load, "ping_slot");
	load_hop(load, ping_slot, &load->region->ping_slot);
	done(load, ping_slot);
}

static void load_limits(struct load *load)
{
	struct lw_region *region = load->region;
	node_t dwell = section(load, "dwell_time");
	region->dwell = (struct lw_dwell_rule){
		.limit_ms = member_u16(load, dwell, "limit_ms", 10000),
		.uplink_default = member_int(load, dwell, "uplink_default", 0, 1) == 1,
		.downlink_default = member_int(load, dwell, "downlink_default", 0, 1) == 1,
		.set_by_tx_param_setup = member_bool(load, dwell, "set_by_tx_param_setup"),
	};
	skip_text(load, dwell, "note");
	done(load, dwell);
	node_t lbt = section(load, "lbt");
	region->lbt = (struct lw_lbt_rule){
		.required = member_bool(load, lbt, "required"),
		.threshold_cdbm = member_cdb(load, lbt, "threshold_dbm", -140, 0),
		.carrier_sense_ms = member_u16(load, lbt, "carrier_sense_ms", 1000),
	};
	skip_text(load, lbt, "note");
	done(load, lbt);
	for (node_t item = section_items(load, "sub_bands", LW_SUB_BANDS_MAX); item; item = item->next) {
		uint32_t min_hz = member_hz(load, item, "min_hz");
		region->sub_bands[region->sub_band_count++] = (struct lw_sub_band){
			.min_hz = min_hz,
			.max_hz = (uint32_t)member_int(load, item, "max_hz", min_hz, MAX_HZ),
			.duty_cycle_permille = (uint16_t)member_int(load, item, "duty_cycle_permille", 1,
								    1000),
			.max_eirp_cdbm = member_cdb(load, item, "max_eirp_dbm", -30, 36),
		};
		skip_text(load, item, "note");
		done(load, item);
	}
}

static void load_tail(struct load *load)
{
	struct lw_region *region = load->region;
	for (node_t item = section_items(load, "relay_wor_channels", LW_WOR_CHANNELS_MAX); item;
	     item = item->next) {
		region->wor_channels[region->wor_channel_count++] = (struct lw_wor_channel){
			.index = member_u8(load, item, "index", LW_WOR_CHANNELS_MAX - 1),
			.freq_hz = member_hz(load, item, "frequency_hz"),
			.ack_freq_hz = member_hz(load, item, "ack_frequency_hz"),
			.dr = member_u8(load, item, "dr", LW_DATA_RATES - 2),
		};
		done(load, item);
	}
	for (node_t item = section_items(load, "revision_notes", 64); item; item = item->next) {
		skip_text(load, item, "revisions");
		skip_text(load, item, "note");
		done(load, item);
	}
	done(load, load->tree.root);
}

bool region_load_text(struct lw_region *region, const char *file, const char *text, size_t length,
		      char error[REGION_ERROR_MAX])
{
	static void (*const steps[])(struct load *) = {
		load_head,           load_freq_ranges, load_phy,      load_all_channels, load_join_channels,
		load_rx1_rule,       load_data_rates,  load_powers,   load_payloads,     load_rx1_table,
		load_rx2_and_cflist, load_mask_cntls,  load_defaults, load_beacon,       load_limits,
		load_tail,
	};
	memset(region, 0, sizeof *region);
	struct load load = {.region = region};
	if (yt_parse(&load.tree, file, text, length))
		yt_expect_map(&load.tree, load.tree.root);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && !load.tree.failed; i++)
		steps[i](&load);
	bool loaded = !load.tree.failed;
	if (!loaded)
		memcpy(error, load.tree.error, sizeof load.tree.error);
	yt_release(&load.tree);
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
