#include "cli/screen.h"

#include "cli/text_width.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKS_MAX 2

void screen_init(struct screen *screen)
{
	*screen = (struct screen){.capacity = 64u << 10};
	screen->text = malloc(screen->capacity);
	ASSERT(screen->text != NULL);
}

void screen_release(struct screen *screen)
{
	free(screen->text);
	*screen = (struct screen){0};
}

static void add(struct screen *screen, const char *bytes, size_t length)
{
	if (length > screen->capacity - screen->used) {
		screen->capacity = 2 * screen->capacity + length;
		screen->text = realloc(screen->text, screen->capacity);
		ASSERT(screen->text != NULL);
	}
	memcpy(screen->text + screen->used, bytes, length);
	screen->used += length;
}

static void add_text(struct screen *screen, const char *text)
{
	add(screen, text, strlen(text));
}

/* --- safe text ----------------------------------------------------------------------------------------------- */

/* Of a whole UTF-8 character, as printable_take() gives it. */
static uint32_t code_of(const char *character, size_t length)
{
	const unsigned char *at = (const unsigned char *)character;
	uint32_t code = length == 1 ? at[0] : at[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++)
		code = code << 6 | (at[i] & 0x3fu);
	return code;
}

/* Characters without a column that are no marks: joiners, spaces of no width, variation selectors, tags. */
static bool is_invisible(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0x00ad, 0x00ad}, {0x034f, 0x034f},   {0x115f, 0x1160},   {0x17b4, 0x17b5},
		      {0x180b, 0x180f}, {0x200b, 0x200f},   {0x2028, 0x202f},   {0x2060, 0x206f},
		      {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
		      {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

unsigned screen_text(char *out, size_t capacity, const char *text, unsigned columns)
{
	unsigned taken = 0, marks = MARKS_MAX; /* a mark without a letter would stand on the cell before */
	size_t used = 0;
	while (*text) {
		char character[PRINTABLE_CHARACTER_MAX];
		size_t length = printable_take(character, &text);
		uint32_t code = code_of(character, length);
		unsigned wide = text_width_of(code);
		if (is_invisible(code) || (wide == 0 && marks++ >= MARKS_MAX))
			continue;
		if (wide > 0)
			marks = 0;
		if (taken + wide > columns || length >= capacity - used)
			break;
		memcpy(out + used, character, length);
		used += length;
		taken += wide;
	}
	out[used] = '\0';
	return taken;
}

/* --- the picture --------------------------------------------------------------------------------------------- */

static unsigned within(unsigned value, unsigned most)
{
	return value < 1 ? 1 : value > most ? most : value;
}

void screen_begin(struct screen *screen, unsigned columns, unsigned rows, bool colours)
{
	screen->columns = within(columns, SCREEN_COLUMNS_MAX);
	screen->rows = within(rows, SCREEN_ROWS_MAX);
	screen->colours = colours;
	screen->reverse = false;
	screen->row = screen->column = 0;
	screen->used = 0;
	add_text(screen, "\033[H");
}

static void begin_cell(struct screen *screen, enum colour colour)
{
	static const char *const starts[COLOUR_COUNT] = {"",         "\033[32m", "\033[33m",
							 "\033[31m", "\033[2m",  "\033[1m"};
	if (screen->reverse)
		add_text(screen, "\033[7m");
	if (screen->colours)
		add_text(screen, starts[colour]);
}

void screen_put(struct screen *screen, enum colour colour, const char *text, unsigned width)
{
	static const char blanks[] = "                                ";
	char safe[4 * SCREEN_COLUMNS_MAX + 64];
	unsigned room = screen->columns - screen->column;
	unsigned wanted = width == 0 || width > room ? room : width;
	if (screen->row >= screen->rows || room == 0)
		return;
	unsigned taken = screen_text(safe, sizeof safe, text, wanted);
	bool marked = screen->reverse || (screen->colours && colour != COLOUR_NONE);
	if (marked)
		begin_cell(screen, colour);
	add_text(screen, safe);
	unsigned end = width == 0 ? taken : wanted;
	for (unsigned left = end - taken; left > 0;) {
		unsigned some = left < sizeof blanks - 1 ? left : (unsigned)sizeof blanks - 1;
		add(screen, blanks, some);
		left -= some;
	}
	if (marked)
		add_text(screen, "\033[0m");
	screen->column += end;
}

/* A line that is full is not cleared to its end: a terminal that stands behind its last column would clear that. */
void screen_line(struct screen *screen)
{
	if (screen->row >= screen->rows)
		return;
	if (screen->column < screen->columns)
		add_text(screen, "\033[K");
	screen->row++;
	screen->column = 0;
	if (screen->row < screen->rows)
		add_text(screen, "\r\n");
}

void screen_to_row(struct screen *screen, unsigned row)
{
	while (screen->row < row && screen->row < screen->rows)
		screen_line(screen);
}

unsigned screen_rows_left(const struct screen *screen)
{
	return screen->rows - screen->row;
}

const char *screen_end(struct screen *screen, size_t *length)
{
	if (screen->column > 0)
		screen_line(screen);
	if (screen->row < screen->rows)
		add_text(screen, "\033[J");
	*length = screen->used;
	return screen->text;
}
