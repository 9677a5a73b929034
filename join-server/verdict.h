/* What the join server can say to a message, a row each: the name that logs, metrics and `lamppost why` use, the result
 * code of TS002, how loudly it is told, and the sentence with its numbers that explains it. */
#ifndef LAMPPOST_JOIN_SERVER_VERDICT_H
#define LAMPPOST_JOIN_SERVER_VERDICT_H

#include "common/backend/ts002.h"
#include "common/base/decision_text.h"
#include "common/base/log.h"

enum js_verdict {
	JS_ACCEPTED,
	JS_ANSWERED,      /* HomeNSReq, AppSKeyReq */
	JS_RETRIED,       /* the same request again: the same answer again */
	JS_NOT_A_REQUEST, /* an answer */
	JS_UNREADABLE,    /* no envelope: cannot even be answered */
	JS_MALFORMED,
	JS_WRONG_PROTOCOL,
	JS_UNSUPPORTED_MESSAGE,
	JS_UNKNOWN_SENDER,
	JS_UNKNOWN_RECEIVER,
	JS_NOT_A_JOIN_REQUEST, /* the PHYPayload */
	JS_UNKNOWN_DEVICE,
	JS_NO_KEY,
	JS_DISABLED,
	JS_MIC_FAILED,
	JS_BAD_PARAMETERS,
	JS_LATE_COPY,
	JS_DEV_NONCE_USED,
	JS_DEV_NONCE_NOT_INCREASING,
	JS_JOIN_NONCE_EXHAUSTED,
	JS_REJOIN_NOT_1_1,          /* our record of the device is of a version without rejoins */
	JS_REJOIN_OTHER_NETWORK,    /* type 0 or 2 from a network that did not make the device's session */
	JS_RJ_COUNT_NOT_INCREASING, /* RJcount1 */
	/* What a peer on another machine was not granted (peers.h). */
	JS_PEER_UNKNOWN,      /* its certificate is nobody's */
	JS_PEER_SENDER,       /* speaks for a network or an application server that it may not speak for */
	JS_PEER_MESSAGE,      /* asks what it may not ask */
	JS_PEER_JOIN_EUI,     /* addresses a JoinEUI that it may not address */
	JS_HOME_ELSEWHERE,    /* the device's home is another network */
	JS_UNKNOWN_SESSION,   /* AppSKeyReq: no such session is kept */
	JS_OTHER_APPLICATION, /* AppSKeyReq: wrapped for another application server */
	JS_ERROR_NOTIFIED,    /* an ErrorNotif: what we answered was of no use */
	JS_NO_KEK,
	JS_KEY_UNREADABLE,
	JS_STORE_FAILED,
	JS_VERDICT_COUNT
};

/* What a frame asks for; the words of the rules. */
enum js_request {
	JS_REQUEST_JOIN,
	JS_REQUEST_REJOIN_0,
	JS_REQUEST_REJOIN_1,
	JS_REQUEST_REJOIN_2,
	JS_REQUEST_HOME,
	JS_REQUEST_APP_KEY,
	JS_REQUEST_JOIN_ALLOWED /* accepted only because a person allowed it once (allow_once.h) */
};

/* One table, whose rows are the verdicts. */
extern const struct decision_book js_rules;
const char *js_verdict_name(enum js_verdict verdict);
enum bi_result js_verdict_result(enum js_verdict verdict);
enum log_level js_verdict_level(enum js_verdict verdict);

#endif
