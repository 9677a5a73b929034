/* Alarms on a virtual clock: each kind raises, holds and clears; groups; acknowledgements; what a restart leaves. */
#include "application-server/alarms/alarm_json.h"
#include "application-server/alarms/groups.h"
#include "application-server/alarms/notify.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#define MINUTE (60 * US_PER_S)
#define HOUR   (60 * MINUTE)

static struct as_alarms alarms;
static struct as_groups groups;
static struct as_notify notify;
static struct rng rng;
static struct now now;

static void open_world(void)
{
	rng = rng_seeded(7);
	now = (struct now){.mono = {1000 * US_PER_S}, .wall = {INT64_C(1800000000) * US_PER_S}};
	as_alarms_init(&alarms, &rng, 0);
	as_groups_init(&groups, 100);
	notify = (struct as_notify){.count = 1, .delay_limit = AS_NEVER};
	snprintf(notify.channels[0].rules.name, AS_CHANNEL_NAME, "duty");
}

static void close_world(void)
{
	as_alarms_release(&alarms);
	as_groups_release(&groups);
}

static void pass(span_us span)
{
	now.mono.us += span;
	now.wall.us += span;
}

static void see(enum as_alarm_kind_id kind, const char *subject, int64_t value)
{
	as_alarms_begin(&alarms, as_alarm_kinds[kind].source);
	as_alarms_observe(&alarms, &(struct as_observation){.kind = kind, .subject = subject, .value = value},
			  now);
	as_alarms_end(&alarms, as_alarm_kinds[kind].source, now);
	as_alarms_step(&alarms, now);
}

static const char *state_of(enum as_alarm_kind_id kind, const char *subject)
{
	const struct as_alarm *alarm = as_alarms_find(&alarms, kind, subject);
	return alarm ? as_alarm_state_name(alarm->state) : "none";
}

/* Tells what is due; returns how many messages left, at most one. `items`: how many it held. */
static int tell(struct as_message *message)
{
	struct as_message own;
	if (!message)
		message = &own;
	if (!as_notify_due(&notify, 0, &alarms, now, message))
		return 0;
	as_notify_begin(&notify, 0);
	as_notify_taken(&notify, 0, &alarms, message, now);
	return 1;
}

/* --- kinds --------------------------------------------------------------------------------------------------- */

static void a_short_silence_is_held_for_a_part_of_it(void **state)
{
	static const struct {
		const char *name;
		span_us silent, raise, clear;
	} rows[] = {
		{"as by default", GW_SILENT_US, 30 * US_PER_S, MINUTE},
		{"a tenth of it: a tenth", 9 * US_PER_S, 3 * US_PER_S, 6 * US_PER_S},
		{"of a long one as by default", HOUR, 30 * US_PER_S, MINUTE},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		open_world();
		as_alarms_set_spans(&alarms, rows[i].silent, 10 * MINUTE);
		see(AS_ALARM_SILENT, "x", 1);
		pass(rows[i].raise - 1);
		see(AS_ALARM_SILENT, "x", 1);
		t_str("not yet", "pending", state_of(AS_ALARM_SILENT, "x"));
		pass(1);
		see(AS_ALARM_SILENT, "x", 1);
		t_str("held", "raised", state_of(AS_ALARM_SILENT, "x"));
		see(AS_ALARM_SILENT, "x", 0);
		pass(rows[i].clear - 1);
		see(AS_ALARM_SILENT, "x", 0);
		t_str("nearly over", "raised", state_of(AS_ALARM_SILENT, "x"));
		pass(1);
		see(AS_ALARM_SILENT, "x", 0);
		t_str("over", "cleared", state_of(AS_ALARM_SILENT, "x"));
		t_int("others hold as their rows say", as_alarm_kinds[AS_ALARM_CRC_ERRORS].hold_raise,
		      as_alarms_hold_raise(&alarms, &as_alarm_kinds[AS_ALARM_CRC_ERRORS]));
		close_world();
	}
}

static int64_t worse(const struct as_alarm_kind *kind, int64_t value)
{
	return kind->below ? value - 1 : value + 1;
}

