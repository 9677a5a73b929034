/* The UDP datagram in a captured packet, whatever it was captured on: Ethernet with or without VLAN tags, Linux "cooked" (what
 * `tcpdump -i any` writes, both versions), loopback of the BSDs, raw IP; IPv4 and IPv6. Pure; nothing is put together from
 * fragments, no checksum is looked at (captures of a machine's own packets have none yet). */
#ifndef LAMPPOST_BASE_PACKET_H
#define LAMPPOST_BASE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* LINKTYPE_ numbers of the link layers that are known. */
enum packet_link {
	PACKET_NULL = 0,
	PACKET_ETHERNET = 1,
	PACKET_RAW = 101,
	PACKET_LOOP = 108,
	PACKET_COOKED = 113,
	PACKET_IPV4 = 228,
	PACKET_IPV6 = 229,
	PACKET_COOKED_2 = 276,
};

enum packet_verdict {
	PACKET_DATAGRAM,     /* `out` is filled */
	PACKET_UNKNOWN_LINK, /* a link layer that is not in the enum above */
	PACKET_NOT_IP,       /* ARP, LLDP... */
	PACKET_NOT_UDP,      /* TCP, ICMP... */
	PACKET_FRAGMENT,     /* a part of a datagram, also the first */
	PACKET_CUT,          /* the capture kept less than the datagram's length (tcpdump -s) */
	PACKET_MALFORMED,    /* lengths that disagree */
	PACKET_VERDICT_COUNT
};
/* "not_udp"... */
const char *packet_verdict_name(enum packet_verdict verdict);

struct packet_end {
	uint8_t family;   /* 4 or 6 */
	uint8_t host[16]; /* IPv4: the first 4 */
	uint16_t port;
};

struct packet_datagram {
	struct packet_end from, to;
	const uint8_t *bytes; /* borrowed from the packet */
	size_t length;
};

/* Whether it is one of enum packet_link. */
bool packet_link_known(uint32_t link_type);
/* Takes the packet apart; `out` is untouched unless PACKET_DATAGRAM. */
enum packet_verdict packet_parse(uint32_t link_type, const uint8_t *bytes, size_t length,
				 struct packet_datagram *out);

#endif
