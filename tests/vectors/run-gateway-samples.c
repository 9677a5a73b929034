/* run-gateway-samples FILE...: the captured and hand-made messages of tests/vectors/gateway-samples. A datagram of udp.json is fed to
 * the real parser and, as a whole, to the bridge core with every EUI registered; a message of basicstation.json to the bridge's
 * codec. What goes down is fed to the simulated gateway or station.
 *
 * Every member of a sample but `json` and `notes` is consumed: one that nobody reads, or that is needed and absent, is a
 * failure. `FAIL file: name: member: expected X, got Y`; last line `N passed, N failed, N skipped`. */
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/io/http_parse.h"
#include "common/text/region_yaml.h"
#include "gateway-bridge/bridge.h"
#include "gateway-bridge/cups.h"
#include "simulator/semtech_gateway.h"
#include "simulator/station_down.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAM_MAX 65536

struct sample {
	const char *file, *name;
	json_t *members;
	const char *read[24]; /* names that were consumed */
	size_t read_count;
	bool failed;
	uint8_t bytes[DATAGRAM_MAX];
	size_t length;
};

static void fail(struct sample *sample, const char *member, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void fail(struct sample *sample, const char *member, const char *format, ...)
{
	fprintf(stderr, "FAIL %s: %s: %s: ", sample->file, sample->name, member);
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	sample->failed = true;
}

/* --- members, and that each is read */

static json_t *read_member(struct sample *sample, const char *name)
{
	json_t *value = json_object_get(sample->members, name);
	if (value == NULL)
		fail(sample, name, "expected the member, got none");
	else if (sample->read_count < ARRAY_SIZE(sample->read))
		sample->read[sample->read_count++] = name;
	return value;
}

static const char *read_text(struct sample *sample, const char *name)
{
	const char *text = json_string_value(read_member(sample, name));
	if (text == NULL)
		fail(sample, name, "expected text, got something else");
	return text ? text : "";
}

static void check_all_read(struct sample *sample)
{
	const char *name;
	json_t *value;
	json_object_foreach(sample->members, name, value)
	{
		bool seen = strcmp(name, "json") == 0 || strcmp(name, "notes") == 0;
		for (size_t i = 0; i < sample->read_count; i++)
			seen |= strcmp(name, sample->read[i]) == 0;
		if (!seen)
			fail(sample, name, "expected to be consumed, got unread");
	}
}

static void expect_text(struct sample *sample, const char *member, const json_t *expected, const char *got)
{
	const char *text = json_is_null(expected) ? NULL : json_string_value(expected);
	if (!json_is_null(expected) && text == NULL)
		fail(sample, member, "expected text or null in the sample");
	else if ((text == NULL) != (got == NULL) || (text && strcmp(text, got) != 0))
		fail(sample, member, "expected %s, got %s", text ? text : "null", got ? got : "null");
}

static void expect_number(struct sample *sample, const char *member, const json_t *expected, bool has,
			  long long got)
{
	if (json_is_null(expected) && has)
		fail(sample, member, "expected null, got %lld", got);
	else if (!json_is_null(expected) && !json_is_integer(expected))
		fail(sample, member, "expected an integer or null in the sample");
	else if (json_is_integer(expected) && (!has || json_integer_value(expected) != got))
		fail(sample, member, "expected %lld, got %s%lld", json_integer_value(expected),
		     has ? "" : "null, not ", got);
}

/* --- the bridge core */

/* The generator of the core: its next draw is the sample's token, so that a TX_ACK finds the downlink it answers. */
static struct gb_token next_token;
static void fill_token(struct rng *rng, uint8_t *bytes, size_t length)
{
	(void)rng;
	for (size_t i = 0; i < length; i++)
		bytes[i] = next_token.bytes[i % sizeof next_token.bytes];
}

struct core {
	struct gb_bridge *bridge;
	struct now now;
	struct proto_message *message;
	unsigned uplinks, stats, tx_acks;
	struct gw_uplink last_uplink[8];
	struct gw_tx_ack tx_ack;
};

static const struct gb_peer peer = {.address = {.bytes = {127, 0, 0, 1}, .family = 4, .port = 1700}};

/* Takes everything that is to go to the network server. */
static void drain_messages(struct core *core)
{
	while (gb_bridge_next_message(core->bridge, core->now, core->message)) {
		if (core->message->kind == PROTO_GATEWAY_UPLINK)
			core->last_uplink[core->uplinks++ % ARRAY_SIZE(core->last_uplink)] =
				core->message->gateway_uplink;
		if (core->message->kind == PROTO_GATEWAY_TX_ACK) {
			core->tx_acks++;
			core->tx_ack = core->message->gateway_tx_ack;
		}
		gb_bridge_message_sent(core->bridge);
	}
}

static void tell(struct core *core, struct proto_message *message)
{
	enum status status = gb_bridge_on_network_message(core->bridge, core->now, message);
	ASSERT_CMP(status, ==, ST_OK);
}

static void core_start(struct core *core, struct rng *rng, const struct lw_eui64 *eui)
{
	static const struct gb_options options = {.name = "samples",
						  .ring_age = 60 * US_PER_S,
						  .ring_bytes = 1 << 20,
						  .per_eui = {200, 400},
						  .frames = {1000, 2000},
						  .unknown = {2000, 2000}};
	*core = (struct core){.bridge = gb_bridge_new(&options, rng),
			      .message = calloc(1, sizeof *core->message),
			      .now = {.mono = {1000 * US_PER_S}, .wall = {1790000000 * US_PER_S}}};
	ASSERT(core->message != NULL);
	gb_bridge_on_link_open(core->bridge, core->now);
	drain_messages(core);
	core->message->kind = PROTO_HELLO;
	core->message->hello = (struct proto_hello){.role = PROTO_NETWORK_SERVER, .major = PROTO_MAJOR};
	tell(core, core->message);
	core->message->kind = PROTO_GATEWAY_LIST;
	core->message->gateway_list.version = 1;
	core->message->gateway_list.first = core->message->gateway_list.last = true;
	core->message->gateway_list.count = 1;
	core->message->gateway_list.gateways[0] = (struct gw_gateway){
		.eui = *eui, .region_id = "eu868", .accept = GW_ACCEPT_UDP};
	tell(core, core->message);
}

static void core_stop(struct core *core)
{
	gb_bridge_free(core->bridge);
	free(core->message);
}

/* A downlink is in flight under the sample's token, as if the gateway had pulled and been sent one. */
static void send_downlink(struct core *core, const struct gb_header *header)
{
	uint8_t pull[GB_HEADER_SIZE] = {2, 0, 0, GB_PULL_DATA};
	memcpy(pull + 4, header->gateway.bytes, 8);
	gb_bridge_on_datagram(core->bridge, core->now, &peer, pull, sizeof pull);
	core->message->kind = PROTO_GATEWAY_DOWNLINK;
	core->message->gateway_downlink = (struct gw_downlink){
		.id = 77, .phy = {0x60}, .phy_length = 1, .attempt_count = 1};
	core->message->gateway_downlink.attempts[0] = (struct gw_tx_attempt){
		.gateway = header->gateway,
		.timing = GW_IMMEDIATELY,
		.freq_hz = 868100000,
		.modulation = {
			.kind = LW_LORA, .spreading_factor = 7, .bandwidth_hz = 125000, .code_rate = "4/5"}};
	tell(core, core->message);
	struct gb_datagram datagram;
	while (gb_bridge_take_datagram(core->bridge, &datagram))
		;
}

static void check_reply(struct sample *sample, struct core *core)
{
	const char *expected = json_string_value(read_member(sample, "expect_reply"));
	struct gb_datagram reply;
	if (!gb_bridge_take_datagram(core->bridge, &reply)) {
		if (expected)
			fail(sample, "expect_reply", "expected %s, got none", expected);
		return;
	}
	const char *got = gb_identifier_name(reply.bytes[3]);
	if (expected == NULL || strcmp(expected, got) != 0)
		fail(sample, "expect_reply", "expected %s, got %s", expected ? expected : "none", got);
	if (reply.length != GB_ACK_SIZE || memcmp(reply.bytes, sample->bytes, 3) != 0)
		fail(sample, "expect_reply", "expected version and token of the request in 4 bytes");
	if (gb_bridge_take_datagram(core->bridge, &reply))
		fail(sample, "expect_reply", "expected one reply, got two");
}

/* --- PUSH_DATA */

static void check_frame(struct sample *sample, json_t *expected, const struct gb_rxpk *got)
{
	static const char *const modulations[] = {
		[LW_LORA] = "LORA", [LW_FSK] = "FSK", [LW_LR_FHSS] = "LR-FHSS"};
	static const char *const crcs[] = {[GW_CRC_OK] = "ok", [GW_CRC_BAD] = "bad", [GW_CRC_NONE] = "none"};
	char phy[2 * LW_PHY_PAYLOAD_MAX + 1];
	hex_encode(phy, got->phy, got->phy_length);
	static const char *const members[] = {"freq_hz",  "modulation", "data_rate", "coding_rate", "tmst",
					      "rssi_dbm", "snr_cdb",    "crc",       "phy"};
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (json_object_get(expected, members[i]) == NULL)
			fail(sample, members[i], "expected the member in expect_frames, got none");
	}
	if (json_object_size(expected) != ARRAY_SIZE(members))
		fail(sample, "expect_frames", "expected 9 members, got %zu", json_object_size(expected));
	expect_number(sample, "freq_hz", json_object_get(expected, "freq_hz"), true, (long long)got->freq_hz);
	expect_text(sample, "modulation", json_object_get(expected, "modulation"),
		    modulations[got->modulation.kind]);
	expect_text(sample, "data_rate", json_object_get(expected, "data_rate"), got->data_rate);
	expect_text(sample, "coding_rate", json_object_get(expected, "coding_rate"),
		    got->coding_rate[0] ? got->coding_rate : NULL);
	expect_number(sample, "tmst", json_object_get(expected, "tmst"), true, got->ticks.us);
	expect_number(sample, "rssi_dbm", json_object_get(expected, "rssi_dbm"), got->has_rssi,
		      got->rssi_dbm);
	expect_number(sample, "snr_cdb", json_object_get(expected, "snr_cdb"), got->has_snr, got->snr_cdb);
	expect_text(sample, "crc", json_object_get(expected, "crc"), crcs[got->crc]);
	expect_text(sample, "phy", json_object_get(expected, "phy"), phy);
}

