/* Events: protobuf-c reads the body into the caller's scratch memory, then each member is checked in the order in which a person would
 * explain it. Nothing of protobuf-c leaves this file and chirpstack_down.c. */
#include "gateway-bridge/chirpstack.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "gateway-bridge/chirpstack_gw.pb-c.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NANOS         1000000000
#define GPS_S_MAX     (INT64_C(1) << 33) /* some centuries */
#define UTC_2017_S    INT64_C(1483228800)
#define RSSI_MAX      1000 /* as rxpk's */
#define SNR_MAX       300
#define BANDWIDTH_HZ  7800, 2000000
#define XTIME_CONTEXT 16 /* rctx, xtime: 8 bytes each */
#define TICKS_CONTEXT 4

/* --- topics --------------------------------------------------------------------------------------------------------- */

static bool is_lower_hex(const char *text, size_t length)
{
	return strspn(text, "0123456789abcdef") >= length;
}

/* A prefix goes into answers, addresses and logs as it is. */
static bool is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

static enum gb_chirpstack_kind kind_of(const char *words)
{
	static const char *const names[] = {[GB_CHIRPSTACK_UP] = "event/up",
					    [GB_CHIRPSTACK_STATS] = "event/stats",
					    [GB_CHIRPSTACK_ACK] = "event/ack",
					    [GB_CHIRPSTACK_CONN] = "state/conn"};
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(words, names[i]) == 0)
			return (enum gb_chirpstack_kind)i;
	return GB_CHIRPSTACK_OTHER;
}

/* Where the last `count` words of a topic begin; NULL: it has fewer. */
static const char *last_words(const char *topic, unsigned count)
{
	const char *at = topic + strlen(topic);
	for (unsigned slashes = 0; at > topic; at--) {
		slashes += at[-1] == '/';
		if (slashes == count)
			return at;
	}
	return count == 0 ? NULL : at;
}

enum gb_verdict gb_chirpstack_topic(const char *topic, struct gb_chirpstack_topic *out)
{
	static const char gateway[] = "gateway/";
	const size_t eui_digits = LW_EUI64_TEXT - 1;
	const char *words = last_words(topic, 4);
	size_t prefix = (size_t)(words - topic);
	if (strncmp(words, gateway, sizeof gateway - 1) != 0 || prefix > GB_CHIRPSTACK_PREFIX_MAX ||
	    !is_plain(topic, prefix))
		return GB_MQTT_TOPIC;
	const char *eui = words + sizeof gateway - 1;
	if (strlen(eui) <= eui_digits || !is_lower_hex(eui, eui_digits) || eui[eui_digits] != '/')
		return GB_MQTT_TOPIC;
	const char *name = eui + eui_digits + 1;
	if (strncmp(name, "event/", 6) != 0 && strncmp(name, "state/", 6) != 0)
		return GB_MQTT_TOPIC;
	struct gb_chirpstack_topic read = {.kind = kind_of(name)};
	char digits[LW_EUI64_TEXT] = "";
	memcpy(digits, eui, eui_digits);
	bool parsed = lw_eui64_parse(digits, &read.gateway);
	ASSERT(parsed);
	if (prefix > 0)
		memcpy(read.prefix, topic, prefix - 1);
	*out = read;
	return GB_ACCEPTED;
}

void gb_chirpstack_down_topic(char topic[GB_CHIRPSTACK_TOPIC_MAX], const char *prefix,
			      const struct lw_eui64 *gateway)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, gateway);
	snprintf(topic, GB_CHIRPSTACK_TOPIC_MAX, "%s%sgateway/%s/command/down", prefix, *prefix ? "/" : "",
		 eui);
}

/* --- bodies --------------------------------------------------------------------------------------------------------- */

static void *take(void *scratch, size_t size)
{
	return arena_alloc(scratch, size);
}

static void give(void *scratch, void *pointer)
{
	(void)scratch, (void)pointer;
}

/* Lends the message of this kind in `scratch`, or NULL with the reason. */
static void *unpack(struct arena *scratch, const ProtobufCMessageDescriptor *kind, const uint8_t *bytes,
		    size_t length, enum gb_verdict *verdict)
{
	ProtobufCAllocator allocator = {take, give, scratch};
	*verdict = GB_TOO_LONG;
	if (length > GB_CHIRPSTACK_BODY_MAX)
		return NULL;
	/* As protobuf a brace opens a group, which none of these messages has. */
	*verdict = GB_MQTT_JSON;
	if (length > 0 && bytes[0] == '{')
		return NULL;
	*verdict = GB_NOT_PROTOBUF;
	return protobuf_c_message_unpack(kind, &allocator, length, bytes);
}

