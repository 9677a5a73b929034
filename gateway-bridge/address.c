#include "gateway-bridge/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool gb_address_same_host(const struct gb_address *a, const struct gb_address *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

const char *gb_address_format(char text[GB_ADDRESS_TEXT], const struct gb_address *address)
{
	char host[INET6_ADDRSTRLEN] = "unset";
	if (address->family == 4)
		inet_ntop(AF_INET, address->bytes, host, sizeof host);
	else if (address->family == 6)
		inet_ntop(AF_INET6, address->bytes, host, sizeof host);
	if (address->family == 0)
		snprintf(text, GB_ADDRESS_TEXT, "unset");
	else if (address->family == 4)
		snprintf(text, GB_ADDRESS_TEXT, "%s:%u", host, address->port);
	else if (address->scope)
		snprintf(text, GB_ADDRESS_TEXT, "[%s%%%u]:%u", host, address->scope, address->port);
	else
		snprintf(text, GB_ADDRESS_TEXT, "[%s]:%u", host, address->port);
	return text;
}

bool gb_cidr_contains(const struct cidr *cidr, const struct gb_address *address)
{
	return cidr_contains(cidr, address->family, address->bytes);
}
