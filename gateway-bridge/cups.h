/* CUPS, Basics Station's configuration and update protocol: the question of POST /update-info and its binary answer. Pure.
 *
 *	answer, little-endian:  u8 n, cups URI | u8 n, tc URI | u16 n, cups credentials | u16 n, tc credentials
 *	                        u32 n [u32 CRC of the signing key, signature] | u32 n, update
 *
 * An empty segment means: keep what you have. A credential is trust ‖ certificate ‖ key, each DER, or with a header line as its key. */
#ifndef LAMPPOST_BRIDGE_CUPS_H
#define LAMPPOST_BRIDGE_CUPS_H

#include "common/base/bytes.h"
#include "gateway-bridge/basics_station.h"

#define GB_CUPS_URI_MAX  128
#define GB_CUPS_KEYS_MAX 8

struct gb_cups_question {
	struct lw_eui64 router;
	char cups_uri[GB_CUPS_URI_MAX], tc_uri[GB_CUPS_URI_MAX]; /* "": none */
	uint32_t cups_credentials_crc, tc_credentials_crc;       /* CRC-32 of what it has */
	char station[GB_STATION_TEXT_MAX], model[GB_STATION_TEXT_MAX], package[GB_STATION_TEXT_MAX];
	uint32_t keys[GB_CUPS_KEYS_MAX]; /* CRC-32 of the keys that it takes updates from */
	uint8_t key_count;
};

/* Reads the body of POST /update-info. The verdicts are those of gb_station_discovery(), and GB_TOO_LONG. */
enum gb_verdict gb_cups_question(struct gb_json *json, const char *text, size_t length,
				 struct gb_cups_question *question);

/* What is to change; zeroed: nothing. Borrows. */
struct gb_cups_update {
	const char *cups_uri, *tc_uri; /* NULL: keep */
	const uint8_t *cups_credentials, *tc_credentials;
	size_t cups_credentials_length, tc_credentials_length; /* 0: keep; at most 65,535 */
	uint32_t key_crc;
	const uint8_t *signature; /* ECDSA P-256 over the SHA-512 of `firmware`, DER */
	size_t signature_length;  /* 0: none; 4 to 128 */
	const uint8_t *firmware;  /* NULL with a length: the caller sends it behind the answer */
	size_t firmware_length;
};

/* Writes the answer; false: a part is longer than its length can say, or than `wr` has room for. */
bool gb_cups_answer(struct wr *wr, const struct gb_cups_update *update);

#endif
