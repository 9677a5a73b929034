/* What a join server says to a join: two pure steps with the nonce policy between them, which is the caller's
 * (TS001-1.0.4 §6.2, TS001-1.1 §6.2, TS002 §8).
 *
 *	lw_join_read()     parse, check the MIC, tell the nonce
 *	                   ... the caller judges the nonce, takes a JoinNonce, makes both durable ...
 *	lw_join_answer()   build the accept, derive the session keys
 *	lw_key_wrap()      put each key into its envelope
 *
 * Form of the answer:   request         OptNeg   MIC of the accept        encrypted with   session keys
 *	                 join, 1.0.x     0        1.0 form, AppKey         AppKey           1.0 from AppKey
 *	                 join, 1.1       0        1.0 form, NwkKey         NwkKey           1.0 from NwkKey
 *	                 join, 1.1       1        1.1 form, JSIntKey       NwkKey           1.1
 *	                 rejoin 0, 1, 2  1        1.1 form, JSIntKey       JSEncKey         1.1 with RJcount
 */
#ifndef LAMPPOST_LORAWAN_JOIN_ANSWER_H
#define LAMPPOST_LORAWAN_JOIN_ANSWER_H

#include "common/lorawan/join_frame.h"
#include "common/lorawan/keys.h"

/* Rows of the table name TS002's result code. */
enum lw_join_result {
	LW_JOIN_SUCCESS = 0,
	LW_JOIN_UNKNOWN_DEV_EUI, /* no such device, or the frame is another device's */
	LW_JOIN_MALFORMED,       /* the PHYPayload is no join-request or rejoin-request */
	LW_JOIN_MIC_FAILED,
	LW_JOIN_BAD_PARAMETERS,  /* the network server asks for what cannot be: OptNeg for 1.0.x, CFList of a
				    wrong length */
	LW_JOIN_NONCE_EXHAUSTED, /* JoinNonce does not fit 24 bits */
	LW_JOIN_RESULT_COUNT
};

/* "success", "unknown_dev_eui", ... */
const char *lw_join_result_name(enum lw_join_result result);
/* TS002 ResultCode in the spelling of protocol 1.0: "Success", "UnknownDevEUI", "MalformedRequest",
 * "MICFailed", "JoinReqFailed". */
const char *lw_join_result_code(enum lw_join_result result);

/* The join server's record of a device, keys in clear. */
struct lw_join_device {
	struct lw_eui64 join_eui;
	struct lw_eui64 dev_eui;
	enum lw_mac_version mac_version;
	struct lw_key app_key; /* the one root key of 1.0.x */
	struct lw_key nwk_key; /* 1.1 only */
};

/* What a request said, its MIC checked where the join server can check it. */
struct lw_join_attempt {
	uint8_t join_req_type; /* 0xff join-request; 0, 1, 2 rejoin-request */
	struct lw_eui64 join_eui;
	struct lw_eui64 dev_eui;
	uint16_t nonce; /* DevNonce, or RJcount of a rejoin */
};

/* What the network server wants in the accept. */
struct lw_join_parameters {
	struct lw_net_id net_id;
	struct lw_dev_addr dev_addr;
	struct lw_dl_settings dl_settings;
	uint8_t rx_delay;
	bool has_cflist;
	uint8_t cflist[LW_CFLIST_LENGTH];
};

struct lw_join_answer {
	uint8_t phy[LW_JOIN_ACCEPT_MAX];
	uint8_t phy_length;
	bool is_1_1; /* keys are four; else the three network keys are one, NwkSKey */
	struct lw_session_keys keys;
};

/* Reads a request of a device that was looked up by the DevEUI that the network server named. `device` NULL
 * says that there is none. The MIC of rejoin types 0 and 2 is not checked: only the network server has their
 * key. `attempt` is untouched unless LW_JOIN_SUCCESS. */
MUST_USE enum lw_join_result lw_join_read(struct aes *aes, const struct lw_join_device *device,
					  const uint8_t *phy, size_t length, struct lw_join_attempt *attempt);
/* Builds the answer; the caller wipes it with lw_join_answer_wipe(). Untouched unless LW_JOIN_SUCCESS. */
MUST_USE enum lw_join_result lw_join_answer(struct aes *aes, const struct lw_join_device *device,
					    const struct lw_join_attempt *attempt,
					    const struct lw_join_parameters *parameters, uint32_t join_nonce,
					    struct lw_join_answer *answer);
void lw_join_answer_wipe(struct lw_join_answer *answer);

#define LW_KEK_LABEL_MAX 32

/* A key encryption key that two parties share, known by its label. */
struct lw_kek {
	char label[LW_KEK_LABEL_MAX + 1];
	uint8_t bytes[32];
	uint8_t length; /* 16, 24 or 32 */
};

/* TS002 KeyEnvelope: with a label 24 wrapped bytes (RFC 3394), with an empty one the 16 bytes of the key in
 * clear. */
struct lw_key_envelope {
	char kek_label[LW_KEK_LABEL_MAX + 1];
	uint8_t bytes[24];
	uint8_t length; /* 24 or 16 */
};

/* Fills an envelope; `kek` NULL, or one with an empty label, leaves the key in clear. */
MUST_USE enum aes_wrap_verdict lw_key_wrap(const struct lw_kek *kek, const struct lw_key *key,
					   struct lw_key_envelope *envelope);
/* Opens one. Without a label `kek` is not looked at. AES_WRAP_DATA_TOO_SHORT: a length that fits no key;
 * AES_WRAP_INTEGRITY: another label or another KEK. `key` is untouched on a refusal. */
MUST_USE enum aes_wrap_verdict lw_key_unwrap(const struct lw_kek *kek, const struct lw_key_envelope *envelope,
					     struct lw_key *key);

#endif
