/* The body of PUSH_DATA: rxpk entry by entry, and stat. */
#include "gateway-bridge/semtech_fields.h"

#include "common/base/check.h"
#include "gateway-bridge/schema.h"

#include <math.h>

enum gb_verdict gb_push_open(struct gb_json *json, const uint8_t *body, size_t length, struct gb_push *push)
{
	enum { BODY_RXPK, BODY_STAT, BODY_ROWS };
	static const struct gb_member rows[BODY_ROWS] = {
		[BODY_RXPK] = {"rxpk", GB_MEMBER_RAW, 0, 0},
		[BODY_STAT] = {"stat", GB_MEMBER_RAW, 0, 0},
	};
	const char *text = (const char *)body;
	if (length > 0 && text[length - 1] == 0)
		length--;
	enum gb_verdict verdict = gb_json_parse(json, text, length);
	if (verdict != GB_ACCEPTED)
		return verdict;
	if (gb_json_type(json, 0) != GB_JSON_OBJECT)
		return GB_NOT_AN_OBJECT;
	int values[BODY_ROWS];
	verdict = gb_schema_read(json, 0, rows, BODY_ROWS, values);
	if (verdict != GB_ACCEPTED)
		return verdict;
	int rxpk = values[BODY_RXPK], stat = values[BODY_STAT];
	if (rxpk != GB_JSON_NONE && gb_json_type(json, rxpk) != GB_JSON_ARRAY)
		return GB_RXPK_NOT_AN_ARRAY;
	*push = (struct gb_push){
		.json = json,
		.rxpk = rxpk,
		.entry = rxpk == GB_JSON_NONE ? GB_JSON_NONE : gb_json_first(json, rxpk),
		.stat = stat,
	};
	return GB_ACCEPTED;
}

bool gb_push_next(struct gb_push *push, struct gb_rxpk *rxpk, enum gb_verdict *verdict)
{
	if (push->entry == GB_JSON_NONE)
		return false;
	*verdict = gb_rxpk_read(push->json, push->entry, rxpk);
	push->entry = gb_json_next(push->json, push->rxpk, push->entry);
	return true;
}

/* --- stat */

enum {
	STAT_RXNB,
	STAT_RXOK,
	STAT_RXFW,
	STAT_DWNB,
	STAT_TXNB,
	STAT_ACKR,
	STAT_LATI,
	STAT_LONG,
	STAT_ALTI,
	STAT_TEMP,
	STAT_ROWS
};
static const struct gb_member stat_rows[STAT_ROWS] = {
	[STAT_RXNB] = {"rxnb", GB_MEMBER_ANY, 0, 0}, [STAT_RXOK] = {"rxok", GB_MEMBER_ANY, 0, 0},
	[STAT_RXFW] = {"rxfw", GB_MEMBER_ANY, 0, 0}, [STAT_DWNB] = {"dwnb", GB_MEMBER_ANY, 0, 0},
	[STAT_TXNB] = {"txnb", GB_MEMBER_ANY, 0, 0}, [STAT_ACKR] = {"ackr", GB_MEMBER_ANY, 0, 0},
	[STAT_LATI] = {"lati", GB_MEMBER_ANY, 0, 0}, [STAT_LONG] = {"long", GB_MEMBER_ANY, 0, 0},
	[STAT_ALTI] = {"alti", GB_MEMBER_ANY, 0, 0}, [STAT_TEMP] = {"temp", GB_MEMBER_ANY, 0, 0},
};

/* A number within its bounds; any other content counts as absent. */
static bool read_stat(const struct gb_json *json, int value, double min, double max, double *out)
{
	double real;
	if (value == GB_JSON_NONE || gb_json_type(json, value) != GB_JSON_NUMBER ||
	    !gb_json_real(json, value, &real) || real < min || real > max)
		return false;
	*out = real;
	return true;
}

static void read_counts(const struct gb_json *json, const int *values, struct gw_stats *stats)
{
	uint32_t *const counts[] = {&stats->rx_received, &stats->rx_ok, &stats->rx_forwarded,
				    &stats->tx_received, &stats->tx_emitted};
	static const int rows[] = {STAT_RXNB, STAT_RXOK, STAT_RXFW, STAT_DWNB, STAT_TXNB};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		double count;
		if (read_stat(json, values[rows[i]], 0, 4294967295.0, &count)) {
			*counts[i] = (uint32_t)count;
			stats->has_counts = true;
		}
	}
}

/* 0/0 and the sample configuration's 10/20 mean that nobody entered a place. */
static void read_location(const struct gb_json *json, const int *values, struct gw_stats *stats)
{
	double latitude, longitude, altitude = 0;
	if (!read_stat(json, values[STAT_LATI], -90, 90, &latitude) ||
	    !read_stat(json, values[STAT_LONG], -180, 180, &longitude))
		return;
	if ((latitude == 0 && longitude == 0) || (latitude == 10 && longitude == 20))
		return;
	(void)read_stat(json, values[STAT_ALTI], -1000, 100000, &altitude);
	stats->has_location = true;
	stats->latitude_deg = latitude;
	stats->longitude_deg = longitude;
	stats->altitude_m = (int32_t)lround(altitude);
}

bool gb_push_stat(struct gb_push *push, struct gw_stats *out, enum gb_verdict *verdict)
{
	struct gb_json *json = push->json;
	if (push->stat == GB_JSON_NONE)
		return false;
	*verdict = GB_STAT_NOT_AN_OBJECT;
	if (gb_json_type(json, push->stat) != GB_JSON_OBJECT)
		return true;
	int values[STAT_ROWS];
	*verdict = gb_schema_read(json, push->stat, stat_rows, STAT_ROWS, values);
	if (*verdict != GB_ACCEPTED)
		return true;
	struct gw_stats stats = {.has_counts = false};
	double value;
	read_counts(json, values, &stats);
	read_location(json, values, &stats);
	stats.has_ack_permille = read_stat(json, values[STAT_ACKR], 0, 100, &value);
	if (stats.has_ack_permille)
		stats.ack_permille = (uint32_t)lround(value * 10);
	stats.has_temperature = read_stat(json, values[STAT_TEMP], -273.15, 1000, &value);
	if (stats.has_temperature)
		stats.temperature_cdeg = (int32_t)lround(value * 100);
	*out = stats;
	return true;
}
