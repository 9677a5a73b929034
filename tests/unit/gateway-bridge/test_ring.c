#include "tests/harness/harness.h"

#include "common/base/deadlines.h"
#include "gateway-bridge/ring.h"

#include <stdio.h>
#include <string.h>

static struct mono at(int64_t seconds)
{
	return (struct mono){(1000 + seconds) * US_PER_S};
}

/* A data uplink unless `mhdr` says otherwise; told apart by its counter. */
static struct gb_report uplink(uint8_t mhdr, uint32_t ticks, uint8_t length)
{
	struct gb_report report = {.kind = PROTO_GATEWAY_UPLINK};
	report.uplink.phy_length = length;
	memset(report.uplink.phy, 0xa5, length);
	report.uplink.phy[0] = mhdr;
	report.uplink.ticks.us = ticks;
	report.uplink.rssi_dbm = -77;
	report.uplink.gateway.bytes[7] = 9;
	return report;
}

static void put(struct gb_ring *ring, int64_t seconds, uint8_t mhdr, uint32_t ticks)
{
	struct gb_report report = uplink(mhdr, ticks, 20);
	gb_ring_put(ring, at(seconds), &report);
}

/* Sends all that is to be sent, from sequence number `seq` on; returns the counters as decimal digits, "1,2,". */
static const char *send_all(struct gb_ring *ring, int64_t seconds, uint64_t seq)
{
	static char text[128];
	text[0] = 0;
	struct gb_report report;
	while (gb_ring_next(ring, at(seconds), &report)) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof text - used, "%u,", report.uplink.ticks.us);
		gb_ring_sent(ring, seq++);
	}
	return text;
}

static void nothing_is_let_go_before_it_is_acknowledged(void **state)
{
	(void)state;
	struct gb_ring *ring = gb_ring_new(1 << 20, 60 * US_PER_S);
	for (uint32_t i = 1; i <= 4; i++)
		put(ring, 0, 0x40, i);
	t_row("sent once, in order");
	t_str("sent", "1,2,3,4,", send_all(ring, 0, 2));
	t_str("sent again", "", send_all(ring, 0, 6));
	t_uint("kept", 4, gb_ring_stats(ring)->entries);
	t_row("acknowledged up to the second");
	gb_ring_acknowledge(ring, 3);
	t_uint("kept", 2, gb_ring_stats(ring)->entries);
	t_row("the link breaks");
	gb_ring_rewind(ring);
	put(ring, 1, 0x40, 5);
	t_str("sent", "3,4,5,", send_all(ring, 1, 2));
	t_row("an old number acknowledges nothing of the new link");
	gb_ring_acknowledge(ring, 1);
	t_uint("kept", 3, gb_ring_stats(ring)->entries);
	gb_ring_acknowledge(ring, 100);
	t_uint("kept", 0, gb_ring_stats(ring)->entries);
	t_uint("bytes", 0, gb_ring_stats(ring)->bytes);
	t_row("what was never sent cannot be acknowledged");
	put(ring, 2, 0x40, 6);
	gb_ring_acknowledge(ring, 100);
	t_uint("kept", 1, gb_ring_stats(ring)->entries);
	gb_ring_free(ring);
}

static void ages_are_of_the_moment_of_sending(void **state)
{
	(void)state;
	struct gb_ring *ring = gb_ring_new(1 << 20, 60 * US_PER_S);
	struct gb_report in = uplink(0x40, 7, 33), out;
	gb_ring_put(ring, at(0), &in);
	t_row("at once");
	assert_true(gb_ring_next(ring, at(0), &out));
	t_int("age", 0, out.uplink.age_us);
	t_row("42 s later, after a reconnect");
	gb_ring_sent(ring, 5);
	gb_ring_rewind(ring);
	assert_true(gb_ring_next(ring, at(42), &out));
	t_int("age", 42 * US_PER_S, out.uplink.age_us);
	t_bytes("payload", in.uplink.phy, 33, out.uplink.phy, out.uplink.phy_length);
	t_int("rssi", -77, out.uplink.rssi_dbm);
	t_uint("gateway", 9, lw_eui64_number(&out.uplink.gateway));
	gb_ring_free(ring);
}

