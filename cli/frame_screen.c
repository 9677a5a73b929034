#include "cli/frame_screen.h"

#include "cli/terminal.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKET (100 * US_PER_MS)

void frame_screen_init(struct frame_screen *screen, const char *filter)
{
	*screen = (struct frame_screen){.rows = calloc(FRAME_SCREEN_ROWS, sizeof *screen->rows), .page = 1};
	ASSERT(screen->rows != NULL);
	snprintf(screen->filter, sizeof screen->filter, "%s", filter);
}

void frame_screen_release(struct frame_screen *screen)
{
	for (size_t i = 0; i < FRAME_SCREEN_ROWS; i++)
		frame_row_release(&screen->rows[i]);
	free(screen->rows);
	*screen = (struct frame_screen){.rows = NULL};
}

/* --- what comes ---------------------------------------------------------------------------------------------- */

/* Lends the next place of the ring; the oldest row makes room. */
static struct frame_row *next_row(struct frame_screen *screen)
{
	if (screen->count == FRAME_SCREEN_ROWS) {
		screen->start = (screen->start + 1) % FRAME_SCREEN_ROWS;
		screen->count--;
	}
	struct frame_row *row = &screen->rows[(screen->start + screen->count++) % FRAME_SCREEN_ROWS];
	frame_row_release(row);
	return row;
}

static void add_note(struct frame_screen *screen, const char *text)
{
	struct frame_row *row = next_row(screen);
	row->colour = COLOUR_WARNING;
	snprintf(row->text, sizeof row->text, "%s", text);
}

static void count_verdict(struct frame_screen *screen, const char *name, enum colour colour)
{
	for (size_t i = 0; i < screen->verdict_count; i++) {
		if (strcmp(screen->verdicts[i].name, name) != 0)
			continue;
		screen->verdicts[i].count++;
		return;
	}
	if (screen->verdict_count == FRAME_SCREEN_VERDICTS)
		return; /* more names than the servers have */
	struct frame_screen_verdict *verdict = &screen->verdicts[screen->verdict_count++];
	snprintf(verdict->name, sizeof verdict->name, "%s", name);
	verdict->colour = colour;
	verdict->count = 1;
}

/* Moves on to the present bucket; those in between had nothing. */
static void move_buckets(struct frame_screen *screen, struct mono now)
{
	int64_t present = now.us / BUCKET;
	int64_t steps = present - screen->bucket;
	for (int64_t i = 1; i <= steps && i <= FRAME_SCREEN_BUCKETS; i++)
		screen->buckets[(screen->bucket + i) % FRAME_SCREEN_BUCKETS] = 0;
	if (steps > FRAME_SCREEN_BUCKETS)
		memset(screen->buckets, 0, sizeof screen->buckets);
	if (steps > 0)
		screen->bucket = present;
}

unsigned frame_screen_rate(struct frame_screen *screen, struct mono now)
{
	unsigned sum = 0;
	move_buckets(screen, now);
	for (size_t i = 0; i < FRAME_SCREEN_BUCKETS; i++)
		sum += screen->buckets[i];
	return sum * 10 / (FRAME_SCREEN_BUCKETS / 10);
}

void frame_screen_add(struct frame_screen *screen, struct mono now, const struct cli_frame *frame)
{
	struct frame_row row;
	bool paused = screen->mode != SCREEN_FOLLOWING;
	frame_row_fill(&row, frame, !paused);
	move_buckets(screen, now);
	screen->buckets[screen->bucket % FRAME_SCREEN_BUCKETS]++;
	screen->total++;
	count_verdict(screen, row.verdict, row.colour);
	if (paused) {
		screen->passed++;
		frame_row_release(&row);
		return;
	}
	row.number = row.number ? row.number : 1;
	*next_row(screen) = row;
}

void frame_screen_lost(struct frame_screen *screen, uint64_t count)
{
	char text[64];
	screen->lost += count;
	snprintf(text, sizeof text, "%" PRIu64 " frames not shown", count);
	if (screen->mode == SCREEN_FOLLOWING)
		add_note(screen, text);
}

void frame_screen_link(struct frame_screen *screen, const char *why)
{
	printable_copy(screen->away, sizeof screen->away, why ? why : "");
}

void frame_screen_say(struct frame_screen *screen, const char *message)
{
	printable_copy(screen->message, sizeof screen->message, message);
}

void frame_screen_filtered(struct frame_screen *screen)
{
	snprintf(screen->filter, sizeof screen->filter, "%s", screen->edit);
}

/* --- what is shown ------------------------------------------------------------------------------------------- */

static bool is_shown(const struct frame_screen *screen, const struct frame_row *row)
{
	return !screen->problems_only || row->problem || row->number == 0;
}

size_t frame_screen_shown(const struct frame_screen *screen)
{
	size_t shown = 0;
	for (size_t i = 0; i < screen->count; i++)
		shown += is_shown(screen, &screen->rows[(screen->start + i) % FRAME_SCREEN_ROWS]);
	return shown;
}

