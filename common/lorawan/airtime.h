/* Time on air in microseconds, rounded up (Semtech AN1200.13, SX1261 and LR-FHSS data sheets). Integers
 * throughout. */
#ifndef LAMPPOST_LORAWAN_AIRTIME_H
#define LAMPPOST_LORAWAN_AIRTIME_H

#include "common/lorawan/types.h"

struct lw_lora_frame {
	uint8_t spreading_factor; /* 5..12 */
	uint32_t bandwidth_hz;
	uint8_t coding_rate; /* redundancy 1..4: 4/5 .. 4/8 */
	uint16_t preamble_symbols;
	bool crc;
	bool implicit_header;
};

/* Time on air of `length` bytes of LoRa payload. SF5 and SF6 have their own formula. Returns 0 for a frame
 * that cannot exist (spreading factor, bandwidth or coding rate out of range). Long interleaving is counted
 * as the same rate without it. */
uint32_t lw_airtime_lora_us(const struct lw_lora_frame *frame, size_t length);
/* FSK: preamble, 3 bytes of sync word, length byte, payload, 2 bytes of CRC. */
uint32_t lw_airtime_fsk_us(uint32_t bit_rate_bps, uint8_t preamble_bytes, size_t length);
/* LR-FHSS, to the bit: three header copies at 1/3, two at 2/3; blocks of 48 bits, the last one shortened. */
uint32_t lw_airtime_lr_fhss_us(bool two_thirds, size_t length);

/* Time on air of a LoRaWAN frame (whole PHYPayload) with the usual preamble: uplinks carry a CRC, downlinks
 * do not. Returns 0 when the modulation makes no sense. */
uint32_t lw_airtime_us(const struct lw_modulation *modulation, enum lw_direction direction,
		       size_t phy_length);

/* Symbol time, rounded up; 0 when out of range. */
uint32_t lw_symbol_us(uint8_t spreading_factor, uint32_t bandwidth_hz);

/* Reads "4/5" .. "4/8", with "LI" behind or not: redundancy 1..4. An empty text is 4/5. False otherwise. */
bool lw_coding_rate_parse(const char *text, uint8_t *coding_rate);

#endif
