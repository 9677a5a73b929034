/* Join-requests with a DevNonce that was used, counted by device for the alarm `join_replayed`. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/joins/joins.h"

#include <stdio.h>
#include <string.h>

#define DEVICE UINT64_C(0x0102030405060708) /* of t_city_furnish() */
#define EUI    "0102030405060708"
#define HOUR   (3600 * US_PER_S)

static struct t_city *city;
static struct as_alarms alarms;
static struct rng rng;
static uint64_t attempts;

static void begins(void)
{
	city = t_city_new();
	t_city_furnish(city);
	rng = rng_seeded(3);
	attempts = 0;
	as_alarms_init(&alarms, &rng, 0);
}

static void ends(void)
{
	as_alarms_release(&alarms);
	t_city_free(city);
}

static void name_of(void *ctx, const struct lw_eui64 *dev_eui, char name[AS_ALARM_NAME])
{
	(void)ctx;
	if (lw_eui64_number(dev_eui) == DEVICE)
		snprintf(name, AS_ALARM_NAME, "Soil 1");
}

static void report(enum net_join_verdict verdict, uint64_t dev_eui, uint64_t attempt)
{
	struct net_join_report report = {.attempt = attempt,
					 .verdict = verdict,
					 .time = city->now.wall,
					 .dev_eui = lw_eui64_from_number(dev_eui),
					 .dev_nonce = 17,
					 .times = 1};
	report.has_device = dev_eui == DEVICE;
	report.device = report.dev_eui;
	t_int("taken", ST_OK, as_joins_on_report(&city->joins, city->now, &report));
	t_int("committed", ST_OK, as_store_commit(city->store));
}

static void passes(span_us span)
{
	city->now.wall.us += span;
	city->now.mono = mono_add(city->now.mono, span);
}

/* The alarm's value if it is raised, else 0. */
static int64_t looks(void)
{
	as_replays_observe(&city->joins.replays, &alarms, city->now, name_of, NULL);
	as_alarms_step(&alarms, city->now);
	const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_JOIN_REPLAYED, EUI);
	return alarm && alarm->state == AS_RAISED ? alarm->value : 0;
}

static void what_counts(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum net_join_verdict verdict;
		uint64_t dev_eui;
		int64_t value;
	} rows[] = {
		{"a used one", NET_JOIN_DEV_NONCE_USED, DEVICE, 1},
		{"one that is too low", NET_JOIN_DEV_NONCE_NOT_INCREASING, DEVICE, 1},
		{"a late copy", NET_JOIN_DEV_NONCE_REPEATED, DEVICE, 0},
		{"a wrong key", NET_JOIN_WRONG_KEY, DEVICE, 0},
		{"a join", NET_JOIN_ACCEPTED, DEVICE, 0},
		{"a stranger's", NET_JOIN_DEV_NONCE_USED, DEVICE + 1, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		begins();
		report(rows[i].verdict, rows[i].dev_eui, ++attempts);
		t_int("raised with", rows[i].value, looks());
		t_uint("nobody else's", rows[i].value ? 1 : 0, city->joins.replays.table.count);
		ends();
	}
}

static void it_counts_and_clears_by_itself(void **state)
{
	(void)state;
	begins();
	for (int i = 1; i <= 10; i++) {
		report(NET_JOIN_DEV_NONCE_USED, DEVICE, ++attempts);
		report(NET_JOIN_DEV_NONCE_USED, DEVICE, attempts);
		t_int("each attempt counts once", i, looks());
		const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_JOIN_REPLAYED, EUI);
		t_str("severity", i < 10 ? "notice" : "warning", as_severity_name(alarm->severity));
		passes(HOUR / 2);
	}
	const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_JOIN_REPLAYED, EUI);
	char sentence[AS_ALARM_SENTENCE];
	as_alarm_sentence(sentence, alarm);
	t_true("names the device, the count and the last one", strstr(sentence, "Soil 1") &&
								       strstr(sentence, "10 join-requests") &&
								       strstr(sentence, "DevNonce 17"));
	t_true("is its agency's", alarm->has_agency);
	passes(HOUR / 2 - 1);
	t_int("not yet an hour", 10, looks());
	passes(1);
	t_int("an hour of silence clears it", 0, looks());
	t_uint("and forgets", 0, city->joins.replays.table.count);
	report(NET_JOIN_DEV_NONCE_USED, DEVICE, ++attempts);
	t_int("the next begins anew", 1, looks());
	ends();
}

