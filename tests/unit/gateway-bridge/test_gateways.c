#include "tests/harness/harness.h"

#include "gateway-bridge/gateways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mono at(int64_t seconds)
{
	return (struct mono){(100000 + seconds) * US_PER_S};
}

static struct gb_peer peer(uint8_t host, uint16_t port)
{
	return (struct gb_peer){.address = {.bytes = {203, 0, 113, host}, .family = 4, .port = port}};
}

static struct lw_eui64 eui(uint64_t number)
{
	return lw_eui64_from_number(number);
}

/* One part of a list: `count` gateways from `first_eui` on. */
static enum gb_list_verdict give_part(struct gb_gateways *gateways, uint64_t first_eui, uint32_t count,
				      bool first, bool last, uint64_t version, const char *cidr)
{
	struct gw_gateway_list *part = calloc(1, sizeof *part);
	assert_non_null(part);
	part->first = first;
	part->last = last;
	part->count = count;
	part->version = version;
	struct gw_gateway row = {.region_id = "eu868", .accept = GW_ACCEPT_UDP};
	snprintf(row.source_cidr, sizeof row.source_cidr, "%s", cidr);
	for (uint32_t i = 0; i < count; i++) {
		row.eui = eui(first_eui + i);
		part->gateways[i] = row;
	}
	enum gb_list_verdict verdict = gb_gateways_list(gateways, part);
	free(part);
	return verdict;
}

static struct gb_gateways *with_list(uint64_t first_eui, uint32_t count)
{
	static struct rng rng;
	rng = rng_seeded(7);
	struct gb_gateways *gateways = gb_gateways_new(&rng, NULL);
	if (count > 0)
		assert_int_equal(GB_LIST_CHANGED, give_part(gateways, first_eui, count, true, true, 1, ""));
	return gateways;
}

static struct gb_gateway *known(const struct gb_gateways *gateways, uint64_t number)
{
	struct lw_eui64 key = eui(number);
	struct gb_gateway *gateway = gb_gateways_find(gateways, &key);
	return gateway && gateway->known ? gateway : NULL;
}

static void lists_are_taken_over_as_a_whole(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(1, 3);
	t_row("the first list");
	t_uint("known", 3, gb_gateways_known(gateways));
	t_row("half of the next: nothing changes yet");
	t_int("verdict", GB_LIST_MORE, give_part(gateways, 100, 2, true, false, 2, ""));
	t_uint("known", 3, gb_gateways_known(gateways));
	t_true("the old one is there", known(gateways, 1) != NULL);
	t_row("the other half");
	t_int("verdict", GB_LIST_CHANGED, give_part(gateways, 3, 1, false, true, 2, ""));
	t_uint("known", 3, gb_gateways_known(gateways));
	t_true("gone", known(gateways, 1) == NULL);
	t_true("new", known(gateways, 100) != NULL);
	t_true("stayed", known(gateways, 3) != NULL);
	t_row("the same again");
	t_int("first part", GB_LIST_MORE, give_part(gateways, 100, 2, true, false, 2, ""));
	t_int("last part", GB_LIST_SAME, give_part(gateways, 3, 1, false, true, 2, ""));
	t_row("a range that is none refuses the whole list");
	t_int("verdict", GB_LIST_BAD, give_part(gateways, 200, 1, true, true, 3, "10.0.0.1/8"));
	t_uint("known", 3, gb_gateways_known(gateways));
	t_row("a last part without a first");
	t_int("verdict", GB_LIST_BAD, give_part(gateways, 200, 1, false, true, 3, ""));
	t_row("an empty list");
	t_int("verdict", GB_LIST_CHANGED, give_part(gateways, 0, 0, true, true, 4, ""));
	t_uint("known", 0, gb_gateways_known(gateways));
	gb_gateways_free(gateways);
}

