#include "common/lorawan/airtime.h"

#define LORAWAN_PREAMBLE_SYMBOLS     8
#define LORAWAN_PREAMBLE_SYMBOLS_SF5 12 /* SF5 and SF6 need a longer one */
#define LORAWAN_FSK_PREAMBLE_BYTES   5

static uint64_t divide_up(uint64_t above, uint64_t below)
{
	return (above + below - 1) / below;
}

static bool lora_possible(uint8_t spreading_factor, uint32_t bandwidth_hz)
{
	return spreading_factor >= 5 && spreading_factor <= 12 && bandwidth_hz >= 7800 &&
	       bandwidth_hz <= 2000000;
}

uint32_t lw_symbol_us(uint8_t spreading_factor, uint32_t bandwidth_hz)
{
	if (!lora_possible(spreading_factor, bandwidth_hz))
		return 0;
	return (uint32_t)divide_up((UINT64_C(1000000) << spreading_factor), bandwidth_hz);
}

uint32_t lw_airtime_lora_us(const struct lw_lora_frame *frame, size_t length)
{
	if (!lora_possible(frame->spreading_factor, frame->bandwidth_hz) || frame->coding_rate < 1 ||
	    frame->coding_rate > 4 || length > 255)
		return 0;
	bool low_sf = frame->spreading_factor < 7;
	int64_t sf = frame->spreading_factor;
	/* Low data rate optimisation: symbols of 16 ms and more. */
	bool optimised = (UINT64_C(1000) << sf) >= UINT64_C(16) * frame->bandwidth_hz;
	int64_t bits = 8 * (int64_t)length - 4 * sf + (frame->crc ? 16 : 0) +
		       (frame->implicit_header ? 0 : 20) + (low_sf ? 0 : 8);
	int64_t bits_per_block = 4 * (optimised && !low_sf ? sf - 2 : sf);
	uint64_t blocks = bits > 0 ? divide_up((uint64_t)bits, (uint64_t)bits_per_block) : 0;
	uint64_t payload_symbols = 8 + blocks * (frame->coding_rate + 4U);
	/* Quarters of a symbol: the preamble ends with 4.25 symbols of sync, 6.25 at SF5 and SF6. */
	uint64_t quarters = 4 * (frame->preamble_symbols + payload_symbols) + (low_sf ? 25 : 17);
	return (uint32_t)divide_up((quarters << sf) * 1000000, UINT64_C(4) * frame->bandwidth_hz);
}

uint32_t lw_airtime_fsk_us(uint32_t bit_rate_bps, uint8_t preamble_bytes, size_t length)
{
	if (bit_rate_bps == 0 || length > 255)
		return 0;
	uint64_t bits = 8 * ((uint64_t)preamble_bytes + 3 + 1 + length + 2);
	return (uint32_t)divide_up(bits * 1000000, bit_rate_bps);
}

uint32_t lw_airtime_lr_fhss_us(bool two_thirds, size_t length)
{
	enum {
		HEADER_BITS = 114,
		BLOCK_BITS = 48,
		BLOCK_OVERHEAD = 2,
		CRC_BYTES = 2,
		TAIL_BITS = 6,
		BIT_US = 2048
	};
	if (length > 255)
		return 0;
	uint64_t headers = two_thirds ? 2 : 3;
	uint64_t raw = 8 * ((uint64_t)length + CRC_BYTES) + TAIL_BITS;
	uint64_t coded = two_thirds ? divide_up(raw * 3, 2) : raw * 3;
	uint64_t blocks = divide_up(coded, BLOCK_BITS);
	return (uint32_t)((headers * HEADER_BITS + coded + blocks * BLOCK_OVERHEAD) * BIT_US);
}

bool lw_coding_rate_parse(const char *text, uint8_t *coding_rate)
{
	if (text[0] == '\0') {
		*coding_rate = 1;
		return true;
	}
	if (text[0] != '4' || text[1] != '/' || text[2] < '5' || text[2] > '8')
		return false;
	const char *rest = text + 3;
	if (rest[0] != '\0' && !(rest[0] == 'L' && rest[1] == 'I' && rest[2] == '\0'))
		return false;
	*coding_rate = (uint8_t)(text[2] - '4');
	return true;
}

uint32_t lw_airtime_us(const struct lw_modulation *modulation, enum lw_direction direction, size_t phy_length)
{
	switch (modulation->kind) {
	case LW_LORA: {
		struct lw_lora_frame frame = {
			.spreading_factor = modulation->spreading_factor,
			.bandwidth_hz = modulation->bandwidth_hz,
			.preamble_symbols = modulation->spreading_factor < 7 ? LORAWAN_PREAMBLE_SYMBOLS_SF5
									     : LORAWAN_PREAMBLE_SYMBOLS,
			.crc = direction == LW_UP,
		};
		if (!lw_coding_rate_parse(modulation->code_rate, &frame.coding_rate))
			return 0;
		return lw_airtime_lora_us(&frame, phy_length);
	}
	case LW_FSK:
		return lw_airtime_fsk_us(modulation->bit_rate_bps, LORAWAN_FSK_PREAMBLE_BYTES, phy_length);
	case LW_LR_FHSS: {
		const char *rate = modulation->code_rate;
		bool third = (rate[0] == '1' && rate[1] == '/' && rate[2] == '3') ||
			     (rate[0] == '2' && rate[1] == '/' && rate[2] == '6');
		return lw_airtime_lr_fhss_us(!third, phy_length);
	}
	}
	return 0;
}
