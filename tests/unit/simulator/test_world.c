/* The virtual world as a whole: an hour of a hundred devices is the same bit for bit under one seed and another under another; and devices
 * of every version join and talk through gateways with a small server that this file plays, in joins, acknowledgements, both receive
 * windows and lost downlinks. */
#include "simulator/world.h"

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "common/crypto/aes.h"
#include "common/lorawan/cipher.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/mac_command.h"
#include "common/lorawan/mic.h"

#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S INT64_C(1000000)

static struct sim_scenario load(const char *text)
{
	struct sim_scenario scenario;
	char error[SIM_SCENARIO_ERROR] = "";
	t_true("scenario is read", sim_scenario_load(&scenario, "test.yaml", text, strlen(text), error));
	t_str("error", "", error);
	return scenario;
}

static void nowhere(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket, const uint8_t *bytes,
		    size_t length)
{
	uint64_t *count = ctx;
	(void)now_us;
	(void)gateway;
	(void)socket;
	(void)bytes;
	(void)length;
	(*count)++;
}

static const char city[] =
	"seed: %d\n"
	"region: %s\n"
	"area_m: 3000\n"
	"path_loss: {exponent: 3.2, shadowing_db: 7, fading: rayleigh}\n"
	"gateways:\n"
	"  - {eui: aa555a0000000101, x: -800, y: 0, protocol: udp1, clock_drift_ppm: 20, backhaul_ms: 10, "
	"backhaul_jitter_ms: 5}\n"
	"  - {eui: aa555a0000000102, x: 800, y: 0, clock_drift_ppm: -12, backhaul_loss_percent: 2}\n"
	"  - {eui: aa555a0000000103, x: 0, y: 900}\n"
	"devices:\n"
	"  - {name: abp, count: 70, dev_eui: 1000000000000001, activation: abp, mac_version: \"1.0.4\", "
	"dev_addr: 01000001,\n"
	"     nwk_s_key: 01010101010101010101010100000000, app_s_key: 02020202020202020202020200000000, "
	"interval_s: 60, payload: air}\n"
	"  - {name: otaa, count: 30, dev_eui: 2000000000000001, join_eui: 3000000000000001, activation: "
	"otaa, mac_version: \"1.0.3\",\n"
	"     app_key: 03030303030303030303030300000000, interval_s: 60, payload: water, confirmed_every: "
	"1}\n";

struct hour {
	uint64_t digest;
	uint64_t datagrams;
	int64_t readings;
	int64_t heard;
};

static struct hour an_hour(const char *region, int seed)
{
	char text[sizeof city + 32];
	struct hour hour = {0};
	snprintf(text, sizeof text, city, seed, region);
	struct sim_scenario scenario = load(text);
	struct sim_world *world = sim_world_new(&scenario, (struct wall){0},
						(struct sim_port){nowhere, &hour.datagrams});
	sim_world_run(world, 3600 * S);
	hour.digest = sim_world_digest(world);
	hour.readings = sim_world_measure(world, SIM_MEASURE_READINGS);
	hour.heard = sim_world_measure(world, SIM_MEASURE_HEARD);
	sim_world_free(world);
	sim_scenario_release(&scenario);
	return hour;
}

static void an_hour_is_reproducible(void **state)
{
	(void)state;
	static const char *const regions[] = {"eu868", "us915"};
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		struct hour first = an_hour(regions[i], 1), again = an_hour(regions[i], 1),
			    other = an_hour(regions[i], 2);
		t_row(regions[i]);
		t_uint("same seed", first.digest, again.digest);
		t_true("another seed", first.digest != other.digest);
		t_int("70 devices send once a minute", 70 * 60, first.readings);
		t_true("the radio loses some", first.heard < first.readings);
		t_true("and carries some", first.heard > first.readings / 20);
		t_true("gateways talk", first.datagrams > 3000);
	}
}

/* --- a server in a few lines --------------------------------------------------------------------------------- */

