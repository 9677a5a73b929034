/* Who is told what, and when, on a virtual clock: flapping, quiet times, channels that fail, restarts, the store, and what the
 * messages say. */
#include "application-server/alarms/alarm_json.h"
#include "application-server/alarms/mail_text.h"
#include "application-server/alarms/rules.h"
#include "application-server/config.h"
#include "application-server/store_alarms.h"
#include "application-server/time_text.h"
#include "common/crypto/secret.h"
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE (60 * US_PER_S)
#define HOUR   (60 * MINUTE)

static struct as_alarms alarms;
static struct as_notify notify;
static struct rng rng;
static struct now now;
static struct as_message message;

static void open_world(const char *time)
{
	rng = rng_seeded(7);
	now = (struct now){.mono = {1000 * US_PER_S}};
	assert_true(as_time_parse(time, &now.wall));
	as_alarms_init(&alarms, &rng, 0);
	notify = (struct as_notify){.count = 2, .delay_limit = AS_NEVER};
	snprintf(notify.channels[0].rules.name, AS_CHANNEL_NAME, "duty");
	snprintf(notify.channels[1].rules.name, AS_CHANNEL_NAME, "bus");
	notify.channels[0].rules.breaks_quiet = true;
}

static void pass(span_us span)
{
	now.mono.us += span;
	now.wall.us += span;
}

static void see(enum as_alarm_kind_id kind, const char *subject, int64_t value)
{
	as_alarms_observe(&alarms, &(struct as_observation){.kind = kind, .subject = subject, .value = value},
			  now);
	as_alarms_step(&alarms, now);
}

/* Raised or cleared at once, and what there was before. */
static void be(enum as_alarm_kind_id kind, const char *subject, bool bad)
{
	const struct as_alarm_kind *row = &as_alarm_kinds[kind];
	see(kind, subject, bad ? row->raise : row->clear);
	pass(bad ? row->hold_raise : row->hold_clear);
	see(kind, subject, bad ? row->raise : row->clear);
}

/* Tells the channel at a place what is due; the number of items, −1: nothing leaves. */
static int tell(size_t place)
{
	if (!as_notify_due(&notify, place, &alarms, now, &message))
		return -1;
	as_notify_begin(&notify, place);
	as_notify_taken(&notify, place, &alarms, &message, now);
	return (int)message.count;
}

static const char *news(size_t i)
{
	return i < message.count ? as_news_kind_name(message.items[i].kind) : "none";
}

/* --- coming and going ---------------------------------------------------------------------------------------- */

static void flapping_does_not_ring(void **state)
{
	(void)state;
	unsigned messages = 0;
	open_world("2026-07-01T00:00:00Z");
	t_row("an alarm that comes and goes each five minutes for a day");
	for (int i = 0; i < 288; i++) {
		see(AS_ALARM_JOURNAL_FILLING, "network-server", 90);
		for (int second = 0; second < 150; second += 10) {
			pass(10 * US_PER_S);
			messages += tell(0) > 0;
		}
		see(AS_ALARM_JOURNAL_FILLING, "network-server", 10);
		for (int second = 0; second < 150; second += 10) {
			pass(10 * US_PER_S);
			messages += tell(0) > 0;
		}
	}
	t_true("a dozen messages at most", messages >= 2 && messages <= 14);
	t_int("each time was counted", 288,
	      as_alarms_find(&alarms, AS_ALARM_JOURNAL_FILLING, "network-server")->times);
	t_row("when it has calmed down the last word is the truth");
	pass(5 * HOUR);
	int last = tell(0);
	const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_JOURNAL_FILLING, "network-server");
	t_true("told", last > 0 || alarm->told[0].change % 2 == 0);
	t_int("nothing more", -1, tell(0));
	as_alarms_release(&alarms);
}

