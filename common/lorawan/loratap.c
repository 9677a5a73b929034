/* See loratap.h. The layout is that of the LoRaTap README (github.com/eriknl/LoRaTap). */
#include "common/lorawan/loratap.h"

#include "common/base/check.h"

#define STEP_HZ       125000
#define RSSI_BASE_DBM (-139)
#define RSSI_MAX      254 /* 255 says that there is none */
#define SIZE_1        35  /* of version 1 */
#define FSK_BPS       50000

enum { FLAG_FSK = 1, FLAG_CRC_BAD = 16 };

static const char *const verdict_names[LW_LORATAP_VERDICT_COUNT] = {
	[LW_LORATAP_OK] = "ok",
	[LW_LORATAP_TRUNCATED] = "truncated",
	[LW_LORATAP_BAD_LENGTH] = "bad_length",
};

const char *lw_loratap_verdict_name(enum lw_loratap_verdict verdict)
{
	return (unsigned)verdict < LW_LORATAP_VERDICT_COUNT ? verdict_names[verdict] : "unknown";
}

/* The bandwidths of 2.4 GHz are no multiples of 125 kHz: the nearest step stands for each. */
static const struct {
	uint32_t bandwidth_hz;
	uint8_t steps;
} wide[] = {{203000, 2}, {406000, 3}, {812000, 6}, {1625000, 13}};
#define WIDE_FROM_HZ 2000000000u

static int cut(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

/* Division that rounds to the nearest, halves away from zero. */
static int nearest(int value, int by)
{
	return (value >= 0 ? value + by / 2 : value - by / 2) / by;
}

static uint8_t steps_of(uint32_t bandwidth_hz)
{
	uint32_t steps = (bandwidth_hz + STEP_HZ / 2) / STEP_HZ;
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (wide[i].bandwidth_hz == bandwidth_hz)
			steps = wide[i].steps;
	return steps > UINT8_MAX ? UINT8_MAX : (uint8_t)steps;
}

struct lw_loratap lw_loratap_make(uint32_t freq_hz, const struct lw_modulation *modulation, bool has_rssi,
				  int rssi_dbm, bool has_snr, int snr_cdb)
{
	struct lw_loratap header = {.freq_hz = freq_hz,
				    .packet_rssi = LW_LORATAP_NO_RSSI,
				    .max_rssi = LW_LORATAP_NO_RSSI,
				    .current_rssi = LW_LORATAP_NO_RSSI,
				    .sync_word = LW_LORATAP_SYNC_WORD};
	if (modulation->kind != LW_FSK)
		header.bandwidth = steps_of(modulation->bandwidth_hz);
	if (modulation->kind == LW_LR_FHSS && header.bandwidth == 0)
		header.bandwidth = 1; /* not to be taken for FSK */
	if (modulation->kind == LW_LORA)
		header.spreading_factor = modulation->spreading_factor;
	if (has_snr)
		header.snr = (int8_t)cut(nearest(snr_cdb, 25), INT8_MIN, INT8_MAX);
	if (has_rssi) {
		/* By the SNR as it is written: a reader has no other. */
		int above = rssi_dbm - RSSI_BASE_DBM;
		header.packet_rssi = (uint8_t)cut(header.snr < 0 ? 4 * above : above, 0, RSSI_MAX);
		header.max_rssi = header.current_rssi = (uint8_t)cut(above, 0, RSSI_MAX);
	}
	return header;
}

bool lw_loratap_rssi_cdb(const struct lw_loratap *header, int *rssi_cdb)
{
	if (header->packet_rssi == LW_LORATAP_NO_RSSI)
		return false;
	bool quarters = header->snr < 0;
	if (quarters && header->packet_rssi >= RSSI_MAX - 3 && header->current_rssi != LW_LORATAP_NO_RSSI &&
	    4 * header->current_rssi > RSSI_MAX)
		*rssi_cdb = 100 * (RSSI_BASE_DBM + header->current_rssi);
	else
		*rssi_cdb = 100 * RSSI_BASE_DBM + (quarters ? 25 : 100) * header->packet_rssi;
	return true;
}

bool lw_loratap_modulation(const struct lw_loratap *header, struct lw_modulation *modulation)
{
	if (header->is_fsk || (header->spreading_factor == 0 && header->bandwidth == 0)) {
		uint32_t bps = header->fsk_bps != 0 ? header->fsk_bps : FSK_BPS;
		*modulation = (struct lw_modulation){.kind = LW_FSK, .bit_rate_bps = bps};
		return true;
	}
	if (header->spreading_factor < 5 || header->spreading_factor > 12 || header->bandwidth == 0)
		return false;
	*modulation = (struct lw_modulation){.kind = LW_LORA,
					     .spreading_factor = header->spreading_factor,
					     .bandwidth_hz = (uint32_t)header->bandwidth * STEP_HZ,
					     .code_rate = "4/5"};
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++)
		if (header->freq_hz >= WIDE_FROM_HZ && wide[i].steps == header->bandwidth)
			modulation->bandwidth_hz = wide[i].bandwidth_hz;
	return true;
}

void lw_loratap_write(struct wr *wr, const struct lw_loratap *header)
{
	wr_u8(wr, 0);
	wr_u8(wr, 0);
	wr_u16be(wr, LW_LORATAP_SIZE);
	wr_u32be(wr, header->freq_hz);
	wr_u8(wr, header->bandwidth);
	wr_u8(wr, header->spreading_factor);
	wr_u8(wr, header->packet_rssi);
	wr_u8(wr, header->max_rssi);
	wr_u8(wr, header->current_rssi);
	wr_u8(wr, (uint8_t)header->snr);
	wr_u8(wr, header->sync_word);
}

/* What version 1 adds; the chains and the tag are read over. */
static void read_version_1(struct rd *rd, struct lw_loratap *header)
{
	rd_copy(rd, header->gateway.bytes, sizeof header->gateway.bytes);
	header->has_gateway = lw_eui64_number(&header->gateway) != 0;
	header->ticks.us = rd_u32be(rd);
	uint8_t flags = rd_u8(rd);
	header->is_fsk = (flags & FLAG_FSK) != 0;
	header->crc_bad = (flags & FLAG_CRC_BAD) != 0;
	rd_u8(rd); /* coding rate */
	header->fsk_bps = rd_u16be(rd);
}

enum lw_loratap_verdict lw_loratap_read(struct rd *rd, struct lw_loratap *header)
{
	struct rd inner = *rd;
	struct lw_loratap read = {.version = rd_u8(&inner)};
	rd_u8(&inner);
	size_t length = rd_u16be(&inner);
	if (!rd_ok(&inner))
		return LW_LORATAP_TRUNCATED;
	if (length < (read.version == 1 ? SIZE_1 : LW_LORATAP_SIZE))
		return LW_LORATAP_BAD_LENGTH;
	const uint8_t *whole = rd_take(rd, length);
	if (whole == NULL)
		return LW_LORATAP_TRUNCATED;
	read.freq_hz = rd_u32be(&inner);
	read.bandwidth = rd_u8(&inner);
	read.spreading_factor = rd_u8(&inner);
	read.packet_rssi = rd_u8(&inner);
	read.max_rssi = rd_u8(&inner);
	read.current_rssi = rd_u8(&inner);
	read.snr = (int8_t)rd_u8(&inner);
	read.sync_word = rd_u8(&inner);
	if (read.version == 1)
		read_version_1(&inner, &read);
	*header = read;
	return LW_LORATAP_OK;
}