struct server {
	struct sim_world *world;
	struct aes *aes;
	const struct sim_device_config *device;
	const char *region;
	uint8_t window; /* 1 or 2: where to answer */
	bool silent;
	bool opt_neg;
	uint32_t join_nonce;
	uint8_t rx_delay_s;
	struct lw_session_keys keys;
	bool has_session;
	uint32_t fcnt_down[2];
	uint8_t mac[32]; /* goes into the next answer, as FOpts */
	size_t mac_length;
	bool confirmed;      /* the next answer is confirmed */
	bool repeat_counter; /* the next answer uses a counter again */
	uint32_t uplinks;
	uint32_t joins;
	struct lw_frame last; /* without pointers */
	uint8_t last_fopts[15];
	bool bad_mic;
};

static void respond(struct server *server, int64_t now_us, uint32_t tmst, int64_t delay_us, uint32_t freq_hz,
		    unsigned factor, unsigned width_khz, const uint8_t *phy, size_t length)
{
	char text[1024] = "\x02\x11\x22\x03", data[BASE64_ROOM(255)];
	base64_encode(data, phy, length);
	int size = snprintf(text + 4, sizeof text - 4,
			    "{\"txpk\":{\"imme\":false,\"tmst\":%u,\"freq\":%.6f,\"rfch\":0,\"powe\":14,"
			    "\"modu\":\"LORA\","
			    "\"datr\":\"SF%uBW%u\",\"codr\":\"4/"
			    "5\",\"ipol\":true,\"ncrc\":true,\"size\":%zu,\"data\":\"%s\"}}",
			    (uint32_t)(tmst + (uint32_t)delay_us), (double)freq_hz / 1e6, factor, width_khz,
			    length, data);
	sim_world_deliver(server->world, now_us, 0, (const uint8_t *)text, 4 + (size_t)size);
}

/* RX1 as the regional parameters have it, worked out here once more: offset 0. */
static void respond_in_window(struct server *server, int64_t now_us, uint32_t tmst, int64_t delay_us,
			      uint32_t freq_hz, unsigned factor, const uint8_t *phy, size_t length)
{
	bool us915 = strcmp(server->region, "us915") == 0;
	if (server->window == 2)
		respond(server, now_us, tmst, delay_us + S, us915 ? 923300000 : 869525000, 12,
			us915 ? 500 : 125, phy, length);
	else if (us915)
		respond(server, now_us, tmst, delay_us,
			923300000 + 600000 * ((freq_hz - 902300000) / 200000 % 8), factor, 500, phy, length);
	else
		respond(server, now_us, tmst, delay_us, freq_hz, factor, 125, phy, length);
}

static void on_join(struct server *server, int64_t now_us, uint32_t tmst, uint32_t freq_hz, unsigned factor,
		    const uint8_t *phy, size_t length)
{
	const struct sim_device_config *device = server->device;
	bool is_1_1 = device->mac_version >= LW_MAC_1_1_0;
	const struct lw_key *root = is_1_1 ? &device->nwk_key : &device->app_key;
	struct lw_join_request request;
	t_int("join-request", LW_OK, lw_join_request_parse(&request, phy, length));
	t_true("its MIC", lw_mic_equal(request.mic, lw_mic_join(server->aes, root, phy, length - 4)));
	server->joins++;
	struct lw_join_accept accept = {
		.join_nonce = ++server->join_nonce,
		.net_id = {0x000013},
		.dev_addr = {0x01000042},
		.dl_settings = {.opt_neg = server->opt_neg,
				.rx2_data_rate = strcmp(server->region, "us915") ? 0 : 8},
		.rx_delay = server->rx_delay_s};
	uint8_t out[LW_JOIN_ACCEPT_MAX];
	size_t size = lw_join_accept_encode(&accept, out);
	struct lw_key js_int = lw_key_js_int(server->aes, root, &device->dev_eui);
	struct lw_mic mic = server->opt_neg ? lw_mic_join_accept_1_1(server->aes, &js_int,
								     LW_JOIN_REQ_TYPE_JOIN, &device->join_eui,
								     request.dev_nonce, out, size - 4)
					    : lw_mic_join(server->aes, root, out, size - 4);
	memcpy(out + size - 4, mic.bytes, 4);
	t_int("encrypted", LW_OK, lw_join_accept_encrypt(server->aes, root, out, size));
	if (server->opt_neg)
		lw_session_keys_1_1(server->aes, &device->nwk_key, &device->app_key, accept.join_nonce,
				    &device->join_eui, request.dev_nonce, &server->keys);
	else
		lw_session_keys_1_0(server->aes, root, accept.join_nonce, accept.net_id, request.dev_nonce,
				    &server->keys);
	server->has_session = true;
	server->fcnt_down[0] = server->fcnt_down[1] = 0;
	respond_in_window(server, now_us, tmst, 5 * S, freq_hz, factor, out, size);
}

