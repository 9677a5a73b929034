/* A range of internet hosts: an address and how many of its bits count. Pure. */
#ifndef LAMPPOST_BASE_CIDR_H
#define LAMPPOST_BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>

struct cidr {
	uint8_t bytes[16]; /* network order; IPv4: the first 4, the rest zero */
	uint16_t family;   /* 4, 6; 0: every host */
	uint8_t prefix;    /* bits */
};

/* Parses "192.0.2.0/24", "2001:db8::/32" or one address; "" is every host. A range of mapped IPv4 ("::ffff:192.0.2.0/120")
 * is the IPv4 range, since that is how its hosts are told. False, `cidr` untouched, for anything else, also when bits
 * below the prefix are set, or with a scope ("fe80::1%eth0"): a range knows no interfaces. */
bool cidr_parse(const char *text, struct cidr *cidr);
/* Whether it holds the address, given in the form of the range's own. */
bool cidr_contains(const struct cidr *cidr, uint16_t family, const uint8_t bytes[16]);

#endif
