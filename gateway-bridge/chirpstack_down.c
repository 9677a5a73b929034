/* Commands: generated structs on the stack borrow from the caller and are packed; and what the statuses of an acknowledgement mean. */
#include "gateway-bridge/chirpstack.h"

#include "common/base/check.h"
#include "gateway-bridge/chirpstack_gw.pb-c.h"

#include <stdio.h>
#include <string.h>

#define PREAMBLE 8 /* symbols, LoRa (TS001-1.0.4 §4) */

/* One item with all that hangs on it. */
struct parts {
	Chirpstack__DownlinkItem item;
	Chirpstack__DownlinkTx tx;
	Chirpstack__Modulation modulation;
	Chirpstack__Lora lora;
	Chirpstack__Fsk fsk;
	Chirpstack__Timing timing;
	Chirpstack__Immediately immediately;
	Chirpstack__Delay delay;
	Chirpstack__AtGpsTime at_gps_time;
	Chirpstack__Span span;
};

static ProtobufCBinaryData lend(const uint8_t *bytes, size_t length)
{
	return (ProtobufCBinaryData){.len = length, .data = (uint8_t *)(uintptr_t)bytes};
}

static uint32_t code_rate_number(const char *name)
{
	static const char *const names[] = {"4/5", "4/6", "4/7", "4/8"};
	for (uint32_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return i + 1;
	return 1;
}

static bool fill_modulation(struct parts *parts, const struct gw_tx_attempt *attempt)
{
	const struct lw_modulation *in = &attempt->modulation;
	chirpstack__modulation__init(&parts->modulation);
	switch (in->kind) {
	case LW_LORA:
		chirpstack__lora__init(&parts->lora);
		parts->lora.bandwidth_hz = in->bandwidth_hz;
		parts->lora.spreading_factor = in->spreading_factor;
		parts->lora.polarization_inversion = attempt->invert_polarity;
		parts->lora.code_rate = code_rate_number(in->code_rate);
		parts->lora.preamble = PREAMBLE;
		parts->lora.no_crc = true; /* TS001-1.0.4 §4: uplinks alone have one */
		parts->modulation.how_case = CHIRPSTACK__MODULATION__HOW_LORA;
		parts->modulation.lora = &parts->lora;
		return true;
	case LW_FSK:
		chirpstack__fsk__init(&parts->fsk);
		parts->fsk.bit_rate_bps = in->bit_rate_bps;
		parts->fsk.frequency_deviation_hz = in->freq_deviation_hz;
		parts->modulation.how_case = CHIRPSTACK__MODULATION__HOW_FSK;
		parts->modulation.fsk = &parts->fsk;
		return true;
	case LW_LR_FHSS: break;
	}
	return false;
}

static void fill_span(Chirpstack__Span *span, int64_t us)
{
	chirpstack__span__init(span);
	span->seconds = us / US_PER_S;
	span->nanos = (int32_t)(us % US_PER_S) * 1000;
}

static void fill_timing(struct parts *parts, const struct gb_chirpstack_item *item)
{
	chirpstack__timing__init(&parts->timing);
	switch (item->attempt->timing) {
	case GW_IMMEDIATELY:
		chirpstack__immediately__init(&parts->immediately);
		parts->timing.when_case = CHIRPSTACK__TIMING__WHEN_IMMEDIATELY;
		parts->timing.immediately = &parts->immediately;
		break;
	case GW_AT_TICKS:
		fill_span(&parts->span, item->delay_us);
		chirpstack__delay__init(&parts->delay);
		parts->delay.delay = &parts->span;
		parts->timing.when_case = CHIRPSTACK__TIMING__WHEN_DELAY;
		parts->timing.delay = &parts->delay;
		break;
	case GW_AT_GPS_TIME:
		fill_span(&parts->span, item->attempt->gps_time_us);
		chirpstack__at_gps_time__init(&parts->at_gps_time);
		parts->at_gps_time.gps_time = &parts->span;
		parts->timing.when_case = CHIRPSTACK__TIMING__WHEN_GPS_EPOCH;
		parts->timing.gps_epoch = &parts->at_gps_time;
		break;
	}
}

static bool fill_item(struct parts *parts, const struct gb_chirpstack_item *item, const uint8_t *phy,
		      size_t phy_length)
{
	const struct gw_tx_attempt *attempt = item->attempt;
	chirpstack__downlink_item__init(&parts->item);
	chirpstack__downlink_tx__init(&parts->tx);
	if (!fill_modulation(parts, attempt))
		return false;
	fill_timing(parts, item);
	parts->tx.frequency_hz = attempt->freq_hz;
	parts->tx.power_dbm = attempt->power_dbm;
	parts->tx.modulation = &parts->modulation;
	parts->tx.board = attempt->board;
	parts->tx.antenna = attempt->antenna;
	parts->tx.timing = &parts->timing;
	if (item->context)
		parts->tx.context = lend(item->context->bytes, item->context->length);
	parts->item.phy_payload = lend(phy, phy_length);
	parts->item.tx = &parts->tx;
	return true;
}

enum gb_verdict gb_chirpstack_down(uint32_t downlink_id, const struct lw_eui64 *gateway,
				   const struct gb_chirpstack_item *items, size_t count, const uint8_t *phy,
				   size_t phy_length, uint8_t *bytes, size_t *length)
{
	struct parts parts[GB_CHIRPSTACK_ITEMS_MAX];
	Chirpstack__DownlinkItem *list[GB_CHIRPSTACK_ITEMS_MAX];
	Chirpstack__Downlink down = CHIRPSTACK__DOWNLINK__INIT;
	char eui[LW_EUI64_TEXT];
	ASSERT(count > 0 && count <= GB_CHIRPSTACK_ITEMS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (!fill_item(&parts[i], &items[i], phy, phy_length))
			return GB_BEYOND_RADIO;
		list[i] = &parts[i].item;
	}
	lw_eui64_format(eui, gateway);
	down.downlink_id = downlink_id;
	down.n_items = count;
	down.items = list;
	down.gateway_id = eui;
	ASSERT_CMP(chirpstack__downlink__get_packed_size(&down), <=, GB_CHIRPSTACK_DOWN_ROOM);
	*length = chirpstack__downlink__pack(&down, bytes);
	return GB_ACCEPTED;
}

/* --- what a status says --------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum gw_tx_result result;
} statuses[] = {
	{"IGNORED", GW_TX_IGNORED},
	{"OK", GW_TX_OK},
	{"TOO_LATE", GW_TX_TOO_LATE},
	{"TOO_EARLY", GW_TX_TOO_EARLY},
	{"COLLISION_PACKET", GW_TX_COLLISION_PACKET},
	{"COLLISION_BEACON", GW_TX_COLLISION_BEACON},
	{"TX_FREQ", GW_TX_FREQ},
	{"TX_POWER", GW_TX_POWER},
	{"GPS_UNLOCKED", GW_TX_GPS_UNLOCKED},
	{"QUEUE_FULL", GW_TX_QUEUE_FULL},
	{"INTERNAL_ERROR", GW_TX_OTHER},
	{"DUTY_CYCLE_OVERFLOW", GW_TX_DUTY_CYCLE},
};

enum gw_tx_result gb_chirpstack_result(uint32_t status)
{
	return status < ARRAY_SIZE(statuses) ? statuses[status].result : GW_TX_OTHER;
}

void gb_chirpstack_status_text(uint32_t status, char text[GW_CAUSE_MAX])
{
	if (status < ARRAY_SIZE(statuses))
		snprintf(text, GW_CAUSE_MAX, "%s", statuses[status].name);
	else
		snprintf(text, GW_CAUSE_MAX, "STATUS_%u", status);
}

size_t gb_chirpstack_telling(const struct gb_chirpstack_ack *ack)
{
	size_t telling = 0;
	for (size_t i = 0; i < ack->count; i++) {
		if (gb_chirpstack_result(ack->statuses[i]) == GW_TX_OK)
			return i;
		if (gb_chirpstack_result(ack->statuses[i]) != GW_TX_IGNORED)
			telling = i;
	}
	return telling;
}