static size_t build_answer(struct server *server, uint16_t fcnt_up, uint8_t out[255])
{
	uint32_t fcnt = server->fcnt_down[0];
	if (!server->repeat_counter)
		server->fcnt_down[0]++;
	else
		fcnt--;
	struct lw_frame frame = {.ftype = server->confirmed ? LW_CONFIRMED_DOWN : LW_UNCONFIRMED_DOWN,
				 .dev_addr = {0x01000042},
				 .fctrl = {.ack = server->last.ftype == LW_CONFIRMED_UP,
					   .fopts_length = (uint8_t)server->mac_length},
				 .fcnt = (uint16_t)fcnt};
	memcpy(frame.fopts, server->mac, server->mac_length);
	if (server->opt_neg)
		lw_cipher_fopts(server->aes, &server->keys.nwk_s_enc_key, LW_DOWN, frame.dev_addr, fcnt,
				LW_FOPTS_NFCNT_DOWN, frame.fopts, server->mac_length, frame.fopts);
	size_t length = lw_frame_encode(&frame, out, 255);
	struct lw_mic_input input = {.direction = LW_DOWN,
				     .dev_addr = frame.dev_addr,
				     .fcnt = fcnt,
				     .ack = frame.fctrl.ack,
				     .conf_fcnt = fcnt_up,
				     .msg = out,
				     .length = (uint8_t)(length - 4)};
	lw_frame_set_mic(out, length,
			 server->opt_neg ? lw_mic_down_1_1(server->aes, &server->keys.s_nwk_s_int_key, &input)
					 : lw_mic_1_0(server->aes, &server->keys.f_nwk_s_int_key, &input));
	server->mac_length = 0;
	server->confirmed = server->repeat_counter = false;
	return length;
}

static void on_data(struct server *server, int64_t now_us, uint32_t tmst, uint32_t freq_hz, unsigned factor,
		    const uint8_t *phy, size_t length)
{
	struct lw_frame frame;
	uint8_t out[255];
	t_int("data frame", LW_OK, lw_frame_parse(&frame, phy, length, LW_UP));
	server->uplinks++;
	struct lw_mic_input input = {
		.direction = LW_UP,
		.dev_addr = frame.dev_addr,
		.fcnt = frame.fcnt,
		.msg = frame.msg,
		.length = frame.msg_length,
		.tx_dr = (uint8_t)(strcmp(server->region, "us915") ? 12 - factor : 10 - factor),
		.tx_ch = (uint8_t)(strcmp(server->region, "us915") ? (freq_hz - 868100000) / 200000
								   : (freq_hz - 902300000) / 200000)};
	struct lw_mic mic = server->opt_neg ? lw_mic_up_1_1(server->aes, &server->keys.s_nwk_s_int_key,
							    &server->keys.f_nwk_s_int_key, &input)
					    : lw_mic_1_0(server->aes, &server->keys.f_nwk_s_int_key, &input);
	if (!frame.fctrl.ack) /* with ACK the 1.1 MIC depends on what was acknowledged */
		server->bad_mic |= !lw_mic_equal(mic, frame.mic);
	server->last = frame;
	memcpy(server->last_fopts, frame.fopts, sizeof frame.fopts);
	if (server->opt_neg)
		lw_cipher_fopts(server->aes, &server->keys.nwk_s_enc_key, LW_UP, frame.dev_addr, frame.fcnt,
				LW_FOPTS_FCNT_UP, frame.fopts, frame.fctrl.fopts_length, server->last_fopts);
	if (server->silent)
		return;
	size_t size = build_answer(server, frame.fcnt, out);
	respond_in_window(server, now_us, tmst, server->rx_delay_s * S, freq_hz, factor, out, size);
}

