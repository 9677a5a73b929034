#include "network-server/plan_policy.h"

#include "common/base/check.h"

#define HOUR_US     (INT64_C(3600) * US_PER_S)
#define ALL_US      (HOUR_US / 1000 * NS_STORM_LEAK_PERMILLE) /* that a gateway may send in an hour of a storm */
#define SHORT_US    300000
#define SHORT_BURST (20 * US_PER_S) /* short answers may come in waves, as the requests for them do */
#define LEFT_LEAST  20              /* of ALL_US one part in so many is always left in a price */
#define CHANCE_STEP 200             /* cdB */
#define CHANCE_FROM (-400)
#define PRICE_MOST  INT64_C(1000000000)

static const char *const class_names[NS_STORM_CLASS_COUNT] = {
	[NS_STORM_COMMANDED] = "commanded",
	[NS_STORM_PATIENT] = "patient",
	[NS_STORM_USUAL] = "usual",
	[NS_STORM_SERVED] = "served",
};

static const struct ns_policy_row rows[NS_POLICY_COUNT] = {
	[NS_POLICY_USUAL] = {.name = "usual"},
	[NS_POLICY_STORM] =
		{
			.name = "storm",
			.priced = true,
			.pending_most = 28, /* a forwarder's queue holds 32 */
			.share_percent = {[NS_STORM_COMMANDED] = 150,
					  [NS_STORM_PATIENT] = 120,
					  [NS_STORM_USUAL] = 100,
					  [NS_STORM_SERVED] = 50},
			.longest_part = {[NS_STORM_COMMANDED] = 70,
					 [NS_STORM_PATIENT] = 140,
					 [NS_STORM_USUAL] = 190,
					 [NS_STORM_SERVED] = 190},
			.duty_percent = {[NS_STORM_COMMANDED] = 100,
					 [NS_STORM_PATIENT] = 98,
					 [NS_STORM_USUAL] = 95,
					 [NS_STORM_SERVED] = 50},
			.chance_least = {[NS_STORM_USUAL] = 75, [NS_STORM_SERVED] = 75},
		},
};

const char *ns_storm_class_name(enum ns_storm_class which)
{
	ASSERT((int)which >= 0 && which < NS_STORM_CLASS_COUNT);
	return class_names[which];
}

const struct ns_policy_row *ns_policy(enum ns_policy policy)
{
	ASSERT((int)policy >= 0 && policy < NS_POLICY_COUNT);
	return &rows[policy];
}

enum ns_drop ns_policy_admits(const struct ns_policy_row *row, enum ns_storm_class which,
			      const struct ns_gateway *gateway, const struct lw_region *region,
			      uint32_t freq_hz, struct mono now, struct mono start, uint32_t airtime_us)
{
	if (!row->priced)
		return NS_ACCEPTED;
	span_us burst = airtime_us <= SHORT_US ? SHORT_BURST : NS_STORM_BURST;
	if (ns_gateway_share(gateway, now) + (span_us)airtime_us > burst * row->share_percent[which] / 100 ||
	    ns_gateway_pending(gateway, now) >= row->pending_most)
		return NS_DROP_GATEWAYS_BUSY;
	uint32_t budget_us = ns_gateway_duty_budget(region, freq_hz);
	if (budget_us < UINT32_MAX && airtime_us > budget_us / row->longest_part[which])
		return NS_DROP_DUTY_CYCLE;
	if (!ns_gateway_duty_fits_in(gateway, region, freq_hz, now, start, airtime_us,
				     row->duty_percent[which]))
		return NS_DROP_DUTY_CYCLE;
	return NS_ACCEPTED;
}

/* Millionths of what is left. */
static int64_t part_of(uint32_t airtime_us, int64_t left_us)
{
	return left_us > 0 ? (int64_t)airtime_us * 1000000 / left_us : PRICE_MOST;
}

/* How likely the device hears it, percent. What is known of the link is one frame's fading, and the accept has another: of two
 * frames on a link with a line of sight the levels differ by 2.7 dB in the mean (Rician, K = 10 dB, 1.9 dB each). */
static int32_t chance_percent(int32_t margin_cdb)
{
	static const uint8_t chances[] = {7, 23, 50, 77, 93, 99};
	const int32_t last = (int32_t)ARRAY_SIZE(chances) - 1;
	int32_t above = margin_cdb - CHANCE_FROM;
	int32_t step = above / CHANCE_STEP;
	if (above <= 0)
		return chances[0];
	if (step >= last)
		return chances[last];
	return chances[step] + (chances[step + 1] - chances[step]) * (above % CHANCE_STEP) / CHANCE_STEP;
}

bool ns_policy_is_likely(const struct ns_policy_row *row, enum ns_storm_class which, int32_t margin_cdb)
{
	return chance_percent(margin_cdb) >= row->chance_least[which];
}

int32_t ns_policy_score(const struct ns_gateway *gateway, const struct lw_region *region, uint32_t freq_hz,
			struct mono now, uint32_t airtime_us, int32_t margin_cdb)
{
	uint32_t duty_us = ns_gateway_duty_left(gateway, region, freq_hz, now);
	int64_t gone = ns_gateway_share(gateway, now);
	int64_t open = gone < NS_STORM_BURST ? NS_STORM_BURST - gone : 0;
	int64_t all_us = ALL_US / LEFT_LEAST + ALL_US / LEFT_LEAST * (LEFT_LEAST - 1) * open / NS_STORM_BURST;
	int64_t price = part_of(airtime_us, all_us) +
			(duty_us == UINT32_MAX ? 0 : part_of(airtime_us, duty_us));
	price = price * 100 / chance_percent(margin_cdb);
	return (int32_t) - (price < PRICE_MOST ? price : PRICE_MOST);
}
