/* Input: a capture file, read as `lamppost capture` reads it: packets, and of each the LoRaTap header or the datagram. Nothing is
 * read outside the input, the reader always gets on, and what it gives lies within the bounds that it promises. */
#include "common/base/check.h"
#include "common/base/packet.h"
#include "common/base/pcap.h"
#include "common/lorawan/loratap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_apart(const struct pcap_packet *packet)
{
	struct lw_loratap header;
	struct lw_modulation modulation;
	struct packet_datagram datagram;
	struct rd rd = rd_init(packet->bytes, packet->length);
	int rssi_cdb;
	if (lw_loratap_read(&rd, &header) == LW_LORATAP_OK) {
		ASSERT_CMP(rd_left(&rd), <=, packet->length);
		if (lw_loratap_modulation(&header, &modulation))
			ASSERT(modulation.kind == LW_FSK || modulation.spreading_factor >= 5);
		(void)lw_loratap_rssi_cdb(&header, &rssi_cdb);
	}
	static const uint32_t links[] = {0, 1, 101, 108, 113, 276};
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		if (packet_parse(links[i], packet->bytes, packet->length, &datagram) != PACKET_DATAGRAM)
			continue;
		ASSERT(datagram.bytes >= packet->bytes &&
		       datagram.bytes + datagram.length <= packet->bytes + packet->length);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcap_reader reader = pcap_reader_init();
	struct pcap_packet packet;
	size_t at = 0, used;
	enum pcap_verdict verdict;
	while ((verdict = pcap_read(&reader, data + at, size - at, &used, &packet)) <= PCAP_SKIPPED) {
		ASSERT(used > 0);
		at += used;
		ASSERT_CMP(at, <=, size);
		ASSERT_CMP(reader.offset, ==, at);
		if (verdict != PCAP_PACKET)
			continue;
		ASSERT_CMP(packet.length, <=, PCAP_PACKET_MAX);
		ASSERT(packet.bytes >= data && packet.bytes + packet.length <= data + size);
		take_apart(&packet);
	}
	ASSERT_CMP(used, ==, 0);
	return 0;
}
