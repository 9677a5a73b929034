/* LoRaTap: the header that stands before a PHYPayload in a capture file (link type 270), so that Wireshark and tshark dissect
 * radio frames. Pure. Version 0 is written; versions 0 and 1 are read, later ones as far as they begin like version 0.
 *
 *	byte 0   version             4   frequency, Hz          10   packet RSSI, see below    v1:  15   gateway's EUI
 *	     1   padding             8   bandwidth / 125 kHz    11   maximal RSSI                   23   gateway's counter, us
 *	     2   header's length     9   spreading factor,      12   current RSSI                   27   flags, coding rate,
 *	         (15)                    0: not LoRa            13   SNR, quarter decibels               FSK rate, chains, tag
 *	                                                        14   sync word (0x34: LoRaWAN)      35   the frame
 *	    15   the frame
 *
 * A gateway knows one RSSI, that of the channel while the frame came; all three are made of it. No Wireshark (4.0 to 4.4) knows
 * the quarter decibels of the packet's: of a weak frame it shows the current RSSI right alone.
 *
 * Numbers have their high byte first. An RSSI is -139 dBm + the byte; that of the packet counts quarter decibels where the SNR is
 * negative, so that it ends at -75.5 dBm there; 255 says that there is none.
 *
 * What version 0 cannot say: which gateway heard it, the coding rate, FSK's bit rate, LR-FHSS. FSK is written with bandwidth 0,
 * LR-FHSS with spreading factor 0 and the nearest bandwidth; lw_loratap_modulation() takes the former for the 50 kbit/s of
 * LoRaWAN and refuses the latter. A transmission has neither RSSI nor SNR (the latter is written as 0). */
#ifndef LAMPPOST_LORAWAN_LORATAP_H
#define LAMPPOST_LORAWAN_LORATAP_H

#include "common/base/bytes.h"
#include "common/base/units.h"
#include "common/lorawan/types.h"

#define LW_LORATAP_LINK_TYPE 270  /* LINKTYPE_LORATAP of capture files */
#define LW_LORATAP_SIZE      15   /* bytes of a version 0 header */
#define LW_LORATAP_SYNC_WORD 0x34 /* LoRaWAN's */
#define LW_LORATAP_NO_RSSI   255

/* The header's own numbers, as they stand in the file. */
struct lw_loratap {
	uint8_t version; /* as read; 0 is written */
	uint32_t freq_hz;
	uint8_t bandwidth; /* in steps of 125 kHz */
	uint8_t spreading_factor;
	uint8_t packet_rssi, max_rssi, current_rssi; /* LW_LORATAP_NO_RSSI: none */
	int8_t snr;                                  /* quarter decibels */
	uint8_t sync_word;
	/* Version 1 alone. */
	bool has_gateway;
	struct lw_eui64 gateway;
	struct gw_ticks ticks;
	bool is_fsk, crc_bad;
	uint16_t fsk_bps;
};

enum lw_loratap_verdict {
	LW_LORATAP_OK,
	LW_LORATAP_TRUNCATED,  /* shorter than the header says, or than 15 bytes */
	LW_LORATAP_BAD_LENGTH, /* the header says that it is shorter than its version's */
	LW_LORATAP_VERDICT_COUNT
};
const char *lw_loratap_verdict_name(enum lw_loratap_verdict verdict);

/* What was heard or sent, in the header's numbers, each rounded to the nearest and cut at its end. `rssi_dbm` and `snr_cdb`
 * count where their flag is set. */
struct lw_loratap lw_loratap_make(uint32_t freq_hz, const struct lw_modulation *modulation, bool has_rssi,
				  int rssi_dbm, bool has_snr, int snr_cdb);
/* Hundredths of a dBm of the packet; false when the header has none. What a weak packet's quarter decibels cannot say any more
 * is taken from the current RSSI. */
bool lw_loratap_rssi_cdb(const struct lw_loratap *header, int *rssi_cdb);
/* Fills kind, spreading factor and bandwidth, or FSK's bit rate; code_rate "4/5" for LoRa. False: nothing LoRaWAN uses. */
bool lw_loratap_modulation(const struct lw_loratap *header, struct lw_modulation *modulation);

/* Writes the 15 bytes of version 0. */
void lw_loratap_write(struct wr *wr, const struct lw_loratap *header);
/* Reads a header and leaves `rd` at the frame. */
enum lw_loratap_verdict lw_loratap_read(struct rd *rd, struct lw_loratap *header);

#endif
