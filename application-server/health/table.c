#include "application-server/health/table.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY  (5 * US_PER_S)
#define LOOK_SOON   (1 * US_PER_S)
#define STIR_FOR    (30 * US_PER_S)
#define SOON_MAX    500 /* gateways that are asked for every second */
#define LOADS_MAX   10  /* rows that one page makes; the others come with the next round */
#define FORGET_MAX  64  /* rows that one round forgets */
#define PROTOCOLS   ((int)GW_PROTOCOL_COUNT)
#define CAUSE_COUNT ARRAY_SIZE(causes)

struct place {
	struct lw_eui64 eui;
	uint32_t index;
};

/* Causes of the bridge's gb_close_name(). */
static const struct {
	const char *name;
	enum as_gateway_reason reason;
} causes[] = {
	{"peer", AS_BECAUSE_PEER_CLOSED},   {"lost", AS_BECAUSE_LINK_LOST},
	{"silent", AS_BECAUSE_KEEP_ALIVE},  {"slow", AS_BECAUSE_MISBEHAVED},
	{"flood", AS_BECAUSE_MISBEHAVED},   {"protocol", AS_BECAUSE_MISBEHAVED},
	{"replaced", AS_BECAUSE_LINK_LOST}, {"taken", AS_BECAUSE_LINK_LOST},
	{"refused", AS_BECAUSE_REFUSED},    {"restart", AS_BECAUSE_BRIDGE_ENDED},
};

void as_health_init(struct as_health *health, const struct as_health_keeper *keeper, struct rng *rng)
{
	*health = (struct as_health){.keeper = *keeper, .silent = GW_SILENT_US, .offline = AS_OFFLINE_US};
	table_init(&health->by_eui, AS_HEALTH_MAX, sizeof(struct place), sizeof(struct lw_eui64), rng);
}

void as_health_set_spans(struct as_health *health, span_us silent, span_us offline)
{
	health->silent = silent;
	health->offline = offline > silent ? offline : silent;
}

span_us as_health_look_every(span_us silent)
{
	return silent / 3 < LOOK_EVERY ? silent / 3 : LOOK_EVERY;
}

span_us as_health_look_next(const struct as_health *health, struct mono now)
{
	span_us every = as_health_look_every(health->silent);
	bool stirs = health->fresh && mono_since(now, health->stirred) < STIR_FOR;
	return stirs && health->count <= SOON_MAX && LOOK_SOON < every ? LOOK_SOON : every;
}

void as_health_release(struct as_health *health)
{
	table_release(&health->by_eui);
	free(health->rows);
	*health = (struct as_health){.count = 0};
}

size_t as_health_count(const struct as_health *health)
{
	return health->count;
}

struct as_health_row *as_health_row(struct as_health *health, const struct lw_eui64 *eui)
{
	const struct place *place = table_get(&health->by_eui, eui);
	return place ? &health->rows[place->index] : NULL;
}

const struct as_gateway_health *as_health_find(const struct as_health *health, const struct lw_eui64 *eui)
{
	const struct place *place = table_get(&health->by_eui, eui);
	return place ? &health->rows[place->index].facts : NULL;
}

const struct as_gateway_health *as_health_next(const struct as_health *health, size_t *at)
{
	return *at < health->count ? &health->rows[(*at)++].facts : NULL;
}

bool as_health_is_fresh(const struct as_health *health, struct mono now)
{
	return health->fresh && mono_since(now, health->taken) < 4 * as_health_look_every(health->silent);
}

uint64_t as_health_began(const json_t *page)
{
	const char *text = json_string_value(json_object_get(page, "began"));
	return text ? strtoull(text, NULL, 16) : 0;
}

/* --- rows that come and go */

/* What is known of it from before, by our own clock. */
static void load(struct as_health *health, struct as_health_row *row, struct now now)
{
	struct as_health_mark mark = {.heard = false};
	if (health->keeper.load)
		health->keeper.load(health->keeper.ctx, &row->facts.eui, now.wall, &mark);
	as_health_turn(row, now);
	row->facts.heard = mark.heard;
	row->facts.last_heard = mark.last;
	row->facts.has_protocol = mark.has_protocol;
	row->facts.protocol = mark.protocol;
	memcpy(row->facts.address, mark.address, sizeof row->facts.address);
	row->facts.month_bytes = mark.month_bytes;
	row->month = as_month_of(now.wall);
	row->heard.us = now.mono.us - (now.wall.us - mark.last.us);
	row->day_hours[row->day_hour % 24] = (uint16_t)mark.outages_day;
	row->out = mark.out;
	row->outage = mark.outage;
	row->out_since.us = now.mono.us - (now.wall.us - mark.outage.began.us);
	if (row->out_since.us < row->heard.us)
		row->heard = row->out_since; /* it was out: nothing that came before counts as a return */
}

