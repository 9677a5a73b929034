#include "gateway-bridge/options.h"

#include <stdio.h>

struct gb_options gb_options_from(const struct config_common *common, const struct gb_config *config)
{
	struct gb_options options = {
		.name = "gateway-bridge",
		.forward_unknown = config->forward_unknown,
		.ring_age = config->ring_seconds * US_PER_S,
		.ring_bytes = (uint64_t)config->ring_bytes,
		.per_eui = {(uint32_t)config->rate_per_eui, 2 * (uint32_t)config->rate_per_eui},
		.frames = {(uint32_t)config->rate_frames, 2 * (uint32_t)config->rate_frames},
		.unknown = {(uint32_t)config->rate_unknown, (uint32_t)config->rate_unknown},
		.silent = common->gateway_silent_us,
		.station_remote = config->station_remote,
		.station_ping = config->station_ping * US_PER_S,
	};
	snprintf(options.station_url, sizeof options.station_url, "%s", config->station_url);
	return options;
}
