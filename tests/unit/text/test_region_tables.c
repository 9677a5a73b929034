/* Every region's file, read a second time by code of its own (tests/harness/region_sheet.h), against what the server made
 * of it: each channel, rate, power, payload, window and range, asked one by one through the server's own questions. The
 * expected values are computed here from the text; nothing of the server's reader is in between. */
#include "common/base/rng.h"
#include "common/lorawan/airtime.h"
#include "common/lorawan/channel_plan.h"
#include "common/text/region_yaml.h"
#include "tests/harness/harness.h"
#include "tests/harness/region_sheet.h"

#include <stdio.h>
#include <string.h>

static const char *const ids[] = {"as923-1",   "as923-2",   "as923-3",   "as923-4",     "au915", "cn470-20a",
				  "cn470-20b", "cn470-26a", "cn470-26b", "cn470-rp001", "cn779", "eu433",
				  "eu868",     "in865",     "ism2400",   "kr920",       "ru864", "us915"};

static struct t_sheet sheet;
static struct lw_region region;

static bool next(size_t i)
{
	if (i == ARRAY_SIZE(ids))
		return false;
	t_row(ids[i]);
	t_sheet_open(&sheet, ids[i]);
	assert_true(region_load(&region, ids[i]));
	return true;
}

static long cell(const char *row, const char *key)
{
	long value = 0;
	bool there = row && t_sheet_cell(row, key, &value);
	t_true(key, there);
	return value;
}

static long value(const char *section, const char *key)
{
	long number = 0;
	t_true(key, t_sheet_value(&sheet, section, key, &number));
	return number;
}

static const char *row_of(const char *section, const char *key, long number)
{
	char text[64];
	snprintf(text, sizeof text, "%s: %ld", key, number);
	return t_sheet_row(&sheet, section, (const char *const[]){text, NULL});
}

static size_t rows_in(const char *section)
{
	size_t count = 0;
	while (t_sheet_row_at(&sheet, section, count))
		count++;
	return count;
}

/* --- the plan as a whole --- */

static void every_region_is_here(void **state)
{
	(void)state;
	t_uint("files", region_source_count, ARRAY_SIZE(ids));
	for (size_t i = 0; next(i); i++) {
		t_str("id", region_sources[i].id, ids[i]);
		t_true("its id is its name", t_sheet_value_is(&sheet, "", "region_id", region.id));
		t_true("plan",
		       t_sheet_value_is(&sheet, "", "plan_type", lw_plan_type_name(region.plan_type)));
		t_true("status",
		       t_sheet_value_is(&sheet, "", "status", lw_region_status_name(region.status)));
		t_int("step", value("", "frequency_step_hz"), region.freq_step_hz);
		t_int("uplink channels", value("", "max_uplink_channels"), region.max_uplink_channels);
		t_int("downlink channels", value("", "max_downlink_channels"), region.max_downlink_channels);
		t_int("sync word", value("phy", "lora_sync_word"), region.lora_sync_word);
		t_int("preamble", value("phy", "lora_preamble_symbols"), region.lora_preamble_symbols);
		t_int("FSK's preamble", value("phy", "fsk_preamble_bytes"), region.fsk_preamble_bytes);
		t_int("NewChannelReq", value("mac_commands", "new_channel_req"), region.has_new_channel_req);
		t_int("DlChannelReq", value("mac_commands", "dl_channel_req"), region.has_dl_channel_req);
		t_int("TxParamSetupReq", value("mac_commands", "tx_param_setup_req"),
		      region.has_tx_param_setup_req);
		t_int("offsets", value("", "max_rx1_dr_offset"), region.max_rx1_dr_offset);
		t_int("ADR's highest rate", value("", "adr_max_dr"), region.adr_max_dr);
	}
}

