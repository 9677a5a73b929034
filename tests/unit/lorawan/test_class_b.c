#include "tests/harness/harness.h"

#include "common/base/rng.h"
#include "common/lorawan/class_b.h"
#include "common/lorawan/gps_time.h"

#include <string.h>

static const struct {
	const char *name;
	struct lw_beacon_layout layout;
	size_t length;
} layouts[] = {
	{"17 bytes, as in eu868", {1, 0}, 17},
	{"23 bytes, as in us915", {4, 3}, 23},
	{"19 bytes, as in in865", {0, 3}, 19},
	{"19 bytes, as in cn470", {2, 1}, 19},
};

static const struct lw_beacon sample = {
	.prec = 2, .time_s = 0xcca27e00, .info_desc = 1, .info = {0x01, 0x20, 0x00, 0x00, 0x81, 0x03}};

static size_t built_in(const struct lw_beacon_layout *layout, uint8_t bytes[LW_BEACON_MAX])
{
	struct wr wr = wr_init(bytes, LW_BEACON_MAX);
	lw_beacon_build(layout, &sample, &wr);
	return wr_length(&wr);
}

static void beacons_of_every_layout(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		uint8_t bytes[LW_BEACON_MAX];
		struct lw_beacon got;
		t_row(layouts[i].name);
		t_uint("length", layouts[i].length, lw_beacon_length(&layouts[i].layout));
		size_t length = built_in(&layouts[i].layout, bytes);
		t_uint("built", layouts[i].length, length);
		t_int("verdict", LW_BEACON_OK, lw_beacon_parse(&layouts[i].layout, bytes, length, &got));
		t_uint("prec", sample.prec, got.prec);
		t_uint("time", sample.time_s, got.time_s);
		t_uint("info_desc", sample.info_desc, got.info_desc);
		t_bytes("info", sample.info, sizeof sample.info, got.info, sizeof got.info);
		struct lw_beacon untouched = {.time_s = 7};
		for (size_t cut = 0; cut <= LW_BEACON_MAX; cut++) {
			if (cut == length)
				continue;
			t_int("another length", LW_BEACON_BAD_LENGTH,
			      lw_beacon_parse(&layouts[i].layout, bytes, cut, &untouched));
		}
		t_uint("untouched", 7, untouched.time_s);
		struct wr small = wr_init(bytes, length - 1);
		lw_beacon_build(&layouts[i].layout, &sample, &small);
		t_false("no room", wr_ok(&small));
	}
}

/* A CRC of 16 bits notices every single damaged bit, and says in which part it is. */
static void every_damaged_bit_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct lw_beacon_layout *layout = &layouts[i].layout;
		uint8_t bytes[LW_BEACON_MAX];
		size_t length = built_in(layout, bytes), common = layout->rfu1_bytes + 7u;
		struct lw_beacon got;
		t_row(layouts[i].name);
		for (size_t bit = 0; bit < 8 * length; bit++) {
			bool in_common = bit / 8 < common;
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			t_int("verdict", in_common ? LW_BEACON_BAD_COMMON_CRC : LW_BEACON_BAD_GW_CRC,
			      lw_beacon_parse(layout, bytes, length, &got));
			t_int("the other part is good", true, in_common ? got.gw_crc_ok : got.common_crc_ok);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void info_holds_positions_and_gateways(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int32_t latitude, longitude;         /* microdegrees */
		int32_t latitude_raw, longitude_raw; /* on the air */
	} rows[] = {
		{"null island", 0, 0, 0, 0},
		{"the poles' edge", 90000000, 180000000, 8388607, 8388607},
		{"the other edge", -90000000, -180000000, -8388608, -8388608},
		{"City Hall", 40712800, -74006000, 3794708, -3448930},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lw_beacon beacon = {0};
		int32_t latitude, longitude;
		t_row(rows[i].name);
		t_int("latitude raw", rows[i].latitude_raw, lw_beacon_latitude_raw(rows[i].latitude));
		t_int("longitude raw", rows[i].longitude_raw, lw_beacon_longitude_raw(rows[i].longitude));
		lw_beacon_set_position(&beacon, LW_BEACON_GPS_ANTENNA_3, rows[i].latitude_raw,
				       rows[i].longitude_raw);
		lw_beacon_info_position(&beacon, &latitude, &longitude);
		t_uint("info_desc", LW_BEACON_GPS_ANTENNA_3, beacon.info_desc);
		t_int("latitude", rows[i].latitude_raw, latitude);
		t_int("longitude", rows[i].longitude_raw, longitude);
		/* One step is 10.7 (latitude) or 21.5 (longitude) millionths of a degree. */
		int32_t off_latitude = lw_beacon_latitude(latitude) - rows[i].latitude;
		int32_t off_longitude = lw_beacon_longitude(longitude) - rows[i].longitude;
		t_true("latitude back", off_latitude >= -11 && off_latitude <= 11);
		t_true("longitude back", off_longitude >= -22 && off_longitude <= 22);
	}
	struct lw_beacon beacon = {0};
	struct lw_net_id net_id;
	uint32_t gateway;
	t_row("a NetID and a gateway's number");
	lw_beacon_set_gateway(&beacon, (struct lw_net_id){0xc00053}, 0x123456);
	lw_beacon_info_gateway(&beacon, &net_id, &gateway);
	t_uint("info_desc", 3, beacon.info_desc);
	t_uint("NetID", 0xc00053, net_id.value);
	t_uint("gateway", 0x123456, gateway);
}

