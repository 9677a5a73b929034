#include "tests/harness/harness.h"

#include "network-server/dedup.h"

#include <string.h>

#define MS US_PER_MS
#define S  US_PER_S

/* One copy as it comes in: gateway 0 or 1, arrival and counter in milliseconds. */
struct step {
	uint8_t gateway;
	int64_t arrival_ms, ticks_ms;
	bool placed; /* its clock says that it was sent at `sent_ms` */
	int64_t sent_ms;
	enum ns_dedup_verdict expected;
};

static const struct row {
	const char *name;
	bool once;
	struct step steps[4];
} rows[] = {
	{"two gateways hear one transmission",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {1, 50, 7000, true, 50, NS_DEDUP_COPY}}},
	{"a gateway reports a frame twice, on two channels",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {0, 1, 0, true, 0, NS_DEDUP_COPY}}},
	{"a copy after the window is late and nothing else",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {1, 400, 7000, true, 30, NS_DEDUP_LATE_COPY}}},
	{"a copy four seconds late over a slow backhaul is placed by its counter",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {1, 4000, 7000, true, 100, NS_DEDUP_LATE_COPY}}},
	{"the same gateway with a later counter: the device sent again",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST},
	  {0, 3200, 3200, true, 3200, NS_DEDUP_RETRANSMISSION},
	  {1, 3250, 9, true, 3200, NS_DEDUP_COPY}}},
	{"another gateway, well after: the device sent again",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {1, 3200, 7000, true, 3200, NS_DEDUP_RETRANSMISSION}}},
	{"another gateway whose clock is not known: in doubt a retransmission",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {1, 400, 7000, false, 0, NS_DEDUP_RETRANSMISSION}}},
	{"the same gateway delivers its datagram again: the counter has not moved",
	 false,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {0, 5000, 0, true, 0, NS_DEDUP_LATE_COPY}}},
	{"the counter wraps between two transmissions",
	 false,
	 {{0, 0, 4294967, true, 0, NS_DEDUP_FIRST}, {0, 3200, 3200, true, 3200, NS_DEDUP_RETRANSMISSION}}},
	{"a join-request of another gateway is a late copy",
	 true,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {1, 3200, 7000, false, 3200, NS_DEDUP_LATE_COPY}}},
	{"however late it comes, if its counter says when it was sent",
	 true,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST}, {1, 1200000, 7000, true, 100, NS_DEDUP_LATE_COPY}}},
	{"ten minutes after the first a join-request with the same bytes is none",
	 true,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST},
	  {0, 599000, 599000, true, 599000, NS_DEDUP_ONCE_AGAIN},
	  {0, 600000, 600000, true, 600000, NS_DEDUP_FIRST},
	  {1, 600100, 7000, true, 600000, NS_DEDUP_COPY}}},
	{"nor an hour later, when counters of 32 bits say nothing any more",
	 true,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST},
	  {0, 3600000, 3600000, true, 3600000, NS_DEDUP_FIRST},
	  {0, 3603200, 3603200, true, 3603200, NS_DEDUP_ONCE_AGAIN}}},
	{"a join-request with the same bytes again is told, once for each time on the air",
	 true,
	 {{0, 0, 0, true, 0, NS_DEDUP_FIRST},
	  {1, 50, 7000, true, 50, NS_DEDUP_COPY},
	  {0, 3200, 3200, true, 3200, NS_DEDUP_ONCE_AGAIN},
	  {1, 3250, 10200, true, 3250, NS_DEDUP_LATE_COPY}}},
};