static void a_full_list_can_follow_a_full_list(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(0, 0);
	for (uint64_t round = 0; round < 2; round++) {
		t_row(round ? "another full list" : "a full list");
		for (uint32_t i = 0; i < GB_KNOWN_MAX; i += 32)
			give_part(gateways, round * 1000000 + i, 32, i == 0, i + 32 == GB_KNOWN_MAX,
				  round + 1, "");
		t_uint("known", GB_KNOWN_MAX, gb_gateways_known(gateways));
	}
	t_row("one too many is refused");
	for (uint32_t i = 0; i < GB_KNOWN_MAX; i += 32)
		give_part(gateways, i, 32, i == 0, false, 3, "");
	t_int("verdict", GB_LIST_BAD, give_part(gateways, 9000000, 1, false, true, 3, ""));
	t_uint("known", GB_KNOWN_MAX, gb_gateways_known(gateways));
	t_row("the list comes out as it went in");
	struct gw_gateway_list *part = calloc(1, sizeof *part);
	assert_non_null(part);
	size_t walk = 0, count = 0, parts = 0;
	while (gb_gateways_list_part(gateways, &walk, part)) {
		t_int("first", parts == 0, part->first);
		count += part->count;
		parts++;
	}
	t_true("last", part->last);
	t_uint("rows", GB_KNOWN_MAX, count);
	free(part);
	gb_gateways_free(gateways);
}

static void unknown_ones_are_listed_up_to_a_limit(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(1, 1);
	struct gb_peer from = peer(1, 1000);
	for (uint64_t i = 0; i < GB_UNKNOWN_MAX + 5; i++) {
		struct lw_eui64 stranger = eui(1000 + i);
		struct gb_gateway *gateway = gb_gateways_note(gateways, at(0), &stranger);
		if (gateway)
			gb_gateways_heard(gateways, gateway, at(0), &from, GW_SEMTECH_UDP_V2);
	}
	t_row("more than the list holds");
	t_uint("unknown", GB_UNKNOWN_MAX, gb_gateways_unknown(gateways));
	t_uint("online counts known ones", 0, gb_gateways_online(gateways));
	t_row("one that is heard again stays, the longest silent makes room");
	struct lw_eui64 first = eui(1000), second = eui(1001), fresh = eui(5000);
	gb_gateways_heard(gateways, gb_gateways_note(gateways, at(20), &first), at(20), &from,
			  GW_SEMTECH_UDP_V2);
	t_true("before half a minute", gb_gateways_note(gateways, at(29), &fresh) == NULL);
	t_true("after it", gb_gateways_note(gateways, at(30), &fresh) != NULL);
	t_true("the first stayed", gb_gateways_find(gateways, &first) != NULL);
	t_true("the second went", gb_gateways_find(gateways, &second) == NULL);
	t_row("those that say more are kept for ten minutes");
	for (int64_t said = 0; said < GB_PASSER_SAYS; said++)
		for (uint64_t i = 1002; i < 1000 + GB_UNKNOWN_MAX; i++) {
			struct lw_eui64 stayer = eui(i);
			gb_gateways_heard(gateways, gb_gateways_find(gateways, &stayer), at(40 + said), &from,
					  GW_SEMTECH_UDP_V2);
		}
	struct lw_eui64 invented = eui(5001), late = eui(5002), stayer = eui(1002);
	t_true("one goes that said less", gb_gateways_note(gateways, at(60), &invented) != NULL);
	t_true("the first, heard twice", gb_gateways_find(gateways, &first) == NULL);
	gb_gateways_heard(gateways, gb_gateways_find(gateways, &invented), at(60), &from, GW_SEMTECH_UDP_V2);
	t_true("and the next", gb_gateways_note(gateways, at(60), &late) != NULL);
	t_true("the one that came for it", gb_gateways_find(gateways, &fresh) == NULL);
	gb_gateways_heard(gateways, gb_gateways_find(gateways, &late), at(60), &from, GW_SEMTECH_UDP_V2);
	t_true("before ten minutes", gb_gateways_note(gateways, at(641), &fresh) == NULL);
	t_true("a stayer is there", gb_gateways_find(gateways, &stayer) != NULL);
	t_true("after them", gb_gateways_note(gateways, at(642), &fresh) != NULL);
	t_true("it made room", gb_gateways_find(gateways, &stayer) == NULL);
	t_row("one that is registered is known from then on");
	t_int("verdict", GB_LIST_CHANGED, give_part(gateways, 1003, 1, true, true, 2, ""));
	t_uint("unknown", GB_UNKNOWN_MAX - 1, gb_gateways_unknown(gateways));
	t_true("known", known(gateways, 1003) != NULL);
	t_true("still without a path", gb_gateway_path(known(gateways, 1003), at(650)) == NULL);
	gb_gateways_free(gateways);
}

