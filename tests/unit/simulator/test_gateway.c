/* The gateway's just-in-time queue and its error codes, its counter, its receiver and its backhaul. */
#include "simulator/gateway.h"
#include "simulator/plan.h"

#include "tests/harness/harness.h"

#include <string.h>

#define S INT64_C(1000000)

static const struct sim_gateway_config base = {
	.eui = {{0xaa, 0x55, 0x5a, 0, 0, 0, 1, 1}},
	.version = 2,
	.channel_count = 4,
	.channels = {{868100000, 125000, 0},
		     {868300000, 125000, 0},
		     {868500000, 125000, 0},
		     {868300000, 250000, 7}},
	.tx_min_hz = 863000000,
	.tx_max_hz = 870000000,
	.max_power_dbm = 27,
	.backhaul_us = 20000,
	.keepalive_us = 10 * S,
};

static struct sim_txpk downlink(uint32_t tmst, uint8_t factor)
{
	return (struct sim_txpk){
		.timing = SIM_TIMING_TICKS,
		.tmst = {tmst},
		.freq_hz = 868100000,
		.has_power = true,
		.power_dbm = 14,
		.modulation = {.kind = LW_LORA, .spreading_factor = factor, .bandwidth_hz = 125000},
		.inverted = true,
		.no_crc = true,
		.length = 12};
}

/* Now is 1,000 s after the start, the counter is at 1,000,000,000. 12 bytes without CRC at SF7: 41,216 µs. */
static const struct {
	const char *name;
	uint32_t tmst;
	uint32_t freq_hz;
	int power_dbm;
	enum sim_jit_verdict verdict;
} schedules[] = {
	{"one second ahead", 1001000000u, 868100000, 14, SIM_JIT_OK},
	{"exactly the lead ahead", 1000042500u, 868100000, 14, SIM_JIT_TOO_LATE},
	{"one microsecond more than the lead", 1000042501u, 868100000, 14, SIM_JIT_OK},
	{"half a second ago", 999500000u, 868100000, 14, SIM_JIT_TOO_LATE},
	{"five seconds ago looks far ahead", 995000000u, 868100000, 14, SIM_JIT_TOO_EARLY},
	{"128 s ahead", 1128000000u, 868100000, 14, SIM_JIT_OK},
	{"further than 128 s", 1128000001u, 868100000, 14, SIM_JIT_TOO_EARLY},
	{"below the radio's band", 1001000000u, 862900000, 14, SIM_JIT_TX_FREQ},
	{"above the radio's band", 1001000000u, 870100000, 14, SIM_JIT_TX_FREQ},
	{"more power than it has is lowered", 1001000000u, 868100000, 30, SIM_JIT_OK},
};

static void codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(schedules); i++) {
		static struct sim_gateway gateway;
		int power_dbm;
		sim_gateway_init(&gateway, &base, 1);
		struct sim_txpk txpk = downlink(schedules[i].tmst, 7);
		txpk.freq_hz = schedules[i].freq_hz;
		txpk.power_dbm = schedules[i].power_dbm;
		t_row(schedules[i].name);
		t_str("verdict", sim_jit_verdict_name(schedules[i].verdict),
		      sim_jit_verdict_name(sim_gateway_schedule(&gateway, 1000 * S, &txpk, 1, &power_dbm)));
		if (schedules[i].power_dbm == 30)
			t_int("power used", 27, power_dbm);
	}
}

