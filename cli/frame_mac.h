/* MAC commands of a frame: explained command by command and field by field, and built from names and numbers. The words come
 * from common/text/mac_words.h, the layouts from common/lorawan/mac_command.h; there is no code for a single command. */
#ifndef LAMPPOST_CLI_FRAME_MAC_H
#define LAMPPOST_CLI_FRAME_MAC_H

#include "cli/frame_context.h"
#include "cli/frame_report.h"
#include "common/lorawan/mac_command.h"

/* Adds the lines of commands in clear, `length` bytes of which stand at `offset` of the PHYPayload, and gives them as an array
 * of {"command": "LinkADRReq", "data_rate": 5, ...}; the caller's. What cannot be read is said, and ends the list. */
json_t *cli_frame_mac_explain(struct cli_frame_report *report, unsigned depth, int offset,
			      const uint8_t *bytes, size_t length, enum lw_direction direction,
			      const struct lw_region *region);

/* Writes the commands of such an array. False with a sentence in `problem`: an unknown name, a field that is missing, not
 * known or out of range, or more than `capacity` bytes. */
bool cli_frame_mac_build(const json_t *commands, enum lw_direction direction, uint32_t freq_step_hz,
			 uint8_t *bytes, size_t capacity, size_t *length,
			 char problem[CLI_FRAME_PROBLEM_MAX]);

/* Reads "LinkADRReq data_rate=5 tx_power=1 ...; DevStatusReq" into such an array, the caller's. NULL with a sentence in
 * `problem`. */
json_t *cli_frame_mac_parse(const char *text, char problem[CLI_FRAME_PROBLEM_MAX]);

#endif
