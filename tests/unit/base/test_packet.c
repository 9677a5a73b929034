/* Datagrams out of captured packets: every link layer, and everything that is none. */
#include "tests/harness/harness.h"

#include "common/base/packet.h"

#include <string.h>

#define MACS 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2
#define UDP  0xd4, 0x31, 0x06, 0xa4, 0, 12, 0, 0, 2, 0x12, 0x34, 2 /* 54321 → 1700, four bytes */
/* total length, flags and fragment, protocol */
#define IP4_HEAD(length, fragment, protocol)                                                             \
	0x45, 0, 0, (length), 0, 1, (fragment) >> 8, (fragment)&255, 64, (protocol), 0, 0, 192, 0, 2, 1, \
		192, 0, 2, 2
#define IP4 IP4_HEAD(32, 0x4000, 17), UDP
#define IP6_HEAD(next)                                                                                     \
	0x60, 0, 0, 0, 0, 12, (next), 64, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, \
		0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define IP6 IP6_HEAD(17), UDP

static const struct {
	const char *name;
	uint32_t link;
	size_t length;
	uint8_t bytes[104];
	enum packet_verdict verdict;
	uint8_t family;
} rows[] = {
	{"Ethernet", 1, 46, {MACS, 8, 0, IP4}, PACKET_DATAGRAM, 4},
	{"Ethernet, padded to its shortest", 1, 60, {MACS, 8, 0, IP4}, PACKET_DATAGRAM, 4},
	{"Ethernet, IPv6", 1, 66, {MACS, 0x86, 0xdd, IP6}, PACKET_DATAGRAM, 6},
	{"VLAN", 1, 50, {MACS, 0x81, 0, 0, 7, 8, 0, IP4}, PACKET_DATAGRAM, 4},
	{"VLAN in VLAN", 1, 54, {MACS, 0x88, 0xa8, 0, 7, 0x81, 0, 0, 8, 8, 0, IP4}, PACKET_DATAGRAM, 4},
	{"five VLANs",
	 1,
	 60,
	 {MACS, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 0x81, 0, 0, 1, 8, 0},
	 PACKET_NOT_IP,
	 0},
	{"cooked", 113, 48, {0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, IP4}, PACKET_DATAGRAM, 4},
	{"cooked, version 2",
	 276,
	 52,
	 {8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, IP4},
	 PACKET_DATAGRAM,
	 4},
	{"raw IPv4", 101, 32, {IP4}, PACKET_DATAGRAM, 4},
	{"raw IPv6", 101, 52, {IP6}, PACKET_DATAGRAM, 6},
	{"IPv4 by its number", 228, 32, {IP4}, PACKET_DATAGRAM, 4},
	{"IPv6 by its number", 229, 52, {IP6}, PACKET_DATAGRAM, 6},
	{"loopback, low byte first", 0, 36, {2, 0, 0, 0, IP4}, PACKET_DATAGRAM, 4},
	{"loopback, high byte first", 0, 36, {0, 0, 0, 2, IP4}, PACKET_DATAGRAM, 4},
	{"loopback of OpenBSD", 108, 56, {0, 0, 0, 24, IP6}, PACKET_DATAGRAM, 6},
	{"loopback, another family", 0, 36, {7, 0, 0, 0, IP4}, PACKET_NOT_IP, 0},
	{"IPv4 with options",
	 101,
	 36,
	 {0x46, 0, 0, 36, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 1, 1, 1, UDP},
	 PACKET_DATAGRAM,
	 4},
	{"IPv6 with two headers between",
	 101,
	 68,
	 {IP6_HEAD(0), 60, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, UDP},
	 PACKET_DATAGRAM,
	 6},
	{"IPv6 with headers without an end", 101, 104, {IP6_HEAD(0)}, PACKET_MALFORMED, 0},
	{"IPv6 cut in the last header", 101, 103, {IP6_HEAD(0)}, PACKET_CUT, 0},
	{"ARP", 1, 42, {MACS, 8, 6}, PACKET_NOT_IP, 0},
	{"TCP", 1, 46, {MACS, 8, 0, IP4_HEAD(32, 0, 6), UDP}, PACKET_NOT_UDP, 0},
	{"ICMPv6", 101, 52, {IP6_HEAD(58), UDP}, PACKET_NOT_UDP, 0},
	{"the first fragment", 101, 32, {IP4_HEAD(32, 0x2000, 17), UDP}, PACKET_FRAGMENT, 0},
	{"a later fragment", 101, 32, {IP4_HEAD(32, 0x00b9, 17), UDP}, PACKET_FRAGMENT, 0},
	{"a fragment of IPv6", 101, 60, {IP6_HEAD(44), 17}, PACKET_FRAGMENT, 0},
	{"cut in the payload", 1, 45, {MACS, 8, 0, IP4}, PACKET_CUT, 0},
	{"cut in UDP's header", 1, 40, {MACS, 8, 0, IP4}, PACKET_CUT, 0},
	{"cut in IPv4's header", 1, 33, {MACS, 8, 0, IP4}, PACKET_CUT, 0},
	{"cut in Ethernet's header", 1, 13, {MACS, 8}, PACKET_CUT, 0},
	{"nothing", 101, 0, {0}, PACKET_CUT, 0},
	{"IPv4 header of 16 bytes", 101, 32, {0x44, 0, 0, 32}, PACKET_MALFORMED, 0},
	{"IPv4 shorter than its header", 101, 32, {IP4_HEAD(19, 0, 17), UDP}, PACKET_MALFORMED, 0},
	{"no room for UDP", 101, 32, {IP4_HEAD(27, 0, 17), UDP}, PACKET_MALFORMED, 0},
	{"UDP of 7 bytes", 101, 32, {IP4_HEAD(32, 0, 17), 0, 1, 0, 2, 0, 7, 0, 0}, PACKET_MALFORMED, 0},
	{"IP version 5", 101, 32, {0x55}, PACKET_NOT_IP, 0},
	{"radio", 127, 32, {IP4}, PACKET_UNKNOWN_LINK, 0},
};

static void packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet_datagram datagram = {.length = 99};
		t_row(rows[i].name);
		enum packet_verdict verdict = packet_parse(rows[i].link, rows[i].bytes, rows[i].length,
							   &datagram);
		t_str("verdict", packet_verdict_name(rows[i].verdict), packet_verdict_name(verdict));
		t_int("known link", rows[i].verdict != PACKET_UNKNOWN_LINK, packet_link_known(rows[i].link));
		if (verdict != PACKET_DATAGRAM) {
			t_uint("untouched", 99, datagram.length);
			continue;
		}
		t_bytes("payload", (const uint8_t[]){2, 0x12, 0x34, 2}, 4, datagram.bytes, datagram.length);
		t_uint("from port", 54321, datagram.from.port);
		t_uint("to port", 1700, datagram.to.port);
		t_uint("family", rows[i].family, datagram.to.family);
		t_uint("host", rows[i].family == 4 ? 192 : 0x20, datagram.to.host[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(packets)};
	return t_run(tests);
}
