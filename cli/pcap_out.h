/* A capture file that is being written: radio frames with LoRaTap headers, each on the disk (or in the pipe) when the call
 * returns, and a new file when one has become too large or too old.
 *
 * Without rotation the file is the one that was named. With it, names are those that Wireshark and dumpcap know as a file set:
 * `night.pcap` becomes `night_00001_20261121180000.pcap`, `night_00002_...` (UTC, the moment of its first packet), and with
 * `keep` the oldest of this run goes when there would be more. Megabytes are those of tcpdump, 1,000,000 bytes. */
#ifndef LAMPPOST_CLI_PCAP_OUT_H
#define LAMPPOST_CLI_PCAP_OUT_H

#include "common/base/units.h"
#include "common/lorawan/loratap.h"

#define CLI_PCAP_KEEP_MAX 100000

struct cli_pcap_options {
	const char *path;      /* borrowed until closed; "-": standard output, which cannot be rotated */
	uint64_t rotate_bytes; /* a file is not made longer; 0: any size */
	span_us rotate_us;     /* of one file, from its first packet; 0: any time */
	unsigned keep;         /* files; 0: all */
};

struct cli_pcap; /* opaque */

/* Opens; the header of a file without rotation is written at once, so that Wireshark begins to read. CLI_DONE with `*out`, or
 * an enum cli_exit, reported. A file that exists is written over. */
int cli_pcap_open(struct cli_pcap **out, const struct cli_pcap_options *options);
/* Writes one packet. `now` decides about rotation, `time` stands in the file. False: it is over, cli_pcap_code() says why. */
bool cli_pcap_write(struct cli_pcap *pcap, struct wall now, struct wall time, const struct lw_loratap *header,
		    const uint8_t *phy, size_t length);
/* CLI_DONE, also when the reader of a pipe has gone; else an enum cli_exit, which was reported. */
int cli_pcap_code(const struct cli_pcap *pcap);
uint64_t cli_pcap_packets(const struct cli_pcap *pcap);
uint64_t cli_pcap_files(const struct cli_pcap *pcap);
void cli_pcap_close(struct cli_pcap *pcap); /* NULL is allowed */

#endif
