/* A capture file, packet by packet. */
#ifndef LAMPPOST_CLI_CAPTURE_FILE_H
#define LAMPPOST_CLI_CAPTURE_FILE_H

#include "common/base/pcap.h"

struct capture_file; /* opaque */

enum capture_next {
	CAPTURE_PACKET,
	CAPTURE_END,
	CAPTURE_END_CUT, /* the last packet is not whole: whoever wrote it was ended. What came before counts */
	CAPTURE_REFUSED /* reported, with the offset */
};

/* Opens a file ("-": standard input). CLI_DONE with `*out`, or an enum cli_exit, reported. */
int capture_file_open(struct capture_file **out, const char *path);
void capture_file_close(struct capture_file *file); /* NULL is allowed */
/* Fills the next packet, whose bytes are lent until the next call. */
enum capture_next capture_file_next(struct capture_file *file, struct pcap_packet *packet);
/* Begins anew. False for what cannot (a pipe). */
bool capture_file_rewind(struct capture_file *file);

#endif
