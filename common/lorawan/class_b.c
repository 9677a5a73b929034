/* Beacons and ping slots. Slots are computed by division, not by counting, so that a question about a moment years away
 * costs what one about the next second does. */
#include "common/lorawan/class_b.h"

#include "common/base/check.h"

#include <string.h>

#define RAW_MAX       INT32_C(8388607) /* 2^23 - 1 */
#define RAW_UNIT      INT64_C(8388608)
#define LATITUDE_90   INT64_C(90000000) /* microdegrees */
#define LONGITUDE_180 INT64_C(180000000)
#define MS_PER_S      1000

const char *lw_beacon_verdict_name(enum lw_beacon_verdict verdict)
{
	static const char *const names[LW_BEACON_VERDICT_COUNT] = {
		[LW_BEACON_OK] = "ok",
		[LW_BEACON_BAD_LENGTH] = "bad_length",
		[LW_BEACON_BAD_COMMON_CRC] = "bad_common_crc",
		[LW_BEACON_BAD_GW_CRC] = "bad_gw_crc",
	};
	return (unsigned)verdict < LW_BEACON_VERDICT_COUNT ? names[verdict] : "unknown";
}

const char *lw_ping_verdict_name(enum lw_ping_verdict verdict)
{
	static const char *const names[LW_PING_VERDICT_COUNT] = {
		[LW_PING_OK] = "ok",
		[LW_PING_BAD_PERIOD] = "bad_ping_period",
	};
	return (unsigned)verdict < LW_PING_VERDICT_COUNT ? names[verdict] : "unknown";
}

struct lw_beacon_layout lw_beacon_layout(const struct lw_beacon_rule *rule)
{
	return (struct lw_beacon_layout){.rfu1_bytes = rule->rfu1_bytes, .rfu2_bytes = rule->rfu2_bytes};
}

/* Param, Time and all before them; what CRC1 covers. */
static size_t common_length(const struct lw_beacon_layout *layout)
{
	return layout->rfu1_bytes + 1u + 4u;
}

/* GwSpecific and RFU2; what CRC2 covers. */
static size_t gateway_length(const struct lw_beacon_layout *layout)
{
	return 7u + layout->rfu2_bytes;
}

size_t lw_beacon_length(const struct lw_beacon_layout *layout)
{
	return common_length(layout) + 2 + gateway_length(layout) + 2;
}

