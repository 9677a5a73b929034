/* The MQTT broker of the configuration: none, one, another one while running. */
#ifndef LAMPPOST_AS_EDGE_DELIVERY_H
#define LAMPPOST_AS_EDGE_DELIVERY_H

#include "application-server/config.h"
#include "application-server/delivery/commands.h"
#include "application-server/delivery/mqtt.h"
#include "common/text/config.h"

struct as_delivery {
	struct io_loop *loop;         /* borrowed */
	struct as_application *app;   /* borrowed */
	struct as_mqtt *mqtt;         /* owned; NULL: no broker is configured */
	struct as_commands *commands; /* the same */
};

/* What stands in the files that the configuration names, read before anything changes. */
struct as_delivery_files {
	char password[256]; /* "": none. Wipe it */
};

/* Reads them; false with one line in `problem`. */
bool as_delivery_read(const struct as_config *config, struct as_delivery_files *files,
		      char problem[CONFIG_ERROR_MAX]);
/* Brings delivery to what the configuration says: opens, connects anew where anything differs, or closes. */
enum status as_delivery_set(struct as_delivery *delivery, const struct as_config *config,
			    const struct as_delivery_files *files) MUST_USE;
void as_delivery_close(struct as_delivery *delivery);

#endif
