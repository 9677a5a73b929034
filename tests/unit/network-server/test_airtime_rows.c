/* Airtime over a restart: what the journal's rows say of it, by which clock. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "network-server/airtime_rows.h"

static struct rig rig;

/* A frame that was planned ahead counts when it is on the air, not when the server came back: in the hour that follows it. */
static void what_is_ahead_counts_at_its_time(void **state)
{
	(void)state;
	rig_init(&rig);
	struct mono start = mono_add(rig.now.mono, LW_DUTY_BUCKET_US);
	ns_airtime_journal(&rig.ns, rig.now, ns_gateways_at(&rig.ns.gateways, 0), 868100000, start, 50000);
	rig_turn(&rig);
	rig_restart(&rig);
	struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, 0);
	int band = lw_region_sub_band(&rig.regions[0], 868100000);
	assert_true(gateway->duty_ready >> band & 1);
	t_uint("not yet", 0, lw_duty_used_us(&gateway->duty[band], rig.now.mono.us));
	t_uint("then", 50000, lw_duty_used_us(&gateway->duty[band], start.us + 50000));
	rig_release(&rig);
}

/* Rows of the old region's sub-bands lie in the journal still: they must not keep the server from starting. */
static void a_gateway_that_changes_its_region_is_no_damage(void **state)
{
	(void)state;
	rig_init(&rig);
	struct lw_eui64 eui = rig_eui(1);
	for (uint32_t hz = 867100000; hz <= 868100000; hz += 1000000)
		ns_airtime_journal(&rig.ns, rig.now, ns_gateways_at(&rig.ns.gateways, 0), hz, rig.now.mono,
				   50000);
	rig_turn(&rig);
	rig_state_begin(&rig, false);
	rig_gateway(&rig, 1, "us915", false);
	rig_state_end(&rig);
	rig_restart(&rig);
	uint32_t slot = ns_gateways_find(&rig.ns.gateways, &eui);
	assert_true(slot != NS_NO_SLOT);
	t_uint("it is one of US915", 1, ns_gateways_at(&rig.ns.gateways, slot)->region);
	t_uint("which has no limit", 0, ns_gateways_at(&rig.ns.gateways, slot)->duty_ready);
	rig_release(&rig);
}

/* A transmission, then time passes, a clock is changed, and the server starts anew. */
static void an_hour_passes_by_the_clock_that_says_less(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		span_us passed;      /* by both clocks */
		span_us wall_jump;   /* of the wall clock, beyond that */
		bool machine_starts; /* the monotonic clock begins anew */
		bool counts;
	} rows[] = {
		{"at once", 0, 0, false, true},
		{"half an hour", 1800 * US_PER_S, 0, false, true},
		{"two hours", 7200 * US_PER_S, 0, false, false},
		{"the wall clock is set a day forward", 60 * US_PER_S, 86400 * US_PER_S, false, true},
		{"and back", 60 * US_PER_S, -86400 * US_PER_S, false, true},
		{"the machine starts", 60 * US_PER_S, 0, true, true},
		{"the machine starts after two hours", 7200 * US_PER_S, 0, true, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_init(&rig);
		t_row(rows[i].name);
		rig.now.mono = mono_add(rig.now.mono, 10000 * US_PER_S);
		ns_airtime_journal(&rig.ns, rig.now, ns_gateways_at(&rig.ns.gateways, 0), 868100000,
				   rig.now.mono, 50000);
		rig_turn(&rig);
		rig.now.mono = mono_add(rig.now.mono, rows[i].passed);
		if (rows[i].machine_starts)
			rig.now.mono.us = US_PER_S;
		rig.now.wall.us += rows[i].passed + rows[i].wall_jump;
		rig_restart(&rig);
		const struct ns_gateway *gateway = ns_gateways_at(&rig.ns.gateways, 0);
		t_int("counts", rows[i].counts,
		      ns_gateway_airtime_us(gateway, mono_add(rig.now.mono, LW_DUTY_AHEAD_US)) > 0);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_is_ahead_counts_at_its_time),
		t_test(a_gateway_that_changes_its_region_is_no_damage),
		t_test(an_hour_passes_by_the_clock_that_says_less),
	};
	return t_run(tests);
}
