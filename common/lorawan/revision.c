#include "common/lorawan/revision.h"

#include "common/base/check.h"

#include <string.h>

#define FRAME_OVERHEAD 8 /* n = m − 8 (RP002) */

#define UNTIL(revision)   LW_RP001_1_0, revision
#define ONLY(revision)    revision, revision
#define BITS(first, last) (uint16_t)((1u << ((last) + 1)) - (1u << (first)))
#define VALUES(...)       .values = {__VA_ARGS__}, .value_count = sizeof((const uint8_t[]){__VA_ARGS__})

/* clang-format off */
static const struct lw_revision_row rows[] = {
	{"eu868", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_POWERS, VALUES(0, 0, 3, 6, 9, 12),
		.meaning = "TXPower 0 to 5 is 20, 14, 11, 8, 5, 2 dBm ERP; 20 dBm, which need not be there, is counted as 14."},
	{"eu868", UNTIL(LW_RP002_1_0_1), LW_CHANGE_NO_RATES, .number = BITS(8, 11),
		.meaning = "DR8 to DR11 (LR-FHSS) are not defined."},
	{"us915", ONLY(LW_RP001_1_0), LW_CHANGE_PAYLOADS, VALUES(0, 0, 137),
		.meaning = "A MACPayload at DR2 has at most 137 bytes."},
	{"us915", ONLY(LW_RP001_1_0_1), LW_CHANGE_PAYLOADS, VALUES(0, 0, 134),
		.meaning = "A MACPayload at DR2 has at most 134 bytes."},
	{"us915", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_POWERS, VALUES(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20),
		.meaning = "TXPower 11 to 14 is reserved."},
	{"us915", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_NO_CFLIST, .meaning = "A join-accept has no CFList."},
	{"us915", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_NO_MASK_BANKS, .meaning = "ChMaskCntl 5 is reserved."},
	{"us915", UNTIL(LW_RP002_1_0_1), LW_CHANGE_NO_RATES, .number = BITS(5, 6),
		.meaning = "DR5 and DR6 (LR-FHSS) are not defined."},
	{"au915", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_US915_RATES,
		.meaning = "DR0 to DR3 are SF10 to SF7, DR4 is SF8 at 500 kHz; RX1 and payloads as in us915."},
	{"au915", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_POWERS, VALUES(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20),
		.meaning = "TXPower 11 to 14 is reserved."},
	{"au915", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_NO_CFLIST, .meaning = "A join-accept has no CFList."},
	{"au915", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_NO_MASK_BANKS, .meaning = "ChMaskCntl 5 is reserved."},
	{"au915", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_NO_TX_PARAM, .meaning = "No TxParamSetupReq, and no limit on dwell time."},
	{"au915", ONLY(LW_RP001_1_1A), LW_CHANGE_NO_TX_PARAM, .meaning = "No TxParamSetupReq, and no limit on dwell time."},
	{"au915", UNTIL(LW_RP002_1_0_1), LW_CHANGE_NO_RATES, .number = BITS(7, 7),
		.meaning = "DR7 (LR-FHSS) is not defined."},
	{"as923-2", UNTIL(LW_RP002_1_0_0), LW_CHANGE_NO_PLAN, .meaning = "The plan came with RP002-1.0.1."},
	{"as923-3", UNTIL(LW_RP002_1_0_0), LW_CHANGE_NO_PLAN, .meaning = "The plan came with RP002-1.0.1."},
	{"as923-4", UNTIL(LW_RP002_1_0_2), LW_CHANGE_NO_PLAN, .meaning = "The plan came with RP002-1.0.3."},
	{"as923-", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_POWERS, VALUES(0, 2, 4, 6, 8, 10),
		.meaning = "TXPower 6 and 7 is reserved."},
	{"as923-", UNTIL(LW_RP002_1_0_0), LW_CHANGE_PAYLOADS, VALUES(0, 0, 59),
		.meaning = "A MACPayload at DR2 without a dwell limit has at most 59 bytes."},
	{"as923-", UNTIL(LW_RP001_1_1B), LW_CHANGE_RX1_MOST, .number = 5, .meaning = "RX1 is never above DR5."},
	{"in865", UNTIL(LW_RP001_1_1B), LW_CHANGE_RX1_MOST, .number = 5, .meaning = "RX1 is never above DR5."},
	{"kr920", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_POWERS, VALUES(0, 0, 4, 6, 9, 12, 14),
		.meaning = "TXPower 0 to 6 is 20, 14, 10, 8, 5, 2, 0 dBm EIRP; 20 dBm is counted as 14."},
	{"kr920", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_PAYLOADS, VALUES(73, 159, 250, 250, 250, 250),
		.meaning = "A MACPayload has at most 73, 159, 250, 250, 250, 250 bytes at DR0 to DR5."},
	{"eu433", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_POWERS, VALUES(0, 3, 6, 9, 12, 15),
		.meaning = "TXPower 0 to 5 is 10, 7, 4, 1, −2, −5 dBm ERP."},
	{"cn779", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_POWERS, VALUES(0, 3, 6, 9, 12, 15),
		.meaning = "TXPower 0 to 5 is 10, 7, 4, 1, −2, −5 dBm."},
	{"ru864", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_NO_PLAN, .meaning = "The plan came with RP001-1.0.3A."},
	{"cn470-rp001", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_POWERS, VALUES(0, 1, 3, 5, 7, 10, 12, 15),
		.meaning = "TXPower 0 to 7 is 17, 16, 14, 12, 10, 7, 5, 2 dBm."},
	{"cn470-rp001", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_REPEATER_SIZES,
		.meaning = "Payloads are those behind a repeater; there is no other table."},
	{"cn470-rp001", UNTIL(LW_RP001_1_0_2A), LW_CHANGE_RX1_OFFSETS, .number = 3, .meaning = "RX1DROffset above 3 is reserved."},
	{"cn470-rp001", UNTIL(LW_RP001_1_0_2B), LW_CHANGE_NO_CFLIST, .meaning = "A join-accept has no CFList."},
	{"cn470-2", UNTIL(LW_RP001_1_1B), LW_CHANGE_NO_PLAN, .meaning = "The plan came with RP002-1.0.0; before, cn470-rp001."},
	{"cn470-2", ONLY(LW_RP002_1_0_0), LW_CHANGE_PAYLOADS, VALUES(59, 59, 59, 123, 250, 250),
		.meaning = "A MACPayload has at most 59, 59, 59, 123, 250, 250 bytes at DR0 to DR5."},
	{"cn470-2", ONLY(LW_RP002_1_0_0), LW_CHANGE_RX1_PLAIN,
		.meaning = "RX1 has the data rate of the uplink less RX1DROffset, at least DR0."},
	{"cn470-2", ONLY(LW_RP002_1_0_0), LW_CHANGE_NO_RATES, .number = BITS(6, 7), .meaning = "DR6 and DR7 are not defined."},
	{"cn470-2", ONLY(LW_RP002_1_0_1), LW_CHANGE_PAYLOADS, VALUES(0, 0, 0, 172),
		.meaning = "A MACPayload at DR3 has at most 172 bytes."},
};
/* clang-format on */

