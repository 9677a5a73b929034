/* The text of a device's identification code, as its QR label has it (LoRa Alliance TR005, schema D0):
 *
 *	LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C
 *	      JoinEUI          DevEUI           profile  owner token   serial      own     checksum
 *
 * The first five fields are there always; what follows begins with the letter of its kind, each at most once. The profile is
 * the vendor's number (four digits, given by the LoRa Alliance) and the vendor's number of the device's profile. Letters are
 * upper case, the characters those of a QR code's alphanumeric mode without the colon. The checksum is CRC-16/MODBUS over all
 * that stands before its colon. No key is in a code: the owner token proves who holds the device, and the join server knows
 * its keys already.
 *
 * Reading is lenient where people and scanners differ (lower case, white space around it, kinds that we do not know) and
 * strict where a wrong device would come of it. Pure. */
#ifndef LAMPPOST_LORAWAN_TR005_H
#define LAMPPOST_LORAWAN_TR005_H

#include "common/lorawan/types.h"

#define LW_TR005_TEXT      513 /* the longest code, with NUL */
#define LW_TR005_TOKEN     65  /* each with NUL */
#define LW_TR005_SERIAL    65
#define LW_TR005_OWN       257
#define LW_TR005_TOKEN_MIN 4 /* shorter ones are guessed */

struct lw_tr005 {
	struct lw_eui64 join_eui, dev_eui;
	uint16_t vendor;                  /* 0: none was given to the manufacturer */
	uint16_t vendor_profile;          /* the vendor's own number */
	char owner_token[LW_TR005_TOKEN]; /* upper case; "": none */
	char serial[LW_TR005_SERIAL];     /* "": none */
	char proprietary[LW_TR005_OWN];   /* "": none */
	bool checked;                     /* it had a checksum, and that was right */
};

enum lw_tr005_verdict {
	LW_TR005_OK,
	LW_TR005_TOO_LONG,
	LW_TR005_NO_CODE, /* does not begin with LW: */
	LW_TR005_SCHEMA,  /* another than D0 */
	LW_TR005_FIELDS,  /* JoinEUI, DevEUI, profile: one is missing */
	LW_TR005_JOIN_EUI,
	LW_TR005_DEV_EUI,
	LW_TR005_PROFILE,
	LW_TR005_CHARACTER, /* none of a QR code's alphanumeric ones */
	LW_TR005_EMPTY,     /* a kind without a value, or nothing between two colons */
	LW_TR005_TWICE,     /* a kind */
	LW_TR005_TOKEN_LENGTH,
	LW_TR005_VALUE_LENGTH,
	LW_TR005_CHECKSUM_FORM,
	LW_TR005_CHECKSUM, /* does not match: read again */
	LW_TR005_VERDICT_COUNT
};
/* Lends a clause for people: "the checksum does not match: the label was read wrongly". */
const char *lw_tr005_reason(enum lw_tr005_verdict verdict);

/* Reads `length` characters, with or without a line's end. Fills `code` only with LW_TR005_OK. Whoever has read a token
 * wipes it. */
enum lw_tr005_verdict lw_tr005_parse(const char *text, size_t length, struct lw_tr005 *code);
/* Writes the code with its checksum, NUL-terminated; false: a value has a character or a length that no code has. */
bool lw_tr005_build(const struct lw_tr005 *code, char text[LW_TR005_TEXT]);

/* Whether `length` characters may be a value: upper-case letters, digits and " $%*+-./". */
bool lw_tr005_is_value(const char *text, size_t length);
/* CRC-16/MODBUS: polynomial 8005 reflected, from FFFF. */
uint16_t lw_tr005_checksum(const char *text, size_t length);

#endif
