/* Live frames in the application server: who is shown which, what a call may ask for, and a frame as JSON. */
#include "tests/harness/harness.h"
#include "tests/harness/city.h"

#include "application-server/frames/frame_json.h"
#include "application-server/uuid.h"

#include <string.h>

static const struct lw_eui64 device = {{1, 2, 3, 4, 5, 6, 7, 8}};
static const struct lw_eui64 gateway = {{0xaa, 2, 3, 4, 5, 6, 7, 8}};

static struct t_city *city;

static void call(const char *method, const char *target, const char *body)
{
	t_true(target, t_city_call(city, &t_city_admin, method, target, body) / 100 == 2);
}

static void furnish(void)
{
	city = t_city_new();
	t_city_furnish(city);
	call("POST", "/api/v1/agencies", "{\"slug\":\"water\",\"name\":\"Water\"}");
	call("POST", "/api/v1/gateways",
	     "{\"eui\":\"aa02030405060708\",\"name\":\"Roof\",\"region\":\"eu868\"}");
}

/* --- rights -------------------------------------------------------------------------------------------------- */

static struct net_frame frame_of(bool has_device, enum net_frame_standing standing)
{
	struct net_frame frame = {.direction = LW_UP,
				  .standing = standing,
				  .has_device = has_device,
				  .dev_eui = device,
				  .has_dev_addr = true,
				  .dev_addr = {0x26010203},
				  .reception_count = 1,
				  .receptions = {{.gateway = gateway}}};
	snprintf(frame.verdict, sizeof frame.verdict, "accepted");
	return frame;
}

static void each_sees_what_it_may(void **state)
{
	(void)state;
	furnish();
	const struct as_scope parks = t_city_scope(city, AS_READER, "parks");
	const struct as_scope water = t_city_scope(city, AS_MANAGER, "water");
	const struct as_scope nobody = {.role = AS_NOBODY};
	const struct net_uuid *owner = as_scope_agency(&parks);
	const struct {
		const char *name;
		bool has_device;
		enum net_frame_standing standing;
		bool owned;
		bool city, parks, water;
	} rows[] = {
		{"of a device of parks", true, NET_FRAME_GOOD, true, true, true, false},
		{"of a device of no agency", true, NET_FRAME_GOOD, false, true, false, false},
		{"a wrong MIC, of nobody that is known", false, NET_FRAME_PROBLEM, false, true, false, false},
		{"another network's", false, NET_FRAME_FOREIGN, false, true, false, false},
		{"another network's that claims a device", true, NET_FRAME_FOREIGN, true, true, false, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		const struct net_frame frame = frame_of(rows[i].has_device, rows[i].standing);
		struct as_view view = {.frames = true, .frame_filter = {.foreign = true}};
		const struct net_uuid *of = rows[i].owned ? owner : NULL;
		view.scope = t_city_admin;
		t_int("city", rows[i].city, as_view_shows_frame(&view, &frame, of));
		view.scope = parks;
		t_int("parks", rows[i].parks, as_view_shows_frame(&view, &frame, of));
		view.scope = water;
		t_int("water", rows[i].water, as_view_shows_frame(&view, &frame, of));
		view.scope = nobody;
		t_false("nobody", as_view_shows_frame(&view, &frame, of));
	}
	t_city_free(city);
}

/* --- what a call may ask for ---------------------------------------------------------------------------------- */

static void a_call_is_judged(void **state)
{
	(void)state;
	furnish();
	static const struct {
		const char *name, *query;
		int city, parks, water; /* HTTP status */
		const char *field;      /* of the problem that the city gets */
	} rows[] = {
		{"everything", "", 200, 200, 200, NULL},
		{"a gateway of the city", "?gateway=aa02030405060708", 200, 404, 404, NULL},
		{"a gateway that is not registered", "?gateway=aa02030405060709", 404, 404, 404, NULL},
		{"no EUI", "?gateway=nonsense", 404, 404, 404, NULL},
		{"a device", "?device=0102030405060708", 200, 200, 404, NULL},
		{"a device that is not registered", "?device=0102030405060709", 404, 404, 404, NULL},
		{"an address", "?dev_addr=26010203", 200, 200, 200, NULL},
		{"a prefix", "?dev_addr=26000000/7", 200, 200, 200, NULL},
		{"bits behind the prefix", "?dev_addr=26010203/7", 422, 422, 422, "dev_addr"},
		{"a prefix of 33 bits", "?dev_addr=26000000/33", 422, 422, 422, "dev_addr"},
		{"no address", "?dev_addr=2601", 422, 422, 422, "dev_addr"},
		{"a verdict", "?verdict=mic", 200, 200, 200, NULL},
		{"several", "?verdict=mic,fcnt_old", 200, 200, 200, NULL},
		{"problems", "?verdict=problems", 200, 200, 200, NULL},
		{"no verdict", "?verdict=MIC%20wrong", 422, 422, 422, "verdict"},
		{"downlinks", "?direction=down", 200, 200, 200, NULL},
		{"no direction", "?direction=sideways", 422, 422, 422, "direction"},
		{"other networks' too", "?foreign=true", 200, 403, 403, NULL},
		{"ours", "?foreign=false", 200, 200, 200, NULL},
		{"neither", "?foreign=maybe", 422, 422, 422, "foreign"},
	};
	const struct as_scope parks = t_city_scope(city, AS_READER, "parks");
	const struct as_scope water = t_city_scope(city, AS_MANAGER, "water");
	const struct as_scope nobody = {.role = AS_NOBODY};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char target[100];
		t_row(rows[i].name);
		snprintf(target, sizeof target, "/api/v1/frames%s", rows[i].query);
		t_int("parks", rows[i].parks, t_city_call(city, &parks, "GET", target, NULL));
		t_int("streams to parks", rows[i].parks == 200, city->answer.streams);
		t_int("water", rows[i].water, t_city_call(city, &water, "GET", target, NULL));
		t_int("nobody", 404, t_city_call(city, &nobody, "GET", target, NULL));
		t_int("city", rows[i].city, t_city_call(city, &t_city_admin, "GET", target, NULL));
		t_int("streams", rows[i].city == 200, city->answer.streams);
		if (rows[i].city == 200)
			t_true("frames", city->answer.view.frames);
		else if (rows[i].field)
			t_str("field", rows[i].field, t_city_text(city, "field"));
	}
	t_city_free(city);
}

