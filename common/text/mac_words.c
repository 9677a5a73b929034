/* Numbers of MAC commands into words. What a number means is an enum of the field's row, interpreted here and nowhere else. */
#include "common/text/mac_words.h"

#include "common/text/mac_words_rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct mac_command_words *mac_words_command(const struct lw_mac_row *row)
{
	size_t count;
	const struct mac_command_words *rows = mac_words_commands(&count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].command, row->name) == 0)
			return &rows[i];
	return NULL;
}

const struct mac_field_words *mac_words_field(const struct lw_mac_row *row, const struct lw_mac_field *field)
{
	size_t count;
	const struct mac_field_words *rows = mac_words_fields(&count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].field, field->name) == 0 &&
		    (!rows[i].command || strcmp(rows[i].command, row->name) == 0))
			return &rows[i];
	return NULL;
}

__attribute__((format(printf, 2, 3))) static void put(char text[MAC_WORDS_MAX], const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text + used, MAC_WORDS_MAX - used, format, arguments);
	va_end(arguments);
}

/* Tenths and less only where there are any: 125000, 1000 → "125"; 867100000, 1000000 → "867.1". */
static void put_scaled(char text[MAC_WORDS_MAX], uint32_t value, uint32_t scale)
{
	put(text, "%" PRIu32, value / scale);
	uint32_t rest = value % scale;
	if (rest == 0)
		return;
	put(text, ".");
	for (scale /= 10; rest > 0 && scale > 0; rest %= scale, scale /= 10)
		put(text, "%" PRIu32, rest / scale);
}

const char *mac_words_freq(char text[MAC_WORDS_MAX], uint32_t freq_hz)
{
	text[0] = '\0';
	put_scaled(text, freq_hz, 1000000);
	put(text, " MHz");
	return text;
}

const char *mac_words_data_rate(char text[MAC_WORDS_MAX], const struct lw_region *region,
				enum lw_direction direction, unsigned dr)
{
	text[0] = '\0';
	if (!region)
		return text;
	const struct lw_data_rate *rate = lw_region_data_rate(region, direction, (uint8_t)dr);
	if (!rate) {
		put(text, "no %s data rate of %s", direction == LW_UP ? "uplink" : "downlink", region->id);
		return text;
	}
	const struct lw_modulation *modulation = &rate->modulation;
	switch (modulation->kind) {
	case LW_LORA:
		put(text, "SF%u, ", modulation->spreading_factor);
		put_scaled(text, modulation->bandwidth_hz, 1000);
		put(text, " kHz");
		break;
	case LW_FSK:
		put(text, "FSK, ");
		put_scaled(text, modulation->bit_rate_bps, 1000);
		put(text, " kbit/s");
		break;
	case LW_LR_FHSS:
		put(text, "LR-FHSS, ");
		put_scaled(text, modulation->bandwidth_hz, 1000);
		put(text, " kHz, %s", modulation->code_rate);
		break;
	}
	return text;
}

const char *mac_words_channels(char text[MAC_WORDS_MAX], uint32_t bits, unsigned first)
{
	text[0] = '\0';
	for (unsigned bit = 0; bit < 32; bit++) {
		if (!(bits >> bit & 1))
			continue;
		unsigned last = bit;
		while (last < 31 && (bits >> (last + 1) & 1))
			last++;
		put(text, "%s%u", text[0] ? ", " : "", first + bit);
		if (last > bit)
			put(text, "-%u", first + last);
		bit = last;
	}
	if (!text[0])
		put(text, "none");
	return text;
}

/* Region's rule for the pair ChMaskCntl and ChMask (RP002 per region). */
static void channel_mask(char text[MAC_WORDS_MAX], const struct lw_region *region, unsigned cntl,
			 uint32_t mask)
{
	const struct lw_mask_cntl *rule = &region->mask_cntls[cntl % LW_CH_MASK_CNTLS];
	char channels[MAC_WORDS_MAX];
	switch (rule->action) {
	case LW_MASK_RFU: put(text, "no meaning in %s: a device rejects it", region->id); return;
	case LW_MASK_16:
		put(text, "of channels %u to %u on: %s", rule->first_channel,
		    rule->first_channel + rule->channel_count - 1u,
		    mac_words_channels(channels, mask & (UINT32_MAX >> (32 - rule->channel_count)),
				       rule->first_channel));
		return;
	case LW_MASK_ALL_DEFINED_ON:
		put(text, "every channel that the device knows on; ChMask ignored");
		return;
	case LW_MASK_ALL_ON: put(text, "all channels on; ChMask ignored"); return;
	case LW_MASK_ALL_OFF: put(text, "all channels off; ChMask ignored"); return;
	case LW_MASK_125_ON_MASK_500:
	case LW_MASK_125_OFF_MASK_500:
		put(text, "channels 0 to 63 %s, of 64 to 71 on: %s",
		    rule->action == LW_MASK_125_ON_MASK_500 ? "on" : "off",
		    mac_words_channels(channels, mask & 0xff, 64));
		return;
	case LW_MASK_BANKS:
		put(text, "banks of 8 channels with their 500 kHz channel on: %s",
		    mac_words_channels(channels, mask & 0xff, 0));
		return;
	}
}