const struct lw_revision_row *lw_revision_rows(size_t *count)
{
	*count = ARRAY_SIZE(rows);
	return rows;
}

static bool is_about(const struct lw_revision_row *row, const struct lw_region *region,
		     enum lw_regional_revision revision)
{
	size_t length = strlen(row->plan);
	bool begins = strncmp(region->id, row->plan, length) == 0;
	/* "as923-" and "cn470-2" stand for several; no id of a plan begins another's. */
	return begins && revision >= row->since && revision <= row->until;
}

bool lw_region_exists_in(const struct lw_region *region, enum lw_regional_revision revision)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].change == LW_CHANGE_NO_PLAN && is_about(&rows[i], region, revision))
			return false;
	return true;
}

bool lw_region_differs_in(const struct lw_region *region, enum lw_regional_revision revision)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].change != LW_CHANGE_NO_PLAN && is_about(&rows[i], region, revision))
			return true;
	return false;
}

/* --- the changes --- */

static void set_payload(struct lw_region *region, uint8_t dr, uint8_t m)
{
	region->max_payloads[0][0][dr] = (struct lw_max_payload){m, (uint8_t)(m - FRAME_OVERHEAD)};
}

/* Takes a rate away, and from the channels what lies above the rates that are left. */
static void undefine(struct lw_region *region, uint8_t dr)
{
	for (int direction = LW_UP; direction <= LW_DOWN; direction++)
		region->data_rates[direction][dr].defined = false;
	for (int dwell = 0; dwell < 2; dwell++) {
		for (int repeater = 0; repeater < 2; repeater++)
			region->max_payloads[repeater][dwell][dr] = (struct lw_max_payload){0, 0};
		memset(region->rx1_drs[dwell][dr], LW_DR_NONE, sizeof region->rx1_drs[dwell][dr]);
	}
	for (unsigned i = 0; i < region->uplink_channel_count; i++) {
		struct lw_channel *channel = &region->uplink_channels[i];
		if (channel->max_dr == dr && channel->min_dr < dr)
			channel->max_dr--;
	}
}

static void no_rates(struct lw_region *region, uint16_t drs)
{
	for (int dr = LW_DATA_RATES - 1; dr >= 0; dr--)
		if (drs >> dr & 1)
			undefine(region, (uint8_t)dr);
}

static void powers(struct lw_region *region, const struct lw_revision_row *row)
{
	for (unsigned i = 0; i < LW_TX_POWERS; i++)
		region->tx_powers[i] = (struct lw_tx_power){
			.defined = i < row->value_count,
			.offset_cdb = (int16_t)(i < row->value_count ? -100 * row->values[i] : 0)};
}

static void payloads(struct lw_region *region, const struct lw_revision_row *row)
{
	for (uint8_t dr = 0; dr < row->value_count; dr++)
		if (row->values[dr] != 0)
			set_payload(region, dr, row->values[dr]);
}

