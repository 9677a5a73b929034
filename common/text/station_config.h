/* router_config: what a LoRa Basics Station is told of its radios, channels and data rates, from its region and the plan that it is
 * to hear. Hardware (gains, offsets, clock source) stays in the station's own file. Pure. */
#ifndef LAMPPOST_TEXT_STATION_CONFIG_H
#define LAMPPOST_TEXT_STATION_CONFIG_H

#include "common/base/units.h"
#include "common/text/gateway_radios.h"

#define STATION_CONFIG_MAX 4096 /* a station reads 40 kB at most */

enum station_chip { STATION_SX1301, STATION_SX1302 };

/* Lends the name that stations of release 2.0.6 know a region by; NULL: they take its configuration and drop every downlink,
 * so that the region is refused. */
const char *station_region_name(const struct lw_region *region);

/* Writes router_config for the channels that a gateway is to hear; `now` goes out as MuxTime. Returns the length; 0 with a
 * sentence in `problem`. */
size_t station_config_write(char text[STATION_CONFIG_MAX], const struct lw_region *region,
			    const struct lw_channel_plan *plan, enum station_chip chip, struct wall now,
			    char problem[GATEWAY_RADIO_PROBLEM_MAX]);

#endif