static void times_and_limits(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		const struct lw_region_defaults *own = &region.defaults;
		const struct {
			const char *key;
			long got;
		} rows[] = {
			{"receive_delay1_s", own->receive_delay1_s},
			{"receive_delay2_s", own->receive_delay2_s},
			{"join_accept_delay1_s", own->join_accept_delay1_s},
			{"join_accept_delay2_s", own->join_accept_delay2_s},
			{"rx1_dr_offset", own->rx1_dr_offset},
			{"max_fcnt_gap", own->max_fcnt_gap},
			{"adr_ack_limit", own->adr_ack_limit},
			{"adr_ack_delay", own->adr_ack_delay},
			{"retransmit_timeout_min_s", own->retransmit_timeout_min_s},
			{"retransmit_timeout_max_s", own->retransmit_timeout_max_s},
			{"ping_slot_periodicity", own->ping_slot_periodicity},
			{"class_b_resp_timeout_s", own->class_b_resp_timeout_s},
			{"class_c_resp_timeout_s", own->class_c_resp_timeout_s},
			{"downlink_dwell_time", own->downlink_dwell_time},
		};
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			t_int(rows[k].key, value("defaults", rows[k].key), rows[k].got);
		t_int("dwell time", value("dwell_time", "limit_ms"), region.dwell.limit_ms);
		t_int("uplinks boot with it", value("dwell_time", "uplink_default"),
		      region.dwell.uplink_default);
		t_int("downlinks boot with it", value("dwell_time", "downlink_default"),
		      region.dwell.downlink_default);
		t_int("set by TxParamSetupReq", value("dwell_time", "set_by_tx_param_setup"),
		      region.dwell.set_by_tx_param_setup);
		t_int("listens before it talks", value("lbt", "required"), region.lbt.required);
		t_int("for", value("lbt", "carrier_sense_ms"), region.lbt.carrier_sense_ms);
		t_int("below", 100 * value("lbt", "threshold_dbm"), region.lbt.threshold_cdbm);
	}
}

/* --- channels --- */

static void channels_of(const char *section, const struct lw_channel *channels, size_t count)
{
	t_uint(section, rows_in(section), count);
	for (size_t i = 0; i < count; i++) {
		const char *row = row_of(section, "index", (long)i);
		if (!t_true("a row for each index", row))
			return;
		t_int("frequency", cell(row, "frequency_hz"), channels[i].freq_hz);
		t_int("bandwidth", cell(row, "bandwidth_hz"), channels[i].bandwidth_hz);
		t_int("lowest rate", cell(row, "min_dr"), channels[i].min_dr);
		t_int("highest rate", cell(row, "max_dr"), channels[i].max_dr);
	}
}

/* The short form of a list says the same as the list. */
static void formula_gives_the_list(const char *groups, const char *section)
{
	const char *group;
	size_t sum = 0;
	for (size_t n = 0; (group = t_sheet_row_at(&sheet, groups, n)) != NULL; n++) {
		long count = cell(group, "count");
		sum += (size_t)count;
		for (long k = 0; k < count; k++) {
			const char *row = row_of(section, "index", cell(group, "first_index") + k);
			t_int("formula", cell(group, "first_frequency_hz") + k * cell(group, "step_hz"),
			      cell(row, "frequency_hz"));
			t_int("formula: rates", cell(group, "max_dr"), cell(row, "max_dr"));
		}
	}
	t_uint("formula: channels", rows_in(section), sum);
}

static void channels(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		channels_of("uplink_channels", region.uplink_channels, region.uplink_channel_count);
		channels_of("downlink_channels", region.downlink_channels, region.downlink_channel_count);
		formula_gives_the_list("uplink_channel_groups", "uplink_channels");
		formula_gives_the_list("downlink_channel_groups", "downlink_channels");
		struct lw_channel_plan plan;
		lw_plan_init(&plan, &region);
		t_uint("a device begins with", rows_in("uplink_channels"), lw_mask_count(&plan.enabled));
		const char *row;
		for (size_t n = 0; (row = t_sheet_row_at(&sheet, "uplink_channels", n)) != NULL; n++) {
			uint32_t freq_hz = (uint32_t)cell(row, "frequency_hz");
			t_int("found by its frequency", cell(row, "index"),
			      lw_region_uplink_channel(&region, freq_hz));
			for (long dr = 0; dr < LW_DATA_RATES; dr++) {
				bool carries = dr >= cell(row, "min_dr") && dr <= cell(row, "max_dr");
				t_int("found by frequency and rate", carries ? cell(row, "index") : -1,
				      lw_plan_find_channel(&plan, &region, freq_hz, (uint8_t)dr, 0));
			}
		}
	}
}

