#include "common/io/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool io_address_same_host(const struct io_address *a, const struct io_address *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool io_address_equal(const struct io_address *a, const struct io_address *b)
{
	return io_address_same_host(a, b) && a->port == b->port;
}

const char *io_address_format_host(char text[IO_ADDRESS_TEXT], const struct io_address *address)
{
	if (address->family == 4)
		inet_ntop(AF_INET, address->bytes, text, IO_ADDRESS_TEXT);
	else if (address->family == 6)
		inet_ntop(AF_INET6, address->bytes, text, IO_ADDRESS_TEXT);
	else
		snprintf(text, IO_ADDRESS_TEXT, "unset");
	return text;
}

const char *io_address_format(char text[IO_ADDRESS_TEXT], const struct io_address *address)
{
	char host[IO_ADDRESS_TEXT];
	io_address_format_host(host, address);
	if (address->family == 6 && address->scope != 0)
		snprintf(text, IO_ADDRESS_TEXT, "[%.45s%%%u]:%u", host, address->scope, address->port);
	else if (address->family == 6)
		snprintf(text, IO_ADDRESS_TEXT, "[%.45s]:%u", host, address->port);
	else if (address->family == 4)
		snprintf(text, IO_ADDRESS_TEXT, "%.45s:%u", host, address->port);
	else
		snprintf(text, IO_ADDRESS_TEXT, "unset");
	return text;
}

enum status io_address_parse(const char *host, uint16_t port, struct io_address *address)
{
	struct io_address parsed = {.port = port};
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (strcmp(host, "*") == 0)
		host = "::";
	if (inet_pton(AF_INET, host, parsed.bytes) == 1)
		parsed.family = 4;
	else if (inet_pton(AF_INET6, host, parsed.bytes) == 1)
		parsed.family = 6;
	else
		return ST_INVALID;
	*address = parsed;
	return ST_OK;
}

enum status io_address_parse_pair(const char *text, struct io_address *address)
{
	const char *colon = strrchr(text, ':');
	if (!colon || colon[1] < '0' || colon[1] > '9')
		return ST_INVALID;
	char *end;
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (*end != 0 || port > 65535)
		return ST_INVALID;
	size_t length = (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return ST_INVALID;
	}
	char host[IO_ADDRESS_TEXT];
	if (length == 0 || length >= sizeof host)
		return ST_INVALID;
	memcpy(host, text, length);
	host[length] = 0;
	return io_address_parse(host, (uint16_t)port, address);
}

size_t io_address_to_sockaddr(const struct io_address *address, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (address->family == 6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(address->port);
		in6->sin6_scope_id = address->scope;
		memcpy(&in6->sin6_addr, address->bytes, 16);
		return sizeof *in6;
	}
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	in->sin_family = AF_INET;
	in->sin_port = htons(address->port);
	memcpy(&in->sin_addr, address->bytes, 4);
	return sizeof *in;
}

struct io_address io_address_from_sockaddr(const struct sockaddr *from)
{
	struct io_address address = {0};
	if (from->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;
		address.family = 4;
		address.port = ntohs(in->sin_port);
		memcpy(address.bytes, &in->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
		address.port = ntohs(in6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			address.family = 4;
			memcpy(address.bytes, in6->sin6_addr.s6_addr + 12, 4);
		} else {
			address.family = 6;
			memcpy(address.bytes, &in6->sin6_addr, 16);
			if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
				address.scope = in6->sin6_scope_id;
		}
	}
	return address;
}
