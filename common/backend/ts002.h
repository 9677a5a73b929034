/* The messages of LoRaWAN Backend Interfaces (TS002-1.0, 1.1) as plain values, to and from JSON. Pure over
 * jansson: no clock, no randomness, no I/O. The network server builds requests and reads answers, the join
 * server the reverse.
 *
 *	struct bi_message request;
 *	struct bi_error error;
 *	if (!bi_read(body, length, &request, &error))
 *		... error.field and error.rule say what was wrong; error.has_envelope whether it can be
 * answered
 *
 * A VSExtension, or any other member that we do not know, is passed by; a VSExtension that is none is a fault.
 *
 * Reading is tolerant about form (a 0x prefix, either case of digits and of member names, a member that is
 * missing, null or empty where it is optional, members that we do not know) and strict about content: every
 * length and range is checked, so that a value that was read can be used as it is. Writing gives lower-case
 * digits without a prefix. A message that was read writes back to one that reads the same.
 *
 * Keys stand in these structs, wrapped or (KEKLabel empty) in clear: bi_message_wipe() when done. Nothing
 * here logs. */
#ifndef LAMPPOST_BACKEND_TS002_H
#define LAMPPOST_BACKEND_TS002_H

#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BI_BODY_MAX           (32u * 1024) /* bytes of one message; longer ones are refused unread */
#define BI_WRITTEN_MAX        4096u        /* room that bi_write() needs at most, NUL included */
#define BI_ID_TEXT            65           /* SenderID, ReceiverID: up to 64 printable characters and NUL */
#define BI_LABEL_TEXT         33 /* KEKLabel: up to 32 printable characters and NUL (NET_KEK_LABEL_MAX) */
#define BI_TOKEN_MAX          64 /* bytes of a SenderToken or ReceiverToken */
#define BI_SESSION_KEY_ID_MAX 32 /* bytes of a SessionKeyID */
#define BI_DESCRIPTION_TEXT   129
#define BI_VERSION_TEXT       8 /* a ProtocolVersion of others: digits and points, and NUL */
#define BI_CFLIST_SIZE        16
#define BI_KEY_CLEAR          16 /* bytes of an AESKey without a KEKLabel */
#define BI_KEY_WRAPPED        24 /* bytes of an AESKey with one (RFC 3394) */

enum bi_protocol { BI_PROTOCOL_1_0, BI_PROTOCOL_1_1 };

/* MessageType. Those up to BI_BODIES have a body here; the others are known by name only and read as an
 * envelope. */
enum bi_type {
	BI_JOIN_REQ,
	BI_JOIN_ANS,
	BI_REJOIN_REQ,
	BI_REJOIN_ANS,
	BI_APP_S_KEY_REQ,
	BI_APP_S_KEY_ANS,
	BI_HOME_NS_REQ,
	BI_HOME_NS_ANS,
	BI_BODIES,
	BI_PR_START_REQ = BI_BODIES,
	BI_PR_START_ANS,
	BI_PR_STOP_REQ,
	BI_PR_STOP_ANS,
	BI_HR_START_REQ,
	BI_HR_START_ANS,
	BI_HR_STOP_REQ,
	BI_HR_STOP_ANS,
	BI_PROFILE_REQ,
	BI_PROFILE_ANS,
	BI_XMIT_DATA_REQ,
	BI_XMIT_DATA_ANS,
	BI_ERROR_NOTIF,
	BI_TYPE_COUNT
};
/* "JoinReq"... */
const char *bi_type_name(enum bi_type type);
/* Whether it is an ...Ans, which carries a Result, as BI_ERROR_NOTIF does. */
bool bi_type_is_answer(enum bi_type type);
/* Finds a type by its exact name. */
bool bi_type_parse(const char *text, enum bi_type *type);

