#include "tests/harness/harness.h"

#include "common/crypto/secret.h"
#include "gateway-bridge/identity.h"

#include <string.h>

#define ISSUED_US INT64_C(1795305600000000)
#define HOUR_US   (3600 * US_PER_S)
#define TOKEN     "tok-3a5f"

enum shown {
	NOTHING,
	OWN = 1,     /* its certificate, issued at ISSUED_US */
	OTHERS = 2,  /* another gateway's */
	ODD = 4,     /* a certificate of another form */
	RIGHT = 8,   /* the token */
	SECOND = 16, /* the token that replaces it */
	WRONG = 32,  /* another token */
};

static const struct lw_eui64 own = {{0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35}};
static const struct wall until = {ISSUED_US + 24 * HOUR_US};

static void show_certificate(struct gb_presented *presented, const char *cn, int64_t issued_us)
{
	uint8_t serial[GB_CERTIFICATE_SERIAL] = {0};
	for (int i = 0; i < 8; i++)
		serial[i] = (uint8_t)(issued_us >> (56 - 8 * i));
	serial[15] = 7;
	/* As TLS libraries give it: without the zero in front. */
	gb_presented_certificate(presented, cn, strlen(cn), serial + 1, sizeof serial - 1, until);
}

static struct gb_presented present(int shown)
{
	struct gb_presented presented = {0};
	if (shown & OWN)
		show_certificate(&presented, "0016c001ff10a235", ISSUED_US);
	if (shown & OTHERS)
		show_certificate(&presented, "0016c001ff10a236", ISSUED_US);
	if (shown & ODD)
		show_certificate(&presented, "lamppost.example.city", ISSUED_US);
	if (shown & RIGHT)
		gb_presented_token(&presented, "Bearer " TOKEN);
	if (shown & SECOND)
		gb_presented_token(&presented, "Bearer next");
	if (shown & WRONG)
		gb_presented_token(&presented, "Bearer tok-3a5g");
	return presented;
}

static void what_is_presented_is_judged(void **state)
{
	(void)state;
	enum { C = GW_ACCEPT_CERTIFICATE, T = GW_ACCEPT_TOKEN, U = GW_ACCEPT_UDP, M = GW_ACCEPT_MQTT };
	static const struct {
		const char *name;
		uint8_t accept;
		int shown;
		int64_t void_us, now_us;
		const char *cidr;
		enum gb_verdict verdict;
	} rows[] = {
		{"its own certificate", C, OWN, 0, ISSUED_US, "", GB_ACCEPTED},
		{"the same where tokens are accepted as well", C | T, OWN, 0, ISSUED_US, "", GB_ACCEPTED},
		{"another gateway's certificate", C, OTHERS, 0, ISSUED_US, "", GB_CERTIFICATE_FOREIGN},
		{"another's certificate with the right token", C | T, OTHERS | RIGHT, 0, ISSUED_US, "",
		 GB_CERTIFICATE_FOREIGN},
		{"another's certificate where none is accepted", T, OTHERS | RIGHT, 0, ISSUED_US, "",
		 GB_CERTIFICATE_FOREIGN},
		{"a certificate that is no gateway's", C, ODD, 0, ISSUED_US, "", GB_CERTIFICATE_FOREIGN},
		{"one that was revoked by its very time", C, OWN, ISSUED_US, ISSUED_US, "",
		 GB_CERTIFICATE_VOID},
		{"one older than what was revoked", C, OWN, ISSUED_US + 1, ISSUED_US, "",
		 GB_CERTIFICATE_VOID},
		{"one issued a microsecond after what was revoked", C, OWN, ISSUED_US - 1, ISSUED_US, "",
		 GB_ACCEPTED},
		{"a revoked one with the right token", C | T, OWN | RIGHT, ISSUED_US, ISSUED_US, "",
		 GB_CERTIFICATE_VOID},
		{"at its last moment", C, OWN, 0, ISSUED_US + 24 * HOUR_US, "", GB_ACCEPTED},
		{"after it", C, OWN, 0, ISSUED_US + 24 * HOUR_US + 1, "", GB_CERTIFICATE_EXPIRED},
		{"a token instead of the certificate that it must have", C, RIGHT, 0, ISSUED_US, "",
		 GB_CREDENTIAL_NOT_ALLOWED},
		{"nothing, where it must have a certificate", C, NOTHING, 0, ISSUED_US, "",
		 GB_CREDENTIAL_MISSING},
		{"nothing, where it may come by UDP", C | T | U, NOTHING, 0, ISSUED_US, "",
		 GB_CREDENTIAL_MISSING},
		{"its token", T, RIGHT, 0, ISSUED_US, "", GB_ACCEPTED},
		{"the token that replaces it", T, SECOND, 0, ISSUED_US, "", GB_ACCEPTED},
		{"another token", T, WRONG, 0, ISSUED_US, "", GB_TOKEN_WRONG},
		{"a certificate where a token is wanted", T, OWN, 0, ISSUED_US, "",
		 GB_CREDENTIAL_NOT_ALLOWED},
		{"a certificate that is not accepted, and the token that is", T, OWN | RIGHT, 0, ISSUED_US,
		 "", GB_ACCEPTED},
		{"its certificate, of one that may come by UDP alone", U | M, OWN, 0, ISSUED_US, "",
		 GB_CREDENTIAL_NOT_ALLOWED},
		{"its certificate from its range", C, OWN, 0, ISSUED_US, "192.0.2.0/24", GB_ACCEPTED},
		{"its certificate from elsewhere", C, OWN, 0, ISSUED_US, "198.51.100.0/24",
		 GB_FOREIGN_SOURCE},
		{"its certificate, and a range that is none", C, OWN, 0, ISSUED_US, "192.0.2.0/99",
		 GB_FOREIGN_SOURCE},
	};
	const struct gb_address from = {.bytes = {192, 0, 2, 7}, .family = 4, .port = 40000};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gw_gateway row = {.eui = own,
					 .accept = rows[i].accept,
					 .token_count = 2,
					 .certificates_void_us = rows[i].void_us};
		const struct gb_presented presented = present(rows[i].shown);
		snprintf(row.source_cidr, sizeof row.source_cidr, "%s", rows[i].cidr);
		secret_hash(row.token_hashes[0], TOKEN, strlen(TOKEN));
		secret_hash(row.token_hashes[1], "next", 4);
		t_row(rows[i].name);
		t_str("verdict", gb_verdict_name(rows[i].verdict),
		      gb_verdict_name(
			      gb_identity_judge(&row, &presented, &from, (struct wall){rows[i].now_us})));
	}
}

