/* Where a datagram came from, as a value that the core can keep and compare; the edge converts from and to the socket's
 * own form. Pure. */
#ifndef LAMPPOST_BRIDGE_ADDRESS_H
#define LAMPPOST_BRIDGE_ADDRESS_H

#include "common/base/cidr.h"

#include <stdbool.h>
#include <stdint.h>

#define GB_ADDRESS_TEXT 64 /* room for "[IPv6%scope]:port" and NUL */

struct gb_address {
	uint8_t bytes[16]; /* network order; IPv4: the first 4, the rest zero */
	uint32_t scope;    /* IPv6 link-local interface, else 0 */
	uint16_t port;
	uint16_t family; /* 4, 6, or 0: unset */
};

/* An address and the socket of ours that heard it: an answer leaves through that one. */
struct gb_peer {
	struct gb_address address;
	uint32_t socket; /* index in udp_listen */
};

/* Whether the hosts are the same, ports aside: "moved" compares this. */
bool gb_address_same_host(const struct gb_address *a, const struct gb_address *b);
/* Fills "192.0.2.1:1700" or "[2001:db8::1]:1700"; returns `text`. */
const char *gb_address_format(char text[GB_ADDRESS_TEXT], const struct gb_address *address);

bool gb_cidr_contains(const struct cidr *cidr, const struct gb_address *address);

#endif
