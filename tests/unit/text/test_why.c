/* Answers to "why?": what stands for a subject, whom it is asked of, and how what they say is put together and summed up. */
#include "tests/harness/harness.h"

#include "common/text/why.h"

#include <stdio.h>
#include <string.h>

#define NOW (INT64_C(1800000000) * US_PER_S) /* 2027-01-15T08:00:00Z */

static void subjects(void **state)
{
	static const struct {
		const char *name;
		enum why_kind asked;
		const char *typed;
		bool taken;
		enum why_kind kind;
		const char *text;
		unsigned fcnt;
	} rows[] = {
		{"a device", WHY_DEVICE, "70B3D57ED0000001", true, WHY_DEVICE, "70b3d57ed0000001", 0},
		{"with colons", WHY_DEVICE, "70:b3:d5:7e:d0:00:00:01", true, WHY_DEVICE, "70b3d57ed0000001",
		 0},
		{"too short", WHY_DEVICE, "70b3d57ed00000", false, WHY_DEVICE, "", 0},
		{"too long", WHY_GATEWAY, "70b3d57ed000000101", false, WHY_GATEWAY, "", 0},
		{"no hex", WHY_JOIN, "70b3d57ed000000g", false, WHY_JOIN, "", 0},
		{"empty", WHY_DEVICE, "", false, WHY_DEVICE, "", 0},
		{"a downlink", WHY_DOWNLINK, "0B6E2B9C-6d1f-4f6e-9a53-1f0f7f3f0c11", true, WHY_DOWNLINK,
		 "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11", 0},
		{"no UUID", WHY_DOWNLINK, "0b6e2b9c", false, WHY_DOWNLINK, "", 0},
		{"a MIC", WHY_FRAME, "2B11ff0d", true, WHY_FRAME, "2b11ff0d", 0},
		{"a whole frame", WHY_FRAME, "40f17dbe4900020001954378762b11ff0d", true, WHY_FRAME,
		 "2b11ff0d", 0},
		{"address and counter", WHY_FRAME, "49be7df1:2", true, WHY_COUNTED, "49be7df1", 2},
		{"the largest counter", WHY_FRAME, "49be7df1:4294967295", true, WHY_COUNTED, "49be7df1",
		 4294967295u},
		{"beyond", WHY_FRAME, "49be7df1:4294967296", false, WHY_COUNTED, "", 0},
		{"no counter", WHY_FRAME, "49be7df1:", false, WHY_COUNTED, "", 0},
		{"an event", WHY_FRAME, "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11", true, WHY_EVENT,
		 "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11", 0},
		{"three bytes", WHY_FRAME, "010203", false, WHY_FRAME, "", 0},
		{"half a byte more", WHY_FRAME, "40f17dbe4900020001954378762b11ff0d1", false, WHY_FRAME, "",
		 0},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct why_subject subject;
		const char *expected = "";
		t_row(rows[i].name);
		bool taken = why_subject_parse(&subject, rows[i].asked, rows[i].typed, &expected);
		t_int("taken", rows[i].taken, taken);
		if (!taken) {
			t_true("what is expected is said", *expected != '\0');
			continue;
		}
		t_int("kind", rows[i].kind, subject.kind);
		t_str("text", rows[i].text, subject.text);
		t_uint("counter", rows[i].fcnt, subject.fcnt);
	}
}

static void who_is_asked(void **state)
{
	static const struct {
		const char *name;
		enum why_kind kind;
		const char *typed, *targets[WHY_PROCESS_COUNT];
	} rows[] = {
		{"a device",
		 WHY_DEVICE,
		 "0000000000000001",
		 {NULL, "/why/device/0000000000000001?limit=20", "/why/device/0000000000000001?limit=20",
		  "/why/device/0000000000000001?limit=20"}},
		{"a gateway",
		 WHY_GATEWAY,
		 "0000000000000001",
		 {"/why/gateway/0000000000000001?limit=20", "/why/gateway/0000000000000001?limit=20", NULL,
		  NULL}},
		{"a frame",
		 WHY_FRAME,
		 "2b11ff0d",
		 {"/why/frame/2b11ff0d?limit=20", "/why/frame/2b11ff0d?limit=20",
		  "/why/frame/2b11ff0d?limit=20", NULL}},
		{"a frame, and whose it is",
		 WHY_FRAME,
		 "2b11ff0d@49be7df1",
		 {"/why/frame/2b11ff0d?limit=20", "/why/frame/2b11ff0d?limit=20&of=49be7df1",
		  "/why/frame/2b11ff0d?limit=20", NULL}},
		{"a whole uplink",
		 WHY_FRAME,
		 "40f17dbe4900020001954378762b11ff0d",
		 {"/why/frame/2b11ff0d?limit=20", "/why/frame/2b11ff0d?limit=20&of=49be7df1",
		  "/why/frame/2b11ff0d?limit=20", NULL}},
		{"a whole join-request",
		 WHY_FRAME,
		 "000100000000000000020000000000000017002b11ff0d",
		 {"/why/frame/2b11ff0d?limit=20", "/why/frame/2b11ff0d?limit=20&of=0000000000000002",
		  "/why/frame/2b11ff0d?limit=20", NULL}},
		{"by its counter",
		 WHY_FRAME,
		 "49be7df1:2",
		 {NULL, "/why/dev-addr/49be7df1?limit=200", NULL, NULL}},
		{"a downlink of no known device",
		 WHY_DOWNLINK,
		 "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11",
		 {NULL, NULL, NULL, NULL}},
		{"nobody",
		 WHY_SERVER,
		 "",
		 {"/why/gateway/0000000000000000?limit=20", "/why/server?limit=20",
		  "/why/device/0000000000000000?limit=20", NULL}},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct why_subject subject;
		const char *expected;
		t_row(rows[i].name);
		assert_true(why_subject_parse(&subject, rows[i].kind, rows[i].typed, &expected));
		for (int process = 0; process < WHY_PROCESS_COUNT; process++) {
			char target[WHY_TARGET_MAX] = "";
			bool asked = why_target(&subject, (enum why_process)process, 20, target);
			t_str(why_process_name((enum why_process)process),
			      rows[i].targets[process] ? rows[i].targets[process] : "", asked ? target : "");
		}
	}
}