static void joins(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		const char *row;
		t_uint("groups", rows_in("join_request_channel_groups"), region.join_group_count);
		for (size_t n = 0; (row = t_sheet_row_at(&sheet, "join_request_channel_groups", n)); n++) {
			const struct lw_channel_group *got = &region.join_groups[n];
			t_int("first", cell(row, "first_frequency_hz"), got->first_freq_hz);
			t_int("count", cell(row, "count"), got->count);
			t_int("step", cell(row, "step_hz"), got->step_hz);
			t_int("lowest rate", cell(row, "min_dr"), got->min_dr);
			t_int("highest rate", cell(row, "max_dr"), got->max_dr);
		}
		t_uint("common join channels", rows_in("join_request_channels"), region.join_channel_count);
		for (size_t n = 0; (row = t_sheet_row_at(&sheet, "join_request_channels", n)) != NULL; n++)
			for (long dr = cell(row, "min_dr"); dr <= cell(row, "max_dr"); dr++) {
				struct lw_rx_window rx1 = {0}, rx2 = {0};
				uint32_t freq_hz = (uint32_t)cell(row, "frequency_hz");
				t_true("windows",
				       lw_region_join_windows(&region, freq_hz, (uint8_t)dr, &rx1, &rx2));
				t_int("RX1", cell(row, "rx1_frequency_hz"), rx1.freq_hz);
				t_int("RX2", cell(row, "rx2_frequency_hz"), rx2.freq_hz);
				t_int("RX2's rate", value("rx2", "dr"), rx2.dr);
				t_int("index", cell(row, "common_join_channel_index"),
				      lw_region_join_channel(&region, freq_hz)->index);
			}
	}
}

/* --- receive windows --- */

/* −1: none. */
static long rx1_freq(long channel, long freq_hz)
{
	if (t_sheet_value_is(&sheet, "rx1_channel", "method", "same_frequency"))
		return freq_hz;
	bool modulo = t_sheet_value_is(&sheet, "rx1_channel", "method", "modulo");
	const char *row = row_of("downlink_channels", "index",
				 modulo ? channel % value("rx1_channel", "modulo") : channel);
	return row ? cell(row, "frequency_hz") : -1;
}

static bool is_downlink_rate(long dr)
{
	const char *row = row_of("data_rates", "index", dr);
	return row && cell(row, "downlink");
}

static long rx1_dr(long dwell, long up, size_t offset)
{
	char of_dwell[48], of_dr[48];
	bool own = t_sheet_row(&sheet, "rx1_dr_table", (const char *const[]){"downlink_dwell_time: 1", NULL});
	snprintf(of_dwell, sizeof of_dwell, "downlink_dwell_time: %ld", own ? dwell : 0);
	snprintf(of_dr, sizeof of_dr, "uplink_dr: %ld", up);
	const char *row = t_sheet_row(&sheet, "rx1_dr_table", (const char *const[]){of_dwell, of_dr, NULL});
	long dr;
	return row && t_sheet_item(row, "downlink_dr", offset, &dr) && is_downlink_rate(dr) ? dr : -1;
}

static void first_window(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		const char *row;
		for (size_t n = 0; (row = t_sheet_row_at(&sheet, "uplink_channels", n)) != NULL; n++) {
			long channel = cell(row, "index"), freq_hz = cell(row, "frequency_hz");
			uint32_t got = 0;
			bool has = lw_region_rx1_freq(&region, (uint8_t)channel, (uint32_t)freq_hz, &got);
			t_int("frequency", rx1_freq(channel, freq_hz), has ? (long)got : -1);
			struct lw_rx_window rx1, rx2;
			if (region.join_channel_count > 0)
				continue;
			has = lw_region_join_windows(&region, (uint32_t)freq_hz, (uint8_t)cell(row, "min_dr"),
						     &rx1, &rx2);
			t_int("of a join-accept", rx1_freq(channel, freq_hz), has ? (long)rx1.freq_hz : -1);
			t_int("its rate",
			      rx1_dr(value("dwell_time", "downlink_default"), cell(row, "min_dr"), 0),
			      has ? rx1.dr : -1);
			t_int("RX2 of a join-accept", value("rx2", "frequency_hz"), rx2.freq_hz);
		}
		for (long dwell = 0; dwell < 2; dwell++)
			for (long up = 0; up < LW_DATA_RATES; up++)
				for (size_t offset = 0; offset < 9; offset++) {
					uint8_t got;
					bool has = lw_region_rx1_dr(&region, (uint8_t)up, (uint8_t)offset,
								    dwell, &got);
					t_int("data rate", rx1_dr(dwell, up, offset), has ? got : -1);
				}
		t_int("RX2", value("rx2", "frequency_hz"), region.rx2.freq_hz);
		t_int("RX2's rate", value("rx2", "dr"), region.rx2.dr);
		t_true("a rate of the region", is_downlink_rate(region.rx2.dr));
	}
}

