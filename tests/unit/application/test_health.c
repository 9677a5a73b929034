/* How each gateway fares: states with their reasons, counts through restarts, and what is kept of both. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/health/table.h"
#include "application-server/store_health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define A     "aa00000000000001"
#define B     "aa00000000000002"
#define BEGAN "64a1"

static struct lw_eui64 eui_of(const char *text)
{
	struct lw_eui64 eui;
	assert_true(lw_eui64_parse(text, &eui));
	return eui;
}

/* 2027-01-15T08:00:00Z and so many seconds. */
static struct now at(int64_t seconds)
{
	return (struct now){.mono = {(100000 + seconds) * US_PER_S},
			    .wall = {(1800000000 + seconds) * US_PER_S}};
}

static json_t *page_of(const char *began, const char *rows)
{
	char text[4000];
	snprintf(text, sizeof text, "{\"began\":\"%s\",\"gateways\":[%s],\"next\":null}", began, rows);
	json_t *page = json_loads(text, 0, NULL);
	if (!page)
		print_error("%s\n", text);
	assert_non_null(page);
	return page;
}

static void live(struct as_health *health, const char *began, const char *rows, struct now now)
{
	json_t *page = page_of(began, rows);
	as_health_begin(health);
	as_health_live(health, page, now);
	as_health_end(health, now);
	json_decref(page);
}

/* A live row: how long it is silent in ms (-1: never heard), and what else there is to say. */
static const char *row(const char *eui, int64_t silent_ms, const char *more)
{
	static char texts[4][400];
	static unsigned at_text;
	char *text = texts[at_text++ % 4];
	snprintf(text, sizeof texts[0],
		 "{\"eui\":\"%s\",\"known\":true,\"from\":\"192.0.2.1:4711\",\"silent_ms\":%lld%s%s}", eui,
		 (long long)silent_ms, more[0] ? "," : "", more);
	return text;
}

