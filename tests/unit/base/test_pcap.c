/* Capture files: written and read, in both byte orders and resolutions; what is refused, and where. */
#include "tests/harness/harness.h"

#include "common/base/pcap.h"

#include <string.h>

#define TIME_US INT64_C(1763748000123456)
#define SECONDS 0x69, 0x20, 0xab, 0x60 /* of TIME_US, high byte first */

/* --- a file, with the packets that it holds */

struct found {
	size_t packets;
	uint32_t link_type, length;
	int64_t us;
	uint8_t first; /* byte of the last packet */
	enum pcap_verdict last;
	uint64_t offset;
};

static struct found read_all(const uint8_t *bytes, size_t length)
{
	struct pcap_reader reader = pcap_reader_init();
	struct found found = {.last = PCAP_MORE};
	size_t at = 0;
	for (;;) {
		struct pcap_packet packet;
		size_t used;
		found.last = pcap_read(&reader, bytes + at, length - at, &used, &packet);
		if (found.last != PCAP_PACKET && found.last != PCAP_SKIPPED)
			break;
		at += used;
		if (found.last == PCAP_SKIPPED)
			continue;
		found.packets++;
		found.link_type = packet.link_type;
		found.length = packet.length;
		found.us = packet.time.us;
		found.first = packet.length ? packet.bytes[0] : 0;
	}
	found.offset = reader.offset;
	if (found.last == PCAP_MORE && at == length)
		found.last = PCAP_SKIPPED; /* nothing is left */
	return found;
}

static void what_is_written_is_read(void **state)
{
	(void)state;
	uint8_t file[256];
	struct wr wr = wr_init(file, sizeof file);
	pcap_write_header(&wr, 270);
	for (unsigned i = 0; i < 3; i++) {
		pcap_write_record(&wr, (struct wall){TIME_US + i}, i);
		wr_copy(&wr, (const uint8_t *)"\x40\x41\x42", i);
	}
	t_row("three packets, the first of them empty");
	struct found found = read_all(file, wr_length(&wr));
	t_uint("packets", 3, found.packets);
	t_uint("link type", 270, found.link_type);
	t_int("time", TIME_US + 2, found.us);
	t_uint("length", 2, found.length);
	t_uint("first byte", 0x40, found.first);
	t_str("end", "skipped", pcap_verdict_name(found.last));
	t_row("cut within the last packet");
	found = read_all(file, wr_length(&wr) - 1);
	t_uint("packets", 2, found.packets);
	t_str("end", "cut_short", pcap_verdict_name(found.last));
	t_uint("offset", 24 + 16 + 16 + 1, found.offset);
}

static void times_are_cut_at_the_ends(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t us, written;
	} rows[] = {
		{"before 1970", -5, 0},
		{"the last of 32 bits", INT64_C(4294967295999999), INT64_C(4294967295999999)},
		{"after 2106", INT64_C(4294967296000000), INT64_C(4294967295999999)},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t file[64];
		struct wr wr = wr_init(file, sizeof file);
		pcap_write_header(&wr, 1);
		pcap_write_record(&wr, (struct wall){rows[i].us}, 0);
		t_row(rows[i].name);
		struct found found = read_all(file, wr_length(&wr));
		t_uint("packets", 1, found.packets);
		t_int("time", rows[i].written, found.us);
	}
}

/* --- other programs' files */

#define BE_HEAD(magic3) \
	0xa1, 0xb2, (magic3), (magic3) == 0xc3 ? 0xd4 : 0x4d, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0
#define LE_HEAD_NANO 0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0
/* pcapng, low byte first: section of 28 bytes; interface of link type 1. */
#define NG_SECTION                                                                                        \
	0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, \
		255, 255, 255, 28, 0, 0, 0
#define NG_INTERFACE(type) 1, 0, 0, 0, 20, 0, 0, 0, (type)&255, (type) >> 8, 0, 0, 0, 0, 4, 0, 20, 0, 0, 0
/* A packet {0x40, 1, 2} of interface `number` at 0x000643_d7d1c5a6 or so: ticks high, low. */
#define NG_PACKET(number, h0, h1, l0, l1, l2, l3)                                                            \
	6, 0, 0, 0, 36, 0, 0, 0, (number), 0, 0, 0, (h0), (h1), 0, 0, (l0), (l1), (l2), (l3), 3, 0, 0, 0, 9, \
		0, 0, 0, 0x40, 1, 2, 0, 36, 0, 0, 0