/* ResultCode. */
enum bi_result {
	BI_SUCCESS,
	BI_MIC_FAILED,
	BI_JOIN_REQ_FAILED,
	BI_NO_ROAMING_AGREEMENT,
	BI_DEV_ROAMING_DISALLOWED,
	BI_ROAMING_ACT_DISALLOWED,
	BI_ACTIVATION_DISALLOWED,
	BI_UNKNOWN_DEV_EUI,
	BI_UNKNOWN_DEV_ADDR,
	BI_UNKNOWN_SENDER,
	BI_UNKNOWN_RECEIVER, /* written "UnkownReceiver", as the standard has it; both are read */
	BI_DEFERRED,
	BI_XMIT_FAILED,
	BI_INVALID_FPORT,
	BI_INVALID_PROTOCOL_VERSION,
	BI_STALE_DEVICE_PROFILE,
	BI_MALFORMED, /* "MalformedRequest" in 1.0, "MalformedMessage" in 1.1; both are read in both */
	BI_FRAME_SIZE_ERROR,
	BI_OTHER,          /* and every code that we do not know */
	BI_NO_ACTION,      /* 1.1; written as "Other" in 1.0 */
	BI_FRAME_REPLAYED, /* 1.1; written as "JoinReqFailed" in 1.0 */
	BI_RESULT_COUNT
};
/* The spelling of a protocol version. */
const char *bi_result_name(enum bi_result result, enum bi_protocol protocol);
/* Reads any spelling of either version; BI_OTHER for one that is unknown. */
enum bi_result bi_result_parse(const char *text);

struct bi_token {
	uint8_t bytes[BI_TOKEN_MAX];
	uint8_t length; /* 0: absent */
};

struct bi_envelope {
	enum bi_protocol protocol;
	/* A version that is not ours, as sent: the refusal goes out under it, spelled as in 1.0. "": `protocol` is the version. */
	char foreign_version[BI_VERSION_TEXT];
	enum bi_type type;
	/* As sent, but for EUIs and NetIDs, which are brought to lower case without prefix, so that two of
	 * them may be compared as text. */
	char sender_id[BI_ID_TEXT];
	char receiver_id[BI_ID_TEXT];
	uint32_t transaction_id;
	struct bi_token sender_token;   /* opaque; in a request */
	struct bi_token receiver_token; /* opaque; what the other side sent as its SenderToken */
	/* SenderNSID and ReceiverNSID, which network of several under one NetID; 1.1, not written in 1.0. */
	bool has_sender_ns_id, has_receiver_ns_id;
	struct lw_eui64 sender_ns_id, receiver_ns_id;
	/* Answers, and BI_ERROR_NOTIF. */
	enum bi_result result;
	char description[BI_DESCRIPTION_TEXT]; /* printable; "" when absent */
};

/* KeyEnvelope (TS002 §9). length 0: absent. An empty label: the key in clear, 16 bytes; else RFC 3394, 24
 * bytes. */
struct bi_key_envelope {
	char label[BI_LABEL_TEXT];
	uint8_t key[BI_KEY_WRAPPED];
	uint8_t length;
};

struct bi_session_key_id {
	uint8_t bytes[BI_SESSION_KEY_ID_MAX];
	uint8_t length; /* 0: absent */
};

/* JoinReq and RejoinReq. */
struct bi_join_req {
	enum lw_mac_version mac_version;
	uint8_t phy_payload[LW_PHY_PAYLOAD_MAX]; /* radio byte order */
	uint8_t phy_length;                      /* 1 .. 255 */
	struct lw_eui64 dev_eui;
	struct lw_dev_addr dev_addr;
	uint8_t dl_settings; /* the octet on the air: OptNeg, RX1DROffset, RX2DataRate */
	uint8_t rx_delay;    /* 0 .. 15 s; 0 means 1 */
	bool has_cflist;
	uint8_t cflist[BI_CFLIST_SIZE]; /* the octets on the air */
};

/* JoinAns and RejoinAns. After BI_SUCCESS a reader gets phy_payload of 17 or 33 bytes and either nwk_s_key or
 * the three network keys of 1.1; with any other result nothing but the envelope counts. */
struct bi_join_ans {
	uint8_t phy_payload[33]; /* join-accept as it goes on the air */
	uint8_t phy_length;      /* 0, 17 or 33 */
	bool has_lifetime;
	uint32_t lifetime_s;
	struct bi_key_envelope nwk_s_key; /* 1.0.x, and 1.1 without OptNeg */
	struct bi_key_envelope f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key;
	struct bi_key_envelope app_s_key;
	struct bi_session_key_id session_key_id;
};

struct bi_app_s_key_req {
	struct lw_eui64 dev_eui;
	struct bi_session_key_id session_key_id; /* required */
};

struct bi_app_s_key_ans {
	struct lw_eui64 dev_eui;
	struct bi_key_envelope app_s_key; /* required after BI_SUCCESS */
	struct bi_session_key_id session_key_id;
};

struct bi_home_ns_req {
	struct lw_eui64 dev_eui;
};

