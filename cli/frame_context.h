/* What a person knows about a frame besides its bytes: keys, the rest of the counter, what a 1.1 MIC depends on. Read from
 * one object {"nwk_s_key": "…", "fcnt": 70000, …}, which the command makes from a file of keys and from its options.
 * Keys go in and never come out: nothing here prints one. */
#ifndef LAMPPOST_CLI_FRAME_CONTEXT_H
#define LAMPPOST_CLI_FRAME_CONTEXT_H

#include "common/lorawan/region.h"
#include "common/lorawan/types.h"

#include <jansson.h>

#define CLI_FRAME_PROBLEM_MAX 512

enum cli_frame_key {
	FRAME_NWK_S_KEY, /* 1.0 */
	FRAME_F_NWK_S_INT_KEY,
	FRAME_S_NWK_S_INT_KEY,
	FRAME_NWK_S_ENC_KEY,
	FRAME_APP_S_KEY,
	FRAME_APP_KEY, /* the one root key of 1.0.x */
	FRAME_NWK_KEY,
	FRAME_JS_INT_KEY,
	FRAME_JS_ENC_KEY,
	FRAME_KEY_COUNT
};

struct cli_frame_context {
	bool has_key[FRAME_KEY_COUNT];
	struct lw_key keys[FRAME_KEY_COUNT];
	bool has_fcnt, has_conf_fcnt, has_tx_dr, has_tx_ch, has_dev_eui, has_join_eui, has_dev_nonce;
	uint32_t fcnt; /* of this frame, or near it: its low 16 bits decide */
	uint16_t conf_fcnt;
	uint8_t tx_dr, tx_ch;
	struct lw_eui64 dev_eui, join_eui; /* of the request that a join-accept answers */
	uint16_t dev_nonce;                /* DevNonce, or RJcount where it answers a rejoin */
	uint8_t join_req_type;             /* 0xff: a join */
	bool says_1_0, says_1_1;           /* mac_version was given */
	const struct lw_region *region;    /* borrowed; NULL: unknown */
};

/* One member that may be given: its name is that of the option too, with dashes. */
struct cli_frame_member {
	const char *name;
	const char *value; /* KEY, N, EUI, ... as the help shows it */
	const char *help;
};
/* Lends the rows of all members; the first FRAME_KEY_COUNT are the keys, in the order of the enum. */
const struct cli_frame_member *cli_frame_members(size_t *count);
/* Whether an object's member is one of them. */
bool cli_frame_is_member(const char *name);

/* Reads the members that it knows, numbers also from texts ("70000", "0x1f"); others are left to who else reads the object.
 * False with a sentence in `problem`, which never holds a key. */
bool cli_frame_context_read(struct cli_frame_context *context, const json_t *object,
			    char problem[CLI_FRAME_PROBLEM_MAX]);
void cli_frame_context_wipe(struct cli_frame_context *context);
/* The version that the keys speak for: true where they are those of 1.1. */
bool cli_frame_context_is_1_1(const struct cli_frame_context *context);
/* Lends a key, NULL when it was not given. */
const struct lw_key *cli_frame_context_key(const struct cli_frame_context *context, enum cli_frame_key key);

/* Reads an integer from a JSON number or a text. False: it is none, or not within 0 to `most`. */
bool cli_frame_number(const json_t *value, uint64_t most, uint64_t *number);

#endif