/* --- putting together ------------------------------------------------------------------------------------------------ */

static json_t *load(const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

/* Asks for a device with what the processes and the asker say; NULL: not reached, "": nothing known. */
static json_t *answer(enum why_kind kind, const char *id, const char *bridge, const char *network,
		      const char *own, const char *facts)
{
	const char *texts[WHY_PROCESS_COUNT] = {bridge, network, "", ""}, *expected;
	struct why_part parts[WHY_PROCESS_COUNT] = {{false, false, NULL}};
	json_t *said[WHY_PROCESS_COUNT] = {NULL}, *decisions = own ? load(own) : NULL;
	struct why_question question = {
		.now = {NOW}, .facts = facts ? load(facts) : NULL, .decisions = decisions};
	assert_true(why_subject_parse(&question.subject, kind, id, &expected));
	for (int i = 0; i < 2; i++) {
		said[i] = texts[i] && *texts[i] ? load(texts[i]) : NULL;
		parts[i] = (struct why_part){true, texts[i] != NULL, said[i]};
	}
	json_t *made = why_answer(&question, parts);
	for (int i = 0; i < 2; i++)
		json_decref(said[i]);
	json_decref(decisions);
	json_decref((json_t *)question.facts);
	return made;
}

static void check(json_t *made, const char *verdicts, const char *summary, const char *next)
{
	char got[200] = "";
	size_t i;
	json_t *decision;
	json_array_foreach(json_object_get(made, "decisions"), i, decision)
	{
		size_t used = strlen(got);
		snprintf(got + used, sizeof got - used, "%s%s", used ? " " : "",
			 json_string_value(json_object_get(decision, "verdict")));
	}
	t_str("decisions", verdicts, got);
	t_str("summary", summary, json_string_value(json_object_get(made, "summary")));
	t_str("next", next, json_string_value(json_object_get(made, "next")));
	json_decref(made);
}

#define D(time, process, verdict, kind, next)                                                   \
	"{\"time\":\"2027-01-15T" time "Z\",\"process\":\"" process "\",\"verdict\":\"" verdict \
	"\",\"kind\":\"" kind "\",\"sentence\":\"S-" verdict ".\",\"next\":\"" next "\",\"numbers\":{}}"

static void newest_first_with_a_summary(void **state)
{
	static const char id[] = "0000000000000001";
	(void)state;
	t_row("nothing is known");
	check(answer(WHY_DEVICE, id, "", "", NULL,
		     "{\"registered\":true,\"enabled\":true,\"last_heard\":null}"),
	      "",
	      "Device 0000000000000001: No uplink of it was ever accepted. No decision about it is kept: "
	      "since the "
	      "servers started nothing that carries its identity was heard, nor sent to it.",
	      "See whether it sends at all, and whether a gateway near it is online: lamppost why gateway "
	      "EUI; "
	      "join-requests of mistaken EUIs: lamppost join list --unknown.");
	t_row("a refusal, and what was before");
	check(answer(WHY_DEVICE, id, "",
		     "{\"decisions\":[" D("05:00:00.000", "network-server", "mic", "problem", "Key.") "," D(
			     "04:00:00.000", "network-server", "uplink", "going_on", "") "]}",
		     "[" D("04:30:00.000", "application-server", "codec", "problem", "Codec.") "]",
		     "{\"name\":\"Oak\",\"registered\":true,\"enabled\":true,\"last_heard\":\"2027-01-15T04:"
		     "00:00.000Z\","
		     "\"waiting\":2}"),
	      "mic codec uplink",
	      "Device 0000000000000001 (Oak): Last uplink: 4 h ago. Downlinks that wait: 2. Last decision, 3 "
	      "h ago, the "
	      "network server: S-mic.",
	      "Key.");
	t_row("all is well since a problem");
	check(answer(WHY_DEVICE, id, "",
		     "{\"decisions\":[" D("07:59:30.000", "network-server", "uplink", "going_on",
					  "If often.") "," D("07:00:00.000", "network-server", "fcnt_old",
							     "problem", "Keys.") "]}",
		     NULL, NULL),
	      "uplink fcnt_old",
	      "Device 0000000000000001: Last decision, 30 s ago, the network server: S-uplink. Last problem, "
	      "60 min ago, "
	      "the network server: S-fcnt_old.",
	      "Keys.");
	t_row("everyday life with a step for the case that it goes on");
	check(answer(WHY_DEVICE, id, "",
		     "{\"decisions\":[" D("07:59:30.000", "network-server", "link_adr_asked", "going_on",
					  "From the third on.") "]}",
		     NULL, NULL),
	      "link_adr_asked",
	      "Device 0000000000000001: Last decision, 30 s ago, the network server: S-link_adr_asked.", "");
	t_row("a problem of the same moment leads");
	check(answer(WHY_DEVICE, id, "",
		     "{\"decisions\":[" D("07:59:30.900", "network-server", "planned", "going_on", "") "]}",
		     "[" D("07:59:30.100", "application-server", "codec", "problem", "Codec.") "]", NULL),
	      "planned codec",
	      "Device 0000000000000001: Last decision, 29 s ago, the application server: S-codec.", "Codec.");
	t_row("what the record says comes first");
	check(answer(WHY_DEVICE, id, "", NULL, NULL,
		     "{\"registered\":true,\"enabled\":false,\"last_heard\":null,\"behind\":[\"join-server\"]"
		     ",\"delivery\":"
		     "{\"state\":\"waiting\",\"backlog\":7}}"),
	      "",
	      "Device 0000000000000001: it is disabled: its frames are refused until it is enabled. Its "
	      "record has not "
	      "reached the join server yet. No uplink of it was ever accepted. Those that answered know of "
	      "no "
	      "decision about it. The MQTT broker is not "
	      "reached (waiting): 7 events wait for it. Not reached: network-server; what it knows is "
	      "missing here.",
	      "Have its review approved, or enable it: lamppost device update 0000000000000001 --enabled "
	      "true.");
	t_row("nobody says that a gateway is silent while the bridge is away");
	check(answer(WHY_GATEWAY, id, NULL, "", NULL, "{\"registered\":true}"), "",
	      "Gateway 0000000000000001: Those that answered know of no decision about it. Not reached: "
	      "gateway-bridge; what it knows is missing here.",
	      "See lamppost status: a process that should run does not answer.");
	t_row("what a gateway heard of a device is not its problem");
	check(answer(WHY_GATEWAY, id, "",
		     "{\"decisions\":[{\"time\":\"2027-01-15T07:59:50.000Z\",\"process\":\"network-server\","
		     "\"verdict\":\"unknown_dev_addr\",\"kind\":\"problem\",\"sentence\":\"S-heard.\","
		     "\"next\":"
		     "\"Join.\",\"numbers\":{},\"dev_addr\":\"01020304\"}," D(
			     "07:59:48.000", "network-server", "tx_freq", "problem", "Lut.") "]}",
		     NULL, NULL),
	      "unknown_dev_addr tx_freq",
	      "Gateway 0000000000000001: Last decision, 12 s ago, the network server: S-tx_freq.", "Lut.");
	t_row("a gateway that nobody registered");
	check(answer(WHY_GATEWAY, id,
		     "{\"decisions\":[" D("07:59:58.000", "gateway-bridge", "now", "problem",
					  "Register.") "]}",
		     "", NULL, "{\"registered\":false}"),
	      "now",
	      "Gateway 0000000000000001: it is not registered. Last decision, 2 s ago, the gateway bridge: "
	      "S-now.",
	      "Compare the EUI with the gateway's, digit by digit, and register it: lamppost gateway add.");
}

static bool is_no_secret(void *ctx, const json_t *decision)
{
	(void)ctx;
	return strcmp(json_string_value(json_object_get(decision, "verdict")), "secret") != 0;
}

/* What an asker may not see is neither shown nor counted nor summarised; what is too old neither. */
static void only_what_may_be_seen(void **state)
{
	static const char said[] = "{\"decisions\":[" D(
		"07:59:59.000", "network-server", "secret", "problem",
		"Ask.") "," D("07:59:30.000", "network-server", "uplink", "good",
			      "") "," D("05:00:00.000", "network-server", "mic", "problem", "Key.") "]}";
	const char *expected;
	json_t *decisions = load(said);
	struct why_part parts[WHY_PROCESS_COUNT] = {{false, false, NULL}};
	struct why_question question = {
		.now = {NOW}, .since = {NOW - 3600 * US_PER_S}, .shows = is_no_secret};
	(void)state;
	assert_true(why_subject_parse(&question.subject, WHY_DEVICE, "0000000000000001", &expected));
	parts[WHY_NETWORK_SERVER] = (struct why_part){true, true, decisions};
	json_t *made = why_answer(&question, parts);
	t_int("no more", 0, (int)json_integer_value(json_object_get(made, "more")));
	check(made, "uplink",
	      "Device 0000000000000001: Last decision, 30 s ago, the network server: S-uplink.", "");
	json_decref(decisions);
}

static void only_what_is_asked_for(void **state)
{
	static const char item[] = "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11";
	(void)state;
	t_row("of a counter");
	json_t *made = answer(
		WHY_FRAME, "49be7df1:65538", "",
		"{\"decisions\":[{\"time\":\"2027-01-15T07:00:00.000Z\",\"verdict\":\"a\",\"numbers\":{"
		"\"fcnt\":65538}},"
		"{\"time\":\"2027-01-15T06:00:00.000Z\",\"verdict\":\"b\",\"numbers\":{\"fcnt\":2}},"
		"{\"time\":\"2027-01-15T05:00:00.000Z\",\"verdict\":\"c\",\"numbers\":{\"fcnt\":3}},"
		"{\"time\":\"2027-01-15T04:00:00.000Z\",\"verdict\":\"d\",\"numbers\":{}}]}",
		NULL, NULL);
	t_uint("low bits on the air", 2, json_array_size(json_object_get(made, "decisions")));
	json_decref(made);
	t_row("of an item, by the digits that a record has");
	made = answer(WHY_DOWNLINK, item, NULL,
		      "{\"decisions\":[{\"time\":\"2027-01-15T07:00:00.000Z\",\"verdict\":\"a\",\"item\":"
		      "\"0b6e2b9c\"},"
		      "{\"time\":\"2027-01-15T07:00:00.000Z\",\"verdict\":\"b\",\"item\":\"0b6e2b9d\"}]}",
		      "[{\"time\":\"2027-01-15T06:00:00.000Z\",\"verdict\":\"c\","
		      "\"item\":\"0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11\"}]",
		      "{\"status\":\"queued\",\"cause\":\"duty_cycle\"}");
	t_uint("two", 2, json_array_size(json_object_get(made, "decisions")));
	t_true("its state", strstr(json_string_value(json_object_get(made, "summary")),
				   "it is queued, cause duty_cycle.") != NULL);
	json_decref(made);
	t_row("joins alone");
	made = answer(WHY_JOIN, "0000000000000001", NULL,
		      "{\"decisions\":[{\"time\":\"2027-01-15T07:00:00.000Z\",\"verdict\":\"join_timeout\"},"
		      "{\"time\":\"2027-01-15T06:30:00.000Z\",\"verdict\":\"disabled\",\"numbers\":{\"dev_"
		      "nonce\":1}},"
		      "{\"time\":\"2027-01-15T06:00:00.000Z\",\"verdict\":\"mic\"},{\"verdict\":\"join_"
		      "without_time\"}]}",
		      NULL, NULL);
	t_uint("two", 2, json_array_size(json_object_get(made, "decisions")));
	json_decref(made);
}

static void times_as_people_say_them(void **state)
{
	static const struct {
		const char *name;
		span_us span;
		const char *text;
	} rows[] = {{"a moment", 999, "0 s"},
		    {"the future", -5 * US_PER_S, "0 s"},
		    {"seconds", 119 * US_PER_S, "119 s"},
		    {"minutes", 120 * US_PER_S, "2 min"},
		    {"hours", 3 * 3600 * US_PER_S, "3 h"},
		    {"days", 50 * 3600 * US_PER_S, "2 d"}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[WHY_SPAN_TEXT];
		t_row(rows[i].name);
		t_str("text", rows[i].text, why_span_text(text, rows[i].span));
	}
	char text[WHY_TIME_TEXT];
	struct wall time = {0};
	t_str("a time", "2027-01-15T08:00:00.123Z", why_time_format(text, (struct wall){NOW + 123456}));
	t_true("read", why_time_parse(text, &time));
	t_int("the same", NOW + 123000, time.us);
	t_false("no time", why_time_parse("soon", &time));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(subjects),
		t_test(who_is_asked),
		t_test(newest_first_with_a_summary),
		t_test(only_what_may_be_seen),
		t_test(only_what_is_asked_for),
		t_test(times_as_people_say_them),
	};
	return t_run(tests);
}