static void mask_control(char text[MAC_WORDS_MAX], const struct lw_mask_cntl *rule)
{
	switch (rule->action) {
	case LW_MASK_RFU: put(text, "no meaning in this region"); break;
	case LW_MASK_16:
		put(text, "ChMask is for channels %u to %u", rule->first_channel,
		    rule->first_channel + rule->channel_count - 1u);
		break;
	case LW_MASK_125_ON_MASK_500:
	case LW_MASK_125_OFF_MASK_500: put(text, "ChMask is for the 500 kHz channels"); break;
	case LW_MASK_BANKS: put(text, "ChMask is for banks of channels"); break;
	case LW_MASK_ALL_DEFINED_ON:
	case LW_MASK_ALL_ON:
	case LW_MASK_ALL_OFF: put(text, "all channels at once"); break;
	}
}

static void tx_power(char text[MAC_WORDS_MAX], const struct lw_region *region, unsigned index)
{
	int16_t eirp_cdbm;
	if (index == 15) {
		put(text, "keeps what it has (1.0.4)");
	} else if (region && lw_region_tx_power_cdbm(region, (uint8_t)index, region->default_max_eirp_cdbm,
						     &eirp_cdbm)) {
		put(text, "%d dB below the device's highest EIRP",
		    (region->default_max_eirp_cdbm - eirp_cdbm) / 100);
		put(text, ": %d.%02d dBm EIRP by default", eirp_cdbm / 100,
		    eirp_cdbm % 100 < 0 ? -(eirp_cdbm % 100) : eirp_cdbm % 100);
	} else if (region) {
		put(text, "no TXPower of %s", region->id);
	}
}

static void up_dr(char text[MAC_WORDS_MAX], const struct lw_region *region, const struct lw_mac_row *row,
		  unsigned dr)
{
	if (row->cid == LW_CID_LINK_ADR && dr == 15)
		put(text, "keeps what it has (1.0.4)");
	else
		mac_words_data_rate(text, region, LW_UP, dr);
}

static void frequency(char text[MAC_WORDS_MAX], int64_t value, const char *zero)
{
	if (value == 0)
		put(text, "%s", zero);
	else
		mac_words_freq(text, (uint32_t)value);
}

/* One of a few names, by number. */
static void named(char text[MAC_WORDS_MAX], int64_t value, const char *const *names, int64_t count)
{
	put(text, "%s", value < count ? names[value] : "no meaning");
}

/* What relay commands hold (TS011 §6). */
static void relay_value(char text[MAC_WORDS_MAX], enum mac_meaning meaning, int64_t value)
{
	static const char *const on_off[] = {"off", "on"};
	static const char *const cad[] = {"every 1 s",    "every 500 ms", "every 250 ms",
					  "every 100 ms", "every 50 ms",  "every 20 ms"};
	static const char *const offset[] = {"0 kHz",   "200 kHz",  "400 kHz",
					     "800 kHz", "1600 kHz", "3200 kHz"};
	static const char *const mode[] = {"never", "always", "dynamic", "the device decides"};
	static const char *const level[] = {
		"after 8 uplinks without a downlink", "after 16 uplinks without a downlink",
		"after 32 uplinks without a downlink", "after 64 uplinks without a downlink"};
	static const char *const filter[] = {"no rule", "forward", "filter out"};
	static const char *const list[] = {"read the counter", "remove the entry"};
	static const char *const bucket[] = {"1 times the reload rate", "2 times the reload rate",
					     "4 times the reload rate", "12 times the reload rate"};
	switch (meaning) {
	case MAC_MEANS_ON_OFF: named(text, value, on_off, 2); break;
	case MAC_MEANS_CAD_PERIOD: named(text, value, cad, 6); break;
	case MAC_MEANS_ACK_OFFSET: named(text, value, offset, 6); break;
	case MAC_MEANS_RELAY_MODE: named(text, value, mode, 4); break;
	case MAC_MEANS_SMART_LEVEL: named(text, value, level, 4); break;
	case MAC_MEANS_FILTER_ACTION: named(text, value, filter, 3); break;
	case MAC_MEANS_LIST_ACTION: named(text, value, list, 2); break;
	case MAC_MEANS_BUCKET: named(text, value, bucket, 4); break;
	case MAC_MEANS_RELOAD_63:
	case MAC_MEANS_RELOAD_127:
		put(text, value == (meaning == MAC_MEANS_RELOAD_63 ? 63 : 127) ? "no limit" : "an hour");
		break;
	case MAC_MEANS_ADDRESS: put(text, "%08" PRIx32, (uint32_t)value); break;
	case MAC_MEANS_WOR_SNR: put(text, "%d dB", (int)value - 20); break;
	case MAC_MEANS_WOR_RSSI: put(text, "%d dBm", -15 - (int)value); break;
	default: break;
	}
}

