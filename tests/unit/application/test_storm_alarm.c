/* A join storm as alarms: raised from what the network server says of it, in words that fit the numbers; over when it is calm; what the
 * storm left behind is told afterwards. */
#include "application-server/alarms/alarms.h"
#include "application-server/alarms/storm_facts.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <string.h>

#define MINUTE (60 * US_PER_S)
#define HOUR   (60 * MINUTE)

static struct as_alarms alarms;
static struct rng rng;
static struct now now;

static void open_world(void)
{
	rng = rng_seeded(7);
	now = (struct now){.mono = {1000 * US_PER_S}, .wall = {INT64_C(1800000000) * US_PER_S}};
	as_alarms_init(&alarms, &rng, 0);
}

static void pass(span_us span)
{
	now.mono.us += span;
	now.wall.us += span;
	as_alarms_step(&alarms, now);
}

/* One round: the network server says so, or (NULL) does not answer any more. */
static void round_of(const char *health)
{
	static struct as_storm storm;
	if (health) {
		json_t *read = json_loads(health, 0, NULL);
		assert_non_null(read);
		as_storm_read(read, &storm);
		json_decref(read);
	}
	as_alarms_begin(&alarms, AS_SOURCE_PROCESSES);
	if (storm.known) /* as edge_alarm_facts.c does it */
		as_storm_observe(&alarms, &storm, health == NULL, now);
	as_alarms_end(&alarms, AS_SOURCE_PROCESSES, now);
	as_alarms_step(&alarms, now);
}

static const struct as_alarm *alarm_of(enum as_alarm_kind_id kind)
{
	return as_alarms_find(&alarms, kind, "");
}

static const char *state_of(enum as_alarm_kind_id kind)
{
	const struct as_alarm *alarm = alarm_of(kind);
	return alarm ? as_alarm_state_name(alarm->state) : "none";
}

#define STORM(more) "{\"join_storm\":{\"state\":\"storm\"," more "}}"
#define CALM(more)  "{\"join_storm\":{\"state\":\"calm\"," more "}}"
#define COUNTS      "\"devices\":10000,\"joined\":6120,\"waiting\":3880"
#define OVER        ",\"over_in_s\":{\"least\":300,\"most\":721}"