static void every_kind_raises_holds_and_clears(void **state)
{
	(void)state;
	for (int i = 0; i < AS_ALARM_KINDS; i++) {
		const struct as_alarm_kind *kind = &as_alarm_kinds[i];
		enum as_alarm_kind_id id = (enum as_alarm_kind_id)i;
		int64_t between = kind->below ? kind->raise + 1 : kind->raise - 1;
		t_row(kind->name);
		open_world();
		see(id, "x", kind->clear);
		t_str("good at first", "none", state_of(id, "x"));
		see(id, "x", kind->raise);
		if (kind->hold_raise > 0) {
			t_str("not held yet", "pending", state_of(id, "x"));
			pass(kind->hold_raise - 1);
			see(id, "x", worse(kind, kind->raise));
			t_str("a moment before", "pending", state_of(id, "x"));
			see(id, "x", kind->clear);
			t_str("good before it was held", "none", state_of(id, "x"));
			see(id, "x", kind->raise);
			pass(kind->hold_raise);
			see(id, "x", kind->raise);
		}
		t_str("held", "raised", state_of(id, "x"));
		if (!as_alarm_is_good(kind, between)) {
			see(id, "x", between);
			pass(kind->hold_clear + HOUR);
			see(id, "x", between);
			t_str("between the thresholds", "raised", state_of(id, "x"));
		}
		see(id, "x", kind->clear);
		if (kind->hold_clear > 0) {
			t_str("good for a moment", "raised", state_of(id, "x"));
			pass(kind->hold_clear - 1);
			see(id, "x", kind->clear);
			t_str("nearly long enough", "raised", state_of(id, "x"));
			pass(1);
			see(id, "x", kind->clear);
		}
		t_str("good for long", "cleared", state_of(id, "x"));
		const struct as_alarm *alarm = as_alarms_find(&alarms, id, "x");
		t_int("raised once and cleared once", 2, alarm ? alarm->change : 0);
		close_world();
	}
}

static void rows_are_whole(void **state)
{
	(void)state;
	for (int i = 0; i < AS_ALARM_KINDS; i++) {
		const struct as_alarm_kind *kind = &as_alarm_kinds[i];
		struct as_alarm alarm = {.key = {.kind = (uint8_t)i}, .value = kind->raise};
		char text[AS_ALARM_SENTENCE], commands[AS_ALARM_SENTENCE];
		enum as_alarm_kind_id found;
		t_row(kind->name);
		snprintf(alarm.name, sizeof alarm.name, "roof");
		snprintf(alarm.detail, sizeof alarm.detail, "As seen.");
		t_true("found by its name", as_alarm_kind_find(kind->name, &found) && (int)found == i);
		as_alarm_sentence(text, &alarm);
		t_true("the sentence is filled", !strchr(text, '{') && strlen(text) > 20);
		as_alarm_fill(commands, sizeof commands, kind->commands, &alarm);
		t_true("commands", !strchr(commands, '{') && strlen(commands) > 5);
		t_true("cause and next step are sentences",
		       kind->cause[strlen(kind->cause) - 1] == '.' &&
			       kind->next[strlen(kind->next) - 1] == '.');
		t_true("two thresholds",
		       !as_alarm_is_good(kind, kind->raise) && !as_alarm_is_bad(kind, kind->clear));
	}
}

static void severity_rises(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum as_alarm_kind_id kind;
		int64_t value;
		enum as_severity severity;
	} rows[] = {
		{"thirty days left", AS_ALARM_CERTIFICATE_EXPIRING, 30, AS_NOTICE},
		{"eight days left", AS_ALARM_CERTIFICATE_EXPIRING, 8, AS_NOTICE},
		{"a week left", AS_ALARM_CERTIFICATE_EXPIRING, 7, AS_WARNING},
		{"the last day", AS_ALARM_CERTIFICATE_EXPIRING, 1, AS_CRITICAL},
		{"permission over", AS_ALARM_PERMISSION_ENDING, -3, AS_CRITICAL},
		{"data plan at 99 %", AS_ALARM_DATA_PLAN, 99, AS_WARNING},
		{"data plan at 100 %", AS_ALARM_DATA_PLAN, 100, AS_CRITICAL},
		{"offline is critical from the start", AS_ALARM_OFFLINE, 1, AS_CRITICAL},
		{"silent for a year is no worse", AS_ALARM_SILENT, 31536000, AS_WARNING},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("severity", rows[i].severity,
		      as_alarm_severity(&as_alarm_kinds[rows[i].kind], rows[i].value));
	}
}