static void counters(struct as_health *health, const char *began, struct now now, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void counters(struct as_health *health, const char *began, struct now now, const char *format, ...)
{
	char said[1000], rows[1400];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(said, sizeof said, format, arguments);
	va_end(arguments);
	snprintf(rows, sizeof rows,
		 "{\"eui\":\"" A "\",\"known\":true,\"dropped\":0,\"moves\":0,\"health\":{%s}}", said);
	json_t *page = page_of(began, rows);
	as_health_counters(health, page, now);
	json_decref(page);
}

static const struct as_gateway_health *facts(struct as_health *health, const char *eui)
{
	struct lw_eui64 name = eui_of(eui);
	const struct as_gateway_health *found = as_health_find(health, &name);
	assert_non_null(found);
	return found;
}

static void expect(struct as_health *health, const char *eui, const char *state, const char *reason)
{
	t_str("state", state, as_gateway_state_name(facts(health, eui)->state));
	t_str("reason", reason, as_gateway_reason_name(facts(health, eui)->reason));
}

static void begin(struct as_health *health, const struct as_health_keeper *keeper)
{
	static struct rng rng;
	static const struct as_health_keeper none = {.ctx = NULL};
	rng = rng_seeded(1);
	as_health_init(health, keeper ? keeper : &none, &rng);
}

static void one_that_is_turned_away_is_told_apart_from_one_that_does_not_come(void **state)
{
	(void)state;
	struct as_health health;
	char words[AS_HEALTH_WORDS];
	begin(&health, NULL);
	t_row("never let in");
	live(&health, BEGAN, row(A, -1, "\"refused\":\"station_region\",\"refused_ms\":3000"), at(0));
	expect(&health, A, "never_seen", "turned_away");
	t_str("words", "it comes and is turned away: station_region",
	      as_health_words(words, facts(&health, A), at(0).wall));
	t_row("let in since");
	live(&health, BEGAN, row(A, 100, "\"refused\":\"station_region\",\"refused_ms\":8000"), at(5));
	expect(&health, A, "online", "heard");
	t_row("online, and somebody with its name is not let in");
	live(&health, BEGAN, row(A, 100, "\"refused\":\"token_wrong\",\"refused_ms\":10"), at(10));
	expect(&health, A, "online", "heard");
	t_row("gone, and not let in any more");
	live(&health, BEGAN,
	     row(A, 1100,
		 "\"connected\":false,\"closed\":\"lost\",\"changed_ms\":1100,"
		 "\"refused\":\"token_wrong\",\"refused_ms\":10"),
	     at(20));
	expect(&health, A, "offline", "turned_away");
	as_health_release(&health);
}

static void a_gateway_on_udp_is_judged_by_its_silence(void **state)
{
	(void)state;
	struct as_health health;
	char words[AS_HEALTH_WORDS];
	begin(&health, NULL);
	t_row("never heard");
	live(&health, BEGAN, row(A, -1, ""), at(0));
	expect(&health, A, "never_seen", "never");
	t_row("heard");
	live(&health, BEGAN, row(A, 100, "\"protocol\":\"semtech-udp-2\",\"connected\":null"), at(5));
	expect(&health, A, "online", "heard");
	t_str("protocol", "semtech-udp-2", gw_protocol_name(facts(&health, A)->protocol));
	for (int64_t s = 10; s <= 90; s += 5)
		live(&health, BEGAN, row(A, (s - 5) * 1000, ""), at(s));
	t_row("85 s of silence");
	expect(&health, A, "online", "heard");
	t_row("90 s of silence");
	live(&health, BEGAN, row(A, 90000, ""), at(95));
	expect(&health, A, "silent", "nothing_came");
	t_int("since it was heard", at(5).wall.us, facts(&health, A)->since.us);
	t_uint("an outage", 1, facts(&health, A)->outages_hour);
	t_str("in words", "nothing heard for 90 s; last from 192.0.2.1:4711",
	      as_health_words(words, facts(&health, A), at(95).wall));
	for (int64_t s = 100; s <= 605; s += 5)
		live(&health, BEGAN, row(A, (s - 5) * 1000, ""), at(s));
	t_row("10 minutes of silence");
	expect(&health, A, "offline", "nothing_came");
	t_int("since it was heard", at(5).wall.us, facts(&health, A)->since.us);
	t_row("heard again");
	live(&health, BEGAN, row(A, 0, ""), at(610));
	expect(&health, A, "online", "heard");
	t_int("since then", at(610).wall.us, facts(&health, A)->since.us);
	t_row("removed from the list");
	live(&health, BEGAN, row(B, 0, ""), at(615));
	struct lw_eui64 gone = eui_of(A);
	t_true("forgotten", as_health_find(&health, &gone) == NULL);
	as_health_release(&health);
}

static void rows_are_made_a_few_at_a_time(void **state)
{
	(void)state;
	struct as_health health;
	char rows[4000] = "";
	unsigned rounds = 0;
	begin(&health, NULL);
	for (unsigned i = 1; i <= 25; i++)
		snprintf(rows + strlen(rows), sizeof rows - strlen(rows),
			 "%s{\"eui\":\"aa000000000000%02x\",\"known\":true,\"silent_ms\":10}",
			 i > 1 ? "," : "", i);
	do {
		live(&health, BEGAN, rows, at(rounds++));
		t_true("ten at most", as_health_count(&health) <= 10 * (size_t)rounds);
	} while (as_health_waits(&health) && rounds < 9);
	t_uint("rounds", 3, rounds);
	t_uint("all of them", 25, as_health_count(&health));
	live(&health, BEGAN, rows, at(10));
	t_false("nobody waits", as_health_waits(&health));
	as_health_release(&health);
}

static void a_station_is_judged_by_its_connection(void **state)
{
	(void)state;
	static const struct {
		const char *name, *more, *state, *reason;
	} rows[] = {
		{"connected", "\"connected\":true,\"changed_ms\":60000", "online", "heard"},
		{"it said goodbye", "\"connected\":false,\"changed_ms\":3000,\"closed\":\"peer\"", "offline",
		 "peer_closed"},
		{"the line broke", "\"connected\":false,\"changed_ms\":3000,\"closed\":\"lost\"", "offline",
		 "link_lost"},
		{"the keep-alive ran out", "\"connected\":false,\"changed_ms\":3000,\"closed\":\"silent\"",
		 "offline", "keep_alive"},
		{"it flooded", "\"connected\":false,\"changed_ms\":3000,\"closed\":\"flood\"", "offline",
		 "misbehaved"},
		{"its certificate was revoked",
		 "\"connected\":false,\"changed_ms\":3000,\"closed\":\"refused\"", "offline", "refused"},
		{"flapping", "\"connected\":null,\"flapping\":true", "unstable", "flapping"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_health health;
		t_row(rows[i].name);
		begin(&health, NULL);
		live(&health, BEGAN, row(A, 100, "\"connected\":true,\"changed_ms\":60000"), at(0));
		live(&health, BEGAN, row(A, 3000, rows[i].more), at(5));
		expect(&health, A, rows[i].state, rows[i].reason);
		t_row("and back");
		live(&health, BEGAN, row(A, 10, "\"connected\":true,\"changed_ms\":100"), at(10));
		expect(&health, A, "online", "heard");
		as_health_release(&health);
	}
}

static void who_has_just_come_is_looked_for_every_second(void **state)
{
	(void)state;
	struct as_health health;
	char eui[20];
	begin(&health, NULL);
	t_row("no bridge yet");
	t_int("next look", 5 * US_PER_S, as_health_look_next(&health, at(0).mono));
	live(&health, BEGAN, row(A, -1, ""), at(0));
	t_row("half a minute from the start");
	t_int("next look", US_PER_S, as_health_look_next(&health, at(0).mono));
	for (int64_t s = 1; s < 31; s++)
		live(&health, BEGAN, row(A, -1, ""), at(s));
	t_int("next look", 5 * US_PER_S, as_health_look_next(&health, at(30).mono));
	t_row("another is registered");
	live(&health, BEGAN, row(A, -1, ""), at(35));
	json_t *page = page_of(BEGAN, row(B, -1, ""));
	as_health_live(&health, page, at(35));
	json_decref(page);
	t_int("next look", US_PER_S, as_health_look_next(&health, at(64).mono));
	t_int("later", 5 * US_PER_S, as_health_look_next(&health, at(65).mono));
	t_row("one that is silent after 2 s is looked for as often as ever");
	as_health_set_spans(&health, 2 * US_PER_S, 4 * US_PER_S);
	t_int("next look", 2 * US_PER_S / 3, as_health_look_next(&health, at(36).mono));
	as_health_set_spans(&health, GW_SILENT_US, AS_OFFLINE_US);
	t_row("too many to ask for all each second");
	for (unsigned i = 0; i < 500; i++) {
		snprintf(eui, sizeof eui, "aa0000000001%04x", i);
		page = page_of(BEGAN, row(eui, -1, ""));
		as_health_live(&health, page, at(36));
		json_decref(page);
	}
	t_int("next look", 5 * US_PER_S, as_health_look_next(&health, at(36).mono));
	as_health_release(&health);
}

static void a_bridge_that_was_away_puts_nobody_out(void **state)
{
	(void)state;
	struct as_health health;
	begin(&health, NULL);
	live(&health, BEGAN, row(A, 100, ""), at(0));
	t_row("no answer for 20 s");
	as_health_unheard(&health, at(21));
	expect(&health, A, "unknown", "no_bridge");
	t_false("fresh", as_health_is_fresh(&health, at(21).mono));
	t_row("another bridge after twenty minutes, which has not heard it yet");
	live(&health, "64a2", row(A, -1, ""), at(1200));
	expect(&health, A, "online", "heard");
	t_uint("no outage", 0, facts(&health, A)->outages_day);
	t_row("nor in its first 90 s");
	for (int64_t s = 1205; s < 1290; s += 5)
		live(&health, "64a2", row(A, -1, ""), at(s));
	expect(&health, A, "online", "heard");
	live(&health, "64a2", row(A, -1, ""), at(1291));
	expect(&health, A, "silent", "nothing_came");
	t_row("one that is out stays out over a restart of the bridge");
	live(&health, "64a3", row(A, -1, ""), at(1296));
	expect(&health, A, "offline", "nothing_came");
	t_uint("one outage", 1, facts(&health, A)->outages_day);
	live(&health, "64a3", row(A, 10, ""), at(1301));
	expect(&health, A, "online", "heard");
	as_health_release(&health);
}

static void what_makes_a_gateway_unstable(void **state)
{
	(void)state;
	static const struct {
		const char *name, *live, *said, *state, *reason;
	} rows[] = {
		{"two new connections in the hour", "\"connected\":true", "\"opened\":3", "online", "heard"},
		{"three", "\"connected\":true", "\"opened\":4", "unstable", "outages"},
		{"of its messages 80 of 100 were answered", "\"connected\":null",
		 "\"opened\":1,\"acks_permille\":800", "online", "heard"},
		{"79 of 100", "\"connected\":null", "\"opened\":1,\"acks_permille\":790", "unstable", "acks"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_health health;
		t_row(rows[i].name);
		begin(&health, NULL);
		live(&health, BEGAN, row(A, 100, rows[i].live), at(0));
		counters(&health, BEGAN, at(1), "\"opened\":1");
		counters(&health, BEGAN, at(61), "%s", rows[i].said);
		live(&health, BEGAN, row(A, 100, rows[i].live), at(65));
		expect(&health, A, rows[i].state, rows[i].reason);
		t_row("an hour later");
		counters(&health, BEGAN, at(3700), "\"opened\":1");
		counters(&health, BEGAN, at(7400), "\"opened\":1");
		live(&health, BEGAN, row(A, 100, rows[i].live), at(7405));
		expect(&health, A, "online", "heard");
		as_health_release(&health);
	}
}

static void one_that_comes_while_we_listen_is_counted_from_its_first_word(void **state)
{
	(void)state;
	struct as_health health;
	struct lw_eui64 eui;
	begin(&health, NULL);
	live(&health, BEGAN, "", at(0));
	t_row("it comes into the list");
	live(&health, BEGAN, row(A, -1, ""), at(5));
	t_false("nothing to look at", as_health_unlooked(&health, &eui));
	t_row("its first word");
	live(&health, BEGAN, row(A, 100, ""), at(10));
	t_true("a look of its own", as_health_unlooked(&health, &eui) && lw_eui64_number(&eui) > 0);
	t_false("one", as_health_unlooked(&health, &eui));
	counters(&health, BEGAN, at(11), "\"received\":3,\"sent\":2,\"bytes_up\":90");
	t_uint("received", 3, facts(&health, A)->hour.received);
	t_uint("sent", 2, facts(&health, A)->hour.sent);
	t_uint("seconds", 6, facts(&health, A)->hour.seconds);
	t_row("a minute later");
	counters(&health, BEGAN, at(60), "\"received\":5,\"sent\":2,\"bytes_up\":120");
	t_uint("received", 5, facts(&health, A)->hour.received);
	t_uint("bytes of the month", 120, facts(&health, A)->month_bytes);
	as_health_release(&health);
}

static void differences_outlast_every_restart(void **state)
{
	(void)state;
	struct as_health health;
	begin(&health, NULL);
	live(&health, BEGAN, row(A, 100, ""), at(0));
	t_row("the first look gives none");
	counters(&health, BEGAN, at(0),
		 "\"received\":1000,\"forwarded\":900,\"bytes_up\":5000,\"results\":{\"ok\":40}");
	t_uint("received", 0, facts(&health, A)->hour.received);
	t_row("a minute later");
	counters(&health, BEGAN, at(60),
		 "\"received\":1010,\"forwarded\":909,\"crc_errors\":1,\"bytes_up\":5600,\"results\":{\"ok\":"
		 "42,"
		 "\"too_late\":1,\"no_answer\":1}");
	const struct as_gateway_health *now = facts(&health, A);
	t_uint("received", 10, now->minute.received);
	t_uint("forwarded", 9, now->minute.forwarded);
	t_uint("crc errors", 1, now->minute.crc_errors);
	t_uint("seconds", 60, now->minute.seconds);
	t_uint("accepted", 2, now->minute.results[GW_TX_OK]);
	t_uint("refused", 1, as_gateway_refused(&now->minute));
	t_uint("bytes of the month", 600, now->month_bytes);
	t_row("the bridge was restarted: what came since is the difference");
	counters(&health, "64a2", at(120), "\"received\":4,\"forwarded\":4,\"bytes_up\":200,\"opened\":1");
	t_uint("received", 4, now->minute.received);
	t_uint("its new connection is the bridge's doing", 0, now->minute.reconnects);
	t_uint("the hour", 14, now->hour.received);
	t_row("the gateway came into the list anew");
	counters(&health, "64a2", at(180), "\"received\":1,\"bytes_up\":50,\"opened\":1");
	t_uint("received", 1, now->minute.received);
	t_uint("the hour", 15, now->hour.received);
	t_uint("bytes of the month", 850, now->month_bytes);
	t_row("an hour later the window has moved on");
	counters(&health, "64a2", at(4500), "\"received\":3,\"bytes_up\":150,\"opened\":1");
	t_uint("the hour", 2, now->hour.received);
	as_health_release(&health);
}

static void the_network_server_says_what_it_plans_with(void **state)
{
	(void)state;
	struct as_health health;
	begin(&health, NULL);
	live(&health, BEGAN, row(A, 100, ""), at(0));
	counters(&health, BEGAN, at(0), "\"received\":0");
	static const char *const rows[] = {
		"{\"eui\":\"" A "\",\"airtime_ms\":700,\"airtime_total_ms\":1000,\"sub_bands\":[{\"min_hz\":"
		"869400000,\"max_hz\":869650000,\"used_ms\":300000,\"limit_ms\":360000}],\"plan\":\"eu868\","
		"\"off_plan\":{\"raised\":true,\"frequencies\":[{\"hz\":867100000,\"inside\":true},{\"hz\":"
		"864100000,\"inside\":false}]}}",
		"{\"eui\":\"" A
		"\",\"airtime_ms\":900,\"airtime_total_ms\":1300,\"sub_bands\":[],\"plan\":\"\"}",
		"{\"eui\":\"" A
		"\",\"airtime_ms\":50,\"airtime_total_ms\":50,\"sub_bands\":[],\"plan\":\"\"}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *page = page_of("", rows[i]);
		as_health_network(&health, page, at(1));
		as_health_network(&health, page, at(2)); /* told again: nothing doubles */
		json_decref(page);
		if (i > 0)
			continue;
		const struct as_gateway_health *now = facts(&health, A);
		t_uint("sub-bands", 1, now->duty_count);
		t_uint("used", 300000, now->duty[0].used_ms);
		t_true("off plan", now->off_plan);
		t_uint("frequencies outside it", 1, now->off_plan_count);
		t_uint("which", 864100000, now->off_plan_hz[0]);
	}
	t_row("airtime grows through a restart of the network server");
	counters(&health, BEGAN, at(60), "\"received\":0");
	t_uint("ms", 350, facts(&health, A)->minute.airtime_ms);
	as_health_release(&health);
}

/* --- kept */

struct points {
	size_t count;
	struct as_health_point points[100];
};

static void collect(void *ctx, const struct as_health_point *point)
{
	struct points *points = ctx;
	if (points->count < ARRAY_SIZE(points->points))
		points->points[points->count] = *point;
	points->count++;
}

static struct points series(struct as_store *store, enum as_health_level level, int64_t from, int64_t to)
{
	struct lw_eui64 eui = eui_of(A);
	struct points points = {0};
	enum status status = as_store_series(store, &eui, level, at(from).wall, at(to).wall, 100, collect,
					     &points);
	assert_int_equal(ST_OK, status);
	return points;
}

static void walk(struct as_store *store, struct now now)
{
	const struct as_health_kept kept = {
		{2 * 86400 * US_PER_S, 90 * 86400 * US_PER_S, 1095 * 86400 * US_PER_S}};
	bool more = true;
	while (more)
		assert_int_equal(ST_OK, as_store_health_step(store, now.wall, &kept, &more));
	assert_int_equal(ST_OK, as_store_commit(store));
}

static uint64_t received(const struct points *points)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < points->count && i < ARRAY_SIZE(points->points); i++)
		sum += points->points[i].counts.received;
	return sum;
}

static void bytes_are_counted_by_the_month(void **state)
{
	(void)state;
	struct as_health health;
	begin(&health, NULL);
	live(&health, BEGAN, row(A, 100, ""), at(0));
	counters(&health, BEGAN, at(0), "\"bytes_up\":100,\"bytes_down\":50");
	counters(&health, BEGAN, at(60), "\"bytes_up\":500,\"bytes_down\":150");
	t_uint("both ways", 500, facts(&health, A)->month_bytes);
	counters(&health, BEGAN, at(120), "\"bytes_up\":600,\"bytes_down\":150");
	t_uint("summed", 600, facts(&health, A)->month_bytes);
	t_row("17 days later it is February");
	counters(&health, BEGAN, at(17 * 86400), "\"bytes_up\":630,\"bytes_down\":160");
	t_uint("begun anew", 40, facts(&health, A)->month_bytes);
	as_health_release(&health);
}

static void two_looks_in_a_minute_are_added_up(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct as_health_minute minute = {
		.eui = eui_of(A),
		.at = at(59).wall,
		.counts = {1,
			   2,
			   3,
			   4,
			   5,
			   6,
			   {[GW_TX_OK] = 7, [GW_TX_TOO_LATE] = 8, [GW_TX_DUTY_CYCLE] = 9},
			   10,
			   11,
			   12,
			   13,
			   14},
		.offline_s = 1};
	for (int i = 0; i < 2; i++)
		assert_int_equal(ST_OK, as_store_minute_put(city->store, &minute));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	struct points points = series(city->store, AS_HEALTH_MINUTES, 0, 60);
	const struct as_gateway_counts *sum = &points.points[0].counts;
	const uint64_t found[] = {sum->seconds,
				  sum->received,
				  sum->crc_errors,
				  sum->forwarded,
				  sum->dropped,
				  sum->sent,
				  sum->results[GW_TX_OK],
				  sum->results[GW_TX_TOO_LATE],
				  sum->results[GW_TX_DUTY_CYCLE],
				  sum->moves,
				  sum->reconnects,
				  sum->bytes_up,
				  sum->bytes_down,
				  sum->airtime_ms};
	t_uint("one point", 1, points.count);
	for (size_t i = 0; i < ARRAY_SIZE(found); i++)
		t_uint("each twice", 2 * (i + 1), found[i]);
	t_uint("out", 2, points.points[0].offline_s);
	t_city_free(city);
}

static void minutes_become_hours_and_days(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct as_store *store = city->store;
	const int64_t day = 86400, midnight = 16 * 3600; /* of the next day */
	/* Three days, a look every ten minutes, ten frames each, and once 43 degrees. */
	for (int64_t s = 0; s < 3 * day; s += 600) {
		struct as_health_minute minute = {.eui = eui_of(A),
						  .at = at(s + 60).wall,
						  .counts = {.seconds = 60, .received = 10, .bytes_up = 100},
						  .has_temperature = true,
						  .temperature_cdeg = s == day ? 4300 : 2000};
		assert_int_equal(ST_OK, as_store_minute_put(store, &minute));
		if (s % 3600 == 0)
			walk(store, at(s));
	}
	assert_int_equal(ST_OK, as_store_commit(store));
	t_row("minutes of the last hour");
	struct points points = series(store, AS_HEALTH_MINUTES, 3 * day - 3600, 3 * day);
	t_uint("points", 6, points.count);
	t_uint("received", 60, received(&points));
	t_row("minutes of three days ago have gone");
	points = series(store, AS_HEALTH_MINUTES, 0, 3600);
	t_uint("points", 0, points.count);
	t_row("hours, the one in hand included");
	points = series(store, AS_HEALTH_HOURS, 3 * day - 7200, 3 * day);
	t_uint("points", 2, points.count);
	t_uint("received", 120, received(&points));
	t_row("days: the one in hand and two whole ones");
	points = series(store, AS_HEALTH_DAYS, midnight, 3 * day);
	t_uint("points", 3, points.count);
	t_uint("a whole one", 1440, points.points[1].counts.received);
	t_uint("all", (uint64_t)(3 * day - midnight) / 600 * 10, received(&points));
	t_int("the hottest of the first", 4300, points.points[0].temperature_cdeg);
	t_row("another walk changes nothing");
	walk(store, at(3 * day + 3600));
	points = series(store, AS_HEALTH_DAYS, midnight, 3 * day);
	t_uint("all", (uint64_t)(3 * day - midnight) / 600 * 10, received(&points));
	t_row("after four years nothing is left");
	walk(store, at(4 * 365 * day));
	points = series(store, AS_HEALTH_DAYS, 0, 3 * day);
	t_uint("points", 0, points.count);
	t_city_free(city);
}

static void count_outage(void *ctx, const struct as_health_outage *outage)
{
	unsigned *count = ctx;
	(void)outage;
	(*count)++;
}

static void what_is_known_outlasts_a_restart(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct as_health health;
	struct lw_eui64 eui = eui_of(A);
	unsigned count = 0;
	const struct as_health_keeper keeper = as_store_keeper(city->store);
	begin(&health, &keeper);
	live(&health, BEGAN, row(A, 100, "\"protocol\":\"basics-station\",\"connected\":true"), at(0));
	counters(&health, BEGAN, at(0), "\"bytes_up\":0");
	counters(&health, BEGAN, at(60), "\"bytes_up\":700");
	live(&health, BEGAN,
	     row(A, 4000,
		 "\"protocol\":\"basics-station\",\"connected\":false,\"changed_ms\":4000,\"closed\":"
		 "\"lost\""),
	     at(64));
	expect(&health, A, "offline", "link_lost");
	assert_int_equal(ST_OK, as_store_commit(city->store));
	as_health_release(&health);
	t_row("both processes are started anew: it was heard, and is out");
	begin(&health, &keeper);
	live(&health, "64a2", row(A, -1, "\"protocol\":null,\"connected\":null"), at(300));
	expect(&health, A, "offline", "link_lost");
	t_int("since", at(60).wall.us, facts(&health, A)->since.us);
	t_str("protocol", "basics-station", gw_protocol_name(facts(&health, A)->protocol));
	t_uint("bytes of the month", 700, facts(&health, A)->month_bytes);
	t_uint("outages of the day", 1, facts(&health, A)->outages_day);
	t_row("it comes back");
	live(&health, "64a2", row(A, 10, "\"connected\":true"), at(305));
	expect(&health, A, "online", "heard");
	assert_int_equal(ST_OK, as_store_commit(city->store));
	struct as_health_mark mark;
	as_store_health_load(city->store, &eui, at(310).wall, &mark);
	t_false("out", mark.out);
	t_int("ended", at(305).wall.us, mark.outage.ended.us);
	t_row("a thousand outages are kept, the newest");
	for (int64_t i = 0; i < AS_OUTAGES_KEPT + 50; i++) {
		const struct as_health_outage outage = {eui, at(1000 + 10 * i).wall, at(1005 + 10 * i).wall,
							AS_BECAUSE_LINK_LOST};
		assert_int_equal(ST_OK, as_store_outage_put(city->store, &outage));
	}
	walk(city->store, at(20000));
	enum status status = as_store_outages(city->store, &eui, at(0).wall, 2000, count_outage, &count);
	assert_int_equal(ST_OK, status);
	t_uint("count", AS_OUTAGES_KEPT, count);
	t_row("for 90 days");
	count = 0;
	walk(city->store, at(100 * 86400));
	status = as_store_outages(city->store, &eui, at(0).wall, 2000, count_outage, &count);
	assert_int_equal(ST_OK, status);
	t_uint("count", 0, count);
	as_health_release(&health);
	t_city_free(city);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(one_that_comes_while_we_listen_is_counted_from_its_first_word),
		t_test(a_gateway_on_udp_is_judged_by_its_silence),
		t_test(rows_are_made_a_few_at_a_time),
		t_test(one_that_is_turned_away_is_told_apart_from_one_that_does_not_come),
		t_test(a_station_is_judged_by_its_connection),
		t_test(who_has_just_come_is_looked_for_every_second),
		t_test(a_bridge_that_was_away_puts_nobody_out),
		t_test(what_makes_a_gateway_unstable),
		t_test(differences_outlast_every_restart),
		t_test(the_network_server_says_what_it_plans_with),
		t_test(bytes_are_counted_by_the_month),
		t_test(two_looks_in_a_minute_are_added_up),
		t_test(minutes_become_hours_and_days),
		t_test(what_is_known_outlasts_a_restart),
	};
	return t_run(tests);
}
