/* Downlinks that wait for their TX_ACK: tokens that are told apart, a limit, an order. */
#include "tests/harness/harness.h"

#include "gateway-bridge/inflight.h"

static const struct lw_eui64 gateways[2] = {{{1}}, {{2}}};

static struct gb_inflight entry(size_t gateway, uint64_t id)
{
	return (struct gb_inflight){.id = id, .gateway = gateways[gateway], .has_token = true};
}

static struct mono at(uint64_t second)
{
	return (struct mono){(int64_t)second * US_PER_S};
}

static void a_token_stands_for_one_downlink_of_a_gateway(void **state)
{
	(void)state;
	static struct gb_token tokens[2000];
	struct rng rng = rng_seeded(3);
	struct gb_inflights inflights;
	gb_inflights_init(&inflights, &rng);
	for (uint64_t id = 0; id < ARRAY_SIZE(tokens); id++) {
		struct gb_inflight added = entry(0, id);
		const struct gb_inflight *lent = gb_inflights_add(&inflights, &rng, &added, at(id));
		assert_non_null(lent);
		tokens[id] = lent->token;
	}
	t_row("2,000 of one gateway, where 16 bits drawn blindly would meet thirty times");
	for (uint64_t id = 0; id < ARRAY_SIZE(tokens); id++) {
		const struct gb_inflight *found = gb_inflights_find(&inflights, &gateways[0], tokens[id]);
		assert_non_null(found);
		t_uint("its own", id, found->id);
	}
	t_row("another gateway's token is another token");
	t_true("none", gb_inflights_find(&inflights, &gateways[1], tokens[0]) == NULL);
	gb_inflights_release(&inflights);
}

static void the_table_is_bounded_and_empties_in_order(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(3);
	struct gb_inflights inflights;
	struct gb_inflight popped, more = entry(1, 1);
	gb_inflights_init(&inflights, &rng);
	for (uint64_t id = 0; id < GB_INFLIGHT_MAX; id++) {
		struct gb_inflight added = entry(id % 2, id);
		assert_non_null(gb_inflights_add(&inflights, &rng, &added, at(GB_INFLIGHT_MAX - id)));
	}
	t_row("full");
	t_true("no more", gb_inflights_add(&inflights, &rng, &more, at(1)) == NULL);
	t_uint("count", GB_INFLIGHT_MAX, inflights.count);
	t_row("by the time when they are due");
	t_int("deadline", at(1).us, gb_inflights_deadline(&inflights).us);
	t_false("not yet", gb_inflights_pop(&inflights, at(0), &popped));
	for (uint64_t second = 1; second <= GB_INFLIGHT_MAX; second++) {
		assert_true(gb_inflights_pop(&inflights, at(second), &popped));
		t_uint("the next", GB_INFLIGHT_MAX - second, popped.id);
	}
	t_uint("count", 0, inflights.count);
	t_row("and takes new ones");
	t_true("added", gb_inflights_add(&inflights, &rng, &more, at(1)) != NULL);
	gb_inflights_release(&inflights);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_token_stands_for_one_downlink_of_a_gateway),
		t_test(the_table_is_bounded_and_empties_in_order),
	};
	return t_run(tests);
}
