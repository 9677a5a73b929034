/* Words: an entry of a map that is a group, kept as one line. */
#include "tests/harness/harness.h"

#include "common/base/option_words.h"

#include <string.h>

static void words_are_read_in_order(void **state)
{
	(void)state;
	const char *at = "  certificate=ns.b.example net_ids=000013,000014  url=https://a/?x=1";
	struct option_word word;
	char item[8];
	t_true("first", option_word_next(&at, &word));
	t_str("name", "certificate", word.name);
	t_str("value", "ns.b.example", word.value);
	t_true("second", option_word_next(&at, &word));
	t_str("name", "net_ids", word.name);
	const char *list = word.value;
	t_true("item", option_word_item(&list, item, sizeof item));
	t_str("item", "000013", item);
	t_true("item", option_word_item(&list, item, sizeof item));
	t_str("item", "000014", item);
	t_false("no more", option_word_item(&list, item, sizeof item));
	t_uint("at its end", 0, *list);
	t_true("third", option_word_next(&at, &word));
	t_str("an equals sign is part of a value", "https://a/?x=1", word.value);
	t_false("no more", option_word_next(&at, &word));
	t_uint("at the end", 0, *at);
}

static void what_is_no_word_is_stood_on(void **state)
{
	(void)state;
	static char long_value[400] = "a=";
	memset(long_value + 2, 'x', sizeof long_value - 3);
	static const char *const rows[] = {"a",       "=b",     "A=b",        "a b=c",
					   "a-b=c",   "a=b\tc", "a=\xc3\xa9", "abcdefghijklmnopqrstuvwxyz=1",
					   long_value};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i]);
		const char *at = rows[i];
		struct option_word word;
		t_false("read", option_word_next(&at, &word));
		t_true("stands on it", at == rows[i]);
	}
	static const char *const lists[] = {",a", "a,,b", "123456789"};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		t_row(lists[i]);
		const char *at = lists[i];
		char item[8];
		while (option_word_item(&at, item, sizeof item))
			continue;
		t_true("not at the end", *at != '\0');
	}
}

static void lines_are_written_as_they_are_read(void **state)
{
	(void)state;
	char line[OPTION_VALUE_MAX] = "";
	t_true("word", option_word_append(line, "net_ids", ""));
	t_true("item", option_word_append_item(line, "000013"));
	t_true("item", option_word_append_item(line, "000014"));
	t_true("word", option_word_append(line, "kek", "city-b"));
	t_str("line", "net_ids=000013,000014 kek=city-b", line);
	t_false("a name with a blank", option_word_append(line, "a b", "c"));
	t_false("a value with a blank", option_word_append(line, "a", "b c"));
	t_false("an empty item", option_word_append_item(line, ""));
	char most[OPTION_VALUE_MAX];
	memset(most, 'x', sizeof most - 1);
	most[sizeof most - 1] = '\0';
	t_false("a line that is full", option_word_append(line, "a", most));
	t_str("stays as it was", "net_ids=000013,000014 kek=city-b", line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(words_are_read_in_order),
		t_test(what_is_no_word_is_stood_on),
		t_test(lines_are_written_as_they_are_read),
	};
	return t_run(tests);
}
