/* A credential set as CUPS hands it over: trust ‖ certificate ‖ key, each DER; for a token four zero bytes stand for the
 * certificate and the key is the header line. Pure.
 *
 * A station writes the three parts to files and reports the CRC-32 of them, an absent one counted as four zero bytes: that is
 * the CRC-32 of the bundle itself. */
#ifndef LAMPPOST_AS_BUNDLE_H
#define LAMPPOST_AS_BUNDLE_H

#include "application-server/store_identity.h"

struct as_bundle {
	uint8_t bytes[AS_BUNDLE_MAX];
	size_t length;
	uint32_t crc;
};

/* False: does not fit. The caller wipes the bundle. */
bool as_bundle_certificate(struct as_bundle *bundle, const uint8_t *trust, size_t trust_length,
			   const uint8_t *certificate, size_t certificate_length, const struct x509_key *key);
bool as_bundle_token(struct as_bundle *bundle, const uint8_t *trust, size_t trust_length, const char *token);
/* CRC-32 as of ISO-HDLC (Ethernet, zip). */
uint32_t as_crc32(const uint8_t *bytes, size_t length);

#endif
