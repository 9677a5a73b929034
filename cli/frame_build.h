/* The opposite of frame_decode.h: the bytes of a frame from an object with its fields, ciphered and with its MIC. Pure.
 * The members are those that decoding gives, so that build(decode(x)) is x; what contradicts itself or cannot stand together
 * is refused with the reason. Where a key for the MIC is given the MIC is computed, else `mic` is taken as it is. */
#ifndef LAMPPOST_CLI_FRAME_BUILD_H
#define LAMPPOST_CLI_FRAME_BUILD_H

#include "cli/frame_context.h"
#include "common/crypto/aes.h"

/* A field of a frame that a person may give, besides those of frame_context.h. */
struct cli_frame_field {
	const char *name;
	const char *value; /* as the help shows it; NULL: a switch */
	unsigned kinds;    /* bits: 1 << enum lw_ftype, for which kinds of frame it is */
	const char *help;  /* NULL: decoding tells it, building passes over it, and it is no option */
};
const struct cli_frame_field *cli_frame_fields(size_t *count);

/* Builds. `object` has the fields (a member that is unknown, or not one of this kind of frame, is refused), `context` keys
 * and the rest. False with a sentence in `problem`, nothing promised about `phy`. */
bool cli_frame_build(const json_t *object, const struct cli_frame_context *context, struct aes *aes,
		     uint8_t phy[LW_PHY_PAYLOAD_MAX], size_t *length, char problem[CLI_FRAME_PROBLEM_MAX]);

/* For the files of the builder. Each reads a member, false with the problem told; absent ones leave the value and, where
 * `required`, are a problem. */
bool cli_frame_get_bytes(const json_t *object, const char *name, uint8_t *bytes, size_t capacity,
			 size_t *length, char problem[CLI_FRAME_PROBLEM_MAX]);
bool cli_frame_get_number(const json_t *object, const char *name, uint64_t most, bool required,
			  uint64_t *number, char problem[CLI_FRAME_PROBLEM_MAX]);
bool cli_frame_get_flag(const json_t *object, const char *name, bool *flag,
			char problem[CLI_FRAME_PROBLEM_MAX]);
bool cli_frame_has(const json_t *object, const char *name); /* there, and not null */
bool cli_frame_refuse(char problem[CLI_FRAME_PROBLEM_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3))); /* false */
bool cli_frame_build_join(const json_t *object, unsigned ftype, const struct cli_frame_context *context,
			  struct aes *aes, uint8_t phy[LW_PHY_PAYLOAD_MAX], size_t *length,
			  char problem[CLI_FRAME_PROBLEM_MAX]);

#endif
