/* A network address as a value: no sockaddr leaves common/io. IPv4 addresses that arrive mapped into IPv6 are
 * kept as IPv4, so that one sender has one form. Padding-free and zeroed, so that a `struct table` may key on
 * it. */
#ifndef LAMPPOST_IO_ADDRESS_H
#define LAMPPOST_IO_ADDRESS_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct sockaddr_storage;

#define IO_ADDRESS_TEXT 72 /* room for "[IPv6%scope]:port" and NUL */

struct io_address {
	uint8_t bytes[16]; /* IPv4: the first 4; the rest zero */
	uint32_t scope;    /* IPv6 link-local interface, else 0 */
	uint16_t port;     /* host order */
	uint16_t family;   /* 4, 6, or 0: unset */
};

/* Whether the hosts are the same, ports aside: "moved" compares this (DESIGN 11). */
bool io_address_same_host(const struct io_address *a, const struct io_address *b);
bool io_address_equal(const struct io_address *a, const struct io_address *b);
/* Fills "192.0.2.1:1700", "[2001:db8::1]:1700" or "unset"; returns `text`. */
const char *io_address_format(char text[IO_ADDRESS_TEXT], const struct io_address *address);
/* Fills the host alone: "192.0.2.1"; returns `text`. */
const char *io_address_format_host(char text[IO_ADDRESS_TEXT], const struct io_address *address);
/* Parses a numeric host; "localhost" is 127.0.0.1, "*" is [::] (which hears IPv4 as well). No name is ever
 * looked up. */
enum status io_address_parse(const char *host, uint16_t port, struct io_address *address) MUST_USE;
/* Parses "host:port" or "[host]:port", numeric. */
enum status io_address_parse_pair(const char *text, struct io_address *address) MUST_USE;

/* For common/io alone. Returns the length used. */
size_t io_address_to_sockaddr(const struct io_address *address, struct sockaddr_storage *out);
struct io_address io_address_from_sockaddr(const struct sockaddr *from);

/* Who is at the other end of a Unix socket, as the kernel knew at connect. */
struct io_peer {
	uint32_t uid;
	uint32_t gid;
	uint32_t pid;
};

#endif
