/* What a network server or application server of another asks a join server (TS002), as text: for tests that speak to the real
 * one. */
#ifndef LAMPPOST_TESTS_TS002_REQUEST_H
#define LAMPPOST_TESTS_TS002_REQUEST_H

#include "common/backend/ts002.h"

struct t_ts002_request {
	enum bi_type type; /* BI_JOIN_REQ, BI_HOME_NS_REQ, BI_APP_S_KEY_REQ */
	enum bi_protocol protocol;
	const char *sender;   /* NetID or AS-ID */
	const char *join_eui; /* ReceiverID */
	const char *dev_eui;
	uint32_t transaction;
	/* Of a JoinReq: from a device of 1.0.4 with that AppKey (32 digits). */
	const char *app_key;
	uint16_t dev_nonce;
};

/* Fills the message; a JoinReq has the join-request that the device would send. Aborts on what is no request. */
void t_ts002_write(char text[BI_WRITTEN_MAX], const struct t_ts002_request *request);

#endif