static void copies_and_repeats(void **state)
{
	(void)state;
	static struct ns_frame frame;
	const uint8_t phy[] = {0x80, 1, 2, 3, 4, 0, 1, 0, 9, 9, 9, 9};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct rng rng = rng_seeded(1);
		struct ns_dedup dedup;
		ns_dedup_init(&dedup, 8, 8, 200 * MS, &rng);
		for (size_t j = 0; j < 4 && (j == 0 || rows[i].steps[j].arrival_ms > 0); j++) {
			const struct step *step = &rows[i].steps[j];
			struct mono now = {10 * S + step->arrival_ms * MS};
			while (ns_dedup_pop(&dedup, now, &frame))
				;
			struct ns_copy copy = {.gateway_slot = step->gateway,
					       .arrival = now,
					       .sent = {10 * S + step->sent_ms * MS},
					       .ticks = {(uint32_t)(step->ticks_ms * MS)}};
			struct ns_copy_facts facts = {.placed = step->placed,
						      .rx_delay = 5 * S,
						      .lead = 300 * MS,
						      .airtime_us = 60000,
						      .once = rows[i].once};
			t_int("verdict", step->expected,
			      ns_dedup_add(&dedup, phy, sizeof phy, &copy, &facts));
		}
		ns_dedup_release(&dedup);
	}
}

static void window_closes_in_time_for_rx1(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		span_us rx_delay, lead, expected;
	} windows[] = {
		{"RxDelay 5 s: the whole window", 5 * S, 300 * MS, 200 * MS},
		{"RxDelay 1 s and a usual gateway", 1 * S, 300 * MS, 200 * MS},
		{"RxDelay 1 s and a slow gateway: earlier", 1 * S, 900 * MS, 100 * MS},
		{"RxDelay 1 s and a gateway that cannot make it: at once", 1 * S, 1200 * MS, -200 * MS},
	};
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		t_row(windows[i].name);
		struct rng rng = rng_seeded(1);
		struct ns_dedup dedup;
		ns_dedup_init(&dedup, 8, 8, 200 * MS, &rng);
		struct ns_copy copy = {.arrival = {10 * S}, .sent = {10 * S}};
		struct ns_copy_facts facts = {.rx_delay = windows[i].rx_delay, .lead = windows[i].lead};
		const uint8_t phy[] = {1};
		t_int("first", NS_DEDUP_FIRST, ns_dedup_add(&dedup, phy, 1, &copy, &facts));
		t_int("closes", 10 * S + windows[i].expected, ns_dedup_next(&dedup).us);
		ns_dedup_release(&dedup);
	}
}

static void bounded_and_forgets_the_oldest(void **state)
{
	(void)state;
	static struct ns_frame frame;
	struct rng rng = rng_seeded(1);
	struct ns_dedup dedup;
	ns_dedup_init(&dedup, 4, 16, 200 * MS, &rng);
	struct ns_copy_facts facts = {.rx_delay = 5 * S};
	for (uint8_t i = 0; i < 4; i++)
		t_int("opens", NS_DEDUP_FIRST,
		      ns_dedup_add(&dedup, &i, 1, &(struct ns_copy){.arrival = {S}, .sent = {S}}, &facts));
	uint8_t fifth = 99;
	t_int("full", NS_DEDUP_FULL,
	      ns_dedup_add(&dedup, &fifth, 1, &(struct ns_copy){.arrival = {S}, .sent = {S}}, &facts));
	unsigned popped = 0;
	while (ns_dedup_pop(&dedup, (struct mono){2 * S}, &frame))
		popped++;
	t_uint("popped", 4, popped);
	for (uint16_t i = 0; i < 1000; i++) { /* many more than are remembered */
		uint8_t phy[2] = {(uint8_t)i, (uint8_t)(i >> 8)};
		struct ns_copy copy = {.arrival = {3 * S + i * S}, .sent = {3 * S + i * S}};
		t_int("takes", NS_DEDUP_FIRST, ns_dedup_add(&dedup, phy, 2, &copy, &facts));
		t_true("pops", ns_dedup_pop(&dedup, (struct mono){4 * S + i * S}, &frame));
	}
	t_uint("open", 0, ns_dedup_open_count(&dedup));
	uint8_t last[2] = {(uint8_t)999, 999 >> 8};
	struct ns_copy again = {.arrival = {1003 * S}, .sent = {1003 * S}};
	t_int("the last is remembered", NS_DEDUP_LATE_COPY, ns_dedup_add(&dedup, last, 2, &again, &facts));
	ns_dedup_release(&dedup);
}

