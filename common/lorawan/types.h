/* The identifiers and keys of LoRaWAN, each a type of its own so that none is taken for another. Bytes are kept in
 * display order (most significant first); frames reverse them on the air. */
#ifndef LAMPPOST_LORAWAN_TYPES_H
#define LAMPPOST_LORAWAN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LW_PHY_PAYLOAD_MAX 255 /* bytes of a whole PHYPayload */
#define LW_FOPTS_MAX       15

/* JoinEUI, DevEUI, gateway EUI: display order. */
struct lw_eui64 {
	uint8_t bytes[8];
};

struct lw_dev_addr {
	uint32_t value;
};

struct lw_net_id {
	uint32_t value; /* 24 bits */
};

/* An AES-128 key, natural byte order. Wipe with lw_key_wipe() when done. */
struct lw_key {
	uint8_t bytes[16];
};

/* The version of the MAC layer, as the profile states it. Ordered by number; what differs is asked of version.h. */
enum lw_mac_version {
	LW_MAC_1_0_0,
	LW_MAC_1_0_1,
	LW_MAC_1_0_2,
	LW_MAC_1_0_3,
	LW_MAC_1_0_4,
	LW_MAC_1_1_0,
	LW_MAC_VERSION_COUNT
};

/* The revision of the regional parameters that a device was built by. Ordered; the last is the level of the region sheets. */
enum lw_regional_revision {
	LW_RP001_1_0,
	LW_RP001_1_0_1,
	LW_RP001_1_0_2A,
	LW_RP001_1_0_2B,
	LW_RP001_1_0_3A,
	LW_RP001_1_1A,
	LW_RP001_1_1B,
	LW_RP002_1_0_0,
	LW_RP002_1_0_1,
	LW_RP002_1_0_2,
	LW_RP002_1_0_3,
	LW_RP002_1_0_4,
	LW_REGIONAL_REVISION_COUNT
};

enum lw_direction { LW_UP = 0, LW_DOWN = 1 };

/* "1.0.3", "1.1.0"; accepts "1.0" and "1.1" as well. */
bool lw_mac_version_parse(const char *text, enum lw_mac_version *version);
const char *lw_mac_version_name(enum lw_mac_version version);
/* "rp001-1.0.2b", "rp002-1.0.4". */
bool lw_regional_revision_parse(const char *text, enum lw_regional_revision *revision);
const char *lw_regional_revision_name(enum lw_regional_revision revision);
/* As TS002 writes MACVersion: "1.0", "1.1" for the first of each, else the whole name. */
const char *lw_mac_version_short_name(enum lw_mac_version version);

#define LW_EUI64_TEXT    17 /* 16 lower-case digits and NUL */
#define LW_DEV_ADDR_TEXT 9
#define LW_NET_ID_TEXT   7

/* Parse 16, 8 or 6 hexadecimal digits of either case, nothing else. */
bool lw_eui64_parse(const char *text, struct lw_eui64 *eui);
bool lw_dev_addr_parse(const char *text, struct lw_dev_addr *dev_addr);
bool lw_net_id_parse(const char *text, struct lw_net_id *net_id);
bool lw_key_parse(const char *text, struct lw_key *key);
/* Fill the text, NUL-terminated. */
void lw_eui64_format(char text[LW_EUI64_TEXT], const struct lw_eui64 *eui);
void lw_dev_addr_format(char text[LW_DEV_ADDR_TEXT], struct lw_dev_addr dev_addr);
void lw_net_id_format(char text[LW_NET_ID_TEXT], struct lw_net_id net_id);

bool lw_eui64_equal(const struct lw_eui64 *a, const struct lw_eui64 *b);
uint64_t lw_eui64_number(const struct lw_eui64 *eui);
struct lw_eui64 lw_eui64_from_number(uint64_t number);
/* The bytes in the other order: what a label or a firmware shows that took the order on the air for the display's. */
struct lw_eui64 lw_eui64_reverse(const struct lw_eui64 *eui);

/* Overwrites a key so that the compiler cannot leave it out. */
void lw_key_wipe(struct lw_key *key);

/* How a frame is modulated on the air: LoRa, FSK or LR-FHSS (RP002). */
enum lw_modulation_kind { LW_LORA, LW_FSK, LW_LR_FHSS };

struct lw_modulation {
	enum lw_modulation_kind kind;
	uint8_t spreading_factor;   /* LoRa: 5..12 */
	uint32_t bandwidth_hz;      /* LoRa: channel bandwidth; LR-FHSS: occupied channel width */
	uint32_t bit_rate_bps;      /* FSK */
	uint32_t freq_deviation_hz; /* FSK, downlinks */
	char code_rate[8];          /* "4/5", "1/3", "4/5LI"; "" when unknown or off */
};

#endif
