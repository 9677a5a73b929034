/* Loss from counter gaps and airtime, exactly: random devices lose frames, bring some late, join again, restart their counters, and the
 * process is killed between and within turns, with events told again afterwards; the ledger must say what the model does. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"
#include "tests/harness/process.h"

#include "application-server/store_ledger.h"
#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 300
#define DAYS    64
#define FIRST   20000 /* day of the first event */
#define EVENTS  12000
#define HOUR    (3600 * US_PER_S)

struct told {
	bool is_up;
	union {
		struct net_up_event up_event;
		struct net_air_event air_event;
	};
};

struct frame {
	uint32_t count, fcnt;
	uint32_t booked; /* day */
	bool received;
};

struct model {
	uint32_t count, next;
	bool begun;
	struct frame *frames; /* owned */
	size_t frame_count;
	struct as_day_account days[DAYS];
};

struct story {
	struct rng rng;
	struct t_city *city;
	char dir[T_DIR_MAX], city_path[T_DIR_MAX + 16], readings_path[T_DIR_MAX + 16];
	struct model devices[DEVICES];
	struct told *events; /* owned; in order of rows */
	size_t event_count, told, committed;
	struct wall clock;
	uint32_t counts;
	int64_t deaf_us[3]; /* by gateway */
	int64_t up_us, down_us;
};

static uint32_t below(struct story *story, uint32_t bound)
{
	return rng_u32(&story->rng) % bound;
}

static struct lw_eui64 eui_of(unsigned device)
{
	return lw_eui64_from_number(UINT64_C(0x0a00000000000000) + device);
}

static struct as_day_account *today(struct story *story, struct model *model)
{
	return &model->days[as_day_of(story->clock) - FIRST];
}

static struct told *next_event(struct story *story, bool is_up, struct net_event_head *head, unsigned device)
{
	struct told *event = &story->events[story->event_count++];
	*head = (struct net_event_head){.row = story->event_count,
					.time = {INT64_C(1)}, /* a gateway's clock that is wrong */
					.dev_eui = eui_of(device)};
	memcpy(head->id.bytes + 8, &head->row, sizeof head->row);
	memset(event, 0, sizeof *event);
	event->is_up = is_up;
	return event;
}

/* --- the model ------------------------------------------------------------------------------------------------- */

static void book(struct model *model, uint32_t fcnt, uint32_t day, bool received)
{
	model->frames = realloc(model->frames, (model->frame_count + 1) * sizeof *model->frames);
	ASSERT(model->frames);
	model->frames[model->frame_count++] = (struct frame){model->count, fcnt, day, received};
	model->days[day - FIRST].expected++;
	model->days[day - FIRST].received += received;
}

static void uplink(struct story *story, unsigned device, uint32_t fcnt, uint32_t missed, bool late)
{
	struct model *model = &story->devices[device];
	struct net_event_head head;
	struct told *event = next_event(story, true, &head, device);
	uint32_t airtime = 40000 + below(story, 1000000);
	event->up_event = (struct net_up_event){.head = head,
						.session = {{1}},
						.fcnt_up = fcnt,
						.late = late,
						.region_id = "eu868",
						.gateway_count = 1 + fcnt % 3,
						.dr = (uint8_t)(fcnt % 6),
						.count = model->count,
						.missed = missed,
						.airtime_us = airtime,
						.seen = story->clock};
	today(story, model)->up_us += airtime;
	today(story, model)->ups++;
	story->up_us += airtime;
	if (!late) {
		today(story, model)->seen = story->clock;
		today(story, model)->fcnt = fcnt;
	}
}

static void device_sends(struct story *story, unsigned device)
{
	struct model *model = &story->devices[device];
	uint32_t day = as_day_of(story->clock);
	uint32_t missed = below(story, 3) == 0 ? below(story, 9) : 0;
	bool is_abp_first = !model->begun && device % 2;
	if (!model->begun)
		model->count = ++story->counts;
	if (is_abp_first) {
		model->next = 1000 + below(story, 1000); /* nobody knows where it stands */
		missed = 0;
	}
	model->begun = true;
	for (uint32_t i = 0; i < missed; i++)
		book(model, model->next++, day, false);
	book(model, model->next, day, true);
	uplink(story, device, model->next++, missed, false);
}

