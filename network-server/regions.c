/* Regions by number, in each revision that differs from the sheet. A number is a byte, and part of stored sessions:
 *
 *	NS_REGIONS_MAX × steps back from the newest revision + index in the configuration
 *
 * A stored session names its region by its id as well (session_tail.c): the list of the configuration may change.
 * A revision in which nothing of the region differs has the number of the sheet. */
#include "network-server/network.h"

#include "common/base/check.h"
#include "common/lorawan/revision.h"

#include <stdlib.h>

_Static_assert(NS_REGIONS_MAX *LW_REGIONAL_REVISION_COUNT <= NS_REGION_GONE, "a number is a byte");

#define NEWEST (LW_REGIONAL_REVISION_COUNT - 1)

uint8_t ns_region_base(uint8_t number)
{
	return number % NS_REGIONS_MAX;
}

const struct lw_region *ns_region(const struct ns *ns, uint8_t number)
{
	uint8_t base = ns_region_base(number);
	ASSERT_CMP(base, <, ns->config.region_count);
	if (number == base)
		return &ns->config.regions[base];
	const struct lw_region *revised = ns->revised[number / NS_REGIONS_MAX][base];
	ASSERT(revised);
	return revised;
}

bool ns_region_is_there(struct ns *ns, uint8_t number)
{
	uint8_t base = ns_region_base(number), back = number / NS_REGIONS_MAX;
	if (base >= ns->config.region_count || back > NEWEST)
		return false;
	struct lw_region **place = &ns->revised[back][base];
	if (back > 0 && !*place) {
		*place = malloc(sizeof **place);
		ASSERT(*place);
		**place = ns->config.regions[base];
		lw_region_revise(*place, (enum lw_regional_revision)(NEWEST - back));
	}
	return true;
}

uint8_t ns_region_in(struct ns *ns, uint8_t base, enum lw_regional_revision revision)
{
	if (!lw_region_differs_in(&ns->config.regions[base], revision))
		return base;
	uint8_t number = (uint8_t)(base + NS_REGIONS_MAX * (NEWEST - (unsigned)revision));
	ASSERT(ns_region_is_there(ns, number));
	return number;
}

void ns_regions_release(struct ns *ns)
{
	for (size_t back = 0; back < LW_REGIONAL_REVISION_COUNT; back++)
		for (size_t base = 0; base < NS_REGIONS_MAX; base++)
			free(ns->revised[back][base]);
}

int ns_region_find(const struct ns *ns, const char *id)
{
	for (int i = 0; i < ns->config.region_count; i++)
		if (strncmp(ns->config.regions[i].id, id, GW_REGION_ID_MAX) == 0)
			return i;
	return -1;
}