struct bi_home_ns_ans {
	struct lw_net_id h_net_id; /* required after BI_SUCCESS */
	bool has_h_ns_id;          /* 1.1 */
	struct lw_eui64 h_ns_id;
};

/* One message. envelope.type says which member of the union counts. */
struct bi_message {
	struct bi_envelope envelope;
	union {
		struct bi_join_req join_req; /* BI_JOIN_REQ, BI_REJOIN_REQ */
		struct bi_join_ans join_ans; /* BI_JOIN_ANS, BI_REJOIN_ANS */
		struct bi_app_s_key_req app_s_key_req;
		struct bi_app_s_key_ans app_s_key_ans;
		struct bi_home_ns_req home_ns_req;
		struct bi_home_ns_ans home_ns_ans;
	};
};

/* Why a body could not be read. */
enum bi_fault {
	BI_FAULT_NONE,
	BI_FAULT_TOO_LONG,     /* over BI_BODY_MAX */
	BI_FAULT_NOT_JSON,     /* not one JSON object */
	BI_FAULT_MISSING,      /* a required member is absent, null or empty */
	BI_FAULT_TYPE,         /* a member of the wrong JSON type */
	BI_FAULT_VALUE,        /* a member outside its range, of a wrong length, with a foreign character */
	BI_FAULT_VERSION,      /* a ProtocolVersion that is not 1.0 or 1.1 */
	BI_FAULT_UNKNOWN_TYPE, /* a MessageType that is not in the standard */
	BI_FAULT_COUNT
};
const char *bi_fault_name(enum bi_fault fault); /* "missing"... */

struct bi_error {
	enum bi_fault fault;
	bool has_envelope; /* message->envelope was filled in full: the request can be answered */
	const char *field; /* static: "DevEUI", "ResultCode"; "" for the body as a whole */
	const char *rule;  /* static: "16 hexadecimal digits" */
};

/* Reads one message. On failure returns false, fills `error`, and leaves `message` zeroed but for the
 * envelope if error->has_envelope. `error` is filled on success too (BI_FAULT_NONE). `text` need not end with
 * NUL. */
bool bi_read(const char *text, size_t length, struct bi_message *message, struct bi_error *error);

/* Writes one message, NUL-terminated, and returns its length without NUL; 0 when it does not fit
 * (BI_WRITTEN_MAX always does). Asserts that the type has a body here, or is an answer or BI_ERROR_NOTIF, of
 * which the envelope alone is then written. Answers other than BI_SUCCESS carry the envelope and the Result only. */
size_t bi_write(const struct bi_message *message, char *out, size_t capacity);

/* The envelope of the answer to a request: IDs swapped, TransactionID and version kept, SenderToken returned
 * as ReceiverToken; result BI_SUCCESS. The request's type has an answer (BI_ERROR_NOTIF and answers:
 * asserted). */
struct bi_envelope bi_answer_envelope(const struct bi_envelope *request);

/* The envelope of the ErrorNotif that tells the sender of an answer what is wrong with it (TS002-1.1): IDs swapped,
 * TransactionID and version kept. */
struct bi_envelope bi_error_envelope(const struct bi_envelope *answer, enum bi_result result);

/* Whether an answer is the one to a request. */
enum bi_match {
	BI_MATCH_OK,
	BI_MATCH_TYPE,        /* of another message */
	BI_MATCH_TRANSACTION, /* TransactionID differs */
	BI_MATCH_SENDER,      /* its SenderID is not the request's ReceiverID */
	BI_MATCH_RECEIVER,    /* its ReceiverID is not the request's SenderID */
	BI_MATCH_TOKEN, /* its ReceiverToken is another than the request's SenderToken; one that is missing is forgiven */
	BI_MATCH_VERSION, /* ProtocolVersion differs, unless it says InvalidProtocolVersion */
	BI_MATCH_COUNT
};
enum bi_match bi_answer_match(const struct bi_envelope *request, const struct bi_envelope *answer);
const char *bi_match_name(enum bi_match match); /* "wrong_transaction"... */

/* A SenderID or ReceiverID as what it stands for; false when it is not one. */
bool bi_id_eui64(const char *id, struct lw_eui64 *eui);
bool bi_id_net_id(const char *id, struct lw_net_id *net_id);

/* Overwrites keys and all. */
void bi_message_wipe(struct bi_message *message);

#endif