/* One of the last 128 that was lost comes after all, or one of before the first that was heard. */
static void device_brings_late(struct story *story, unsigned device)
{
	struct model *model = &story->devices[device];
	uint32_t day = as_day_of(story->clock);
	for (size_t i = model->frame_count; i-- > 0;) {
		struct frame *frame = &model->frames[i];
		if (frame->count != model->count || model->next - frame->fcnt > 128 ||
		    day - frame->booked >= AS_REPAIR_DAYS)
			break;
		if (!frame->received && below(story, 2)) {
			frame->received = true;
			model->days[frame->booked - FIRST].received++;
			uplink(story, device, frame->fcnt, 0, true);
			return;
		}
	}
	if (model->frame_count == 1 && model->frames[0].fcnt > 500 &&
	    model->frames[0].count == model->count) {
		today(story, model)->expected++;
		today(story, model)->received++;
		uplink(story, device, model->frames[0].fcnt - 7, 0, true);
	}
}

static void device_begins_anew(struct story *story, unsigned device)
{
	struct model *model = &story->devices[device];
	if (!model->begun)
		return;
	model->count = ++story->counts;
	model->next = 0;
}

static void gateway_sends(struct story *story, unsigned device)
{
	struct model *model = &story->devices[device];
	unsigned gateway = below(story, 3);
	bool back = below(story, 8) == 0;
	uint32_t airtime = 41216;
	struct net_event_head head;
	struct told *event = next_event(story, false, &head, device);
	head.time = story->clock;
	event->air_event = (struct net_air_event){.head = head,
						  .kind = NET_AIR_ITEM,
						  .back = back,
						  .airtime_us = airtime,
						  .deaf_us = airtime + 5000,
						  .gateway = lw_eui64_from_number(gateway + 1)};
	int64_t sign = back ? -1 : 1;
	today(story, model)->down_us += sign * airtime;
	today(story, model)->deaf_us += sign * (airtime + 5000);
	story->deaf_us[gateway] += sign * (airtime + 5000);
	story->down_us += sign * airtime;
}

static void something_happens(struct story *story)
{
	unsigned device = below(story, DEVICES);
	uint32_t what = below(story, 100);
	if (below(story, 350) == 0)
		story->clock.us += (int64_t)(1 + below(story, 40)) * HOUR;
	story->clock.us += 1000;
	if (what < 70)
		device_sends(story, device);
	else if (what < 80)
		device_brings_late(story, device);
	else if (what < 83)
		device_begins_anew(story, device);
	else
		gateway_sends(story, device);
}

/* --- the process ------------------------------------------------------------------------------------------------- */

static void open_city(struct story *story)
{
	story->city = t_city_new_at(story->city_path, story->readings_path);
}

static void tell(struct story *story, const struct told *event)
{
	struct t_city *city = story->city;
	enum status status = event->is_up ? as_application_on_up(&city->app, city->now, &event->up_event)
					  : as_application_on_air(&city->app, &event->air_event);
	assert_int_equal(ST_OK, status);
}

/* A few events in a turn, which is committed, or ends with the process. After that what was not committed comes again, and
 * some of what was. */
static void turn(struct story *story, bool killed)
{
	uint32_t events = 1 + below(story, 40);
	for (; events > 0 && story->told < story->event_count; events--)
		tell(story, &story->events[story->told++]);
	if (!killed) {
		assert_int_equal(ST_OK, as_store_commit(story->city->store));
		story->committed = story->told;
		return;
	}
	t_city_free(story->city);
	open_city(story);
	uint32_t again = below(story, 60);
	story->told = story->committed > again ? story->committed - again : 0;
}

static void register_devices(struct story *story)
{
	t_city_furnish(story->city);
	for (unsigned i = 0; i < DEVICES; i++) {
		char body[300], text[LW_EUI64_TEXT];
		struct lw_eui64 eui = eui_of(i);
		lw_eui64_format(text, &eui);
		snprintf(
			body, sizeof body,
			"{\"dev_eui\":\"%s\",\"name\":\"d\",\"application\":\"meters\",\"profile\":\"probe\","
			"\"join_eui\":\"70b3d57ed0000001\"}",
			text);
		if (!t_int(text, 201,
			   t_city_call(story->city, &t_city_admin, "POST", "/api/v1/devices", body)))
			break;
	}
}

