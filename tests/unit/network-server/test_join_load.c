/* The meter of joins: what is remembered of the last seconds, and that a gateway counts once, in the second of its last request. */
#include "tests/harness/harness.h"

#include "network-server/gateways.h"
#include "network-server/join_load.h"

static struct ns_join_load load;

static struct mono second(int64_t s)
{
	return (struct mono){(1000 + s) * US_PER_S + 400 * US_PER_MS};
}

static void seconds_pass(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t at, look;
		uint64_t offered, answered;
	} rows[] = {
		{"within the same second", 0, 10, 3, 1}, {"nine seconds later", 9, 10, 3, 1},
		{"ten seconds later", 10, 10, 0, 0},     {"a longer look", 59, 60, 3, 1},
		{"longer ago than that", 60, 60, 0, 0},  {"its place in the ring comes round", 64, 60, 0, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		load = (struct ns_join_load){0};
		for (int n = 0; n < 3; n++)
			ns_join_load_offered(&load, second(0), 1000);
		ns_join_load_answered(&load, second(0));
		struct ns_join_look look = ns_join_load_look(&load, second(rows[i].at), rows[i].look);
		t_uint("offered", rows[i].offered, look.offered);
		t_uint("answered", rows[i].answered, look.answered);
	}
	t_row("the ring's place is taken again");
	ns_join_load_offered(&load, second(64), 1000);
	t_uint("offered", 1, ns_join_load_look(&load, second(64), 60).offered);
}

/* Three gateways hear requests at these seconds; how many heard one within ten seconds. */
static void a_gateway_counts_once(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t heard[8]; /* gateway × 1000 + second; −1: the end */
		int64_t at;
		uint64_t hearers;
	} rows[] = {
		{"nobody", {-1}, 5, 0},
		{"one, again and again", {0, 0, 1, 2, 5, 5, -1}, 5, 1},
		{"one, in the next round of the ring", {0, 64, 128, -1}, 128, 1},
		{"three at once", {3, 1003, 2003, -1}, 5, 3},
		{"one of three went away", {0, 1000, 2000, 9, 1009, -1}, 12, 2},
		{"all went away", {0, 1000, 2000, -1}, 10, 0},
		{"one came back after a minute and its place is another's", {0, 1064, 64, -1}, 64, 2},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t last[3] = {0};
		t_row(rows[i].name);
		load = (struct ns_join_load){0};
		for (size_t n = 0; n < 8 && rows[i].heard[n] >= 0; n++)
			ns_join_load_heard(&load, second(rows[i].heard[n] % 1000),
					   &last[rows[i].heard[n] / 1000]);
		t_uint("gateways", rows[i].hearers, ns_join_load_look(&load, second(rows[i].at), 10).hearers);
	}
}

/* A gateway may send NS_STORM_TX_PERMILLE of the time: 1.5 s of ten. */
static void need_against_what_may_be_sent(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned gateways;
		uint32_t need_us;
		uint64_t permille;
	} rows[] = {
		{"nobody who could send", 0, 1500000, 0},
		{"all of one gateway's time", 1, 1500000, 1000},
		{"half of two gateways' time", 2, 1500000, 500},
		{"nothing", 2, 0, 0},
		{"ten times what there is", 1, 15000000, 10000},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		load = (struct ns_join_load){0};
		for (unsigned g = 0; g < rows[i].gateways; g++) {
			int64_t last = 0;
			ns_join_load_heard(&load, second(1), &last);
		}
		ns_join_load_offered(&load, second(1), rows[i].need_us);
		t_uint("permille", rows[i].permille, ns_join_load_look(&load, second(1), 10).need_permille);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(seconds_pass),
		t_test(a_gateway_counts_once),
		t_test(need_against_what_may_be_sent),
	};
	return t_run(tests);
}