static struct as_health_row *make(struct as_health *health, const struct lw_eui64 *eui, struct now now)
{
	bool made;
	if (health->count == health->room) {
		size_t room = health->room ? 2 * health->room : 64;
		struct as_health_row *grown = realloc(health->rows, room * sizeof *grown);
		if (!grown)
			return NULL;
		health->rows = grown;
		health->room = room;
	}
	struct place *place = table_put(&health->by_eui, eui, &made);
	if (!place)
		return NULL;
	place->index = (uint32_t)health->count;
	struct as_health_row *row = &health->rows[health->count++];
	*row = (struct as_health_row){.facts = {.eui = *eui, .registered = true}};
	load(health, row, now);
	health->stirred = now.mono;
	/* Who comes while we listen is counted from nought; of others, what came before was counted then. */
	row->looked = !health->settled;
	row->airtime_known = health->settled;
	row->before = (struct as_health_before){
		.known = health->settled, .began = health->began, .at = now.mono};
	return row;
}

static void forget(struct as_health *health, size_t index)
{
	struct lw_eui64 eui = health->rows[index].facts.eui;
	health->rows[index] = health->rows[--health->count];
	bool there = table_remove(&health->by_eui, &eui);
	ASSERT(there);
	if (index < health->count) {
		struct place *moved = table_get(&health->by_eui, &health->rows[index].facts.eui);
		ASSERT(moved != NULL);
		moved->index = (uint32_t)index;
	}
}

/* --- liveness */

void as_health_begin(struct as_health *health)
{
	health->round++;
	health->waits = false;
}

bool as_health_waits(const struct as_health *health)
{
	return health->waits;
}

static bool read_span(const json_t *told, const char *name, span_us *span)
{
	const json_t *value = json_object_get(told, name);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*span = json_integer_value(value) * US_PER_MS;
	return true;
}

static void take_heard(struct as_health_row *row, const json_t *told, struct now now)
{
	struct as_gateway_health *facts = &row->facts;
	const char *from = json_string_value(json_object_get(told, "from"));
	const char *protocol = json_string_value(json_object_get(told, "protocol"));
	span_us silent;
	row->bridge_heard = read_span(told, "silent_ms", &silent);
	if (!row->bridge_heard)
		return; /* not since the bridge began: what is known from before stays */
	row->heard.us = now.mono.us - silent;
	facts->heard = true;
	facts->last_heard.us = now.wall.us - silent;
	snprintf(facts->address, sizeof facts->address, "%s", from ? from : "");
	for (int i = 0; protocol && i < PROTOCOLS; i++)
		if (strcmp(protocol, gw_protocol_name((enum gw_protocol)i)) == 0) {
			facts->has_protocol = true;
			facts->protocol = (enum gw_protocol)i;
		}
}

static void take_connection(struct as_health_row *row, const json_t *told, struct now now)
{
	const json_t *connected = json_object_get(told, "connected");
	const char *closed = json_string_value(json_object_get(told, "closed"));
	span_us changed;
	row->has_connection = json_is_boolean(connected);
	row->connected = json_is_true(connected);
	if (read_span(told, "changed_ms", &changed))
		row->changed.us = now.mono.us - changed;
	row->closed = AS_BECAUSE_LINK_LOST;
	for (size_t i = 0; closed && i < CAUSE_COUNT; i++)
		if (strcmp(closed, causes[i].name) == 0)
			row->closed = causes[i].reason;
}

/* Who was not let in counts as long as nothing of it was taken since. */
static void take_refusal(struct as_health_row *row, const json_t *told, struct now now)
{
	const char *verdict = json_string_value(json_object_get(told, "refused"));
	span_us ago;
	bool counts = verdict && read_span(told, "refused_ms", &ago) &&
		      (!row->bridge_heard || now.mono.us - ago > row->heard.us);
	snprintf(row->facts.turned_away, sizeof row->facts.turned_away, "%s", counts ? verdict : "");
}

static void live_row(struct as_health *health, const json_t *told, struct now now)
{
	struct lw_eui64 eui;
	const char *text = json_string_value(json_object_get(told, "eui"));
	if (!text || !lw_eui64_parse(text, &eui) || !json_is_true(json_object_get(told, "known")))
		return;
	struct as_health_row *row = as_health_row(health, &eui);
	if (!row && health->loads == LOADS_MAX)
		health->waits = true;
	else if (!row && health->loads++ < LOADS_MAX)
		row = make(health, &eui, now);
	if (!row)
		return;
	row->round = health->round;
	row->facts.flapping = json_is_true(json_object_get(told, "flapping"));
	row->facts.duplicate_suspected = row->facts.duplicate_suspected || row->facts.flapping;
	take_heard(row, told, now);
	take_connection(row, told, now);
	take_refusal(row, told, now);
	as_health_judge(health, row, now);
}

