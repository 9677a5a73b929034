#include "gateway-bridge/identity.h"

#include "common/base/hex.h"
#include "common/crypto/secret.h"

#include <string.h>
#include <strings.h>

#define SCHEME "Bearer "

/* --- what is presented --------------------------------------------------------------------------------------------- */

/* "0016c001ff10a235" or "00-16-C0-01-FF-10-A2-35". */
static bool read_name(const char *cn, size_t length, struct lw_eui64 *eui)
{
	char digits[LW_EUI64_TEXT];
	size_t used = 0;
	bool pairs = length == 23;
	if (length != 16 && !pairs)
		return false;
	for (size_t i = 0; i < length; i++)
		if (pairs && i % 3 == 2) {
			if (cn[i] != '-')
				return false;
		} else {
			digits[used++] = cn[i];
		}
	digits[used] = '\0';
	return strlen(digits) == used && lw_eui64_parse(digits, eui);
}

/* The first 8 of its 16 bytes; a serial whose number needs fewer bytes is not preceded by zeros. */
static bool read_serial(const uint8_t *serial, size_t length, int64_t *issued_us)
{
	uint8_t whole[GB_CERTIFICATE_SERIAL] = {0};
	uint64_t issued = 0;
	if (length > sizeof whole)
		return false;
	memcpy(whole + sizeof whole - length, serial, length);
	for (size_t i = 0; i < 8; i++)
		issued = issued << 8 | whole[i];
	*issued_us = (int64_t)issued;
	return *issued_us > 0;
}

void gb_presented_certificate(struct gb_presented *presented, const char *cn, size_t cn_length,
			      const uint8_t *serial, size_t serial_length, struct wall until)
{
	struct lw_eui64 eui;
	int64_t issued_us;
	presented->has_certificate = true;
	presented->certificate_odd = !read_name(cn, cn_length, &eui) ||
				     !read_serial(serial, serial_length, &issued_us);
	if (presented->certificate_odd)
		return;
	presented->certificate_eui = eui;
	presented->certificate_issued_us = issued_us;
	presented->certificate_until = until;
}

void gb_presented_token(struct gb_presented *presented, const char *authorization)
{
	const char *token = authorization;
	presented->has_token = false;
	if (!token)
		return;
	if (strncasecmp(token, SCHEME, strlen(SCHEME)) == 0)
		token += strlen(SCHEME);
	token += strspn(token, " ");
	size_t length = strlen(token);
	if (length == 0 || length > GB_TOKEN_MAX)
		return;
	presented->has_token = true;
	secret_hash(presented->token_hash, token, length);
}

/* --- the judgement ------------------------------------------------------------------------------------------------- */

static bool from_its_range(const struct gw_gateway *row, const struct gb_address *from)
{
	struct cidr range;
	return !from || !row->source_cidr[0] ||
	       (cidr_parse(row->source_cidr, &range) && gb_cidr_contains(&range, from));
}

static enum gb_verdict judge_certificate(const struct gw_gateway *row, const struct gb_presented *presented,
					 struct wall now)
{
	if (presented->certificate_issued_us <= row->certificates_void_us)
		return GB_CERTIFICATE_VOID;
	return presented->certificate_until.us < now.us ? GB_CERTIFICATE_EXPIRED : GB_ACCEPTED;
}

/* Every hash is compared, so that the time says nothing of which one matched. */
static enum gb_verdict judge_token(const struct gw_gateway *row, const struct gb_presented *presented)
{
	bool found = false;
	for (size_t i = 0; i < row->token_count; i++)
		found |= secret_equal(row->token_hashes[i], presented->token_hash,
				      sizeof presented->token_hash);
	return found ? GB_ACCEPTED : GB_TOKEN_WRONG;
}

enum gb_verdict gb_identity_judge(const struct gw_gateway *row, const struct gb_presented *presented,
				  const struct gb_address *from, struct wall now)
{
	bool certificates = row && row->accept & GW_ACCEPT_CERTIFICATE;
	bool tokens = row && row->accept & GW_ACCEPT_TOKEN;
	if (!row)
		return GB_UNKNOWN_GATEWAY;
	if (!from_its_range(row, from))
		return GB_FOREIGN_SOURCE;
	if (presented->has_certificate &&
	    (presented->certificate_odd || !lw_eui64_equal(&presented->certificate_eui, &row->eui)))
		return GB_CERTIFICATE_FOREIGN;
	if (presented->has_certificate && certificates)
		return judge_certificate(row, presented, now);
	if (presented->has_token && tokens)
		return judge_token(row, presented);
	return presented->has_certificate || presented->has_token ? GB_CREDENTIAL_NOT_ALLOWED
								  : GB_CREDENTIAL_MISSING;
}