static void other_timings(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	struct sim_gateway_config config = base;
	int power_dbm;
	config.start.us = wall_from_gps_us(INT64_C(1400000000000000)).us;
	sim_gateway_init(&gateway, &config, 1);
	struct sim_txpk txpk = downlink(0, 7);
	txpk.timing = SIM_TIMING_GPS;
	txpk.tmms = 1400000011000;
	t_row("GPS time without GPS");
	t_int("verdict", SIM_JIT_GPS_UNLOCKED, sim_gateway_schedule(&gateway, 10 * S, &txpk, 1, &power_dbm));
	gateway.config.gps = true;
	t_row("GPS time one second ahead");
	t_int("verdict", SIM_JIT_OK, sim_gateway_schedule(&gateway, 10 * S, &txpk, 1, &power_dbm));
	t_int("start", 11 * S, gateway.queue[0].start_us);
	txpk.timing = SIM_TIMING_NOW;
	t_row("immediately, twice");
	t_int("verdict", SIM_JIT_OK, sim_gateway_schedule(&gateway, 10 * S, &txpk, 1, &power_dbm));
	t_int("start", 10 * S + 80000, gateway.queue[0].start_us);
	t_int("verdict", SIM_JIT_OK, sim_gateway_schedule(&gateway, 10 * S, &txpk, 1, &power_dbm));
	t_int("waits for the first", 10 * S + 80000 + 41216 + SIM_JIT_GAP_US, gateway.queue[1].start_us);
	gateway.config.power_is_error = true;
	txpk.power_dbm = 30;
	t_row("an old forwarder refuses too much power");
	t_int("verdict", SIM_JIT_TX_POWER, sim_gateway_schedule(&gateway, 10 * S, &txpk, 1, &power_dbm));
}

static void collisions(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	static const struct {
		const char *name;
		uint32_t tmst;
		enum sim_jit_verdict verdict;
	} rows[] = {
		{"ends where the other begins", 2000000 - 41216, SIM_JIT_COLLISION_PACKET},
		{"ends a gap before", 2000000 - 41216 - 1500, SIM_JIT_OK},
		{"at the same time", 2000000, SIM_JIT_COLLISION_PACKET},
		{"begins a gap after", 2000000 + 41216 + 1500, SIM_JIT_OK},
	};
	int power_dbm;
	sim_gateway_init(&gateway, &base, 1);
	struct sim_txpk first = downlink(2000000, 7);
	t_int("first", SIM_JIT_OK, sim_gateway_schedule(&gateway, 0, &first, 1, &power_dbm));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sim_txpk txpk = downlink(rows[i].tmst, 7);
		t_row(rows[i].name);
		t_int("verdict", rows[i].verdict, sim_gateway_schedule(&gateway, 0, &txpk, 2, &power_dbm));
	}
	t_row("the queue is in order of time");
	t_uint("queued", 3, gateway.queued);
	t_true("order", gateway.queue[0].start_us < gateway.queue[1].start_us &&
				gateway.queue[1].start_us < gateway.queue[2].start_us);
	t_row("a full queue");
	for (uint32_t i = 3; i < SIM_JIT_MAX; i++) {
		struct sim_txpk txpk = downlink(3000000 + 100000 * i, 7);
		t_int("fits", SIM_JIT_OK, sim_gateway_schedule(&gateway, 0, &txpk, 2, &power_dbm));
	}
	struct sim_txpk last = downlink(90000000, 7);
	t_int("verdict", SIM_JIT_COLLISION_PACKET, sim_gateway_schedule(&gateway, 0, &last, 2, &power_dbm));
}

static void counter(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	struct sim_gateway_config config = base;
	config.first_ticks = 4294000000u;
	sim_gateway_init(&gateway, &config, 1);
	t_row("the counter wraps");
	t_uint("before", 4294967295u, sim_gateway_ticks(&gateway, 967295).us);
	t_uint("after", 0, sim_gateway_ticks(&gateway, 967296).us);
	int power_dbm;
	struct sim_txpk txpk = downlink(32704, 7); /* one second after 4294000000 */
	t_int("a downlink over the wrap", SIM_JIT_OK,
	      sim_gateway_schedule(&gateway, 0, &txpk, 1, &power_dbm));
	t_int("start", S, gateway.queue[0].start_us);
	config.drift_ppm = 20;
	config.first_ticks = 0;
	sim_gateway_init(&gateway, &config, 1);
	t_row("a crystal 20 ppm fast");
	t_uint("after 1000 s", 1000020000u, sim_gateway_ticks(&gateway, 1000 * S).us);
	t_int("a tick 5 s ahead comes 100 µs early", 1004999900,
	      sim_gateway_time_of(&gateway, 1000 * S, (struct gw_ticks){1005020000u}));
	sim_gateway_restart(&gateway, 2000 * S);
	t_row("a restart");
	t_uint("starts again", 0, sim_gateway_ticks(&gateway, 2000 * S).us);
}

