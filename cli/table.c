#include "cli/table.h"

#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdlib.h>
#include <string.h>
#include <stdint.h>

void table_text_init(struct table_text *table, size_t columns, const char *const *titles)
{
	ASSERT_CMP(columns, <=, TABLE_COLUMNS_MAX);
	*table = (struct table_text){.columns = columns};
	table_text_add(table, titles);
}

void table_text_release(struct table_text *table)
{
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct table_text){0};
}

/* Gives a printable copy. */
static char *printable(const char *text)
{
	size_t room = strlen(text) + 1;
	char *copy = malloc(room);
	ASSERT(copy != NULL);
	printable_copy(copy, room, text);
	return copy;
}

void table_text_add(struct table_text *table, const char *const *cells)
{
	size_t used = table->rows * table->columns;
	if (used + table->columns > table->capacity) {
		table->capacity = 2 * table->capacity + 64 * table->columns;
		char **grown = realloc(table->cells, table->capacity * sizeof(char *));
		ASSERT(grown != NULL);
		table->cells = grown;
	}
	for (size_t i = 0; i < table->columns; i++)
		table->cells[used + i] = printable(cells[i] ? cells[i] : "");
	table->rows++;
}

/* Characters of UTF-8 text: bytes that do not continue one. */
static size_t characters(const char *text)
{
	size_t count = 0;
	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

/* Prints at most `limit` characters. */
static void print_cut(const char *text, size_t limit, FILE *out)
{
	for (size_t count = 0; *text; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80 && count++ == limit)
			return;
		fputc(*text, out);
	}
}

void table_text_print(const struct table_text *table, FILE *out, size_t width)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};
	for (size_t i = 0; i < table->rows * table->columns; i++) {
		size_t wide = characters(table->cells[i]);
		if (wide > widths[i % table->columns])
			widths[i % table->columns] = wide;
	}
	for (size_t row = 0; row < table->rows; row++) {
		size_t used = 0;
		for (size_t column = 0; column < table->columns; column++) {
			const char *text = table->cells[row * table->columns + column];
			size_t room = width == 0 ? SIZE_MAX : width > used ? width - used : 0;
			print_cut(text, room, out);
			used += characters(text);
			size_t next = used + widths[column] - characters(text) + 2;
			if (column + 1 < table->columns && (width == 0 || next < width))
				fprintf(out, "%*s", (int)(next - used), "");
			used = next;
		}
		fputc('\n', out);
	}
}
