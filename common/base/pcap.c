/* See pcap.h: the classic format, and which of the two a file has. Layouts: draft-ietf-opsawg-pcap and -pcapng. */
#include "common/base/pcap.h"

#include "common/base/check.h"
#include "common/base/pcap_parts.h"

#define MAGIC_MICRO   0xa1b2c3d4u
#define MAGIC_NANO    0xa1b23c4du
#define MAGIC_SECTION 0x0a0d0d0au /* the same in both orders */
#define MAGIC_SIZE    4

static const struct {
	const char *name;
	const char *text;
} rows[PCAP_VERDICT_COUNT] = {
	[PCAP_PACKET] = {"packet", "a packet"},
	[PCAP_SKIPPED] = {"skipped", "no packet"},
	[PCAP_MORE] = {"cut_short", "the file ends within a packet"},
	[PCAP_NOT_A_CAPTURE] = {"not_a_capture", "neither pcap nor pcapng"},
	[PCAP_BAD_VERSION] = {"bad_version", "a version of the format that is not known here"},
	[PCAP_BAD_LENGTH] = {"bad_length", "lengths that disagree"},
	[PCAP_TOO_LONG] = {"too_long", "a packet or block longer than any capture has"},
	[PCAP_BAD_INTERFACE] = {"bad_interface", "a packet of an interface that the file does not describe"},
	[PCAP_MANY_INTERFACES] = {"many_interfaces", "more than 64 interfaces"},
	[PCAP_BAD_TIME] = {"bad_time", "a time that no clock shows"},
};

const char *pcap_verdict_name(enum pcap_verdict verdict)
{
	return (unsigned)verdict < PCAP_VERDICT_COUNT ? rows[verdict].name : "unknown";
}

const char *pcap_verdict_text(enum pcap_verdict verdict)
{
	return (unsigned)verdict < PCAP_VERDICT_COUNT ? rows[verdict].text : "unknown";
}

struct pcap_reader pcap_reader_init(void)
{
	return (struct pcap_reader){.refused = PCAP_PACKET};
}

uint16_t pcap_u16(const struct pcap_reader *reader, struct rd *rd)
{
	return reader->swapped ? rd_u16be(rd) : rd_u16le(rd);
}

uint32_t pcap_u32(const struct pcap_reader *reader, struct rd *rd)
{
	return reader->swapped ? rd_u32be(rd) : rd_u32le(rd);
}

bool pcap_time(const struct pcap_interface *interface, uint64_t ticks, struct wall *time)
{
	uint64_t seconds = ticks / interface->ticks_per_s, rest = ticks % interface->ticks_per_s;
	if (seconds > PCAP_SECONDS_MAX || interface->offset_s > (int64_t)PCAP_SECONDS_MAX ||
	    interface->offset_s < -(int64_t)PCAP_SECONDS_MAX)
		return false;
	/* Resolutions go up to 10^9: the product stays far below 2^64. */
	time->us = ((int64_t)seconds + interface->offset_s) * US_PER_S +
		   (int64_t)(rest * (uint64_t)US_PER_S / interface->ticks_per_s);
	return true;
}

/* The header of a classic file, whose magic number is known to be one of the two, in either order. */
static enum pcap_verdict start_classic(struct pcap_reader *reader, const uint8_t *bytes, size_t length,
				       size_t *used)
{
	struct rd rd = rd_init(bytes, length), first = rd;
	uint32_t in_order = rd_u32le(&first);
	reader->swapped = in_order != MAGIC_MICRO && in_order != MAGIC_NANO;
	uint32_t magic = pcap_u32(reader, &rd);
	uint16_t major = pcap_u16(reader, &rd);
	pcap_u16(reader, &rd); /* minor */
	pcap_u32(reader, &rd); /* zone and accuracy: zero everywhere */
	pcap_u32(reader, &rd);
	pcap_u32(reader, &rd); /* longest packet: believed packet by packet */
	uint32_t link_type = pcap_u32(reader, &rd);
	if (!rd_ok(&rd))
		return PCAP_MORE;
	if (major != 2)
		return PCAP_BAD_VERSION;
	reader->interface_count = 1;
	/* The upper bits hold what an Ethernet capture says of its checksums. */
	reader->interfaces[0] = (struct pcap_interface){
		.link_type = link_type & 0xffff, .ticks_per_s = magic == MAGIC_NANO ? 1000000000 : 1000000};
	reader->started = true;
	*used = PCAP_HEADER_SIZE;
	return PCAP_SKIPPED;
}