static void what_is_not_known_changes_nothing(void **state)
{
	(void)state;
	t_row("a bridge that is away is no word about gateways");
	open_world();
	see(AS_ALARM_SILENT, "a", 100);
	pass(MINUTE);
	see(AS_ALARM_SILENT, "a", 160);
	for (int i = 0; i < 10; i++) {
		pass(HOUR);
		as_alarms_begin(&alarms, AS_SOURCE_GATEWAYS);
		as_alarms_observe(
			&alarms,
			&(struct as_observation){.kind = AS_ALARM_SILENT, .subject = "a", .unknown = true},
			now);
		as_alarms_end(&alarms, AS_SOURCE_GATEWAYS, now);
		as_alarms_step(&alarms, now);
	}
	t_str("still", "raised", state_of(AS_ALARM_SILENT, "a"));
	as_alarms_begin(&alarms, AS_SOURCE_GATEWAYS);
	as_alarms_end(&alarms, AS_SOURCE_GATEWAYS, now);
	pass(MINUTE);
	as_alarms_step(&alarms, now);
	t_str("whose record is gone", "cleared", state_of(AS_ALARM_SILENT, "a"));
	close_world();
}

/* --- acknowledgements ---------------------------------------------------------------------------------------- */

static void acknowledging(void **state)
{
	(void)state;
	struct as_message message;
	open_world();
	notify.repeat = HOUR;
	see(AS_ALARM_DUTY_CYCLE, "a", 85);
	pass(MINUTE);
	see(AS_ALARM_DUTY_CYCLE, "a", 85);
	pass(5 * MINUTE);
	see(AS_ALARM_DUTY_CYCLE, "a", 85);
	t_row("it is told");
	t_int("messages", 1, tell(&message));
	t_int("what", AS_NEWS_RAISED, message.items[0].kind);
	pass(HOUR);
	t_row("nobody took it on");
	t_int("reminder", 1, tell(&message));
	t_int("what", AS_NEWS_STILL, message.items[0].kind);
	t_row("somebody takes it on for four hours");
	struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_DUTY_CYCLE, "a");
	t_true("done",
	       as_alarm_acknowledge(alarm, "ann", "on it", (struct wall){now.wall.us + 4 * HOUR}, now.wall));
	pass(3 * HOUR);
	see(AS_ALARM_DUTY_CYCLE, "a", 86);
	t_int("no reminder", 0, tell(NULL));
	t_row("it runs out");
	pass(HOUR);
	see(AS_ALARM_DUTY_CYCLE, "a", 86);
	t_int("reminder", 1, tell(&message));
	t_row("worse voids it");
	alarm = as_alarms_find(&alarms, AS_ALARM_DUTY_CYCLE, "a");
	t_true("done", as_alarm_acknowledge(alarm, "ann", NULL, (struct wall){0}, now.wall));
	see(AS_ALARM_DUTY_CYCLE, "a", 99);
	t_int("told", 1, tell(&message));
	t_int("what", AS_NEWS_WORSE, message.items[0].kind);
	t_row("cleared while acknowledged is told, and what comes back is new");
	alarm = as_alarms_find(&alarms, AS_ALARM_DUTY_CYCLE, "a");
	t_true("done", as_alarm_acknowledge(alarm, "ann", NULL, (struct wall){0}, now.wall));
	pass(HOUR);
	see(AS_ALARM_DUTY_CYCLE, "a", 10);
	pass(HOUR);
	see(AS_ALARM_DUTY_CYCLE, "a", 10);
	t_int("cleared", 1, tell(&message));
	t_int("what", AS_NEWS_CLEARED, message.items[0].kind);
	see(AS_ALARM_DUTY_CYCLE, "a", 85);
	pass(HOUR);
	see(AS_ALARM_DUTY_CYCLE, "a", 85);
	t_false("acknowledged", as_alarms_find(&alarms, AS_ALARM_DUTY_CYCLE, "a")->acknowledged);
	pass(HOUR);
	t_int("told again", 1, tell(&message));
	t_int("times", 2, as_alarms_find(&alarms, AS_ALARM_DUTY_CYCLE, "a")->times);
	t_row("what is not raised cannot be taken on");
	see(AS_ALARM_DUTY_CYCLE, "b", 85);
	t_false("done", as_alarm_acknowledge(as_alarms_find(&alarms, AS_ALARM_DUTY_CYCLE, "b"), "ann", NULL,
					     (struct wall){0}, now.wall));
	close_world();
}

/* --- groups -------------------------------------------------------------------------------------------------- */

#define GATEWAYS 40

/* When each fell silent; 0: it is heard. */
static struct wall silent_since[GATEWAYS];
static const char *lines[GATEWAYS];

static void fall_silent(int from, int until)
{
	for (int i = from; i < until; i++)
		silent_since[i] = now.wall;
}

