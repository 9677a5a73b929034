/* Capture files: the classic pcap format (both byte orders, micro- and nanoseconds) and the plain kind of pcapng that Wireshark
 * saves. Pure: the caller reads and writes the bytes. Classic files with microseconds are written.
 *
 *	pcap     24 bytes of header, then for each packet 16 bytes of header and the packet
 *	pcapng   blocks {type, length, body, length again}: section, interface, packet; others are read over
 *
 *	struct pcap_reader reader = pcap_reader_init();
 *	while ((verdict = pcap_read(&reader, bytes, length, &used, &packet)) == PCAP_PACKET || verdict == PCAP_SKIPPED)
 *		... drop `used` bytes from the front, get more ...
 *
 * Bounded: a block of more than PCAP_BLOCK_MAX bytes, or a packet of more than PCAP_PACKET_MAX, refuses the file; so a buffer of
 * PCAP_BLOCK_MAX always suffices. A refusal sticks, with the offset at which the refused thing begins. */
#ifndef LAMPPOST_BASE_PCAP_H
#define LAMPPOST_BASE_PCAP_H

#include "common/base/bytes.h"
#include "common/base/units.h"

#define PCAP_PACKET_MAX     262144u /* what tcpdump captures at most */
#define PCAP_BLOCK_MAX      (PCAP_PACKET_MAX + 65536u)
#define PCAP_INTERFACES_MAX 64 /* of one section */
#define PCAP_HEADER_SIZE    24 /* of a classic file */
#define PCAP_RECORD_SIZE    16 /* before each packet of it */

enum pcap_verdict {
	PCAP_PACKET,  /* `packet` is filled */
	PCAP_SKIPPED, /* a header, or a block that is none of a packet: go on behind it */
	PCAP_MORE, /* the buffer ends within something: come again with more; at the file's end: it was cut short */
	/* Refusals. */
	PCAP_NOT_A_CAPTURE,   /* neither format's first bytes */
	PCAP_BAD_VERSION,     /* a pcap that is not 2.x, a pcapng that is not 1.x */
	PCAP_BAD_LENGTH,      /* a block whose lengths disagree or cannot be */
	PCAP_TOO_LONG,        /* a packet or block beyond the bounds */
	PCAP_BAD_INTERFACE,   /* a packet of an interface that was not described */
	PCAP_MANY_INTERFACES, /* more than PCAP_INTERFACES_MAX */
	PCAP_BAD_TIME,        /* a time that no clock shows, or a resolution that cannot be reckoned with */
	PCAP_VERDICT_COUNT
};
/* "bad_length"... */
const char *pcap_verdict_name(enum pcap_verdict verdict);
/* One line for people: "a block whose lengths disagree". */
const char *pcap_verdict_text(enum pcap_verdict verdict);

struct pcap_packet {
	struct wall time;         /* of the capture, to the microsecond */
	uint32_t link_type;       /* LINKTYPE_: 1 Ethernet, 270 LoRaTap... */
	uint32_t length;          /* captured */
	uint32_t original_length; /* on the wire: more when the capture cut it */
	const uint8_t *bytes;     /* borrowed from the caller's buffer */
};

struct pcap_interface {
	uint32_t link_type;
	uint64_t ticks_per_s;
	int64_t offset_s;
};

/* Opaque but for `offset` and `is_ng`. */
struct pcap_reader {
	uint64_t offset; /* of the next thing in the file; of the refused one after a refusal */
	bool started, is_ng, swapped;
	enum pcap_verdict refused; /* PCAP_PACKET: not yet */
	size_t interface_count;
	struct pcap_interface interfaces[PCAP_INTERFACES_MAX]; /* a classic file has one */
};

struct pcap_reader pcap_reader_init(void);
/* Takes the next thing from the front of `bytes`; `*used` (0 with PCAP_MORE and refusals) is how long it was. */
enum pcap_verdict pcap_read(struct pcap_reader *reader, const uint8_t *bytes, size_t length, size_t *used,
			    struct pcap_packet *packet);

/* Writes a classic file's header, of this machine-independent (little-endian) kind. */
void pcap_write_header(struct wr *wr, uint32_t link_type);
/* Writes the 16 bytes that stand before a packet of `length` bytes. A time before 1970 or after 2106 is written as the nearest. */
void pcap_write_record(struct wr *wr, struct wall time, uint32_t length);

#endif
