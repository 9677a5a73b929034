/* The tables of rules are code of ours: what would make a sentence wrong is found by a test, not when somebody asks. */
#include "common/base/decision_template.h"
#include "common/base/decision_text.h"

#include <string.h>

#define LEVELS      4
#define NUMBERS_MAX 12

static bool says(char *fault, size_t capacity, const struct decision_rule *rule, const char *what)
{
	snprintf(fault, capacity, "%s: %s", rule->name ? rule->name : "a row", what);
	return false;
}

static bool is_name(const char *name)
{
	size_t length = strlen(name);
	return length > 0 && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/* What stands in JSON and on a terminal as it is. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ')
			return false;
	return true;
}

static bool ends_as_a_sentence(const char *text)
{
	size_t length = strlen(text);
	return length > 1 && (text[length - 1] == '.' || text[length - 1] == '?');
}

static bool check_placeholders(const struct decision_rule *rule, char *fault, size_t capacity)
{
	char names[NUMBERS_MAX][DECISION_NUMBER_NAME + 1];
	size_t count = 0, length;
	bool good = true;
	struct decision_placeholder placeholder;
	const char *at = rule->sentence, *before;
	while (decision_placeholder_take(&at, &before, &length, &placeholder, &good) && good) {
		if (placeholder.how >= DECISION_HOW_DEVICE)
			continue;
		if (!is_name(placeholder.name))
			return says(fault, capacity, rule, "a number's name is no name");
		if (placeholder.how == DECISION_HOW_WORD && !rule->words)
			return says(fault, capacity, rule, "`word` without words");
		if (placeholder.how == DECISION_HOW_ADDR && placeholder.width != 32)
			return says(fault, capacity, rule, "an address has 32 bits");
		for (size_t i = 0; i < count; i++)
			if (strcmp(names[i], placeholder.name) == 0)
				return says(fault, capacity, rule, "two numbers of one name");
		if (count == NUMBERS_MAX)
			return says(fault, capacity, rule, "more numbers than a record holds");
		memcpy(names[count++], placeholder.name, sizeof names[0]);
	}
	return good || says(fault, capacity, rule, "a placeholder that cannot be read");
}

static bool check_rule(const struct decision_book *book, unsigned table, unsigned verdict, char *fault,
		       size_t capacity)
{
	const struct decision_rule *rule = &book->tables[table].rules[verdict];
	if (!rule->name || !is_name(rule->name))
		return says(fault, capacity, rule, "no name");
	if ((unsigned)rule->level >= LEVELS)
		return says(fault, capacity, rule, "no level");
	if ((unsigned)rule->kind > DECISION_PROBLEM ||
	    (rule->kind == DECISION_GOOD && rule->next && *rule->next))
		return says(fault, capacity, rule, "no kind, or something to do about what is good");
	if (!rule->sentence || !rule->next || !is_plain(rule->sentence) || !is_plain(rule->next))
		return says(fault, capacity, rule, "a text that is not there, or not plain");
	if (!ends_as_a_sentence(rule->sentence) || (rule->next[0] && !ends_as_a_sentence(rule->next)))
		return says(fault, capacity, rule, "a text that does not end as a sentence does");
	for (size_t i = 0; rule->words && rule->words[i]; i++)
		if (!is_plain(rule->words[i]))
			return says(fault, capacity, rule, "a word that is not plain");
	if (!check_placeholders(rule, fault, capacity))
		return false;
	struct decision sample;
	const struct decision_names names = {.device = "0011223344556677", .gateway = "8899aabbccddeeff"};
	char text[DECISION_TEXT];
	decision_sample(book, table, verdict, &sample);
	if (decision_say(text, book, &sample, &names) >= DECISION_TEXT - 40)
		return says(fault, capacity, rule, "a sentence that may not fit");
	return true;
}

static bool stands_twice(const struct decision_book *book, unsigned table, unsigned verdict)
{
	const char *name = book->tables[table].rules[verdict].name;
	for (unsigned t = 0; t <= table; t++)
		for (unsigned v = 0; v < (t < table ? book->tables[t].count : verdict); v++)
			if (book->tables[t].rules[v].name && strcmp(book->tables[t].rules[v].name, name) == 0)
				return true;
	return false;
}

bool decision_check(const struct decision_book *book, char *fault, size_t capacity)
{
	if (book->count > 16) {
		snprintf(fault, capacity, "%s: more than 16 tables", book->process);
		return false;
	}
	for (unsigned t = 0; t < book->count; t++) {
		if (book->tables[t].count > 256) {
			snprintf(fault, capacity, "%s: more than 256 rules", book->tables[t].name);
			return false;
		}
		for (unsigned v = 0; v < book->tables[t].count; v++) {
			if (!check_rule(book, t, v, fault, capacity))
				return false;
			if (stands_twice(book, t, v))
				return says(fault, capacity, &book->tables[t].rules[v], "stands twice");
		}
	}
	return true;
}

static uint32_t words_of(const struct decision_rule *rule)
{
	uint32_t count = 0;
	while (rule->words && rule->words[count])
		count++;
	return count;
}

/* A value that its way of writing allows, different from field to field where that is free. */
static uint32_t sample_value(const struct decision_rule *rule, const struct decision_placeholder *placeholder,
			     unsigned table, unsigned verdict, uint32_t nth)
{
	switch (placeholder->how) {
	case DECISION_HOW_HZ: return 868100000 + nth * 200000;
	case DECISION_HOW_DB: return (uint32_t) - (int32_t)(placeholder->width == 8 ? 7 : 725 + nth);
	case DECISION_HOW_DBM: return (uint32_t) - (int32_t)(100 + nth);
	case DECISION_HOW_DR: return nth % 8;
	case DECISION_HOW_WORD: return words_of(rule) > 0 ? nth % words_of(rule) : 0;
	case DECISION_HOW_RULE: return table << 8 | verdict;
	case DECISION_HOW_IP: return UINT32_C(0x0a000001) + nth;
	case DECISION_HOW_ADDR: return UINT32_C(0x26010100) + nth;
	default: return 3 + nth;
	}
}

static void put_value(struct decision *decision, const struct decision_placeholder *placeholder,
		      uint32_t value)
{
	if (placeholder->width > 32) {
		decision->a = UINT32_C(0x0004a30b);
		decision->b = value;
		return;
	}
	uint32_t mask = UINT32_MAX >> (32 - placeholder->width) << placeholder->shift;
	uint32_t bits = value << placeholder->shift & mask;
	switch (placeholder->field) {
	case 'a': decision->a = (decision->a & ~mask) | bits; break;
	case 'b': decision->b = (decision->b & ~mask) | bits; break;
	default: decision->c = (uint16_t)((decision->c & ~mask) | bits); break;
	}
}

void decision_sample(const struct decision_book *book, unsigned table, unsigned verdict,
		     struct decision *decision)
{
	const struct decision_rule *rule = &book->tables[table].rules[verdict];
	*decision = (struct decision){
		.table = table & 15, .verdict = (uint8_t)verdict, .other = 0, .ref = UINT32_C(0xa1b2c3d4)};
	decision->about = DECISION_ABOUT_FRAME;
	const char *at = rule->sentence, *before;
	struct decision_placeholder placeholder;
	size_t length;
	bool good = true;
	for (uint32_t nth = 0; decision_placeholder_take(&at, &before, &length, &placeholder, &good) && good;)
		if (placeholder.how < DECISION_HOW_DEVICE) {
			put_value(decision, &placeholder,
				  sample_value(rule, &placeholder, table, verdict, nth));
			nth++;
		} else if (placeholder.how == DECISION_HOW_ITEM) {
			decision->about = DECISION_ABOUT_ITEM;
		}
}
