/* class_b.json and ping.json: beacons, GPS time, ping slots. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/class_b.h"
#include "common/lorawan/gps_time.h"

#include <stdio.h>
#include <string.h>

static void check_crc(struct vector *vector, const char *member, uint16_t crc)
{
	char text[5];
	snprintf(text, sizeof text, "%04x", (unsigned)crc);
	x_text(vector, vector->expect, member, text);
}

/* The entry's own CRC goes back into a damaged beacon, since what is built always fits. */
static void check_built(struct vector *vector, const struct lw_beacon_layout *layout,
			const struct lw_beacon *beacon, const struct bytes *bytes)
{
	uint8_t built[LW_BEACON_MAX];
	struct wr wr = wr_init(built, sizeof built);
	lw_beacon_build(layout, beacon, &wr);
	if (beacon->common_crc_ok && beacon->gw_crc_ok)
		x_built(vector, "beacon built", bytes, built, wr_length(&wr));
	else if (wr_length(&wr) != bytes->length || memcmp(built, bytes->at, bytes->length) == 0)
		v_fail(vector, "beacon built", "other CRCs than the damaged ones", "the same");
}

static void beacon(struct vector *vector)
{
	struct lw_beacon_layout layout = {.rfu1_bytes = (uint8_t)(v_uint(vector, "rfu1_bytes") - 1),
					  .rfu2_bytes = (uint8_t)v_uint(vector, "rfu2_bytes")};
	struct bytes bytes = v_bytes(vector, "beacon");
	struct lw_beacon got = {0}, want = {0};
	int32_t latitude, longitude;
	enum lw_beacon_verdict verdict = lw_beacon_parse(&layout, bytes.at, bytes.length, &got);
	if (verdict == LW_BEACON_BAD_LENGTH)
		v_fail(vector, "beacon", "its layout's length", lw_beacon_verdict_name(verdict));
	lw_beacon_info_position(&got, &latitude, &longitude);
	want.time_s = (uint32_t)x_uint(vector, vector->expect, "time", got.time_s);
	check_crc(vector, "common_crc", got.common_crc);
	want.common_crc_ok = x_bool(vector, vector->expect, "common_crc_ok", got.common_crc_ok);
	check_crc(vector, "gw_crc", got.gw_crc);
	want.gw_crc_ok = x_bool(vector, vector->expect, "gw_crc_ok", got.gw_crc_ok);
	uint64_t info = x_uint(vector, vector->expect, "info_desc", got.info_desc);
	int64_t latitude_raw = x_int(vector, vector->expect, "lat_raw", latitude);
	int64_t longitude_raw = x_int(vector, vector->expect, "lng_raw", longitude);
	lw_beacon_set_position(&want, (enum lw_beacon_info)info, (int32_t)latitude_raw,
			       (int32_t)longitude_raw);
	check_built(vector, &layout, &want, &bytes);
}

static void beacon_coordinate(struct vector *vector)
{
	const char *axis = v_text(vector, "axis");
	json_t *degrees = json_object_get(vector->input, "degrees");
	int32_t microdegrees = (int32_t)(json_number_value(degrees) * 1e6);
	bool is_latitude = strcmp(axis, "lat") == 0;
	if (!json_is_number(degrees) || (!is_latitude && strcmp(axis, "lng") != 0))
		v_fail(vector, "input", "an axis and degrees", "something else");
	v_ignore(vector, "degrees");
	int32_t raw = is_latitude ? lw_beacon_latitude_raw(microdegrees)
				  : lw_beacon_longitude_raw(microdegrees);
	int32_t back = is_latitude ? lw_beacon_latitude(raw) : lw_beacon_longitude(raw);
	if (back != microdegrees)
		v_fail(vector, "degrees", "the same back", "others");
	struct lw_beacon beacon_with = {0};
	x_int(vector, vector->expect, "raw", raw);
	lw_beacon_set_position(&beacon_with, LW_BEACON_GPS_ANTENNA_1, raw, 0);
	x_bytes(vector, vector->expect, "wire", beacon_with.info, 3);
}

static void beacon_start(struct vector *vector)
{
	int64_t gps_s = (int64_t)v_uint(vector, "gps_seconds");
	x_int(vector, vector->expect, "beacon_start", lw_beacon_start(gps_s));
}