const struct frame_row *frame_screen_at(const struct frame_screen *screen, size_t place)
{
	for (size_t i = screen->count; i > 0; i--) {
		const struct frame_row *row = &screen->rows[(screen->start + i - 1) % FRAME_SCREEN_ROWS];
		if (is_shown(screen, row) && place-- == 0)
			return row;
	}
	return NULL;
}

/* --- keys ---------------------------------------------------------------------------------------------------- */

static void pause_list(struct frame_screen *screen)
{
	if (screen->mode != SCREEN_FOLLOWING)
		return;
	screen->mode = SCREEN_PAUSED;
	screen->passed = 0;
	screen->selected = screen->bottom = 0;
}

static void resume(struct frame_screen *screen)
{
	char text[64];
	screen->mode = SCREEN_FOLLOWING;
	screen->selected = screen->bottom = 0;
	if (screen->passed == 0)
		return;
	snprintf(text, sizeof text, "%" PRIu64 " frames passed while it was paused", screen->passed);
	add_note(screen, text);
}

/* Moves the selection `steps` rows towards older ones, and the list with it. */
static void move(struct frame_screen *screen, long steps)
{
	size_t shown = frame_screen_shown(screen);
	long at = (long)screen->selected + steps;
	if (at >= (long)shown)
		at = (long)shown - 1;
	screen->selected = at < 0 ? 0 : (size_t)at;
	if (screen->selected < screen->bottom)
		screen->bottom = screen->selected;
	if (screen->selected >= screen->bottom + screen->page)
		screen->bottom = screen->selected - screen->page + 1;
}

static enum frame_screen_wish edit_key(struct frame_screen *screen, int key)
{
	size_t length = strlen(screen->edit);
	if (key == KEY_ESCAPE) {
		screen->editing = false;
	} else if (key == KEY_ENTER) {
		screen->editing = false;
		return SCREEN_FILTER;
	} else if (key == KEY_BACKSPACE && length > 0) {
		screen->edit[length - 1] = '\0';
	} else if (key >= ' ' && key < 0x7f && length + 1 < sizeof screen->edit) {
		screen->edit[length] = (char)key;
		screen->edit[length + 1] = '\0';
	}
	return SCREEN_NOTHING;
}

static enum frame_screen_wish details_key(struct frame_screen *screen, int key)
{
	unsigned page = (unsigned)screen->page;
	switch (key) {
	case 'q':
	case KEY_ENTER:
	case KEY_ESCAPE: screen->mode = SCREEN_PAUSED; break;
	case 'k':
	case KEY_UP: screen->scroll -= screen->scroll > 0; break;
	case 'j':
	case KEY_DOWN: screen->scroll++; break;
	case KEY_PAGE_UP: screen->scroll -= screen->scroll < page ? screen->scroll : page; break;
	case KEY_PAGE_DOWN: screen->scroll += page; break;
	case KEY_HOME: screen->scroll = 0; break;
	default: break;
	}
	return SCREEN_NOTHING;
}

static void open_details(struct frame_screen *screen)
{
	pause_list(screen);
	const struct frame_row *row = frame_screen_at(screen, screen->selected);
	if (!row || row->number == 0)
		return;
	screen->mode = SCREEN_DETAILS;
	screen->scroll = 0;
}

enum frame_screen_wish frame_screen_key(struct frame_screen *screen, int key)
{
	long page = (long)screen->page;
	screen->message[0] = '\0';
	if (screen->editing)
		return edit_key(screen, key);
	if (key == 'f') {
		screen->editing = true;
		snprintf(screen->edit, sizeof screen->edit, "%s", screen->filter);
		return SCREEN_NOTHING;
	}
	if (screen->mode == SCREEN_DETAILS)
		return details_key(screen, key);
	static const int moves[] = {KEY_UP,   KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN,
				    KEY_HOME, KEY_END,  'k',         'j'};
	const long steps[] = {1, -1, page, -page, FRAME_SCREEN_ROWS, -FRAME_SCREEN_ROWS, 1, -1};
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		if (key != moves[i])
			continue;
		bool paused = screen->mode == SCREEN_PAUSED;
		pause_list(screen);
		if (paused)
			move(screen, steps[i]);
		return SCREEN_NOTHING;
	}
	if (key == 'q')
		return SCREEN_QUIT;
	if (key == ' ' && screen->mode == SCREEN_FOLLOWING)
		pause_list(screen);
	else if (key == ' ' || (key == KEY_ESCAPE && screen->mode == SCREEN_PAUSED))
		resume(screen);
	else if (key == KEY_ENTER)
		open_details(screen);
	else if (key == 'v') {
		screen->problems_only = !screen->problems_only;
		screen->selected = screen->bottom = 0;
	}
	return SCREEN_NOTHING;
}
