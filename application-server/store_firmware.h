/* What city.db holds of stations' firmware: public keys that sign it, packages, and who is to get which. The packages' bytes are
 * files (identity/firmware.h). Written in the turn. */
#ifndef LAMPPOST_AS_STORE_FIRMWARE_H
#define LAMPPOST_AS_STORE_FIRMWARE_H

#include "application-server/store_identity.h"

#define AS_FIRMWARE_TEXT 65 /* model, version, names of keys, with NUL */

struct as_firmware_key {
	char name[AS_FIRMWARE_TEXT];
	uint8_t point[X509_POINT_BYTES];
	uint32_t crc; /* as stations report it: CRC-32 of the point */
	char added_by[AS_WHO_MAX];
};
/* ST_EXISTS: the name is taken. */
enum status as_store_firmware_key_put(struct as_store *store, const struct as_firmware_key *key,
				      struct wall now) MUST_USE;
enum status as_store_firmware_key_get(struct as_store *store, const char *name,
				      struct as_firmware_key *key) MUST_USE;

struct as_firmware_row {
	int64_t id;
	char model[AS_FIRMWARE_TEXT], version[AS_FIRMWARE_TEXT], key[AS_FIRMWARE_TEXT];
	uint64_t size;
	uint8_t sha512[X509_SHA512_BYTES];
	uint8_t signature[X509_SIGNATURE_MAX];
	size_t signature_length;
	char added_by[AS_WHO_MAX];
	struct wall added;
};
/* Fills `row->id`. ST_EXISTS: that version of that model is there. */
enum status as_store_firmware_put(struct as_store *store, struct as_firmware_row *row) MUST_USE;
enum status as_store_firmware_get(struct as_store *store, int64_t id, struct as_firmware_row *row) MUST_USE;
/* The first with an id above `after`. ST_NOT_FOUND. */
enum status as_store_firmware_next(struct as_store *store, int64_t after,
				   struct as_firmware_row *row) MUST_USE;
enum status as_store_firmware_find(struct as_store *store, const char *model, const char *version,
				   struct as_firmware_row *row) MUST_USE;

/* --- orders: one for each gateway at most
 *
 *	ordered ──offered at a question──▶ offered ──all bytes sent──▶ delivered ──its version reported──▶ done
 *	   └──not for that station──▶ refused (reason)
 */
enum as_order_state {
	AS_ORDERED,
	AS_ORDER_REFUSED,
	AS_ORDER_OFFERED,
	AS_ORDER_DELIVERED,
	AS_ORDER_DONE,
	AS_ORDER_STATES
};
const char *as_order_state_name(enum as_order_state state);

struct as_firmware_order {
	struct lw_eui64 gateway;
	int64_t firmware;
	enum as_order_state state;
	char reason[100];
	char ordered_by[AS_WHO_MAX];
	struct wall ordered, changed;
	uint32_t offers;
};
/* Replaces the one that was there. */
enum status as_store_order_put(struct as_store *store, const struct as_firmware_order *order) MUST_USE;
enum status as_store_order_get(struct as_store *store, const struct lw_eui64 *gateway,
			       struct as_firmware_order *order) MUST_USE;
/* `offered` counts one more offer. */
enum status as_store_order_move(struct as_store *store, const struct lw_eui64 *gateway,
				enum as_order_state state, const char *reason, bool offered,
				struct wall now) MUST_USE;
/* ST_NOT_FOUND: there is none. */
enum status as_store_order_remove(struct as_store *store, const struct lw_eui64 *gateway) MUST_USE;
/* The first order of a gateway after `after` (NULL: of all), by EUI. */
enum status as_store_order_next(struct as_store *store, const struct lw_eui64 *after,
				struct as_firmware_order *order) MUST_USE;
/* The first gateway after `after` whose station said that it is of this model. */
enum status as_store_station_of_model(struct as_store *store, const char *model, const struct lw_eui64 *after,
				      struct lw_eui64 *gateway) MUST_USE;

#endif