static void what_is_due_together_is_one_message(void **state)
{
	(void)state;
	char subject[20];
	open_world("2026-07-01T00:00:00Z");
	notify.interval = MINUTE;
	t_row("fifty journals fill at once");
	for (int i = 0; i < 50; i++) {
		snprintf(subject, sizeof subject, "server-%02d", i);
		see(AS_ALARM_JOURNAL_FILLING, subject, i == 49 ? 99 : 85);
	}
	t_int("one message", AS_MESSAGE_ITEMS, tell(0));
	t_int("says how many follow", 10, message.more);
	t_str("the worst first", "server-49", message.items[0].key.subject);
	t_int("not before the interval", -1, tell(0));
	pass(MINUTE);
	t_int("the rest", 10, tell(0));
	t_row("a channel that wants the critical alone");
	notify.channels[1].rules.least = AS_CRITICAL;
	t_int("one of them", 1, tell(1));
	as_alarms_release(&alarms);
}

/* --- quiet times --------------------------------------------------------------------------------------------- */

static void quiet_times(void **state)
{
	(void)state;
	open_world("2026-07-01T21:50:00Z");
	assert_true(as_quiet_parse("22:00-07:00", &notify.channels[0].rules.quiet));
	t_row("before the quiet time");
	be(AS_ALARM_JOURNAL_FILLING, "a", true);
	t_int("told", 1, tell(0));
	pass(20 * MINUTE);
	t_int("nothing now", -1, tell(0));
	t_row("in the quiet time");
	be(AS_ALARM_JOURNAL_FILLING, "b", true);
	be(AS_ALARM_JOURNAL_FILLING, "c", true);
	be(AS_ALARM_JOURNAL_FILLING, "a", false);
	t_int("nothing leaves", -1, tell(0));
	be(AS_ALARM_JOURNAL_FILLING, "c", false);
	t_int("nothing leaves still", -1, tell(0));
	t_row("what is critical breaks through");
	see(AS_ALARM_JOURNAL_FILLING, "d", 99);
	t_int("one", 1, tell(0));
	t_str("that", "d", message.items[0].key.subject);
	t_false("no digest", message.digest);
	t_row("one message at the end says what is so, and what came and went");
	pass(9 * HOUR);
	t_int("three", 3, tell(0));
	t_true("digest", message.digest);
	t_str("b is raised", "raised", news(0));
	t_str("a is over", "cleared", news(1));
	t_str("c came and went", "came_and_went", news(2));
	t_int("nothing more", -1, tell(0));
	t_row("where nothing breaks through");
	notify.channels[0].rules.breaks_quiet = false;
	pass(16 * HOUR);
	see(AS_ALARM_JOURNAL_FILLING, "e", 99);
	t_int("it waits", -1, tell(0));
	t_row("a quiet night ends without a word");
	as_alarms_release(&alarms);
	open_world("2026-07-01T23:00:00Z");
	assert_true(as_quiet_parse("22:00-07:00", &notify.channels[0].rules.quiet));
	t_int("night", -1, tell(0));
	pass(9 * HOUR);
	t_int("morning", -1, tell(0));
	as_alarms_release(&alarms);
}

/* --- channels that fail -------------------------------------------------------------------------------------- */