static void a_verdict_that_no_rule_has_is_refused_where_the_rules_are_known(void **state)
{
	(void)state;
	furnish();
	const char *target = "/api/v1/frames?verdict=mic,mics";
	t_int("not known yet", 200, t_city_call(city, &t_city_admin, "GET", target, NULL));
	city->api.network_rules = json_pack("[{ss ss ss}]", "process", "network-server", "table", "drop",
					    "verdict", "mic");
	t_int("known", 422, t_city_call(city, &t_city_admin, "GET", target, NULL));
	t_str("field", "verdict", t_city_text(city, "field"));
	t_true("named", strstr(t_city_text(city, "detail"), "mics: no such verdict") != NULL);
	t_int("a rule", 200, t_city_call(city, &t_city_admin, "GET", "/api/v1/frames?verdict=mic", NULL));
	json_decref(city->api.network_rules);
	city->api.network_rules = NULL;
	t_city_free(city);
}

static void what_is_asked_for_becomes_the_filter(void **state)
{
	(void)state;
	furnish();
	t_int("status", 200,
	      t_city_call(
		      city, &t_city_admin, "GET",
		      "/api/v1/frames?gateway=aa02030405060708&device=0102030405060708&dev_addr=26000000/7&"
		      "verdict=mic,problems&direction=up&foreign=true",
		      NULL));
	const struct net_frame_filter *filter = &city->answer.view.frame_filter;
	t_true("gateway", filter->by_gateway && lw_eui64_equal(&filter->gateway, &gateway));
	t_true("device", filter->by_device && lw_eui64_equal(&filter->dev_eui, &device));
	t_true("address", filter->by_dev_addr);
	t_uint("prefix", 0x26000000, filter->dev_addr.value);
	t_uint("bits", 7, filter->dev_addr.bits);
	t_str("verdicts", "mic,problems", filter->verdicts);
	t_int("direction", NET_FRAMES_UP, filter->directions);
	t_true("foreign", filter->foreign);
	t_int("one address", 200,
	      t_city_call(city, &t_city_admin, "GET", "/api/v1/frames?dev_addr=26010203", NULL));
	t_uint("all bits", 32, city->answer.view.frame_filter.dev_addr.bits);
	t_false("foreign only when asked for", city->answer.view.frame_filter.foreign);
	t_city_free(city);
}

/* --- as JSON -------------------------------------------------------------------------------------------------- */

