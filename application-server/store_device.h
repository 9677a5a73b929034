/* Two small things of city.db that go with devices: what each said of its own battery and margin last, and which commands came
 * by MQTT without an id, so that one that is delivered again is known. */
#ifndef LAMPPOST_AS_STORE_DEVICE_H
#define LAMPPOST_AS_STORE_DEVICE_H

#include "application-server/store.h"
#include "common/crypto/secret.h"

#define AS_COMMANDS_KEPT    65536
#define AS_COMMAND_WINDOW   (60 * US_PER_S)
#define AS_COMMAND_SAME_MID (86400 * US_PER_S)

struct as_device_status {
	struct wall time;
	uint8_t battery; /* 0 external power, 1 .. 254, 255 not measured (TS001 §5.5) */
	int16_t margin_db;
};

/* Keeps it unless a newer one is kept. ST_NOT_FOUND: no such device. */
enum status as_store_device_status_put(struct as_store *store, const struct lw_eui64 *dev_eui,
				       const struct as_device_status *said) MUST_USE;
/* False: it never said. */
bool as_store_device_status(struct as_store *store, const struct lw_eui64 *dev_eui,
			    struct as_device_status *status);

/* Fills the agency whose device it is. ST_NOT_FOUND: no such device. */
enum status as_store_device_agency(struct as_store *store, const struct lw_eui64 *dev_eui,
				   struct net_uuid *agency) MUST_USE;

/* `digest` stands for topic and bytes. Whether such a command was taken within AS_COMMAND_WINDOW, or under the same message
 * id within AS_COMMAND_SAME_MID: a broker delivers again under the id it used (MQTT 3.1.1 §4.4), however long we were away. */
bool as_store_command_seen(struct as_store *store, const uint8_t digest[SECRET_HASH], int mid,
			   struct wall now);
/* Remembers one; the oldest go. */
enum status as_store_command_remember(struct as_store *store, const uint8_t digest[SECRET_HASH], int mid,
				      struct wall now) MUST_USE;

#endif