static void gateways_are_counted_not_copies(void **state)
{
	(void)state;
	static struct ns_frame frame;
	struct rng rng = rng_seeded(1);
	struct ns_dedup dedup;
	ns_dedup_init(&dedup, 4, 16, 200 * MS, &rng);
	const uint8_t phy[] = {1, 2};
	struct ns_copy_facts facts = {.rx_delay = 5 * S};
	for (uint32_t i = 0; i < 40; i++) {
		struct ns_copy copy = {
			.arrival = {S}, .sent = {S}, .gateway_slot = i / 2, .snr_cdb = (int16_t)i};
		(void)ns_dedup_add(&dedup, phy, 2, &copy, &facts);
	}
	t_true("pops", ns_dedup_pop(&dedup, (struct mono){2 * S}, &frame));
	t_uint("kept", NS_COPIES_MAX, frame.copy_count);
	t_true("gateways", frame.gateway_count >= 20);
	int16_t best = INT16_MIN;
	for (uint8_t i = 0; i < frame.copy_count; i++)
		best = frame.copies[i].snr_cdb > best ? frame.copies[i].snr_cdb : best;
	t_int("the best reception is kept", 39, best);
	ns_dedup_release(&dedup);
}

/* The later frame's window is brought forward by a slow gateway, or is no later; popped is what was heard first. */
static void frames_of_one_address_close_in_the_order_they_were_heard(void **state)
{
	(void)state;
	static struct ns_frame frame;
	static const struct {
		const char *name;
		uint8_t mhdr, address; /* of the later frame; the earlier one's are 0x40 and 7 */
		span_us lead;          /* of the later frame's gateway */
		uint16_t expected[2];  /* counters, as popped */
	} orders[] = {
		{"a later window that closes earlier", 0x40, 7, 900 * MS, {1, 2}},
		{"confirmed, whose window closed before it opened", 0x80, 7, 1200 * MS, {1, 2}},
		{"the usual: later closes later", 0x40, 7, 300 * MS, {1, 2}},
		{"another device waits for nobody", 0x40, 8, 900 * MS, {2, 1}},
		{"no data frame: no address", 0x00, 7, 900 * MS, {2, 1}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		t_row(orders[i].name);
		struct rng rng = rng_seeded(1);
		struct ns_dedup dedup;
		ns_dedup_init(&dedup, 8, 8, 200 * MS, &rng);
		for (uint8_t fcnt = 1; fcnt <= 2; fcnt++) {
			const uint8_t phy[] = {fcnt == 1 ? 0x40 : orders[i].mhdr,
					       fcnt == 1 ? 7 : orders[i].address,
					       0,
					       0,
					       1,
					       0,
					       fcnt,
					       0,
					       9,
					       9,
					       9,
					       9};
			struct mono heard = {10 * S + fcnt * 6 * MS};
			struct ns_copy copy = {.gateway_slot = fcnt, .arrival = heard, .sent = heard};
			struct ns_copy_facts facts = {.rx_delay = 1 * S,
						      .lead = fcnt == 1 ? 300 * MS : orders[i].lead,
						      .airtime_us = 60000};
			t_int("opens", NS_DEDUP_FIRST, ns_dedup_add(&dedup, phy, sizeof phy, &copy, &facts));
		}
		for (size_t j = 0; j < 2; j++) {
			t_true("pops", ns_dedup_pop(&dedup, (struct mono){11 * S}, &frame));
			t_uint("counter", orders[i].expected[j], frame.phy[6]);
		}
		t_false("both once", ns_dedup_pop(&dedup, (struct mono){20 * S}, &frame));
		t_uint("open", 0, ns_dedup_open_count(&dedup));
		ns_dedup_release(&dedup);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(copies_and_repeats),
		t_test(window_closes_in_time_for_rx1),
		t_test(bounded_and_forgets_the_oldest),
		t_test(gateways_are_counted_not_copies),
		t_test(frames_of_one_address_close_in_the_order_they_were_heard),
	};
	return t_run(tests);
}
