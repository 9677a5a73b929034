/* This machine's clock and stations that are up: a certificate that ends meanwhile, and a clock that is set by years in either
 * direction, which changes what is said of the time and nothing else. */
#include "tests/harness/harness.h"
#include "tests/harness/station_bench.h"

#include <stdio.h>
#include <string.h>

#define YEAR_US (365 * 86400 * US_PER_S)

static uint64_t up_until(uint64_t eui, uint8_t host, span_us lasts)
{
	struct gb_presented presented = t_certificate_of(eui);
	presented.certificate_until.us = t_bench.now.wall.us + lasts;
	uint64_t id = t_open_with(GB_STATION_DATA, eui, host, &presented, NULL);
	assert_true(id != 0);
	t_version(id);
	t_sent();
	t_hear();
	return id;
}

/* So many seconds in which it answers every ping; what went out but pings stands in t_bench.close. */
static bool is_ended_within(uint64_t id, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		t_pass(1000);
		gb_bridge_on_tick(t_bench.bridge, t_bench.now);
		if (strstr(t_sent(), "close"))
			return true;
		gb_bridge_on_station_pong(t_bench.bridge, t_bench.now, id, 40 * US_PER_MS);
	}
	return false;
}

static void a_certificate_ends(void **state)
{
	(void)state;
	t_begin();
	t_row("it lasts a hundred seconds more");
	uint64_t id = up_until(T_ROOF, 1, 100 * US_PER_S);
	uint64_t neighbour = up_until(T_TOWER, 2, YEAR_US);
	t_true("it stays while it is good", !is_ended_within(id, 100));
	gb_bridge_on_station_pong(t_bench.bridge, t_bench.now, neighbour, 40 * US_PER_MS);
	t_true("and no longer", is_ended_within(id, 2));
	t_uint("refused", 1008, t_bench.close.code);
	t_uint("it alone", id, t_bench.close.id);
	t_true("reason", strstr(t_bench.close.reason, "certificate_expired") != NULL);
	t_uint("counted", 1, t_counted(GB_CERTIFICATE_EXPIRED));
	t_true("its neighbour is up", gb_bridge_stations_up(t_bench.bridge) == 1);
	t_row("with another certificate it is back");
	t_true("up", up_until(T_ROOF, 1, YEAR_US) != 0);
}

static void the_clock_is_set_ahead(void **state)
{
	(void)state;
	t_row("nobody keeps the clock: who is there stays");
	t_begin();
	uint64_t id = up_until(T_ROOF, 1, YEAR_US);
	t_bench.now.wall_synchronised = false;
	t_bench.now.wall.us += 2 * YEAR_US;
	t_true("stays", !is_ended_within(id, 120));
	t_row("it is the time: the certificate is over at the next ping");
	t_bench.now.wall_synchronised = true;
	t_true("ends", is_ended_within(id, 40));
	t_true("reason", strstr(t_bench.close.reason, "certificate_expired") != NULL);
}

static void a_clock_that_jumps_changes_no_frame(void **state)
{
	static const struct {
		const char *name;
		span_us by;
	} rows[] = {{"it stands", 0},
		    {"a year back", -YEAR_US},
		    {"a minute ahead", 60 * US_PER_S},
		    {"a year ahead", YEAR_US}};
	int64_t behind = 0; /* what the message says of an answer's time, behind the uplink's */
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_begin();
		uint64_t id = t_come_up(T_ROOF, 1);
		int64_t xtime = t_uplink(id);
		t_hear();
		t_bench.now.wall.us += rows[i].by;
		t_order_both(T_ROOF, 1, gb_station_ticks(xtime), 5);
		t_str("the answer to what was heard before goes out", "t_text(1) ", t_sent());
		behind = i == 0 ? t_bench.down.dnmsg.xtime - xtime : behind;
		t_int("at its time", xtime + behind, t_bench.down.dnmsg.xtime);
		t_dntxed(id, t_bench.down.dnmsg.diid, xtime);
		t_true("and is told", strstr(t_hear(), "tx(1.0,ok)") != NULL);
		t_uplink(id);
		t_true("uplinks are taken", strncmp(t_hear(), "up(", 3) == 0);
		t_uint("no step of its clock", 0, t_counted(GB_STATION_CLOCK_JUMPED));
		t_text(id, "{\"msgtype\":\"timesync\",\"txtime\":1.5}");
		t_str("the time is told", "t_text(1) ", t_sent());
		t_int("as it is now", gps_us_from_wall(t_bench.now.wall), t_bench.down.gps_time_us);
		t_true("and nobody is ended", !is_ended_within(id, 70));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_certificate_ends),
		t_test(the_clock_is_set_ahead),
		t_test(a_clock_that_jumps_changes_no_frame),
	};
	int code = t_run(tests);
	t_end();
	return code;
}
