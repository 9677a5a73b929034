#include "tests/simulation/storm/storm_parts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <time.h>

const unsigned storm_quantiles[STORM_QUANTILES] = {10, 25, 50, 75, 90, 95};

static void run_until(struct storm *storm, int64_t until_us)
{
	for (;;) {
		int64_t world = sim_world_next_us(storm->world), servers = storm_servers_next_us(storm);
		int64_t next = world < servers ? world : servers;
		if (next > until_us)
			break;
		if (next > storm->now_us)
			storm->now_us = next;
		if (world <= servers)
			sim_world_run(storm->world, storm->now_us);
		else
			storm_servers_tick(storm);
	}
	storm->now_us = until_us;
	sim_world_run(storm->world, until_us);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Of `count` times in order: when that share of all has joined. */
static double quantile_s(const int64_t *times, size_t count, size_t of, unsigned percent)
{
	size_t need = (of * percent + 99) / 100;
	return need == 0 || need > count ? -1 : (double)times[need - 1] / 1e6;
}

static void judge_joins(struct storm *storm)
{
	struct storm_result *result = storm->result;
	unsigned devices = storm->setup->devices;
	int64_t *times = malloc((size_t)devices * sizeof *times);
	ASSERT(times || devices == 0);
	for (int which = -1; which < 2; which++) { /* all, those with back-off, those without */
		size_t count = 0, of = 0;
		for (unsigned i = 0; i < devices; i++) {
			if (which >= 0 && (i % 10 == 9) != (which == 1))
				continue;
			of++;
			if (storm->joined_us[i] >= 0)
				times[count++] = storm->joined_us[i] - STORM_BEGINS_US;
		}
		qsort(times, count, sizeof *times, compare);
		if (which >= 0) {
			result->median_s[which] = quantile_s(times, count, of, 50);
			continue;
		}
		result->joined = (unsigned)count;
		result->joined_percent = of ? 100.0 * (double)count / (double)of : 0;
		for (size_t i = 0; i < STORM_QUANTILES; i++)
			result->quantile_s[i] = quantile_s(times, count, of, storm_quantiles[i]);
	}
	free(times);
}

static void judge_gateways(struct storm *storm, uint64_t airtime_before_us)
{
	struct storm_result *result = storm->result;
	uint64_t airtime_us = 0;
	for (uint32_t slot = 0; slot < storm->setup->gateways; slot++)
		airtime_us += ns_gateways_at(&storm->ns.gateways, slot)->airtime_total_us;
	result->deaf_percent = 100.0 * (double)(airtime_us - airtime_before_us) /
			       (1e6 * storm->setup->measured_s * storm->setup->gateways);
	for (size_t i = 0; i < storm->setup->gateways; i++) {
		const struct sim_gateway *gateway = sim_world_gateway(storm->world, i);
		result->sent += gateway->counters.sent;
		result->too_late += gateway->counters.refused[SIM_JIT_TOO_LATE];
		result->collisions += gateway->counters.refused[SIM_JIT_COLLISION_PACKET];
	}
}

static void judge_server(struct storm *storm)
{
	struct storm_result *result = storm->result;
	const struct ns *ns = &storm->ns;
	struct ns_storm_report report;
	ns_storm_tell(ns, storm_now(storm), &report);
	result->offered = ns->storm.requests - result->offered;
	result->answered = ns->accepts - result->answered;
	result->in_flight = ns->drops[NS_DROP_JOIN_IN_FLIGHT];
	for (size_t i = 0; i < NS_STORM_CAUSE_COUNT; i++)
		result->refused[i] = report.counts.refused[i];
	result->storm_s = ns->storm.storms ? (double)report.lasts / 1e6 : 0;
	result->counted_joined = report.counts.joined;
	result->nonces_lost = result->asked > result->answered ? result->asked - result->answered : 0;
}

void storm_run(const struct storm_setup *setup, struct storm_result *result)
{
	struct storm *storm = calloc(1, sizeof *storm);
	struct timespec from, to;
	ASSERT(storm);
	clock_gettime(CLOCK_MONOTONIC, &from);
	*result = (struct storm_result){0};
	storm->setup = setup;
	storm->result = result;
	storm_city_open(storm);
	storm_accepts_open(storm);
	storm_servers_open(storm);
	run_until(storm, STORM_BEGINS_US);
	uint64_t airtime_us = 0;
	for (uint32_t slot = 0; slot < setup->gateways; slot++)
		airtime_us += ns_gateways_at(&storm->ns.gateways, slot)->airtime_total_us;
	storm->delivered = storm->made = 0;
	result->offered = storm->ns.storm.requests;
	result->answered = storm->ns.accepts;
	result->asked = 0;
	for (uint32_t slot = 0; slot < setup->gateways; slot++) /* the hour before was quiet */
		ns_gateways_at(&storm->ns.gateways, slot)->duty_ready = 0;
	run_until(storm, STORM_BEGINS_US + (int64_t)setup->measured_s * US_PER_S);
	judge_joins(storm);
	judge_gateways(storm, airtime_us);
	judge_server(storm);

	result->delivered_percent = storm->made ? 100.0 * (double)storm->delivered / (double)storm->made : 0;
	storm_bound(storm);
	storm_accepts_judge(storm);
	clock_gettime(CLOCK_MONOTONIC, &to);
	result->wall_s = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	storm_servers_close(storm);
	storm_accepts_close(storm);
	storm_city_close(storm);
	free(storm);
}
