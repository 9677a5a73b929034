/* Claiming: a device on the shelf (store_stock.h) becomes a device of whoever shows its owner token, with the keys that came
 * with it. Nobody sends the token itself: what travels is
 *
 *	token_digest = BLAKE2b-256("lamppost-owner-token" DevEUI ":" TOKEN)      both in upper case, hex on the wire
 *
 * and what is kept a keyed hash of that. An unknown device, another JoinEUI and a wrong token get one and the same answer, and
 * all count: five wrong tries for a device, or twenty of a caller, within a day lock it for an hour. */
#ifndef LAMPPOST_AS_CLAIMS_H
#define LAMPPOST_AS_CLAIMS_H

#include "application-server/api/api.h"
#include "application-server/store_stock.h"
#include "common/text/record_schema.h"

#define AS_CLAIM_TRIES_DEVICE 5
#define AS_CLAIM_TRIES_CALLER 20
#define AS_CLAIM_WINDOW       (86400 * US_PER_S)
#define AS_CLAIM_LOCK         (3600 * US_PER_S)

struct as_proof {
	struct lw_eui64 dev_eui, join_eui;
	uint8_t digest[SECRET_HASH];
};

/* Reads `dev_eui`, `join_eui` and `token_digest` of a body; adds a problem for each that is missing or ill formed. */
void as_proof_read(const json_t *body, struct as_proof *proof, struct record_problems *problems);
/* Reads 64 hex digits. */
bool as_digest_read(const json_t *body, uint8_t digest[SECRET_HASH], struct record_problems *problems);
/* What is kept of a digest. */
void as_token_keep(struct as_api *api, const uint8_t digest[SECRET_HASH], uint8_t kept[SECRET_HASH]);

/* Fills the row of a device that the proof opens; false with an answer, and the try is counted, unless the device is one that
 * the caller has: a claim whose answer got lost is asked again. Nothing is spent yet. */
bool as_claim_check(struct as_api *api, const struct as_call *call, const struct as_proof *proof,
		    struct as_stock *stock, struct as_answer *answer);
/* Puts the shelf's JoinEUI and keys into what is to be registered. */
void as_claim_fill(const struct as_stock *stock, json_t *sent);
/* The device is registered: its token is spent, the tries for it are forgotten, the audit knows. The caller's tries are not:
 * whoever has a device of its own to claim would guess at others' without end. */
enum status as_claim_spend(struct as_api *api, const struct as_call *call, const struct as_stock *stock,
			   const char *detail) MUST_USE;

/* POST /api/v1/devices/claim */
void as_handle_claim(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* POST /api/v1/devices/{id}/release */
void as_handle_release(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* GET, POST /api/v1/stock (import.c); DELETE /api/v1/stock/{id} */
void as_handle_stock_list(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_stock_add(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_stock_remove(struct as_api *api, const struct as_call *call, struct as_answer *answer);

/* POST /api/v1/devices/{id}/replace; DELETE /api/v1/devices/{id}/replacement (replace.c) */
void as_handle_replace(struct as_api *api, const struct as_call *call, struct as_answer *answer);
void as_handle_replace_undo(struct as_api *api, const struct as_call *call, struct as_answer *answer);
/* Adds `replaced_by` and `replaces` to a device's record, with their times; null for another that the caller does not see. */
void as_add_place(struct as_api *api, const struct as_call *call, json_t *record);

/* Whether it is registered and the caller may see it. */
bool as_sees_device(struct as_api *api, const struct as_call *call, const struct lw_eui64 *dev_eui);
/* Gives a device that the caller may change; NULL with an answer. */
json_t *as_own_device(struct as_api *api, const struct as_call *call, struct as_answer *answer);

#endif