static enum pcap_verdict start(struct pcap_reader *reader, const uint8_t *bytes, size_t length, size_t *used)
{
	static const uint32_t magics[] = {MAGIC_MICRO, MAGIC_NANO};
	if (length < MAGIC_SIZE)
		return PCAP_MORE;
	struct rd little = rd_init(bytes, length), big = little;
	uint32_t first = rd_u32le(&little), swapped = rd_u32be(&big);
	if (first == MAGIC_SECTION) {
		reader->is_ng = reader->started = true;
		return pcap_ng_read(reader, bytes, length, used, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (first == magics[i] || swapped == magics[i])
			return start_classic(reader, bytes, length, used);
	return PCAP_NOT_A_CAPTURE;
}

static enum pcap_verdict read_classic(struct pcap_reader *reader, const uint8_t *bytes, size_t length,
				      size_t *used, struct pcap_packet *packet)
{
	struct rd rd = rd_init(bytes, length);
	const struct pcap_interface *interface = &reader->interfaces[0];
	uint64_t seconds = pcap_u32(reader, &rd), fraction = pcap_u32(reader, &rd);
	struct pcap_packet read = {.link_type = interface->link_type};
	read.length = pcap_u32(reader, &rd);
	read.original_length = pcap_u32(reader, &rd);
	if (!rd_ok(&rd))
		return PCAP_MORE;
	if (read.length > PCAP_PACKET_MAX)
		return PCAP_TOO_LONG;
	if (fraction >= interface->ticks_per_s)
		return PCAP_BAD_TIME;
	if (!pcap_time(interface, seconds * interface->ticks_per_s + fraction, &read.time))
		return PCAP_BAD_TIME;
	read.bytes = rd_take(&rd, read.length);
	if (!rd_ok(&rd))
		return PCAP_MORE;
	*packet = read;
	*used = PCAP_RECORD_SIZE + (size_t)read.length;
	return PCAP_PACKET;
}

enum pcap_verdict pcap_read(struct pcap_reader *reader, const uint8_t *bytes, size_t length, size_t *used,
			    struct pcap_packet *packet)
{
	*used = 0;
	if (reader->refused != PCAP_PACKET)
		return reader->refused;
	enum pcap_verdict verdict = !reader->started ? start(reader, bytes, length, used)
				    : reader->is_ng  ? pcap_ng_read(reader, bytes, length, used, packet)
						     : read_classic(reader, bytes, length, used, packet);
	if (verdict > PCAP_MORE) {
		reader->refused = verdict;
		*used = 0;
	}
	reader->offset += *used;
	return verdict;
}

void pcap_write_header(struct wr *wr, uint32_t link_type)
{
	wr_u32le(wr, MAGIC_MICRO);
	wr_u16le(wr, 2);
	wr_u16le(wr, 4);
	wr_zeros(wr, 8);
	wr_u32le(wr, PCAP_PACKET_MAX);
	wr_u32le(wr, link_type);
}

void pcap_write_record(struct wr *wr, struct wall time, uint32_t length)
{
	int64_t us = time.us < 0 ? 0 : time.us;
	if (us / US_PER_S > UINT32_MAX)
		us = (int64_t)UINT32_MAX * US_PER_S + US_PER_S - 1;
	wr_u32le(wr, (uint32_t)(us / US_PER_S));
	wr_u32le(wr, (uint32_t)(us % US_PER_S));
	wr_u32le(wr, length);
	wr_u32le(wr, length);
}