static void only_powers_of_two_are_periods(void **state)
{
	(void)state;
	struct aes *aes = aes_new();
	unsigned legal = 0;
	for (uint32_t period = 0; period <= 10000; period++) {
		struct lw_ping_iterator iterator;
		uint16_t offset = 9999;
		enum lw_ping_verdict verdict = lw_ping_offset(aes, 0, (struct lw_dev_addr){1}, period,
							      &offset);
		t_int("the iterator agrees", verdict,
		      lw_ping_iterator_init(&iterator, (struct lw_dev_addr){1}, period, 0));
		if (verdict == LW_PING_OK)
			legal++;
		else
			t_uint("untouched", 9999, offset);
	}
	t_uint("32 to 4096", 8, legal);
	for (uint8_t p = 0; p <= LW_PING_PERIODICITY_MAX; p++)
		t_uint("slots x period", LW_PING_SLOTS, lw_ping_nb(p) * lw_ping_period(p));
	/* A published case (the octets of time and address in air order: 80 bb f3 51, e2 18 84 c7). */
	uint16_t offset;
	t_row("a published offset");
	t_int("verdict", LW_PING_OK,
	      lw_ping_offset(aes, 0x51f3bb80, (struct lw_dev_addr){0xc78418e2}, 128, &offset));
	t_uint("offset", 62, offset);
	aes_free(aes);
}

/* Whatever the address, the period and the moment: all slots of each beacon period come, in order, and nothing else. */
static void the_iterator_gives_every_slot_once(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(13);
	struct aes *aes = aes_new();
	for (int round = 0; round < 200; round++) {
		struct lw_dev_addr dev_addr = {rng_u32(&rng)};
		uint8_t periodicity = (uint8_t)rng_below(&rng, 8);
		int64_t after = (int64_t)(rng_u64(&rng) % UINT64_C(4294967000000)), before = after;
		struct lw_ping_iterator iterator;
		struct lw_ping_slot slot;
		uint16_t offset = 0, in_period = 0;
		int64_t beacon_s = -1;
		t_int("init", LW_PING_OK,
		      lw_ping_iterator_init(&iterator, dev_addr, lw_ping_period(periodicity), after));
		for (int i = 0; i < 3 * lw_ping_nb(periodicity) + 1; i++) {
			lw_ping_iterator_next(&iterator, aes, &slot);
			t_true("strictly after", slot.gps_ms > before);
			t_int("a period's start", 0, slot.beacon_s % LW_BEACON_PERIOD_S);
			t_int("its time", slot.beacon_s * 1000 + 2120 + slot.slot * 30, slot.gps_ms);
			if (slot.beacon_s != beacon_s) {
				/* The first period may have begun before the walk, the others are whole. */
				t_true("whole", beacon_s < 0 || in_period == lw_ping_nb(periodicity) ||
							beacon_s * 1000 < after);
				beacon_s = slot.beacon_s;
				in_period = 0;
				t_int("offset", LW_PING_OK,
				      lw_ping_offset(aes, (uint32_t)beacon_s, dev_addr,
						     lw_ping_period(periodicity), &offset));
			}
			t_uint("on the raster", 0,
			       (unsigned)(slot.slot - offset) % lw_ping_period(periodicity));
			in_period++;
			before = slot.gps_ms;
		}
		/* The first slot of the walk is the earliest: starting one millisecond before it finds it again. */
		int64_t last = before;
		t_int("init", LW_PING_OK,
		      lw_ping_iterator_init(&iterator, dev_addr, lw_ping_period(periodicity), last - 1));
		lw_ping_iterator_next(&iterator, aes, &slot);
		t_int("found again", last, slot.gps_ms);
	}
	aes_free(aes);
}

static void leap_seconds_are_counted(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t unix_s, gps_s;
	} rows[] = {
		{"the epoch", 315964800, 0},
		{"the second before the first leap second", 362793599, 46828799},
		{"the second after it", 362793600, 46828801},
		{"the second before the last one", 1483228799, 1167264016},
		{"the second after it", 1483228800, 1167264018},
		{"2026", 1795219200, 1479254418},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("GPS", rows[i].gps_s, lw_gps_from_unix(rows[i].unix_s));
		t_int("Unix", rows[i].unix_s, lw_unix_from_gps(rows[i].gps_s));
	}
	t_row("within a leap second it is already the second after");
	t_int("Unix", 1483228800, lw_unix_from_gps(1167264017));
	t_int("leap seconds now", 18, lw_leap_seconds(1795219200));
	for (int64_t gps_s = 46828790; gps_s < 1200000000; gps_s += 86399) {
		int64_t unix_s = lw_unix_from_gps(gps_s), back = lw_gps_from_unix(unix_s) - gps_s;
		t_true("back and forth", back == 0 || back == 1);
	}
}

static void periods_start_at_multiples(void **state)
{
	(void)state;
	t_int("0", 0, lw_beacon_start(0));
	t_int("127", 0, lw_beacon_start(127));
	t_int("128", 128, lw_beacon_start(128));
	t_int("past 32 bits", INT64_C(4294967296), lw_beacon_start(INT64_C(4294967296) + 127));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(beacons_of_every_layout),
		t_test(every_damaged_bit_is_noticed),
		t_test(info_holds_positions_and_gateways),
		t_test(only_powers_of_two_are_periods),
		t_test(the_iterator_gives_every_slot_once),
		t_test(leap_seconds_are_counted),
		t_test(periods_start_at_multiples),
	};
	return t_run(tests);
}