static void a_channel_that_fails(void **state)
{
	(void)state;
	span_us wait = 0;
	open_world("2026-07-01T12:00:00Z");
	be(AS_ALARM_JOURNAL_FILLING, "a", true);
	t_row("the message goes out and is not taken");
	assert_true(as_notify_due(&notify, 0, &alarms, now, &message));
	as_notify_begin(&notify, 0);
	as_notify_failed(&notify, 0, "the receiver answered 500", now);
	t_int("tried again after 5 s", AS_RETRY, notify.channels[0].retry_at.us - now.mono.us);
	for (int i = 0; i < 10; i++) {
		pass(notify.channels[0].retry_at.us - now.mono.us);
		as_notify_failed(&notify, 0, "the receiver answered 500", now);
		wait = notify.channels[0].retry_at.us - now.mono.us;
	}
	t_int("at most ten minutes", AS_RETRY_MAX, wait);
	struct as_message other;
	t_false("no second one meanwhile", as_notify_due(&notify, 0, &alarms, now, &other));
	t_row("the others are told of it");
	as_notify_observe(&notify, &alarms, now);
	as_alarms_step(&alarms, now);
	struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_CHANNEL_FAILING, "duty");
	t_str("raised", "raised", alarm ? as_alarm_state_name(alarm->state) : "none");
	t_str("why", "the receiver answered 500", alarm ? alarm->detail : "");
	t_int("on the bus", 2, tell(1));
	t_row("it is taken at last");
	as_notify_taken(&notify, 0, &alarms, &message, now);
	t_int("told", 1, as_alarms_find(&alarms, AS_ALARM_JOURNAL_FILLING, "a")->told[0].change);
	as_notify_observe(&notify, &alarms, now);
	as_alarms_step(&alarms, now);
	t_str("cleared", "cleared",
	      as_alarm_state_name(as_alarms_find(&alarms, AS_ALARM_CHANNEL_FAILING, "duty")->state));
	as_alarms_release(&alarms);
}

/* --- restarts ------------------------------------------------------------------------------------------------ */

static void keep(struct t_city *city)
{
	bool all;
	assert_int_equal(ST_OK,
			 as_store_alarms_keep(city->store, &alarms, &notify, now, AS_ALARMS_MAX, &all));
	t_true("all", all);
	assert_int_equal(ST_OK, as_store_commit(city->store));
}

/* How many the store has. */
static size_t kept(struct t_city *city)
{
	struct as_alarms stored;
	as_alarms_init(&stored, &rng, 0);
	assert_int_equal(ST_OK, as_store_commit(city->store));
	assert_int_equal(ST_OK, as_store_alarms_load(city->store, &stored, &notify, now));
	size_t count = stored.table.count;
	as_alarms_release(&stored);
	return count;
}

static void many_at_once_are_kept_a_few_at_a_time(void **state)
{
	static const struct {
		unsigned limit, have;
		bool all;
	} turns[] = {{16, 16, false}, {16, 32, false}, {7, 39, false}, {1, 40, true}, {16, 40, true}};
	struct t_city *city = t_city_new();
	(void)state;
	open_world("2026-07-01T12:00:00Z");
	for (unsigned i = 0; i < 40; i++) {
		char subject[20];
		snprintf(subject, sizeof subject, "line-%u", i);
		be(AS_ALARM_JOURNAL_FILLING, subject, true);
	}
	for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
		char name[20];
		bool all = !turns[i].all;
		snprintf(name, sizeof name, "turn %zu", i);
		t_row(name);
		assert_int_equal(ST_OK, as_store_alarms_keep(city->store, &alarms, &notify, now,
							     turns[i].limit, &all));
		t_uint("in the store", turns[i].have, kept(city));
		t_int("all", turns[i].all, all);
	}
	t_row("what a message told lasts with it, whatever else waits");
	t_int("told", 40, tell(0));
	assert_int_equal(ST_OK, as_store_alarms_keep_told(city->store, &alarms, &notify, &message, now));
	bool all = false;
	assert_int_equal(ST_OK, as_store_alarms_keep(city->store, &alarms, &notify, now, 0, &all));
	t_true("no other waits", all);
	as_alarms_release(&alarms);
	t_city_free(city);
}

