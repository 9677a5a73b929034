#include "simulator/device_ping.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <string.h>

#define INFO_BYTES 7 /* GwSpecific: InfoDesc and six more */

uint32_t sim_beacon_start_s(uint32_t gps_s)
{
	return gps_s - gps_s % SIM_BEACON_PERIOD_S;
}

uint16_t sim_ping_count(uint8_t periodicity)
{
	ASSERT_CMP(periodicity, <=, 7);
	return (uint16_t)(1u << (7 - periodicity));
}

/* Rand = aes128(0, beacon time | DevAddr | 0 x 8), both as on the air; its first two bytes modulo the distance of slots. */
bool sim_ping_offset(struct aes *aes, uint32_t beacon_s, struct lw_dev_addr dev_addr, uint16_t count,
		     uint16_t *offset)
{
	static const uint8_t zero_key[16] = {0};
	uint8_t block[16] = {0}, random[16];
	if (count == 0 || count > 128 || (count & (count - 1)) != 0)
		return false;
	struct wr wr = wr_init(block, sizeof block);
	wr_u32le(&wr, beacon_s);
	wr_u32le(&wr, dev_addr.value);
	aes_encrypt(aes, zero_key, block, random, 1);
	unsigned drawn = random[0] + 256u * random[1];
	*offset = (uint16_t)(drawn % (SIM_PING_SLOTS / count));
	return true;
}

uint32_t sim_ping_slot_ms(uint16_t slot)
{
	return SIM_BEACON_RESERVED_MS + (uint32_t)slot * SIM_PING_SLOT_MS;
}

int64_t sim_ping_next_ms(struct aes *aes, int64_t after_gps_ms, struct lw_dev_addr dev_addr, uint16_t count)
{
	int64_t beacon_s = sim_beacon_start_s((uint32_t)(after_gps_ms / 1000));
	for (;; beacon_s += SIM_BEACON_PERIOD_S) {
		uint16_t offset;
		if (!sim_ping_offset(aes, (uint32_t)beacon_s, dev_addr, count, &offset))
			return -1;
		for (unsigned n = 0; n < count; n++) {
			uint16_t slot = (uint16_t)(offset + n * (SIM_PING_SLOTS / count));
			int64_t at_ms = beacon_s * 1000 + sim_ping_slot_ms(slot);
			if (at_ms > after_gps_ms)
				return at_ms;
		}
	}
}

/* CRC-16 with the polynomial 0x1021, from 0 (13.2). */
static uint16_t crc16(const uint8_t *bytes, size_t length)
{
	unsigned crc = 0;
	for (size_t i = 0; i < length; i++) {
		crc ^= (unsigned)bytes[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000u) != 0 ? crc << 1 ^ 0x1021u : crc << 1;
	}
	return (uint16_t)crc;
}

static int32_t read_i24(struct rd *rd)
{
	uint32_t raw = rd_u24le(rd);
	return raw < 0x800000 ? (int32_t)raw : (int32_t)raw - 0x1000000;
}

bool sim_beacon_read(const uint8_t *bytes, size_t length, size_t rfu1_bytes, size_t rfu2_bytes,
		     struct sim_beacon *beacon)
{
	size_t common = rfu1_bytes + 4, own = INFO_BYTES + rfu2_bytes;
	struct rd rd = rd_init(bytes, length);
	struct sim_beacon heard = {0};
	if (length != common + 2 + own + 2)
		return false;
	(void)rd_take(&rd, rfu1_bytes);
	heard.time_s = rd_u32le(&rd);
	uint16_t common_crc = rd_u16le(&rd);
	heard.info_desc = rd_u8(&rd);
	heard.latitude = read_i24(&rd);
	heard.longitude = read_i24(&rd);
	(void)rd_take(&rd, rfu2_bytes);
	uint16_t gw_crc = rd_u16le(&rd);
	heard.common_crc = crc16(bytes, common);
	heard.gw_crc = crc16(bytes + common + 2, own);
	heard.common_crc_ok = heard.common_crc == common_crc;
	heard.gw_crc_ok = heard.gw_crc == gw_crc;
	*beacon = heard;
	return rd_ok(&rd);
}
