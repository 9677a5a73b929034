/* See packet.h. Layer by layer: link → IP → UDP, each with what is left of the packet. */
#include "common/base/packet.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define VLAN_TAGS_MAX  4 /* nested */
#define IPV4_HEAD      20
#define UDP_HEAD       8
#define EXTENSIONS_MAX 8 /* IPv6 headers before UDP's */

enum { PROTOCOL_UDP = 17 };
/* IPv6 headers that may stand before UDP's. */
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60 };

static const char *const verdict_names[PACKET_VERDICT_COUNT] = {
	[PACKET_DATAGRAM] = "datagram",   [PACKET_UNKNOWN_LINK] = "unknown_link", [PACKET_NOT_IP] = "not_ip",
	[PACKET_NOT_UDP] = "not_udp",     [PACKET_FRAGMENT] = "fragment",         [PACKET_CUT] = "cut",
	[PACKET_MALFORMED] = "malformed",
};

const char *packet_verdict_name(enum packet_verdict verdict)
{
	return (unsigned)verdict < PACKET_VERDICT_COUNT ? verdict_names[verdict] : "unknown";
}

bool packet_link_known(uint32_t link_type)
{
	static const enum packet_link known[] = {PACKET_NULL, PACKET_ETHERNET, PACKET_RAW,
						 PACKET_LOOP, PACKET_COOKED,   PACKET_IPV4,
						 PACKET_IPV6, PACKET_COOKED_2};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == link_type)
			return true;
	return false;
}

static enum packet_verdict parse_udp(struct rd *rd, struct packet_datagram *out)
{
	out->from.port = rd_u16be(rd);
	out->to.port = rd_u16be(rd);
	size_t whole = rd_u16be(rd);
	rd_u16be(rd); /* checksum */
	if (!rd_ok(rd))
		return PACKET_CUT;
	if (whole < UDP_HEAD)
		return PACKET_MALFORMED;
	out->length = whole - UDP_HEAD;
	out->bytes = rd_take(rd, out->length);
	return rd_ok(rd) ? PACKET_DATAGRAM : PACKET_CUT;
}

static enum packet_verdict parse_ipv4(struct rd *rd, struct packet_datagram *out)
{
	size_t header = (size_t)(rd_u8(rd) & 0x0f) * 4;
	rd_u8(rd);
	size_t whole = rd_u16be(rd);
	rd_u16be(rd);
	uint16_t fragment = rd_u16be(rd);
	rd_u8(rd);
	uint8_t protocol = rd_u8(rd);
	rd_u16be(rd);
	out->from.family = out->to.family = 4;
	rd_copy(rd, out->from.host, 4);
	rd_copy(rd, out->to.host, 4);
	if (!rd_ok(rd))
		return PACKET_CUT;
	if (header < IPV4_HEAD || whole < header)
		return PACKET_MALFORMED;
	if (protocol != PROTOCOL_UDP)
		return PACKET_NOT_UDP;
	if ((fragment & 0x3fff) != 0) /* more to come, or not the first */
		return PACKET_FRAGMENT;
	if (whole - header < UDP_HEAD)
		return PACKET_MALFORMED;
	rd_take(rd, header - IPV4_HEAD);
	return parse_udp(rd, out);
}

static enum packet_verdict parse_ipv6(struct rd *rd, struct packet_datagram *out)
{
	rd_u32be(rd); /* version, class, label */
	rd_u16be(rd); /* length: UDP's own is believed */
	uint8_t next = rd_u8(rd);
	rd_u8(rd);
	out->from.family = out->to.family = 6;
	rd_copy(rd, out->from.host, 16);
	rd_copy(rd, out->to.host, 16);
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
		if (!rd_ok(rd))
			return PACKET_CUT;
		if (next == PROTOCOL_UDP)
			return parse_udp(rd, out);
		if (next == FRAGMENT)
			return PACKET_FRAGMENT;
		if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION)
			return PACKET_NOT_UDP;
		next = rd_u8(rd);
		size_t more = rd_u8(rd);
		rd_take(rd, 6 + 8 * more);
	}
	return rd_ok(rd) ? PACKET_MALFORMED : PACKET_CUT;
}

static enum packet_verdict parse_ip(struct rd *rd, struct packet_datagram *out)
{
	struct rd ahead = *rd;
	uint8_t version = rd_u8(&ahead) >> 4;
	if (!rd_ok(&ahead))
		return PACKET_CUT;
	return version == 4 ? parse_ipv4(rd, out) : version == 6 ? parse_ipv6(rd, out) : PACKET_NOT_IP;
}

static enum packet_verdict parse_ethertype(struct rd *rd, uint16_t type, struct packet_datagram *out)
{
	for (unsigned i = 0; i < VLAN_TAGS_MAX && (type == 0x8100 || type == 0x88a8 || type == 0x9100); i++) {
		rd_u16be(rd);
		type = rd_u16be(rd);
	}
	if (!rd_ok(rd))
		return PACKET_CUT;
	if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
		return PACKET_NOT_IP;
	return parse_ip(rd, out);
}

/* The BSDs' loopback names the family in the byte order of the machine that captured: 2 is IPv4 everywhere, IPv6 differs. */
static enum packet_verdict parse_loopback(struct rd *rd, struct packet_datagram *out)
{
	uint32_t family = rd_u32le(rd);
	if (!rd_ok(rd))
		return PACKET_CUT;
	if (family > 0xffff)
		family = family >> 24 | (family >> 8 & 0xff00);
	return family == 2 || family == 10 || family == 24 || family == 28 || family == 30 ? parse_ip(rd, out)
											   : PACKET_NOT_IP;
}

enum packet_verdict packet_parse(uint32_t link_type, const uint8_t *bytes, size_t length,
				 struct packet_datagram *out)
{
	struct rd rd = rd_init(bytes, length);
	struct packet_datagram read = {.length = 0};
	enum packet_verdict verdict = PACKET_UNKNOWN_LINK;
	uint16_t type;
	switch (link_type) {
	case PACKET_ETHERNET:
		rd_take(&rd, 12);
		type = rd_u16be(&rd);
		verdict = parse_ethertype(&rd, type, &read);
		break;
	case PACKET_COOKED:
		rd_take(&rd, 14);
		type = rd_u16be(&rd);
		verdict = parse_ethertype(&rd, type, &read);
		break;
	case PACKET_COOKED_2:
		type = rd_u16be(&rd);
		rd_take(&rd, 18);
		verdict = parse_ethertype(&rd, type, &read);
		break;
	case PACKET_NULL:
	case PACKET_LOOP: verdict = parse_loopback(&rd, &read); break;
	case PACKET_RAW:
	case PACKET_IPV4:
	case PACKET_IPV6: verdict = parse_ip(&rd, &read); break;
	default: break;
	}
	if (verdict == PACKET_DATAGRAM)
		*out = read;
	return verdict;
}
