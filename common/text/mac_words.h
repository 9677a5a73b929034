/* MAC commands in the specification's words: what a command is for, how a field is spelt, what its number means, with
 * units where a region gives them (TS001 §5, TS011 §6). One row a command and a row a field, so that a command added to
 * common/lorawan/mac_command_table.c needs nothing but its words here; a test walks both tables.
 *
 * Reads no key and prints no byte of one: LW_MAC_BYTES fields have a spelling and a meaning of their length alone. */
#ifndef LAMPPOST_TEXT_MAC_WORDS_H
#define LAMPPOST_TEXT_MAC_WORDS_H

#include "common/lorawan/mac_command.h"
#include "common/lorawan/region.h"

#include <stddef.h>

#define MAC_WORDS_MAX 200 /* room for any meaning, NUL included */

/* What a field's number is. */
enum mac_meaning {
	MAC_MEANS_NUMBER, /* the number says it all */
	MAC_MEANS_COUNT_MINOR,
	MAC_MEANS_CLASS,
	MAC_MEANS_ACK, /* a flag of an answer: accepted or refused */
	MAC_MEANS_BATTERY,
	MAC_MEANS_MARGIN_DB,
	MAC_MEANS_GATEWAYS,
	MAC_MEANS_UP_DR,
	MAC_MEANS_DOWN_DR,
	MAC_MEANS_TX_POWER,
	MAC_MEANS_CH_MASK,
	MAC_MEANS_CH_MASK_CNTL,
	MAC_MEANS_NB_TRANS,
	MAC_MEANS_DUTY_CYCLE,
	MAC_MEANS_RX1_OFFSET,
	MAC_MEANS_FREQ,         /* 0: nothing said */
	MAC_MEANS_FREQ_DEFAULT, /* 0: the region's */
	MAC_MEANS_FREQ_REMOVES, /* 0: takes the channel out */
	MAC_MEANS_DELAY_S,
	MAC_MEANS_EIRP,
	MAC_MEANS_DWELL,
	MAC_MEANS_POWER_OF_TWO,
	MAC_MEANS_GPS_S,
	MAC_MEANS_FRACTION,
	MAC_MEANS_REJOIN_PERIOD,
	MAC_MEANS_REJOIN_TYPE,
	MAC_MEANS_REJOIN_TIME,
	MAC_MEANS_REJOIN_COUNT,
	MAC_MEANS_PING_PERIOD,
	MAC_MEANS_BEACON_DELAY,
	MAC_MEANS_ON_OFF,
	MAC_MEANS_CAD_PERIOD,
	MAC_MEANS_ACK_OFFSET,
	MAC_MEANS_RELAY_MODE,
	MAC_MEANS_SMART_LEVEL,
	MAC_MEANS_FILTER_ACTION,
	MAC_MEANS_LIST_ACTION,
	MAC_MEANS_RELOAD_63,
	MAC_MEANS_RELOAD_127,
	MAC_MEANS_BUCKET,
	MAC_MEANS_ADDRESS,
	MAC_MEANS_WOR_SNR,
	MAC_MEANS_WOR_RSSI,
	MAC_MEANS_EUI_PART,
	MAC_MEANS_SECRET, /* bytes that are a key: never shown */
	MAC_MEANS_COUNT
};

struct mac_field_words {
	const char *command; /* NULL: any command that has a field of this name */
	const char *field;
	const char *spelling; /* "ChMaskCntl" */
	enum mac_meaning meaning;
};

struct mac_command_words {
	const char *command;
	const char *purpose; /* one sentence, no full stop */
};

/* Lends the row of a command, or of a field of it; NULL when the tables have none. */
const struct mac_command_words *mac_words_command(const struct lw_mac_row *row);
const struct mac_field_words *mac_words_field(const struct lw_mac_row *row, const struct lw_mac_field *field);

/* Fills what a field's value means ("SF7, 125 kHz"); "" when the number says it all. `region` may be NULL: then what only a
 * region knows is left out. Returns `text`. */
const char *mac_words_value(char text[MAC_WORDS_MAX], const struct lw_mac_command *command,
			    const struct lw_mac_row *row, const struct lw_mac_field *field,
			    const struct lw_region *region);

/* Fills the modulation of a data rate ("SF12, 125 kHz", "FSK, 50 kbit/s"), or that the region has none. Returns `text`. */
const char *mac_words_data_rate(char text[MAC_WORDS_MAX], const struct lw_region *region,
				enum lw_direction direction, unsigned dr);
/* Fills the channels of a set of bits as ranges, `first` being the channel of bit 0: "8-15 and 65"; "none". Returns `text`. */
const char *mac_words_channels(char text[MAC_WORDS_MAX], uint32_t bits, unsigned first);
/* Fills "868.1 MHz", as many decimals as it needs. Returns `text`. */
const char *mac_words_freq(char text[MAC_WORDS_MAX], uint32_t freq_hz);

#endif
