/* rule: words as: network-server/refused.c */
#include "common/lorawan/types.h"

bool keeps(enum lw_mac_version version);
bool keeps(enum lw_mac_version version)
{
	return version >= LW_MAC_1_0_4;
}
