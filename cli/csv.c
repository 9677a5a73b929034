#include "cli/csv.h"

#include <string.h>

void csv_init(struct csv *csv, const char *text, size_t length)
{
	csv->at = text;
	csv->end = length ? text + length : text;
	csv->next_line = 1;
	csv->separator = ',';
	csv->count = 0;
	csv->problem = NULL;
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		csv->at += 3;
}

static bool ends_cell(const struct csv *csv, char c)
{
	return c == csv->separator || c == '\r' || c == '\n';
}

static void problem(struct csv *csv, const char *what)
{
	if (!csv->problem)
		csv->problem = what;
}

static void put(struct csv *csv, size_t *used, char c)
{
	if (*used + 1 >= CSV_RECORD_MAX) {
		problem(csv, "longer than 65,536 bytes");
		return;
	}
	csv->text[(*used)++] = c;
}

/* Reads the rest of a quoted cell, behind its first quote. */
static void quoted(struct csv *csv, size_t *used)
{
	while (csv->at < csv->end) {
		char c = *csv->at++;
		if (c == '"' && csv->at < csv->end && *csv->at == '"') {
			csv->at++;
		} else if (c == '"') {
			if (csv->at < csv->end && !ends_cell(csv, *csv->at))
				problem(csv, "text behind the closing quote of a cell");
			return;
		}
		csv->next_line += c == '\n';
		put(csv, used, c);
	}
	problem(csv, "a quote is never closed");
}

static void cell(struct csv *csv, size_t *used)
{
	if (csv->count == CSV_CELLS_MAX)
		problem(csv, "more than 64 cells");
	else
		csv->cells[csv->count++] = csv->text + *used;
	if (csv->at < csv->end && *csv->at == '"') {
		csv->at++;
		quoted(csv, used);
	}
	while (csv->at < csv->end && !ends_cell(csv, *csv->at)) {
		if (*csv->at == '"')
			problem(csv, "a quote inside a cell that does not start with one");
		if (*csv->at == '\0')
			problem(csv, "a NUL byte");
		put(csv, used, *csv->at++);
	}
	put(csv, used, '\0');
}

bool csv_next(struct csv *csv)
{
	while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r'))
		csv->next_line += *csv->at++ == '\n';
	csv->count = 0;
	csv->problem = NULL;
	csv->line = csv->next_line;
	if (csv->at >= csv->end)
		return false;
	size_t used = 0;
	for (;;) {
		cell(csv, &used);
		if (csv->at >= csv->end || *csv->at != csv->separator)
			break;
		csv->at++;
	}
	if (csv->at < csv->end && *csv->at == '\r')
		csv->at++;
	if (csv->at < csv->end && *csv->at == '\n') {
		csv->at++;
		csv->next_line++;
	}
	if (csv->problem)
		csv->count = 0;
	return true;
}