/* --- data rates, powers, payloads --- */

static struct lw_modulation modulation_of(const char *row)
{
	struct lw_modulation of = {.kind = LW_LORA};
	if (t_sheet_has(row, "modulation: \"fsk\"")) {
		of.kind = LW_FSK;
		of.bit_rate_bps = (uint32_t)cell(row, "bit_rate_bps");
	} else if (t_sheet_has(row, "modulation: \"lr_fhss\"")) {
		of.kind = LW_LR_FHSS;
		of.bandwidth_hz = (uint32_t)cell(row, "occupied_channel_width_hz");
		snprintf(of.code_rate, sizeof of.code_rate,
			 t_sheet_has(row, "coding_rate: \"1/3\"") ? "1/3" : "2/3");
	} else {
		of.spreading_factor = (uint8_t)cell(row, "spreading_factor");
		of.bandwidth_hz = (uint32_t)cell(row, "bandwidth_hz");
	}
	return of;
}

static void data_rate(long dr, bool down)
{
	const struct lw_data_rate *got = lw_region_data_rate(&region, down ? LW_DOWN : LW_UP, (uint8_t)dr);
	const char *row = row_of("data_rates", "index", dr);
	if (!row || !cell(row, down ? "downlink" : "uplink")) {
		t_true("not defined", got == NULL);
		return;
	}
	if (!t_true("defined", got))
		return;
	struct lw_modulation expected = modulation_of(row);
	uint8_t found = 255;
	t_int("modulation", expected.kind, got->modulation.kind);
	t_int("spreading factor", expected.spreading_factor, got->modulation.spreading_factor);
	t_int("bandwidth", expected.bandwidth_hz, got->modulation.bandwidth_hz);
	t_int("bit rate", cell(row, "bit_rate_bps"), got->bit_rate_bps);
	if (expected.kind == LW_LR_FHSS) {
		t_str("code rate", expected.code_rate, got->modulation.code_rate);
		t_int("grid", cell(row, "grid_step_hz"), got->grid_step_hz);
	}
	if (expected.kind == LW_FSK)
		t_int("deviation", cell(row, "frequency_deviation_hz"), got->modulation.freq_deviation_hz);
	t_true("found by how it was heard",
	       lw_region_find_dr(&region, down ? LW_DOWN : LW_UP, &expected, &found));
	t_int("found", dr, found);
}

static void data_rates(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++)
		for (long dr = 0; dr < LW_DATA_RATES; dr++) {
			data_rate(dr, false);
			data_rate(dr, true);
		}
}

static void powers(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		long most = 0, offset;
		t_true("given", t_sheet_value_hundredths(&sheet, "", "default_max_eirp_dbm", &most));
		t_int("most", most, region.default_max_eirp_cdbm);
		for (long index = 0; index < LW_TX_POWERS; index++) {
			const char *row = row_of("tx_power", "index", index);
			int16_t got = 0;
			bool has = lw_region_tx_power_cdbm(&region, (uint8_t)index, (int16_t)most, &got);
			t_int("defined", row != NULL, has);
			if (row && t_sheet_cell_hundredths(row, "offset_db", &offset))
				t_int("EIRP", most + offset, got);
		}
	}
}

static const char *payload_row(bool repeater, int dwell, long dr)
{
	char of_dwell[32], of_dr[32];
	snprintf(of_dwell, sizeof of_dwell, "dwell_time: %d", dwell);
	snprintf(of_dr, sizeof of_dr, "dr: %ld", dr);
	return t_sheet_row(
		&sheet, "max_payload_sizes",
		(const char *const[]){repeater ? "repeater_compatible: true" : "repeater_compatible: false",
				      of_dwell, dr < 0 ? of_dwell : of_dr, NULL});
}

static void payloads(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++)
		for (int repeater = 0; repeater < 2; repeater++)
			for (int dwell = 0; dwell < 2; dwell++)
				for (long dr = 0; dr < LW_DATA_RATES; dr++) {
					bool own = payload_row(repeater, 1, -1) != NULL;
					const char *row = payload_row(repeater, own ? dwell : 0, dr);
					struct lw_max_payload got = lw_region_max_payload(
						&region, (uint8_t)dr, dwell, repeater);
					t_int("M", row ? cell(row, "m") : 0, got.m);
					t_int("N", row ? cell(row, "n") : 0, got.n);
					if (got.m > 0)
						t_int("N is M less eight bytes", got.m - 8, got.n);
				}
}

