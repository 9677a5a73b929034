/* `lamppost frames --pcap`: live frames as packets of a capture file, for Wireshark and for later.
 *
 * One packet a frame, as its best gateway heard it, or with --copies one a reception; a downlink once, when its gateway has
 * taken it (what was refused was never on the air). Frames of other networks are left out and counted: their identifiers are
 * residents' data, which nothing stores. */
#ifndef LAMPPOST_CLI_FRAMES_PCAP_H
#define LAMPPOST_CLI_FRAMES_PCAP_H

#include "cli/arguments.h"
#include "cli/frame_stream.h"

/* Rows for the options of `lamppost frames`. */
#define CLI_FRAMES_PCAP_OPTIONS                                                                      \
	{"pcap", "FILE", "write LoRaTap packets, for Wireshark; -: to standard output"},             \
		{"copies", NULL, "with --pcap: one packet for each gateway that heard a frame"},     \
		{"rotate-mb", "N", "with --pcap: begin a new file after N million bytes"},           \
		{"rotate-s", "N", "with --pcap: begin a new file after N seconds"},                  \
	{                                                                                            \
		"keep", "N", "with --pcap: keep the last N files, and remove older ones of this run" \
	}

/* Whether --pcap was given, so that cli_frames_pcap() does the work; false also after reporting that one of the other options
 * stands without it: then `*code` is CLI_USAGE, else CLI_DONE. */
bool cli_frames_pcap_wanted(const struct cli_arguments *arguments, int *code);
/* Follows and writes, until interrupted or the reader of the pipe has gone. Returns an enum cli_exit. */
int cli_frames_pcap(const struct cli_arguments *arguments, const struct cli_frame_filters *filters);

#endif
