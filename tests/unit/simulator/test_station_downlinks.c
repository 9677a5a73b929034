/* The simulated station's way down: which window a frame gets, what displaces what, and by which name each frame that is not sent is
 * counted. A station says nothing of those: what is asserted is the air, dntxed and the counts. */
#include "tests/harness/harness.h"

#include "simulator/station.h"

#include <stdio.h>
#include <string.h>

#define CONFIG                                                                                        \
	"{\"msgtype\":\"router_config\",\"hwspec\":\"sx1301/1\",\"region\":\"EU868\",\"freq_range\":" \
	"[863000000,870000000],\"nodc\":true,\"DRs\":[[12,125,0],[11,125,0],[10,125,0],[9,125,0],"    \
	"[8,125,0],[7,125,0],[7,250,0],[0,0,0]],\"sx1301_conf\":[{\"radio_0\":{\"enable\":true,"      \
	"\"freq\":868500000},\"chan_multiSF_0\":{\"enable\":true,\"radio\":0,\"if\":-400000}}]}"
#define NOW (100 * US_PER_S)

static struct sim_station station;

static void run(bool prod)
{
	struct sim_station_options options = {
		.eui = lw_eui64_from_number(1), .tc_uri = "ws://lns:3001", .prod = prod};
	const char *uri = "{\"router\":\"::1\",\"uri\":\"ws://lns:3001/1\"}";
	sim_station_init(&station, &options, 3);
	sim_station_tick(&station, 0);
	sim_station_opened(&station, 0);
	sim_station_receive(&station, 0, uri, strlen(uri));
	sim_station_opened(&station, 0);
	sim_station_receive(&station, 0, CONFIG, strlen(CONFIG));
	struct sim_station_act act;
	while (sim_station_take(&station, &act))
		;
}

/* Says a dnmsg at NOW; "XT" in it stands for xtime NOW of this session. */
static void say(const char *members)
{
	char text[2000], xtime[40];
	const char *mark = strstr(members, "XT");
	snprintf(xtime, sizeof xtime, "%lld", (long long)sim_station_xtime(&station, NOW));
	int length = snprintf(text, sizeof text, "{\"msgtype\":\"dnmsg\",%.*s%s%s}",
			      (int)(mark ? mark - members : (long)strlen(members)), members,
			      mark ? xtime : "", mark ? mark + 2 : "");
	sim_station_receive(&station, NOW, text, (size_t)length);
}

/* Runs the station to a time; counts what went on the air and what it said of it. */
struct heard {
	unsigned frames, told;
	int64_t first_us;
	uint32_t freq_hz;
	char text[SIM_STATION_TEXT];
};

static struct heard run_until(int64_t until_us)
{
	struct heard heard = {0};
	struct sim_station_act act;
	const struct sim_station_job *job;
	while (sim_station_next_us(&station) <= until_us) {
		int64_t now_us = sim_station_next_us(&station);
		while (sim_station_transmit(&station, now_us, &job)) {
			if (heard.frames++ == 0) {
				heard.first_us = job->start_us;
				heard.freq_hz = job->window.freq_hz;
			}
		}
		sim_station_tick(&station, now_us);
		while (sim_station_take(&station, &act)) {
			heard.told += strstr(act.text, "dntxed") != NULL;
			snprintf(heard.text, sizeof heard.text, "%s", act.text);
		}
	}
	return heard;
}

#define A  "\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":0,\"diid\":9,\"pdu\":\"600102\",\"xtime\":XT,"
#define R1 "\"RX1DR\":5,\"RX1Freq\":868100000"
#define R2 "\"RX2DR\":0,\"RX2Freq\":869525000"
#define C  "\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":2,\"diid\":9,\"pdu\":\"600102\","
#define B  "\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":1,\"diid\":9,\"pdu\":\"600102\","