static void a_restart_goes_on_from_the_alarm(void **state)
{
	(void)state;
	begins();
	struct as_alarm kept = {.key.kind = AS_ALARM_JOIN_REPLAYED, .state = AS_RAISED, .id = 4, .value = 7};
	snprintf(kept.key.subject, sizeof kept.key.subject, EUI);
	kept.change = 1;
	t_true("restored", as_alarms_restore(&alarms, &kept, city->now));
	as_replays_restore(&city->joins.replays, city->now, &kept);
	t_int("stands", 7, looks());
	report(NET_JOIN_DEV_NONCE_NOT_INCREASING, DEVICE, ++attempts);
	t_int("goes on", 8, looks());
	passes(HOUR);
	t_int("clears as ever", 0, looks());
	kept.key.kind = AS_ALARM_SILENT;
	as_replays_restore(&city->joins.replays, city->now, &kept);
	kept.key.kind = AS_ALARM_JOIN_REPLAYED;
	kept.state = AS_CLEARED;
	as_replays_restore(&city->joins.replays, city->now, &kept);
	t_uint("others are none of it", 0, city->joins.replays.table.count);
	ends();
}

static void devices_are_bounded(void **state)
{
	(void)state;
	begins();
	struct as_attempt attempt = {.has_owner = true,
				     .report = {.verdict = NET_JOIN_DEV_NONCE_USED, .has_device = true}};
	for (uint64_t i = 1; i <= AS_REPLAYS_MAX + 1; i++) {
		attempt.report.attempt = i;
		attempt.report.device = lw_eui64_from_number(i);
		passes(1);
		as_replays_on_attempt(&city->joins.replays, city->now, &attempt);
	}
	const struct lw_eui64 first = lw_eui64_from_number(1), second = lw_eui64_from_number(2);
	t_uint("as many as there is room for", AS_REPLAYS_MAX, city->joins.replays.table.count);
	t_true("the one heard longest ago made room", !table_get(&city->joins.replays.table, &first));
	t_true("and no other", table_get(&city->joins.replays.table, &second));
	ends();
}

static unsigned asked_for_names;

static void name_of_many(void *ctx, const struct lw_eui64 *dev_eui, char name[AS_ALARM_NAME])
{
	(void)ctx;
	asked_for_names++;
	snprintf(name, AS_ALARM_NAME, "Light %u", (unsigned)lw_eui64_number(dev_eui));
}

/* A power cut, and all lights have lost their counters: no round asks the store for a thousand names. */
static void names_are_asked_for_a_few_at_a_time(void **state)
{
	(void)state;
	begins();
	struct as_attempt attempt = {.has_owner = true,
				     .report = {.verdict = NET_JOIN_DEV_NONCE_USED, .has_device = true}};
	for (uint64_t i = 1; i <= AS_REPLAYS_MAX; i++) {
		attempt.report.attempt = i;
		attempt.report.device = lw_eui64_from_number(i);
		as_replays_on_attempt(&city->joins.replays, city->now, &attempt);
	}
	for (unsigned round = 1; round <= AS_REPLAYS_MAX / AS_REPLAY_NAMES + 1; round++) {
		asked_for_names = 0;
		as_replays_observe(&city->joins.replays, &alarms, city->now, name_of_many, NULL);
		bool last = round > AS_REPLAYS_MAX / AS_REPLAY_NAMES;
		if (!t_uint("names in a round", last ? 0 : AS_REPLAY_NAMES, asked_for_names))
			break;
	}
	as_alarms_step(&alarms, city->now);
	char subject[LW_EUI64_TEXT];
	const struct lw_eui64 of = lw_eui64_from_number(700);
	lw_eui64_format(subject, &of);
	const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_JOIN_REPLAYED, subject);
	t_str("in the end all have theirs", "Light 700", alarm ? alarm->name : "");
	asked_for_names = 0;
	attempt.report.attempt++;
	as_replays_on_attempt(&city->joins.replays, city->now, &attempt);
	as_replays_observe(&city->joins.replays, &alarms, city->now, name_of_many, NULL);
	t_uint("one that asks again may have another", 1, asked_for_names);
	passes(HOUR);
	as_replays_observe(&city->joins.replays, &alarms, city->now, name_of_many, NULL);
	t_uint("all are forgotten at once", 0, city->joins.replays.table.count);
	ends();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_counts),
		t_test(it_counts_and_clears_by_itself),
		t_test(a_restart_goes_on_from_the_alarm),
		t_test(devices_are_bounded),
		t_test(names_are_asked_for_a_few_at_a_time),
	};
	return t_run(tests);
}