/* Reads the body with the parser alone. Returns whether every part was accepted; counts what the core must forward. */
static bool check_push(struct sample *sample, struct gb_json *json, unsigned *forwarded, unsigned *stats)
{
	json_t *frames = read_member(sample, "expect_frames");
	long long count = json_integer_value(read_member(sample, "expect_rxpk"));
	bool wants_stat = json_is_true(read_member(sample, "expect_stat"));
	unsigned accepted = 0;
	bool clean = true;
	struct gb_push push;
	enum gb_verdict verdict = gb_push_open(json, sample->bytes + GB_HEADER_SIZE,
					       sample->length - GB_HEADER_SIZE, &push);
	*forwarded = *stats = 0;
	if (verdict != GB_ACCEPTED) {
		clean = false;
	} else {
		struct gb_rxpk rxpk;
		while (gb_push_next(&push, &rxpk, &verdict)) {
			clean &= verdict == GB_ACCEPTED;
			if (verdict != GB_ACCEPTED)
				continue;
			if (json_array_get(frames, accepted))
				check_frame(sample, json_array_get(frames, accepted), &rxpk);
			accepted++;
			*forwarded += rxpk.crc != GW_CRC_BAD && rxpk.phy_length > 0;
		}
		struct gw_stats read;
		if (gb_push_stat(&push, &read, &verdict)) {
			clean &= verdict == GB_ACCEPTED;
			*stats = verdict == GB_ACCEPTED;
		}
	}
	if (accepted != (unsigned long long)count || json_array_size(frames) != accepted)
		fail(sample, "expect_rxpk", "expected %lld and %zu frames, got %u", count,
		     json_array_size(frames), accepted);
	if ((*stats == 1) != wants_stat)
		fail(sample, "expect_stat", "expected %d, got %u", wants_stat, *stats);
	return clean;
}

