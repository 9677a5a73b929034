#include "application-server/census.h"

#include "application-server/time_text.h"
#include "common/lorawan/types.h"

#include <stdlib.h>
#include <string.h>

#define DAY         (86400 * US_PER_S)
#define AT_ONCE     2 /* slices that a question itself takes */
#define SILENT_FROM 3 /* times the usual */

void as_census_init(struct as_census *census, struct as_store *store)
{
	*census = (struct as_census){.store = store};
}

static int by_length(const void *a, const void *b)
{
	const span_us *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* The median gap; 0: there are fewer than two. */
static span_us usual_gap(const struct wall *heard, unsigned count)
{
	span_us gaps[AS_CENSUS_GAPS];
	unsigned made = 0;
	for (unsigned i = 1; i < count; i++)
		gaps[made++] = heard[i - 1].us > heard[i].us ? heard[i - 1].us - heard[i].us : 0;
	if (made < 2)
		return 0;
	qsort(gaps, made, sizeof *gaps, by_length);
	return gaps[made / 2];
}

/* Keeps the worst, the first of them first. */
static void add_silent(struct as_census_count *count, const struct as_silent_device *device)
{
	unsigned place = count->worst_count;
	while (place > 0 && count->worst[place - 1].times < device->times)
		place--;
	if (place == AS_CENSUS_WORST)
		return;
	if (count->worst_count < AS_CENSUS_WORST)
		count->worst_count++;
	memmove(&count->worst[place + 1], &count->worst[place],
		(count->worst_count - 1 - place) * sizeof *count->worst);
	count->worst[place] = *device;
}

static void count_device(struct as_census *census, const struct as_census_device *device, struct wall now)
{
	struct as_census_count *count = &census->now;
	struct wall heard[AS_CENSUS_GAPS + 1];
	count->registered++;
	if (!device->enabled) {
		count->disabled++;
		return;
	}
	unsigned times = as_store_heard(census->store, device->dev_eui, heard, AS_CENSUS_GAPS + 1);
	count->waiting += device->waits;
	if (times == 0)
		return;
	span_us age = now.us - heard[0].us, usual = usual_gap(heard, times);
	span_us limit = usual ? SILENT_FROM * usual : DAY;
	count->heard_day += age < DAY;
	if (age <= (limit > AS_CENSUS_PATIENCE ? limit : AS_CENSUS_PATIENCE))
		return;
	count->silent++;
	struct as_silent_device silent = {.dev_eui = device->dev_eui,
					  .heard = heard[0],
					  .usual = usual,
					  .times = (double)age / (double)(usual ? usual : DAY)};
	memcpy(silent.name, device->name, sizeof silent.name);
	add_silent(count, &silent);
}

bool as_census_step(struct as_census *census, struct now now)
{
	struct as_census_device devices[AS_CENSUS_SLICE];
	unsigned found;
	if (!census->counting)
		return false;
	if (as_store_census(census->store, census->after, AS_CENSUS_SLICE, devices, &found) != ST_OK) {
		census->counting = false; /* the next question begins anew */
		return false;
	}
	for (unsigned i = 0; i < found; i++)
		count_device(census, &devices[i], now.wall);
	if (found == AS_CENSUS_SLICE) {
		census->after = devices[found - 1].dev_eui;
		return true;
	}
	census->last = census->now;
	census->known = true;
	census->taken = now.mono;
	census->counting = false;
	return false;
}

void as_census_ask(struct as_census *census, struct now now)
{
	span_us fresh = AS_CENSUS_FRESH + 20 * mono_since(census->taken, census->begun);
	if (census->counting || (census->known && mono_since(now.mono, census->taken) < fresh))
		return;
	census->counting = true;
	census->begun = now.mono;
	census->after = INT64_MIN;
	census->now = (struct as_census_count){0};
	for (int i = 0; i < AT_ONCE && as_census_step(census, now); i++)
		continue;
}

static json_t *silent_json(const struct as_silent_device *device, struct wall now)
{
	char eui[LW_EUI64_TEXT], heard[AS_TIME_TEXT];
	struct lw_eui64 dev_eui = lw_eui64_from_number((uint64_t)device->dev_eui);
	lw_eui64_format(eui, &dev_eui);
	return json_pack("{ss ss* ss sI sI}", "dev_eui", eui, "name", device->name, "last_seen",
			 as_time_format(heard, device->heard), "silent_s",
			 (json_int_t)((now.us - device->heard.us) / US_PER_S), "usual_s",
			 (json_int_t)(device->usual / US_PER_S));
}

json_t *as_census_json(const struct as_census *census, struct now now)
{
	const struct as_census_count *last = &census->last;
	if (!census->known)
		return json_null();
	json_t *worst = json_array();
	for (unsigned i = 0; i < last->worst_count; i++)
		json_array_append_new(worst, silent_json(&last->worst[i], now.wall));
	return json_pack("{sI sI sI sI sI so sI}", "registered", (json_int_t)last->registered, "disabled",
			 (json_int_t)last->disabled, "heard_24h", (json_int_t)last->heard_day, "silent",
			 (json_int_t)last->silent, "waiting_to_join", (json_int_t)last->waiting,
			 "longest_silent", worst, "age_s",
			 (json_int_t)(mono_since(now.mono, census->taken) / US_PER_S));
}
