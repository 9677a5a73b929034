/* What /healthz and /metrics of the network server say of a join storm: every member with its own number, in a storm, after it, and
 * with numbers that are as long as can be. */
#include "tests/harness/harness.h"

#include "network-server/edge_process.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static struct ns_edge edge;
static char warnings[160], more[NS_EDGE_STORM_TEXT];

static const struct now now = {.mono = {1000 * US_PER_S}, .wall = {1800000000 * US_PER_S}};

/* A storm of 150 s: 400 devices asked, 90 of them joined in the first minute, 60 in the second. */
static void a_storm(bool on)
{
	edge.ns.storm = (struct ns_storm){
		.on = on,
		.storms = 3,
		.number = 3,
		.since = {(on ? 850 : 750) * US_PER_S},
		.until = {900 * US_PER_S},
		.counts = {.offered = 1000,
			   .refused = {1, 20, 300, 4, 5000},
			   .in_flight = 50,
			   .asking = 6,
			   .answered = 500,
			   .failed = {7, 18, 29, 65},
			   .devices = 400,
			   .joined = 150},
		.joined_in = {90, 60},
		.load.seconds[1000 % NS_JOIN_SECONDS] =
			{.second = 1000, .offered = 12, .answered = 5, .hearers = 2, .need_us = 1200000},
	};
}

static void asks(const char *before)
{
	snprintf(warnings, sizeof warnings, "%s", before);
	ns_edge_storm_health(&edge, now, warnings, sizeof warnings, more, sizeof more);
}

#define ACCOUNT                                                                                              \
	"\"devices\":400,\"joined\":150,\"waiting\":250,\"offered\":1000,\"refused\":5325,\"in_flight\":50," \
	"\"asking\":6,\"answered\":500,\"failed\":119,\"refused_no_time\":1,\"refused_no_airtime\":20,"      \
	"\"refused_too_late\":300,\"refused_no_path\":4,\"refused_too_weak\":5000,\"failed_no\":7,\"failed_" \
	"silent\":18,"                                                                                       \
	"\"failed_not_sent\":29,\"failed_no_room\":65,\"offered_10s\":12,\"answered_10s\":5,\"need_"         \
	"percent\":40"

static void each_member(void **state)
{
	(void)state;
	edge.ns.storm = (struct ns_storm){0};
	asks("\"journal_filling\"");
	t_str("before the first nothing", "", more);
	t_str("and no warning", "\"journal_filling\"", warnings);

	a_storm(true);
	asks("");
	t_str("in it",
	      ",\"join_storm\":{\"state\":\"storm\",\"storms\":3,\"lasts_s\":150," ACCOUNT
	      ",\"over_in_s\":{\"least\":167,\"most\":500}}",
	      more);
	t_str("a warning", "\"join_storm\"", warnings);
	asks("\"journal_filling\"");
	t_str("beside another", "\"journal_filling\",\"join_storm\"", warnings);

	a_storm(false);
	asks("");
	t_str("after it",
	      ",\"join_storm\":{\"state\":\"calm\",\"storms\":3,\"lasts_s\":150,\"ended_s\":100," ACCOUNT "}",
	      more);
	t_str("no warning any more", "", warnings);
}

static void metrics(void **state)
{
	(void)state;
	a_storm(true);
	t_uint("a storm", 1, ns_edge_storm_on(&edge));
	t_uint("that wait", 250, ns_edge_storm_waiting(&edge));
	a_storm(false);
	t_uint("calm", 0, ns_edge_storm_on(&edge));
	t_uint("nobody waits for it to end", 0, ns_edge_storm_waiting(&edge));
}

static void the_longest_numbers_fit(void **state)
{
	(void)state;
	const uint64_t most = UINT64_MAX / 8;
	a_storm(true);
	edge.ns.storm.storms = UINT64_MAX;
	edge.ns.storm.counts = (struct ns_storm_counts){.offered = UINT64_MAX,
							.refused = {most, most, most, most, most},
							.in_flight = UINT64_MAX,
							.asking = UINT64_MAX,
							.answered = UINT64_MAX,
							.failed = {most, most, most, most},
							.devices = UINT32_MAX,
							.joined = 1};
	asks("");
	char whole[NS_EDGE_STORM_TEXT + 2];
	snprintf(whole, sizeof whole, "{%s}", more + 1);
	json_error_t error;
	json_t *read = json_loads(whole, JSON_DECODE_INT_AS_REAL, &error);
	t_true("is whole", read && json_object_get(json_object_get(read, "join_storm"), "over_in_s"));
	json_decref(read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(each_member), t_test(metrics),
					   t_test(the_longest_numbers_fit)};
	return t_run(tests);
}
