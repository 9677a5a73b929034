/* Blocks of EUIs, written as in 70b3d57ed0000000/36: an owner of JoinEUIs has one or more of them. Pure. */
#ifndef LAMPPOST_LORAWAN_EUI_PREFIX_H
#define LAMPPOST_LORAWAN_EUI_PREFIX_H

#include "common/lorawan/types.h"

/* EUIs whose first `bits` bits are those of `value`. */
struct lw_eui_prefix {
	uint64_t value;
	uint8_t bits; /* 1 .. 64 */
};

/* Reads "70b3d57ed0000000/36". False: not such a form, no bit, or a bit set beyond them. */
bool lw_eui_prefix_parse(const char *text, struct lw_eui_prefix *prefix);
bool lw_eui_prefix_has(const struct lw_eui_prefix *prefix, const struct lw_eui64 *eui);

#endif