uint16_t lw_beacon_crc(const uint8_t *bytes, size_t length)
{
	uint16_t crc = 0;
	for (size_t i = 0; i < length; i++) {
		crc = (uint16_t)(crc ^ bytes[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
	}
	return crc;
}

enum lw_beacon_verdict lw_beacon_parse(const struct lw_beacon_layout *layout, const uint8_t *bytes,
				       size_t length, struct lw_beacon *beacon)
{
	struct rd rd = rd_init(bytes, length);
	struct lw_beacon read = {0};
	const uint8_t *common = rd.at;
	rd_take(&rd, layout->rfu1_bytes);
	read.prec = rd_u8(&rd) & 3;
	read.time_s = rd_u32le(&rd);
	uint16_t common_crc = rd_u16le(&rd);
	const uint8_t *gateway = rd.at;
	read.info_desc = rd_u8(&rd);
	rd_copy(&rd, read.info, sizeof read.info);
	rd_take(&rd, layout->rfu2_bytes);
	uint16_t gw_crc = rd_u16le(&rd);
	if (!rd_ok(&rd) || rd_left(&rd) != 0)
		return LW_BEACON_BAD_LENGTH;
	read.common_crc = lw_beacon_crc(common, common_length(layout));
	read.gw_crc = lw_beacon_crc(gateway, gateway_length(layout));
	read.common_crc_ok = read.common_crc == common_crc;
	read.gw_crc_ok = read.gw_crc == gw_crc;
	*beacon = read;
	if (!read.common_crc_ok)
		return LW_BEACON_BAD_COMMON_CRC;
	return read.gw_crc_ok ? LW_BEACON_OK : LW_BEACON_BAD_GW_CRC;
}

void lw_beacon_build(const struct lw_beacon_layout *layout, const struct lw_beacon *beacon, struct wr *wr)
{
	const uint8_t *common = wr->at;
	wr_zeros(wr, layout->rfu1_bytes);
	wr_u8(wr, beacon->prec & 3);
	wr_u32le(wr, beacon->time_s);
	if (!wr_ok(wr))
		return;
	wr_u16le(wr, lw_beacon_crc(common, common_length(layout)));
	const uint8_t *gateway = wr->at;
	wr_u8(wr, beacon->info_desc);
	wr_copy(wr, beacon->info, sizeof beacon->info);
	wr_zeros(wr, layout->rfu2_bytes);
	if (wr_ok(wr))
		wr_u16le(wr, lw_beacon_crc(gateway, gateway_length(layout)));
}

/* a / b to the nearest, halves away from zero; `b` is positive. */
static int64_t divide(int64_t a, int64_t b)
{
	return (a < 0 ? a - b / 2 : a + b / 2) / b;
}

static int32_t raw_of(int32_t microdegrees, int64_t largest)
{
	ASSERT(microdegrees >= -largest && microdegrees <= largest);
	int64_t raw = divide(microdegrees * RAW_UNIT, largest);
	return raw > RAW_MAX ? RAW_MAX : (int32_t)raw;
}

int32_t lw_beacon_latitude_raw(int32_t microdegrees)
{
	return raw_of(microdegrees, LATITUDE_90);
}

int32_t lw_beacon_longitude_raw(int32_t microdegrees)
{
	return raw_of(microdegrees, LONGITUDE_180);
}

int32_t lw_beacon_latitude(int32_t raw)
{
	return (int32_t)divide(raw * LATITUDE_90, RAW_UNIT);
}

int32_t lw_beacon_longitude(int32_t raw)
{
	return (int32_t)divide(raw * LONGITUDE_180, RAW_UNIT);
}

static int32_t sign_extend_24(uint32_t raw)
{
	return (int32_t)(raw ^ 0x800000) - 0x800000;
}

void lw_beacon_info_position(const struct lw_beacon *beacon, int32_t *latitude_raw, int32_t *longitude_raw)
{
	struct rd rd = rd_init(beacon->info, sizeof beacon->info);
	*latitude_raw = sign_extend_24(rd_u24le(&rd));
	*longitude_raw = sign_extend_24(rd_u24le(&rd));
}

static void set_info(struct lw_beacon *beacon, enum lw_beacon_info info, uint32_t first, uint32_t second)
{
	struct wr wr = wr_init(beacon->info, sizeof beacon->info);
	beacon->info_desc = (uint8_t)info;
	wr_u24le(&wr, first & 0xffffff);
	wr_u24le(&wr, second & 0xffffff);
}

void lw_beacon_set_position(struct lw_beacon *beacon, enum lw_beacon_info antenna, int32_t latitude_raw,
			    int32_t longitude_raw)
{
	ASSERT(antenna != LW_BEACON_NET_ID);
	set_info(beacon, antenna, (uint32_t)latitude_raw, (uint32_t)longitude_raw);
}

void lw_beacon_info_gateway(const struct lw_beacon *beacon, struct lw_net_id *net_id, uint32_t *gateway)
{
	struct rd rd = rd_init(beacon->info, sizeof beacon->info);
	net_id->value = rd_u24le(&rd);
	*gateway = rd_u24le(&rd);
}

void lw_beacon_set_gateway(struct lw_beacon *beacon, struct lw_net_id net_id, uint32_t gateway)
{
	set_info(beacon, LW_BEACON_NET_ID, net_id.value, gateway);
}

int64_t lw_beacon_start(int64_t gps_s)
{
	ASSERT_CMP(gps_s, >=, 0);
	return gps_s - gps_s % LW_BEACON_PERIOD_S;
}

uint16_t lw_ping_nb(uint8_t periodicity)
{
	return (uint16_t)(128 >> (periodicity & LW_PING_PERIODICITY_MAX));
}

uint16_t lw_ping_period(uint8_t periodicity)
{
	return (uint16_t)(LW_PING_PERIOD_MIN << (periodicity & LW_PING_PERIODICITY_MAX));
}

uint8_t lw_ping_seconds(uint8_t periodicity)
{
	return (uint8_t)(1 << (periodicity & LW_PING_PERIODICITY_MAX));
}

bool lw_ping_period_ok(uint32_t ping_period)
{
	return ping_period >= LW_PING_PERIOD_MIN && ping_period <= LW_PING_PERIOD_MAX &&
	       (ping_period & (ping_period - 1)) == 0;
}

enum lw_ping_verdict lw_ping_offset(struct aes *aes, uint32_t beacon_time_s, struct lw_dev_addr dev_addr,
				    uint32_t ping_period, uint16_t *offset)
{
	static const struct lw_key zero_key = {{0}};
	uint8_t block[AES_BLOCK], rand[AES_BLOCK];
	if (!lw_ping_period_ok(ping_period))
		return LW_PING_BAD_PERIOD;
	struct wr wr = wr_init(block, sizeof block);
	wr_u32le(&wr, beacon_time_s);
	wr_u32le(&wr, dev_addr.value);
	wr_zeros(&wr, wr_room(&wr));
	aes_encrypt(aes, zero_key.bytes, block, rand, 1);
	struct rd rd = rd_init(rand, sizeof rand);
	*offset = (uint16_t)(rd_u16le(&rd) % ping_period);
	return LW_PING_OK;
}

enum lw_ping_verdict lw_ping_iterator_init(struct lw_ping_iterator *iterator, struct lw_dev_addr dev_addr,
					   uint32_t ping_period, int64_t after_gps_ms)
{
	ASSERT_CMP(after_gps_ms, >=, 0);
	if (!lw_ping_period_ok(ping_period))
		return LW_PING_BAD_PERIOD;
	*iterator = (struct lw_ping_iterator){
		.dev_addr = dev_addr,
		.ping_period = (uint16_t)ping_period,
		.after_gps_ms = after_gps_ms,
		.beacon_s = -1,
	};
	return LW_PING_OK;
}

static int64_t slot_ms(int64_t beacon_s, int64_t slot)
{
	return beacon_s * MS_PER_S + LW_BEACON_RESERVED_MS + slot * LW_PING_SLOT_MS;
}

/* The first slot of the period that starts strictly after `after`, or one past the last of them. */
static int64_t first_slot_after(const struct lw_ping_iterator *iterator, int64_t beacon_s)
{
	int64_t since = iterator->after_gps_ms - slot_ms(beacon_s, iterator->offset);
	int64_t passed = since < 0 ? 0 : since / (iterator->ping_period * LW_PING_SLOT_MS) + 1;
	return iterator->offset + passed * iterator->ping_period;
}

void lw_ping_iterator_next(struct lw_ping_iterator *iterator, struct aes *aes, struct lw_ping_slot *slot)
{
	int64_t beacon_s = lw_beacon_start(iterator->after_gps_ms / MS_PER_S), number;
	for (;; beacon_s += LW_BEACON_PERIOD_S) {
		if (iterator->beacon_s != beacon_s) {
			iterator->beacon_s = beacon_s;
			ASSERT(lw_ping_offset(aes, (uint32_t)beacon_s, iterator->dev_addr,
					      iterator->ping_period, &iterator->offset) == LW_PING_OK);
		}
		number = first_slot_after(iterator, beacon_s);
		if (number < LW_PING_SLOTS)
			break;
	}
	*slot = (struct lw_ping_slot){
		.beacon_s = beacon_s,
		.slot = (uint16_t)number,
		.gps_ms = slot_ms(beacon_s, number),
	};
	iterator->after_gps_ms = slot->gps_ms;
}