void as_health_live(struct as_health *health, const json_t *page, struct now now)
{
	size_t i;
	const json_t *told;
	uint64_t began = as_health_began(page);
	/* From here on silence counts: the bridge is another one, or answers after a while. */
	if (!as_health_is_fresh(health, now.mono) || began != health->began) {
		health->listening = health->stirred = now.mono;
		health->settled = false;
	}
	health->began = began;
	health->loads = 0;
	health->fresh = true;
	health->taken = now.mono;
	json_array_foreach(json_object_get(page, "gateways"), i, told)
	{
		live_row(health, told, now);
	}
}

void as_health_end(struct as_health *health, struct now now)
{
	unsigned forgotten = 0;
	(void)now;
	health->settled = !health->waits;
	for (size_t i = health->count; i > 0 && forgotten < FORGET_MAX; i--)
		if (health->rows[i - 1].round != health->round) {
			forget(health, i - 1);
			forgotten++;
		}
}

void as_health_unheard(struct as_health *health, struct now now)
{
	if (!health->fresh || as_health_is_fresh(health, now.mono))
		return;
	health->fresh = false;
	for (size_t i = 0; i < health->count; i++) {
		struct as_gateway_health *facts = &health->rows[i].facts;
		facts->state = AS_GATEWAY_UNKNOWN;
		facts->reason = AS_BECAUSE_NO_BRIDGE;
		facts->since = now.wall;
		health->rows[i].judged.us = 0;
	}
}

bool as_health_unlooked(struct as_health *health, struct lw_eui64 *eui)
{
	for (size_t i = 0; i < health->count; i++) {
		if (health->rows[i].looked || !health->rows[i].facts.heard)
			continue;
		health->rows[i].looked = true;
		*eui = health->rows[i].facts.eui;
		return true;
	}
	return false;
}

/* --- what the network server plans with */

static uint32_t number(const json_t *object, const char *name)
{
	json_int_t read = json_integer_value(json_object_get(object, name));
	return read < 0 ? 0 : read > UINT32_MAX ? UINT32_MAX : (uint32_t)read;
}

static void take_duty(struct as_gateway_health *facts, const json_t *bands)
{
	size_t i;
	const json_t *band;
	facts->duty_count = 0;
	json_array_foreach(bands, i, band)
	{
		if (facts->duty_count == AS_HEALTH_SUB_BANDS)
			break;
		facts->duty[facts->duty_count++] = (struct as_gateway_duty){
			number(band, "min_hz"), number(band, "max_hz"), number(band, "used_ms"),
			number(band, "limit_ms")};
	}
}

static void take_plan(struct as_gateway_health *facts, const json_t *told)
{
	size_t i;
	const json_t *row, *off = json_object_get(told, "off_plan");
	const char *plan = json_string_value(json_object_get(told, "plan"));
	snprintf(facts->plan, sizeof facts->plan, "%s", plan ? plan : "");
	facts->off_plan = json_is_true(json_object_get(off, "raised"));
	facts->off_plan_count = 0;
	json_array_foreach(json_object_get(off, "frequencies"), i, row)
	{
		if (facts->off_plan_count < AS_HEALTH_OFF_PLAN &&
		    !json_is_true(json_object_get(row, "inside")))
			facts->off_plan_hz[facts->off_plan_count++] = number(row, "hz");
	}
}

static void take_airtime(struct as_health_row *row, const json_t *told)
{
	json_int_t read = json_integer_value(json_object_get(told, "airtime_total_ms"));
	uint64_t total = read > 0 ? (uint64_t)read : 0;
	/* A smaller sum is another run of the network server's. */
	if (row->airtime_known)
		row->airtime_new += total >= row->airtime_ms ? total - row->airtime_ms : total;
	row->airtime_known = true;
	row->airtime_ms = total;
	row->facts.airtime_hour_ms = number(told, "airtime_ms");
}

void as_health_network(struct as_health *health, const json_t *page, struct now now)
{
	size_t i;
	const json_t *told;
	(void)now;
	json_array_foreach(json_object_get(page, "gateways"), i, told)
	{
		struct lw_eui64 eui;
		const char *text = json_string_value(json_object_get(told, "eui"));
		struct as_health_row *row = text && lw_eui64_parse(text, &eui) ? as_health_row(health, &eui)
									       : NULL;
		if (!row)
			continue;
		take_duty(&row->facts, json_object_get(told, "sub_bands"));
		take_plan(&row->facts, told);
		take_airtime(row, told);
	}
}