static void serve(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket, const uint8_t *bytes,
		  size_t length)
{
	struct server *server = ctx;
	char text[4096];
	uint32_t tmst;
	unsigned chan, rfch, mhz, fraction, factor, width;
	char data[400];
	(void)gateway;
	if (socket != SIM_SOCKET_UP || server->world == NULL)
		return;
	memcpy(text, bytes + 12, length - 12);
	text[length - 12] = '\0';
	if (sscanf(text, "{\"rxpk\":[{\"tmst\":%u,\"chan\":%u,\"rfch\":%u,\"freq\":%u.%u", &tmst, &chan,
		   &rfch, &mhz, &fraction) != 5)
		return; /* a report */
	sscanf(strstr(text, "\"datr\":"), "\"datr\":\"SF%uBW%u", &factor, &width);
	sscanf(strstr(text, "\"data\":"), "\"data\":\"%390[^\"]", data);
	uint8_t phy[255];
	size_t phy_length = 0;
	t_true("base64", base64_decode(phy, sizeof phy, &phy_length, data, strlen(data)));
	if (phy[0] >> 5 == LW_JOIN_REQUEST)
		on_join(server, now_us, tmst, mhz * 1000000 + fraction, factor, phy, phy_length);
	else
		on_data(server, now_us, tmst, mhz * 1000000 + fraction, factor, phy, phy_length);
}

static const char one_device[] =
	"seed: 5\n"
	"region: %s\n"
	"gateways:\n"
	"  - {eui: aa555a0000000101, x: 0, y: 0, clock_drift_ppm: 30, first_tmst: 4290000000, backhaul_ms: "
	"30, stat_s: 0}\n"
	"devices:\n"
	"  - {name: one, dev_eui: 1000000000000001, join_eui: 3000000000000001, activation: otaa, "
	"mac_version: \"%s\", x: 200, y: 100,\n"
	"     app_key: 000102030405060708090a0b0c0d0e0f, nwk_key: f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff,\n"
	"     sub_band: 2, interval_s: 20, first_s: 1, payload: counter, confirmed_every: %d}\n";

struct stage {
	struct sim_scenario scenario;
	struct server server;
};

static void set_stage(struct stage *stage, const char *region, const char *version, int confirmed_every,
		      bool opt_neg)
{
	char text[2048];
	memset(stage, 0, sizeof *stage);
	snprintf(text, sizeof text, one_device, region, version, confirmed_every);
	if (strcmp(version, "1.1.0") != 0) {
		char *nwk_key = strstr(text,
				       "nwk_key:"); /* a key that this version does not have is refused */
		memset(nwk_key - 1, ' ', strchr(nwk_key, '\n') - nwk_key + 1);
	}
	stage->scenario = load(text);
	stage->server = (struct server){.device = &stage->scenario.devices[0],
					.region = region,
					.window = 1,
					.rx_delay_s = 5,
					.opt_neg = opt_neg,
					.aes = aes_new()};
	struct sim_world *world = sim_world_new(&stage->scenario, (struct wall){1767323045000000},
						(struct sim_port){serve, &stage->server});
	stage->server.world = world;
}

static void clear_stage(struct stage *stage)
{
	sim_world_free(stage->server.world);
	aes_free(stage->server.aes);
	sim_scenario_release(&stage->scenario);
}

static const struct {
	const char *name, *region, *version;
	bool opt_neg;
	uint8_t window;
} joins[] = {
	{"1.0.2 in eu868, RX1", "eu868", "1.0.2", false, 1},
	{"1.0.3 in eu868, RX2", "eu868", "1.0.3", false, 2},
	{"1.0.4 in us915, RX1", "us915", "1.0.4", false, 1},
	{"1.0.4 in us915, RX2", "us915", "1.0.4", false, 2},
	{"1.1 in eu868, RX1", "eu868", "1.1.0", true, 1},
	{"1.1 in us915, RX2", "us915", "1.1.0", true, 2},
	{"1.1 on a 1.0 network", "eu868", "1.1.0", false, 1},
};