static void rx1_most(struct lw_region *region, uint8_t most)
{
	for (int dwell = 0; dwell < 2; dwell++)
		for (unsigned dr = 0; dr < LW_DATA_RATES; dr++)
			for (unsigned i = 0; i < LW_RX1_OFFSETS; i++) {
				uint8_t *cell = &region->rx1_drs[dwell][dr][i];
				if (*cell != LW_DR_NONE && *cell > most)
					*cell = most;
			}
}

static void rx1_offsets(struct lw_region *region, uint8_t most)
{
	region->max_rx1_dr_offset = most;
	for (int dwell = 0; dwell < 2; dwell++)
		for (unsigned dr = 0; dr < LW_DATA_RATES; dr++)
			for (unsigned i = most + 1u; i < LW_RX1_OFFSETS; i++)
				region->rx1_drs[dwell][dr][i] = LW_DR_NONE;
}

static void rx1_plain(struct lw_region *region)
{
	for (uint8_t dr = 0; dr <= 5; dr++)
		for (uint8_t i = 0; i <= region->max_rx1_dr_offset; i++)
			region->rx1_drs[0][dr][i] = dr > i ? (uint8_t)(dr - i) : 0;
}

/* RP001-1.0.2A, au915: uplinks of us915, whose downlink rates are the same ones anyway. */
static void us915_rates(struct lw_region *region)
{
	static const struct {
		uint8_t spreading_factor, m, rx1[4];
		uint16_t bandwidth_khz;
		uint32_t bit_rate_bps;
	} rates[] = {
		{10, 19, {10, 9, 8, 8}, 125, 980},      {9, 61, {11, 10, 9, 8}, 125, 1760},
		{8, 134, {12, 11, 10, 9}, 125, 3125},   {7, 250, {13, 12, 11, 10}, 125, 5470},
		{8, 250, {13, 13, 12, 11}, 500, 12500},
	};
	uint8_t fast = ARRAY_SIZE(rates) - 1;
	for (uint8_t dr = 0; dr <= fast; dr++) {
		struct lw_data_rate *rate = &region->data_rates[LW_UP][dr];
		rate->modulation.spreading_factor = rates[dr].spreading_factor;
		rate->modulation.bandwidth_hz = rates[dr].bandwidth_khz * 1000u;
		rate->bit_rate_bps = rates[dr].bit_rate_bps;
		set_payload(region, dr, rates[dr].m);
		memcpy(region->rx1_drs[0][dr], rates[dr].rx1, sizeof rates[dr].rx1);
	}
	for (uint8_t dr = fast + 1; dr <= 7; dr++)
		undefine(region, dr);
	for (unsigned i = 0; i < region->uplink_channel_count; i++) {
		struct lw_channel *channel = &region->uplink_channels[i];
		bool wide = channel->bandwidth_hz == 500000;
		channel->min_dr = wide ? fast : 0;
		channel->max_dr = wide ? fast : (uint8_t)(fast - 1);
	}
	for (unsigned i = 0; i < region->join_group_count; i++) {
		struct lw_channel_group *group = &region->join_groups[i];
		group->min_dr = group->max_dr = group->bandwidth_hz == 500000 ? fast : 0;
	}
	region->adr_max_dr = (uint8_t)(fast - 1);
	rx1_offsets(region, 3);
}

static void no_cflist(struct lw_region *region)
{
	region->cflist.channel_count = region->cflist.mask_count = 0;
}

static void no_tx_param(struct lw_region *region)
{
	region->has_tx_param_setup_req = false;
	region->dwell = (struct lw_dwell_rule){0};
	region->has_payload_table[0][1] = region->has_payload_table[1][1] = false;
	region->has_rx1_table[1] = false;
}

static void apply(struct lw_region *region, const struct lw_revision_row *row)
{
	switch (row->change) {
	case LW_CHANGE_NO_PLAN: return;
	case LW_CHANGE_NO_RATES: no_rates(region, row->number); return;
	case LW_CHANGE_US915_RATES: us915_rates(region); return;
	case LW_CHANGE_POWERS: powers(region, row); return;
	case LW_CHANGE_PAYLOADS: payloads(region, row); return;
	case LW_CHANGE_REPEATER_SIZES:
		memcpy(region->max_payloads[0], region->max_payloads[1], sizeof region->max_payloads[0]);
		return;
	case LW_CHANGE_RX1_MOST: rx1_most(region, (uint8_t)row->number); return;
	case LW_CHANGE_RX1_PLAIN: rx1_plain(region); return;
	case LW_CHANGE_RX1_OFFSETS: rx1_offsets(region, (uint8_t)row->number); return;
	case LW_CHANGE_NO_CFLIST: no_cflist(region); return;
	case LW_CHANGE_NO_MASK_BANKS:
		region->mask_cntls[5] = (struct lw_mask_cntl){.action = LW_MASK_RFU};
		return;
	case LW_CHANGE_NO_TX_PARAM: no_tx_param(region); return;
	case LW_CHANGE_COUNT: break;
	}
	ASSERT(!"a change that nobody makes");
}

void lw_region_revise(struct lw_region *region, enum lw_regional_revision revision)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (is_about(&rows[i], region, revision))
			apply(region, &rows[i]);
}
