/* Every rule of the network server can be said: names, templates, words, and that no enum value is without one. */
#include "tests/harness/harness.h"

#include "common/text/region_yaml.h"
#include "network-server/adr/adr.h"
#include "network-server/why/book.h"

#include <stdlib.h>
#include <string.h>

static void every_rule_is_well_formed(void **state)
{
	(void)state;
	char fault[200] = "";
	bool good = decision_check(&ns_book, fault, sizeof fault);
	t_true(fault, good);
}

static void every_verdict_has_its_rule(void **state)
{
	(void)state;
	for (int drop = 0; drop < NS_DROP_COUNT; drop++) {
		const struct decision_rule *rule = ns_verdict((enum ns_drop)drop);
		uint16_t number = ns_rule_of_drop((enum ns_drop)drop);
		struct decision decision = {.verdict = (uint8_t)number};
		decision.table = (unsigned)number >> 8 & 15;
		t_true(rule->name, decision_rule(&ns_book, &decision) == rule);
	}
	for (int kind = 0; kind < NS_MAC_KINDS; kind++) {
		char name[64];
		snprintf(name, sizeof name, "mac_%s_asked", ns_mac_kind_name((enum ns_mac_kind)kind));
		t_str("a request's rule", name,
		      ns_mac_rules[ns_mac_rule((enum ns_mac_kind)kind, NS_MAC_ASKED)].name);
	}
	for (int reason = 0; reason < NS_ADR_REASON_COUNT; reason++) {
		char name[64];
		snprintf(name, sizeof name, "adr_%s", ns_adr_reason_name((enum ns_adr_reason)reason));
		t_str("a reason's rule", name, ns_adr_rules[reason].name);
	}
}

/* A person finds the numbers in the sentence, and a program in the JSON. */
static void every_rule_says_something(void **state)
{
	(void)state;
	const struct decision_names names = {.device = "0004a30b001c0530", .gateway = "00800000a0001234"};
	for (unsigned t = 0; t < ns_book.count; t++)
		for (unsigned v = 0; v < ns_book.tables[t].count; v++) {
			struct decision sample;
			char text[DECISION_TEXT], *json = NULL;
			size_t length = 0;
			decision_sample(&ns_book, t, v, &sample);
			const struct decision_rule *rule = decision_rule(&ns_book, &sample);
			assert_non_null(rule);
			t_row(rule->name);
			t_true("a sentence", decision_say(text, &ns_book, &sample, &names) > 20);
			t_true(text, !strpbrk(text, "{}"));
			FILE *out = open_memstream(&json, &length);
			assert_non_null(out);
			decision_json(out, &ns_book, &sample, &names);
			fclose(out);
			t_true("its sentence stands in the JSON", strstr(json, text) != NULL);
			free(json);
		}
}

static void regions_have_words(void **state)
{
	(void)state;
	t_str("eu868", "eu868", region_words[ns_region_word("eu868")]);
	t_str("us915", "us915", region_words[ns_region_word("us915")]);
	for (size_t i = 0; i < region_source_count; i++)
		t_uint(region_sources[i].id, i, ns_region_word(region_sources[i].id));
	t_str("one of another maker", "another region", region_words[ns_region_word("mars1")]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_rule_is_well_formed),
		t_test(every_verdict_has_its_rule),
		t_test(every_rule_says_something),
		t_test(regions_have_words),
	};
	return t_run(tests);
}
