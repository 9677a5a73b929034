/* Events as the JSON that subscribers get, in the form of ChirpStack v4 (tests/vectors/chirpstack-events): the event
 * level writes its defaults, the radio level leaves them out. Differences, on purpose: `snr` is written at 0 dB too; a
 * frame without a port writes `fPort` 0 as there, and extra facts stand in extra fields (`late`, `gatewayCount`,
 * `nextFCntDown`, `maxPayload`, `encrypted`, `codecError`, `fCntRestarted`). Pure. */
#ifndef LAMPPOST_AS_EVENT_JSON_H
#define LAMPPOST_AS_EVENT_JSON_H

#include "application-server/events/json_out.h"
#include "application-server/store_custody.h"
#include "application-server/store_keys.h"
#include "common/proto/network_messages.h"

#include <jansson.h>

#define AS_EVENT_MAX (64 * 1024) /* bytes of one event's JSON */

struct as_place {
	bool known;
	double lat, lon, altitude_m;
};

/* Writes an element of `rxInfo`. */
void as_put_reception(struct json_out *out, const struct net_reception *reception,
		      const struct as_place *place);

struct as_up_parts {
	const struct net_up_event *event;
	const struct as_device_info *device; /* NULL: not registered */
	const uint8_t *data;                 /* the payload: in clear, or as it came with `encrypted` */
	size_t data_length;
	bool encrypted;
	const struct as_held *held;    /* what opens it, for the agency alone; NULL: nothing that is known */
	const json_t *object;          /* the codec's result; NULL: none */
	const char *codec_error;       /* why it has none; "": no error, or no codec */
	const struct as_place *places; /* of each reception */
};

/* Fill the text, NUL-terminated, and its length; false when it does not fit (too many and too long tags). */
bool as_up_json(char *text, size_t capacity, const struct as_up_parts *parts, size_t *length);
/* `held` NULL: the AppSKey is the city's. */
bool as_join_json(char *text, size_t capacity, const struct net_join_event *event,
		  const struct as_device_info *device, const struct as_held *held, size_t *length);

/* What opens a reading that is kept as it came: {"devAddr", "joinServerContext"}. */
#define AS_HELD_TEXT 256
void as_held_json(char text[AS_HELD_TEXT], const struct as_held *held);

#endif
