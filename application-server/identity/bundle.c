#include "application-server/identity/bundle.h"

#include "common/base/bytes.h"

#include <stdio.h>
#include <string.h>

uint32_t as_crc32(const uint8_t *bytes, size_t length)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

static bool finish(struct as_bundle *bundle, const struct wr *wr)
{
	bundle->length = wr_length(wr);
	bundle->crc = as_crc32(bundle->bytes, bundle->length);
	return wr_ok(wr);
}

bool as_bundle_certificate(struct as_bundle *bundle, const uint8_t *trust, size_t trust_length,
			   const uint8_t *certificate, size_t certificate_length, const struct x509_key *key)
{
	uint8_t der[X509_KEY_DER_MAX];
	size_t length = x509_key_der(key, der);
	struct wr wr = wr_init(bundle->bytes, sizeof bundle->bytes);
	wr_copy(&wr, trust, trust_length);
	wr_copy(&wr, certificate, certificate_length);
	wr_copy(&wr, der, length);
	secret_wipe(der, sizeof der);
	return length > 0 && finish(bundle, &wr);
}

bool as_bundle_token(struct as_bundle *bundle, const uint8_t *trust, size_t trust_length, const char *token)
{
	static const uint8_t no_certificate[4];
	char line[128];
	int length = snprintf(line, sizeof line, "Authorization: Bearer %s\r\n", token);
	struct wr wr = wr_init(bundle->bytes, sizeof bundle->bytes);
	wr_copy(&wr, trust, trust_length);
	wr_copy(&wr, no_certificate, sizeof no_certificate);
	wr_copy(&wr, (const uint8_t *)line, (size_t)length);
	secret_wipe(line, sizeof line);
	return length > 0 && (size_t)length < sizeof line && finish(bundle, &wr);
}