static struct sim_signal frame(uint64_t id, int64_t start_us, uint32_t freq_hz, double power_dbm)
{
	return (struct sim_signal){id, start_us, start_us + 50000, freq_hz, 125000, 7, power_dbm};
}

static void receiver(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	static const uint8_t phy[4] = {0x40, 1, 2, 3};
	sim_gateway_init(&gateway, &base, 1);
	t_row("a far device is heard once");
	struct sim_signal far = frame(1, 0, 868300000, -110);
	sim_gateway_signal_starts(&gateway, &far);
	t_int("reception", SIM_RECEIVED, sim_gateway_signal_ends(&gateway, 50000, 1, phy, sizeof phy));
	t_uint("entries", 1, gateway.pending_count);
	t_uint("tmst at the end", 50000, gateway.pending[0].tmst.us);
	t_row("a near device is heard on both neighbouring channels as well");
	struct sim_signal near = frame(2, S, 868300000, -40);
	sim_gateway_signal_starts(&gateway, &near);
	t_int("reception", SIM_RECEIVED, sim_gateway_signal_ends(&gateway, S + 50000, 2, phy, sizeof phy));
	t_uint("entries", 4, gateway.pending_count);
	t_uint("ghosts", 2, gateway.counters.ghosts);
	t_uint("a ghost's frequency", 868100000, gateway.pending[1].freq_hz);
	t_int("a ghost's RSSI", -113, gateway.pending[1].rssi_dbm);
	t_row("a channel that it does not have");
	struct sim_signal other = frame(3, 2 * S, 867100000, -60);
	sim_gateway_signal_starts(&gateway, &other);
	t_int("reception", SIM_NOT_TUNED,
	      sim_gateway_signal_ends(&gateway, 2 * S + 50000, 3, phy, sizeof phy));
	t_row("the ninth frame finds no demodulator");
	for (uint64_t i = 0; i < 9; i++) {
		struct sim_signal one = frame(10 + i, 3 * S, 868100000 + 200000 * (uint32_t)(i % 3),
					      -100 + (double)(i / 3));
		one.spreading_factor = (uint8_t)(7 + i / 3);
		sim_gateway_signal_starts(&gateway, &one);
	}
	for (uint64_t i = 0; i < 9; i++)
		t_int("reception", i < 8 ? SIM_RECEIVED : SIM_NO_DEMODULATOR,
		      sim_gateway_signal_ends(&gateway, 3 * S + 50000, 10 + i, phy, sizeof phy));
	t_row("deaf while it sends");
	int power_dbm;
	struct sim_transmission sent;
	struct sim_txpk txpk = downlink(5000000, 7);
	t_int("scheduled", SIM_JIT_OK, sim_gateway_schedule(&gateway, 4 * S, &txpk, 1, &power_dbm));
	struct sim_signal before = frame(30, 5 * S - 20000, 868500000, -80);
	sim_gateway_signal_starts(&gateway, &before);
	t_true("sends", sim_gateway_transmit(&gateway, 5 * S, &sent));
	struct sim_signal during = frame(31, 5 * S + 20000, 868500000, -80);
	sim_gateway_signal_starts(&gateway, &during);
	t_int("the one before is cut", SIM_DEAF,
	      sim_gateway_signal_ends(&gateway, 5 * S + 30000, 30, phy, sizeof phy));
	t_int("the one during is lost", SIM_DEAF,
	      sim_gateway_signal_ends(&gateway, 5 * S + 70000, 31, phy, sizeof phy));
	struct sim_signal after = frame(32, 5 * S + 41216, 868100000, -80);
	sim_gateway_signal_starts(&gateway, &after);
	t_int("the one after is heard", SIM_RECEIVED,
	      sim_gateway_signal_ends(&gateway, 5 * S + 91216, 32, phy, sizeof phy));
}