static void a_restart_repeats_nothing(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	open_world("2026-07-01T12:00:00Z");
	be(AS_ALARM_JOURNAL_FILLING, "a", true);
	be(AS_ALARM_JOURNAL_FILLING, "b", true);
	t_int("told", 2, tell(0));
	be(AS_ALARM_JOURNAL_FILLING, "b", false);
	struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_JOURNAL_FILLING, "a");
	as_alarm_acknowledge(alarm, "ann", "on it", (struct wall){0}, now.wall);
	keep(city);
	int64_t id = alarm->id;
	as_alarms_release(&alarms);

	t_row("the same state comes back");
	as_alarms_init(&alarms, &rng, 0);
	struct as_channel swapped = notify.channels[0];
	notify.channels[0] = notify.channels[1]; /* the configuration names them in another order now */
	notify.channels[1] = swapped;
	assert_int_equal(ST_OK, as_store_alarms_load(city->store, &alarms, &notify, now));
	alarm = as_alarms_find(&alarms, AS_ALARM_JOURNAL_FILLING, "a");
	assert_non_null(alarm);
	t_int("the same id", id, alarm->id);
	t_str("raised", "raised", as_alarm_state_name(alarm->state));
	t_str("taken on by", "ann", alarm->ack_who);
	t_true("taken on", alarm->acknowledged);
	see(AS_ALARM_JOURNAL_FILLING, "a", 85);
	pass(HOUR);
	t_row("only what changed before it and was not told is told");
	t_int("one", 1, tell(1));
	t_str("b", "b", message.items[0].key.subject);
	t_str("is over", "cleared", news(0));
	t_row("new ones have new ids");
	be(AS_ALARM_JOURNAL_FILLING, "c", true);
	t_int("id", id + 2, as_alarms_find(&alarms, AS_ALARM_JOURNAL_FILLING, "c")->id);
	as_alarms_release(&alarms);
	t_city_free(city);
}

static void a_message_is_kept_until_it_is_taken(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	open_world("2026-07-01T12:00:00Z");
	be(AS_ALARM_JOURNAL_FILLING, "a", true);
	assert_true(as_notify_due(&notify, 0, &alarms, now, &message));
	as_notify_begin(&notify, 0);
	json_t *json = as_message_json(&notify, 0, &alarms, &message, "city", now);
	char *body = json_dumps(json, 0);
	assert_int_equal(ST_OK, as_store_alarm_message_put(city->store, &notify.channels[0], body));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	free(body);
	json_decref(json);
	t_row("the same id and items come back");
	struct as_channel again = {.rules = notify.channels[0].rules};
	body = as_store_alarm_message(city->store, &again);
	assert_non_null(body);
	t_int("a channel that was away goes on counting", 1, (long long)again.sequence);
	json = json_loads(body, 0, NULL);
	t_str("id", "city-duty-1", json_string_value(json_object_get(json, "id")));
	struct as_message back;
	t_true("read", as_message_read(json, &back));
	t_int("items", 1, back.count);
	t_int("change", message.items[0].change, back.items[0].change);
	t_int("kind", AS_ALARM_JOURNAL_FILLING, back.items[0].key.kind);
	t_str("subject", "a", back.items[0].key.subject);
	json_decref(json);
	free(body);
	t_row("taken");
	assert_int_equal(ST_OK, as_store_alarm_message_put(city->store, &notify.channels[0], NULL));
	again.sequence = 0;
	t_true("none is under way", as_store_alarm_message(city->store, &again) == NULL);
	t_int("and no id is given twice", 1, (long long)again.sequence);
	assert_int_equal(ST_OK, as_store_commit(city->store));
	as_alarms_release(&alarms);
	t_city_free(city);
}

static void history_is_bounded(void **state)
{
	(void)state;
	struct t_city *city = t_city_new();
	struct as_alarm_turn turns[AS_ALARM_CHANGES_KEPT];
	size_t count;
	open_world("2026-07-01T12:00:00Z");
	for (int i = 0; i < 60; i++) {
		be(AS_ALARM_JOURNAL_FILLING, "a", true);
		keep(city);
		be(AS_ALARM_JOURNAL_FILLING, "a", false);
		keep(city);
	}
	int64_t id = as_alarms_find(&alarms, AS_ALARM_JOURNAL_FILLING, "a")->id;
	assert_int_equal(ST_OK, as_store_alarm_turns(city->store, id, turns, &count));
	t_int("turns", AS_ALARM_CHANGES_KEPT, count);
	t_int("the newest first", 120, turns[0].change);
	t_row("what ended more than a year ago goes");
	assert_int_equal(ST_OK, as_store_alarms_prune(city->store, now.wall, 10));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	struct as_alarm gone;
	pass(1);
	assert_int_equal(ST_OK, as_store_alarms_prune(city->store, now.wall, 10));
	t_int("gone", ST_NOT_FOUND, as_store_alarm_get(city->store, &t_city_admin, id, &gone));
	assert_int_equal(ST_OK, as_store_commit(city->store));
	as_alarms_release(&alarms);
	t_city_free(city);
}