/* --- TX_ACK */

static bool check_tx_ack(struct sample *sample, struct gb_json *json, bool valid, const struct core *core)
{
	static const char *const outcomes[] = {
		[GB_TX_OK] = "ok", [GB_TX_WARNING] = "warn", [GB_TX_ERROR] = "error"};
	struct gb_tx_ack ack;
	enum gb_verdict verdict = gb_tx_ack_parse(json, sample->bytes + GB_HEADER_SIZE,
						  sample->length - GB_HEADER_SIZE, &ack);
	if (!valid) {
		if (core->tx_acks != 0)
			fail(sample, "valid", "expected nothing of it at the network server, got an answer");
		return verdict == GB_ACCEPTED;
	}
	json_t *expected = read_member(sample, "expect_tx_ack");
	if (verdict != GB_ACCEPTED)
		return false;
	if (json_object_size(expected) != 3)
		fail(sample, "expect_tx_ack", "expected 3 members, got %zu", json_object_size(expected));
	expect_text(sample, "result", json_object_get(expected, "result"), outcomes[ack.outcome]);
	expect_text(sample, "cause", json_object_get(expected, "cause"), ack.cause[0] ? ack.cause : NULL);
	expect_number(sample, "power_dbm", json_object_get(expected, "power_dbm"), ack.has_power,
		      ack.power_dbm);

	if (core->tx_acks != 1 || core->tx_ack.id != 77)
		fail(sample, "expect_tx_ack", "expected one answer at the network server, got %u",
		     core->tx_acks);
	else if ((core->tx_ack.result == GW_TX_OK) != (ack.outcome != GB_TX_ERROR) ||
		 strcmp(core->tx_ack.cause, ack.outcome == GB_TX_ERROR ? ack.cause : "") != 0 ||
		 core->tx_ack.has_power != ack.has_power || core->tx_ack.power_dbm != ack.power_dbm)
		fail(sample, "expect_tx_ack", "expected the same at the network server, got %s",
		     gw_tx_result_name(core->tx_ack.result));
	return true;
}