static enum gb_verdict check_id(const char *id, const struct lw_eui64 *gateway)
{
	struct lw_eui64 eui;
	if (!*id)
		return GB_MISSING_MEMBER;
	return lw_eui64_parse(id, &eui) && lw_eui64_equal(&eui, gateway) ? GB_ACCEPTED : GB_ID_DIFFERS;
}

/* --- event/up ------------------------------------------------------------------------------------------------------- */

static const char *code_rate(uint32_t number)
{
	static const char *const names[] = {"",    "4/5", "4/6", "4/7",   "4/8",   "3/8",  "1/3",
					    "1/4", "1/6", "5/6", "4/5LI", "4/6LI", "4/8LI"};
	return number < ARRAY_SIZE(names) ? names[number] : "";
}

static bool is_between(uint32_t number, uint32_t min, uint32_t max)
{
	return number >= min && number <= max;
}

static enum gb_verdict read_modulation(const Chirpstack__Modulation *in, struct gb_rxpk *rxpk)
{
	struct lw_modulation *out = &rxpk->modulation;
	const char *rate = "";
	switch (in->how_case) {
	case CHIRPSTACK__MODULATION__HOW_LORA:
		*out = (struct lw_modulation){.kind = LW_LORA,
					      .spreading_factor = (uint8_t)in->lora->spreading_factor,
					      .bandwidth_hz = in->lora->bandwidth_hz};
		rate = code_rate(in->lora->code_rate);
		if (!is_between(in->lora->spreading_factor, 5, 12) ||
		    !is_between(in->lora->bandwidth_hz, BANDWIDTH_HZ))
			return GB_BAD_DATA_RATE;
		snprintf(rxpk->data_rate, sizeof rxpk->data_rate, "SF%uBW%u", out->spreading_factor,
			 out->bandwidth_hz / 1000);
		break;
	case CHIRPSTACK__MODULATION__HOW_FSK:
		*out = (struct lw_modulation){.kind = LW_FSK, .bit_rate_bps = in->fsk->bit_rate_bps};
		if (!is_between(in->fsk->bit_rate_bps, 1, 1000000))
			return GB_BAD_DATA_RATE;
		snprintf(rxpk->data_rate, sizeof rxpk->data_rate, "FSK%u", out->bit_rate_bps);
		break;
	case CHIRPSTACK__MODULATION__HOW_LR_FHSS:
		*out = (struct lw_modulation){.kind = LW_LR_FHSS,
					      .bandwidth_hz = in->lr_fhss->occupied_width_hz};
		rate = code_rate(in->lr_fhss->code_rate);
		if (!is_between(in->lr_fhss->occupied_width_hz, 1, 10000000))
			return GB_BAD_DATA_RATE;
		snprintf(rxpk->data_rate, sizeof rxpk->data_rate, "M0CW%u", out->bandwidth_hz / 1000);
		break;
	default: return GB_BAD_MODULATION;
	}
	snprintf(out->code_rate, sizeof out->code_rate, "%s", rate);
	snprintf(rxpk->coding_rate, sizeof rxpk->coding_rate, "%s", rate);
	return GB_ACCEPTED;
}

static bool is_span(const Chirpstack__Span *span)
{
	return span->seconds >= 0 && span->seconds < GPS_S_MAX && span->nanos >= 0 && span->nanos < NANOS;
}

/* The end of the reception in GPS time, or by a clock that the gateway vouches for, and the part of a second since its pulse. */
static enum gb_verdict read_times(const Chirpstack__UplinkRx *rx, struct gb_rxpk *rxpk)
{
	const Chirpstack__Instant *time = rx->gateway_time;
	if ((rx->gps_time && !is_span(rx->gps_time)) || (rx->fine_gps_time && !is_span(rx->fine_gps_time)) ||
	    (time && (time->nanos < 0 || time->nanos >= NANOS || time->seconds >= GPS_S_MAX ||
		      time->seconds < -GPS_S_MAX)))
		return GB_OUT_OF_RANGE;
	if (rx->gps_time) {
		rxpk->has_gps_time = true;
		rxpk->gps_time_us = rx->gps_time->seconds * US_PER_S + rx->gps_time->nanos / 1000;
	}
	if (time && time->seconds >= UTC_2017_S) {
		rxpk->has_utc = true;
		rxpk->utc.us = time->seconds * US_PER_S + time->nanos / 1000;
	}
	if (rx->fine_gps_time) {
		rxpk->has_fine_time = true;
		rxpk->fine_time_ns = (uint32_t)rx->fine_gps_time->nanos;
	}
	return GB_ACCEPTED;
}