static const struct {
	const char *name;
	size_t length;
	uint8_t bytes[220];
	size_t packets;
	enum pcap_verdict last; /* PCAP_SKIPPED: read to its end */
	uint64_t offset;
	uint32_t link_type;
	int64_t us;
} files[] = {
	{"high byte first, microseconds",
	 44,
	 {BE_HEAD(0xc3), 0, 0, 1, 14, SECONDS, 0, 1, 0xe2, 0x40, 0, 0, 0, 4, 0, 0, 0, 4, 0x40, 1, 2, 3},
	 1,
	 PCAP_SKIPPED,
	 44,
	 270,
	 INT64_C(0x6920ab60) * 1000000 + 123456},
	{"low byte first, nanoseconds",
	 41,
	 {LE_HEAD_NANO, 113,  0, 0, 0, 0x60, 0xab, 0x20, 0x69, 0xff, 0xc9,
	  0x9a,         0x3b, 1, 0, 0, 0,    60,   0,    0,    0,    0x40},
	 1,
	 PCAP_SKIPPED,
	 41,
	 113,
	 INT64_C(0x6920ab60) * 1000000 + 999999},
	{"checksum bits above the link type", 24, {BE_HEAD(0xc3), 0x24, 0, 0, 1}, 0, PCAP_SKIPPED, 24, 0, 0},
	{"nothing", 0, {0}, 0, PCAP_SKIPPED, 0, 0, 0},
	{"three bytes", 3, {0xa1, 0xb2, 0xc3}, 0, PCAP_MORE, 0, 0, 0},
	{"a text", 24, "lamppost: some text here", 0, PCAP_NOT_A_CAPTURE, 0, 0, 0},
	{"gzip", 24, {0x1f, 0x8b, 8}, 0, PCAP_NOT_A_CAPTURE, 0, 0, 0},
	{"version 3", 24, {0xa1, 0xb2, 0xc3, 0xd4, 0, 3}, 0, PCAP_BAD_VERSION, 0, 0, 0},
	{"a packet that no capture has",
	 40,
	 {BE_HEAD(0xc3), 0, 0, 0, 1, SECONDS, 0, 0, 0, 0, 0, 4, 0, 1, 0, 4, 0, 1},
	 0,
	 PCAP_TOO_LONG,
	 24,
	 0,
	 0},
	{"a million microseconds in a second",
	 40,
	 {BE_HEAD(0xc3), 0, 0, 0, 1, SECONDS, 0, 0x0f, 0x42, 0x40, 0, 0, 0, 0, 0, 0, 0, 0},
	 0,
	 PCAP_BAD_TIME,
	 24,
	 0,
	 0},
	{"pcapng: a packet with the time of its interface, in microseconds",
	 84,
	 {NG_SECTION, NG_INTERFACE(276), NG_PACKET(0, 1, 0, 5, 0, 0, 0)},
	 1,
	 PCAP_SKIPPED,
	 84,
	 276,
	 INT64_C(0x100000005)},
	{"pcapng: nanoseconds and an offset of seconds",
	 108,
	 {NG_SECTION, 1,
	  0,          0,
	  0,          44,
	  0,          0,
	  0,          1,
	  0,          0,
	  0,          0,
	  0,          4,
	  0,          /* */ 9,
	  0,          1,
	  0,          9,
	  0,          0,
	  0,          14,
	  0,          8,
	  0,          10,
	  0,          0,
	  0,          0,
	  0,          0,
	  0,          0,
	  0,          0,
	  0,          44,
	  0,          0,
	  0,          NG_PACKET(0, 1, 0, 0, 0, 0, 0)},
	 1,
	 PCAP_SKIPPED,
	 108,
	 1,
	 10 * US_PER_S + 4294967},
	{"pcapng: a resolution of a power of 2",
	 92,
	 {NG_SECTION, 1, 0, 0, 0, 28, 0,    0, 0, 1, 0,  0, 0, 0, 0,
	  4,          0, 9, 0, 1, 0,  0x8a, 0, 0, 0, 28, 0, 0, 0, NG_PACKET(0, 0, 0, 0, 6, 0, 0)},
	 1,
	 PCAP_SKIPPED,
	 92,
	 1,
	 1500000},
	{"pcapng: a block of another kind between",
	 96,
	 {NG_SECTION, NG_INTERFACE(1), 5, 0, 0, 0, 12, 0, 0, 0, 12, 0, 0, 0, NG_PACKET(0, 0, 0, 1, 0, 0, 0)},
	 1,
	 PCAP_SKIPPED,
	 96,
	 1,
	 1},
	{"pcapng: a packet without a time",
	 68,
	 {NG_SECTION, NG_INTERFACE(1), 3, 0, 0, 0, 20, 0, 0, 0, 4, 0, 0, 0, 0x40, 1, 2, 3, 20, 0, 0, 0},
	 1,
	 PCAP_SKIPPED,
	 68,
	 1,
	 0},
	{"pcapng: a new section has interfaces of its own",
	 112,
	 {NG_SECTION, NG_INTERFACE(1), NG_SECTION, NG_PACKET(0, 0, 0, 1, 0, 0, 0)},
	 0,
	 PCAP_BAD_INTERFACE,
	 76,
	 0,
	 0},
	{"pcapng: an interface that is not there",
	 84,
	 {NG_SECTION, NG_INTERFACE(1), NG_PACKET(1, 0, 0, 1, 0, 0, 0)},
	 0,
	 PCAP_BAD_INTERFACE,
	 48,
	 0,
	 0},
	{"pcapng: lengths that disagree",
	 48,
	 {NG_SECTION, 1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 4, 0, 24, 0, 0, 0},
	 0,
	 PCAP_BAD_LENGTH,
	 28,
	 0,
	 0},
	{"pcapng: a block of no multiple of 4",
	 40,
	 {NG_SECTION, 5, 0, 0, 0, 13, 0, 0, 0},
	 0,
	 PCAP_BAD_LENGTH,
	 28,
	 0,
	 0},
	{"pcapng: a block shorter than its frame",
	 40,
	 {NG_SECTION, 5, 0, 0, 0, 8, 0, 0, 0},
	 0,
	 PCAP_BAD_LENGTH,
	 28,
	 0,
	 0},
	{"pcapng: a block of 16 MiB", 40, {NG_SECTION, 5, 0, 0, 0, 0, 0, 0, 1}, 0, PCAP_TOO_LONG, 28, 0, 0},
	{"pcapng: a packet longer than its block",
	 84,
	 {NG_SECTION, NG_INTERFACE(1),
	  6,          0,
	  0,          0,
	  36,         0,
	  0,          0,
	  0,          0,
	  0,          0,
	  0,          0,
	  0,          0,
	  0,          0,
	  0,          0,
	  5,          0,
	  0,          0,
	  5,          0,
	  0,          0,
	  0x40,       1,
	  2,          0,
	  36,         0,
	  0,          0},
	 0,
	 PCAP_BAD_LENGTH,
	 48,
	 0,
	 0},
	{"pcapng: version 2",
	 28,
	 {0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 2, 0,
	  0,    0,    0,    0,    0,  0, 0, 0, 0,    0,    28,   0,    0, 0},
	 0,
	 PCAP_BAD_VERSION,
	 0,
	 0,
	 0},
	{"pcapng: no byte order",
	 28,
	 {0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 1, 2, 3, 4},
	 0,
	 PCAP_NOT_A_CAPTURE,
	 0,
	 0,
	 0},
};