/* --- what they say ------------------------------------------------------------------------------------------- */

static void an_e_mail(void **state)
{
	(void)state;
	struct as_zone zone;
	size_t length;
	open_world("2026-07-01T01:12:00Z");
	assert_true(as_zone_parse("GMT0BST,M3.5.0/1,M10.5.0", &zone));
	as_alarms_observe(&alarms,
			  &(struct as_observation){.kind = AS_ALARM_JOURNAL_FILLING,
						   .subject = "network-server",
						   .name = "Straße 7",
						   .value = 97,
						   .detail = "bad\r\n.\r\nInjected: yes"},
			  now);
	as_alarms_step(&alarms, now);
	assert_int_equal(1, tell(0));
	json_t *json = as_message_json(&notify, 0, &alarms, &message, "c1", now);
	const struct as_mail_frame frame = {.from = "lamppost@city.example",
					    .to = "ann@city.example, bob@city.example",
					    .domain = "city.example",
					    .zone = &zone,
					    .now = now.wall};
	char subject[AS_MAIL_SUBJECT];
	char *text = as_mail_text(&frame, json, &length);
	assert_non_null(text);
	t_str("subject", "[lamppost] CRITICAL: journal fills: Straße 7", as_mail_subject(subject, json));
	static const char *const parts[] = {
		"Date: Wed, 1 Jul 2026 02:12:00 +0100\r\n",
		"From: Lamppost <lamppost@city.example>\r\n",
		"To: ann@city.example, bob@city.example\r\n",
		"Subject: =?utf-8?q?=5Blamppost=5D=20CRITICA?=\r\n =?utf-8?q?L",
		"=C3=9F",
		"Message-ID: <c1-duty-1@city.example>\r\n",
		"Content-Type: text/plain; charset=utf-8\r\n",
		"\r\n\r\nCRITICAL  journal fills\r\n",
		"Straße 7 is 97 % full",
		"Since: 2026-07-01 02:12 +01:00\r\n",
		"Cause:",
		"Do:",
		"See:   lamppost status\r\n",
		"Mine:  lamppost alarm ack 1\r\n",
		"Open now: 1 critical, 0 warnings, 0 notices; 0 taken on.\r\n",
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		t_row(parts[i]);
		t_true("is in it", strstr(text, parts[i]) != NULL);
	}
	t_row("a device's words begin no line");
	t_true("not injected", strstr(text, "\nInjected") == NULL && strstr(text, "\n.\r") == NULL);
	for (const char *at = text; *at; at++)
		if (*at == '\n' && (at == text || at[-1] != '\r'))
			t_true("lines end with CR LF", false);
	free(text);
	json_decref(json);
	as_alarms_release(&alarms);
}

static void topics(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum as_alarm_kind_id kind;
		const char *subject, *topic;
	} rows[] = {
		{"a gateway", AS_ALARM_SILENT, "0102030405060708", "lamppost/alarm/0102030405060708/silent"},
		{"the city", AS_ALARM_DISK_FULL, "", "lamppost/alarm/city/disk_full"},
		{"a line with signs that topics give a meaning", AS_ALARM_BACKHAUL_SILENT, "a/b+c#",
		 "lamppost/alarm/a-b-c-/backhaul_silent"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_alarm alarm = {.key = {.kind = (uint8_t)rows[i].kind}};
		char topic[AS_ALARM_TOPIC];
		snprintf(alarm.key.subject, AS_ALARM_SUBJECT, "%s", rows[i].subject);
		t_row(rows[i].name);
		t_str("topic", rows[i].topic, as_alarm_topic(topic, &alarm));
	}
}