static enum gb_verdict read_signal(const Chirpstack__UplinkRx *rx, struct gb_rxpk *rxpk)
{
	static const enum gw_crc crcs[] = {GW_CRC_NONE, GW_CRC_BAD, GW_CRC_OK};
	if (rx->rssi_dbm < -RSSI_MAX || rx->rssi_dbm > RSSI_MAX || rx->crc >= ARRAY_SIZE(crcs))
		return GB_OUT_OF_RANGE;
	rxpk->has_rssi = true; /* a zero is not on the wire, and is one */
	rxpk->rssi_dbm = (int16_t)rx->rssi_dbm;
	rxpk->crc = crcs[rx->crc];
	if (rxpk->modulation.kind != LW_LORA || isnan(rx->snr_db))
		return GB_ACCEPTED;
	if (fabsf(rx->snr_db) > SNR_MAX)
		return GB_OUT_OF_RANGE;
	rxpk->has_snr = true;
	rxpk->snr_cdb = (int16_t)lroundf(rx->snr_db * 100);
	return GB_ACCEPTED;
}

static void read_context(const ProtobufCBinaryData *in, struct gb_chirpstack_uplink *out)
{
	struct rd rd = rd_init(in->data, in->len);
	out->context_too_long = in->len > GB_CHIRPSTACK_CONTEXT_MAX;
	if (out->context_too_long)
		return;
	out->context.length = (uint8_t)in->len;
	if (in->len > 0)
		memcpy(out->context.bytes, in->data, in->len);
	out->has_ticks = in->len == TICKS_CONTEXT || in->len == XTIME_CONTEXT;
	if (in->len == XTIME_CONTEXT)
		(void)rd_take(&rd, XTIME_CONTEXT - TICKS_CONTEXT); /* rctx, and the upper half of xtime */
	if (out->has_ticks)
		out->rxpk.ticks.us = rd_u32be(&rd);
}

static enum gb_verdict read_uplink(const Chirpstack__Uplink *in, const struct lw_eui64 *gateway,
				   struct gb_chirpstack_uplink *out)
{
	struct gb_rxpk *rxpk = &out->rxpk;
	if (!in->rx || !in->tx || !in->tx->modulation)
		return GB_MISSING_MEMBER;
	enum gb_verdict verdict = check_id(in->rx->gateway_id, gateway);
	if (verdict == GB_ACCEPTED && in->phy_payload.len > LW_PHY_PAYLOAD_MAX)
		verdict = GB_TOO_LONG;
	if (verdict == GB_ACCEPTED && in->tx->frequency_hz == 0)
		verdict = GB_BAD_FREQUENCY;
	if (verdict == GB_ACCEPTED)
		verdict = read_modulation(in->tx->modulation, rxpk);
	if (verdict == GB_ACCEPTED)
		verdict = read_signal(in->rx, rxpk);
	if (verdict == GB_ACCEPTED)
		verdict = read_times(in->rx, rxpk);
	if (verdict != GB_ACCEPTED)
		return verdict;
	rxpk->freq_hz = in->tx->frequency_hz;
	rxpk->channel = in->rx->channel;
	rxpk->rf_chain = in->rx->rf_chain;
	rxpk->board = in->rx->board;
	rxpk->antenna = in->rx->antenna;
	rxpk->phy_length = (uint8_t)in->phy_payload.len;
	if (rxpk->phy_length > 0)
		memcpy(rxpk->phy, in->phy_payload.data, rxpk->phy_length);
	out->uplink_id = in->rx->uplink_id;
	read_context(&in->rx->context, out);
	return GB_ACCEPTED;
}

enum gb_verdict gb_chirpstack_uplink(struct arena *scratch, const uint8_t *bytes, size_t length,
				     const struct lw_eui64 *gateway, struct gb_chirpstack_uplink *out)
{
	size_t mark = scratch->used;
	enum gb_verdict verdict;
	const Chirpstack__Uplink *in = unpack(scratch, &chirpstack__uplink__descriptor, bytes, length,
					      &verdict);
	struct gb_chirpstack_uplink read = {.has_ticks = false};
	if (in)
		verdict = read_uplink(in, gateway, &read);
	if (verdict == GB_ACCEPTED)
		*out = read;
	scratch->used = mark;
	return verdict;
}