static void files_of_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct found found = read_all(files[i].bytes, files[i].length);
		t_row(files[i].name);
		t_uint("packets", files[i].packets, found.packets);
		t_str("end", pcap_verdict_name(files[i].last), pcap_verdict_name(found.last));
		t_uint("offset", files[i].offset, found.offset);
		t_uint("link type", files[i].link_type, found.link_type);
		t_int("time", files[i].us, found.us);
		if (found.packets > 0)
			t_uint("first byte", 0x40, found.first);
	}
}

static void many_interfaces_are_refused(void **state)
{
	(void)state;
	static const uint8_t section[] = {NG_SECTION}, interface[] = {NG_INTERFACE(1)};
	uint8_t file[sizeof section + (PCAP_INTERFACES_MAX + 1) * sizeof interface];
	struct wr wr = wr_init(file, sizeof file);
	wr_copy(&wr, section, sizeof section);
	for (size_t i = 0; i <= PCAP_INTERFACES_MAX; i++)
		wr_copy(&wr, interface, sizeof interface);
	t_row("65 interfaces");
	t_str("end", "many_interfaces", pcap_verdict_name(read_all(file, wr_length(&wr)).last));
	t_row("64 interfaces");
	t_str("end", "skipped", pcap_verdict_name(read_all(file, wr_length(&wr) - sizeof interface).last));
}

/* However a file is cut into pieces, the reader asks for more and ends with the same packets. */
static void pieces_make_no_difference(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (files[i].packets == 0)
			continue;
		struct pcap_reader reader = pcap_reader_init();
		struct pcap_packet packet;
		size_t at = 0, packets = 0, used;
		for (size_t end = 0; end <= files[i].length; end++) {
			enum pcap_verdict verdict;
			while ((verdict = pcap_read(&reader, files[i].bytes + at, end - at, &used,
						    &packet)) == PCAP_PACKET ||
			       verdict == PCAP_SKIPPED) {
				at += used;
				packets += verdict == PCAP_PACKET;
			}
			t_row(files[i].name);
			t_str("asks for more", "cut_short", pcap_verdict_name(verdict));
		}
		t_uint("packets", files[i].packets, packets);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_is_written_is_read),   t_test(times_are_cut_at_the_ends),
		t_test(files_of_others),           t_test(many_interfaces_are_refused),
		t_test(pieces_make_no_difference),
	};
	return t_run(tests);
}