static void moves_compare_the_host(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t seconds;
		uint8_t host;
		uint16_t port;
		bool first, moved, began_to_flap, flapping, settled;
	} rows[] = {
		{"the first PULL_DATA", 0, 1, 1000, true, false, false, false, false},
		{"the same again", 5, 1, 1000, false, false, false, false, false},
		{"another port is no move", 10, 1, 2000, false, false, false, false, false},
		{"another host", 15, 2, 1000, false, true, false, false, false},
		{"and back", 20, 1, 1000, false, true, false, false, false},
		{"and forth", 25, 2, 1000, false, true, false, false, false},
		{"a fourth time within a minute", 30, 1, 1000, false, true, true, true, false},
		{"a fifth time", 35, 2, 1000, false, true, false, true, false},
		{"quiet for a minute", 96, 2, 1000, false, false, false, false, true},
		{"the path ran out, same host", 300, 2, 1000, true, false, false, false, false},
		{"the path ran out, another host", 600, 3, 1000, true, true, false, false, false},
	};
	struct gb_gateways *gateways = with_list(1, 1);
	struct gb_gateway *gateway = known(gateways, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_peer from = peer(rows[i].host, rows[i].port);
		struct gb_pull pull = gb_gateways_pulled(gateways, gateway, at(rows[i].seconds), &from);
		t_int("first", rows[i].first, pull.first);
		t_int("moved", rows[i].moved, pull.moved);
		t_int("began to flap", rows[i].began_to_flap, pull.began_to_flap);
		t_int("flapping", rows[i].flapping, gateway->flapping);
		t_int("settled", rows[i].settled, pull.settled);
		t_uint("that flap", rows[i].flapping, gb_gateways_flapping(gateways));
		const struct gb_peer *path = gb_gateway_path(gateway, at(rows[i].seconds));
		t_true("the path is there", path && memcmp(path, &from, sizeof from) == 0);
	}
	t_row("no PULL_DATA for 90 s");
	t_true("89 s", gb_gateway_path(gateway, at(689)) != NULL);
	t_true("90 s", gb_gateway_path(gateway, at(690)) == NULL);
	gb_gateways_free(gateways);
}

static void flap(struct gb_gateways *gateways, uint64_t number)
{
	for (int i = 0; i <= GB_FLAP_MOVES; i++) {
		struct gb_peer from = peer((uint8_t)(1 + i % 2), 1000);
		gb_gateways_heard(gateways, known(gateways, number), at(i), &from, GW_SEMTECH_UDP_V2);
		gb_gateways_pulled(gateways, known(gateways, number), at(i), &from);
	}
}

static void a_gateway_stops_to_flap(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(1, 2);
	struct gb_peer from = peer(7, 1000);
	t_row("two flap");
	flap(gateways, 1);
	flap(gateways, 2);
	t_uint("flapping", 2, gb_gateways_flapping(gateways));
	t_row("one moves a last time, an hour later");
	struct gb_pull pull = gb_gateways_pulled(gateways, known(gateways, 1), at(3600), &from);
	t_true("moved", pull.moved);
	t_true("settled", pull.settled);
	t_uint("flapping", 1, gb_gateways_flapping(gateways));
	t_row("the other leaves the list");
	t_int("list", GB_LIST_CHANGED, give_part(gateways, 1, 1, true, true, 2, ""));
	t_uint("flapping", 0, gb_gateways_flapping(gateways));
	t_row("one that goes silent flaps no more");
	flap(gateways, 1);
	t_uint("flapping", 1, gb_gateways_flapping(gateways));
	while (gb_gateways_pop_silent(gateways, at(200)) != NULL)
		;
	t_uint("flapping", 0, gb_gateways_flapping(gateways));
	gb_gateways_free(gateways);
}

static void a_walk_meets_each_once(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(1, 10);
	size_t walk = 0;
	unsigned met = 0, fourth = 0;
	t_row("the list changes on the way");
	for (struct gb_gateway *gateway; (gateway = gb_gateways_next(gateways, &walk)) != NULL; met++) {
		fourth += lw_eui64_number(&gateway->eui) == 4;
		if (met == 2)
			give_part(gateways, 4, 7, true, true, 2, "");
		if (met == 3)
			give_part(gateways, 4, 20, true, true, 3, "");
	}
	t_uint("one that stayed", 1, fourth);
	t_uint("3 that went, 7 that stayed, 10 that came behind", 20, met);
	gb_gateways_free(gateways);
}

