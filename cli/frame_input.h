/* The bytes of frames in what people paste: hex (blanks, colons, dashes and 0x passed over), base64 as gateways write it, a
 * JSON object that holds one (rxpk, txpk, an event), or a whole Semtech UDP datagram in hex. */
#ifndef LAMPPOST_CLI_FRAME_INPUT_H
#define LAMPPOST_CLI_FRAME_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_FRAME_INPUTS_MAX 32
#define CLI_FRAME_BYTES_MAX  256 /* one more than a frame may have */

struct cli_frame_bytes {
	uint8_t bytes[CLI_FRAME_BYTES_MAX];
	size_t length;
};

struct cli_frame_inputs {
	struct cli_frame_bytes frames[CLI_FRAME_INPUTS_MAX];
	size_t count;
};

/* Reads one piece of text. `base64`: it is that, even where it looks like hex. False with a phrase in `problem` (static). */
bool cli_frame_input(struct cli_frame_inputs *inputs, const char *text, bool base64, const char **problem);

#endif
