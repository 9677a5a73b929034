/* The API of alarms: who sees what, filters, taking on; and what gateways' health makes of alarms. */
#include "application-server/alarms/gateway_facts.h"
#include "application-server/store_alarms.h"
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

static struct t_city *city;
static struct as_alarms alarms;
static struct as_notify notify;
static struct as_groups groups;

static void open_city(void)
{
	city = t_city_new();
	t_city_furnish(city);
	as_alarms_init(&alarms, &city->rng, 0);
	as_groups_init(&groups, 100);
	notify = (struct as_notify){.count = 1};
	snprintf(notify.channels[0].rules.name, AS_CHANNEL_NAME, "ops");
	snprintf(notify.channels[0].rules.target, AS_CHANNEL_TARGET,
		 "https://who:secret@chat.example/hook/secret");
	city->api.alarms = &alarms;
	city->api.notify = &notify;
}

static void close_city(void)
{
	as_groups_release(&groups);
	as_alarms_release(&alarms);
	t_city_free(city);
}

static void pass(span_us span)
{
	city->now.mono.us += span;
	city->now.wall.us += span;
}

static void keep(void)
{
	struct as_alarm *alarm;
	for (size_t at = 0; (alarm = as_alarms_next(&alarms, &at));)
		if (alarm->dirty && alarm->id) {
			alarm->dirty = false;
			assert_int_equal(ST_OK, as_store_alarm_put(city->store, alarm, &notify, city->now));
		}
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

static void raise_alarm(enum as_alarm_kind_id kind, const char *subject, const struct net_uuid *agency)
{
	for (int i = 0; i < 2; i++) {
		as_alarms_observe(&alarms,
				  &(struct as_observation){.kind = kind,
							   .subject = subject,
							   .value = as_alarm_kinds[kind].raise,
							   .agency = agency},
				  city->now);
		as_alarms_step(&alarms, city->now);
		pass(as_alarm_kinds[kind].hold_raise);
	}
	keep();
}

static size_t seen(const struct as_scope *scope, const char *target)
{
	int status = t_city_call(city, scope, "GET", target, NULL);
	t_int(target, 200, status);
	return json_array_size(json_object_get(t_city_answer(city), "items"));
}

static void who_sees_what(void **state)
{
	(void)state;
	open_city();
	struct as_scope parks = t_city_scope(city, AS_MANAGER, "parks");
	raise_alarm(AS_ALARM_SILENT, "0000000000000001", &parks.agency);
	raise_alarm(AS_ALARM_SILENT, "0000000000000002", NULL);
	raise_alarm(AS_ALARM_JOURNAL_FILLING, "network-server", NULL);
	static const struct {
		const char *name, *target;
		size_t city, parks;
	} rows[] = {
		{"all that is open", "/api/v1/alarms", 3, 1},
		{"one kind", "/api/v1/alarms?kind=silent", 2, 1},
		{"one subject", "/api/v1/alarms?subject=0000000000000002", 1, 0},
		{"what has cleared", "/api/v1/alarms?state=cleared", 0, 0},
		{"all of an hour", "/api/v1/alarms?state=all&since=3600", 3, 1},
		{"one of them", "/api/v1/alarms?limit=1", 1, 1},
		{"behind the newest", "/api/v1/alarms?after=3", 2, 1},
		{"kinds are for everybody", "/api/v1/alarms/kinds", AS_ALARM_KINDS, AS_ALARM_KINDS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("the city", rows[i].city, seen(&t_city_admin, rows[i].target));
		t_int("the agency", rows[i].parks, seen(&parks, rows[i].target));
	}
	static const struct {
		const char *name, *method, *target, *body;
		int city, parks;
	} calls[] = {
		{"its own alarm", "GET", "/api/v1/alarms/1", NULL, 200, 200},
		{"the city's alarm is not there for an agency", "GET", "/api/v1/alarms/2", NULL, 200, 404},
		{"no such alarm", "GET", "/api/v1/alarms/99", NULL, 404, 404},
		{"no number", "GET", "/api/v1/alarms/x", NULL, 404, 404},
		{"taking on is the city's", "POST", "/api/v1/alarms/1/ack", "{\"note\":\"on it\"}", 200, 403},
		{"giving back as well", "DELETE", "/api/v1/alarms/1/ack", NULL, 200, 403},
		{"for no time", "POST", "/api/v1/alarms/1/ack", "{\"for_s\":0}", 422, 422},
		{"channels are the city's", "GET", "/api/v1/alarms/channels", NULL, 200, 403},
		{"a test as well", "POST", "/api/v1/alarms/channels/ops/test", NULL, 202, 403},
		{"a channel that is not there", "POST", "/api/v1/alarms/channels/x/test", NULL, 404, 403},
		{"a state that is none", "GET", "/api/v1/alarms?state=open", NULL, 422, 422},
		{"a kind that is none", "GET", "/api/v1/alarms?kind=x", NULL, 422, 422},
	};
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		t_row(calls[i].name);
		t_int("the agency", calls[i].parks,
		      t_city_call(city, &parks, calls[i].method, calls[i].target, calls[i].body));
		t_int("the city", calls[i].city,
		      t_city_call(city, &t_city_admin, calls[i].method, calls[i].target, calls[i].body));
	}
	t_row("what is over cannot be taken on");
	as_alarms_find(&alarms, AS_ALARM_SILENT, "0000000000000002")->state = AS_CLEARED;
	t_int("status", 409, t_city_call(city, &t_city_admin, "POST", "/api/v1/alarms/2/ack", NULL));
	t_row("an address of a webhook is not shown");
	t_city_call(city, &t_city_admin, "GET", "/api/v1/alarms/channels", NULL);
	char *text = json_dumps(t_city_answer(city), 0);
	t_true("host alone", strstr(text, "chat.example") && !strstr(text, "secret"));
	free(text);
	close_city();
}

/* --- from health to alarms ----------------------------------------------------------------------------------- */

static struct as_gateway_health sound(void)
{
	struct as_gateway_health health = {
		.registered = true, .state = AS_GATEWAY_ONLINE, .heard = true, .last_heard = city->now.wall};
	return health;
}

static void silent_for(struct as_gateway_health *health, int seconds)
{
	health->state = seconds >= 600 ? AS_GATEWAY_OFFLINE : AS_GATEWAY_SILENT;
	health->reason = AS_BECAUSE_NOTHING_CAME;
	health->last_heard.us = city->now.wall.us - seconds * US_PER_S;
	health->since = health->last_heard;
}

static void make_silent(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	silent_for(health, 200);
}

static void make_offline(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	silent_for(health, 700);
}

static void make_unstable(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->outages_day = 7;
}

static void make_flapping(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->flapping = true;
}

static void make_slow(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->has_drift = true;
	health->drift_tenths_ppm = -350;
}

static void make_hot(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->has_temperature = true;
	health->temperature_cdeg = 8600;
}

static void use_up_duty_cycle(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->duty_count = 2;
	health->duty[0] = (struct as_gateway_duty){868000000, 868600000, 1000, 36000};
	health->duty[1] = (struct as_gateway_duty){869400000, 869650000, 350000, 360000};
}

static void break_frames(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->hour.received = 1000;
	health->hour.crc_errors = 700;
}

static void break_few_frames(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->hour.received = 100;
	health->hour.crc_errors = 99;
}

static void refuse_downlinks(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->hour.sent = 10;
	health->hour.results[GW_TX_OK] = 7;
	health->hour.results[GW_TX_TOO_LATE] = 3;
}

static void hear_off_plan(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->off_plan = true;
	health->off_plan_count = 1;
	health->off_plan_hz[0] = 867100000;
}

static void be_turned_away_for_its_region(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	snprintf(health->turned_away, sizeof health->turned_away, "station_region");
}

static void have_a_twin(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->duplicate_suspected = true;
}

static void be_open(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)health;
	record->udp_open = true;
}

