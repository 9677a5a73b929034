/* One join for a device that lost its counter: what may be allowed, what it lets pass, and that it is as durable as the nonces. */
#include "tests/harness/harness.h"

#include "join-server/allow_once.h"
#include "tests/harness/join_world.h"

#include <stdio.h>
#include <string.h>

static struct t_join_world world;
static uint32_t transaction;

static int open_world(void **state)
{
	t_join_world_open(&world);
	transaction = 0;
	return t_setup(state);
}

static int close_world(void **state)
{
	t_join_world_close(&world);
	return t_teardown(state);
}

static enum js_verdict join_with(uint16_t dev_nonce, struct bi_message *answer)
{
	struct bi_message request = t_join_request(&world, &t_app_key, LW_MAC_1_0_4, dev_nonce,
						   ++transaction);
	return t_join_ask(&world, &request, answer);
}

/* Asks as the application server does; returns the code, fills the seconds left (−1: no answer). */
static int call(const char *body, int *left_s)
{
	char problem[JS_ALLOW_ONCE_TEXT];
	struct js_allow_once order;
	span_us left = 0;
	*left_s = -1;
	if (!js_allow_once_parse((const uint8_t *)body, strlen(body), &order, problem)) {
		t_true("says what was expected", problem[0] != '\0');
		return 422;
	}
	enum js_allow_once_result result = js_allow_once(&world.join, world.now, &order, &left);
	if (result != JS_ALLOW_ONCE_DONE) {
		t_true("says why", js_allow_once_reason(result)[0] != '\0');
		return js_allow_once_code(result);
	}
	json_t *answer = js_allow_once_json(&world.join, &order, left);
	*left_s = (int)json_integer_value(json_object_get(answer, "left_s"));
	t_int("allowed", *left_s > 0, json_is_true(json_object_get(answer, "allowed")));
	json_decref(answer);
	return 200;
}

static const char *body_for(const char *more)
{
	static char body[128];
	char dev_eui[LW_EUI64_TEXT];
	struct lw_eui64 eui = lw_eui64_from_number(T_DEV_EUI);
	lw_eui64_format(dev_eui, &eui);
	snprintf(body, sizeof body, "{\"dev_eui\":\"%s\"%s}", dev_eui, more);
	return body;
}

static void provision(void)
{
	struct js_record record = t_join_record(&world, world.join.state.applied_version + 1, LW_MAC_1_0_4);
	t_join_provision(&world, &record);
}

static void what_may_be_asked(void **state)
{
	(void)state;
	static const struct {
		const char *name, *more;
		int code, left_s;
	} rows[] = {
		{"only asked: nothing is allowed", "", 200, 0},
		{"an hour", ",\"for_s\":3600", 200, 3600},
		{"asked: it is", "", 200, 3600},
		{"allowed again: the time begins anew", ",\"for_s\":60", 200, 60},
		{"a day at most", ",\"for_s\":86400", 200, 86400},
		{"more than a day", ",\"for_s\":86401", 422, -1},
		{"less than nothing", ",\"for_s\":-1", 422, -1},
		{"a word", ",\"for_s\":\"1h\"", 422, -1},
		{"what was refused changed nothing", "", 200, 86400},
		{"taken back", ",\"for_s\":0", 200, 0},
		{"taken back once more", ",\"for_s\":0", 200, 0},
	};
	struct bi_message answer;
	int left_s;
	t_row("a device that is not known");
	t_int("code", 404, call(body_for(",\"for_s\":3600"), &left_s));
	t_int("no EUI", 422, call("{\"for_s\":3600}", &left_s));
	t_int("no object", 422, call("[]", &left_s));
	provision();
	t_row("a device that never joined");
	t_int("there is nothing to allow", 409, call(body_for(",\"for_s\":3600"), &left_s));
	t_int("it may be asked", 200, call(body_for(""), &left_s));
	t_int("and taken back", 200, call(body_for(",\"for_s\":0"), &left_s));
	t_int("joins", JS_ACCEPTED, join_with(7, &answer));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("code", rows[i].code, call(body_for(rows[i].more), &left_s));
		t_int("left", rows[i].left_s, left_s);
	}
	t_row("a store that fails");
	world.store.fails = true;
	t_int("code", 500, call(body_for(",\"for_s\":3600"), &left_s));
	world.store.fails = false;
}

