/* A gateway's health as JSON, beside its record. */
#include "application-server/api/gateway_json.h"

#include "application-server/time_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define EARTH_M 6371000.0
#define RADIANS 0.017453292519943295
#define DAY_US  (86400 * US_PER_S)

static json_t *time_or_null(struct wall time)
{
	char text[AS_TIME_TEXT];
	return time.us ? json_string(as_time_format(text, time)) : json_null();
}

json_t *as_counts_json(const struct as_gateway_counts *counts)
{
	json_t *results = json_object();
	for (size_t i = 0; i < GW_TX_RESULT_COUNT; i++)
		if (counts->results[i])
			json_object_set_new(results, gw_tx_result_name((enum gw_tx_result)i),
					    json_integer(counts->results[i]));
	return json_pack(
		"{sI sI sI sI sI sI so sI sI sI sI sI}", "seconds", (json_int_t)counts->seconds, "received",
		(json_int_t)counts->received, "crc_errors", (json_int_t)counts->crc_errors, "forwarded",
		(json_int_t)counts->forwarded, "dropped", (json_int_t)counts->dropped, "sent",
		(json_int_t)counts->sent, "results", results, "moves", (json_int_t)counts->moves,
		"reconnects", (json_int_t)counts->reconnects, "bytes_up", (json_int_t)counts->bytes_up,
		"bytes_down", (json_int_t)counts->bytes_down, "airtime_ms", (json_int_t)counts->airtime_ms);
}

json_t *as_number_or_null(bool known, double number)
{
	return known ? json_real(number) : json_null();
}

static json_t *integer_or_null(bool known, json_int_t number)
{
	return known ? json_integer(number) : json_null();
}

/* --- in words: what every list shows */

void as_gateway_add_state(json_t *record, const struct as_gateway_health *row, struct wall now)
{
	char words[AS_HEALTH_WORDS];
	json_object_set_new(record, "state", json_string(as_gateway_state_name(row->state)));
	json_object_set_new(record, "reason", json_string(as_gateway_reason_name(row->reason)));
	json_object_set_new(record, "since", time_or_null(row->since));
	json_object_set_new(record, "says", json_string(as_health_words(words, row, now)));
	json_object_set_new(record, "next_step", json_string(as_gateway_next_step(words, row, now)));
	json_object_set_new(record, "last_seen", row->heard ? time_or_null(row->last_heard) : json_null());
	json_object_set_new(record, "address", row->heard ? json_string(row->address) : json_null());
	json_object_set_new(record, "uplinks_hour",
			    integer_or_null(row->hour.seconds > 0, row->hour.forwarded));
	json_object_set_new(record, "loss_percent",
			    as_number_or_null(row->has_acks, (1000 - (double)row->acks_permille) / 10));
}

/* --- all of it: what one gateway's page shows */

static json_t *duty_json(const struct as_gateway_health *row)
{
	json_t *bands = json_array();
	for (unsigned i = 0; i < row->duty_count; i++)
		json_array_append_new(bands,
				      json_pack("{sI sI sI sI}", "min_hz", (json_int_t)row->duty[i].min_hz,
						"max_hz", (json_int_t)row->duty[i].max_hz, "used_ms",
						(json_int_t)row->duty[i].used_ms, "limit_ms",
						(json_int_t)row->duty[i].limit_ms));
	return bands;
}

static json_t *plan_json(const struct as_gateway_health *row)
{
	json_t *frequencies = json_array();
	for (unsigned i = 0; i < row->off_plan_count; i++)
		json_array_append_new(frequencies, json_integer(row->off_plan_hz[i]));
	return json_pack("{ss sb so}", "plan", row->plan, "off_plan", (int)row->off_plan, "off_plan_hz",
			 frequencies);
}

/* Metres between two places on a sphere: half a percent is good enough to find a gateway that was moved. */
static double distance_m(double lat_a, double lon_a, double lat_b, double lon_b)
{
	double north = sin((lat_b - lat_a) * RADIANS / 2), east = sin((lon_b - lon_a) * RADIANS / 2);
	double a = north * north + cos(lat_a * RADIANS) * cos(lat_b * RADIANS) * east * east;
	return 2 * EARTH_M * asin(sqrt(a < 1 ? a : 1));
}

static json_t *position_json(const struct as_gateway_health *row, const json_t *record)
{
	const json_t *lat = json_object_get(record, "lat"), *lon = json_object_get(record, "lon");
	const char *from = json_string_value(json_object_get(record, "position_from"));
	if (!row->has_position)
		return json_null();
	json_t *position = json_pack("{sf sf sI ss}", "lat", row->latitude_deg, "lon", row->longitude_deg,
				     "altitude_m", (json_int_t)row->altitude_m, "used",
				     from && strcmp(from, "gps") == 0 ? "gps" : "hand");
	if (json_is_number(lat) && json_is_number(lon)) {
		double apart = distance_m(json_number_value(lat), json_number_value(lon), row->latitude_deg,
					  row->longitude_deg);
		json_object_set_new(position, "apart_m", json_integer((json_int_t)apart));
		json_object_set_new(position, "far", json_boolean(apart > AS_POSITION_FAR_M));
	}
	return position;
}

/* Days until the permission's end, less than nought after it; null: none is written down. */
static json_t *permission_json(const json_t *record, struct wall now)
{
	char text[AS_TIME_TEXT];
	struct wall end;
	const char *until = json_string_value(json_object_get(record, "permission_until"));
	if (!until || strlen(until) < 10)
		return json_null();
	snprintf(text, sizeof text, "%.10sT23:59:59Z", until);
	if (!as_time_parse(text, &end))
		return json_null();
	return json_integer((end.us - now.us) / DAY_US - (end.us < now.us));
}

json_t *as_gateway_health_json(const struct as_gateway_health *row, const json_t *record, struct wall now)
{
	json_t *health = json_pack(
		"{so so sI sI sI sI sI sb sb so so}", "minute", as_counts_json(&row->minute), "hour",
		as_counts_json(&row->hour), "refused_hour", (json_int_t)as_gateway_refused(&row->hour),
		"month_bytes", (json_int_t)row->month_bytes, "outages_hour", (json_int_t)row->outages_hour,
		"outages_day", (json_int_t)row->outages_day, "airtime_hour_ms",
		(json_int_t)row->airtime_hour_ms, "flapping", (int)row->flapping, "duplicate_suspected",
		(int)row->duplicate_suspected, "duty_cycle", duty_json(row), "channels", plan_json(row));
	json_object_set_new(health, "protocol",
			    row->has_protocol ? json_string(gw_protocol_name(row->protocol)) : json_null());
	json_object_set_new(health, "trip_ms", integer_or_null(row->has_trip, row->trip_ms));
	json_object_set_new(health, "trip_95_ms", integer_or_null(row->has_trip, row->trip_95_ms));
	json_object_set_new(health, "drift_ppm",
			    as_number_or_null(row->has_drift, row->drift_tenths_ppm / 10.0));
	json_object_set_new(health, "temperature_c",
			    as_number_or_null(row->has_temperature, row->temperature_cdeg / 100.0));
	json_object_set_new(health, "acks_percent",
			    as_number_or_null(row->has_acks, row->acks_permille / 10.0));
	json_object_set_new(health, "station", json_string(row->station));
	json_object_set_new(health, "model", json_string(row->model));
	json_object_set_new(health, "firmware", json_string(row->firmware));
	json_object_set_new(health, "certificate_until", time_or_null(row->certificate_until));
	json_object_set_new(health, "gps", position_json(row, record));
	json_object_set_new(health, "permission_days", permission_json(record, now));
	return health;
}