static const struct lw_modulation sf7 = {LW_LORA, 7, 125000, 0, 0, "4/5"};

static json_t *json_of(const struct net_frame *frame, const struct as_device_info *info)
{
	static char text[AS_FRAME_MAX];
	size_t length = 0;
	if (!t_true("fits", as_frame_json(text, sizeof text, frame, info, &length)))
		return NULL;
	t_uint("length", strlen(text), length);
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	t_true("is JSON", json != NULL);
	return json;
}

static const char *text_at(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));
	return text ? text : "";
}

static long long number_at(const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);
	return json_is_integer(value) ? json_integer_value(value) : -4711;
}

static void an_uplink_is_told_in_the_specifications_words(void **state)
{
	(void)state;
	static const struct as_device_info info = {.name = "Probe \"1\"\x1b[2J",
						   .application_name = "Meters"};
	/* ConfirmedDataUp, ADR, ACK, two bytes of FOpts, FPort 10, three bytes of payload. */
	static const uint8_t phy[] = {0x80, 0x03, 0x02, 0x01, 0x26, 0xa2, 0x34, 0x12, 0x02,
				      0x03, 0x0a, 0xaa, 0xbb, 0xcc, 0xde, 0xad, 0xbe, 0xef};
	struct net_frame frame = frame_of(true, NET_FRAME_GOOD);
	frame.number = 17;
	frame.time.us = INT64_C(1760000000123456);
	memcpy(frame.phy, phy, sizeof phy);
	frame.phy_length = sizeof phy;
	frame.has_fcnt = true;
	frame.fcnt = 0x51234;
	frame.freq_hz = 868100000;
	frame.modulation = sf7;
	frame.has_dr = true;
	frame.dr = 5;
	frame.gateway_count = 1;
	snprintf(frame.region_id, sizeof frame.region_id, "eu868");
	frame.receptions[0].rssi_dbm = -101;
	frame.receptions[0].has_snr = true;
	frame.receptions[0].snr_cdb = -550;
	json_t *json = json_of(&frame, &info);
	const json_t *fctrl = json_object_get(json, "fCtrl");
	const json_t *rx = json_array_get(json_object_get(json, "rxInfo"), 0);
	t_int("number", 17, number_at(json, "number"));
	t_str("direction", "up", text_at(json, "direction"));
	t_str("time", "2025-10-09T08:53:20.123456+00:00", text_at(json, "time"));
	t_str("verdict", "accepted", text_at(json, "verdict"));
	t_str("standing", "good", text_at(json, "standing"));
	t_str("device", "0102030405060708", text_at(json, "devEui"));
	t_str("its name", info.name, text_at(json, "deviceName"));
	t_str("type", "ConfirmedDataUp", text_at(json, "fType"));
	t_str("address", "26010203", text_at(json, "devAddr"));
	t_int("counter", 0x51234, number_at(json, "fCnt"));
	t_int("of which is known", 32, number_at(json, "fCntBits"));
	t_true("ADR", json_is_true(json_object_get(fctrl, "adr")));
	t_true("ACK", json_is_true(json_object_get(fctrl, "ack")));
	t_int("FOptsLen", 2, number_at(fctrl, "fOptsLen"));
	t_str("FOpts", "0203", text_at(json, "fOpts"));
	t_int("port", 10, number_at(json, "fPort"));
	t_str("ciphered payload", "aabbcc", text_at(json, "frmPayload"));
	t_str("MIC in the order on air", "deadbeef", text_at(json, "mic"));
	t_str("bytes", "8003020126a2341202030aaabbccdeadbeef", text_at(json, "phyPayload"));
	t_int("rate", 5, number_at(json, "dr"));
	t_int("frequency", 868100000, number_at(json_object_get(json, "txInfo"), "frequency"));
	t_str("gateway", "aa02030405060708", text_at(rx, "gatewayId"));
	t_int("RSSI", -101, number_at(rx, "rssi"));
	t_true("no transmission", json_object_get(json, "tx") == NULL);
	json_decref(json);
	frame.has_fcnt = false;
	json = json_of(&frame, NULL);
	t_int("the counter on the air", 0x1234, number_at(json, "fCnt"));
	t_int("of which is known", 16, number_at(json, "fCntBits"));
	t_true("no name", json_object_get(json, "deviceName") == NULL);
	json_decref(json);
}