static void number_value(char text[MAC_WORDS_MAX], enum mac_meaning meaning, int64_t value)
{
	switch (meaning) {
	case MAC_MEANS_COUNT_MINOR: put(text, "LoRaWAN 1.%d", (int)value); break;
	case MAC_MEANS_CLASS: put(text, value == 0 ? "class A" : value == 2 ? "class C" : "RFU"); break;
	case MAC_MEANS_ACK: put(text, value ? "accepted" : "refused"); break;
	case MAC_MEANS_BATTERY:
		if (value == 0)
			put(text, "external power");
		else if (value == 255)
			put(text, "cannot tell");
		else
			put(text, "%d %% of full", (int)(value * 100 / 254));
		break;
	case MAC_MEANS_MARGIN_DB: put(text, "dB above what is needed"); break;
	case MAC_MEANS_GATEWAYS: put(text, value == 1 ? "gateway" : "gateways"); break;
	case MAC_MEANS_NB_TRANS:
		put(text, value == 0   ? "keeps what it has"
			  : value == 1 ? "each frame once"
				       : "times each frame");
		break;
	case MAC_MEANS_DUTY_CYCLE:
		if (value == 0)
			put(text, "no limit of the network's");
		else
			put(text, "1/%d of the time", 1 << value);
		break;
	case MAC_MEANS_DELAY_S: put(text, "%d s", value == 0 ? 1 : (int)value); break;
	case MAC_MEANS_EIRP: put(text, "%d dBm", lw_max_eirp_dbm((uint8_t)value)); break;
	case MAC_MEANS_DWELL: put(text, value ? "at most 400 ms" : "no limit"); break;
	case MAC_MEANS_POWER_OF_TWO: put(text, "%" PRId64 " uplinks", INT64_C(1) << value); break;
	case MAC_MEANS_GPS_S: put(text, "s since 6 January 1980 (GPS)"); break;
	case MAC_MEANS_FRACTION: put(text, "%d ms", (int)(value * 1000 / 256)); break;
	case MAC_MEANS_REJOIN_PERIOD: put(text, "again after %d s and a random time", 32 << value); break;
	case MAC_MEANS_REJOIN_TYPE: put(text, value == 2 ? "type 2" : value < 2 ? "type 0" : "RFU"); break;
	case MAC_MEANS_REJOIN_TIME: put(text, "every %" PRId64 " s", INT64_C(1) << (value + 10)); break;
	case MAC_MEANS_REJOIN_COUNT: put(text, "every %" PRId64 " uplinks", INT64_C(1) << (value + 4)); break;
	case MAC_MEANS_PING_PERIOD: put(text, "a window every %d s", 1 << value); break;
	case MAC_MEANS_BEACON_DELAY: put(text, "%d to %d ms", (int)value * 30, ((int)value + 1) * 30); break;
	default: relay_value(text, meaning, value);
	}
}

const char *mac_words_value(char text[MAC_WORDS_MAX], const struct lw_mac_command *command,
			    const struct lw_mac_row *row, const struct lw_mac_field *field,
			    const struct lw_region *region)
{
	const struct mac_field_words *words = mac_words_field(row, field);
	text[0] = '\0';
	if (!words)
		return text;
	if (field->kind == LW_MAC_BYTES) {
		put(text, words->meaning == MAC_MEANS_SECRET ? "a key, not shown"
							     : "the first bytes of JoinEUI, DevEUI");
		return text;
	}
	int64_t value = lw_mac_field_get(command, field);
	switch (words->meaning) {
	case MAC_MEANS_UP_DR: up_dr(text, region, row, (unsigned)value); break;
	case MAC_MEANS_DOWN_DR: mac_words_data_rate(text, region, LW_DOWN, (unsigned)value); break;
	case MAC_MEANS_TX_POWER: tx_power(text, region, (unsigned)value); break;
	case MAC_MEANS_CH_MASK:
		if (region)
			channel_mask(text, region, command->as.link_adr_req.ch_mask_cntl, (uint32_t)value);
		break;
	case MAC_MEANS_CH_MASK_CNTL:
		if (region)
			mask_control(text, &region->mask_cntls[value % LW_CH_MASK_CNTLS]);
		break;
	case MAC_MEANS_RX1_OFFSET:
		if (region && value > region->max_rx1_dr_offset)
			put(text, "more than %s allows", region->id);
		break;
	case MAC_MEANS_FREQ: frequency(text, value, "none"); break;
	case MAC_MEANS_FREQ_DEFAULT: frequency(text, value, "back to the region's own"); break;
	case MAC_MEANS_FREQ_REMOVES: frequency(text, value, "the channel is removed"); break;
	default: number_value(text, words->meaning, value);
	}
	return text;
}
