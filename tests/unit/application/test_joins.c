/* What became of join-requests, as the application server keeps and shows it. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/joins/joins.h"

#include <stdio.h>
#include <string.h>

#define DEVICE UINT64_C(0x0102030405060708) /* of t_city_furnish() */
#define S      US_PER_S

static struct t_city *city;

static struct net_join_report report_of(uint64_t attempt, enum net_join_verdict verdict, uint64_t dev_eui)
{
	struct net_join_report report = {
		.attempt = attempt,
		.verdict = verdict,
		.time = city->now.wall,
		.dev_eui = lw_eui64_from_number(dev_eui),
		.join_eui = lw_eui64_from_number(0x1122334455667788),
		.dev_nonce = 17,
		.has_heard = true,
		.freq_hz = 868100000,
		.modulation = {LW_LORA, 10, 125000, 0, 0, "4/5"},
		.gateway_count = 2,
		.gateway = lw_eui64_from_number(0xaa),
		.rssi_dbm = -101,
		.has_snr = true,
		.snr_cdb = -550,
		.region_id = "eu868",
		.times = 1,
		.channel = 0,
	};
	if (dev_eui == DEVICE) {
		report.has_device = true;
		report.device = report.dev_eui;
		report.device_join_eui = report.join_eui;
	}
	return report;
}

static void hears(const struct net_join_report *report)
{
	t_int("taken", ST_OK, as_joins_on_report(&city->joins, city->now, report));
	t_int("committed", ST_OK, as_store_commit(city->store));
}

static void report(uint64_t attempt, enum net_join_verdict verdict, uint64_t dev_eui)
{
	struct net_join_report made = report_of(attempt, verdict, dev_eui);
	hears(&made);
}

static void passes(span_us span)
{
	city->now.wall.us += span;
	city->now.mono = mono_add(city->now.mono, span);
}

static size_t list(const struct as_scope *scope, const char *target)
{
	t_int(target, 200, t_city_call(city, scope, "GET", target, NULL));
	return json_array_size(json_object_get(t_city_answer(city), "items"));
}

static const char *text(size_t item, const char *member)
{
	const char *value = json_string_value(
		json_object_get(json_array_get(json_object_get(t_city_answer(city), "items"), item), member));
	return value ? value : "(none)";
}

static long long number(size_t item, const char *member)
{
	return json_integer_value(
		json_object_get(json_array_get(json_object_get(t_city_answer(city), "items"), item), member));
}

static void begins(void)
{
	city = t_city_new();
	t_city_furnish(city);
}

static void an_attempt_grows(void **state)
{
	(void)state;
	begins();
	struct net_join_report made = report_of(5, NET_JOIN_ACCEPT_SENT, DEVICE);
	made.has_tx = true;
	made.tx_gateway = lw_eui64_from_number(0xbb);
	made.tx_window = GW_RX2;
	made.tx_freq_hz = 869525000;
	made.left = 4700 * US_PER_MS;
	hears(&made);
	struct net_join_report more = {.attempt = 5,
				       .verdict = NET_JOIN_JOINED,
				       .time = city->now.wall,
				       .dev_eui = made.dev_eui,
				       .has_device = true,
				       .device = made.device};
	hears(&more);
	t_uint("one attempt", 1, list(&t_city_admin, "/api/v1/devices/0102030405060708/joins"));
	t_str("verdict", "joined", text(0, "verdict"));
	t_str("no problem", "(none)", text(0, "problem"));
	t_int("RSSI stays", -101, number(0, "rssi"));
	t_int("DevNonce stays", 17, number(0, "dev_nonce"));
	t_str("data rate", "SF10BW125", text(0, "data_rate"));
	t_str("message",
	      "The device joined, and its first uplink was heard. Accept: gateway 00000000000000bb, RX2, "
	      "869.525 MHz.",
	      text(0, "message"));
	t_city_free(city);
}