static void hosts_are_compared_with_their_interface(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct gb_address a, b;
		bool same;
	} rows[] = {
		{"another port",
		 {.bytes = {192, 0, 2, 1}, .family = 4, .port = 1},
		 {.bytes = {192, 0, 2, 1}, .family = 4, .port = 2},
		 true},
		{"another host",
		 {.bytes = {192, 0, 2, 1}, .family = 4},
		 {.bytes = {192, 0, 2, 2}, .family = 4},
		 false},
		{"the same bytes of another family",
		 {.bytes = {192, 0, 2, 1}, .family = 4},
		 {.bytes = {192, 0, 2, 1}, .family = 6},
		 false},
		{"link-local on one interface",
		 {.bytes = {0xfe, 0x80, [15] = 1}, .family = 6, .scope = 2},
		 {.bytes = {0xfe, 0x80, [15] = 1}, .family = 6, .scope = 2},
		 true},
		{"link-local on another interface",
		 {.bytes = {0xfe, 0x80, [15] = 1}, .family = 6, .scope = 2},
		 {.bytes = {0xfe, 0x80, [15] = 1}, .family = 6, .scope = 3},
		 false},
		{"the last byte of IPv6",
		 {.bytes = {0x20, 1, [15] = 1}, .family = 6},
		 {.bytes = {0x20, 1, [15] = 2}, .family = 6},
		 false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("same", rows[i].same, gb_address_same_host(&rows[i].a, &rows[i].b));
		struct gb_gateways *gateways = with_list(1, 1);
		struct gb_peer first = {.address = rows[i].a}, second = {.address = rows[i].b};
		gb_gateways_pulled(gateways, known(gateways, 1), at(0), &first);
		t_int("moved", !rows[i].same,
		      gb_gateways_pulled(gateways, known(gateways, 1), at(1), &second).moved);
		gb_gateways_free(gateways);
	}
}

static void a_list_can_take_a_path_away(void **state)
{
	(void)state;
	static const struct {
		const char *name, *cidr;
		bool path;
	} rows[] = {
		{"pinned to where it is", "203.0.113.0/24", true},
		{"pinned to its host", "203.0.113.1", true},
		{"pinned elsewhere", "198.51.100.0/24", false},
		{"pinned to IPv6", "2001:db8::/32", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct gb_gateways *gateways = with_list(1, 1);
		struct gb_peer from = peer(1, 1000);
		gb_gateways_pulled(gateways, known(gateways, 1), at(0), &from);
		t_int("list", GB_LIST_CHANGED, give_part(gateways, 1, 1, true, true, 2, rows[i].cidr));
		t_int("path", rows[i].path, gb_gateway_path(known(gateways, 1), at(1)) != NULL);
		gb_gateways_free(gateways);
	}
}

static void a_gateway_that_may_no_longer_speak_udp(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(1, 1);
	struct gb_peer from = peer(1, 1000);
	gb_gateways_pulled(gateways, known(gateways, 1), at(0), &from);
	t_true("a path", gb_gateway_path(known(gateways, 1), at(1)) != NULL);
	struct gw_gateway_list *part = calloc(1, sizeof *part);
	assert_non_null(part);
	*part = (struct gw_gateway_list){.first = true, .last = true, .count = 1, .version = 2};
	part->gateways[0] = (struct gw_gateway){.eui = eui(1), .region_id = "eu868"};
	t_int("list", GB_LIST_CHANGED, gb_gateways_list(gateways, part));
	t_true("no path", gb_gateway_path(known(gateways, 1), at(1)) == NULL);
	free(part);
	gb_gateways_free(gateways);
}

static void counters_tell_a_restart(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t us; /* our time */
		uint32_t ticks;
		uint16_t port;
		enum gb_ticks_verdict verdict;
	} rows[] = {
		{"the first frame", 0, 4290000000u, 1000, GB_TICKS_FIRST},
		{"one second later", 1000000, 4291000123u, 1000, GB_TICKS_STEADY},
		{"late by three seconds on its way", 5000000, 4292000000u, 1000, GB_TICKS_STEADY},
		{"over the wrap", 15000000, 4292000000u + 10000000u, 1000, GB_TICKS_STEADY},
		{"an hour later", 3615000000, 7032704u + 3600000000u, 1000, GB_TICKS_STEADY},
		{"began again 3 s ago", 3625000000, 3000000u, 1000, GB_TICKS_RESTARTED},
		{"goes on from there", 3626000000, 4000000u, 1000, GB_TICKS_STEADY},
		{"far ahead of itself", 3627000000, 500000000u, 1000, GB_TICKS_ODD},
		{"its counter begins again", 3700000000, 2000000u, 1000, GB_TICKS_RESTARTED},
		{"another port, nothing else", 3703000000, 5000000u, 2000, GB_TICKS_STEADY},
		{"another port, late by half a second", 3704000000, 5500000u, 3000, GB_TICKS_STEADY},
		{"three seconds behind, from the same port", 3706000000, 4500000u, 3000, GB_TICKS_STEADY},
		{"on time again", 3707000000, 8500000u, 3000, GB_TICKS_STEADY},
		{"began again, a few seconds behind, from a new port", 3712000000, 4000000u, 4000,
		 GB_TICKS_RESTARTED},
		{"goes on from there too", 3742000000, 34000000u, 4000, GB_TICKS_STEADY},
		{"late from a new port, and it ran longer than we know of it", 3747000000, 36000000u, 5000,
		 GB_TICKS_STEADY},
	};
	struct gb_gateways *gateways = with_list(1, 1);
	struct gb_gateway *gateway = known(gateways, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct mono now = mono_add(at(0), rows[i].us);
		struct gw_ticks ticks = {rows[i].ticks};
		struct gb_peer from = peer(1, rows[i].port);
		gb_gateways_heard(gateways, gateway, now, &from, GW_SEMTECH_UDP_V2);
		t_int("verdict", rows[i].verdict, gb_gateway_ticks(gateway, now, ticks));
		t_int("time of RX1", mono_add(now, US_PER_S).us,
		      gb_gateway_time(gateway, now, gw_ticks_add(ticks, US_PER_S)).us);
	}
	t_uint("restarts", 3, gateway->restarts);
	gb_gateways_free(gateways);
}

