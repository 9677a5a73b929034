#include "gateway-bridge/inflight.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define NONE        UINT32_MAX
#define TOKEN_TRIES 16

struct key {
	uint8_t bytes[10]; /* EUI, token */
};

struct row {
	struct key key;
	uint32_t index;
};

static struct key key_of(const struct lw_eui64 *gateway, struct gb_token token)
{
	struct key key;
	memcpy(key.bytes, gateway->bytes, 8);
	memcpy(key.bytes + 8, token.bytes, 2);
	return key;
}

void gb_inflights_init(struct gb_inflights *inflights, struct rng *rng)
{
	*inflights = (struct gb_inflights){.pool = calloc(GB_INFLIGHT_MAX, sizeof *inflights->pool)};
	ASSERT(inflights->pool != NULL);
	for (uint32_t i = 0; i < GB_INFLIGHT_MAX; i++)
		inflights->pool[i].next_free = i + 1 < GB_INFLIGHT_MAX ? i + 1 : NONE;
	table_init(&inflights->by_token, GB_INFLIGHT_MAX, sizeof(struct row), sizeof(struct key), rng);
	deadlines_init(&inflights->deadlines, GB_INFLIGHT_MAX);
}

void gb_inflights_release(struct gb_inflights *inflights)
{
	free(inflights->pool);
	table_release(&inflights->by_token);
	deadlines_release(&inflights->deadlines);
}

/* Fills a token that this gateway has not in flight; false when luck fails, which a full table would do. */
static bool draw_token(struct gb_inflights *inflights, struct rng *rng, const struct lw_eui64 *gateway,
		       struct gb_token *token)
{
	for (int i = 0; i < TOKEN_TRIES; i++) {
		rng_fill(rng, token->bytes, sizeof token->bytes);
		struct key key = key_of(gateway, *token);
		if (table_get(&inflights->by_token, &key) == NULL)
			return true;
	}
	return false;
}

const struct gb_inflight *gb_inflights_add(struct gb_inflights *inflights, struct rng *rng,
					   const struct gb_inflight *entry, struct mono due)
{
	if (inflights->first_free == NONE)
		return NULL;
	struct gb_token token = {{0, 0}};
	if (entry->has_token && !draw_token(inflights, rng, &entry->gateway, &token))
		return NULL;
	uint32_t index = inflights->first_free;
	struct gb_inflight *added = &inflights->pool[index];
	inflights->first_free = added->next_free;
	*added = *entry;
	added->token = token;
	added->deadline = (struct deadline){.slot = 0};
	added->diid = added->connection ? ++inflights->rounds * GB_INFLIGHT_MAX + index : 0;
	if (added->has_token) {
		bool made;
		struct key key = key_of(&added->gateway, token);
		struct row *row = table_put(&inflights->by_token, &key, &made);
		ASSERT(row != NULL && made);
		row->index = index;
	}
	enum status status = deadlines_set(&inflights->deadlines, &added->deadline, due);
	ASSERT_CMP(status, ==, ST_OK);
	inflights->count++;
	return added;
}

const struct gb_inflight *gb_inflights_find(const struct gb_inflights *inflights,
					    const struct lw_eui64 *gateway, struct gb_token token)
{
	struct key key = key_of(gateway, token);
	const struct row *row = table_get(&inflights->by_token, &key);
	return row ? &inflights->pool[row->index] : NULL;
}

const struct gb_inflight *gb_inflights_of_station(const struct gb_inflights *inflights, uint64_t connection,
						  int64_t diid)
{
	if (diid <= 0)
		return NULL;
	const struct gb_inflight *entry = &inflights->pool[diid % GB_INFLIGHT_MAX];
	return entry->diid == diid && entry->connection == connection ? entry : NULL;
}

bool gb_inflights_cut(struct gb_inflights *inflights, uint64_t connection, struct gb_inflight *entry)
{
	for (uint32_t i = 0; i < GB_INFLIGHT_MAX; i++) {
		if (inflights->pool[i].diid == 0 || inflights->pool[i].connection != connection)
			continue;
		*entry = inflights->pool[i];
		gb_inflights_remove(inflights, &inflights->pool[i]);
		return true;
	}
	return false;
}

bool gb_inflights_claim(struct gb_inflights *inflights, const struct lw_eui64 *gateway, struct gb_token token)
{
	struct key key = key_of(gateway, token);
	const struct row *row = table_get(&inflights->by_token, &key);
	if (row == NULL || inflights->pool[row->index].claimed)
		return false;
	inflights->pool[row->index].claimed = true;
	return true;
}

void gb_inflights_remove(struct gb_inflights *inflights, const struct gb_inflight *entry)
{
	struct gb_inflight *removed = &inflights->pool[entry - inflights->pool];
	deadlines_cancel(&inflights->deadlines, &removed->deadline);
	if (removed->has_token) {
		struct key key = key_of(&removed->gateway, removed->token);
		table_remove(&inflights->by_token, &key);
	}
	removed->diid = 0;
	removed->next_free = inflights->first_free;
	inflights->first_free = (uint32_t)(removed - inflights->pool);
	inflights->count--;
}

bool gb_inflights_pop(struct gb_inflights *inflights, struct mono now, struct gb_inflight *entry)
{
	struct deadline *due = deadlines_pop(&inflights->deadlines, now);
	if (due == NULL)
		return false;
	const struct gb_inflight *popped =
		(const struct gb_inflight *)((const uint8_t *)due - offsetof(struct gb_inflight, deadline));
	*entry = *popped;
	gb_inflights_remove(inflights, popped);
	return true;
}

struct mono gb_inflights_deadline(const struct gb_inflights *inflights)
{
	return deadlines_next(&inflights->deadlines);
}
