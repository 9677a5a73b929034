#include "application-server/downlinks/item.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <string.h>

#define CONTEXT_MAX 48

/* Rows: from; bits: to. What has ended moves nowhere and is not asked here. */
#define TO(status) (1u << NET_ITEM_##status)
#define ENDS       (TO(FAILED) | TO(EXPIRED) | TO(REFUSED) | TO(STALE_COUNTER))
static const unsigned moves[NET_ITEM_STATUS_COUNT] = {
	[NET_ITEM_QUEUED] = TO(QUEUED) | TO(PLANNED) | TO(SENT) | TO(ACKNOWLEDGED) | ENDS,
	[NET_ITEM_PLANNED] = TO(QUEUED) | TO(PLANNED) | TO(SENT) | TO(ACKNOWLEDGED) | ENDS,
	[NET_ITEM_SENT] = TO(QUEUED) | TO(PLANNED) | TO(SENT) | TO(ACKNOWLEDGED) | ENDS,
};

bool as_item_is_end(enum net_item_status status, bool confirmed)
{
	return status == NET_ITEM_SENT ? !confirmed : status > NET_ITEM_SENT;
}

bool as_item_may_move(const struct as_item *item, enum net_item_status to)
{
	ASSERT_CMP((unsigned)item->status, <, NET_ITEM_STATUS_COUNT);
	if (item->ended || (unsigned)to >= NET_ITEM_STATUS_COUNT)
		return false;
	if (to == NET_ITEM_ACKNOWLEDGED && !item->confirmed)
		return false;
	return moves[item->status] >> to & 1;
}

/* --- contents ----------------------------------------------------------------------------------------------- */

void as_keyed_hash(const struct as_keys *keys, uint8_t hash[SECRET_HASH], const void *bytes, size_t length)
{
	/* BLAKE2b knows no length extension, so that the key may simply stand before a hash of fixed size. */
	uint8_t keyed[SECRET_KEY + SECRET_HASH];
	memcpy(keyed, secret_master_bytes(keys->master), SECRET_KEY);
	secret_hash(keyed + SECRET_KEY, bytes, length);
	secret_hash(hash, keyed, sizeof keyed);
	secret_wipe(keyed, sizeof keyed);
}

/* The item's place, so that a payload moved to another row does not open. */
static size_t context_of(char context[CONTEXT_MAX], const struct net_uuid *item)
{
	char hex[33];
	hex_encode(hex, item->bytes, sizeof item->bytes);
	return (size_t)snprintf(context, CONTEXT_MAX, "downlink/%s", hex);
}

static void make_digest(const struct as_keys *keys, struct as_item *item, const uint8_t *payload)
{
	uint8_t contents[NET_PAYLOAD_MAX + 32];
	struct wr wr = wr_init(contents, sizeof contents);
	wr_copy(&wr, item->dev_eui.bytes, sizeof item->dev_eui.bytes);
	wr_u8(&wr, item->fport);
	wr_u8(&wr, item->confirmed);
	wr_u8(&wr, item->priority);
	wr_u8(&wr, item->encrypted);
	wr_u32be(&wr, item->encrypted ? item->fcnt_given : 0);
	wr_copy(&wr, payload, item->length);
	ASSERT(wr_ok(&wr));
	as_keyed_hash(keys, item->digest, contents, wr_length(&wr));
	secret_wipe(contents, sizeof contents);
}

void as_item_seal(const struct as_keys *keys, struct as_item *item, const uint8_t *payload, size_t length)
{
	char context[CONTEXT_MAX];
	ASSERT_CMP(length, <=, NET_PAYLOAD_MAX);
	item->length = (uint8_t)length;
	item->sealed_length = length + SECRET_SEAL_OVERHEAD;
	make_digest(keys, item, payload);
	secret_seal(keys->master, context, context_of(context, &item->item), payload, length, item->sealed);
}

bool as_item_open(const struct as_keys *keys, const struct as_item *item, uint8_t payload[NET_PAYLOAD_MAX])
{
	char context[CONTEXT_MAX];
	if (item->ended)
		return false;
	if (item->sealed_length == item->length) { /* of a version that did not seal them */
		memcpy(payload, item->sealed, item->length);
		return true;
	}
	return item->sealed_length == (size_t)item->length + SECRET_SEAL_OVERHEAD &&
	       secret_open(keys->master, context, context_of(context, &item->item), item->sealed,
			   item->sealed_length, payload) == ST_OK;
}

bool as_item_same(const struct as_item *a, const struct as_item *b)
{
	return secret_equal(a->digest, b->digest, SECRET_HASH);
}
