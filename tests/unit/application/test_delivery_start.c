/* Where a broker's delivery begins, and how many streams one caller may hold. */
#include "tests/harness/city.h"
#include "tests/harness/harness.h"

#include "application-server/api/events.h"
#include "application-server/delivery/mqtt.h"
#include "common/base/check.h"

#define KEPT 3

static void put_events(struct t_city *city, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct as_event event = {.id = {{1, (uint8_t)(first + i)}}, .body = "{}"};
		ASSERT_CMP(as_store_event_put(city->store, &event, NULL), ==, ST_OK);
	}
	ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
}

/* The events that wait for the broker. */
static uint64_t backlog(struct t_city *city, bool replay)
{
	const struct as_mqtt_options options = {
		.broker = {.host = "127.0.0.1", .port = 1, .username = "", .password = "", .ca_file = ""},
		.in_flight = 10,
		.qos = 1,
		.replay = replay};
	struct io_loop *loop = io_loop_new(NULL);
	struct as_mqtt *mqtt;
	ASSERT_CMP(as_mqtt_open(loop, city->store, &options, &mqtt), ==, ST_OK);
	uint64_t waiting = as_mqtt_status(mqtt).backlog;
	ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
	as_mqtt_close(mqtt);
	io_loop_free(loop);
	return waiting;
}

static const struct {
	const char *name;
	unsigned before, pruned_to;
	bool replay;
	uint64_t first, second; /* after two more events, and another start without `replay` */
} starts[] = {
	{"a broker from the first day", 0, 10, false, 0, 2},
	{"a broker that comes later", 5, 10, false, 0, 2},
	{"a broker that comes later and gets all", 5, 10, true, 5, 7},
	{"all that is kept, and no gap for what is not", 5, KEPT, true, KEPT, KEPT + 2},
};

static void delivery_begins_with_what_comes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		struct t_city *city = t_city_new();
		t_row(starts[i].name);
		put_events(city, 0, starts[i].before);
		ASSERT_CMP(as_store_events_prune(city->store, starts[i].pruned_to, 100), ==, ST_OK);
		t_uint("waits", starts[i].first, backlog(city, starts[i].replay));
		put_events(city, 100, 2);
		t_uint("waits at the next start", starts[i].second, backlog(city, !starts[i].replay));
		t_city_free(city);
	}
}

static const struct {
	const char *name;
	struct as_scope a, b;
	bool same;
} owners[] = {
	{"the city's administrators", {.role = AS_CITY}, {.role = AS_CITY}, true},
	{"an agency's manager and its reader",
	 {.role = AS_MANAGER, .agency = {{1}}},
	 {.role = AS_READER, .agency = {{1}}},
	 true},
	{"two agencies", {.role = AS_READER, .agency = {{1}}}, {.role = AS_READER, .agency = {{2}}}, false},
	{"the city and an agency", {.role = AS_CITY}, {.role = AS_READER, .agency = {{1}}}, false},
	{"an agency and the city", {.role = AS_READER, .agency = {{1}}}, {.role = AS_CITY}, false},
	{"nobody and nobody", {.role = AS_NOBODY}, {.role = AS_NOBODY}, false},
};

static void streams_are_shared_out_by_owner(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		t_row(owners[i].name);
		t_int("same", owners[i].same, as_scope_same_owner(&owners[i].a, &owners[i].b));
	}
	t_row("shares");
	t_uint("the city's", AS_STREAMS_OF_CITY, as_stream_share(&owners[0].a));
	t_uint("an agency's", AS_STREAMS_OF_AGENCY, as_stream_share(&owners[1].a));
	t_true("the city and an agency leave room for another",
	       AS_STREAMS_OF_CITY + 2 * AS_STREAMS_OF_AGENCY <= AS_STREAMS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(delivery_begins_with_what_comes),
		t_test(streams_are_shared_out_by_owner),
	};
	return t_run(tests);
}
