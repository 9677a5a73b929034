#include "application-server/live/gateways.h"

#include <stdio.h>
#include <string.h>

const char *as_live_state_name(enum as_live_state state)
{
	static const char *const names[] = {NULL, "never", "silent", "online"};
	return names[state];
}

void as_live_init(struct as_live_gateways *live, struct rng *rng)
{
	*live = (struct as_live_gateways){.told = false};
	table_init(&live->table, AS_LIVE_MAX, sizeof(struct as_live_gateway), sizeof(struct lw_eui64), rng);
}

void as_live_release(struct as_live_gateways *live)
{
	table_release(&live->table);
	*live = (struct as_live_gateways){.told = false};
}

void as_live_begin(struct as_live_gateways *live)
{
	live->round++;
}

static void put_row(struct as_live_gateways *live, const json_t *told, struct now now)
{
	struct lw_eui64 eui;
	bool made;
	const char *text = json_string_value(json_object_get(told, "eui"));
	const char *from = json_string_value(json_object_get(told, "from"));
	const json_t *silent = json_object_get(told, "silent_ms");
	if (!text || !lw_eui64_parse(text, &eui) || !json_is_integer(silent))
		return;
	struct as_live_gateway *row = table_put(&live->table, &eui, &made);
	if (!row)
		return;
	row->round = live->round;
	row->registered = json_is_true(json_object_get(told, "known"));
	row->online = json_is_true(json_object_get(told, "online"));
	row->datagrams = (uint64_t)json_integer_value(json_object_get(told, "datagrams"));
	if (json_integer_value(silent) < 0)
		return; /* not since the bridge started: what is known from before stays */
	row->heard = true;
	row->last.us = now.wall.us - json_integer_value(silent) * US_PER_MS;
	snprintf(row->address, sizeof row->address, "%s", from ? from : "");
}

void as_live_put(struct as_live_gateways *live, const json_t *page, struct now now)
{
	size_t i;
	const json_t *told;
	json_array_foreach(json_object_get(page, "gateways"), i, told)
	{
		put_row(live, told, now);
	}
}

/* Takes out one that is not registered and was not told of; false: there is none. */
static bool drop_one(struct as_live_gateways *live)
{
	const struct as_live_gateway *row;
	for (size_t at = 0; (row = table_next(&live->table, &at));)
		if (row->round != live->round && !row->registered) {
			struct lw_eui64 eui = row->eui;
			return table_remove(&live->table, &eui);
		}
	return false;
}

void as_live_end(struct as_live_gateways *live, struct now now)
{
	struct as_live_gateway *row;
	size_t strangers = 0;
	live->told = true;
	live->taken = now.mono;
	for (size_t at = 0; (row = table_next(&live->table, &at));) {
		row->online = row->online && row->round == live->round;
		strangers += row->round != live->round && !row->registered;
	}
	/* A few at a time: nobody looks at them meanwhile (as_live_gateway() and lists pass over them). */
	for (size_t dropped = 0; dropped < strangers && dropped < 16; dropped++)
		if (!drop_one(live))
			return;
}

bool as_live_is_fresh(const struct as_live_gateways *live, struct now now)
{
	return live->told && mono_since(now.mono, live->taken) < AS_LIVE_STALE;
}

enum as_live_state as_live_gateway(const struct as_live_gateways *live, const struct lw_eui64 *eui,
				   struct now now, const struct as_live_gateway **row)
{
	*row = table_get(&live->table, eui);
	if (!as_live_is_fresh(live, now))
		return AS_LIVE_UNKNOWN;
	if (!*row || !(*row)->heard)
		return AS_LIVE_NEVER;
	return (*row)->online ? AS_LIVE_ONLINE : AS_LIVE_SILENT;
}