/* All slices of a round; the most work of one. */
static size_t judge_groups(bool known)
{
	size_t most = 0;
	bool done = false;
	as_groups_begin(&groups, &alarms, known);
	while (!done) {
		done = as_groups_judge(&groups, &alarms, now);
		most = groups.work > most ? groups.work : most;
	}
	return most;
}

/* A round of all gateways, as the edge runs it. */
static void round_of_gateways(void)
{
	as_groups_clear(&groups);
	as_alarms_begin(&alarms, AS_SOURCE_GATEWAYS);
	for (int i = 0; i < GATEWAYS; i++) {
		struct as_group_member member = {.named = true, .silent = silent_since[i].us != 0};
		int64_t held = now.wall.us - silent_since[i].us;
		snprintf(member.subject, sizeof member.subject, "gateway-%02d", i);
		snprintf(member.name, sizeof member.name, "roof %d", i);
		snprintf(member.group, sizeof member.group, "%s", lines[i]);
		member.since = member.silent ? silent_since[i] : now.wall;
		as_groups_add(&groups, &member);
		as_alarms_observe(&alarms,
				  &(struct as_observation){.kind = AS_ALARM_SILENT,
							   .subject = member.subject,
							   .name = member.name,
							   .value = member.silent ? 90 + held / US_PER_S : 0},
				  now);
		as_alarms_observe(
			&alarms,
			&(struct as_observation){.kind = AS_ALARM_OFFLINE,
						 .subject = member.subject,
						 .name = member.name,
						 .value = member.silent && held > 600 * US_PER_S ? 600 : 0},
			now);
	}
	as_alarms_end(&alarms, AS_SOURCE_GATEWAYS, now);
	as_alarms_step(&alarms, now);
	judge_groups(true);
	as_alarms_step(&alarms, now);
}

static unsigned told_raised, told_cleared, told_messages;
static char told_kinds[200];

/* Lets the city run, a round each five seconds, telling what is due; counts it. */
static void run_for(span_us span)
{
	struct as_message message;
	told_raised = told_cleared = told_messages = 0;
	told_kinds[0] = '\0';
	for (span_us passed = 0; passed < span; passed += 5 * US_PER_S) {
		pass(5 * US_PER_S);
		round_of_gateways();
		if (!tell(&message))
			continue;
		told_messages++;
		for (size_t i = 0; i < message.count; i++) {
			const char *kind = as_alarm_kinds[message.items[i].key.kind].name;
			told_raised += message.items[i].kind == AS_NEWS_RAISED;
			told_cleared += message.items[i].kind == AS_NEWS_CLEARED;
			size_t used = strlen(told_kinds);
			if (!strstr(told_kinds, kind))
				snprintf(told_kinds + used, sizeof told_kinds - used, "%s ", kind);
		}
	}
}

static void open_city(const char *first_line, const char *second_line)
{
	open_world();
	notify.interval = MINUTE;
	for (int i = 0; i < GATEWAYS; i++) {
		silent_since[i] = (struct wall){0};
		lines[i] = i < 14 ? first_line : second_line;
	}
	round_of_gateways();
}

static void gateways_of_one_line_are_one_alarm(void **state)
{
	(void)state;
	open_city("fibre north", "fibre south");
	t_row("twelve of the fourteen gateways of a line fall silent within a minute");
	for (int i = 0; i < 12; i++) {
		fall_silent(i, i + 1);
		pass(5 * US_PER_S);
		round_of_gateways();
	}
	run_for(10 * MINUTE);
	t_int("messages", 1, told_messages);
	t_int("alarms told", 1, told_raised);
	t_str("which", "backhaul_silent ", told_kinds);
	const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_BACKHAUL_SILENT, "fibre north");
	assert_non_null(alarm);
	t_true("says how many", strstr(alarm->detail, "12 of 14 gateways silent: roof 0, roof 1") != NULL);
	t_int("counts as one", 1, as_alarms_count(&alarms).open[AS_CRITICAL]);
	t_row("a late one joins without a word");
	fall_silent(12, 13);
	run_for(20 * MINUTE);
	t_int("messages", 0, told_messages);
	t_true("is named", strstr(as_alarms_find(&alarms, AS_ALARM_BACKHAUL_SILENT, "fibre north")->detail,
				  "13 of 14") != NULL);
	t_row("the line comes back, two gateways do not");
	for (int i = 2; i < 13; i++)
		silent_since[i] = (struct wall){0};
	run_for(10 * MINUTE);
	t_int("the line is cleared", 1, told_cleared);
	t_int("the two are told by themselves", 2, told_raised);
	t_str("as what", "backhaul_silent offline ", told_kinds);
	t_row("and come back");
	silent_since[0] = silent_since[1] = (struct wall){0};
	run_for(10 * MINUTE);
	t_int("cleared", 2, told_cleared);
	t_int("raised", 0, told_raised);
	close_world();
}