static void it_lets_one_join_pass(void **state)
{
	(void)state;
	struct bi_message answer;
	int left_s;
	provision();
	t_int("a join", JS_ACCEPTED, join_with(500, &answer));
	world.now.wall.us += 3600 * US_PER_S;
	t_int("its counter is lost", JS_DEV_NONCE_NOT_INCREASING, join_with(3, &answer));
	t_int("allowed", 200, call(body_for(",\"for_s\":3600"), &left_s));
	t_int("it joins", JS_ACCEPTED, join_with(4, &answer));
	t_uint("counted", 1, world.join.counters.allowed_once);
	struct lw_eui64 eui = lw_eui64_from_number(T_DEV_EUI);
	const struct decision *told = decision_euis_newest(&world.join.decisions, eui.bytes);
	assert_non_null(told);
	t_uint("`why` says that a person let it pass", JS_REQUEST_JOIN_ALLOWED, told->c);
	t_uint("with the next JoinNonce", 2, world.store.now.nonces[0].nonces.join_nonce);
	t_int("a second one is refused", JS_DEV_NONCE_NOT_INCREASING, join_with(5, &answer));
	t_int("a copy is late", JS_LATE_COPY, join_with(4, &answer));
	t_int("nothing is left", 200, call(body_for(""), &left_s));
	t_int("of it", 0, left_s);
	t_int("past the highest as ever", JS_ACCEPTED, join_with(501, &answer));
	t_uint("which needed nothing", 1, world.join.counters.allowed_once);
	told = decision_euis_newest(&world.join.decisions, eui.bytes);
	t_uint("and is a join as any", JS_REQUEST_JOIN, told ? told->c : UINT16_MAX);
}

static void its_time_ends(void **state)
{
	(void)state;
	struct bi_message answer;
	int left_s;
	provision();
	t_int("a join", JS_ACCEPTED, join_with(500, &answer));
	t_int("allowed", 200, call(body_for(",\"for_s\":60"), &left_s));
	world.now.wall.us += 59 * US_PER_S;
	t_int("asked", 200, call(body_for(""), &left_s));
	t_int("a second is left", 1, left_s);
	world.now.wall.us += US_PER_S;
	t_int("asked", 200, call(body_for(""), &left_s));
	t_int("none is", 0, left_s);
	t_int("refused", JS_DEV_NONCE_NOT_INCREASING, join_with(4, &answer));
	t_int("allowed again", 200, call(body_for(",\"for_s\":60"), &left_s));
	t_int("and taken back", 200, call(body_for(",\"for_s\":0"), &left_s));
	t_int("refused", JS_DEV_NONCE_NOT_INCREASING, join_with(4, &answer));
}

/* What it lets pass and its end are one commit: after a crash either both or neither happened. */
static void it_is_as_durable_as_the_nonces(void **state)
{
	(void)state;
	struct bi_message answer;
	int left_s;
	provision();
	t_int("a join", JS_ACCEPTED, join_with(500, &answer));
	t_join_store_commit(&world.store);
	t_int("allowed", 200, call(body_for(",\"for_s\":3600"), &left_s));
	t_join_world_crash(&world);
	t_int("not committed: never said", JS_DEV_NONCE_NOT_INCREASING, join_with(4, &answer));
	t_int("allowed", 200, call(body_for(",\"for_s\":3600"), &left_s));
	t_join_store_commit(&world.store);
	t_join_world_crash(&world);
	t_int("joins", JS_ACCEPTED, join_with(4, &answer));
	t_join_world_crash(&world);
	t_int("the accept never left, so it may join", JS_ACCEPTED, join_with(5, &answer));
	t_join_store_commit(&world.store);
	t_join_world_crash(&world);
	t_int("committed: used up", JS_DEV_NONCE_NOT_INCREASING, join_with(6, &answer));
	t_uint("no JoinNonce came twice", 2, world.store.now.nonces[0].nonces.join_nonce);
	t_row("a request that cannot be granted");
	t_int("allowed", 200, call(body_for(",\"for_s\":3600"), &left_s));
	struct bi_message forged = t_join_request(&world, &t_nwk_key, LW_MAC_1_0_4, 6, ++transaction);
	t_int("another's MIC", JS_MIC_FAILED, t_join_ask(&world, &forged, &answer));
	t_int("uses nothing up", JS_ACCEPTED, join_with(6, &answer));
}

int main(void)
{
#define IN_WORLD(f)                                  \
	{                                            \
#f, f, open_world, close_world, NULL \
	}
	const struct CMUnitTest tests[] = {
		IN_WORLD(what_may_be_asked),
		IN_WORLD(it_lets_one_join_pass),
		IN_WORLD(its_time_ends),
		IN_WORLD(it_is_as_durable_as_the_nonces),
	};
	return t_run(tests);
}
