/* What the algorithms share: the limits' bits, and the algorithms themselves for the table of adr.c. */
#ifndef LAMPPOST_NETWORK_SERVER_ADR_ADR_PARTS_H
#define LAMPPOST_NETWORK_SERVER_ADR_ADR_PARTS_H

#include "network-server/adr/adr.h"

#define NS_ADR_QDB 25 /* hundredths of dB in a quarter */

bool ns_adr_may(uint16_t bits, int index);
/* The next index that may be given in a direction (1, -1), or `from` where there is none. */
uint8_t ns_adr_next(uint16_t bits, uint8_t from, int direction);
/* `index`, or what lies next below it, or above. */
uint8_t ns_adr_nearest(uint16_t bits, uint8_t index);

struct ns_adr_decision ns_adr_usual(const struct ns_adr_input *input);
struct ns_adr_decision ns_adr_fixed(const struct ns_adr_input *input);
struct ns_adr_decision ns_adr_steady(const struct ns_adr_input *input);

#endif
