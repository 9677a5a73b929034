/* What a station is told at its update-info (CUPS): whether it is to go elsewhere, whether it gets a new credential, whether it
 * gets firmware. The bridge has authenticated it and asks over city.sock; the answer is stored work, never a moment's: whatever
 * a station did not get is offered again at its next question, byte for byte.
 *
 *	certificate in its last third ──▶ delivery made, sealed ──offered, offered...──▶ CRC reported ──▶ forgotten
 *	`renew --cups`, `rotate --cups` ─────────▲                   └──revoked, expired──▶ forgotten
 *
 * Invariants: a bundle leaves only towards a station that proved itself with what is valid now; its private key is in clear in
 * no file; a token's older one is void as soon as the station has the newer. */
#ifndef LAMPPOST_AS_CUPS_H
#define LAMPPOST_AS_CUPS_H

#include "application-server/identity/authority.h"
#include "application-server/identity/bundle.h"
#include "application-server/store_firmware.h"

#define AS_CUPS_KEYS_MAX 8

struct as_cups_question {
	struct lw_eui64 gateway;
	bool by_certificate; /* else by token */
	struct wall certificate_issued, certificate_until;
	struct as_station_row station; /* what it says of itself */
	uint32_t tc_crc, cups_crc;     /* of the credentials that it has */
	uint32_t keys[AS_CUPS_KEYS_MAX];
	size_t key_count;
};

/* Everything empty: nothing is to change. Wipe it. */
struct as_cups_answer {
	char tc_uri[AS_STATION_URI_MAX], cups_uri[AS_STATION_URI_MAX];
	uint8_t bundle[AS_BUNDLE_MAX];
	size_t bundle_length;
	bool for_tc, for_cups; /* which credentials the bundle is for */
	bool has_firmware;
	struct as_firmware_row firmware;
	uint32_t key_crc;
};

/* Decides, and writes what follows from the question in this turn. ST_NOT_FOUND: not registered; ST_REFUSED: what it presented is
 * not valid by what stands here, which the bridge has not heard yet; ST_DATABASE and the like. */
enum status as_cups_decide(struct as_authority *authority, struct wall now,
			   const struct as_cups_question *question, struct as_cups_answer *answer) MUST_USE;

/* Prepare a delivery that waits for the station's next question: a new certificate whose key is made here, or the token that
 * as_token_issue() or as_token_rotate() gave. */
enum status as_cups_prepare_certificate(struct as_authority *authority, struct wall now,
					const struct lw_eui64 *gateway, const char *who,
					struct as_certificate_row *row) MUST_USE;
enum status as_cups_prepare_token(struct as_authority *authority, struct wall now,
				  const struct lw_eui64 *gateway, const char *token) MUST_USE;

#endif
