#include "tests/harness/harness.h"

#include "cli/table.h"

#include <stdlib.h>

static const char *print(const struct table_text *table, size_t width)
{
	static char text[1024];
	char *made = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&made, &length);
	table_text_print(table, out, width);
	fclose(out);
	snprintf(text, sizeof text, "%s", made);
	free(made);
	return text;
}

static void columns_line_up(void **state)
{
	(void)state;
	struct table_text table;
	table_text_init(&table, 3, (const char *const[]){"id", "name", "note"});
	table_text_add(&table, (const char *const[]){"1", "Gr\xc3\xbcn", "x"});
	table_text_add(&table, (const char *const[]){"22", "a", NULL});
	t_str("whole", "id  name  note\n1   Gr\xc3\xbcn  x\n22  a     \n", print(&table, 0));
	t_str("cut to the terminal", "id  name\n1   Gr\xc3\xbcn\n22  a\n", print(&table, 8));
	table_text_release(&table);
}

static void control_characters_never_reach_the_terminal(void **state)
{
	(void)state;
	struct table_text table;
	table_text_init(&table, 1, (const char *const[]){"name"});
	table_text_add(&table, (const char *const[]){"a\033[2Jb\n\x7f"});
	t_str("cells", "name\na?[2Jb??\n", print(&table, 0));
	table_text_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(columns_line_up),
		t_test(control_characters_never_reach_the_terminal),
	};
	return t_run(tests);
}