static void the_last_ten_stay(void **state)
{
	(void)state;
	begins();
	for (uint64_t i = 1; i <= 25; i++) {
		report(i, NET_JOIN_WRONG_KEY, DEVICE);
		passes(S);
	}
	t_uint("kept", AS_ATTEMPTS_KEPT, list(&t_city_admin, "/api/v1/devices/0102030405060708/joins"));
	t_str("the newest first", "0000000000000019", text(0, "attempt"));
	t_uint("the list has one a device", 1, list(&t_city_admin, "/api/v1/joins"));
	t_int("and how many", AS_ATTEMPTS_KEPT, number(0, "attempts"));
	t_uint("since long ago", 1, list(&t_city_admin, "/api/v1/joins?since=3600"));
	passes(3600 * S);
	t_uint("not of this minute", 0, list(&t_city_admin, "/api/v1/joins?since=60"));
	t_int("what is no time", 422,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/joins?since=-1", NULL));
	t_int("pruned", ST_OK, as_store_attempts_prune(city->store, city->now.wall, 1000));
	t_uint("all", 0, list(&t_city_admin, "/api/v1/joins"));
	t_city_free(city);
}

static void who_sees_what(void **state)
{
	(void)state;
	begins();
	t_int("another agency", 201,
	      t_city_call(city, &t_city_admin, "POST", "/api/v1/agencies",
			  "{\"slug\":\"water\",\"name\":\"Water\"}"));
	struct as_scope parks = t_city_scope(city, AS_READER, "parks"),
			water = t_city_scope(city, AS_MANAGER, "water");
	report(1, NET_JOIN_WRONG_KEY, DEVICE);
	report(2, NET_JOIN_FOREIGN, 0x99);
	report(3, NET_JOIN_UNKNOWN_DEV_EUI, 0x98);
	t_uint("its agency", 1, list(&parks, "/api/v1/devices/0102030405060708/joins"));
	t_uint("its list", 1, list(&parks, "/api/v1/joins"));
	t_uint("another's list", 0, list(&water, "/api/v1/joins"));
	t_int("another's device", 404,
	      t_city_call(city, &water, "GET", "/api/v1/devices/0102030405060708/joins", NULL));
	t_int("a stranger's", 404,
	      t_city_call(city, &parks, "GET", "/api/v1/devices/0000000000000099/joins", NULL));
	t_int("strangers", 403, t_city_call(city, &parks, "GET", "/api/v1/joins?unknown=true", NULL));
	t_uint("engineers: strangers", 2, list(&t_city_admin, "/api/v1/joins?unknown=true"));
	t_uint("engineers: one of them", 1, list(&t_city_admin, "/api/v1/devices/0000000000000099/joins"));
	t_str("which", "foreign", text(0, "verdict"));
	t_uint("one that is silent", 0, list(&t_city_admin, "/api/v1/devices/0000000000000097/joins"));
	t_uint("none of them is among the devices", 1, list(&t_city_admin, "/api/v1/joins"));

	const struct {
		const char *name;
		const struct as_scope *scope;
		uint64_t by_device; /* 0: all */
		unsigned shown;
	} views[] = {
		{"all of an agency", &parks, 0, 1},
		{"all of another", &water, 0, 0},
		{"all of the city", &t_city_admin, 0, 3},
		{"a device", &parks, DEVICE, 1},
		{"a stranger, for an agency", &parks, 0x99, 0},
		{"a stranger, for engineers", &t_city_admin, 0x99, 1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		t_row(views[i].name);
		struct as_view view = {.scope = *views[i].scope,
				       .joins = true,
				       .by_device = views[i].by_device != 0,
				       .dev_eui = lw_eui64_from_number(views[i].by_device)};
		unsigned shown = 0;
		const struct as_live_join *join;
		for (uint64_t at = 0; (join = as_joins_next(&city->joins, at)); at = join->seq)
			shown += as_view_shows_join(&view, &join->attempt);
		t_uint("shown", views[i].shown, shown);
	}
	t_row("streams");
	t_int("an agency follows its device", 200,
	      t_city_call(city, &parks, "GET", "/api/v1/events?joins=true&device=0102030405060708", NULL));
	t_int("an agency does not follow a stranger", 404,
	      t_city_call(city, &parks, "GET", "/api/v1/events?joins=true&device=0000000000000099", NULL));
	t_int("an engineer follows a device before it is registered", 200,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/events?joins=true&device=0000000000000099",
			  NULL));
	t_city_free(city);
}

/* The person with the device in hand looks at the EUI on the label; what it sends is the mirror image. */
static void a_mistaken_eui_is_shown_with_the_device(void **state)
{
	(void)state;
	begins();
	struct as_scope parks = t_city_scope(city, AS_READER, "parks");
	struct net_join_report made = report_of(1, NET_JOIN_DEV_EUI_REVERSED, 0x0807060504030201);
	made.has_device = true;
	made.device = lw_eui64_from_number(DEVICE);
	hears(&made);
	t_uint("with the registered EUI", 1, list(&parks, "/api/v1/devices/0102030405060708/joins"));
	t_str("verdict", "dev_eui_reversed", text(0, "problem"));
	t_str("as sent", "0807060504030201", text(0, "dev_eui"));
	t_uint("engineers: with the one that is sent", 1,
	       list(&t_city_admin, "/api/v1/devices/0807060504030201/joins"));
	t_uint("and among the unknown", 1, list(&t_city_admin, "/api/v1/joins?unknown=true"));
	t_city_free(city);
}

static void strangers_are_few_and_forgotten(void **state)
{
	(void)state;
	begins();
	report(1, NET_JOIN_UNKNOWN_DEV_EUI, 0x77);
	for (uint64_t i = 0; i < AS_STRANGERS_MAX + 10; i++) {
		passes(S);
		report(100 + i, NET_JOIN_FOREIGN, 0x990000 + i);
	}
	t_uint("bounded", AS_STRANGERS_MAX, city->joins.foreign.count);
	t_uint("those that were silent longest went", 10, city->joins.strangers_replaced);
	t_uint("as many as were asked for", 3, list(&t_city_admin, "/api/v1/joins?unknown=true&limit=3"));
	t_str("the latest first", "0000000000990409", text(0, "dev_eui"));
	t_uint("the first of them went", 0, list(&t_city_admin, "/api/v1/devices/0000000000990009/joins"));
	t_uint("the next is there", 1, list(&t_city_admin, "/api/v1/devices/000000000099000a/joins"));
	const struct as_live_join *next = as_joins_next(&city->joins, 1);
	t_true("a reader that fell behind goes on at the oldest",
	       next && next->seq == city->joins.last - AS_LIVE_JOINS + 1);
	t_uint("what has our JoinEUI stays whatever foreign ones do", 1,
	       list(&t_city_admin, "/api/v1/devices/0000000000000077/joins"));
	t_uint("nothing of it is in the file", 0, list(&t_city_admin, "/api/v1/joins"));
	struct net_join_report again = report_of(7, NET_JOIN_UNKNOWN_DEV_EUI, 0x77);
	again.times = 4;
	hears(&again);
	(void)list(&t_city_admin, "/api/v1/devices/0000000000000077/joins");
	t_int("requests are added up", 5, number(0, "requests"));
	passes(AS_STRANGERS_KEPT + S);
	t_uint("after 24 h nobody sees them", 0, list(&t_city_admin, "/api/v1/joins?unknown=true"));
	as_joins_expire(&city->joins, city->now);
	t_uint("and they are gone", 0, city->joins.foreign.count + city->joins.unknown.count);
	t_true("from the stream too", !as_joins_next(&city->joins, 0));
	t_city_free(city);
}

/* The list tells what is to be registered: what has been is no longer in it. */
static void what_was_registered_since(void **state)
{
	(void)state;
	begins();
	report(1, NET_JOIN_UNKNOWN_DEV_EUI, 0x77);
	report(2, NET_JOIN_UNKNOWN_DEV_EUI, 0x78);
	struct net_join_report made = report_of(3, NET_JOIN_UNKNOWN_DEV_EUI, DEVICE);
	made.has_device = false; /* heard before somebody registered it */
	passes(S);
	hears(&made);
	t_uint("not in the list", 2, list(&t_city_admin, "/api/v1/joins?unknown=true"));
	t_uint("nor in the place of another", 2, list(&t_city_admin, "/api/v1/joins?unknown=true&limit=2"));
	t_city_free(city);
}

static void silence_after_an_accept(void **state)
{
	(void)state;
	begins();
	report(1, NET_JOIN_ACCEPTED, DEVICE);
	passes(1800 * S);
	(void)list(&t_city_admin, "/api/v1/devices/0102030405060708/joins");
	t_str("half an hour is nothing", "accepted", text(0, "verdict"));
	t_str("no problem", "(none)", text(0, "problem"));
	passes(1801 * S);
	(void)list(&t_city_admin, "/api/v1/devices/0102030405060708/joins");
	t_str("after an hour", "no_uplink", text(0, "problem"));
	struct net_up_event up = {.head = {.id = {{1}},
					   .row = 1,
					   .time = city->now.wall,
					   .dev_eui = lw_eui64_from_number(DEVICE)},
				  .region_id = "eu868",
				  .modulation = {LW_LORA, 7, 125000, 0, 0, "4/5"}};
	t_int("an uplink", ST_OK, as_application_on_up(&city->app, city->now, &up));
	t_int("stored", ST_OK, as_store_commit(city->store));
	(void)list(&t_city_admin, "/api/v1/devices/0102030405060708/joins");
	t_str("then it had joined", "joined", text(0, "verdict"));
	t_city_free(city);
}

static const struct {
	const char *name;
	enum net_join_verdict verdict;
	const char *cause;
	uint16_t unheard;
	const char *plan; /* off it; NULL: on it */
	const char *problem;
	const char *contains; /* of the message */
	enum net_join_request request;
} sentences[] = {
	{"another JoinEUI", NET_JOIN_JOIN_EUI_DIFFERS, "", 0, NULL, "join_eui_differs",
	 "It sends 1122334455667788, registered is 00000000000000cc.", NET_REQUEST_JOIN},
	{"no such DevEUI", NET_JOIN_UNKNOWN_DEV_EUI, "", 0, NULL, "unknown_dev_eui",
	 "It sends DevEUI 0102030405060708, JoinEUI 1122334455667788.", NET_REQUEST_JOIN},
	{"a DevNonce with the last one", NET_JOIN_DEV_NONCE_NOT_INCREASING,
	 "JoinReqFailed: dev_nonce_not_increasing: 17, the last was 900", 0, NULL, "dev_nonce_not_increasing",
	 "DevNonce 17, the last was 900.", NET_REQUEST_JOIN},
	{"a DevNonce of a foreign join server", NET_JOIN_DEV_NONCE_USED, "FrameReplayed", 0, NULL,
	 "dev_nonce_used", "DevNonce 17.", NET_REQUEST_JOIN},
	{"a count of type 2", NET_JOIN_RJ_COUNT, "", 0, NULL, "rj_count", "RJcount0 17.",
	 NET_REQUEST_REJOIN_2},
	{"a count of type 1, with the last one", NET_JOIN_RJ_COUNT,
	 "JoinReqFailed: rj_count_not_increasing: 17, the last was 18", 0, NULL, "rj_count",
	 "RJcount1 17, the last was 18.", NET_REQUEST_REJOIN_1},
	{"a gateway that refuses", NET_JOIN_GATEWAY_REFUSED, "tx_freq", 0, NULL, "gateway_refused",
	 "It said: tx_freq.", NET_REQUEST_JOIN},
	{"two regions", NET_JOIN_WRONG_REGION, "us915", 0, NULL, "wrong_region",
	 "The gateway is set to eu868, the device's profile to us915.", NET_REQUEST_JOIN},
	{"not heard three times", NET_JOIN_ACCEPT_UNHEARD, "", 3, NULL, "accept_not_heard",
	 "3 accepts in a row", NET_REQUEST_JOIN},
	{"another sub-band", NET_JOIN_ACCEPTED, "", 0, "8-15,65", "wrong_sub_band",
	 "It sent on 868.1 MHz (channel 3, sub-band 1); the gateway's plan is 8-15,65 (sub-band 2).",
	 NET_REQUEST_JOIN},
	{"another sub-band, and joined all the same", NET_JOIN_JOINED, "", 0, "0-7,64", "wrong_sub_band",
	 "0-7,64 (sub-band 1)", NET_REQUEST_JOIN},
	{"a worse problem comes first", NET_JOIN_WRONG_KEY, "", 0, "8-15", "wrong_key", "8-15 (sub-band 2)",
	 NET_REQUEST_JOIN},
	{"a plan of no sub-band", NET_JOIN_JOINED, "", 0, "0-3,9", "wrong_sub_band", "plan is 0-3,9.",
	 NET_REQUEST_JOIN},
};

static void what_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sentences); i++) {
		begins();
		t_row(sentences[i].name);
		struct net_join_report made = report_of(1, sentences[i].verdict, DEVICE);
		made.device_join_eui = lw_eui64_from_number(0xcc);
		snprintf(made.cause, sizeof made.cause, "%s", sentences[i].cause);
		made.unheard = sentences[i].unheard;
		made.request = sentences[i].request;
		made.off_plan = sentences[i].plan != NULL;
		made.channel = 3;
		made.sub_band = 1;
		snprintf(made.plan, sizeof made.plan, "%s", sentences[i].plan ? sentences[i].plan : "");
		hears(&made);
		(void)list(&t_city_admin, "/api/v1/devices/0102030405060708/joins");
		t_str("problem", sentences[i].problem, text(0, "problem"));
		t_str("request", net_join_request_name(sentences[i].request), text(0, "request"));
		if (!strstr(text(0, "message"), sentences[i].contains))
			t_str("message has", sentences[i].contains, text(0, "message"));
		t_true("and says what to do", strlen(text(0, "next")) > 10);
		t_city_free(city);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_attempt_grows),
		t_test(the_last_ten_stay),
		t_test(who_sees_what),
		t_test(a_mistaken_eui_is_shown_with_the_device),
		t_test(strangers_are_few_and_forgotten),
		t_test(what_was_registered_since),
		t_test(silence_after_an_accept),
		t_test(what_is_said),
	};
	return t_run(tests);
}