static void the_words_fit_the_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *name, *health, *sentence;
		enum as_severity severity;
	} rows[] = {
		{"just begun", STORM("\"lasts_s\":0,\"devices\":51,\"joined\":0,\"waiting\":51"),
		 "More devices ask to join than the gateways can answer, for 1 s. 0 of 51 devices have "
		 "joined, 51 "
		 "wait; no estimate yet.",
		 AS_NOTICE},
		{"in its course", STORM("\"lasts_s\":245," COUNTS OVER),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have "
		 "joined, "
		 "3880 wait; over in 5 min to 13 min.",
		 AS_NOTICE},
		{"seconds and hours",
		 STORM("\"lasts_s\":245," COUNTS ",\"over_in_s\":{\"least\":119,\"most\":7201}"),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have "
		 "joined, "
		 "3880 wait; over in 119 s to 3 h.",
		 AS_NOTICE},
		{"all are there", STORM("\"lasts_s\":245,\"devices\":60,\"joined\":60,\"waiting\":0"),
		 "More devices ask to join than the gateways can answer, for 4 min. All 60 devices that "
		 "asked have "
		 "joined.",
		 AS_NOTICE},
		{"nobody joins", STORM("\"lasts_s\":360," COUNTS),
		 "More devices ask to join than the gateways can answer, for 6 min. 6120 of 10000 devices "
		 "have "
		 "joined, "
		 "3880 wait; none has joined for five minutes.",
		 AS_NOTICE},
		{"an hour",
		 STORM("\"lasts_s\":3600," COUNTS OVER ",\"refused\":100,\"refused_no_airtime\":51"),
		 "More devices ask to join than the gateways can answer, for 60 min. 6120 of 10000 devices "
		 "have "
		 "joined, 3880 wait; over in 5 min to 13 min. Duty cycle is what is short: devices that ask "
		 "slowly "
		 "need a gateway nearer.",
		 AS_WARNING},
		{"the join server is silent",
		 STORM("\"lasts_s\":245," COUNTS OVER ",\"answered\":140,\"failed\":60,\"failed_silent\":51"),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have "
		 "joined, 3880 wait; over in 5 min to 13 min. The join server left 51 of 200 requests "
		 "unanswered.",
		 AS_NOTICE},
		{"it leaves a quarter unanswered, and no more",
		 STORM("\"lasts_s\":245," COUNTS OVER ",\"answered\":140,\"failed\":60,\"failed_silent\":50"),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have joined, 3880 wait; over in 5 min to 13 min.",
		 AS_NOTICE},
		{"duty cycle is short, and not for long",
		 STORM("\"lasts_s\":1799," COUNTS OVER ",\"refused\":100,\"refused_no_airtime\":51"),
		 "More devices ask to join than the gateways can answer, for 29 min. 6120 of 10000 devices "
		 "have joined, 3880 wait; over in 5 min to 13 min.",
		 AS_NOTICE},
		{"numbers below nothing",
		 STORM("\"lasts_s\":245,\"devices\":60,\"joined\":-7,\"waiting\":60"),
		 "More devices ask to join than the gateways can answer, for 4 min. 0 of 60 devices have "
		 "joined, 60 wait; no estimate yet.",
		 AS_NOTICE},
		{"the join server refuses",
		 STORM("\"lasts_s\":245," COUNTS OVER ",\"answered\":70,\"failed\":80,\"failed_no\":76"),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have "
		 "joined, 3880 wait; over in 5 min to 13 min. The join server refused 76 of 150: keys "
		 "differ, or "
		 "somebody asks in others' names.",
		 AS_NOTICE},
		{"it refuses some, as always",
		 STORM("\"lasts_s\":245," COUNTS OVER ",\"answered\":77,\"failed\":76,\"failed_no\":76"),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have "
		 "joined, 3880 wait; over in 5 min to 13 min.",
		 AS_NOTICE},
		{"gateways are away",
		 STORM("\"lasts_s\":245," COUNTS OVER ",\"refused\":100,\"refused_no_path\":51"),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have "
		 "joined, 3880 wait; over in 5 min to 13 min. 51 requests came by gateways that cannot be "
		 "reached.",
		 AS_NOTICE},
		{"too few to say anything of",
		 STORM("\"lasts_s\":245," COUNTS OVER ",\"failed\":19,\"failed_no\":19,\"refused\":19,"
		       "\"refused_no_path\":19"),
		 "More devices ask to join than the gateways can answer, for 4 min. 6120 of 10000 devices "
		 "have "
		 "joined, 3880 wait; over in 5 min to 13 min.",
		 AS_NOTICE},
		{"numbers of a city of millions",
		 STORM("\"lasts_s\":172800,\"devices\":10000000,\"joined\":4444444,\"waiting\":5555556,"
		       "\"over_in_s\":{\"least\":100000,\"most\":200000},\"answered\":0,\"failed\":99999999,"
		       "\"failed_no\":99999999"),
		 "More devices ask to join than the gateways can answer, for 2 d 0 h. 4444444 of 10000000 "
		 "devices "
		 "have joined, 5555556 wait; over in 28 h to 56 h. The join server refused 99999999 of "
		 "99999999: "
		 "keys differ, or somebody asks in others' names.",
		 AS_WARNING},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char sentence[AS_ALARM_SENTENCE];
		t_row(rows[i].name);
		open_world();
		round_of(rows[i].health);
		t_str("raised at once", "raised", state_of(AS_ALARM_JOIN_STORM));
		const struct as_alarm *alarm = alarm_of(AS_ALARM_JOIN_STORM);
		t_str("sentence", rows[i].sentence, alarm ? as_alarm_sentence(sentence, alarm) : "");
		t_str("about", "city", alarm ? alarm->name : "");
		t_int("severity", rows[i].severity, alarm ? (int)alarm->severity : -1);
		t_str("nothing is left of it", "none", state_of(AS_ALARM_JOIN_STORM_LEFT));
		as_alarms_release(&alarms);
	}
}

static void what_is_no_storm(void **state)
{
	(void)state;
	static const struct {
		const char *name, *health;
	} rows[] = {
		{"none since the start", "{\"warnings\":[]}"},
		{"one that is over and left nobody",
		 CALM("\"ended_s\":10,\"devices\":60,\"joined\":60,\"waiting\":0")},
		{"a state that nobody knows", "{\"join_storm\":{\"state\":\"weather\",\"lasts_s\":3}}"},
		{"no state", "{\"join_storm\":{\"lasts_s\":3}}"},
		{"no object", "{\"join_storm\":true}"},
		{"numbers that are none", CALM("\"ended_s\":\"x\",\"waiting\":-7")},
		{"one of more than a day ago",
		 CALM("\"ended_s\":86400,\"devices\":9,\"joined\":0,\"waiting\":9")},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		open_world();
		round_of(rows[i].health);
		pass(HOUR);
		round_of(rows[i].health);
		t_str("no storm", "none", state_of(AS_ALARM_JOIN_STORM));
		t_str("nobody left", "none", state_of(AS_ALARM_JOIN_STORM_LEFT));
		as_alarms_release(&alarms);
	}
}

