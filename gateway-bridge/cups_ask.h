/* What the bridge and the application server say to each other about a station's question (POST /api/v1/gateways/EUI/cups on
 * city.sock; application-server/api/gateway_cups.c has the other end). Pure. */
#ifndef LAMPPOST_BRIDGE_CUPS_ASK_H
#define LAMPPOST_BRIDGE_CUPS_ASK_H

#include "gateway-bridge/cups.h"
#include "gateway-bridge/identity.h"

#define GB_CUPS_ASK_TEXT    2048
#define GB_CUPS_CREDENTIALS 8192 /* bytes of a bundle at most */

/* Writes the question as JSON; what a station says of itself is cut to plain characters. */
void gb_cups_ask_write(char text[GB_CUPS_ASK_TEXT], const struct gb_cups_question *question,
		       const struct gb_presented *presented);

/* What is to change. Wipe it: it may hold a private key. */
struct gb_cups_told {
	char cups_uri[GB_CUPS_URI_MAX], tc_uri[GB_CUPS_URI_MAX];
	uint8_t cups_credentials[GB_CUPS_CREDENTIALS], tc_credentials[GB_CUPS_CREDENTIALS];
	size_t cups_credentials_length, tc_credentials_length;
	int64_t firmware; /* its number; 0: none */
	uint64_t firmware_size;
	uint32_t key_crc;
	uint8_t signature[128];
	size_t signature_length;
};
/* Reads an answer. False: it is none, and nothing is to change. */
bool gb_cups_told_read(struct gb_json *json, const char *text, size_t length, struct gb_cups_told *told);

#endif