/* --- messages of Basics Station */

static void expect_valid(struct sample *sample, bool valid, bool good, const char *why)
{
	if (good != valid)
		fail(sample, "valid", "expected %s, got %s", valid ? "accepted" : "refused", why);
}

static const struct lw_region *region_of(struct sample *sample)
{
	static struct lw_region region;
	bool named = json_object_get(sample->members, "region") != NULL;
	const char *id = named ? read_text(sample, "region") : "eu868";
	if (strcmp(region.id, id) != 0 && !region_load(&region, id))
		fail(sample, "region", "expected a region, got %s", id);
	return &region;
}

static void check_station_up(struct sample *sample, struct gb_json *json, const char *text, bool valid)
{
	struct gb_station_message message = {0};
	enum gb_verdict verdict = gb_station_parse(json, text, strlen(text), region_of(sample), &message);
	bool expected = json_object_get(sample->members, "phy") != NULL;
	expect_valid(sample, valid, verdict == GB_ACCEPTED, gb_verdict_name(verdict));
	if (verdict != GB_ACCEPTED)
		return;
	if (expected != (message.frame.phy_length > 0))
		fail(sample, "phy", "expected %s frame, got %u bytes", expected ? "a" : "no",
		     message.frame.phy_length);
	if (expected) {
		char phy[2 * LW_PHY_PAYLOAD_MAX + 1];
		hex_encode(phy, message.frame.phy, message.frame.phy_length);
		expect_text(sample, "phy", read_member(sample, "phy"), phy);
	}
	/* Every one of these carries `json`: the numbers that must not have lost a bit. */
	json_t *said = json_object_get(json_object_get(sample->members, "json"), "upinfo");
	if (said && message.frame.phy_length > 0) {
		expect_number(sample, "xtime", json_object_get(said, "xtime"), true, message.frame.xtime);
		expect_number(sample, "rctx", json_object_get(said, "rctx"), true, message.frame.rctx);
	}
}

static void check_discovery(struct sample *sample, struct gb_json *json, const char *text, bool valid)
{
	struct lw_eui64 eui = {{0}};
	enum gb_verdict verdict = gb_station_discovery(json, text, strlen(text), &eui);
	expect_valid(sample, valid, verdict == GB_ACCEPTED, gb_verdict_name(verdict));
	if (verdict != GB_ACCEPTED)
		return;
	char got[17];
	snprintf(got, sizeof got, "%016llX", (unsigned long long)lw_eui64_number(&eui));
	expect_text(sample, "eui", read_member(sample, "eui"), got);
	/* What is answered names the same router, in a form that a station reads. */
	char id6[GB_STATION_ID6_TEXT], answer[64];
	struct lw_eui64 again = {{0}};
	gb_station_id6(id6, &eui);
	int length = snprintf(answer, sizeof answer, "{\"router\":\"%s\"}", id6);
	if (gb_station_discovery(json, answer, (size_t)length, &again) != GB_ACCEPTED ||
	    !lw_eui64_equal(&eui, &again))
		fail(sample, "eui", "expected %s back, got %s", got, id6);
}

