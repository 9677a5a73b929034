#include "cli/capture_item.h"

#include "common/base/check.h"
#include "common/base/packet.h"

static const char *const skip_names[CAPTURE_SKIP_COUNT] = {
	[CAPTURE_NOT_IP] = "not_ip",         [CAPTURE_NOT_UDP] = "not_udp",
	[CAPTURE_FRAGMENT] = "fragment",     [CAPTURE_CUT] = "cut",
	[CAPTURE_MALFORMED] = "malformed",   [CAPTURE_UNKNOWN_LINK] = "unknown_link",
	[CAPTURE_OTHER_PORT] = "other_port", [CAPTURE_NOT_SEMTECH] = "not_semtech",
	[CAPTURE_BAD_CRC] = "bad_crc",       [CAPTURE_NOT_LORAWAN] = "not_lorawan",
	[CAPTURE_BAD_LENGTH] = "bad_length",
};

const char *capture_skip_name(enum capture_skip skip)
{
	return (unsigned)skip < CAPTURE_SKIP_COUNT ? skip_names[skip] : "unknown";
}

static const enum capture_skip skip_of_packet[PACKET_VERDICT_COUNT] = {
	[PACKET_UNKNOWN_LINK] = CAPTURE_UNKNOWN_LINK,
	[PACKET_NOT_IP] = CAPTURE_NOT_IP,
	[PACKET_NOT_UDP] = CAPTURE_NOT_UDP,
	[PACKET_FRAGMENT] = CAPTURE_FRAGMENT,
	[PACKET_CUT] = CAPTURE_CUT,
	[PACKET_MALFORMED] = CAPTURE_MALFORMED,
};

bool capture_frame_is_down(const uint8_t *phy, size_t length)
{
	enum { JOIN_ACCEPT = 1, UNCONFIRMED_DOWN = 3, CONFIRMED_DOWN = 5 };
	unsigned type = length > 0 ? phy[0] >> 5 : 0;
	return type == JOIN_ACCEPT || type == UNCONFIRMED_DOWN || type == CONFIRMED_DOWN;
}

static void skip(struct capture_item *item, enum capture_skip why)
{
	item->kind = CAPTURE_SKIPPED;
	item->skip = why;
}

static void read_frame(struct capture_item *item, const struct pcap_packet *packet)
{
	struct rd rd = rd_init(packet->bytes, packet->length);
	if (lw_loratap_read(&rd, &item->header) != LW_LORATAP_OK) {
		skip(item, CAPTURE_MALFORMED);
		return;
	}
	item->length = rd_left(&rd);
	item->bytes = rd_take(&rd, item->length);
	item->has_gateway = item->header.has_gateway;
	item->gateway = item->header.gateway;
	if (packet->original_length > packet->length)
		skip(item, CAPTURE_CUT);
	else if (item->header.crc_bad)
		skip(item, CAPTURE_BAD_CRC);
	else if (item->length == 0 || item->length > LW_PHY_PAYLOAD_MAX)
		skip(item, CAPTURE_BAD_LENGTH);
	else if (capture_frame_is_down(item->bytes, item->length))
		item->kind = CAPTURE_FRAME_DOWN;
	else
		item->kind = CAPTURE_FRAME_UP;
	bool is_lora = lw_loratap_modulation(&item->header, &item->modulation);
	if (item->kind == CAPTURE_FRAME_UP && (!is_lora || (item->modulation.kind == LW_LORA &&
							    item->header.sync_word != LW_LORATAP_SYNC_WORD)))
		skip(item, CAPTURE_NOT_LORAWAN);
}

static bool is_semtech(const struct capture_item *item, bool to_server)
{
	struct rd rd = rd_init(item->bytes, item->length);
	uint8_t version = rd_u8(&rd);
	rd_u16be(&rd); /* token */
	uint8_t identifier = rd_u8(&rd);
	bool goes_up = identifier == SEMTECH_PUSH_DATA || identifier == SEMTECH_PULL_DATA ||
		       identifier == SEMTECH_TX_ACK;
	return rd_ok(&rd) && (version == 1 || version == 2) && identifier <= SEMTECH_TX_ACK &&
	       goes_up == to_server && (!goes_up || item->length >= SEMTECH_HEADER_SIZE);
}

static void read_datagram(struct capture_item *item, const struct pcap_packet *packet, uint16_t port)
{
	struct packet_datagram datagram;
	enum packet_verdict verdict = packet_parse(packet->link_type, packet->bytes, packet->length,
						   &datagram);
	if (verdict != PACKET_DATAGRAM) {
		skip(item, skip_of_packet[verdict]);
		return;
	}
	bool to_server = datagram.to.port == port;
	item->bytes = datagram.bytes;
	item->length = datagram.length;
	if (!to_server && datagram.from.port != port) {
		skip(item, CAPTURE_OTHER_PORT);
		return;
	}
	/* Both may have the same port: then the identifier tells. */
	if (to_server && datagram.from.port == port && !is_semtech(item, true))
		to_server = false;
	if (!is_semtech(item, to_server)) {
		skip(item, CAPTURE_NOT_SEMTECH);
		return;
	}
	struct rd rd = rd_init(item->bytes, item->length);
	rd_take(&rd, 3);
	item->identifier = (enum semtech_identifier)rd_u8(&rd);
	item->kind = to_server ? CAPTURE_TO_SERVER : CAPTURE_FROM_SERVER;
	item->has_gateway = to_server;
	if (to_server)
		rd_copy(&rd, item->gateway.bytes, sizeof item->gateway.bytes);
}

void capture_item_read(struct capture_item *item, const struct pcap_packet *packet, uint16_t port)
{
	*item = (struct capture_item){.time = packet->time};
	if (packet->link_type == LW_LORATAP_LINK_TYPE)
		read_frame(item, packet);
	else
		read_datagram(item, packet, port);
}