static void all_gateways_are_one_alarm(void **state)
{
	(void)state;
	open_city("fibre north", "fibre south");
	t_row("one gateway has been dead for long");
	fall_silent(3, 4);
	run_for(60 * MINUTE);
	t_str("told", "silent offline ", told_kinds);
	t_row("then all others fall silent at once");
	fall_silent(0, 3);
	fall_silent(4, GATEWAYS);
	run_for(20 * MINUTE);
	t_int("messages", 1, told_messages);
	t_int("alarms told", 1, told_raised);
	t_str("which", "city_silent ", told_kinds);
	t_row("and come back at once");
	for (int i = 0; i < GATEWAYS; i++)
		if (i != 3)
			silent_since[i] = (struct wall){0};
	run_for(10 * MINUTE);
	t_int("messages", 1, told_messages);
	t_int("cleared", 1, told_cleared);
	t_int("raised", 0, told_raised);
	close_world();
}

static void single_ones_are_no_group(void **state)
{
	(void)state;
	static const struct {
		const char *name, *line;
		int silent;
		span_us apart;
		const char *told;
	} rows[] = {
		{"one of a line is itself", "fibre north", 1, 0, "silent "},
		{"six of fourteen are no line", "fibre north", 6, 0, "silent "},
		{"seven of fourteen are a line", "fibre north", 7, 0, "backhaul_silent "},
		{"seven over a day are seven", "fibre north", 7, 2 * HOUR, "silent offline "},
		{"without a line each is itself", "", 14, 0, "silent "},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char told[200] = "";
		t_row(rows[i].name);
		open_city(rows[i].line, "");
		for (int g = 0; g < rows[i].silent; g++) {
			fall_silent(g, g + 1);
			if (rows[i].apart) {
				run_for(rows[i].apart);
				snprintf(told, sizeof told, "%s", told_kinds);
			}
		}
		if (!rows[i].apart) {
			run_for(5 * MINUTE);
			snprintf(told, sizeof told, "%s", told_kinds);
		}
		t_str("told", rows[i].told, told);
		close_world();
	}
}

static void a_bridge_that_is_away_ends_no_outage(void **state)
{
	(void)state;
	open_city("fibre north", "fibre south");
	fall_silent(0, 12);
	run_for(10 * MINUTE);
	t_str("told", "backhaul_silent ", told_kinds);
	t_row("nothing is known of gateways for an hour");
	for (int i = 0; i < 720; i++) {
		pass(5 * US_PER_S);
		as_groups_clear(&groups);
		judge_groups(false);
		as_alarms_step(&alarms, now);
	}
	t_str("the line", "raised", state_of(AS_ALARM_BACKHAUL_SILENT, "fibre north"));
	close_world();
}

/* --- the work of a large city's outage ----------------------------------------------------------------------- */

#define MANY 12000

static void add_many(size_t lines_count, bool all_at_once)
{
	as_groups_clear(&groups);
	for (size_t i = 0; i < MANY; i++) {
		size_t shuffled = i * 7919 % MANY; /* prime to it: each once, in no order */
		struct as_group_member member = {.named = true, .silent = true};
		member.since.us = now.wall.us - (all_at_once ? 0 : (int64_t)shuffled * US_PER_S);
		snprintf(member.subject, sizeof member.subject, "gateway-%05zu", shuffled);
		snprintf(member.name, sizeof member.name, "roof %05zu", shuffled);
		snprintf(member.group, sizeof member.group, "line %zu", shuffled % lines_count);
		as_groups_add(&groups, &member);
	}
}

static void no_slice_of_an_outage_is_long(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		size_t lines;
		bool all_at_once;
	} rows[] = {
		{"all on one line, at once", 1, true},
		{"all on one line, over hours", 1, false},
		{"sixty lines", 60, true},
		{"each has its own", MANY, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		open_world();
		as_groups_release(&groups);
		as_groups_init(&groups, MANY);
		add_many(rows[i].lines, rows[i].all_at_once);
		size_t most = judge_groups(true);
		t_true("bounded", most < AS_GROUPS_WORK + 8);
		as_alarms_step(&alarms, now);
		const struct as_alarm *city = as_alarms_find(&alarms, AS_ALARM_CITY_SILENT, "");
		assert_non_null(city);
		t_true("those of it, in order",
		       strstr(city->detail,
			      rows[i].all_at_once
				      ? "12000 of 12000 gateways silent: roof 00000, roof 00001, "
				      : "301 of 301 gateways silent: roof 00300, roof 00299, ") != NULL);
		close_world();
	}
}

