#include "join-server/verdict.h"

#include "common/base/check.h"

struct row {
	const char *name;
	enum bi_result result;
	enum log_level level;
	const char *explanation;
};

static const struct row rows[JS_VERDICT_COUNT] = {
	[JS_ACCEPTED] = {"accepted", BI_SUCCESS, LOG_LEVEL_DEBUG, "The device joined."},
	[JS_RETRIED] = {"retried", BI_SUCCESS, LOG_LEVEL_DEBUG,
			"The network server asked again within 60 s and got the same answer again."},
	[JS_NOT_A_REQUEST] = {"not_a_request", BI_NO_ACTION, LOG_LEVEL_DEBUG,
			      "An answer or a notification that nothing here waits for."},
	[JS_UNREADABLE] = {"unreadable", BI_MALFORMED, LOG_LEVEL_WARN,
			   "Not a message of TS002: neither sender nor transaction could be read."},
	[JS_MALFORMED] = {"malformed", BI_MALFORMED, LOG_LEVEL_WARN,
			  "A member of the message is missing, of the wrong type or out of range."},
	[JS_WRONG_PROTOCOL] = {"wrong_protocol", BI_INVALID_PROTOCOL_VERSION, LOG_LEVEL_WARN,
			       "ProtocolVersion is neither 1.0 nor 1.1."},
	[JS_UNSUPPORTED_MESSAGE] = {"unsupported_message", BI_OTHER, LOG_LEVEL_WARN,
				    "A kind of request that this join server does not serve."},
	[JS_UNKNOWN_SENDER] = {"unknown_sender", BI_UNKNOWN_SENDER, LOG_LEVEL_WARN,
			       "SenderID is not a NetID that we know."},
	[JS_UNKNOWN_RECEIVER] = {"unknown_receiver", BI_UNKNOWN_RECEIVER, LOG_LEVEL_WARN,
				 "ReceiverID is not the JoinEUI of the frame."},
	[JS_NOT_A_JOIN_REQUEST] = {"not_a_join_request", BI_MALFORMED, LOG_LEVEL_WARN,
				   "The PHYPayload is not a join-request."},
	[JS_UNKNOWN_DEVICE] = {"unknown_device", BI_UNKNOWN_DEV_EUI, LOG_LEVEL_DEBUG,
			       "No device of that DevEUI and JoinEUI is registered."},
	[JS_NO_KEY] = {"no_key", BI_UNKNOWN_DEV_EUI, LOG_LEVEL_WARN,
		       "The device is registered without the root key that its version needs."},
	[JS_DISABLED] = {"disabled", BI_ACTIVATION_DISALLOWED, LOG_LEVEL_INFO, "The device is disabled."},
	[JS_MIC_FAILED] = {"mic_failed", BI_MIC_FAILED, LOG_LEVEL_WARN,
			   "The join-request was not made with the registered key."},
	[JS_BAD_PARAMETERS] =
		{"bad_parameters", BI_JOIN_REQ_FAILED, LOG_LEVEL_WARN,
		 "The network server asks for what cannot be, such as OptNeg for a 1.0.x device."},
	[JS_LATE_COPY] = {"late_copy", BI_FRAME_REPLAYED, LOG_LEVEL_DEBUG,
			  "The bytes of the last accepted join came once more within 10 minutes."},
	[JS_DEV_NONCE_USED] =
		{"dev_nonce_used", BI_JOIN_REQ_FAILED, LOG_LEVEL_WARN,
		 "The DevNonce has been used before: a replay, or a device that lost its memory."},
	[JS_DEV_NONCE_NOT_INCREASING] =
		{"dev_nonce_not_increasing", BI_JOIN_REQ_FAILED, LOG_LEVEL_WARN,
		 "From 1.0.4 on the DevNonce must increase: a replay, a device that lost its "
		 "memory, or a profile with the wrong version."},
	[JS_JOIN_NONCE_EXHAUSTED] = {"join_nonce_exhausted", BI_JOIN_REQ_FAILED, LOG_LEVEL_ERROR,
				     "All 2^24 JoinNonces of the device are used: it needs another JoinEUI."},
	[JS_NO_KEK] = {"no_kek", BI_JOIN_REQ_FAILED, LOG_LEVEL_ERROR,
		       "There is no key to wrap the session keys with, and in clear they do not leave."},
	[JS_KEY_UNREADABLE] = {"key_unreadable", BI_JOIN_REQ_FAILED, LOG_LEVEL_ERROR,
			       "The stored root key does not open under the master key."},
	[JS_STORE_FAILED] = {"store_failed", BI_OTHER, LOG_LEVEL_ERROR, "The database failed."},
};

const char *js_verdict_name(enum js_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, JS_VERDICT_COUNT);
	return rows[verdict].name;
}

const char *js_verdict_explanation(enum js_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, JS_VERDICT_COUNT);
	return rows[verdict].explanation;
}

enum bi_result js_verdict_result(enum js_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, JS_VERDICT_COUNT);
	return rows[verdict].result;
}

enum log_level js_verdict_level(enum js_verdict verdict)
{
	ASSERT_CMP((unsigned)verdict, <, JS_VERDICT_COUNT);
	return rows[verdict].level;
}
