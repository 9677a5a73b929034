/* The data rates of a region file, and what is given for each: powers, payload sizes, the data rate of RX1. */
#include "common/text/region_reader.h"

#include <string.h>

static struct lw_data_rate read_data_rate(struct region_reader *reader, node_t item)
{
	static const char *const kinds[] = {"lora", "fsk", "lr_fhss"}; /* order of enum lw_modulation_kind */
	struct lw_data_rate rate = {.defined = true};
	struct lw_modulation *modulation = &rate.modulation;
	modulation->kind = (enum lw_modulation_kind)member_name(reader, item, "modulation", kinds,
								ARRAY_SIZE(kinds));
	rate.bit_rate_bps = (uint32_t)member_int(reader, item, "bit_rate_bps", 1, 10000000);
	switch (modulation->kind) {
	case LW_LORA:
		modulation->spreading_factor = (uint8_t)member_int(reader, item, "spreading_factor", 5, 12);
		modulation->bandwidth_hz = (uint32_t)member_int(reader, item, "bandwidth_hz", 7800, 2000000);
		member_text(reader, item, "coding_rate", modulation->code_rate, sizeof modulation->code_rate);
		break;
	case LW_FSK:
		modulation->bit_rate_bps = rate.bit_rate_bps;
		modulation->freq_deviation_hz = member_hz(reader, item, "frequency_deviation_hz");
		break;
	case LW_LR_FHSS:
		modulation->bandwidth_hz = member_hz(reader, item, "occupied_channel_width_hz");
		rate.grid_step_hz = member_hz(reader, item, "grid_step_hz");
		member_text(reader, item, "coding_rate", modulation->code_rate, sizeof modulation->code_rate);
		break;
	}
	return rate;
}

void region_load_data_rates(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	for (node_t item = section_items(reader, "data_rates", 2 * LW_DATA_RATES); item; item = item->next) {
		uint8_t index = member_u8(reader, item, "index", LW_DATA_RATES - 2);
		struct lw_data_rate rate = read_data_rate(reader, item);
		bool in_direction[2] = {[LW_UP] = member_bool(reader, item, "uplink"),
					[LW_DOWN] = member_bool(reader, item, "downlink")};
		done(reader, item);
		for (int direction = LW_UP; direction <= LW_DOWN; direction++) {
			if (!in_direction[direction])
				continue;
			if (region->data_rates[direction][index].defined)
				yt_fail(&reader->tree, item, "data rate %u stands twice in one direction",
					index);
			region->data_rates[direction][index] = rate;
		}
	}
	region->adr_max_dr = member_u8(reader, reader->tree.root, "adr_max_dr", LW_DATA_RATES - 2);
	if (!lw_region_data_rate(region, LW_UP, region->adr_max_dr))
		yt_fail(&reader->tree, section(reader, "adr_max_dr"), "not an uplink data rate");
}

void region_load_powers(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	region->default_max_eirp_cdbm = member_cdb(reader, reader->tree.root, "default_max_eirp_dbm", -30,
						   36);
	for (node_t item = section_items(reader, "tx_power", LW_TX_POWERS); item; item = item->next) {
		uint8_t index = member_u8(reader, item, "index", LW_TX_POWERS - 2);
		int16_t offset_cdb = member_cdb(reader, item, "offset_db", -60, 0);
		if (region->tx_powers[index].defined)
			yt_fail(&reader->tree, item, "power %u stands twice", index);
		region->tx_powers[index] = (struct lw_tx_power){true, offset_cdb};
		done(reader, item);
	}
	if (!region->tx_powers[0].defined)
		yt_fail(&reader->tree, section(reader, "tx_power"), "expected index 0");
}

void region_load_payloads(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	bool listed[2][2][LW_DATA_RATES] = {0};
	for (node_t item = section_items(reader, "max_payload_sizes", 4 * LW_DATA_RATES); item;
	     item = item->next) {
		bool repeater = member_bool(reader, item, "repeater_compatible");
		bool dwell = member_int(reader, item, "dwell_time", 0, 1) == 1;
		uint8_t dr = member_u8(reader, item, "dr", LW_DATA_RATES - 2);
		uint8_t m = member_u8(reader, item, "m", 250);
		/* MACPayload has 8 bytes beside the application's: DevAddr, FCtrl, FCnt, FPort. */
		uint8_t n = m >= 8 ? (uint8_t)(m - 8) : 0;
		member_int(reader, item, "n", n, n);
		if (listed[repeater][dwell][dr])
			yt_fail(&reader->tree, item, "stands twice");
		listed[repeater][dwell][dr] = true;
		region->has_payload_table[repeater][dwell] = true;
		region->max_payloads[repeater][dwell][dr] = (struct lw_max_payload){m, n};
		done(reader, item);
	}
	if (!region->has_payload_table[0][0] || !region->has_payload_table[1][0])
		yt_fail(&reader->tree, section(reader, "max_payload_sizes"),
			"expected rows for dwell_time 0");
}

void region_load_rx1_table(struct region_reader *reader)
{
	struct lw_region *region = reader->region;
	memset(region->rx1_drs, LW_DR_NONE, sizeof region->rx1_drs);
	region->max_rx1_dr_offset = member_u8(reader, reader->tree.root, "max_rx1_dr_offset",
					      LW_RX1_OFFSETS - 1);
	for (node_t item = section_items(reader, "rx1_dr_table", 2 * LW_DATA_RATES); item;
	     item = item->next) {
		bool dwell = member_int(reader, item, "downlink_dwell_time", 0, 1) == 1;
		uint8_t uplink_dr = member_u8(reader, item, "uplink_dr", LW_DATA_RATES - 2);
		node_t list = yt_member(&reader->tree, item, "downlink_dr");
		uint8_t *row = region->rx1_drs[dwell][uplink_dr];
		if (row[0] != LW_DR_NONE)
			yt_fail(&reader->tree, item, "uplink_dr %u stands twice", uplink_dr);
		size_t offset = 0;
		for (node_t dr = yt_items(&reader->tree, list, region->max_rx1_dr_offset + 1U); dr;
		     dr = dr->next) {
			row[offset] = (uint8_t)yt_int(&reader->tree, dr, 0, LW_DATA_RATES - 2);
			if (!lw_region_data_rate(region, LW_DOWN, row[offset++]))
				yt_fail(&reader->tree, dr, "not a downlink data rate");
		}
		if (offset != region->max_rx1_dr_offset + 1U)
			yt_fail(&reader->tree, list, "expected %u data rates",
				region->max_rx1_dr_offset + 1U);
		region->has_rx1_table[dwell] = true;
		done(reader, item);
	}
	for (uint8_t dr = 0; dr < LW_DATA_RATES; dr++)
		if (lw_region_data_rate(region, LW_UP, dr) && region->rx1_drs[0][dr][0] == LW_DR_NONE)
			yt_fail(&reader->tree, section(reader, "rx1_dr_table"),
				"expected a row for uplink_dr %u", dr);
}