static void silence_is_judged_by_our_clock(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(1, 2);
	struct gb_peer from = peer(1, 1000);
	t_row("two gateways are heard, one of them again");
	t_true("came", gb_gateways_heard(gateways, known(gateways, 1), at(0), &from, GW_SEMTECH_UDP_V2));
	t_true("came", gb_gateways_heard(gateways, known(gateways, 2), at(0), &from, GW_SEMTECH_UDP_V1));
	t_false("was there",
		gb_gateways_heard(gateways, known(gateways, 2), at(60), &from, GW_SEMTECH_UDP_V1));
	t_uint("online", 2, gb_gateways_online(gateways));
	t_int("deadline", at(90).us, gb_gateways_deadline(gateways).us);
	t_true("not yet", gb_gateways_pop_silent(gateways, at(89)) == NULL);
	t_row("90 s after the first was heard");
	t_true("the first", gb_gateways_pop_silent(gateways, at(90)) == known(gateways, 1));
	t_true("no other", gb_gateways_pop_silent(gateways, at(90)) == NULL);
	t_uint("online", 1, gb_gateways_online(gateways));
	t_int("deadline of the other", at(150).us, gb_gateways_deadline(gateways).us);
	t_row("it comes back");
	t_true("came", gb_gateways_heard(gateways, known(gateways, 1), at(100), &from, GW_SEMTECH_UDP_V2));
	t_uint("online", 2, gb_gateways_online(gateways));
	t_row("a shorter span counts for those that were heard before it was said");
	gb_gateways_set_silent(gateways, 20 * US_PER_S);
	t_int("deadline", at(80).us, gb_gateways_deadline(gateways).us);
	t_true("the other", gb_gateways_pop_silent(gateways, at(100)) == known(gateways, 2));
	t_true("not yet", gb_gateways_pop_silent(gateways, at(119)) == NULL);
	t_true("the first", gb_gateways_pop_silent(gateways, at(120)) == known(gateways, 1));
	gb_gateways_free(gateways);
}

