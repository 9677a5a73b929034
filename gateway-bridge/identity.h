/* Who a gateway is, by what it presents: the certificate of its TLS connection, a token in its request, or nothing but where it
 * calls from. One judgement for every protocol that has connections: LNS at discovery and at the data connection, CUPS; and
 * again for connections that are open when the list has changed.
 *
 * Invariants: what TLS has verified (issued by this city's CA, for clients, in its own time) is what counts as a certificate;
 * its subject must be the very gateway that the request names, whatever else is presented; of a token the hash alone is kept,
 * and compared in constant time; a gateway that is not in the list is nobody. Pure.
 *
 * A certificate's serial is 16 bytes: when it was issued, in microseconds since 1970, big-endian, then 8 random bytes. Its
 * number orders the certificates of a gateway, and revoking is one number (gw_gateway.certificates_void_us). */
#ifndef LAMPPOST_BRIDGE_IDENTITY_H
#define LAMPPOST_BRIDGE_IDENTITY_H

#include "common/proto/gateway_messages.h"
#include "gateway-bridge/address.h"
#include "gateway-bridge/verdicts.h"

#define GB_TOKEN_MAX          256 /* bytes of a token; ours have 43 */
#define GB_CERTIFICATE_SERIAL 16

/* What it showed when the connection was made. May be kept for as long as that lasts: nothing in it is secret. */
struct gb_presented {
	bool has_certificate; /* verified by TLS against the city's CA */
	bool certificate_odd; /* it was, and is of no form of ours: nobody's */
	struct lw_eui64 certificate_eui;
	int64_t certificate_issued_us; /* since 1970 */
	struct wall certificate_until; /* notAfter */
	bool has_token;
	uint8_t token_hash[32]; /* BLAKE2b-256 */
};

/* A certificate that TLS has verified into `presented`: its subject's common name (not NUL-terminated: 16 hexadecimal digits of
 * either case, or eight pairs with hyphens), its serial (big-endian, leading zeros may be left out) and its end. One of
 * another form is marked odd and never accepted. */
void gb_presented_certificate(struct gb_presented *presented, const char *cn, size_t cn_length,
			      const uint8_t *serial, size_t serial_length, struct wall until);
/* The value of an Authorization header (NULL: none): "Bearer TOKEN", or the token alone as some stations write it. An empty or
 * too long one counts as none. */
void gb_presented_token(struct gb_presented *presented, const char *authorization);

/* Whether it is the gateway of `row` (NULL: not in the list), calling from `from` (NULL: is not looked at). GB_ACCEPTED, or the
 * first that holds of GB_UNKNOWN_GATEWAY, GB_FOREIGN_SOURCE, GB_CERTIFICATE_FOREIGN, GB_CERTIFICATE_VOID,
 * GB_CERTIFICATE_EXPIRED, GB_TOKEN_WRONG, GB_CREDENTIAL_NOT_ALLOWED (its record does not accept the kind that it presented),
 * GB_CREDENTIAL_MISSING. A certificate that the record does not accept gives way to a token that it does; a certificate of
 * another gateway never gives way. */
enum gb_verdict gb_identity_judge(const struct gw_gateway *row, const struct gb_presented *presented,
				  const struct gb_address *from, struct wall now);

#endif