static void signatures(void **state)
{
	(void)state;
	/* RFC 4231, test case 2. */
	static const uint8_t mac[SECRET_HASH] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
						 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
						 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
						 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
	uint8_t made[SECRET_HASH];
	assert_int_equal(ST_OK, secret_init());
	secret_hmac_sha256(made, "Jefe", 4, "what do ya want for nothing?", 28);
	t_bytes("HMAC-SHA-256", mac, sizeof mac, made, sizeof made);
}

/* --- the configuration --------------------------------------------------------------------------------------- */

static void channels_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *name, *label, *text;
		bool fits;
	} rows[] = {
		{"a webhook", "ops", "webhook https://chat.example/hook?x=1", true},
		{"two people", "duty", "mail ann@city.example, bob@city.example", true},
		{"the broker", "bus", "mqtt", true},
		{"an address without a host", "ops", "webhook https://", false},
		{"another scheme", "ops", "webhook ftp://chat.example/", false},
		{"a file", "ops", "webhook file:///etc/passwd", false},
		{"no address", "duty", "mail", false},
		{"an address that ends a command", "duty", "mail ann@city.example> SIZE=1", false},
		{"an address without a name", "duty", "mail @x", false},
		{"two at signs", "duty", "mail a@b@c", false},
		{"no such kind", "x", "pager 123", false},
		{"a name with a slash", "a/b", "mqtt", false},
		{"a name in capitals", "Duty", "mqtt", false},
		{"mqtt with words", "bus", "mqtt now", false},
	};
	char expect[OPTION_EXPECT_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("fits", rows[i].fits, as_alarm_channel_fits(rows[i].label, rows[i].text, expect));
	}
}

static void channels_need_what_they_name(void **state)
{
	(void)state;
	static struct as_config config;
	static const struct {
		const char *name, *key, *label, *text, *smtp, *problem;
	} rows[] = {
		{"all is there", "alarms.least", "duty", "critical", "mail.example", ""},
		{"mail without a server", "alarms.least", "duty", "critical", "",
		 "application-server.alarms.channels: duty: expected alarms.smtp.host beside it"},
		{"a severity for nobody", "alarms.least", "dutty", "critical", "mail.example",
		 "application-server.alarms.least: dutty: expected the name of a channel"},
		{"a quiet time for nobody", "alarms.quiet", "x", "22:00-07:00", "mail.example",
		 "application-server.alarms.quiet: x: expected the name of a channel"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct as_channel_rules rules[AS_CHANNELS_MAX];
		char problem[AS_RULES_PROBLEM] = "", expect[OPTION_EXPECT_MAX];
		size_t count;
		t_row(rows[i].name);
		options_set_defaults(as_config_rows, as_config_row_count, &config);
		const struct option *row = options_find(as_config_rows, as_config_row_count,
							"application-server", "alarms.channels");
		assert_true(option_add(row, &config, "duty", "mail ann@city.example", expect));
		row = options_find(as_config_rows, as_config_row_count, "application-server", rows[i].key);
		assert_true(option_add(row, &config, rows[i].label, rows[i].text, expect));
		snprintf(config.smtp_host, sizeof config.smtp_host, "%s", rows[i].smtp);
		t_int("read", !*rows[i].problem, as_alarm_rules(&config, rules, &count, problem));
		t_str("problem", rows[i].problem, problem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(flapping_does_not_ring),
		t_test(what_is_due_together_is_one_message),
		t_test(quiet_times),
		t_test(a_channel_that_fails),
		t_test(many_at_once_are_kept_a_few_at_a_time),
		t_test(a_restart_repeats_nothing),
		t_test(a_message_is_kept_until_it_is_taken),
		t_test(history_is_bounded),
		t_test(an_e_mail),
		t_test(topics),
		t_test(signatures),
		t_test(channels_are_checked),
		t_test(channels_need_what_they_name),
	};
	return t_run(tests);
}