static void let_certificate_end_soon(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)record;
	health->certificate_until.us = city->now.wall.us + 5 * 86400 * US_PER_S;
}

static void let_certificate_end(struct as_gateway_health *health, struct as_gateway_record *record)
{
	silent_for(health, 100);
	record->certificate_until.us = city->now.wall.us - US_PER_S;
}

static void let_permission_end(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)health;
	record->permission_until.us = city->now.wall.us + 10 * 86400 * US_PER_S;
}

static void use_up_data(struct as_gateway_health *health, struct as_gateway_record *record)
{
	record->data_plan_mb = 100;
	health->month_bytes = 90000000;
}

static void leave_well(struct as_gateway_health *health, struct as_gateway_record *record)
{
	(void)health;
	(void)record;
}

static void what_health_makes_of_it(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*make)(struct as_gateway_health *health, struct as_gateway_record *record);
		const char *raised, *says;
	} rows[] = {
		{"all is well", leave_well, "", ""},
		{"nothing for 200 s", make_silent, "silent ", "not been heard for 3 min"},
		{"nothing for 700 s", make_offline, "silent offline ", "not heard for"},
		{"seven outages in a day", make_unstable, "unstable ", "7 outages in 24 h"},
		{"its address flaps", make_flapping, "address_moves ", "6 moves in an hour"},
		{"its clock is slow", make_slow, "clock_drift ", "35 ppm; 30 ppm is too much. It is slow."},
		{"it is hot", make_hot, "temperature ", "86 °C"},
		{"one sub-band is used up", use_up_duty_cycle, "duty_cycle ", "97 % of its duty cycle"},
		{"many frames are broken", break_frames, "crc_errors ", "700 of 1000 frames"},
		{"few frames say nothing", break_few_frames, "", ""},
		{"downlinks are refused", refuse_downlinks, "downlinks_rejected ", "3 of 10, 3 of them"},
		{"it hears another plan", hear_off_plan, "plan_mismatch ", "867.1 MHz"},
		{"it is a station, and its region is none of stations", be_turned_away_for_its_region,
		 "plan_mismatch ", "(station_region)"},
		{"two have its EUI", have_a_twin, "duplicate_eui ", "Two gateways"},
		{"anybody may be it", be_open, "udp_open ", "1 gateway may come by UDP"},
		{"its certificate ends in five days", let_certificate_end_soon, "certificate_expiring ",
		 "ends in 5 days"},
		{"its certificate has ended while it is away", let_certificate_end,
		 "silent certificate_expiring certificate_expired ", "has ended"},
		{"its site is ours for ten days", let_permission_end, "permission_ending ",
		 "ends in 10 days"},
		{"its data are used up", use_up_data, "data_plan ",
		 "90 % of this month's data. 90.0 of 100 MB."},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char raised[200] = "", text[AS_ALARM_SENTENCE], all[2048] = "";
		t_row(rows[i].name);
		open_city();
		struct as_gateway_record record = {.eui = lw_eui64_from_number(1), .name = "Roof"};
		for (int turn = 0; turn < 3; turn++) {
			struct as_gateway_health health = sound();
			struct as_gateway_round round;
			rows[i].make(&health, &record);
			as_gateway_round_begin(&round, &alarms, &groups, true);
			as_gateway_observe(&round, &record, &health, city->now);
			as_gateway_round_end(&round, city->now);
			as_alarms_step(&alarms, city->now);
			pass(1800 * US_PER_S);
			if (record.certificate_until.us || record.permission_until.us)
				record.certificate_until = record.permission_until = (struct wall){0};
		}
		/* In the order of the kinds. */
		for (int kind = 0; kind < AS_ALARM_KINDS; kind++) {
			struct as_alarm *alarm = as_alarms_find(
				&alarms, (enum as_alarm_kind_id)kind,
				kind == AS_ALARM_UDP_OPEN ? "" : "0000000000000001");
			if (!alarm || alarm->state != AS_RAISED)
				continue;
			snprintf(raised + strlen(raised), sizeof raised - strlen(raised), "%s ",
				 as_alarm_kinds[kind].name);
			snprintf(all + strlen(all), sizeof all - strlen(all), "%s ",
				 as_alarm_sentence(text, alarm));
		}
		t_str("raised", rows[i].raised, raised);
		if (!t_true("says", strstr(all, rows[i].says) != NULL))
			fprintf(stderr, "%s\n", all);
		close_city();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(who_sees_what), t_test(what_health_makes_of_it)};
	return t_run(tests);
}
