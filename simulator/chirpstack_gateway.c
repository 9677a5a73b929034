/* Protobuf by hand: a field is a key (number << 3 | type) and a varint (type 0), eight bytes (1), bytes with their length (2) or four
 * bytes (5). proto3 leaves zeros out. A nested message is written to memory of its own first. */
#include "simulator/chirpstack_gateway.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

enum type { VARINT = 0, EIGHT = 1, BYTES = 2, FOUR = 5 };

/* --- writing -------------------------------------------------------------------------------------------------------- */

static void put_varint(struct wr *wr, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		wr_u8(wr, (uint8_t)(value | 0x80));
	wr_u8(wr, (uint8_t)value);
}

static void put_number(struct wr *wr, unsigned field, uint64_t value)
{
	if (value == 0)
		return;
	put_varint(wr, field << 3 | VARINT);
	put_varint(wr, value);
}

static void put_bytes(struct wr *wr, unsigned field, const uint8_t *bytes, size_t length)
{
	put_varint(wr, field << 3 | BYTES);
	put_varint(wr, length);
	wr_copy(wr, bytes, length);
}

static void put_text(struct wr *wr, unsigned field, const char *text)
{
	if (text && *text)
		put_bytes(wr, field, (const uint8_t *)text, strlen(text));
}

static void put_double(struct wr *wr, unsigned field, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	if (bits == 0)
		return;
	put_varint(wr, field << 3 | EIGHT);
	wr_u64le(wr, bits);
}

static void put_float(struct wr *wr, unsigned field, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	if (bits == 0)
		return;
	put_varint(wr, field << 3 | FOUR);
	wr_u32le(wr, bits);
}

/* Seconds and the rest of them: the form of both times and durations. */
static void put_time(struct wr *wr, unsigned field, int64_t ns)
{
	uint8_t bytes[32];
	struct wr inner = wr_init(bytes, sizeof bytes);
	if (ns == 0)
		return;
	put_number(&inner, 1, (uint64_t)(ns / 1000000000));
	put_number(&inner, 2, (uint64_t)(ns % 1000000000));
	put_bytes(wr, field, bytes, wr_length(&inner));
}

static void put_modulation(struct wr *wr, unsigned field, const struct sim_chirpstack_modulation *modulation)
{
	uint8_t how_bytes[64], bytes[80];
	struct wr how = wr_init(how_bytes, sizeof how_bytes), inner = wr_init(bytes, sizeof bytes);
	switch (modulation->kind) {
	case SIM_CHIRPSTACK_LORA:
		put_number(&how, 1, modulation->bandwidth_hz);
		put_number(&how, 2, modulation->spreading_factor);
		put_number(&how, 4, modulation->inverted);
		put_number(&how, 5, modulation->code_rate);
		break;
	case SIM_CHIRPSTACK_FSK:
		put_number(&how, 1, modulation->deviation_hz);
		put_number(&how, 2, modulation->bit_rate);
		break;
	case SIM_CHIRPSTACK_LR_FHSS:
		put_number(&how, 1, modulation->bandwidth_hz);
		put_number(&how, 4, modulation->code_rate);
		break;
	default: return; /* a test's: none */
	}
	put_bytes(&inner, (unsigned)modulation->kind, how_bytes, wr_length(&how));
	put_bytes(wr, field, bytes, wr_length(&inner));
}

size_t sim_chirpstack_write_up(uint8_t *bytes, const struct sim_chirpstack_up *up)
{
	uint8_t tx_bytes[128], rx_bytes[512];
	struct wr wr = wr_init(bytes, SIM_CHIRPSTACK_BODY_ROOM), tx = wr_init(tx_bytes, sizeof tx_bytes),
		  rx = wr_init(rx_bytes, sizeof rx_bytes);
	put_number(&tx, 1, up->freq_hz);
	put_modulation(&tx, 2, &up->modulation);
	put_text(&rx, 1, up->id);
	put_number(&rx, 2, up->uplink_id);
	put_time(&rx, 3, up->unix_time_us * 1000);
	put_time(&rx, 4, up->gps_time_us * 1000);
	put_time(&rx, 5, up->fine_time_ns);
	put_number(&rx, 6, (uint64_t)(int64_t)up->rssi_dbm); /* negative: ten bytes */
	put_float(&rx, 7, up->snr_db);
	put_number(&rx, 8, up->channel);
	put_number(&rx, 9, up->rf_chain);
	put_number(&rx, 10, up->board);
	put_number(&rx, 11, up->antenna);
	if (up->context_length > 0)
		put_bytes(&rx, 13, up->context, up->context_length);
	put_number(&rx, 16, up->crc);
	if (up->phy_length > 0)
		put_bytes(&wr, 1, up->phy, up->phy_length);
	put_bytes(&wr, 4, tx_bytes, wr_length(&tx));
	put_bytes(&wr, 5, rx_bytes, wr_length(&rx));
	ASSERT(wr_ok(&wr) && wr_ok(&tx) && wr_ok(&rx));
	return wr_length(&wr);
}

