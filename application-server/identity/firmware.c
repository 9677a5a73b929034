#include "application-server/identity/firmware.h"

#include <stdio.h>
#include <string.h>

#define OFFERS_MAX 5 /* a station that cannot install it is not sent it every day for ever */

static bool has_key(const struct as_cups_question *question, uint32_t crc)
{
	for (size_t i = 0; i < question->key_count; i++)
		if (question->keys[i] == crc)
			return true;
	return false;
}

/* Why a station cannot take it; NULL: it can. */
static const char *unfit(const struct as_cups_question *question, const struct as_firmware_row *row,
			 const struct as_firmware_key *key)
{
	if (strcmp(question->station.model, row->model) != 0)
		return "the station is of another model";
	return has_key(question, key->crc) ? NULL : "the station does not have the key that signed it";
}

enum status as_firmware_offer(struct as_store *store, struct wall now,
			      const struct as_cups_question *question, struct as_cups_answer *answer)
{
	struct as_firmware_order order;
	struct as_firmware_row row;
	struct as_firmware_key key;
	enum status status = as_store_order_get(store, &question->gateway, &order);
	if (status == ST_NOT_FOUND)
		return ST_OK;
	if (status == ST_OK)
		status = as_store_firmware_get(store, order.firmware, &row);
	if (status == ST_OK)
		status = as_store_firmware_key_get(store, row.key, &key);
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	if (strcmp(question->station.package, row.version) == 0)
		return order.state == AS_ORDER_DONE ? ST_OK
						    : as_store_order_move(store, &question->gateway,
									  AS_ORDER_DONE, "", false, now);
	/* It went back to another version by itself, or by hand: that is not ours to repair. */
	if (order.state == AS_ORDER_DONE)
		return ST_OK;
	const char *reason = unfit(question, &row, &key);
	if (!reason && order.offers >= OFFERS_MAX)
		reason = "offered again and again, and the station still reports another version";
	if (reason)
		return as_store_order_move(store, &question->gateway, AS_ORDER_REFUSED, reason, false, now);
	answer->has_firmware = true;
	answer->firmware = row;
	answer->key_crc = key.crc;
	return as_store_order_move(store, &question->gateway, AS_ORDER_OFFERED, "", true, now);
}
