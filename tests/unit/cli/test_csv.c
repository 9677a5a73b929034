#include "tests/harness/harness.h"

#include "cli/csv.h"

#include <stdlib.h>
#include <string.h>

static struct csv csv;

/* Each row: a text, and what its first record reads as (cells joined by |), or the problem. */
static const struct {
	const char *name;
	const char *text;
	const char *cells;
	const char *problem;
	unsigned line;
} records[] = {
	{"plain cells", "a,b,c\n", "a|b|c", NULL, 1},
	{"CRLF", "a,b\r\n", "a|b", NULL, 1},
	{"no newline at the end", "a,b", "a|b", NULL, 1},
	{"empty cells count", ",,\n", "||", NULL, 1},
	{"a byte order mark is skipped",
	 "\xef\xbb\xbf"
	 "a,b\n",
	 "a|b", NULL, 1},
	{"empty lines are skipped and counted", "\n\r\n\na\n", "a", NULL, 4},
	{"quoted comma", "\"a,b\",c\n", "a,b|c", NULL, 1},
	{"doubled quote", "\"say \"\"hi\"\"\"\n", "say \"hi\"", NULL, 1},
	{"quoted newline", "\"two\nlines\",x\n", "two\nlines|x", NULL, 1},
	{"empty quoted cell", "\"\",x\n", "|x", NULL, 1},
	{"blanks stay", " a , b\n", " a | b", NULL, 1},
	{"text behind a closing quote", "\"a\"b,c\n", NULL, "text behind the closing quote of a cell", 1},
	{"a quote inside a plain cell", "a\"b\n", NULL, "a quote inside a cell that does not start with one",
	 1},
	{"a quote that never closes", "\"a,b\n", NULL, "a quote is never closed", 1},
};

static void first_record(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		t_row(records[i].name);
		csv_init(&csv, records[i].text, strlen(records[i].text));
		t_true("there is one", csv_next(&csv));
		t_uint("line", records[i].line, csv.line);
		t_str("problem", records[i].problem, csv.problem);
		char joined[256] = "";
		for (size_t j = 0; j < csv.count; j++)
			snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s",
				 j ? "|" : "", csv.cells[j]);
		t_str("cells", records[i].cells ? records[i].cells : "", joined);
	}
}

static void lines_are_counted_through_quotes(void **state)
{
	(void)state;
	const char *text = "h\n\"1\n2\n3\"\nlast\n";
	csv_init(&csv, text, strlen(text));
	const unsigned lines[] = {1, 2, 5};
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		t_true("record", csv_next(&csv));
		t_uint("line", lines[i], csv.line);
	}
	t_false("end", csv_next(&csv));
}

static void reading_goes_on_behind_a_bad_record(void **state)
{
	(void)state;
	const char *text = "a\"b\ngood,row\n";
	csv_init(&csv, text, strlen(text));
	t_true("bad", csv_next(&csv) && csv.problem != NULL && csv.count == 0);
	t_true("good", csv_next(&csv) && csv.problem == NULL);
	t_uint("cells", 2, csv.count);
	t_uint("line", 2, csv.line);
}

static void limits_are_problems(void **state)
{
	(void)state;
	char *many = malloc(200);
	memset(many, ',', 199);
	many[199] = '\0';
	csv_init(&csv, many, 199);
	t_true("read", csv_next(&csv));
	t_str("cells", "more than 64 cells", csv.problem);
	free(many);
	size_t length = CSV_RECORD_MAX + 10;
	char *large = malloc(length);
	memset(large, 'x', length);
	csv_init(&csv, large, length);
	t_true("read", csv_next(&csv));
	t_str("bytes", "longer than 65,536 bytes", csv.problem);
	free(large);
	csv_init(&csv, "a\0b\n", 4);
	t_true("read", csv_next(&csv));
	t_str("NUL", "a NUL byte", csv.problem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(first_record),
		t_test(lines_are_counted_through_quotes),
		t_test(reading_goes_on_behind_a_bad_record),
		t_test(limits_are_problems),
	};
	return t_run(tests);
}
