#include "tests/harness/vt.h"

#include "cli/text_width.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void clear(struct t_vt *vt, unsigned row, unsigned from)
{
	for (unsigned i = from; i < T_VT_COLUMNS; i++)
		memcpy(vt->cells[row][i], " ", 2);
	if (from == 0)
		vt->marked[row] = false;
}

void t_vt_init(struct t_vt *vt, unsigned columns, unsigned rows)
{
	memset(vt, 0, sizeof *vt);
	vt->columns = columns;
	vt->rows = rows;
	for (unsigned i = 0; i < T_VT_ROWS; i++)
		clear(vt, i, 0);
}

static void mode(struct t_vt *vt, const char *parameters, bool set)
{
	if (strcmp(parameters, "?1049") == 0)
		vt->other_picture = set;
	else if (strcmp(parameters, "?25") == 0)
		vt->cursor_hidden = !set;
	else if (strcmp(parameters, "?7") != 0)
		vt->strange++;
}

static void render(struct t_vt *vt, const char *parameters)
{
	int number = *parameters ? (int)strtol(parameters, NULL, 10) : 0;
	vt->coloured = vt->coloured || (number > 0 && number != 7);
	vt->reverse = number == 7 || (vt->reverse && number != 0);
}

static void sequence(struct t_vt *vt, const char *parameters, char final)
{
	switch (final) {
	case 'H':
		vt->row = vt->column = 0;
		vt->pictures++;
		vt->strange += *parameters != '\0';
		break;
	case 'K':
		if (vt->row < vt->rows)
			clear(vt, vt->row, vt->column);
		break;
	case 'J':
		if (strcmp(parameters, "2") != 0 && vt->row < vt->rows)
			clear(vt, vt->row, vt->column);
		for (unsigned i = strcmp(parameters, "2") == 0 ? 0 : vt->row + 1; i < vt->rows; i++)
			clear(vt, i, 0);
		break;
	case 'm': render(vt, parameters); break;
	case 'h': mode(vt, parameters, true); break;
	case 'l': mode(vt, parameters, false); break;
	default: vt->strange++;
	}
}

static void letter(struct t_vt *vt, const char *character, size_t length, unsigned wide)
{
	if (wide == 0 && vt->column > 0) {
		char *cell = vt->cells[vt->row][vt->column - 1];
		if (strlen(cell) + length < sizeof vt->cells[0][0])
			memcpy(cell + strlen(cell), character, length + 1);
		return;
	}
	if (vt->row >= vt->rows || vt->column + wide > vt->columns) {
		vt->overrun++;
		return;
	}
	if (vt->column == 0)
		vt->marked[vt->row] = false;
	vt->marked[vt->row] = vt->marked[vt->row] || vt->reverse;
	snprintf(vt->cells[vt->row][vt->column], sizeof vt->cells[0][0], "%.*s", (int)length, character);
	if (wide == 2)
		vt->cells[vt->row][vt->column + 1][0] = '\0';
	vt->column += wide;
}

/* Takes one letter, control or sequence; 0: it is not whole yet. */
static size_t take(struct t_vt *vt, const char *bytes, size_t length)
{
	unsigned char first = (unsigned char)bytes[0];
	if (first == 0x1b) {
		char parameters[32] = "";
		size_t at = 2;
		if (length < 2)
			return 0;
		if (bytes[1] != '[') {
			vt->strange++;
			return 2;
		}
		while (at < length && (unsigned char)bytes[at] >= 0x20 && (unsigned char)bytes[at] < 0x40)
			at++;
		if (at == length)
			return length > 32 ? (vt->strange++, length) : 0;
		snprintf(parameters, sizeof parameters, "%.*s", (int)(at - 2), bytes + 2);
		sequence(vt, parameters, bytes[at]);
		return at + 1;
	}
	if (first == '\r') {
		vt->column = 0;
		return 1;
	}
	if (first == '\n') {
		vt->row++;
		return 1;
	}
	if (first < 0x20 || first == 0x7f) {
		vt->strange++;
		return 1;
	}
	size_t whole = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (whole > length)
		return 0;
	char character[8] = "";
	memcpy(character, bytes, whole);
	const char *end = character;
	unsigned wide = text_width_take(&end);
	if ((size_t)(end - character) != whole ||
	    (whole == 2 && first == 0xc2 && (unsigned char)bytes[1] < 0xa0))
		vt->strange++;
	letter(vt, character, whole, wide);
	return whole;
}

void t_vt_write(struct t_vt *vt, const char *bytes, size_t length)
{
	char *all = malloc(vt->rest_length + length);
	memcpy(all, vt->rest, vt->rest_length);
	memcpy(all + vt->rest_length, bytes, length);
	size_t total = vt->rest_length + length, at = 0, used;
	while (at < total && (used = take(vt, all + at, total - at)) > 0)
		at += used;
	vt->rest_length = total - at;
	memcpy(vt->rest, all + at, vt->rest_length);
	free(all);
}

const char *t_vt_line(struct t_vt *vt, unsigned row)
{
	size_t used = 0, end = 0;
	for (unsigned i = 0; i < vt->columns; i++) {
		const char *cell = vt->cells[row][i];
		used += (size_t)snprintf(vt->text + used, sizeof vt->text - used, "%s", cell);
		if (strcmp(cell, " ") != 0)
			end = used;
	}
	vt->text[end] = '\0';
	return vt->text;
}

bool t_vt_shows(struct t_vt *vt, const char *text)
{
	for (unsigned row = 0; row < vt->rows; row++)
		if (strstr(t_vt_line(vt, row), text))
			return true;
	return false;
}
