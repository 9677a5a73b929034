/* Decisions by EUI: found again, newest first, and the one that was silent for the longest makes room. */
#include "tests/harness/harness.h"

#include "common/base/decision_euis.h"

#include <string.h>

#define SUBJECTS 8

static const uint8_t *eui(uint8_t number)
{
	static uint8_t bytes[8];
	bytes[7] = number;
	return bytes;
}

static void add(struct decision_euis *euis, uint8_t number, uint8_t verdict)
{
	const struct decision decision = {.verdict = verdict, .a = number};
	decision_euis_add(euis, (struct wall){INT64_C(1800000000) * US_PER_S}, eui(number), &decision);
}

static void the_longest_silent_makes_room(void **state)
{
	struct decision_euis euis;
	struct rng rng = rng_seeded(1);
	(void)state;
	decision_euis_init(&euis, 256, SUBJECTS, &rng);
	t_true("nothing yet", decision_euis_newest(&euis, eui(1)) == NULL);
	for (uint8_t i = 1; i <= SUBJECTS; i++)
		add(&euis, i, i);
	add(&euis, 1, 77);
	const struct decision *newest = decision_euis_newest(&euis, eui(1));
	t_int("its last", 77, newest->verdict);
	t_int("and the one before", 1, decision_older(&euis.ring, newest)->verdict);
	t_bytes("whose it is", eui(1), 8, decision_euis_eui(&euis, newest), 8);

	add(&euis, 100, 5);
	t_true("the second had been silent for the longest", decision_euis_newest(&euis, eui(2)) == NULL);
	t_true("the first stays", decision_euis_newest(&euis, eui(1)) != NULL);
	newest = decision_euis_newest(&euis, eui(100));
	t_true("nothing is inherited", newest && decision_older(&euis.ring, newest) == NULL);
	t_uint("counted", 1, euis.displaced);
	for (unsigned i = 0; i < 10000; i++)
		add(&euis, (uint8_t)(i % 50), (uint8_t)i);
	for (uint8_t i = 0; i < 50; i++)
		t_int("the last eight", i >= 42, decision_euis_newest(&euis, eui(i)) != NULL);
	decision_euis_release(&euis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_longest_silent_makes_room),
	};
	return t_run(tests);
}