static void names_of_networks(void **state)
{
	(void)state;
	static const struct {
		const char *name, *address, *group;
	} rows[] = {
		{"an IPv4 address is its /24", "203.0.113.7:41022", "203.0.113.0/24"},
		{"an IPv6 address is its /48", "[2001:db8:17:4::1]:7", "2001:db8:17::/48"},
		{"a short IPv6 address is none", "[::1]:7", ""},
		{"no address is none", "", ""},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char group[AS_ALARM_SUBJECT];
		t_row(rows[i].name);
		t_str("group", rows[i].group, as_group_of_address(group, rows[i].address));
	}
}

/* --- what people write --------------------------------------------------------------------------------------- */

static void what_people_write_can_be_shown_anywhere(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *expect;
		size_t capacity;
	} rows[] = {
		{"a letter of two bytes that a limit cuts", "abc\xc3\xbc", "abc", 5},
		{"the same with room", "abc\xc3\xbc", "abc\xc3\xbc", 6},
		{"a letter of four bytes that a limit cuts", "a\xf0\x9f\x93\xa1", "a", 5},
		{"a head of an e-mail", "Roof\r\nBcc: x@y", "Roof  Bcc: x@y", 40},
		{"a colour of a terminal", "\x1b[31mred\x7f", " [31mred ", 40},
		{"an eight-bit control",
		 "a\xc2\x9b"
		 "31m",
		 "a 31m", 40},
		{"no UTF-8", "a\xff\xc3z", "a??z", 40},
		{"longer than it need be", "\xc0\xaf\xe0\x80\xaf", "?????", 40},
		{"half a pair", "\xed\xa0\x80", "???", 40},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[40];
		t_row(rows[i].name);
		t_str("shown", rows[i].expect, as_alarm_letters(out, rows[i].capacity, rows[i].text));
	}
}

/* JSON holds no half letters: an alarm whose texts were cut within one would be told nobody. */
static void a_long_name_is_told_all_the_same(void **state)
{
	(void)state;
	char name[400], subject[200];
	for (size_t shift = 0; shift < 2; shift++) {
		t_row(shift ? "cut at odd bytes" : "cut at even bytes");
		memset(name, 'a', sizeof name);
		for (size_t i = shift; i + 2 < sizeof name; i += 2)
			memcpy(name + i, "\xc3\xbc", 2);
		name[sizeof name - 1 - (sizeof name - 1 - shift) % 2] = '\0';
		snprintf(subject, sizeof subject, "%.*s", 160 + (int)shift, name);
		open_world();
		as_alarms_begin(&alarms, AS_SOURCE_GROUPS);
		as_alarms_observe(&alarms,
				  &(struct as_observation){.kind = AS_ALARM_BACKHAUL_SILENT,
							   .subject = subject,
							   .name = name,
							   .detail = name,
							   .value = 3},
				  now);
		as_alarms_end(&alarms, AS_SOURCE_GROUPS, now);
		as_alarms_step(&alarms, now);
		const struct as_alarm *alarm = as_alarms_find(&alarms, AS_ALARM_BACKHAUL_SILENT, subject);
		assert_non_null(alarm);
		json_t *json = as_alarm_json(alarm);
		t_true("as JSON", json != NULL);
		json_decref(json);
		close_world();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_short_silence_is_held_for_a_part_of_it),
		t_test(every_kind_raises_holds_and_clears),
		t_test(rows_are_whole),
		t_test(severity_rises),
		t_test(what_is_not_known_changes_nothing),
		t_test(acknowledging),
		t_test(gateways_of_one_line_are_one_alarm),
		t_test(all_gateways_are_one_alarm),
		t_test(single_ones_are_no_group),
		t_test(a_bridge_that_is_away_ends_no_outage),
		t_test(no_slice_of_an_outage_is_long),
		t_test(names_of_networks),
		t_test(what_people_write_can_be_shown_anywhere),
		t_test(a_long_name_is_told_all_the_same),
	};
	return t_run(tests);
}