static void check_cups_question(struct sample *sample, struct gb_json *json, const char *text, bool valid)
{
	struct gb_cups_question question = {0};
	json_t *said = json_object_get(sample->members, "json");
	enum gb_verdict verdict = gb_cups_question(json, text, strlen(text), &question);
	expect_valid(sample, valid, verdict == GB_ACCEPTED, gb_verdict_name(verdict));
	expect_number(sample, "cupsCredCrc", json_object_get(said, "cupsCredCrc"), true,
		      question.cups_credentials_crc);
	expect_number(sample, "tcCredCrc", json_object_get(said, "tcCredCrc"), true,
		      question.tc_credentials_crc);
	expect_text(sample, "model", json_object_get(said, "model"), question.model);
	expect_text(sample, "cupsUri", json_object_get(said, "cupsUri"), question.cups_uri);
}

static void check_http(struct sample *sample, const char *text, bool valid)
{
	static struct http_head head;
	int status = http_head_parse((const uint8_t *)text, strlen(text), &head);
	const char *token = status == 0 ? http_head_find(&head, "authorization") : NULL;
	expect_valid(sample, valid, status == 0 && token && strcmp(head.path, "/router-info") == 0,
		     status ? "an HTTP error" : "no token");
}

static void run_station(struct sample *sample, struct gb_json *json)
{
	const char *kind = read_text(sample, "kind");
	bool valid = json_is_true(read_member(sample, "valid"));
	if (strcmp(kind, "cups-response") == 0) {
		struct sim_cups_answer answer;
		const char *hex = read_text(sample, "hex");
		if (!hex_decode(sample->bytes, sizeof sample->bytes, &sample->length, hex, strlen(hex)))
			fail(sample, "hex", "expected hexadecimal digits");
		enum sim_station_verdict verdict = sim_cups_parse(sample->bytes, sample->length, &answer);
		expect_valid(sample, valid, verdict == SIM_STATION_OK, sim_station_verdict_name(verdict));
		return;
	}
	const char *text = read_text(sample, "text");
	if (strcmp(kind, "up") == 0) {
		check_station_up(sample, json, text, valid);
	} else if (strcmp(kind, "discovery-up") == 0) {
		check_discovery(sample, json, text, valid);
	} else if (strcmp(kind, "cups-request") == 0) {
		check_cups_question(sample, json, text, valid);
	} else if (strcmp(kind, "http") == 0) {
		check_http(sample, text, valid);
	} else if (strcmp(kind, "discovery-down") == 0) {
		char uri[SIM_STATION_URI_MAX + 1];
		enum sim_station_verdict verdict = sim_station_discovered(text, strlen(text), uri);
		expect_valid(sample, valid, verdict == SIM_STATION_OK, sim_station_verdict_name(verdict));
	} else if (strcmp(kind, "down") == 0) {
		static struct sim_station_down down;
		struct sim_station_config config;
		(void)region_of(sample);
		sim_station_config_default(&config);
		enum sim_station_verdict verdict = sim_station_parse(text, strlen(text), &config, &down);
		expect_valid(sample, valid, verdict == SIM_STATION_OK, sim_station_verdict_name(verdict));
	} else {
		fail(sample, "kind", "expected a kind of message, got %s", kind);
	}
}

/* --- one sample */

static void check_type(struct sample *sample)
{
	const char *expected = read_text(sample, "type");
	char got[16];
	if (sample->length < 4)
		snprintf(got, sizeof got, "truncated");
	else if (sample->bytes[3] <= GB_TX_ACK)
		snprintf(got, sizeof got, "%s", gb_identifier_name(sample->bytes[3]));
	else
		snprintf(got, sizeof got, "0x%02x", sample->bytes[3]);
	if (strcmp(expected, got) != 0)
		fail(sample, "type", "expected %s, got %s", expected, got);
}

