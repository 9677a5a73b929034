/* Handlers about gateways' identity (api/gateway_identity.c, api/gateway_cups.c, api/firmware.c, api/audit.c). All are for the
 * city's engineers alone, but for the two that the gateway bridge calls: those are for the bridge's user (role `bridge`), for
 * root and the service's own. */
#ifndef LAMPPOST_AS_API_IDENTITY_H
#define LAMPPOST_AS_API_IDENTITY_H

#include "application-server/api/api.h"

/* GET /api/v1/gateway-ca: {certificate, until, server?: {until, hosts, issued_by}} */
void as_handle_ca(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* POST /api/v1/gateway-ca/server {csr, hosts, days?}: {certificate, ca, until} */
void as_handle_ca_server(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* GET /api/v1/gateways/{id}/certificates */
void as_handle_certificates(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* POST {csr, renew?, days?}: {certificate, ca, serial, until}; {cups: true}: it is made here and goes by CUPS */
void as_handle_certificate_issue(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* DELETE ?serial=SERIAL: that one and all before it; without: all */
void as_handle_certificate_revoke(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* POST /api/v1/gateways/{id}/tokens {rotate?, cups?}: {token} */
void as_handle_token_issue(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* DELETE ?older=true */
void as_handle_token_revoke(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* POST /api/v1/gateways/{id}/cups: the bridge's question; POST .../cups/delivered: all bytes of firmware were sent */
void as_handle_cups(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_cups_delivered(struct as_api *api, const struct as_call *call, struct as_answer *answer);

void as_handle_firmware_key(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_firmware_begin(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_firmware_piece(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_firmware_list(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_firmware_order(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_firmware_cancel(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* GET /api/v1/firmware/{id}/bytes?offset=N&length=N, for the bridge: octets */
void as_handle_firmware_bytes(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* GET /api/v1/audit?subject=EUI&before=SEQ&limit=N */
void as_handle_audit(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* --- shared by them */
/* Whether the caller is a city engineer, and fills the gateway that `id` names; false with an answer. */
bool as_identity_gateway(struct as_api *api, const struct as_call *call, struct as_answer *answer,
			 struct lw_eui64 *gateway);
/* False with an answer: the caller is not the bridge. */
bool as_identity_bridge(const struct as_call *call, struct as_answer *answer);
const char *as_call_who(const struct as_call *call);

#endif