static void devices_join_and_are_acknowledged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
		static struct stage stage;
		set_stage(&stage, joins[i].region, joins[i].version, 1, joins[i].opt_neg);
		t_row(joins[i].name);
		stage.server.window = joins[i].window;
		sim_world_run(stage.server.world, 9 * S); /* the counter wraps on the way */
		const struct sim_device *device = sim_world_device(stage.server.world, 0);
		t_true("joined", device->joined);
		t_uint("one join-request was enough", 1, stage.server.joins);
		t_uint("dev_addr", 0x01000042, device->dev_addr.value);
		t_uint("rx delay", 5, device->rx_delay_s);
		t_bytes("AppSKey", stage.server.keys.app_s_key.bytes, 16, device->keys.app_s_key.bytes, 16);
		t_int("RekeyInd in the first uplink", joins[i].opt_neg ? 0x0b : 0,
		      stage.server.last.fctrl.fopts_length ? stage.server.last_fopts[0] : 0);
		sim_world_run(stage.server.world, 110 * S);
		t_false("every uplink's MIC", stage.server.bad_mic);
		t_true("uplinks follow", stage.server.uplinks >= 5);
		t_int("all are acknowledged", sim_world_measure(stage.server.world, SIM_MEASURE_CONFIRMED),
		      sim_world_measure(stage.server.world, SIM_MEASURE_ACKNOWLEDGED));
		t_int("no uplink needed a second attempt", (int)stage.server.uplinks,
		      (int)sim_world_measure(stage.server.world, SIM_MEASURE_READINGS));
		clear_stage(&stage);
	}
}

static size_t write_command(uint8_t *out, const struct lw_mac_command *command)
{
	struct wr wr = wr_init(out, 32);
	t_int("written", LW_MAC_WRITE_OK, lw_mac_write(&wr, command, 100));
	return wr_length(&wr);
}

static void timing_is_changed_and_confirmed(void **state)
{
	(void)state;
	static struct stage stage;
	set_stage(&stage, "eu868", "1.0.4", 0, false);
	t_row("RXTimingSetupReq to 2 s");
	struct lw_mac_command request = {.direction = LW_DOWN, .cid = LW_CID_RX_TIMING_SETUP};
	request.as.rx_timing_setup_req.delay = 2;
	stage.server.mac_length = write_command(stage.server.mac, &request);
	sim_world_run(stage.server.world, 20 * S); /* join, first uplink, answer at 5 s */
	const struct sim_device *device = sim_world_device(stage.server.world, 0);
	t_uint("applied", 2, device->rx_delay_s);
	stage.server.silent = true;
	sim_world_run(stage.server.world, 40 * S);
	t_int("answered", 0x08, stage.server.last_fopts[0]);
	stage.server.last.fctrl.fopts_length = 0;
	sim_world_run(stage.server.world, 60 * S);
	t_int("again, for no downlink came", 1, stage.server.last.fctrl.fopts_length);
	stage.server.silent = false;
	stage.server.rx_delay_s = 2;
	int64_t before = sim_world_measure(stage.server.world, SIM_MEASURE_DOWNLINKS);
	sim_world_run(stage.server.world, 80 * S);
	t_int("a downlink after 2 s is heard", before + 1,
	      sim_world_measure(stage.server.world, SIM_MEASURE_DOWNLINKS));
	sim_world_run(stage.server.world, 100 * S);
	t_int("no more answers", 0, stage.server.last.fctrl.fopts_length);
	stage.server.rx_delay_s = 5;
	before = sim_world_measure(stage.server.world, SIM_MEASURE_DOWNLINKS);
	sim_world_run(stage.server.world, 120 * S);
	t_int("the old delay is not heard any more", before,
	      sim_world_measure(stage.server.world, SIM_MEASURE_DOWNLINKS));
	clear_stage(&stage);
}