/* Days since 1970-01-01 of a date from 1970 on. */
static int64_t days_of(int year, int month, int day)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t days = 0;
	for (int y = 1970; y < year; y++)
		days += y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 366 : 365;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days + before[(month - 1) % 12] + (leap && month > 2 ? 1 : 0) + day - 1;
}

static void gps_time(struct vector *vector)
{
	int year, month, day, hour, minute, second, end = 0;
	const char *utc = v_text(vector, "utc");
	if (sscanf(utc, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &year, &month, &day, &hour, &minute, &second, &end) !=
		    6 ||
	    utc[end] != '\0' || month < 1) {
		v_fail(vector, "input.utc", utc, "a runner that cannot use it");
		return;
	}
	int64_t unix_s = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
	int64_t gps_s = x_int(vector, vector->expect, "gps_seconds", lw_gps_from_unix(unix_s));
	if (lw_unix_from_gps(gps_s) != unix_s)
		v_fail(vector, "utc", utc, "another time back");
}

static void ping_offset(struct vector *vector)
{
	uint32_t time_s = (uint32_t)v_uint(vector, "beacon_time");
	struct lw_dev_addr dev_addr = v_dev_addr(vector, "dev_addr");
	uint16_t offset = UINT16_MAX;
	enum lw_ping_verdict verdict = lw_ping_offset(vector->aes, time_s, dev_addr,
						      (uint32_t)v_uint(vector, "ping_period"), &offset);
	if (x_has(vector->expect, "reject"))
		x_reject(vector, lw_ping_verdict_name(verdict));
	else
		x_uint(vector, vector->expect, "ping_offset", offset);
}

static uint32_t period_of(struct vector *vector)
{
	uint64_t ping_nb = v_uint(vector, "ping_nb");
	return ping_nb > 0 ? (uint32_t)(LW_PING_SLOTS / ping_nb) : 0;
}

static bool begin(struct vector *vector, struct lw_ping_iterator *iterator, int64_t after_gps_ms)
{
	struct lw_dev_addr dev_addr = v_dev_addr(vector, "dev_addr");
	if (lw_ping_iterator_init(iterator, dev_addr, period_of(vector), after_gps_ms) == LW_PING_OK)
		return true;
	v_fail(vector, "input.ping_nb", "a legal number of slots", "another");
	return false;
}

static void next_ping_slot(struct vector *vector)
{
	struct lw_ping_iterator iterator;
	struct lw_ping_slot slot = {0};
	if (begin(vector, &iterator, (int64_t)v_uint(vector, "after_gps_ms")))
		lw_ping_iterator_next(&iterator, vector->aes, &slot);
	x_int(vector, vector->expect, "slot_gps_ms", slot.gps_ms);
}

static void ping_slots_list(struct vector *vector)
{
	struct lw_ping_iterator iterator;
	struct lw_ping_slot slot;
	int64_t beacon_s = (int64_t)v_uint(vector, "beacon_time");
	json_t *slots = x_part(vector, vector->expect, "slots");
	json_t *offsets = x_part(vector, vector->expect, "offsets_ms");
	if (!begin(vector, &iterator, beacon_s * 1000))
		return;
	while (lw_ping_iterator_next(&iterator, vector->aes, &slot), slot.beacon_s == beacon_s) {
		if (json_integer_value(json_array_get(slots, 0)) != slot.slot ||
		    json_integer_value(json_array_get(offsets, 0)) != slot.gps_ms - beacon_s * 1000)
			v_fail(vector, "slots", "the slot of the data", "another slot or offset");
		if (json_array_size(slots) == 0 || json_array_size(offsets) == 0)
			return;
		json_array_remove(slots, 0);
		json_array_remove(offsets, 0);
	}
}

static void periodicity(struct vector *vector)
{
	uint8_t value = (uint8_t)v_uint(vector, "periodicity");
	x_uint(vector, vector->expect, "ping_nb", lw_ping_nb(value));
	x_uint(vector, vector->expect, "ping_period_slots", lw_ping_period(value));
	x_uint(vector, vector->expect, "seconds", lw_ping_seconds(value));
}

const struct vector_kind vectors_class_b[] = {
	{"beacon", beacon},
	{"beacon_coordinate", beacon_coordinate},
	{"beacon_start", beacon_start},
	{"gps_time", gps_time},
	{"ping_offset", ping_offset},
	{"ping_offset_reject", ping_offset},
	{"next_ping_slot", next_ping_slot},
	{"ping_slots_list", ping_slots_list},
	{"periodicity", periodicity},
	{NULL, NULL},
};
