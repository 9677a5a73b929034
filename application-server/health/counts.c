/* From counters that only grow to what came in a while. A look at a gateway's counters gives one interval: the difference
 * to the look before. Where the bridge began anew, or the gateway came into its list again, the counters began at nought
 * and are the difference themselves; the first look ever gives none. */
#include "application-server/health/table.h"

#include "application-server/time_text.h"

#include <stdio.h>

uint32_t as_gateway_refused(const struct as_gateway_counts *counts)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < GW_TX_RESULT_COUNT; i++)
		sum += i == GW_TX_OK || i == GW_TX_NO_ANSWER ? 0 : counts->results[i];
	return sum;
}

void as_counts_add(struct as_gateway_counts *a, const struct as_gateway_counts *b)
{
	a->seconds += b->seconds;
	a->received += b->received;
	a->crc_errors += b->crc_errors;
	a->forwarded += b->forwarded;
	a->dropped += b->dropped;
	a->sent += b->sent;
	for (size_t i = 0; i < GW_TX_RESULT_COUNT; i++)
		a->results[i] += b->results[i];
	a->moves += b->moves;
	a->reconnects += b->reconnects;
	a->bytes_up += b->bytes_up;
	a->bytes_down += b->bytes_down;
	a->airtime_ms += b->airtime_ms;
}

uint32_t as_month_of(struct wall at)
{
	char text[AS_TIME_TEXT];
	as_time_format(text, at);
	uint32_t year = 0;
	for (int i = 0; i < 4; i++)
		year = 10 * year + (uint32_t)(text[i] - '0');
	return 12 * year + (uint32_t)(10 * (text[5] - '0') + text[6] - '0' - 1);
}

void as_health_turn(struct as_health_row *row, struct now now)
{
	int64_t tenth = now.mono.us / AS_HEALTH_TENTH, hour = tenth / 6;
	if (tenth - row->tenth > 6)
		row->tenth = tenth - 6;
	while (row->tenth < tenth) {
		size_t at = (size_t)(++row->tenth % 6);
		row->tenths[at] = (struct as_gateway_counts){0};
		row->tenth_outages[at] = row->tenth_taken[at] = 0;
	}
	if (hour - row->day_hour > 24)
		row->day_hour = hour - 24;
	while (row->day_hour < hour)
		row->day_hours[++row->day_hour % 24] = 0;
}

static uint64_t number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	json_int_t read = json_is_integer(value) ? json_integer_value(value) : 0;
	return read > 0 ? (uint64_t)read : 0;
}

static void read_counters(const json_t *told, const json_t *said, struct as_health_before *now)
{
	const json_t *results = json_object_get(said, "results");
	*now = (struct as_health_before){
		.known = true,
		.received = number(said, "received"),
		.crc_errors = number(said, "crc_errors"),
		.forwarded = number(said, "forwarded"),
		.dropped = number(told, "dropped"),
		.sent = number(said, "sent"),
		.bytes_up = number(said, "bytes_up"),
		.bytes_down = number(said, "bytes_down"),
		.moves = number(told, "moves"),
		.opened = number(said, "opened"),
		.taken = number(json_object_get(said, "closed"), "taken"),
	};
	for (size_t i = 0; i < GW_TX_RESULT_COUNT; i++)
		now->results[i] = number(results, gw_tx_result_name((enum gw_tx_result)i));
}

static bool began_anew(const struct as_health_before *before, const struct as_health_before *now)
{
	return before->began != now->began || now->received < before->received ||
	       now->bytes_up < before->bytes_up || now->sent < before->sent || now->opened < before->opened;
}

static uint32_t since(uint64_t before, uint64_t now)
{
	uint64_t passed = now >= before ? now - before : now;
	return passed > UINT32_MAX ? UINT32_MAX : (uint32_t)passed;
}

/* What came between the two; `taken`: connections that another host took over. */
static struct as_gateway_counts difference(const struct as_health_before *before,
					   const struct as_health_before *now, uint32_t *taken)
{
	static const struct as_health_before none = {.known = true};
	bool anew = began_anew(before, now);
	const struct as_health_before *from = anew ? &none : before;
	struct as_gateway_counts counts = {
		.seconds = since((uint64_t)before->at.us / US_PER_S, (uint64_t)now->at.us / US_PER_S),
		.received = since(from->received, now->received),
		.crc_errors = since(from->crc_errors, now->crc_errors),
		.forwarded = since(from->forwarded, now->forwarded),
		.dropped = since(from->dropped, now->dropped),
		.sent = since(from->sent, now->sent),
		.moves = since(from->moves, now->moves),
		.reconnects = since(from->opened, now->opened),
		.bytes_up = since(from->bytes_up, now->bytes_up),
		.bytes_down = since(from->bytes_down, now->bytes_down),
	};
	for (size_t i = 0; i < GW_TX_RESULT_COUNT; i++)
		counts.results[i] = since(from->results[i], now->results[i]);
	/* That it had to connect anew to a bridge that was restarted says nothing of the gateway. */
	if (anew && counts.reconnects > 0)
		counts.reconnects--;
	*taken = since(from->taken, now->taken);
	return counts;
}

