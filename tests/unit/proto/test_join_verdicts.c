/* The table that a pilot reads: no row without its words, no two rows of one name. */
#include "tests/harness/harness.h"

#include "common/proto/join_report.h"

#include <string.h>

static void every_verdict_has_its_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NET_JOIN_VERDICT_COUNT; i++) {
		const struct net_join_row *row = net_join_row((enum net_join_verdict)i);
		t_row(row->name);
		t_int("a sentence ends", '.', row->sentence[strlen(row->sentence) - 1]);
		if (row->kind == NET_JOIN_PROBLEM || row->kind == NET_JOIN_STRANGERS)
			t_int("what to do next ends", '.', row->next[strlen(row->next) - 1]);
		else
			t_int("nothing is to be done", '\0', row->next[0]);
	}
}

static void every_name_is_read_back(void **state)
{
	(void)state;
	enum net_join_verdict verdict;
	for (unsigned i = 0; i < NET_JOIN_VERDICT_COUNT; i++) {
		const char *name = net_join_row((enum net_join_verdict)i)->name;
		t_row(name);
		t_true("parsed", net_join_verdict_parse(name, &verdict));
		t_int("the same row, so no other has this name", (int)i, (int)verdict);
	}
	t_true("another word is none", !net_join_verdict_parse("wrong", &verdict));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_verdict_has_its_words),
		t_test(every_name_is_read_back),
	};
	return t_run(tests);
}
