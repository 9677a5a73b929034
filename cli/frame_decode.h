/* A PHYPayload explained, offline: every field in the specification's words, the MIC checked and the payload deciphered with
 * the keys that are given, and where a rule is broken which rule, at which byte. Pure.
 *
 * The document has a member for each field; `frame build --object` takes it back and makes the same bytes (docs/frame-tool.md
 * lists the members). */
#ifndef LAMPPOST_CLI_FRAME_DECODE_H
#define LAMPPOST_CLI_FRAME_DECODE_H

#include "cli/frame_context.h"
#include "cli/frame_report.h"
#include "common/crypto/aes.h"
#include "common/lorawan/verdict.h"

/* Gives the report of a frame of at most 256 bytes. */
struct cli_frame_report *cli_frame_decode(const uint8_t *phy, size_t length,
					  const struct cli_frame_context *context, struct aes *aes);

/* For the files of the decoder. */
void cli_frame_decode_join(struct cli_frame_report *report, const struct cli_frame_context *context,
			   struct aes *aes);
void cli_frame_decode_data(struct cli_frame_report *report, const struct cli_frame_context *context,
			   struct aes *aes);
/* Says which rule a frame breaks, and where. */
void cli_frame_broken(struct cli_frame_report *report, enum lw_verdict verdict);
/* Fills what a NetID or DevAddr belongs to. */
void cli_frame_say_dev_addr(struct cli_frame_report *report, unsigned depth, int offset,
			    struct lw_dev_addr dev_addr);
void cli_frame_say_net_id(struct cli_frame_report *report, unsigned depth, int offset,
			  struct lw_net_id net_id);

#endif