/* The figures of the literature, by data rate: FSK at 50 kbit/s, LR-FHSS to the bit. */
static void airtimes(void **state)
{
	(void)state;
	static const struct {
		const char *name; /* a cell of the rate's row */
		uint32_t us[3];   /* of 13, 23 and 51 bytes */
	} rows[] = {
		{"modulation: \"fsk\"", {3840, 5440, 9920}},
		{"coding_rate: \"1/3\"", {1507328, 2019328, 3452928}},
		{"coding_rate: \"2/3\"", {870400, 1128448, 1845248}},
	};
	static const size_t lengths[] = {13, 23, 51};
	unsigned found[ARRAY_SIZE(rows)] = {0};
	for (size_t i = 0; next(i); i++)
		for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
			for (uint8_t dr = 0; dr < LW_DATA_RATES; dr++) {
				const char *row = row_of("data_rates", "index", dr);
				const struct lw_data_rate *rate = lw_region_data_rate(&region, LW_UP, dr);
				if (!row || !rate || !t_sheet_has(row, rows[k].name))
					continue;
				found[k]++;
				for (size_t n = 0; n < ARRAY_SIZE(lengths); n++)
					t_uint(rows[k].name, rows[k].us[n],
					       lw_airtime_us(&rate->modulation, LW_UP, lengths[n]));
			}
	t_row("rates of these kinds in all regions");
	t_uint("FSK", 13, found[0]);
	t_uint("LR-FHSS 1/3", 4, found[1]);
	t_uint("LR-FHSS 2/3", 3, found[2]);
}

/* --- frequencies --- */

static bool in_ranges(long freq_hz, const char *applies)
{
	const char *row;
	for (size_t i = 0; (row = t_sheet_row_at(&sheet, "frequency_ranges", i)) != NULL; i++) {
		long step = cell(row, "grid_step_hz");
		if ((t_sheet_has(row, applies) || t_sheet_has(row, "applies_to: \"uplink_downlink\"")) &&
		    freq_hz >= cell(row, "min_hz") && freq_hz <= cell(row, "max_hz") &&
		    (step == 0 || (freq_hz - cell(row, "grid_first_hz")) % step == 0))
			return true;
	}
	return false;
}

/* The narrowest sub-band that holds it. */
static const char *band_of(long freq_hz)
{
	const char *row, *best = NULL;
	long width = 0;
	for (size_t i = 0; (row = t_sheet_row_at(&sheet, "sub_bands", i)) != NULL; i++) {
		long low = cell(row, "min_hz"), high = cell(row, "max_hz");
		if (freq_hz < low || freq_hz > high || (best && high - low >= width))
			continue;
		width = high - low;
		best = row;
	}
	return best;
}

static void judge_frequency(long freq_hz)
{
	uint32_t hz = (uint32_t)freq_hz;
	t_int("uplinks there", in_ranges(freq_hz, "applies_to: \"uplink\""),
	      lw_region_freq_ok(&region, LW_UP, hz));
	t_int("downlinks there", in_ranges(freq_hz, "applies_to: \"downlink\""),
	      lw_region_freq_ok(&region, LW_DOWN, hz));
	const char *row = band_of(freq_hz);
	int band = lw_region_sub_band(&region, hz);
	t_int("in a sub-band", row != NULL, band >= 0);
	long eirp = 0;
	t_true("EIRP", row ? t_sheet_cell_hundredths(row, "max_eirp_dbm", &eirp)
			   : t_sheet_value_hundredths(&sheet, "", "default_max_eirp_dbm", &eirp));
	t_int("EIRP", eirp, lw_region_max_eirp_cdbm(&region, hz));
	if (row && band >= 0)
		t_int("duty cycle", cell(row, "duty_cycle_permille"),
		      region.sub_bands[band].duty_cycle_permille);
}