/* A demodulator is taken from a frame's beginning to its end, whatever becomes of the frame. */
static void eight_demodulators(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	static const uint8_t phy[4] = {0x40, 1, 2, 3};
	static const struct {
		const char *name;
		int64_t start_us;
		unsigned frames, heard;
	} rows[] = {
		{"one fewer than there are", 1 * S, 7, 7},
		{"as many as there are", 2 * S, 8, 8},
		{"two more", 3 * S, 10, 8},
		{"all are free again", 4 * S, 8, 8},
	};
	sim_gateway_init(&gateway, &base, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned heard = 0, without = 0;
		t_row(rows[i].name);
		for (uint64_t f = 0; f < rows[i].frames; f++) {
			struct sim_signal one = frame(100 * i + f + 1, rows[i].start_us,
						      868100000 + 200000 * (uint32_t)(f % 3), -100);
			one.spreading_factor = (uint8_t)(7 + f / 3);
			sim_gateway_signal_starts(&gateway, &one);
		}
		for (uint64_t f = 0; f < rows[i].frames; f++) {
			enum sim_reception got = sim_gateway_signal_ends(&gateway, rows[i].start_us + 50000,
									 100 * i + f + 1, phy, sizeof phy);
			heard += got == SIM_RECEIVED;
			without += got == SIM_NO_DEMODULATOR;
		}
		t_uint("heard", rows[i].heard, heard);
		t_uint("without a demodulator", rows[i].frames - rows[i].heard, without);
		sim_gateway_tick(&gateway, rows[i].start_us + 100000); /* what was heard leaves */
	}
}

/* It accepts a downlink, says so, sends nothing, and hears meanwhile. */
static void a_mute_gateway(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	static const uint8_t phy[4] = {0x40, 1, 2, 3};
	struct sim_transmission sent;
	int power_dbm;
	sim_gateway_init(&gateway, &base, 1);
	gateway.mute = true;
	struct sim_txpk txpk = downlink(5000000, 7), next = downlink(6000000, 7);
	t_int("accepted", SIM_JIT_OK, sim_gateway_schedule(&gateway, 4 * S, &txpk, 1, &power_dbm));
	t_int("and the next", SIM_JIT_OK, sim_gateway_schedule(&gateway, 4 * S, &next, 2, &power_dbm));
	t_true("nothing is sent", !sim_gateway_transmit(&gateway, 5 * S, &sent));
	t_uint("none counts as sent", 0, gateway.counters.sent);
	t_uint("the queue goes on", 1, gateway.queued);
	struct sim_signal during = frame(1, 5 * S + 20000, 868500000, -80);
	sim_gateway_signal_starts(&gateway, &during);
	t_int("hears meanwhile", SIM_RECEIVED,
	      sim_gateway_signal_ends(&gateway, 5 * S + 70000, 1, phy, sizeof phy));
	gateway.mute = false;
	t_true("sends when the fault is over", sim_gateway_transmit(&gateway, 6 * S, &sent));
	t_int("the next", 6 * S, sent.start_us);
	t_uint("counted", 1, gateway.counters.sent);
}

/* Takes the next datagram and says what it is by its fourth byte; −1 for none. */
static int taken(struct sim_gateway *gateway, struct sim_datagram *datagram)
{
	return sim_gateway_take(gateway, datagram) ? datagram->bytes[3] : -1;
}

