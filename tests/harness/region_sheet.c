#include "tests/harness/region_sheet.h"

#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void t_sheet_open(struct t_sheet *sheet, const char *id)
{
	char path[96];
	snprintf(path, sizeof path, "common/lorawan/regions/%s.yaml", id);
	FILE *file = fopen(path, "rb");
	ASSERT(file);
	size_t length = fread(sheet->text, 1, sizeof sheet->text - 1, file);
	ASSERT(length > 0 && length < sizeof sheet->text - 1);
	sheet->text[length] = '\0';
	fclose(file);
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');
	return end && end[1] ? end + 1 : NULL;
}

/* The line after "section:". */
static const char *lines_of(const struct t_sheet *sheet, const char *section)
{
	size_t length = strlen(section);
	for (const char *line = sheet->text; line; line = next_line(line))
		if (strncmp(line, section, length) == 0 && line[length] == ':')
			return next_line(line);
	return NULL;
}

static bool number(const char *text, long *value)
{
	char *end;
	while (*text == ' ')
		text++;
	if (strncmp(text, "true", 4) == 0 || strncmp(text, "false", 5) == 0) {
		*value = *text == 't';
		return true;
	}
	*value = strtol(text, &end, 10);
	return end != text;
}

/* Behind "key:" in a section's map; NULL: not there. */
static const char *value_of(const struct t_sheet *sheet, const char *section, const char *key)
{
	bool top = *section == '\0';
	size_t length = strlen(key);
	const char *line = top ? sheet->text : lines_of(sheet, section);
	for (; line && (top || *line == ' '); line = next_line(line)) {
		const char *at = top ? line : line + 2;
		if (strncmp(at, key, length) == 0 && at[length] == ':')
			return at + length + 1;
	}
	return NULL;
}

static bool hundredths(const char *text, long *value)
{
	while (*text == ' ')
		text++;
	bool below = *text == '-';
	long whole, part = 0;
	if (!number(text, &whole))
		return false;
	const char *point = text + below + strspn(text + below, "0123456789");
	if (*point == '.' && point[1] >= '0' && point[1] <= '9') {
		part = (point[1] - '0') * 10;
		if (point[2] >= '0' && point[2] <= '9')
			part += point[2] - '0';
	}
	*value = whole * 100 + (below ? -part : part);
	return true;
}

static bool item(const char *at, size_t i, long *value)
{
	if (!at || at[1] != '[')
		return false;
	for (at += 2; i > 0; i--) {
		at += strcspn(at, ",]\n");
		if (*at != ',')
			return false;
		at++;
	}
	return number(at, value);
}

bool t_sheet_value(const struct t_sheet *sheet, const char *section, const char *key, long *value)
{
	const char *at = value_of(sheet, section, key);
	return at && number(at, value);
}

bool t_sheet_value_hundredths(const struct t_sheet *sheet, const char *section, const char *key, long *value)
{
	const char *at = value_of(sheet, section, key);
	return at && hundredths(at, value);
}

bool t_sheet_value_item(const struct t_sheet *sheet, const char *section, const char *key, size_t i,
			long *value)
{
	return item(value_of(sheet, section, key), i, value);
}

bool t_sheet_value_is(const struct t_sheet *sheet, const char *section, const char *key, const char *text)
{
	const char *at = value_of(sheet, section, key);
	size_t length = strlen(text);
	return at && strncmp(at, " \"", 2) == 0 && strncmp(at + 2, text, length) == 0 &&
	       at[2 + length] == '"';
}

const char *t_sheet_row_at(const struct t_sheet *sheet, const char *section, size_t n)
{
	const char *line = lines_of(sheet, section);
	for (; line && strncmp(line, "  - {", 5) == 0; line = next_line(line), n--)
		if (n == 0)
			return line;
	return NULL;
}

/* Behind "key:" in this row; NULL: not there. */
static const char *behind(const char *row, const char *key)
{
	size_t length = strlen(key), line = strcspn(row, "\n");
	for (size_t i = 1; i + length < line; i++)
		if ((row[i - 1] == ' ' || row[i - 1] == '{') && strncmp(row + i, key, length) == 0 &&
		    row[i + length] == ':')
			return row + i + length + 1;
	return NULL;
}

bool t_sheet_cell(const char *row, const char *key, long *value)
{
	const char *at = behind(row, key);
	return at && number(at, value);
}

bool t_sheet_cell_hundredths(const char *row, const char *key, long *value)
{
	const char *at = behind(row, key);
	return at && hundredths(at, value);
}

bool t_sheet_item(const char *row, const char *key, size_t i, long *value)
{
	return item(behind(row, key), i, value);
}

bool t_sheet_has(const char *row, const char *cell)
{
	size_t length = strlen(cell), line = strcspn(row, "\n");
	for (size_t i = 1; i + length < line; i++)
		if ((row[i - 1] == ' ' || row[i - 1] == '{') && strncmp(row + i, cell, length) == 0 &&
		    (row[i + length] == ',' || row[i + length] == '}'))
			return true;
	return false;
}

const char *t_sheet_row(const struct t_sheet *sheet, const char *section, const char *const *cells)
{
	const char *row;
	for (size_t n = 0; (row = t_sheet_row_at(sheet, section, n)) != NULL; n++) {
		size_t i = 0;
		while (cells[i] && t_sheet_has(row, cells[i]))
			i++;
		if (!cells[i])
			return row;
	}
	return NULL;
}