static const char storm[] = STORM("\"lasts_s\":245," COUNTS OVER);

static void it_clears_when_it_is_calm(void **state)
{
	(void)state;
	open_world();
	round_of(storm);
	round_of(CALM("\"ended_s\":1,\"devices\":60,\"joined\":60,\"waiting\":0"));
	t_str("a moment may be calm", "raised", state_of(AS_ALARM_JOIN_STORM));
	pass(MINUTE);
	t_str("a minute is", "cleared", state_of(AS_ALARM_JOIN_STORM));
	t_str("nobody was left", "none", state_of(AS_ALARM_JOIN_STORM_LEFT));
	as_alarms_release(&alarms);
}

static void while_the_network_server_is_away(void **state)
{
	(void)state;
	open_world();
	round_of(storm);
	for (int i = 0; i < 100; i++) {
		pass(5 * US_PER_S);
		round_of(NULL);
	}
	t_str("it does not answer: what was so stands", "raised", state_of(AS_ALARM_JOIN_STORM));
	round_of("{\"warnings\":[]}");
	pass(10 * US_PER_S);
	round_of(STORM("\"lasts_s\":4,\"devices\":51,\"joined\":0,\"waiting\":51"));
	t_str("started anew, it sees the storm again within a minute: the same alarm", "raised",
	      state_of(AS_ALARM_JOIN_STORM));
	t_int("once", 1, (int)alarm_of(AS_ALARM_JOIN_STORM)->times);
	round_of("{\"warnings\":[]}");
	pass(MINUTE);
	t_str("or it does not", "cleared", state_of(AS_ALARM_JOIN_STORM));
	as_alarms_release(&alarms);
}

static void those_that_it_left(void **state)
{
	(void)state;
	char sentence[AS_ALARM_SENTENCE];
	open_world();
	round_of(storm);
	for (int minute = 0; minute < 15; minute++) {
		char health[200];
		snprintf(health, sizeof health,
			 CALM("\"ended_s\":%d,\"devices\":100,\"joined\":40,\"waiting\":60"),
			 minute * 60 + 1);
		round_of(health);
		t_true("for a quarter of an hour nothing is said",
		       strcmp(state_of(AS_ALARM_JOIN_STORM_LEFT), "pending") == 0);
		pass(MINUTE);
	}
	round_of(CALM("\"ended_s\":901,\"devices\":100,\"joined\":40,\"waiting\":60"));
	t_str("then it is", "raised", state_of(AS_ALARM_JOIN_STORM_LEFT));
	t_str("in words",
	      "After a join storm 60 devices that asked in it are not there. It ended 16 min ago; 40 of 100 "
	      "devices have joined.",
	      as_alarm_sentence(sentence, alarm_of(AS_ALARM_JOIN_STORM_LEFT)));
	t_int("many", AS_WARNING, (int)alarm_of(AS_ALARM_JOIN_STORM_LEFT)->severity);
	round_of(CALM("\"ended_s\":950,\"devices\":100,\"joined\":99,\"waiting\":1"));
	t_str("one is left", "raised", state_of(AS_ALARM_JOIN_STORM_LEFT));
	round_of(CALM("\"ended_s\":960,\"devices\":100,\"joined\":100,\"waiting\":0"));
	t_str("none is", "cleared", state_of(AS_ALARM_JOIN_STORM_LEFT));
	round_of(CALM("\"ended_s\":960,\"devices\":100,\"joined\":99,\"waiting\":1"));
	pass(HOUR);
	t_str("raised again", "raised", state_of(AS_ALARM_JOIN_STORM_LEFT));
	round_of(STORM("\"lasts_s\":4,\"devices\":51,\"joined\":0,\"waiting\":51"));
	t_str("the next storm has an account of its own", "cleared", state_of(AS_ALARM_JOIN_STORM_LEFT));
	round_of(CALM("\"ended_s\":960,\"devices\":100,\"joined\":99,\"waiting\":1"));
	pass(HOUR);
	round_of(CALM("\"ended_s\":86400,\"devices\":100,\"joined\":99,\"waiting\":1"));
	t_str("after a day they are as others that do not join", "cleared",
	      state_of(AS_ALARM_JOIN_STORM_LEFT));
	as_alarms_release(&alarms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_words_fit_the_numbers), t_test(what_is_no_storm),
		t_test(it_clears_when_it_is_calm), t_test(while_the_network_server_is_away),
		t_test(those_that_it_left),
	};
	return t_run(tests);
}