static void check_up(struct sample *sample, struct gb_json *json, bool valid)
{
	struct gb_header header = {.gateway = {{0}}};
	enum gb_verdict verdict = gb_header_parse(sample->bytes, sample->length, &header);
	bool good = verdict == GB_ACCEPTED;
	unsigned forwarded = 0, stats = 0;
	struct rng rng = {.fill = fill_token};
	struct core core;
	if (good)
		next_token = header.token;
	core_start(&core, &rng, &header.gateway);
	if (good && header.identifier == GB_TX_ACK)
		send_downlink(&core, &header);
	gb_bridge_on_datagram(core.bridge, core.now, &peer, sample->bytes, sample->length);
	check_reply(sample, &core);
	drain_messages(&core);

	if (good && header.identifier == GB_PUSH_DATA)
		good = check_push(sample, json, &forwarded, &stats);
	else if (good && header.identifier == GB_TX_ACK)
		good = check_tx_ack(sample, json, valid, &core);
	if (verdict != GB_ACCEPTED && json_object_get(sample->members, "expect_rxpk"))
		fail(sample, "expect_rxpk", "expected to be read, got a datagram that is not acknowledged");
	if (good != valid)
		fail(sample, "valid", "expected %d, got %d", valid, good);
	core.stats = (unsigned)gb_bridge_counters(core.bridge)->stats;
	if (core.uplinks != forwarded || core.stats != stats)
		fail(sample, "valid",
		     "expected %u frames at the network server and %u stats counted, got %u and %u",
		     forwarded, stats, core.uplinks, core.stats);
	core_stop(&core);
}

static void check_down(struct sample *sample, bool valid)
{
	struct sim_down down;
	enum sim_down_verdict verdict = sim_semtech_parse_down(sample->bytes, sample->length, &down);
	if (!json_is_null(read_member(sample, "expect_reply")))
		fail(sample, "expect_reply", "expected null: nothing that goes down is answered by a server");
	if ((verdict == SIM_DOWN_OK) != valid)
		fail(sample, "valid", "expected %d, got %s", valid, sim_down_verdict_name(verdict));
}

static bool run_sample(const char *file, json_t *members, struct gb_json *json)
{
	static struct sample sample;
	sample.file = file;
	sample.name = json_string_value(json_object_get(members, "name"));
	sample.name = sample.name ? sample.name : "(unnamed)";
	sample.members = members;
	sample.read_count = 0;
	sample.failed = false;
	read_text(&sample, "name");
	if (read_text(&sample, "source")[0] == 0)
		fail(&sample, "source", "expected where it comes from, got nothing");
	if (json_object_get(members, "kind")) {
		run_station(&sample, json);
		check_all_read(&sample);
		return !sample.failed;
	}
	const char *hex = read_text(&sample, "datagram_hex");
	if (!hex_decode(sample.bytes, sizeof sample.bytes, &sample.length, hex, strlen(hex)))
		fail(&sample, "datagram_hex", "expected hexadecimal digits");
	json_t *valid = read_member(&sample, "valid");
	const char *direction = read_text(&sample, "direction");
	if (!sample.failed && !json_is_boolean(valid))
		fail(&sample, "valid", "expected true or false");
	if (!sample.failed) {
		check_type(&sample);
		if (strcmp(direction, "up") == 0)
			check_up(&sample, json, json_is_true(valid));
		else if (strcmp(direction, "down") == 0)
			check_down(&sample, json_is_true(valid));
		else
			fail(&sample, "direction", "expected up or down, got %s", direction);
		check_all_read(&sample);
	}
	return !sample.failed;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	struct gb_json *json = gb_json_new();
	for (int i = 1; i < argc; i++) {
		json_error_t error;
		json_t *samples = json_load_file(argv[i], JSON_REJECT_DUPLICATES, &error);
		if (!json_is_array(samples) || json_array_size(samples) == 0) {
			fprintf(stderr, "FAIL %s: -: file: expected an array of samples, got %s\n", argv[i],
				error.text);
			failed++;
			json_decref(samples);
			continue;
		}
		size_t index;
		json_t *members;
		json_array_foreach(samples, index, members)
		{
			if (run_sample(argv[i], members, json))
				passed++;
			else
				failed++;
		}
		json_decref(samples);
	}
	gb_json_free(json);
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed > 0 || passed == 0;
}