static void a_join_request_and_a_downlink_have_parts_of_their_own(void **state)
{
	(void)state;
	struct net_frame frame = frame_of(false, NET_FRAME_PROBLEM);
	static const uint8_t join[23] = {0x00, 1, 0, 0, 0, 0,    0,    0, 0, 8, 7, 6,
					 5,    4, 3, 2, 1, 0x34, 0x12, 1, 2, 3, 4};
	memcpy(frame.phy, join, sizeof join);
	frame.phy_length = sizeof join;
	frame.modulation = sf7;
	json_t *json = json_of(&frame, NULL);
	const json_t *request = json_object_get(json, "joinRequest");
	t_str("type", "JoinRequest", text_at(json, "fType"));
	t_str("JoinEUI", "0000000000000001", text_at(request, "joinEui"));
	t_str("the DevEUI that it claims", "0102030405060708", text_at(request, "devEui"));
	t_int("DevNonce", 0x1234, number_at(request, "devNonce"));
	t_true("it is nobody that is known", json_object_get(json, "devEui") == NULL);
	json_decref(json);

	static const uint8_t rejoin[19] = {0xc0, 2, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 0x34, 0x12, 1, 2, 3, 4};
	memcpy(frame.phy, rejoin, sizeof rejoin);
	frame.phy_length = sizeof rejoin;
	json = json_of(&frame, NULL);
	request = json_object_get(json, "rejoinRequest");
	t_str("a rejoin-request", "RejoinRequest", text_at(json, "fType"));
	t_int("its type", 2, number_at(request, "rejoinType"));
	t_str("NetID", "010203", text_at(request, "netId"));
	t_str("DevEUI", "0102030405060708", text_at(request, "devEui"));
	t_int("RJcount", 0x1234, number_at(request, "rjCount"));
	json_decref(json);

	frame = frame_of(true, NET_FRAME_NOTE);
	static const uint8_t down[] = {0x60, 3, 2, 1, 0x26, 0x30, 1, 0, 1, 2, 3, 4};
	memcpy(frame.phy, down, sizeof down);
	frame.phy_length = sizeof down;
	frame.modulation = sf7;
	frame.direction = LW_DOWN;
	frame.downlink = 0x0102;
	frame.attempt = 1;
	frame.tx = (struct gw_tx_attempt){
		.gateway = gateway, .window = GW_RX2, .timing = GW_AT_TICKS, .ticks = {99}, .power_dbm = 27};
	frame.left = 812345;
	json = json_of(&frame, NULL);
	const json_t *tx = json_object_get(json, "tx");
	t_str("direction", "down", text_at(json, "direction"));
	t_true("pending", json_is_true(json_object_get(json_object_get(json, "fCtrl"), "fPending")));
	t_str("downlink", "0000000000000102", text_at(tx, "downlinkId"));
	t_int("the second attempt", 2, number_at(tx, "attempt"));
	t_str("gateway", "aa02030405060708", text_at(tx, "gatewayId"));
	t_str("window", "RX2", text_at(tx, "window"));
	t_int("power", 27, number_at(tx, "power"));
	t_int("left", 812, number_at(tx, "leftMs"));
	t_false("answered", json_is_true(json_object_get(tx, "answered")));
	t_true("no receptions", json_object_get(json, "rxInfo") == NULL);
	json_decref(json);
}

static void any_bytes_make_a_frame_that_fits(void **state)
{
	(void)state;
	struct net_frame frame = frame_of(true, NET_FRAME_PROBLEM);
	frame.modulation = sf7;
	frame.reception_count = NET_RECEPTIONS_MAX;
	memset(frame.sentence, 1, sizeof frame.sentence - 1); /* six characters each */
	memset(frame.next, '"', sizeof frame.next - 1);
	for (unsigned first = 0; first < 256; first++) {
		frame.phy_length = (uint8_t)(1 + (first * 7) % 255);
		memset(frame.phy, (int)first, sizeof frame.phy);
		json_t *json = json_of(&frame, NULL);
		t_true("a type", text_at(json, "fType")[0] != '\0');
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(each_sees_what_it_may),
		t_test(a_call_is_judged),
		t_test(a_verdict_that_no_rule_has_is_refused_where_the_rules_are_known),
		t_test(what_is_asked_for_becomes_the_filter),
		t_test(an_uplink_is_told_in_the_specifications_words),
		t_test(a_join_request_and_a_downlink_have_parts_of_their_own),
		t_test(any_bytes_make_a_frame_that_fits),
	};
	return t_run(tests);
}
