/* The channels of a region file: frequency ranges, uplink, downlink and join channels, the rule from uplink to RX1
 * channel, and what the values of ChMaskCntl do. What the file says twice (groups and the channels written out) must
 * agree. */
#include "common/text/region_reader.h"

void region_load_freq_ranges(struct region_reader *reader)
{
	static const char *const directions[] = {"uplink", "downlink", "uplink_downlink"};
	for (node_t item = section_items(reader, "frequency_ranges", LW_FREQ_RANGES_MAX); item;
	     item = item->next) {
		size_t direction = member_name(reader, item, "applies_to", directions,
					       ARRAY_SIZE(directions));
		uint32_t min_hz = member_hz(reader, item, "min_hz");
		reader->region->freq_ranges[reader->region->freq_range_count++] = (struct lw_freq_range){
			.min_hz = min_hz,
			.max_hz = (uint32_t)member_int(reader, item, "max_hz", min_hz, MAX_HZ),
			.grid_first_hz = member_hz(reader, item, "grid_first_hz"),
			.grid_step_hz = member_hz(reader, item, "grid_step_hz"),
			.uplink = direction != 1,
			.downlink = direction != 0,
		};
		done(reader, item);
	}
}

static struct lw_channel_group read_group(struct region_reader *reader, node_t item)
{
	struct lw_channel_group group = {
		.first_index = member_u8(reader, item, "first_index", LW_UPLINK_CHANNELS_MAX - 1),
		.count = (uint8_t)member_int(reader, item, "count", 1, LW_UPLINK_CHANNELS_MAX),
		.first_freq_hz = member_hz(reader, item, "first_frequency_hz"),
		.step_hz = member_hz(reader, item, "step_hz"),
		.bandwidth_hz = member_hz(reader, item, "bandwidth_hz"),
		.min_dr = member_u8(reader, item, "min_dr", LW_DATA_RATES - 2),
	};
	group.max_dr = (uint8_t)member_int(reader, item, "max_dr", group.min_dr, LW_DATA_RATES - 2);
	done(reader, item);
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
static uint8_t read_channels(struct region_reader *reader, const char *groups_key, const char *channels_key,
			     struct lw_channel *channels, size_t max)
{
	uint8_t count = 0;
	for (node_t item = section_items(reader, channels_key, max); item; item = item->next) {
		member_int(reader, item, "index", count, count);
		struct lw_channel channel = {
			.freq_hz = (uint32_t)member_int(reader, item, "frequency_hz", 1, MAX_HZ),
			.bandwidth_hz = member_hz(reader, item, "bandwidth_hz"),
			.min_dr = member_u8(reader, item, "min_dr", LW_DATA_RATES - 2),
		};
		channel.max_dr = (uint8_t)member_int(reader, item, "max_dr", channel.min_dr,
						     LW_DATA_RATES - 2);
		done(reader, item);
		channels[count++] = channel;
	}
	size_t grouped = 0;
	for (node_t item = section_items(reader, groups_key, LW_CHANNEL_GROUPS_MAX); item;
	     item = item->next) {
		struct lw_channel_group group = read_group(reader, item);
		for (size_t k = 0; k < group.count && !reader->tree.failed; k++, grouped++) {
			size_t index = group.first_index + k;
			if (index >= count || !is_of_group(&channels[index], &group, k))
				yt_fail(&reader->tree, item, "channel %zu of %s is not the group's", index,
					channels_key);
		}
	}
	if (grouped != count)
		yt_fail(&reader->tree, section(reader, groups_key), "expected %u channels in all", count);
	return count;
}

void region_load_channels(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	node_t root = reader->tree.root;
	region->max_uplink_channels = (uint8_t)member_int(reader, root, "max_uplink_channels", 1,
							  LW_UPLINK_CHANNELS_MAX);
	region->max_downlink_channels = (uint8_t)member_int(reader, root, "max_downlink_channels", 1,
							    LW_DOWNLINK_CHANNELS_MAX);
	region->uplink_channel_count = read_channels(reader, "uplink_channel_groups", "uplink_channels",
						     region->uplink_channels, region->max_uplink_channels);
	region->downlink_channel_count = read_channels(reader, "downlink_channel_groups", "downlink_channels",
						       region->downlink_channels,
						       region->max_downlink_channels);
	if (region->uplink_channel_count == 0)
		yt_fail(&reader->tree, section(reader, "uplink_channels"), "expected a channel");
	/* A dynamic plan's channels live in masks of 16 bits. */
	if (region->plan_type == LW_PLAN_DYNAMIC && region->max_uplink_channels > 16)
		yt_fail(&reader->tree, section(reader, "max_uplink_channels"), "expected 1 to 16");
}

void region_load_join_channels(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	node_t groups = section_items(reader, "join_request_channel_groups", LW_CHANNEL_GROUPS_MAX);
	for (node_t item = groups; item; item = item->next)
		region->join_groups[region->join_group_count++] = read_group(reader, item);
	node_t channels = section_items(reader, "join_request_channels", LW_JOIN_CHANNELS_MAX);
	for (node_t item = channels; item; item = item->next) {
		struct lw_join_channel channel = {
			.index = member_u8(reader, item, "common_join_channel_index", 19),
			.freq_hz = member_hz(reader, item, "frequency_hz"),
			.rx1_freq_hz = member_hz(reader, item, "rx1_frequency_hz"),
			.rx2_freq_hz = member_hz(reader, item, "rx2_frequency_hz"),
			.min_dr = member_u8(reader, item, "min_dr", LW_DATA_RATES - 2),
		};
		channel.max_dr = (uint8_t)member_int(reader, item, "max_dr", channel.min_dr,
						     LW_DATA_RATES - 2);
		done(reader, item);
		region->join_channels[region->join_channel_count++] = channel;
	}
	if (!groups && !channels)
		yt_fail(&reader->tree, section(reader, "join_request_channels"),
			"expected a channel to join on");
}

void region_load_rx1_rule(struct region_reader *reader)
{
	node_t rule = section(reader, "rx1_channel");
	const char *const rules[] = {lw_rx1_rule_name(LW_RX1_SAME_FREQUENCY), lw_rx1_rule_name(LW_RX1_MODULO),
				     lw_rx1_rule_name(LW_RX1_SAME_INDEX)};
	reader->region->rx1_rule = (enum lw_rx1_rule)member_name(reader, rule, "method", rules,
								 ARRAY_SIZE(rules));
	reader->region->rx1_modulo = member_u8(reader, rule, "modulo", LW_DOWNLINK_CHANNELS_MAX);
	if (reader->region->rx1_rule == LW_RX1_MODULO &&
	    (reader->region->rx1_modulo == 0 ||
	     reader->region->rx1_modulo > reader->region->downlink_channel_count))
		yt_fail(&reader->tree, yt_optional(&reader->tree, rule, "modulo"),
			"expected 1 to the number of downlink channels");
	done(reader, rule);
}

void region_load_mask_cntls(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	const char *actions[LW_MASK_BANKS + 1];
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		actions[i] = lw_mask_action_name((enum lw_mask_action)i);
	uint8_t value = 0;
	for (node_t item = section_items(reader, "link_adr_ch_mask_cntl", LW_CH_MASK_CNTLS); item;
	     item = item->next) {
		member_int(reader, item, "value", value, value);
		struct lw_mask_cntl cntl = {
			.action = (enum lw_mask_action)member_name(reader, item, "action", actions,
								   ARRAY_SIZE(actions)),
			.first_channel = member_u8(reader, item, "first_channel", LW_UPLINK_CHANNELS_MAX - 1),
			.channel_count = member_u8(reader, item, "channel_count", LW_UPLINK_CHANNELS_MAX),
		};
		if (cntl.first_channel + cntl.channel_count > region->max_uplink_channels)
			yt_fail(&reader->tree, item, "reaches past the last channel");
		if (cntl.action == LW_MASK_16 && cntl.channel_count > 16)
			yt_fail(&reader->tree, item, "expected at most 16 channels");
		bool of_72 = cntl.action == LW_MASK_125_ON_MASK_500 ||
			     cntl.action == LW_MASK_125_OFF_MASK_500 || cntl.action == LW_MASK_BANKS;
		if (of_72 && region->uplink_channel_count != 72)
			yt_fail(&reader->tree, item, "goes with 64 + 8 channels only");
		region->mask_cntls[value++] = cntl;
		done(reader, item);
	}
	if (value != LW_CH_MASK_CNTLS)
		yt_fail(&reader->tree, section(reader, "link_adr_ch_mask_cntl"), "expected values 0 to 7");
}