static void compare(struct story *story)
{
	struct as_store *store = story->city->store;
	unsigned wrong = 0;
	for (unsigned i = 0; i < DEVICES && wrong < 3; i++) {
		struct lw_eui64 eui = eui_of(i);
		for (uint32_t day = 0; day < DAYS && wrong < 3; day++) {
			const struct as_day_account *expected = &story->devices[i].days[day];
			struct as_day_account got;
			as_store_day(store, (int64_t)lw_eui64_number(&eui), FIRST + day, &got);
			wrong += !t_int("expected", expected->expected, got.expected);
			wrong += !t_int("received", expected->received, got.received);
			wrong += !t_int("uplink airtime", expected->up_us, got.up_us);
			wrong += !t_int("uplinks", expected->ups, got.ups);
			wrong += !t_int("downlink airtime", expected->down_us, got.down_us);
			wrong += !t_int("deaf", expected->deaf_us, got.deaf_us);
			wrong += !t_int("seen", expected->seen.us, got.seen.us);
			wrong += !t_int("last counter", expected->fcnt, got.fcnt);
		}
	}
	as_store_release(store);
}

static void add_up(void *ctx, const struct as_hour_account *sum)
{
	*(int64_t *)ctx += sum->deaf_us;
}

static void compare_gateways(struct story *story)
{
	for (int64_t gateway = 1; gateway <= 3; gateway++) {
		int64_t deaf_us = 0;
		assert_int_equal(ST_OK, as_store_gateway_air(story->city->store, gateway, FIRST * 24,
							     (FIRST + DAYS) * 24, add_up, &deaf_us));
		t_int("a gateway's deaf time", story->deaf_us[gateway - 1], deaf_us);
	}
	struct as_scope parks = t_city_scope(story->city, AS_READER, "parks");
	struct as_hour_account sum = {.up_us = 0};
	for (uint32_t hour = FIRST * 24; hour < (FIRST + DAYS) * 24; hour++) {
		struct as_hour_account account;
		as_store_hour(story->city->store, &parks.agency, 0, hour, &account);
		sum.up_us += account.up_us;
		sum.down_us += account.down_us;
	}
	t_int("the agency's uplink airtime", story->up_us, sum.up_us);
	t_int("the agency's downlink airtime", story->down_us, sum.down_us);
	as_store_release(story->city->store);
}

static void the_ledger_is_exact(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct story *story = calloc(1, sizeof *story);
		char name[40];
		snprintf(name, sizeof name, "seed %u", (unsigned)seed);
		t_row(name);
		story->rng = rng_seeded(seed);
		story->events = calloc(EVENTS + 8, sizeof *story->events);
		story->clock.us = (int64_t)FIRST * 24 * HOUR + HOUR / 2;
		t_temp_dir(story->dir);
		snprintf(story->city_path, sizeof story->city_path, "%s/city.db", story->dir);
		snprintf(story->readings_path, sizeof story->readings_path, "%s/readings.db", story->dir);
		open_city(story);
		register_devices(story);
		unsigned kills = 0;
		while (story->event_count < EVENTS && as_day_of(story->clock) < FIRST + DAYS - 2)
			something_happens(story);
		while (story->committed < story->event_count) {
			bool killed = below(story, 12) == 0 && kills < 60;
			kills += killed;
			turn(story, killed);
		}
		t_true("it was killed", kills > 10);
		compare(story);
		compare_gateways(story);
		t_row("the same after one more start");
		t_city_free(story->city);
		open_city(story);
		compare(story);
		t_true("the tail is shed",
		       story->city->store->ledger.turn - story->city->store->ledger.shed_turn < 400);
		t_city_free(story->city);
		t_temp_dir_remove(story->dir);
		for (unsigned i = 0; i < DEVICES; i++)
			free(story->devices[i].frames);
		free(story->events);
		free(story);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_ledger_is_exact),
	};
	return t_run(tests);
}
