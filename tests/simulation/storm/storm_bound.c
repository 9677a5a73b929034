/* What the best of planners could have done with the requests that gateways received: it knows beforehand which they are, and
 *
 *	- answers each light once, at its cheapest request: in RX1 of the fastest rate at which a gateway ever received it, or in
 *	  RX2 at that window's one rate; no accept is lost;
 *	- spends the hour's duty cycle of each sub-band to the last microsecond within the measured time, and the sum over all
 *	  gateways wherever it is needed; no two accepts are in each other's way, and no receiver is kept open for sensors.
 *
 * Every planner that is given these requests does worse: each of its accepts answers a request that was received, costs at least
 * that, and comes out of the same sum. (The sum is a relaxation: the cheapest first in RX1 is optimal, as an accept in RX2 costs
 * the same for each.) Which requests are received depends on what was answered before, so the bound is that of a run. */
#include "common/base/check.h"
#include "common/lorawan/airtime.h"
#include "common/lorawan/join_frame.h"
#include "tests/simulation/storm/storm_parts.h"

#include <stdlib.h>

#define ACCEPT_LENGTH 17 /* the shortest there is, without CFList */
#define NEVER         UINT32_MAX

static bool dr_of(const struct sim_plan *plan, const struct lw_modulation *modulation, uint8_t *dr)
{
	for (uint8_t i = 0; i < ARRAY_SIZE(plan->rates); i++) {
		*dr = i;
		if (plan->rates[i].spreading_factor == modulation->spreading_factor &&
		    plan->rates[i].bandwidth_hz == modulation->bandwidth_hz)
			return true;
	}
	return false;
}

void storm_note_heard(struct storm *storm, const struct gw_uplink *uplink)
{
	struct lw_join_request request;
	struct storm_heard heard;
	if (lw_join_request_parse(&request, uplink->phy, uplink->phy_length) != LW_OK ||
	    lw_eui64_number(&request.dev_eui) < STORM_LIGHTS ||
	    !dr_of(storm->scenario.plan, &uplink->modulation, &heard.dr))
		return;
	heard.light = (uint32_t)(lw_eui64_number(&request.dev_eui) - STORM_LIGHTS);
	heard.dev_nonce = request.dev_nonce;
	if (heard.light >= storm->setup->devices)
		return;
	uint32_t last = storm->last_heard[heard.light];
	if (last > 0 && storm->heard[last - 1].dev_nonce == heard.dev_nonce)
		return;
	ASSERT_CMP(storm->heard_count, <, STORM_HEARD_MAX);
	storm->heard[storm->heard_count++] = heard;
	storm->last_heard[heard.light] = storm->heard_count;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint32_t accept_us(const struct storm *storm, uint8_t down_dr)
{
	const struct lw_data_rate *rate = lw_region_data_rate(&storm->region, LW_DOWN, down_dr);
	ASSERT(rate);
	return lw_airtime_us(&rate->modulation, LW_DOWN, ACCEPT_LENGTH);
}

/* All gateways'. */
static double budget_us(const struct storm *storm, uint32_t freq_hz)
{
	int band = lw_region_sub_band(&storm->region, freq_hz);
	unsigned permille = band < 0 ? 1000 : storm->region.sub_bands[band].duty_cycle_permille;
	double share = 3600e6 * permille / 1000, time = storm->setup->measured_s * 1e6;
	return storm->setup->gateways * (share < time ? share : time);
}

void storm_bound(struct storm *storm)
{
	const struct storm_setup *setup = storm->setup;
	const struct sim_plan *plan = storm->scenario.plan;
	struct storm_result *result = storm->result;
	uint32_t *cost_us = malloc(setup->devices * sizeof *cost_us);
	ASSERT(cost_us);
	for (unsigned i = 0; i < setup->devices; i++)
		cost_us[i] = NEVER;
	for (uint32_t i = 0; i < storm->heard_count; i++) {
		const struct storm_heard *heard = &storm->heard[i];
		uint32_t us = accept_us(storm, sim_plan_rx1_dr(plan, heard->dr, 0, false));
		cost_us[heard->light] = us < cost_us[heard->light] ? us : cost_us[heard->light];
		result->heard[heard->dr % 16]++;
	}
	qsort(cost_us, setup->devices, sizeof *cost_us, compare);
	while (result->heard_lights < setup->devices && cost_us[result->heard_lights] != NEVER)
		result->heard_lights++;
	double rx1_us = budget_us(storm, sim_plan_default_freq_hz(plan, 0));
	double rx2 = budget_us(storm, plan->rx2_freq_hz) / accept_us(storm, plan->rx2_dr);
	unsigned answered = 0;
	for (; answered < result->heard_lights && rx1_us >= cost_us[answered]; answered++)
		rx1_us -= cost_us[answered];
	double all = answered + rx2;
	result->bound = all < result->heard_lights ? (unsigned)all : result->heard_lights;
	free(cost_us);
}
