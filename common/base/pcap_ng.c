/* See pcap.h: pcapng, as far as packets, their interfaces and their times. A section begins anew: its byte order, and its
 * interfaces from 0. Names, comments, statistics and decryption secrets are read over. */
#include "common/base/pcap_parts.h"

#include "common/base/check.h"

enum { BLOCK_INTERFACE = 1, BLOCK_SIMPLE_PACKET = 3, BLOCK_PACKET = 6 };
#define BLOCK_SECTION 0x0a0d0d0au
#define ORDER_MAGIC   0x1a2b3c4du
#define BLOCK_FRAME   12u /* type and both lengths */

enum { OPTION_END = 0, OPTION_TIME_RESOLUTION = 9, OPTION_TIME_OFFSET = 14 };

/* Byte of if_tsresol to ticks per second; 0: cannot be reckoned with. */
static uint64_t resolution(uint8_t value)
{
	uint64_t ticks = 1;
	unsigned exponent = value & 0x7f;
	bool binary = (value & 0x80) != 0;
	if (exponent > (binary ? 30u : 9u))
		return 0;
	while (exponent-- > 0)
		ticks *= binary ? 2 : 10;
	return ticks;
}

static enum pcap_verdict read_interface(struct pcap_reader *reader, struct rd *body)
{
	struct pcap_interface interface = {.ticks_per_s = 1000000};
	interface.link_type = pcap_u16(reader, body);
	pcap_u16(reader, body);
	pcap_u32(reader, body); /* longest packet */
	while (rd_ok(body) && rd_left(body) > 0) {
		uint16_t code = pcap_u16(reader, body), length = pcap_u16(reader, body);
		const uint8_t *bytes = rd_take(body, length);
		rd_take(body, (4 - length % 4) % 4);
		if (!rd_ok(body) || code == OPTION_END)
			break;
		struct rd value = rd_init(bytes, length);
		if (code == OPTION_TIME_RESOLUTION)
			interface.ticks_per_s = resolution(rd_u8(&value));
		if (code == OPTION_TIME_OFFSET) {
			uint64_t offset = reader->swapped ? rd_u64be(&value) : rd_u64le(&value);
			interface.offset_s = (int64_t)offset;
		}
		if (!rd_ok(&value))
			return PCAP_BAD_LENGTH;
	}
	if (!rd_ok(body))
		return PCAP_BAD_LENGTH;
	if (interface.ticks_per_s == 0)
		return PCAP_BAD_TIME;
	if (reader->interface_count == PCAP_INTERFACES_MAX)
		return PCAP_MANY_INTERFACES;
	reader->interfaces[reader->interface_count++] = interface;
	return PCAP_SKIPPED;
}

static enum pcap_verdict read_packet(struct pcap_reader *reader, struct rd *body, struct pcap_packet *packet)
{
	uint32_t number = pcap_u32(reader, body);
	uint64_t ticks = (uint64_t)pcap_u32(reader, body) << 32;
	ticks |= pcap_u32(reader, body);
	struct pcap_packet read = {.length = pcap_u32(reader, body)};
	read.original_length = pcap_u32(reader, body);
	if (!rd_ok(body))
		return PCAP_BAD_LENGTH;
	if (number >= reader->interface_count)
		return PCAP_BAD_INTERFACE;
	if (read.length > PCAP_PACKET_MAX)
		return PCAP_TOO_LONG;
	if (!pcap_time(&reader->interfaces[number], ticks, &read.time))
		return PCAP_BAD_TIME;
	read.link_type = reader->interfaces[number].link_type;
	read.bytes = rd_take(body, read.length);
	if (!rd_ok(body))
		return PCAP_BAD_LENGTH;
	*packet = read;
	return PCAP_PACKET;
}

/* A packet without a time: that of the one before, which is not known here, so the beginning of time. */
static enum pcap_verdict read_simple_packet(struct pcap_reader *reader, struct rd *body,
					    struct pcap_packet *packet)
{
	struct pcap_packet read = {.original_length = pcap_u32(reader, body)};
	if (!rd_ok(body))
		return PCAP_BAD_LENGTH;
	if (reader->interface_count == 0)
		return PCAP_BAD_INTERFACE;
	read.length = read.original_length < rd_left(body) ? read.original_length : (uint32_t)rd_left(body);
	read.link_type = reader->interfaces[0].link_type;
	read.bytes = rd_take(body, read.length);
	*packet = read;
	return PCAP_PACKET;
}

static enum pcap_verdict start_section(struct pcap_reader *reader, struct rd *body)
{
	pcap_u32(reader, body); /* its byte order is known */
	uint16_t major = pcap_u16(reader, body);
	pcap_u16(reader, body);
	if (!rd_ok(body))
		return PCAP_BAD_LENGTH;
	if (major != 1)
		return PCAP_BAD_VERSION;
	reader->interface_count = 0;
	return PCAP_SKIPPED;
}

enum pcap_verdict pcap_ng_read(struct pcap_reader *reader, const uint8_t *bytes, size_t length, size_t *used,
			       struct pcap_packet *packet)
{
	struct rd rd = rd_init(bytes, length), order = rd;
	uint32_t type = rd_u32le(&order);
	if (type == BLOCK_SECTION) { /* a palindrome: the order stands behind the length */
		rd_u32le(&order);
		struct rd swapped = order;
		uint32_t magic = rd_u32le(&order), other = rd_u32be(&swapped);
		if (!rd_ok(&order))
			return PCAP_MORE;
		if (magic != ORDER_MAGIC && other != ORDER_MAGIC)
			return PCAP_NOT_A_CAPTURE;
		reader->swapped = magic != ORDER_MAGIC;
	}
	type = pcap_u32(reader, &rd);
	uint32_t whole = pcap_u32(reader, &rd);
	if (!rd_ok(&rd))
		return PCAP_MORE;
	if (whole < BLOCK_FRAME || whole % 4 != 0)
		return PCAP_BAD_LENGTH;
	if (whole > PCAP_BLOCK_MAX)
		return PCAP_TOO_LONG;
	const uint8_t *inside = rd_take(&rd, whole - BLOCK_FRAME);
	uint32_t again = pcap_u32(reader, &rd);
	if (!rd_ok(&rd))
		return PCAP_MORE;
	if (again != whole)
		return PCAP_BAD_LENGTH;
	struct rd body = rd_init(inside, whole - BLOCK_FRAME);
	*used = whole;
	switch (type) {
	case BLOCK_SECTION: return start_section(reader, &body);
	case BLOCK_INTERFACE: return read_interface(reader, &body);
	case BLOCK_PACKET: return read_packet(reader, &body, packet);
	case BLOCK_SIMPLE_PACKET: return read_simple_packet(reader, &body, packet);
	default: return PCAP_SKIPPED;
	}
}
