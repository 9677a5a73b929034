/* A live frame as JSON, in the specification's words (docs/frames.md): what the network server said of it, and what its bytes
 * say without a key. Radio parts have the form of the events' (`rxInfo`, `txInfo`). Pure. */
#ifndef LAMPPOST_AS_FRAME_JSON_H
#define LAMPPOST_AS_FRAME_JSON_H

#include "application-server/store_keys.h"
#include "common/proto/frame_messages.h"

#define AS_FRAME_MAX (32 * 1024) /* bytes of one frame's JSON */

/* Fills the text, NUL-terminated, and its length; false when it does not fit. `device` NULL: not registered, or not known. */
bool as_frame_json(char *text, size_t capacity, const struct net_frame *frame,
		   const struct as_device_info *device, size_t *length);

#endif
