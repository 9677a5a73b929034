/* NetID and DevAddr arithmetic (TS002 §13: types 0 to 7).
 *
 *	NetID    type(3) | ... | ID
 *	DevAddr  `type` ones and a zero | NwkID | NwkAddr
 *
 *	type      0   1   2   3   4   5   6   7
 *	NwkID     6   6   9  11  12  13  15  17 bits: that many low bits of the NetID
 *	NwkAddr  25  24  20  17  15  13  10   7 bits
 */
#ifndef LAMPPOST_LORAWAN_DEV_ADDR_H
#define LAMPPOST_LORAWAN_DEV_ADDR_H

#include "common/lorawan/types.h"

/* The DevAddrs whose first `bits` bits are those of `value`. */
struct lw_dev_addr_prefix {
	uint32_t value; /* bits after the prefix are 0 */
	uint8_t bits;   /* 0..32 */
};

#define LW_DEV_ADDR_PREFIX_TEXT 12 /* "fc000000/32" and NUL */

/* Returns 0 to 7. */
unsigned lw_net_id_type(struct lw_net_id net_id);
/* Returns the number of bits of NwkID or NwkAddr of a type, 0 to 7. */
unsigned lw_nwk_id_bits(unsigned type);
unsigned lw_nwk_addr_bits(unsigned type);
/* Returns the block of DevAddrs that belongs to a NetID. */
struct lw_dev_addr_prefix lw_net_id_prefix(struct lw_net_id net_id);

/* Builds a DevAddr. Returns false, `dev_addr` untouched, if `nwk_addr` has more bits than the type leaves. */
bool lw_dev_addr_build(struct lw_net_id net_id, uint32_t nwk_addr, struct lw_dev_addr *dev_addr);
/* Reads type, NwkID and NwkAddr. Returns false for a DevAddr that starts with eight ones, which belongs to no
 * type. */
bool lw_dev_addr_split(struct lw_dev_addr dev_addr, unsigned *type, uint32_t *nwk_id, uint32_t *nwk_addr);

bool lw_dev_addr_in(struct lw_dev_addr dev_addr, struct lw_dev_addr_prefix prefix);
/* Parses "26000000/7": eight digits, a slash, 0 to 32; bits after the prefix must be 0. */
bool lw_dev_addr_prefix_parse(const char *text, struct lw_dev_addr_prefix *prefix);
/* Fills the text, NUL-terminated. */
void lw_dev_addr_prefix_format(char text[LW_DEV_ADDR_PREFIX_TEXT], struct lw_dev_addr_prefix prefix);

#endif