static void sum_hour(struct as_health_row *row, uint32_t taken)
{
	struct as_gateway_health *facts = &row->facts;
	uint32_t hour_taken = 0;
	as_counts_add(&row->tenths[row->tenth % 6], &facts->minute);
	row->tenth_taken[row->tenth % 6] = (uint16_t)(row->tenth_taken[row->tenth % 6] + taken);
	facts->hour = (struct as_gateway_counts){0};
	for (size_t i = 0; i < 6; i++) {
		as_counts_add(&facts->hour, &row->tenths[i]);
		hour_taken += row->tenth_taken[i];
	}
	facts->duplicate_suspected = facts->flapping || hour_taken >= 2;
}

static void count_month(struct as_health_row *row, struct now now)
{
	uint32_t month = as_month_of(now.wall);
	if (row->month != month)
		row->facts.month_bytes = 0;
	row->month = month;
	row->facts.month_bytes += row->facts.minute.bytes_up + row->facts.minute.bytes_down;
}

static bool take_signed(const json_t *said, const char *name, int32_t *out)
{
	const json_t *value = json_object_get(said, name);
	if (!json_is_integer(value))
		return false;
	json_int_t read = json_integer_value(value);
	*out = read > INT32_MAX ? INT32_MAX : read < INT32_MIN ? INT32_MIN : (int32_t)read;
	return true;
}

static void take_text(char out[AS_HEALTH_TEXT], const json_t *said, const char *name)
{
	const char *text = json_string_value(json_object_get(said, name));
	if (text && text[0])
		snprintf(out, AS_HEALTH_TEXT, "%s", text);
}

static void take_measured(struct as_gateway_health *facts, const json_t *said)
{
	const json_t *position = json_object_get(said, "position");
	int32_t last = 0, most = 0, acks = 0, altitude = 0;
	facts->has_trip = take_signed(said, "trip_ms", &last) && take_signed(said, "trip_95_ms", &most);
	facts->trip_ms = (uint32_t)last;
	facts->trip_95_ms = (uint32_t)most;
	facts->has_drift = take_signed(said, "drift_tenths_ppm", &facts->drift_tenths_ppm);
	facts->has_temperature = take_signed(said, "temperature_cdeg", &facts->temperature_cdeg);
	facts->has_acks = take_signed(said, "acks_permille", &acks);
	facts->acks_permille = (uint32_t)acks;
	facts->certificate_until.us = (int64_t)number(said, "certificate_until") * US_PER_S;
	take_text(facts->station, said, "station");
	take_text(facts->model, said, "model");
	take_text(facts->firmware, said, "firmware");
	if (!json_is_object(position))
		return;
	facts->has_position = true;
	facts->latitude_deg = json_number_value(json_object_get(position, "lat"));
	facts->longitude_deg = json_number_value(json_object_get(position, "lon"));
	if (take_signed(position, "altitude_m", &altitude))
		facts->altitude_m = altitude;
}

static void keep_minute(struct as_health *health, struct as_health_row *row, struct now now)
{
	const struct as_gateway_health *facts = &row->facts;
	struct as_health_minute minute = {.eui = facts->eui,
					  .at = now.wall,
					  .counts = facts->minute,
					  .offline_s = (uint32_t)(row->offline_us / US_PER_S),
					  .has_trip = facts->has_trip,
					  .has_drift = facts->has_drift,
					  .has_temperature = facts->has_temperature,
					  .trip_95_ms = facts->trip_95_ms,
					  .drift_tenths_ppm = facts->drift_tenths_ppm,
					  .temperature_cdeg = facts->temperature_cdeg};
	row->offline_us = 0;
	if (minute.offline_s > minute.counts.seconds)
		minute.offline_s = minute.counts.seconds;
	/* One that was never heard has nothing to tell. */
	if (health->keeper.minute && facts->heard)
		health->keeper.minute(health->keeper.ctx, &minute);
	if (health->keeper.heard && facts->heard && row->bridge_heard)
		health->keeper.heard(health->keeper.ctx, facts);
}

static void count_row(struct as_health *health, const json_t *told, uint64_t began, struct now now)
{
	struct lw_eui64 eui;
	struct as_health_before counters;
	uint32_t taken = 0;
	const char *text = json_string_value(json_object_get(told, "eui"));
	const json_t *said = json_object_get(told, "health");
	struct as_health_row *row = text && said && lw_eui64_parse(text, &eui) ? as_health_row(health, &eui)
									       : NULL;
	if (!row)
		return;
	read_counters(told, said, &counters);
	counters.began = began;
	counters.at = now.mono;
	take_measured(&row->facts, said);
	as_health_turn(row, now);
	if (row->before.known) {
		row->facts.minute = difference(&row->before, &counters, &taken);
		row->facts.minute.airtime_ms = row->airtime_new;
		row->airtime_new = 0;
		sum_hour(row, taken);
		count_month(row, now);
		keep_minute(health, row, now);
	}
	row->before = counters;
}

void as_health_counters(struct as_health *health, const json_t *page, struct now now)
{
	size_t i;
	const json_t *told;
	uint64_t began = as_health_began(page);
	json_array_foreach(json_object_get(page, "gateways"), i, told)
	{
		count_row(health, told, began, now);
	}
}