static void old_joins_are_not_worth_sending(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t mhdr;
		int64_t age_s;
		bool sent;
	} rows[] = {
		{"a join-request of 6 s", 0x00, 6, true},       {"a join-request of 7 s", 0x00, 7, false},
		{"a rejoin-request of 7 s", 0xc0, 7, false},    {"an uplink of 7 s", 0x40, 7, true},
		{"a confirmed uplink of 59 s", 0x80, 59, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_ring *ring = gb_ring_new(1 << 20, 60 * US_PER_S);
		put(ring, 0, rows[i].mhdr, 1);
		put(ring, 0, 0x40, 2);
		t_str("sent", rows[i].sent ? "1,2," : "2,", send_all(ring, rows[i].age_s, 2));
		t_uint("dropped", !rows[i].sent, gb_ring_stats(ring)->dropped_joins);
		t_uint("kept", rows[i].sent ? 2 : 1, gb_ring_stats(ring)->entries);
		gb_ring_free(ring);
	}
}

static void age_and_size_are_bounded(void **state)
{
	(void)state;
	t_row("older than the limit");
	struct gb_ring *ring = gb_ring_new(1 << 20, 60 * US_PER_S);
	t_int("no deadline", INT64_MAX, gb_ring_deadline(ring).us);
	put(ring, 0, 0x40, 1);
	put(ring, 30, 0x40, 2);
	t_int("deadline", at(60).us, gb_ring_deadline(ring).us);
	gb_ring_expire(ring, at(60));
	t_uint("dropped", 1, gb_ring_stats(ring)->dropped_old);
	t_str("sent", "2,", send_all(ring, 60, 2));
	t_row("one that was sent and never acknowledged");
	gb_ring_expire(ring, at(90));
	t_uint("dropped", 2, gb_ring_stats(ring)->dropped_old);
	t_uint("kept", 0, gb_ring_stats(ring)->entries);
	gb_ring_free(ring);

	t_row("more than the limit: the oldest goes");
	ring = gb_ring_new(2000, 60 * US_PER_S);
	uint64_t peak = 0;
	for (uint32_t i = 1; i <= 1000; i++) {
		put(ring, 0, 0x40, i);
		peak = gb_ring_stats(ring)->bytes > peak ? gb_ring_stats(ring)->bytes : peak;
	}
	t_true("never above it", peak <= 2000);
	t_uint("all counted", 1000, gb_ring_stats(ring)->entries + gb_ring_stats(ring)->dropped_full);
	t_true("some are kept", gb_ring_stats(ring)->entries > 3);
	const char *sent = send_all(ring, 0, 2);
	t_true("the newest is among them", strstr(sent, "1000,") != NULL);
	gb_ring_free(ring);
}

static void other_reports_keep_their_place(void **state)
{
	(void)state;
	struct gb_ring *ring = gb_ring_new(1 << 20, 60 * US_PER_S);
	struct gb_report in[] = {
		{.kind = PROTO_GATEWAY_TX_ACK, .tx_ack = {.id = 11, .cause = "TX_FREQ"}},
		{.kind = PROTO_GATEWAY_STATS, .stats = {.rx_ok = 12}},
		{.kind = PROTO_GATEWAY_PRESENCE, .presence = {.online = true, .reason = "moved"}}};
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		gb_ring_put(ring, at(0), &in[i]);
	struct gb_report out;
	t_row("a transmission's result");
	assert_true(gb_ring_next(ring, at(0), &out));
	t_int("kind", PROTO_GATEWAY_TX_ACK, out.kind);
	t_uint("id", 11, out.tx_ack.id);
	t_str("cause", "TX_FREQ", out.tx_ack.cause);
	gb_ring_sent(ring, 1);
	t_row("statistics");
	assert_true(gb_ring_next(ring, at(0), &out));
	t_uint("ok", 12, out.stats.rx_ok);
	gb_ring_sent(ring, 2);
	t_row("presence");
	assert_true(gb_ring_next(ring, at(0), &out));
	t_str("reason", "moved", out.presence.reason);
	gb_ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(nothing_is_let_go_before_it_is_acknowledged),
		t_test(ages_are_of_the_moment_of_sending),
		t_test(old_joins_are_not_worth_sending),
		t_test(age_and_size_are_bounded),
		t_test(other_reports_keep_their_place),
	};
	return t_run(tests);
}
