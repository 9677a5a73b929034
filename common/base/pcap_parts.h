/* Between pcap.c and pcap_ng.c: what both formats' readers share. Not for others. */
#ifndef LAMPPOST_BASE_PCAP_PARTS_H
#define LAMPPOST_BASE_PCAP_PARTS_H

#include "common/base/pcap.h"

#define PCAP_SECONDS_MAX UINT64_C(0x7fffffffff) /* 17,000 years: no sum of two overflows in microseconds */

/* Numbers in the file's byte order. */
uint16_t pcap_u16(const struct pcap_reader *reader, struct rd *rd);
uint32_t pcap_u32(const struct pcap_reader *reader, struct rd *rd);
/* False when no clock shows it. */
bool pcap_time(const struct pcap_interface *interface, uint64_t ticks, struct wall *time);
/* Takes one block; `packet` may be NULL only where the block is a section's. */
enum pcap_verdict pcap_ng_read(struct pcap_reader *reader, const uint8_t *bytes, size_t length, size_t *used,
			       struct pcap_packet *packet);

#endif
