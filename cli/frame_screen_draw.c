/* How the screen of frames looks: a head of three lines, titles, the list with the newest at the bottom, what keys do. */
#include "cli/frame_screen.h"

#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEAD_ROWS  4 /* with the titles; none on a terminal lower than LOW */
#define LOW        10
#define TEXT_LEAST 12 /* columns that the last cell is worth */

/* Columns in their order, and in what order they come as a terminal grows wider. */
static const struct column {
	const char *title;
	unsigned width, rank;
} columns[CELL_COUNT] = {
	[CELL_TIME] = {"TIME", 12, 2},        [CELL_DIRECTION] = {"DIR", 4, 4},
	[CELL_TYPE] = {"TYPE", 6, 5},         [CELL_VERDICT] = {"VERDICT", 18, 0},
	[CELL_DEVICE] = {"DEVICE", 20, 1},    [CELL_ADDRESS] = {"DEVADDR", 8, 3},
	[CELL_FCNT] = {"FCNT", 6, 6},         [CELL_PORT] = {"PORT", 4, 10},
	[CELL_RATE] = {"RATE", 8, 9},         [CELL_FREQUENCY] = {"MHZ", 7, 12},
	[CELL_GATEWAY] = {"GATEWAY", 19, 11}, [CELL_RSSI] = {"DBM", 4, 7},
	[CELL_SNR] = {"SNR", 5, 8},           [CELL_LENGTH] = {"LEN", 3, 13},
	[CELL_TEXT] = {"", 0, CELL_TEXT},
};

/* Which columns fit: those of the least ranks. Returns what is left of the line. */
static unsigned choose(unsigned width, bool chosen[CELL_COUNT])
{
	unsigned used = 0;
	memset(chosen, 0, CELL_COUNT * sizeof *chosen);
	for (unsigned rank = 0; rank < CELL_TEXT; rank++) {
		for (int i = 0; i < CELL_TEXT; i++) {
			unsigned more = columns[i].width + (used > 0);
			if (columns[i].rank != rank)
				continue;
			if (used + more > width)
				return width - used;
			chosen[i] = true;
			used += more;
		}
	}
	chosen[CELL_TEXT] = width - used > TEXT_LEAST;
	return width - used;
}

static void put_cells(struct screen *out, const struct frame_row *row)
{
	bool chosen[CELL_COUNT];
	choose(out->columns, chosen);
	bool first = true;
	for (int i = 0; i < CELL_COUNT; i++) {
		if (!chosen[i])
			continue;
		if (!first)
			screen_put(out, COLOUR_NONE, " ", 1);
		first = false;
		if (!row)
			screen_put(out, COLOUR_STRONG, columns[i].title, columns[i].width);
		else if (i == CELL_TEXT)
			screen_put(out, COLOUR_NONE, row->text, out->reverse ? out->columns : 0);
		else
			screen_put(out,
				   i == CELL_VERDICT || row->colour == COLOUR_DIM ? row->colour : COLOUR_NONE,
				   row->cells[i], columns[i].width);
	}
}

static void draw_row(struct screen *out, const struct frame_row *row, bool selected)
{
	out->reverse = selected;
	if (row && row->number == 0) {
		screen_put(out, row->colour, "··· ", 0);
		screen_put(out, row->colour, row->text, 0);
	} else if (row) {
		put_cells(out, row);
	}
	out->reverse = false;
	screen_line(out);
}

/* --- the head ------------------------------------------------------------------------------------------------ */

static void draw_state(struct frame_screen *screen, struct mono now, struct screen *out)
{
	char text[120];
	unsigned rate = frame_screen_rate(screen, now);
	screen_put(out, COLOUR_STRONG, "frames ", 0);
	if (screen->away[0])
		screen_put(out, COLOUR_BAD, "AWAY ", 0);
	else if (screen->mode == SCREEN_FOLLOWING)
		screen_put(out, COLOUR_GOOD, "live ", 0);
	if (screen->mode != SCREEN_FOLLOWING) {
		snprintf(text, sizeof text, "PAUSED, %" PRIu64 " passed ", screen->passed);
		screen_put(out, COLOUR_WARNING, text, 0);
	}
	snprintf(text, sizeof text, " %u.%u/s  total %" PRIu64, rate / 10, rate % 10, screen->total);
	screen_put(out, COLOUR_NONE, text, 0);
	if (screen->lost > 0) {
		snprintf(text, sizeof text, "  %" PRIu64 " not shown", screen->lost);
		screen_put(out, COLOUR_WARNING, text, 0);
	}
	if (screen->away[0]) {
		screen_put(out, COLOUR_NONE, "  ", 0);
		screen_put(out, COLOUR_BAD, screen->away, 0);
	}
	screen_line(out);
}

