#include "network-server/plans.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

#define CELLS (NS_PLANS_MAX * 2u)

/* Members alone: a struct's padding says nothing. */
static uint32_t hash_of(const struct lw_channel_plan *plan)
{
	uint32_t hash = UINT32_C(0x811c9dc5);
	for (size_t i = 0; i < LW_MASK_WORDS; i++)
		hash = (hash ^ plan->enabled.words[i]) * UINT32_C(0x01000193);
	for (size_t i = 0; i < LW_PLAN_DYNAMIC_MAX; i++) {
		hash = (hash ^ plan->freq_hz[i]) * UINT32_C(0x01000193);
		hash = (hash ^ plan->rx1_freq_hz[i]) * UINT32_C(0x01000193);
		hash = (hash ^ plan->dr_range[i]) * UINT32_C(0x01000193);
	}
	return hash ^ hash >> 15;
}

static bool same(const struct lw_channel_plan *a, const struct lw_channel_plan *b)
{
	return lw_mask_equal(&a->enabled, &b->enabled) &&
	       memcmp(a->freq_hz, b->freq_hz, sizeof a->freq_hz) == 0 &&
	       memcmp(a->rx1_freq_hz, b->rx1_freq_hz, sizeof a->rx1_freq_hz) == 0 &&
	       memcmp(a->dr_range, b->dr_range, sizeof a->dr_range) == 0;
}

/* The cell of a plan, or the empty one where it would stand. */
static uint32_t find(const struct ns_plans *plans, const struct lw_channel_plan *plan)
{
	uint32_t cell = hash_of(plan) % CELLS;
	while (plans->cells[cell] != 0 && !same(&plans->plans[plans->cells[cell] - 1], plan))
		cell = (cell + 1) % CELLS;
	return cell;
}

void ns_plans_init(struct ns_plans *plans)
{
	*plans = (struct ns_plans){0};
	plans->plans = calloc(NS_PLANS_MAX, sizeof *plans->plans);
	plans->used = calloc(NS_PLANS_MAX, sizeof *plans->used);
	plans->cells = calloc(CELLS, sizeof *plans->cells);
	ASSERT(plans->plans && plans->used && plans->cells);
	struct lw_channel_plan none = {0};
	ASSERT_CMP(ns_plans_keep(plans, &none), ==, 0);
}

void ns_plans_release(struct ns_plans *plans)
{
	free(plans->plans);
	free(plans->used);
	free(plans->cells);
	*plans = (struct ns_plans){0};
}

static uint16_t free_number(struct ns_plans *plans)
{
	if (plans->high < NS_PLANS_MAX)
		return plans->high++;
	for (uint16_t i = 0; i < NS_PLANS_MAX; i++)
		if (!plans->used[i])
			return i;
	return NS_NO_PLAN;
}

uint16_t ns_plans_keep(struct ns_plans *plans, const struct lw_channel_plan *plan)
{
	if (plans->used[plans->last] && same(&plans->plans[plans->last], plan))
		return plans->last;
	uint32_t cell = find(plans, plan);
	if (plans->cells[cell] != 0)
		return plans->last = (uint16_t)(plans->cells[cell] - 1);
	uint16_t number = free_number(plans);
	if (number == NS_NO_PLAN)
		return NS_NO_PLAN;
	plans->plans[number] = *plan;
	plans->used[number] = 1;
	plans->cells[cell] = (uint16_t)(number + 1);
	plans->count++;
	return number;
}

const struct lw_channel_plan *ns_plans_at(const struct ns_plans *plans, uint16_t number)
{
	ASSERT_CMP(number, <, plans->high);
	return &plans->plans[number];
}

void ns_plans_sweep(struct ns_plans *plans, const uint8_t *named)
{
	memset(plans->cells, 0, CELLS * sizeof *plans->cells);
	plans->count = 0;
	for (uint16_t i = 0; i < plans->high; i++) {
		plans->used[i] = plans->used[i] && (named[i] || i == 0);
		if (!plans->used[i])
			continue;
		plans->cells[find(plans, &plans->plans[i])] = (uint16_t)(i + 1);
		plans->count++;
	}
}