static void a_list_changes_who_counts_as_online(void **state)
{
	(void)state;
	struct gb_gateways *gateways = with_list(1, 2);
	struct gb_peer from = peer(1, 1000);
	struct lw_eui64 stranger = eui(7);
	t_row("one of the list and one that is not");
	gb_gateways_heard(gateways, known(gateways, 1), at(0), &from, GW_SEMTECH_UDP_V2);
	gb_gateways_heard(gateways, gb_gateways_note(gateways, at(0), &stranger), at(0), &from,
			  GW_SEMTECH_UDP_V2);
	t_uint("online", 1, gb_gateways_online(gateways));
	t_row("the stranger is registered, and is online already");
	t_int("verdict", GB_LIST_CHANGED, give_part(gateways, 1, 7, true, true, 2, ""));
	t_uint("online", 2, gb_gateways_online(gateways));
	t_uint("unknown", 0, gb_gateways_unknown(gateways));
	t_row("both are taken out");
	t_int("verdict", GB_LIST_CHANGED, give_part(gateways, 2, 2, true, true, 3, ""));
	t_uint("online", 0, gb_gateways_online(gateways));
	gb_gateways_free(gateways);
}

static void some_euis_are_shared(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint64_t eui;
		bool shared;
	} rows[] = {
		{"all zeros", 0, true},
		{"all ones", UINT64_MAX, true},
		{"the forwarder's default", UINT64_C(0xaa555a0000000000), true},
		{"one of its own", UINT64_C(0xaa555a0000000001), false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct lw_eui64 gateway = eui(rows[i].eui);
		t_int("shared", rows[i].shared, gb_eui_is_shared(&gateway));
	}
}

static void address_ranges(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		bool valid, contains_v4, contains_v6; /* 203.0.113.9, 2001:db8::9 */
	} rows[] = {
		{"everything", "", true, true, true},
		{"a host", "203.0.113.9", true, true, false},
		{"another host", "203.0.113.8", true, false, false},
		{"a range", "203.0.112.0/20", true, true, false},
		{"a range with odd bits", "203.0.113.8/30", true, true, false},
		{"every IPv4", "0.0.0.0/0", true, true, false},
		{"IPv6", "2001:db8::/32", true, false, true},
		{"an IPv6 host", "2001:db8::9", true, false, true},
		{"a mapped range is the IPv4 range", "::ffff:203.0.113.0/120", true, true, false},
		{"a mapped host", "::ffff:203.0.113.9", true, true, false},
		{"another mapped host", "::ffff:203.0.113.8", true, false, false},
		{"every mapped host", "::ffff:0:0/96", true, true, false},
		{"wider than the mapped ones", "::/0", true, false, true},
		{"with an interface", "fe80::1%eth0", false, false, false},
		{"bits below a mapped prefix", "::ffff:203.0.113.9/120", false, false, false},
		{"bits below the prefix", "203.0.113.1/24", false, false, false},
		{"prefix too long", "203.0.113.0/33", false, false, false},
		{"prefix without digits", "203.0.113.0/", false, false, false},
		{"prefix with a sign", "203.0.113.0/+8", false, false, false},
		{"a name", "gateway.example", false, false, false},
		{"three numbers", "203.0.113", false, false, false},
	};
	const struct gb_address v4 = {.bytes = {203, 0, 113, 9}, .family = 4};
	const struct gb_address v6 = {.bytes = {0x20, 1, 0xd, 0xb8, [15] = 9}, .family = 6};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct cidr cidr;
		t_int("valid", rows[i].valid, cidr_parse(rows[i].text, &cidr));
		if (!rows[i].valid)
			continue;
		t_int("IPv4", rows[i].contains_v4, gb_cidr_contains(&cidr, &v4));
		t_int("IPv6", rows[i].contains_v6, gb_cidr_contains(&cidr, &v6));
	}
}

static void buckets_fill_and_empty(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t milliseconds;
		unsigned taken; /* until it refuses, 1,000 tries */
	} rows[] = {
		{"a new bucket has its burst", 0, 400},
		{"at the same moment, none", 0, 0},
		{"10 ms later, two", 10, 2},
		{"a second and a half later, its rate", 1510, 300},
		{"a day later, the burst", 86400000, 400},
	};
	const struct gb_limit limit = {200, 400};
	struct gb_bucket bucket = {.spent = 0};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		unsigned taken = 0;
		while (taken < 1000 &&
		       gb_bucket_take(&bucket, mono_add(at(0), rows[i].milliseconds * US_PER_MS), &limit))
			taken++;
		t_uint("taken", rows[i].taken, taken);
	}
}