/* The place of the most frequent that is not done yet; there is one. */
static size_t most_frequent(const struct frame_screen *screen, const bool done[FRAME_SCREEN_VERDICTS])
{
	size_t most = 0;
	while (done[most])
		most++;
	for (size_t i = most + 1; i < screen->verdict_count; i++)
		if (!done[i] && screen->verdicts[i].count > screen->verdicts[most].count)
			most = i;
	return most;
}

/* The most frequent first, as far as the line goes. */
static void draw_verdicts(const struct frame_screen *screen, struct screen *out)
{
	bool done[FRAME_SCREEN_VERDICTS] = {false};
	for (size_t n = 0; n < screen->verdict_count; n++) {
		char text[64];
		size_t place = most_frequent(screen, done);
		const struct frame_screen_verdict *verdict = &screen->verdicts[place];
		done[place] = true;
		snprintf(text, sizeof text, "%s %" PRIu64, verdict->name, verdict->count);
		if (out->column + strlen(text) > out->columns)
			continue;
		screen_put(out, verdict->colour, text, 0);
		screen_put(out, COLOUR_NONE, "  ", 0);
	}
	screen_line(out);
}

static void draw_filter(const struct frame_screen *screen, struct screen *out)
{
	screen_put(out, COLOUR_DIM, "filter: ", 0);
	screen_put(out, COLOUR_NONE, screen->filter[0] ? screen->filter : "none", 0);
	if (screen->problems_only)
		screen_put(out, COLOUR_WARNING, "  problems only", 0);
	screen_line(out);
}

/* --- the foot ------------------------------------------------------------------------------------------------ */

static void draw_foot(const struct frame_screen *screen, struct screen *out)
{
	static const char *const keys[] = {
		[SCREEN_FOLLOWING] = "space pause  v problems  f filter  Enter details  q quit",
		[SCREEN_PAUSED] =
			"space go on  up/down, PgUp/PgDn  Enter details  v problems  f filter  q quit",
		[SCREEN_DETAILS] = "Esc back  up/down, PgUp/PgDn",
	};
	if (screen->editing) {
		/* The end of what is typed stays in sight. */
		size_t length = strlen(screen->edit), room = out->columns > 10 ? out->columns - 10 : 1;
		screen_put(out, COLOUR_STRONG, "filter: ", 0);
		screen_put(out, COLOUR_NONE, screen->edit + (length > room ? length - room : 0), 0);
		screen_put(out, COLOUR_STRONG, "_", 0);
	} else if (screen->message[0]) {
		screen_put(out, COLOUR_WARNING, screen->message, 0);
	} else {
		screen_put(out, COLOUR_DIM, keys[screen->mode], 0);
	}
}

/* --- all of it ----------------------------------------------------------------------------------------------- */

static void draw_list(struct frame_screen *screen, struct screen *out, unsigned lines)
{
	size_t shown = frame_screen_shown(screen),
	       newest = screen->mode == SCREEN_FOLLOWING ? 0 : screen->bottom;
	screen->page = lines > 0 ? lines : 1;
	if (newest + lines > shown) /* the list begins at the top until there is more than a page */
		newest = shown > lines ? shown - lines : 0;
	size_t count = shown - newest < lines ? shown - newest : lines;
	for (size_t i = count; i > 0; i--) {
		size_t place = newest + i - 1;
		draw_row(out, frame_screen_at(screen, place),
			 screen->mode == SCREEN_PAUSED && place == screen->selected);
	}
}

void frame_screen_draw(struct frame_screen *screen, struct mono now, struct screen *out)
{
	unsigned last = out->rows - 1;
	if (out->rows > 1)
		draw_state(screen, now, out);
	if (out->rows >= LOW) {
		draw_verdicts(screen, out);
		draw_filter(screen, out);
	}
	const struct frame_row *row = screen->mode == SCREEN_DETAILS
					      ? frame_screen_at(screen, screen->selected)
					      : NULL;
	unsigned head = out->row + (out->rows >= LOW);
	if (row && last > out->row) {
		screen->page = last - out->row;
		frame_screen_details(row, &screen->scroll, out);
	} else {
		if (out->rows >= LOW) {
			put_cells(out, NULL);
			screen_line(out);
		}
		draw_list(screen, out, last > head ? last - head : 0);
	}
	screen_to_row(out, last);
	draw_foot(screen, out);
}