static void windows(void **state)
{
	(void)state;
	static const struct {
		const char *name, *members;
		unsigned frames, told;
		int64_t after_us; /* NOW */
		uint32_t freq_hz;
		enum sim_station_drop drop;
	} rows[] = {
		{"RX1 where both are open", A "\"RxDelay\":1," R1 "," R2, 1, 1, 1000000, 868100000,
		 SIM_STATION_DROP_COUNT},
		{"a delay of 0 is one second", A "\"RxDelay\":0," R1, 1, 1, 1000000, 868100000,
		 SIM_STATION_DROP_COUNT},
		{"RX2 alone is a second after RX1", A "\"RxDelay\":2," R2, 1, 1, 3000000, 869525000,
		 SIM_STATION_DROP_COUNT},
		{"no DevEui, no word",
		 "\"DevEui\":\"00-00-00-00-00-00-00-00\",\"dC\":0,\"diid\":9,\"pdu\":\"60\",\"xtime\":XT," R1,
		 1, 0, 1000000, 868100000, SIM_STATION_DROP_COUNT},
		{"class C at once", C R2, 1, 1, SIM_STATION_LEAD_US, 869525000, SIM_STATION_DROP_COUNT},
		{"class B without the time", B "\"DR\":3,\"Freq\":869525000,\"gpstime\":1400000000000000", 0,
		 0, 0, 0, SIM_STATION_DROP_NO_TIME},
		{"xtime 0",
		 "\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":0,\"diid\":9,\"pdu\":\"60\",\"xtime\":0," R1,
		 0, 0, 0, 0, SIM_STATION_DROP_STALE},
		{"xtime of no session",
		 "\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":0,\"diid\":9,\"pdu\":\"60\",\"xtime\":"
		 "100000000," R1,
		 0, 0, 0, 0, SIM_STATION_DROP_STALE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		run(false);
		say(rows[i].members);
		t_uint("taken", 0, station.counters.refused[SIM_STATION_WRONG_TYPE]);
		struct heard heard = run_until(NOW + 10 * US_PER_S);
		t_uint("frames", rows[i].frames, heard.frames);
		t_uint("dntxed", rows[i].told, heard.told);
		if (rows[i].frames > 0) {
			t_int("start", NOW + rows[i].after_us, heard.first_us);
			t_uint("frequency", rows[i].freq_hz, heard.freq_hz);
		}
		if (rows[i].drop < SIM_STATION_DROP_COUNT)
			t_uint(sim_station_drop_name(rows[i].drop), 1,
			       station.counters.dropped[rows[i].drop]);
	}
	t_row("dntxed names the frame and when it began");
	run(false);
	say(A R1);
	struct heard heard = run_until(NOW + 10 * US_PER_S);
	char xtime[60];
	snprintf(xtime, sizeof xtime, "\"xtime\":%lld,",
		 (long long)sim_station_xtime(&station, NOW + US_PER_S));
	t_true("diid", strstr(heard.text, "\"diid\":9,") != NULL);
	t_true("xtime", strstr(heard.text, xtime) != NULL);
	t_true("device", strstr(heard.text, "\"DevEui\":\"00-00-00-00-11-00-00-01\"") != NULL);
}

/* A class A frame whose xtime lies so far before NOW. */
static void say_at(int64_t before_us, unsigned priority, const char *windows_of, size_t bytes)
{
	char text[2000], pdu[2 * 255 + 1];
	memset(pdu, '6', 2 * bytes);
	pdu[2 * bytes] = 0;
	int length = snprintf(
		text, sizeof text,
		"{\"msgtype\":\"dnmsg\",\"DevEui\":\"00-00-00-00-11-00-00-01\",\"dC\":0,\"diid\":1,"
		"\"pdu\":\"%s\",\"priority\":%u,\"xtime\":%lld,%s}",
		pdu, priority, (long long)sim_station_xtime(&station, NOW - before_us), windows_of);
	sim_station_receive(&station, NOW, text, (size_t)length);
}

static void what_is_late_goes_to_rx2_or_nowhere(void **state)
{
	(void)state;
	static const struct {
		const char *name, *windows;
		int64_t before_us;
		unsigned frames;
		uint32_t freq_hz;
		enum sim_station_drop drop;
	} rows[] = {
		{"just in time for RX1", R1 "," R2, US_PER_S - SIM_STATION_LATE_US, 1, 868100000,
		 SIM_STATION_DROP_COUNT},
		{"too late for RX1", R1 "," R2, US_PER_S - SIM_STATION_LATE_US + 1000, 1, 869525000,
		 SIM_STATION_DROP_COUNT},
		{"too late for RX1, no RX2", R1, US_PER_S, 0, 0, SIM_STATION_DROP_LATE},
		{"too late for both", R1 "," R2, 2 * US_PER_S, 0, 0, SIM_STATION_DROP_LATE},
		{"more than ten minutes ahead", R1, -SIM_STATION_AHEAD_US, 0, 0, SIM_STATION_DROP_FAR},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		run(false);
		say_at(rows[i].before_us, 0, rows[i].windows, 20);
		struct heard heard = run_until(NOW + 10 * US_PER_S);
		t_uint("frames", rows[i].frames, heard.frames);
		if (rows[i].frames > 0)
			t_uint("frequency", rows[i].freq_hz, heard.freq_hz);
		if (rows[i].drop < SIM_STATION_DROP_COUNT)
			t_uint(sim_station_drop_name(rows[i].drop), 1,
			       station.counters.dropped[rows[i].drop]);
	}
}

static void frames_make_room_by_priority(void **state)
{
	(void)state;
	t_row("the second of one priority goes to RX2");
	run(false);
	say_at(0, 5, R1, 20);
	say_at(0, 5, R1 "," R2, 20);
	t_uint("both are sent", 2, run_until(NOW + 10 * US_PER_S).frames);
	t_row("the second of one priority without RX2 is dropped");
	run(false);
	say_at(0, 5, R1, 20);
	say_at(0, 5, R1, 20);
	t_uint("one is sent", 1, run_until(NOW + 10 * US_PER_S).frames);
	t_uint("busy", 1, station.counters.dropped[SIM_STATION_DROP_BUSY]);
	t_row("a higher priority displaces to RX2");
	run(false);
	say_at(0, 5, R1 "," R2, 20);
	say_at(0, 6, R1, 20);
	t_uint("both are sent", 2, run_until(NOW + 10 * US_PER_S).frames);
	t_row("at most 128 wait");
	run(false);
	for (unsigned i = 0; i < SIM_STATION_JOBS + 2; i++)
		say_at(-(int64_t)i * 2 * US_PER_S, 0, R1, 20);
	t_uint("full", 2, station.counters.dropped[SIM_STATION_DROP_FULL]);
	t_uint("sent", SIM_STATION_JOBS, run_until(NOW + 300 * US_PER_S).frames);
	t_row("at most 16 KiB wait");
	run(false);
	for (unsigned i = 0; i < 70; i++)
		say_at(-(int64_t)i * 2 * US_PER_S, 0, R1, 240);
	t_uint("full", 2, station.counters.dropped[SIM_STATION_DROP_FULL]);
	t_row("what waits is lost with its connection");
	sim_station_closed(&station, NOW);
	t_uint("closed", 68, station.counters.dropped[SIM_STATION_DROP_CLOSED]);
}

static void duty_cycles_hold(void **state)
{
	(void)state;
	t_row("a production station keeps 1 % whatever it is told");
	run(true);
	say_at(0, 0, R1, 50);
	t_uint("the first", 1, run_until(NOW + 3 * US_PER_S).frames);
	say_at(-2 * US_PER_S, 0, R1, 50);
	t_uint("the second", 0, run_until(NOW + 10 * US_PER_S).frames);
	t_uint("duty cycle", 1, station.counters.dropped[SIM_STATION_DROP_DUTY_CYCLE]);
	t_row("another obeys nodc");
	run(false);
	say_at(0, 0, R1, 50);
	run_until(NOW + 3 * US_PER_S);
	say_at(-3 * US_PER_S, 0, R1, 50);
	t_uint("the second", 1, run_until(NOW + 10 * US_PER_S).frames);
}

static void schedules_are_sent_in_silence(void **state)
{
	(void)state;
	char text[400];
	t_row("dnsched: sent at its xtime, no dntxed");
	run(false);
	int length = snprintf(
		text, sizeof text,
		"{\"msgtype\":\"dnsched\",\"schedule\":[{\"diid\":5,\"DR\":5,\"Freq\":868100000,"
		"\"priority\":0,\"xtime\":%lld,\"rctx\":0,\"pdu\":\"e0aabb\"},{\"diid\":6,\"DR\":5,"
		"\"Freq\":868100000,\"xtime\":%lld,\"pdu\":\"e0aabc\"}]}",
		(long long)sim_station_xtime(&station, NOW + 3 * US_PER_S),
		(long long)sim_station_xtime(&station, NOW + 5 * US_PER_S));
	sim_station_receive(&station, NOW, text, (size_t)length);
	struct heard heard = run_until(NOW + 10 * US_PER_S);
	t_uint("frames", 2, heard.frames);
	t_int("start", NOW + 3 * US_PER_S, heard.first_us);
	t_uint("dntxed", 0, heard.told);
}

static void power_is_the_regions(void **state)
{
	(void)state;
	static const struct {
		const char *name, *region;
		double max_eirp_dbm;
		uint32_t freq_hz;
		int power_dbm;
	} rows[] = {
		{"Europe", "EU868", 0, 868100000, 16},
		{"Europe's loud band", "EU863", 0, 869525000, 27},
		{"the server asks for less", "EU868", 14, 869525000, 14},
		{"the server asks for more", "EU868", 30, 868100000, 16},
		{"America", "US915", 0, 923300000, 26},
		{"Australia", "AU915", 0, 923300000, 30},
		{"elsewhere", "IN865", 0, 866000000, 14},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		run(false);
		snprintf(station.config.region, sizeof station.config.region, "%s", rows[i].region);
		station.config.max_eirp_dbm = rows[i].max_eirp_dbm;
		t_int("dBm", rows[i].power_dbm, sim_station_power_dbm(&station, rows[i].freq_hz));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(windows),
					   t_test(what_is_late_goes_to_rx2_or_nowhere),
					   t_test(frames_make_room_by_priority),
					   t_test(duty_cycles_hold),
					   t_test(schedules_are_sent_in_silence),
					   t_test(power_is_the_regions)};
	return t_run(tests);
}