/* Round each edge to the step, and all over the band. */
static void frequencies(void **state)
{
	(void)state;
	static const char *const sections[] = {"frequency_ranges", "sub_bands"};
	for (size_t i = 0; next(i); i++) {
		long step = value("", "frequency_step_hz"), low = INT64_MAX, high = 0;
		const char *row;
		for (size_t s = 0; s < ARRAY_SIZE(sections); s++)
			for (size_t n = 0; (row = t_sheet_row_at(&sheet, sections[s], n)) != NULL; n++)
				for (long k = -2; k <= 2; k++) {
					long min = cell(row, "min_hz"), max = cell(row, "max_hz");
					judge_frequency(min + k * step);
					judge_frequency(max + k * step);
					low = min < low ? min : low;
					high = max > high ? max : high;
				}
		for (long hz = low - 500000; hz <= high + 500000; hz += (high - low) / 1000 / step * step)
			judge_frequency(hz);
	}
}

/* --- class B --- */

static long hop(const char *section, long step, long join_channel)
{
	long span = 1, first = 0, hz = 0;
	bool by_join = t_sheet_value(&sheet, section, "channels_per_join_channel", &span);
	if (by_join)
		first = (join_channel - value(section, "first_join_channel")) * span;
	bool hopping = t_sheet_value_is(&sheet, section, "method", "hopping") ||
		       t_sheet_value_is(&sheet, section, "method", "hopping_by_join_channel");
	if (hopping && !by_join)
		for (span = 0; t_sheet_value_item(&sheet, section, "frequencies_hz", (size_t)span, &hz);)
			span++;
	t_true("a frequency", t_sheet_value_item(&sheet, section, "frequencies_hz",
						 (size_t)(first + (hopping ? step % span : 0)), &hz));
	return hz;
}

static void class_b(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		long joins_here = (long)rows_in("join_request_channels");
		long first = 0;
		(void)t_sheet_value(&sheet, "beacon", "first_join_channel", &first);
		for (long join = first; join < first + (joins_here > 0 ? joins_here : 1); join++)
			for (long period = 0; period < 20; period++)
				for (long addr = 3; addr < 0xffffffff; addr += 0x1fffffd3) {
					long time_s = period * 128;
					t_int("beacon", hop("beacon", period, join),
					      lw_region_beacon_freq(&region, (uint32_t)time_s,
								    (uint8_t)join));
					t_int("ping slot", hop("ping_slot", addr + period, join),
					      lw_region_ping_freq(&region,
								  (struct lw_dev_addr){(uint32_t)addr},
								  (uint32_t)time_s, (uint8_t)join));
				}
		t_int("beacon's rate", value("beacon", "dr"), region.beacon.hop.dr);
		t_int("beacon's spreading factor", value("beacon", "spreading_factor"),
		      region.beacon.modulation.spreading_factor);
		t_int("beacon's bandwidth", value("beacon", "bandwidth_hz"),
		      region.beacon.modulation.bandwidth_hz);
		t_int("ping slot's rate", value("ping_slot", "dr"), region.ping_slot.dr);
		t_int("period", value("beacon", "period_s"), region.beacon.period_s);
		t_int("preamble", value("beacon", "preamble_symbols"), region.beacon.preamble_symbols);
		t_int("bytes", value("beacon", "total_bytes"), region.beacon.total_bytes);
		t_int("RFU1", value("beacon", "rfu1_bytes"), region.beacon.rfu1_bytes);
		t_int("RFU2", value("beacon", "rfu2_bytes"), region.beacon.rfu2_bytes);
		t_int("polarity", value("beacon", "inverted_polarity"), region.beacon.inverted_polarity);
	}
}

/* --- relays --- */

static void wake_on_radio(void **state)
{
	(void)state;
	for (size_t i = 0; next(i); i++) {
		t_uint("channels", rows_in("relay_wor_channels"), region.wor_channel_count);
		for (size_t n = 0; n < region.wor_channel_count; n++) {
			const char *row = t_sheet_row_at(&sheet, "relay_wor_channels", n);
			t_int("frequency", cell(row, "frequency_hz"), region.wor_channels[n].freq_hz);
			t_int("acknowledged at", cell(row, "ack_frequency_hz"),
			      region.wor_channels[n].ack_freq_hz);
			t_int("rate", cell(row, "dr"), region.wor_channels[n].dr);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_region_is_here),
		t_test(times_and_limits),
		t_test(channels),
		t_test(joins),
		t_test(first_window),
		t_test(data_rates),
		t_test(powers),
		t_test(payloads),
		t_test(airtimes),
		t_test(frequencies),
		t_test(class_b),
		t_test(wake_on_radio),
	};
	return t_run(tests);
}
