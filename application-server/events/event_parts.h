/* What the JSON of several events has in common, in the form of ChirpStack v4. Each writes one named member. */
#ifndef LAMPPOST_AS_EVENT_PARTS_H
#define LAMPPOST_AS_EVENT_PARTS_H

#include "application-server/events/json_out.h"
#include "application-server/store_keys.h"

void as_put_uuid(struct json_out *out, const char *name, const struct net_uuid *uuid);
void as_put_time(struct json_out *out, const char *name, struct wall time);
/* Decimal seconds with 0, 3, 6 or 9 decimals, and `s`. */
void as_put_duration(struct json_out *out, const char *name, int64_t seconds, uint32_t ns);
void as_put_unless_zero(struct json_out *out, const char *name, int64_t value);
/* `deviceInfo`; `device` NULL: not registered. */
void as_put_device_info(struct json_out *out, const struct lw_eui64 *dev_eui,
			const struct as_device_info *device);
/* `modulation`; `inverted`: of a downlink. */
void as_put_modulation(struct json_out *out, const struct lw_modulation *modulation, bool inverted);

#endif