static void a_lost_acknowledgement_is_repeated(void **state)
{
	(void)state;
	static struct stage stage;
	set_stage(&stage, "eu868", "1.0.3", 1, false);
	sim_world_run(stage.server.world, 20 * S);
	t_row("the server is silent for one uplink");
	stage.server.silent = true;
	uint32_t uplinks = stage.server.uplinks;
	sim_world_run(stage.server.world,
		      37 * S); /* joined at 6, sent at 7, at 27, and again 7 to 9 s later */
	size_t count;
	uint64_t dropped;
	const struct sim_entry *entries = sim_world_entries(stage.server.world, &count, &dropped);
	t_uint("sent twice", uplinks + 2, stage.server.uplinks);
	const struct sim_record *first = NULL, *second = NULL;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].record.kind == SIM_RECORD_UPLINK) {
			first = second;
			second = &entries[i].record;
		}
	}
	assert_non_null(first);
	assert_non_null(second);
	t_uint("same counter", first->fcnt, second->fcnt);
	t_bytes("same bytes", first->phy, first->phy_length, second->phy, second->phy_length);
	t_int("the second attempt", 2, second->attempt);
	/* 5 s to RX1, 1 s to RX2, its opening, then 1 to 3 s. */
	int64_t gap_us = second->at_us - first->at_us;
	t_true("1 to 3 s after RX2", gap_us > 7 * S && gap_us < 10 * S);
	stage.server.silent = false;
	sim_world_run(stage.server.world, 46 * S);
	t_uint("sent a third time", uplinks + 3, stage.server.uplinks);
	t_int("in the end acknowledged", sim_world_measure(stage.server.world, SIM_MEASURE_CONFIRMED),
	      sim_world_measure(stage.server.world, SIM_MEASURE_ACKNOWLEDGED));
	t_row("a counter used twice is noticed");
	stage.server.repeat_counter = true;
	sim_world_run(stage.server.world, 66 * S);
	t_int("repeated", 1, sim_world_measure(stage.server.world, SIM_MEASURE_REPEATED));
	clear_stage(&stage);
}

static void a_confirmed_downlink_is_acknowledged_soon(void **state)
{
	(void)state;
	static struct stage stage;
	set_stage(&stage, "eu868", "1.0.4", 0, false);
	stage.server.confirmed = true;
	sim_world_run(stage.server.world, 16 * S); /* the first uplink at 7 s, its answer at 12 */
	t_row("an empty uplink with ACK follows within 3 s");
	t_uint("uplinks", 2, stage.server.uplinks);
	t_true("ACK", stage.server.last.fctrl.ack);
	t_false("no FPort", stage.server.last.has_fport);
	clear_stage(&stage);
}

static void faults_and_expectations(void **state)
{
	(void)state;
	static const char text[] = "region: eu868\n"
				   "gateways:\n"
				   "  - {eui: aa555a0000000101, x: 0, y: 0, stat_s: 0}\n"
				   "devices:\n"
				   "  - {name: a, dev_eui: 1000000000000001, activation: abp, mac_version: "
				   "\"1.0.4\", dev_addr: 01000001, x: 100, y: 0,\n"
				   "     nwk_s_key: 01010101010101010101010101010101, app_s_key: "
				   "02020202020202020202020202020202, first_s: 1,\n"
				   "     interval_s: 10, payload: air}\n"
				   "faults:\n"
				   "  - {at_s: 25, kind: gateway_off, target: aa555a0000000101, for_s: 20}\n"
				   "  - {at_s: 65, kind: device_off, target: a, for_s: 20}\n"
				   "expect:\n"
				   "  - {what: readings, at_least: 8, at_most: 8}\n"
				   "  - {what: readings_heard, at_least: 7}\n";
	uint64_t datagrams = 0;
	char why[128] = "";
	struct sim_scenario scenario = load(text);
	struct sim_world *world = sim_world_new(&scenario, (struct wall){0},
						(struct sim_port){nowhere, &datagrams});
	sim_world_run(world, 100 * S);
	t_row("1, 11, 21, then two unheard at 31 and 41, 51, 61, off at 65, back at 85 and 95");
	t_int("readings", 9, sim_world_measure(world, SIM_MEASURE_READINGS));
	t_int("heard", 7, sim_world_measure(world, SIM_MEASURE_HEARD));
	t_false("expectations", sim_world_expectations_hold(world, why, sizeof why));
	t_str("why", "readings: expected 8 to 8, got 9", why);
	sim_world_quieten(world);
	sim_world_run(world, 200 * S);
	t_int("nothing new after quiet", 9, sim_world_measure(world, SIM_MEASURE_READINGS));
	t_true("is quiet", sim_world_is_quiet(world));
	sim_world_free(world);
	sim_scenario_release(&scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(an_hour_is_reproducible),
		t_test(devices_join_and_are_acknowledged),
		t_test(timing_is_changed_and_confirmed),
		t_test(a_lost_acknowledgement_is_repeated),
		t_test(a_confirmed_downlink_is_acknowledged_soon),
		t_test(faults_and_expectations),
	};
	return t_run(tests);
}
