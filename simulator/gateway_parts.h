/* What gateway.c (receiver, backhaul) and gateway_jit.c (the way down) share. */
#ifndef LAMPPOST_SIM_GATEWAY_PARTS_H
#define LAMPPOST_SIM_GATEWAY_PARTS_H

#include "simulator/gateway.h"

/* Whether the gateway was sending at some time of that span. */
bool sim_gateway_was_deaf(const struct sim_gateway *gateway, int64_t from_us, int64_t to_us);
/* Lends a place in the outbox for a datagram that enters the backhaul now; NULL if it is lost there, or the outbox is full (counted). */
struct sim_datagram *sim_gateway_put(struct sim_gateway *gateway, int64_t now_us, enum sim_socket socket);

#endif
