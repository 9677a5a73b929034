/* Reading what store_health.c keeps: series at any level, outages, and what a gateway is known by after a start. */
#include "application-server/store_health.h"

#include "application-server/store_health_private.h"
#include "application-server/time_text.h"
#include "common/base/check.h"

#include <stdio.h>

#define DAY_S INT64_C(86400)

static int64_t key_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

static uint32_t u32(struct db *db, int s, int column)
{
	int64_t value = db_column_i64(db, s, column);
	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void read_point(struct db *db, int s, struct as_health_point *point)
{
	*point = (struct as_health_point){
		.at = {db_column_i64(db, s, 0) * US_PER_S},
		.offline_s = u32(db, s, 2),
		.counts = {.seconds = u32(db, s, 1),
			   .received = u32(db, s, 3),
			   .crc_errors = u32(db, s, 4),
			   .forwarded = u32(db, s, 5),
			   .dropped = u32(db, s, 6),
			   .sent = u32(db, s, 7),
			   .moves = u32(db, s, 15),
			   .reconnects = u32(db, s, 16),
			   .bytes_up = (uint64_t)db_column_i64(db, s, 17),
			   .bytes_down = (uint64_t)db_column_i64(db, s, 18),
			   .airtime_ms = (uint64_t)db_column_i64(db, s, 19)},
		.has_trip = !db_column_is_null(db, s, 20),
		.has_drift = !db_column_is_null(db, s, 21),
		.has_temperature = !db_column_is_null(db, s, 22),
		.trip_95_ms = u32(db, s, 20),
		.drift_tenths_ppm = (int32_t)db_column_i64(db, s, 21),
		.temperature_cdeg = (int32_t)db_column_i64(db, s, 22),
	};
	static const enum gw_tx_result groups[] = {GW_TX_OK,         GW_TX_TOO_LATE, GW_TX_COLLISION_PACKET,
						   GW_TX_DUTY_CYCLE, GW_TX_NO_PATH,  GW_TX_NO_ANSWER,
						   GW_TX_OTHER};
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		point->counts.results[groups[i]] = u32(db, s, 8 + (int)i);
}

struct reader {
	struct as_store *store;
	int64_t gateway, span;
	unsigned left;
	void (*each)(void *ctx, const struct as_health_point *point);
	void *ctx;
};

static enum status read_level(struct reader *reader, enum as_health_level level, int64_t from, int64_t to)
{
	struct db *db = reader->store->readings;
	int s = reader->store->health_base + SERIES;
	struct as_health_point point;
	enum db_step step;
	if (from >= to || reader->left == 0)
		return ST_OK;
	db_bind_i64(db, s, 1, reader->gateway);
	db_bind_i64(db, s, 2, level);
	db_bind_i64(db, s, 3, from);
	db_bind_i64(db, s, 4, to);
	db_bind_i64(db, s, 5, reader->left);
	db_bind_i64(db, s, 6, reader->span);
	while ((step = db_step(db, s)) == DB_ROW) {
		read_point(db, s, &point);
		reader->each(reader->ctx, &point);
		reader->left--;
	}
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

/* Today is made of the hours that are summed and the minutes since: one point, which `each` would meet in two parts. */
struct merging {
	struct reader *reader;
	struct as_health_point point;
	bool any;
};

static void merge(void *ctx, const struct as_health_point *point)
{
	struct merging *merging = ctx;
	struct as_health_point *sum = &merging->point;
	if (!merging->any) {
		*sum = *point;
		merging->any = true;
		return;
	}
	as_counts_add(&sum->counts, &point->counts);
	sum->offline_s += point->offline_s;
	if (point->has_trip && (!sum->has_trip || point->trip_95_ms > sum->trip_95_ms)) {
		sum->has_trip = true;
		sum->trip_95_ms = point->trip_95_ms;
	}
	if (point->has_drift) {
		sum->has_drift = true;
		sum->drift_tenths_ppm = point->drift_tenths_ppm;
	}
	if (point->has_temperature &&
	    (!sum->has_temperature || point->temperature_cdeg > sum->temperature_cdeg)) {
		sum->has_temperature = true;
		sum->temperature_cdeg = point->temperature_cdeg;
	}
}

/* Whole spans that are not summed yet are few: those of the levels below are summed for the answer, span by span. */
static enum status read_rest(struct reader *reader, enum as_health_level level, int64_t from, int64_t to)
{
	enum status status = ST_OK;
	for (int64_t at = from; at < to && reader->left > 0 && status == ST_OK; at += reader->span) {
		struct merging merging = {.reader = reader};
		struct reader part = {.store = reader->store,
				      .gateway = reader->gateway,
				      .span = reader->span,
				      .left = 2,
				      .each = merge,
				      .ctx = &merging};
		int64_t end = at + reader->span < to ? at + reader->span : to, below = at;
		if (level == AS_HEALTH_DAYS) {
			below = as_store_summed_to(reader->store, reader->gateway, AS_HEALTH_HOURS);
			below = below < at ? at : below > end ? end : below;
			status = read_level(&part, AS_HEALTH_HOURS, at, below);
		}
		if (status == ST_OK)
			status = read_level(&part, AS_HEALTH_MINUTES, below, end);
		if (merging.any) {
			merging.point.at.us = at * US_PER_S;
			reader->each(reader->ctx, &merging.point);
			reader->left--;
		}
	}
	return status;
}

enum status as_store_series(struct as_store *store, const struct lw_eui64 *eui, enum as_health_level level,
			    struct wall from, struct wall to, unsigned limit,
			    void (*each)(void *ctx, const struct as_health_point *point), void *ctx)
{
	struct reader reader = {.store = store,
				.gateway = key_of(eui),
				.span = as_health_level_s(level),
				.left = limit,
				.each = each,
				.ctx = ctx};
	int64_t begin = from.us / US_PER_S / reader.span * reader.span, end = to.us / US_PER_S;
	if (level == AS_HEALTH_MINUTES)
		return read_level(&reader, level, begin, end);
	int64_t summed = as_store_summed_to(store, reader.gateway, level);
	/* Nothing is summed yet: what minutes there are begin two days ago at most. */
	if (summed == 0)
		summed = begin > end - 3 * DAY_S ? begin : (end - 3 * DAY_S) / reader.span * reader.span;
	enum status status = read_level(&reader, level, begin, summed < end ? summed : end);
	return status == ST_OK ? read_rest(&reader, level, summed > begin ? summed : begin, end) : status;
}

enum status as_store_outages(struct as_store *store, const struct lw_eui64 *eui, struct wall since,
			     unsigned limit, void (*each)(void *ctx, const struct as_health_outage *outage),
			     void *ctx)
{
	struct db *db = store->readings;
	int s = store->health_base + OUTAGES_LIST;
	enum db_step step;
	db_bind_i64(db, s, 1, key_of(eui));
	db_bind_i64(db, s, 2, since.us);
	db_bind_i64(db, s, 3, limit);
	while ((step = db_step(db, s)) == DB_ROW) {
		const struct as_health_outage outage = {
			.eui = *eui,
			.began = {db_column_i64(db, s, 0)},
			.ended = {db_column_is_null(db, s, 1) ? 0 : db_column_i64(db, s, 1)},
			.reason = (enum as_gateway_reason)(db_column_i64(db, s, 2) % AS_GATEWAY_REASONS)};
		each(ctx, &outage);
	}
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

/* --- after a start ---------------------------------------------------------------------------------------------- */

static void add_bytes(void *ctx, const struct as_health_point *point)
{
	uint64_t *sum = ctx;
	*sum += point->counts.bytes_up + point->counts.bytes_down;
}

static struct wall month_begin(struct wall now)
{
	char text[AS_TIME_TEXT];
	struct wall begin = now;
	as_time_format(text, now);
	snprintf(text + 8, sizeof text - 8, "01T00:00:00+00:00");
	bool good = as_time_parse(text, &begin);
	ASSERT(good);
	return begin;
}

static void load_heard(struct as_store *store, int64_t gateway, struct as_health_mark *mark)
{
	struct db *db = store->readings;
	int s = store->health_base + HEARD_GET;
	db_bind_i64(db, s, 1, gateway);
	if (db_step(db, s) != DB_ROW)
		return;
	int64_t protocol = db_column_i64(db, s, 1);
	mark->heard = true;
	mark->last.us = db_column_i64(db, s, 0);
	mark->has_protocol = !db_column_is_null(db, s, 1) && protocol >= 0 && protocol < GW_PROTOCOL_COUNT;
	if (mark->has_protocol)
		mark->protocol = (enum gw_protocol)protocol;
	snprintf(mark->address, sizeof mark->address, "%s", db_column_text(db, s, 2));
	db_reset(db, s);
}

static void take_newest(void *ctx, const struct as_health_outage *outage)
{
	struct as_health_mark *mark = ctx;
	mark->out = outage->ended.us == 0;
	mark->outage = *outage;
}

void as_store_health_load(struct as_store *store, const struct lw_eui64 *eui, struct wall now,
			  struct as_health_mark *mark)
{
	struct db *db = store->readings;
	int s = store->health_base + OUTAGES_SINCE;
	*mark = (struct as_health_mark){.heard = false};
	load_heard(store, key_of(eui), mark);
	enum status status = as_store_outages(store, eui, (struct wall){0}, 1, take_newest, mark);
	if (status == ST_OK)
		status = as_store_series(store, eui, AS_HEALTH_DAYS, month_begin(now), now, 40, add_bytes,
					 &mark->month_bytes);
	db_bind_i64(db, s, 1, key_of(eui));
	db_bind_i64(db, s, 2, now.us - DAY_S * US_PER_S);
	mark->outages_day = (uint32_t)as_store_first(db, s, 0);
	if (status != ST_OK)
		as_store_abandon(store);
}

/* --- the keeper ------------------------------------------------------------------------------------------------- */

static void keep(struct as_store *store, enum status status)
{
	if (status != ST_OK)
		as_store_abandon(store);
}

static void keeper_load(void *ctx, const struct lw_eui64 *eui, struct wall now, struct as_health_mark *mark)
{
	as_store_health_load(ctx, eui, now, mark);
}

static void keeper_minute(void *ctx, const struct as_health_minute *minute)
{
	keep(ctx, as_store_minute_put(ctx, minute));
}

static void keeper_heard(void *ctx, const struct as_gateway_health *row)
{
	keep(ctx, as_store_heard_put(ctx, row));
}

static void keeper_outage(void *ctx, const struct as_health_outage *outage)
{
	keep(ctx, as_store_outage_put(ctx, outage));
}

struct as_health_keeper as_store_keeper(struct as_store *store)
{
	return (struct as_health_keeper){keeper_load, keeper_minute, keeper_heard, keeper_outage, store};
}
