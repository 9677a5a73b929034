/* A command to a device, as REST and MQTT state it: read into an item and a payload, every fault named. One reader for both;
 * they differ in what they put up with:
 *
 *	AS_COMMAND_REST  members of the API's names; an unknown one is refused, so that a misspelt `confirmed` does not pass
 *	AS_COMMAND_MQTT  as ChirpStack reads them: unknown members are ignored, numbers may be strings. What it refuses to
 *	                 people's surprise is taken: null scalars, `10.0` (tests/vectors/chirpstack-events/README.md)
 *
 * Both take either spelling of a name (`f_port`, `fPort`), base64 of both alphabets with or without padding. Pure. */
#ifndef LAMPPOST_AS_COMMAND_H
#define LAMPPOST_AS_COMMAND_H

#include "application-server/downlinks/item.h"
#include "common/text/record_schema.h"

#include <jansson.h>

#define AS_COMMAND_DATA_MAX 4096 /* bytes that are still read, to say how long they are */
#define AS_COMMAND_WHY_MAX  192
#define AS_TTL_MAX_S        31536000

enum as_command_form { AS_COMMAND_REST, AS_COMMAND_MQTT };

struct as_command {
	struct as_item item; /* id, port, flags, expiry; nothing sealed yet */
	bool has_id;
	bool has_object;              /* for an encoder: `object` stands in the place of data */
	const json_t *object;         /* borrowed from what was read */
	char why[AS_COMMAND_WHY_MAX]; /* of the encoder, or of a quota, when it refused; "" else */
	uint8_t payload[AS_COMMAND_DATA_MAX];
	size_t length; /* may be longer than any frame */
};

/* Fills `command`; false with at least one problem. `now` turns `ttl_s` into a time. The caller wipes the command. */
bool as_command_read(const json_t *body, enum as_command_form form, struct wall now,
		     struct as_command *command, struct record_problems *problems);

/* Reads application/<UUID>/device/<DevEUI>/command/<name>; fills the application, the DevEUI's text as it stands there (for
 * the comparison with the payload's), and lends the name. False: another topic. */
bool as_command_topic(const char *topic, struct net_uuid *application, char dev_eui[LW_EUI64_TEXT],
		      const char **name);

#endif
