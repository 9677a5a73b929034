#include "cli/table.h"

#include "cli/text_width.h"
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
	for (size_t i = 0; i < columns; i++)
		table_text_colour(table, i, COLOUR_DIM);
}

void table_text_release(struct table_text *table)
{
	for (size_t i = 0; i < table->rows * table->columns; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table->colours);
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
		unsigned char *colours = realloc(table->colours, table->capacity);
		ASSERT(grown != NULL && colours != NULL);
		table->cells = grown;
		table->colours = colours;
	}
	for (size_t i = 0; i < table->columns; i++) {
		table->cells[used + i] = printable(cells[i] ? cells[i] : "");
		table->colours[used + i] = COLOUR_NONE;
	}
	table->rows++;
}

void table_text_colour(struct table_text *table, size_t column, enum colour colour)
{
	ASSERT(table->rows > 0 && column < table->columns);
	table->colours[(table->rows - 1) * table->columns + column] = (unsigned char)colour;
}

void table_text_colour_by_word(struct table_text *table, size_t column)
{
	ASSERT(table->rows > 0 && column < table->columns);
	table_text_colour(table, column,
			  colour_of_word(table->cells[(table->rows - 1) * table->columns + column]));
}

/* Prints what fits of one cell; returns its columns. */
static size_t print_cell(const struct table_text *table, size_t at, size_t room, FILE *out)
{
	const char *text = table->cells[at];
	enum colour colour = (enum colour)table->colours[at];
	size_t length = text_width_fitting(text, room);
	fputs(length ? colour_start(out, colour) : "", out);
	fwrite(text, 1, length, out);
	fputs(length ? colour_stop(out, colour) : "", out);
	return text_width(text);
}

void table_text_print(const struct table_text *table, FILE *out, size_t width)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};
	for (size_t i = 0; i < table->rows * table->columns; i++) {
		size_t wide = text_width(table->cells[i]);
		if (wide > widths[i % table->columns])
			widths[i % table->columns] = wide;
	}
	for (size_t row = 0; row < table->rows; row++) {
		size_t used = 0;
		for (size_t column = 0; column < table->columns; column++) {
			size_t room = width == 0 ? SIZE_MAX : width > used ? width - used : 0;
			size_t wide = print_cell(table, row * table->columns + column, room, out);
			size_t next = used + widths[column] + 2;
			used += wide;
			if (column + 1 < table->columns && (width == 0 || next < width))
				fprintf(out, "%*s", (int)(next - used), "");
			used = next;
		}
		fputc('\n', out);
	}
}