static void datagrams(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	static struct sim_datagram out;
	static const uint8_t phy[4] = {0x40, 1, 2, 3};
	static const char resp[] =
		"\x02\x12\x34\x03{\"txpk\":{\"tmst\":1000000,\"freq\":868.1,\"rfch\":0,\"powe\":30,\"modu\":"
		"\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/"
		"5\",\"ipol\":true,\"size\":4,\"data\":\"3q2+7w==\"}}";
	sim_gateway_init(&gateway, &base, 1);
	t_row("keep-alive at the start, then at its interval");
	t_int("next", 0, sim_gateway_next_us(&gateway));
	sim_gateway_tick(&gateway, 0);
	t_int("PULL_DATA", 2, taken(&gateway, &out));
	t_int("backhaul", 20000, out.due_us);
	t_int("socket", SIM_SOCKET_DOWN, out.socket);
	t_int("next", 10 * S, sim_gateway_next_us(&gateway));
	t_row("a frame leaves at the next poll");
	struct sim_signal one = frame(1, 101000, 868100000, -100);
	sim_gateway_signal_starts(&gateway, &one);
	sim_gateway_signal_ends(&gateway, 151000, 1, phy, sizeof phy);
	t_int("next", 160000, sim_gateway_next_us(&gateway));
	sim_gateway_tick(&gateway, 160000);
	t_int("PUSH_DATA", 0, taken(&gateway, &out));
	t_int("socket", SIM_SOCKET_UP, out.socket);
	t_row("TX_ACK warns of the power used");
	sim_gateway_receive(&gateway, 200000, (const uint8_t *)resp, sizeof resp - 1);
	t_int("TX_ACK", 5, taken(&gateway, &out));
	t_bytes("body", (const uint8_t *)"{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":27}}", 43,
		out.bytes + 12, out.length - 12);
	t_row("the same again collides");
	sim_gateway_receive(&gateway, 200000, (const uint8_t *)resp, sizeof resp - 1);
	t_int("TX_ACK", 5, taken(&gateway, &out));
	t_bytes("body", (const uint8_t *)"{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}", 41,
		out.bytes + 12, out.length - 12);
	t_row("what cannot be read gets no answer");
	sim_gateway_receive(&gateway, 200000, (const uint8_t *)"\x02\x12\x34\x03{bad", 8);
	t_int("none", -1, taken(&gateway, &out));
	t_uint("counted", 1, gateway.counters.bad_datagrams[SIM_DOWN_BAD_JSON]);
	t_row("version 1 has no TX_ACK");
	gateway.config.version = 1;
	char resp_1[sizeof resp];
	memcpy(resp_1, resp, sizeof resp);
	resp_1[0] = 1;
	sim_gateway_receive(&gateway, 200000, (const uint8_t *)resp_1, sizeof resp - 1);
	t_int("none", -1, taken(&gateway, &out));
	t_row("a backhaul that loses everything");
	gateway.config.loss_permille = 1000;
	sim_gateway_tick(&gateway, 10 * S);
	t_int("none", -1, taken(&gateway, &out));
	t_uint("counted", 1, gateway.counters.backhaul_lost);
}

static void report_of_an_interval(void **state)
{
	(void)state;
	static struct sim_gateway gateway;
	static struct sim_datagram out;
	struct sim_gateway_config config = base;
	config.stat_us = 5 * S;
	sim_gateway_init(&gateway, &config, 1);
	sim_gateway_tick(&gateway, 5 * S);
	t_int("PULL_DATA first", 2, taken(&gateway, &out));
	t_int("PUSH_DATA", 0, taken(&gateway, &out));
	out.bytes[out.length] = 0;
	t_true("has a stat", strstr((const char *)out.bytes + 12,
				    "{\"stat\":{\"time\":\"1970-01-01 00:00:05 GMT\"") != NULL);
	t_int("next", 10 * S, sim_gateway_next_us(&gateway));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(codes),          t_test(other_timings), t_test(collisions),
		t_test(counter),        t_test(receiver),      t_test(eight_demodulators),
		t_test(a_mute_gateway), t_test(datagrams),     t_test(report_of_an_interval),
	};
	return t_run(tests);
}
