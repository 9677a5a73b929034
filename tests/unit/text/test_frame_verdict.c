/* Names of verdicts that a filter of frames may have. */
#include "tests/harness/harness.h"

#include "common/text/frame_verdict.h"

#include <string.h>

#define RULE(process, table, verdict) \
	"{\"process\":\"" process "\",\"table\":\"" table "\",\"verdict\":\"" verdict "\"}"

static void names_that_no_frame_has_are_found(void **state)
{
	(void)state;
	static const char known[] = "[" RULE("network-server", "drop", "mic") "," RULE(
		"network-server", "drop", "fcnt_old") "," RULE("network-server", "adr",
							       "raised") "," RULE("gateway-bridge", "bridge",
										  "truncated") "]";
	static const struct {
		const char *name, *rules, *names, *unknown;
	} rows[] = {
		{"no filter", known, "", NULL},
		{"a rule", known, "mic", NULL},
		{"several", known, "mic,fcnt_old", NULL},
		{"what frames say beside the rules", known, "problems,sent,tx_ok,tx_no_answer,join_waiting",
		 NULL},
		{"none at all", known, "mics", "mics"},
		{"half a name", known, "mi", "mi"},
		{"the second is none", known, "mic,old,fcnt_old", "old"},
		{"of a table that no frame is judged by", known, "raised", "raised"},
		{"of another process", known, "truncated", "truncated"},
		{"no rules are known", NULL, "mics", NULL},
		{"the network server did not answer", "[" RULE("gateway-bridge", "bridge", "truncated") "]",
		 "mics", NULL},
		{"no list", "{}", "mics", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		json_t *rules = rows[i].rules ? json_loads(rows[i].rules, 0, NULL) : NULL;
		size_t length = 0;
		const char *unknown = frame_verdict_unknown(rules, rows[i].names, &length);
		t_true("found", (unknown != NULL) == (rows[i].unknown != NULL));
		if (unknown && rows[i].unknown) {
			t_uint("length", strlen(rows[i].unknown), length);
			t_true("name", memcmp(unknown, rows[i].unknown, length) == 0);
		}
		json_decref(rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(names_that_no_frame_has_are_found)};
	return t_run(tests);
}