static void nobody_is_accepted_who_is_not_in_the_list(void **state)
{
	(void)state;
	const struct gb_presented presented = present(OWN | RIGHT);
	t_str("unknown", "unknown_gateway",
	      gb_verdict_name(gb_identity_judge(NULL, &presented, NULL, (struct wall){ISSUED_US})));
}

static void a_gateway_without_tokens_takes_none(void **state)
{
	(void)state;
	struct gw_gateway row = {.eui = own, .accept = GW_ACCEPT_TOKEN};
	struct gb_presented presented = {.has_token = true}; /* a hash of zeros, as the row's empty ones */
	t_str("zeros", "token_wrong",
	      gb_verdict_name(gb_identity_judge(&row, &presented, NULL, (struct wall){ISSUED_US})));
	presented = present(RIGHT);
	t_str("any", "token_wrong",
	      gb_verdict_name(gb_identity_judge(&row, &presented, NULL, (struct wall){ISSUED_US})));
}

static void forms_of_the_header(void **state)
{
	(void)state;
	char longest[GB_TOKEN_MAX + 2];
	memset(longest, 'a', sizeof longest);
	longest[GB_TOKEN_MAX] = '\0';
	static const struct {
		const char *name, *header;
		bool right;
	} rows[] = {
		{"with its scheme", "Bearer " TOKEN, true},
		{"in another case", "bearer " TOKEN, true},
		{"with more blanks", "Bearer   " TOKEN, true},
		{"alone, as some stations write it", TOKEN, true},
		{"with something behind it", TOKEN "x", false},
		{"cut", "Bearer tok-3a5", false},
		{"another scheme", "Basic " TOKEN, false},
	};
	uint8_t hash[32];
	secret_hash(hash, TOKEN, strlen(TOKEN));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_presented presented = {0};
		t_row(rows[i].name);
		gb_presented_token(&presented, rows[i].header);
		t_true("there", presented.has_token);
		t_uint("right", rows[i].right, memcmp(hash, presented.token_hash, sizeof hash) == 0);
	}
	struct gb_presented presented = {0};
	gb_presented_token(&presented, NULL);
	t_false("no header", presented.has_token);
	gb_presented_token(&presented, "Bearer ");
	t_false("an empty token", presented.has_token);
	gb_presented_token(&presented, longest);
	t_true("the longest", presented.has_token);
	longest[GB_TOKEN_MAX] = 'a';
	longest[GB_TOKEN_MAX + 1] = '\0';
	gb_presented_token(&presented, longest);
	t_false("longer", presented.has_token);
}

static void forms_of_a_certificate(void **state)
{
	(void)state;
	static const uint8_t serial[21] = {0x00, 0x06, 0x60, 1};
	static const struct {
		const char *name, *cn;
		size_t cn_length, serial_length;
		bool odd;
	} rows[] = {
		{"as ours", "0016c001ff10a235", 16, 16, false},
		{"in capitals", "0016C001FF10A235", 16, 16, false},
		{"in pairs", "00-16-C0-01-FF-10-A2-35", 23, 16, false},
		{"pairs of another kind", "00:16:C0:01:FF:10:A2:35", 23, 16, true},
		{"too short", "0016c001ff10a23", 15, 16, true},
		{"with more behind it", "0016c001ff10a2350", 17, 16, true},
		{"with NUL inside",
		 "0016c001ff10\0"
		 "235",
		 16, 16, true},
		{"no name", "", 0, 16, true},
		{"a longer serial", "0016c001ff10a235", 16, 17, true},
		{"a short serial, of no time", "0016c001ff10a235", 16, 8, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct gb_presented presented = {0};
		t_row(rows[i].name);
		gb_presented_certificate(&presented, rows[i].cn, rows[i].cn_length, serial,
					 rows[i].serial_length, until);
		t_true("there", presented.has_certificate);
		t_uint("odd", rows[i].odd, presented.certificate_odd);
		if (!rows[i].odd)
			t_bytes("EUI", own.bytes, 8, presented.certificate_eui.bytes, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_is_presented_is_judged),
		t_test(nobody_is_accepted_who_is_not_in_the_list),
		t_test(a_gateway_without_tokens_takes_none),
		t_test(forms_of_the_header),
		t_test(forms_of_a_certificate),
	};
	if (secret_init() != ST_OK)
		return 1;
	return t_run(tests);
}