size_t sim_chirpstack_write_stats(uint8_t *bytes, const char *id, uint32_t rx, uint32_t rx_ok, uint32_t tx,
				  double latitude, double longitude, double altitude, const char *model)
{
	uint8_t inner_bytes[128];
	struct wr wr = wr_init(bytes, SIM_CHIRPSTACK_BODY_ROOM),
		  inner = wr_init(inner_bytes, sizeof inner_bytes);
	if (latitude != 0) {
		put_double(&inner, 1, latitude);
		put_double(&inner, 2, longitude);
		put_double(&inner, 3, altitude);
		put_bytes(&wr, 3, inner_bytes, wr_length(&inner));
	}
	put_number(&wr, 5, rx);
	put_number(&wr, 6, rx_ok);
	put_number(&wr, 7, tx);
	put_number(&wr, 8, tx);
	if (model) {
		inner = wr_init(inner_bytes, sizeof inner_bytes);
		put_text(&inner, 1, "model");
		put_text(&inner, 2, model);
		put_bytes(&wr, 10, inner_bytes, wr_length(&inner));
	}
	put_text(&wr, 17, id);
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

size_t sim_chirpstack_write_conn(uint8_t *bytes, const char *id, bool online)
{
	struct wr wr = wr_init(bytes, SIM_CHIRPSTACK_BODY_ROOM);
	put_number(&wr, 2, online);
	put_text(&wr, 3, id);
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

size_t sim_chirpstack_write_ack(uint8_t *bytes, const char *id, uint32_t downlink_id,
				const uint32_t *statuses, size_t count)
{
	struct wr wr = wr_init(bytes, SIM_CHIRPSTACK_BODY_ROOM);
	put_number(&wr, 2, downlink_id);
	for (size_t i = 0; i < count; i++) {
		uint8_t item_bytes[16];
		struct wr item = wr_init(item_bytes, sizeof item_bytes);
		put_number(&item, 1, statuses[i]);
		put_bytes(&wr, 5, item_bytes, wr_length(&item));
	}
	put_text(&wr, 6, id);
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

/* One field as it stands on the wire. */
struct field {
	unsigned number;
	enum type type;
	uint64_t value;  /* VARINT */
	struct rd bytes; /* BYTES */
	size_t length;   /* BYTES */
};

static uint64_t take_varint(struct rd *rd)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = rd_u8(rd);
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	rd_fail(rd);
	return 0;
}

static bool take_field(struct rd *rd, struct field *field)
{
	if (!rd_ok(rd) || rd_left(rd) == 0)
		return false;
	uint64_t key = take_varint(rd);
	*field = (struct field){.number = (unsigned)(key >> 3), .type = (enum type)(key & 7)};
	switch (field->type) {
	case VARINT: field->value = take_varint(rd); break;
	case EIGHT: (void)rd_u64le(rd); break;
	case FOUR: (void)rd_u32le(rd); break;
	case BYTES: {
		uint64_t length = take_varint(rd);
		if (length > rd_left(rd)) {
			rd_fail(rd);
			break;
		}
		field->length = (size_t)length;
		field->bytes = rd_init(rd_take(rd, field->length), field->length);
		break;
	}
	default: rd_fail(rd);
	}
	return rd_ok(rd);
}

static bool copy_bytes(const struct field *field, uint8_t *out, size_t room, size_t *length)
{
	struct rd rd = field->bytes;
	if (field->type != BYTES || field->length > room)
		return false;
	rd_copy(&rd, out, field->length);
	*length = field->length;
	return true;
}

static bool read_time(struct rd rd, int64_t *us)
{
	struct field field;
	int64_t seconds = 0, nanos = 0;
	while (take_field(&rd, &field)) {
		if (field.number == 1)
			seconds = (int64_t)field.value;
		else if (field.number == 2)
			nanos = (int64_t)field.value;
	}
	*us = seconds * 1000000 + nanos / 1000;
	return rd_ok(&rd) && nanos >= 0 && nanos < 1000000000;
}

static bool read_modulation(struct rd rd, struct sim_chirpstack_modulation *out)
{
	struct field how, field;
	while (take_field(&rd, &how)) {
		out->kind = how.number;
		while (take_field(&how.bytes, &field)) {
			uint32_t value = (uint32_t)field.value;
			bool fsk = how.number == SIM_CHIRPSTACK_FSK;
			switch (field.number) {
			case 1: *(fsk ? &out->deviation_hz : &out->bandwidth_hz) = value; break;
			case 2: *(fsk ? &out->bit_rate : &out->spreading_factor) = value; break;
			case 4: out->inverted = value; break;
			case 5: out->code_rate = value; break;
			case 6: out->preamble = value; break;
			case 7: out->no_crc = value; break;
			default: return false;
			}
		}
	}
	return rd_ok(&rd);
}

static bool read_timing(struct rd rd, struct sim_chirpstack_item *item)
{
	struct field when, inner;
	while (take_field(&rd, &when)) {
		item->timing = when.number;
		while (take_field(&when.bytes, &inner))
			if (inner.number != 1 || !read_time(inner.bytes, &item->time_us))
				return false;
	}
	return rd_ok(&rd);
}

static const char *read_tx(struct rd rd, struct sim_chirpstack_item *item)
{
	struct field field;
	bool good = true;
	while (good && take_field(&rd, &field)) {
		switch (field.number) {
		case 1: item->freq_hz = (uint32_t)field.value; break;
		case 2: item->power_dbm = (int32_t)field.value; break;
		case 3: good = read_modulation(field.bytes, &item->modulation); break;
		case 4: item->board = (uint32_t)field.value; break;
		case 5: item->antenna = (uint32_t)field.value; break;
		case 6: good = read_timing(field.bytes, item); break;
		case 7:
			good = copy_bytes(&field, item->context, sizeof item->context, &item->context_length);
			break;
		default: good = false;
		}
	}
	if (!good || !rd_ok(&rd))
		return "tx info cannot be read";
	if (item->freq_hz == 0)
		return "no frequency";
	if (item->modulation.kind != SIM_CHIRPSTACK_LORA && item->modulation.kind != SIM_CHIRPSTACK_FSK)
		return "no modulation that a gateway sends";
	if (item->timing < SIM_CHIRPSTACK_NOW || item->timing > SIM_CHIRPSTACK_GPS)
		return "no timing";
	if (item->timing == SIM_CHIRPSTACK_DELAY && item->context_length == 0)
		return "a delay without a context";
	if (item->timing == SIM_CHIRPSTACK_DELAY && item->time_us <= 0)
		return "no delay";
	return NULL;
}

static const char *read_item(struct rd rd, struct sim_chirpstack_item *item)
{
	struct field field;
	const char *wrong = "an item without tx info";
	while (take_field(&rd, &field)) {
		if (field.number == 1 && !copy_bytes(&field, item->phy, sizeof item->phy, &item->phy_length))
			return "payload cannot be read";
		if (field.number == 3) {
			wrong = read_tx(field.bytes, item);
			if (wrong)
				return wrong;
		}
	}
	if (!rd_ok(&rd))
		return "an item cannot be read";
	return !wrong && item->phy_length == 0 ? "no payload" : wrong;
}

const char *sim_chirpstack_read_down(const uint8_t *bytes, size_t length, struct sim_chirpstack_down *down)
{
	struct rd rd = rd_init(bytes, length);
	struct field field;
	size_t text = 0;
	*down = (struct sim_chirpstack_down){.count = 0};
	while (take_field(&rd, &field)) {
		switch (field.number) {
		case 3: down->id = (uint32_t)field.value; break;
		case 5: {
			if (down->count == SIM_CHIRPSTACK_ITEMS_MAX)
				return "too many items";
			const char *wrong = read_item(field.bytes, &down->items[down->count++]);
			if (wrong)
				return wrong;
			break;
		}
		case 7:
			if (!copy_bytes(&field, (uint8_t *)down->gateway, sizeof down->gateway - 1, &text))
				return "gateway id cannot be read";
			break;
		default: return "a field that commands do not have";
		}
	}
	if (!rd_ok(&rd))
		return "not protobuf";
	if (text != 16)
		return "no gateway id";
	return down->count == 0 ? "no items" : NULL;
}
