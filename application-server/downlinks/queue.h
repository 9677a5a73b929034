/* The one way into a device's queue, whoever asks (REST, MQTT), and the way out by request. Rules:
 *
 *	- the id is the command's identity: the same id with the same contents is the same command, whatever became of it;
 *	  with other contents it is refused. Known as long as the item is kept (store_items.h)
 *	- a payload that the region could not carry at its best data rate is refused; one that only does not fit now waits
 *	- queues are bounded for each device and each agency */
#ifndef LAMPPOST_AS_QUEUE_H
#define LAMPPOST_AS_QUEUE_H

#include "application-server/application.h"
#include "application-server/downlinks/command.h"
#include "application-server/store_events.h"

enum as_enqueued {
	AS_ENQUEUED,
	AS_ENQUEUED_BEFORE, /* the same command again: `item` is as it is now */
	AS_ID_TAKEN,        /* by another command */
	AS_DEVICE_FULL,
	AS_AGENCY_FULL,
	AS_DEVICE_QUOTA, /* of airtime (quota.h): the command's `why` */
	AS_AGENCY_QUOTA,
	AS_TOO_LONG,    /* for this region at any data rate */
	AS_NO_ENCODER,  /* an object, and the profile's codec cannot encode */
	AS_NOT_ENCODED, /* an object that the profile's codec cannot write: the command's `why` */
	AS_KEY_IS_HELD, /* in clear, and the device's AppSKey is the agency's alone, or has not come yet */
	AS_ENQUEUED_COUNT
};
/* One line for people, without a full stop. */
const char *as_enqueued_reason(enum as_enqueued verdict);

/* Puts a command for a registered device (`device` is of as_store_device_info()) into the queue, or into its history when it
 * has expired already. Draws an id where the command has none, and makes the payload of an object by the profile's codec.
 * Fills `item` and `verdict`; ST_OK also when it was refused. */
enum status as_queue_add(struct as_application *app, struct now now, const struct lw_eui64 *dev_eui,
			 const struct as_device_info *device, struct as_command *command,
			 struct as_item *item, enum as_enqueued *verdict) MUST_USE;

/* Asks for one item, or for all that wait, to be dropped; `*count`: for how many that is asked now. The network server's
 * answer ends them. */
enum status as_queue_flush(struct as_application *app, const struct lw_eui64 *dev_eui,
			   const struct net_uuid *id, size_t *count) MUST_USE;

/* The longest payload that the region carries in one frame; 0: no such region. */
uint8_t as_queue_longest(struct as_application *app, const char *region);

#endif