/* --- event/stats, state/conn, event/ack ----------------------------------------------------------------------------- */

static void copy_text(char out[GB_CHIRPSTACK_TEXT_MAX], const char *text)
{
	size_t length = 0;
	for (; length < GB_CHIRPSTACK_TEXT_MAX - 1 && text[length]; length++)
		out[length] = text[length] >= ' ' && text[length] <= '~' ? text[length] : '?';
	out[length] = 0;
}

/* What Concentratord tells of itself. */
static void read_metadata(const Chirpstack__Stats *in, struct gb_chirpstack_stats *out)
{
	const struct {
		const char *key;
		char *text;
	} rows[] = {
		{"model", out->model}, {"concentratord_version", out->program}, {"hal_version", out->hal}};
	for (size_t i = 0; i < in->n_metadata; i++)
		for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
			if (strcmp(in->metadata[i]->key, rows[r].key) == 0)
				copy_text(rows[r].text, in->metadata[i]->value);
}

/* 0/0 stands for no place here as well: proto3 has no other way to say none. */
static void read_place(const Chirpstack__Place *place, struct gw_stats *stats)
{
	if (!(fabs(place->latitude) <= 90) || !(fabs(place->longitude) <= 180) ||
	    (place->latitude == 0 && place->longitude == 0))
		return;
	stats->has_location = true;
	stats->latitude_deg = place->latitude;
	stats->longitude_deg = place->longitude;
	if (place->altitude >= -1000 && place->altitude <= 100000)
		stats->altitude_m = (int32_t)lround(place->altitude);
}

enum gb_verdict gb_chirpstack_stats(struct arena *scratch, const uint8_t *bytes, size_t length,
				    const struct lw_eui64 *gateway, struct gb_chirpstack_stats *out)
{
	size_t mark = scratch->used;
	enum gb_verdict verdict;
	const Chirpstack__Stats *in = unpack(scratch, &chirpstack__stats__descriptor, bytes, length,
					     &verdict);
	if (in)
		verdict = check_id(in->gateway_id, gateway);
	if (verdict == GB_ACCEPTED) {
		*out = (struct gb_chirpstack_stats){.stats = {.gateway = *gateway,
							      .has_counts = true,
							      .rx_received = in->rx_received,
							      .rx_ok = in->rx_received_ok,
							      .rx_forwarded = in->rx_received_ok,
							      .tx_received = in->tx_received,
							      .tx_emitted = in->tx_emitted}};
		if (in->place)
			read_place(in->place, &out->stats);
		read_metadata(in, out);
	}
	scratch->used = mark;
	return verdict;
}

enum gb_verdict gb_chirpstack_conn(struct arena *scratch, const uint8_t *bytes, size_t length,
				   const struct lw_eui64 *gateway, bool *online)
{
	size_t mark = scratch->used;
	enum gb_verdict verdict;
	const Chirpstack__Connection *in = unpack(scratch, &chirpstack__connection__descriptor, bytes, length,
						  &verdict);
	if (in)
		verdict = check_id(in->gateway_id, gateway);
	if (verdict == GB_ACCEPTED && in->state > 1)
		verdict = GB_OUT_OF_RANGE;
	if (verdict == GB_ACCEPTED)
		*online = in->state == 1;
	scratch->used = mark;
	return verdict;
}

enum gb_verdict gb_chirpstack_ack(struct arena *scratch, const uint8_t *bytes, size_t length,
				  const struct lw_eui64 *gateway, struct gb_chirpstack_ack *out)
{
	size_t mark = scratch->used;
	enum gb_verdict verdict;
	const Chirpstack__Ack *in = unpack(scratch, &chirpstack__ack__descriptor, bytes, length, &verdict);
	if (in)
		verdict = check_id(in->gateway_id, gateway);
	if (verdict == GB_ACCEPTED && in->n_items == 0)
		verdict = GB_MISSING_MEMBER;
	if (verdict == GB_ACCEPTED && in->n_items > GB_CHIRPSTACK_ITEMS_MAX)
		verdict = GB_OUT_OF_RANGE;
	if (verdict == GB_ACCEPTED) {
		*out = (struct gb_chirpstack_ack){.downlink_id = in->downlink_id, .count = in->n_items};
		for (size_t i = 0; i < in->n_items; i++)
			out->statuses[i] = in->items[i]->status;
	}
	scratch->used = mark;
	return verdict;
}
