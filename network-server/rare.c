#include "network-server/rare.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define CELLS (NS_RARES_MAX * 2u)

_Static_assert(sizeof(struct ns_rare) == 28, "compared as bytes: no padding");

static uint32_t hash_of(const struct ns_rare *rare)
{
	const uint8_t *at = (const uint8_t *)rare;
	uint32_t hash = UINT32_C(0x811c9dc5);
	for (size_t i = 0; i < sizeof *rare; i++)
		hash = (hash ^ at[i]) * UINT32_C(0x01000193);
	return hash ^ hash >> 15;
}

/* The cell of a set, or the empty one where it would stand. */
static uint32_t find(const struct ns_rares *rares, const struct ns_rare *rare)
{
	uint32_t cell = hash_of(rare) % CELLS;
	while (rares->cells[cell] != 0 &&
	       memcmp(&rares->rares[rares->cells[cell] - 1], rare, sizeof *rare) != 0)
		cell = (cell + 1) % CELLS;
	return cell;
}

void ns_rares_init(struct ns_rares *rares)
{
	const struct ns_rare boot = {0};
	*rares = (struct ns_rares){0};
	rares->rares = calloc(NS_RARES_MAX, sizeof *rares->rares);
	rares->used = calloc(NS_RARES_MAX, sizeof *rares->used);
	rares->cells = calloc(CELLS, sizeof *rares->cells);
	ASSERT(rares->rares && rares->used && rares->cells);
	ASSERT_CMP(ns_rares_keep(rares, &boot), ==, 0);
}

void ns_rares_release(struct ns_rares *rares)
{
	free(rares->rares);
	free(rares->used);
	free(rares->cells);
	*rares = (struct ns_rares){0};
}

static uint16_t free_number(struct ns_rares *rares)
{
	if (rares->high < NS_RARES_MAX)
		return rares->high++;
	for (uint16_t i = 0; i < NS_RARES_MAX; i++)
		if (!rares->used[i])
			return i;
	return NS_NO_RARE;
}

uint16_t ns_rares_keep(struct ns_rares *rares, const struct ns_rare *rare)
{
	uint32_t cell = find(rares, rare);
	if (rares->cells[cell] != 0)
		return (uint16_t)(rares->cells[cell] - 1);
	uint16_t number = free_number(rares);
	if (number == NS_NO_RARE)
		return NS_NO_RARE;
	rares->rares[number] = *rare;
	rares->used[number] = 1;
	rares->cells[cell] = (uint16_t)(number + 1);
	rares->count++;
	return number;
}

const struct ns_rare *ns_rares_at(const struct ns_rares *rares, uint16_t number)
{
	ASSERT_CMP(number, <, rares->high);
	return &rares->rares[number];
}

void ns_rares_sweep(struct ns_rares *rares, const uint8_t *named)
{
	memset(rares->cells, 0, CELLS * sizeof *rares->cells);
	rares->count = 0;
	for (uint16_t i = 0; i < rares->high; i++) {
		rares->used[i] = rares->used[i] && (named[i] || i == 0);
		if (!rares->used[i])
			continue;
		rares->cells[find(rares, &rares->rares[i])] = (uint16_t)(i + 1);
		rares->count++;
	}
}