static void half_a_bucket_is_for_others(void **state)
{
	(void)state;
	const struct gb_limit limit = {200, 400};
	struct gb_bucket bucket = {.spent = 0};
	unsigned upper = 0, all = 0;
	t_row("a flood from elsewhere for ten seconds, and the owner once in 10 ms");
	for (int64_t us = 0; us < 10 * US_PER_S; us += 100) {
		upper += gb_bucket_take_upper(&bucket, mono_add(at(0), us), &limit);
		if (us % 10000 == 0)
			all += gb_bucket_take(&bucket, mono_add(at(0), us), &limit);
	}
	t_uint("the owner lost nothing", 1000, all);
	t_true("the other had what was left", upper > 1100 && upper <= 1200);
}

/* Slots are few: whoever shares one with a source that is over its limit does not fill its bucket again. */
static void a_full_table_of_sources_forgives_nobody(void **state)
{
	(void)state;
	const struct gb_limit limit = {10, 10};
	struct rng rng = rng_seeded(5);
	struct gb_sources sources;
	struct gb_address flooder = {.bytes = {192, 0, 2, 1}, .family = 4};
	gb_sources_init(&sources, &rng);
	while (gb_sources_take(&sources, at(1), &flooder, &limit))
		;
	struct mono soon = mono_add(at(1), US_PER_MS);
	for (unsigned i = 0; i < 4 * GB_SOURCES; i++) {
		struct gb_address other = {.bytes = {10, 0, (uint8_t)(i >> 8), (uint8_t)i}, .family = 4};
		(void)gb_sources_take(&sources, soon, &other, &limit);
	}
	t_false("a millisecond later", gb_sources_take(&sources, soon, &flooder, &limit));
	t_true("after its second of silence", gb_sources_take(&sources, at(3), &flooder, &limit));
	gb_sources_release(&sources);
}

static void sources_of_ipv6_are_networks(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct gb_address first, second;
		bool shared;
	} rows[] = {
		{"two addresses of one /64",
		 {.bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}, .family = 6},
		 {.bytes = {0x20, 1, 0xd, 0xb8, [8] = 9}, .family = 6},
		 true},
		{"two networks",
		 {.bytes = {0x20, 1, 0xd, 0xb8, [7] = 1}, .family = 6},
		 {.bytes = {0x20, 1, 0xd, 0xb8, [7] = 2}, .family = 6},
		 false},
		{"two ports of one host",
		 {.bytes = {192, 0, 2, 1}, .family = 4, .port = 1},
		 {.bytes = {192, 0, 2, 1}, .family = 4, .port = 2},
		 true},
		{"two IPv4 hosts",
		 {.bytes = {192, 0, 2, 1}, .family = 4},
		 {.bytes = {192, 0, 2, 2}, .family = 4},
		 false},
	};
	const struct gb_limit limit = {10, 10};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct rng rng = rng_seeded(5);
		struct gb_sources sources;
		gb_sources_init(&sources, &rng);
		while (gb_sources_take(&sources, at(0), &rows[i].first, &limit))
			;
		t_int("the second finds it spent", rows[i].shared,
		      !gb_sources_take(&sources, at(0), &rows[i].second, &limit));
		gb_sources_release(&sources);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(lists_are_taken_over_as_a_whole),
		t_test(a_full_list_can_follow_a_full_list),
		t_test(unknown_ones_are_listed_up_to_a_limit),
		t_test(moves_compare_the_host),
		t_test(a_gateway_stops_to_flap),
		t_test(a_walk_meets_each_once),
		t_test(hosts_are_compared_with_their_interface),
		t_test(half_a_bucket_is_for_others),
		t_test(a_full_table_of_sources_forgives_nobody),
		t_test(sources_of_ipv6_are_networks),
		t_test(a_list_can_take_a_path_away),
		t_test(a_gateway_that_may_no_longer_speak_udp),
		t_test(counters_tell_a_restart),
		t_test(silence_is_judged_by_our_clock),
		t_test(a_list_changes_who_counts_as_online),
		t_test(some_euis_are_shared),
		t_test(address_ranges),
		t_test(buckets_fill_and_empty),
	};
	return t_run(tests);
}
