/* Connecting to a broker by its name without holding the loop: the library asks the name server inside its connect call and
 * waits for the answer, so that call runs on a thread of its own. It keeps the name, against which TLS checks the
 * broker's certificate, and tries each of its addresses. */
#ifndef LAMPPOST_IO_MQTT_CONNECT_H
#define LAMPPOST_IO_MQTT_CONNECT_H

#include "common/io/loop.h"

struct mosquitto;
struct io_mqtt_connect; /* opaque */

/* Takes `client` until `done`, which gives it back with the library's code: a socket is there then, on its way to the broker. */
struct io_mqtt_connect *io_mqtt_connect_start(struct io_loop *loop, struct mosquitto *client,
					      const char *host, uint16_t port, int keep_alive_s,
					      void (*done)(void *ctx, int code), void *ctx);
/* Destroys the client as soon as the name server has answered, and does not wait for that. NULL is allowed. */
void io_mqtt_connect_abandon(struct io_mqtt_connect *connect);

#endif
