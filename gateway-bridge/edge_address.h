/* Addresses between the core's form and the sockets'. */
#ifndef LAMPPOST_BRIDGE_EDGE_ADDRESS_H
#define LAMPPOST_BRIDGE_EDGE_ADDRESS_H

#include "common/io/address.h"
#include "gateway-bridge/address.h"

#include <string.h>

static inline struct io_address gb_address_to_io(const struct gb_address *address)
{
	struct io_address out = {.scope = address->scope, .port = address->port, .family = address->family};
	memcpy(out.bytes, address->bytes, sizeof out.bytes);
	return out;
}

static inline struct gb_address gb_address_from_io(const struct io_address *address)
{
	struct gb_address out = {.scope = address->scope, .port = address->port, .family = address->family};
	memcpy(out.bytes, address->bytes, sizeof out.bytes);
	return out;
}

#endif
