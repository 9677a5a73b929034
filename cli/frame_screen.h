/* The screen of `lamppost frames`: what it knows, what keys do, how it is drawn. Pure: no clock, no terminal (frames_live.c has
 * those), so that every state can be drawn in a test.
 *
 *	FOLLOWING ──space, a key that moves──▶ PAUSED ──Enter──▶ DETAILS
 *	    ▲                                   │ ▲                 │ Esc, Enter, q
 *	    └──────────────space────────────────┘ └─────────────────┘
 *	from each of them  f ──▶ EDITING ──Enter, Esc──▶ back
 *
 * While it is paused nothing is added to the list; what passes is counted, and said where the list goes on. */
#ifndef LAMPPOST_CLI_FRAME_SCREEN_H
#define LAMPPOST_CLI_FRAME_SCREEN_H

#include "cli/frame_row.h"
#include "cli/screen.h"

#define FRAME_SCREEN_ROWS     1000
#define FRAME_SCREEN_VERDICTS 64
#define FRAME_SCREEN_EDIT     240
#define FRAME_SCREEN_BUCKETS  20 /* of 100 ms: the rate is that of two seconds */

enum frame_screen_mode { SCREEN_FOLLOWING, SCREEN_PAUSED, SCREEN_DETAILS };
enum frame_screen_wish { SCREEN_NOTHING, SCREEN_QUIT, SCREEN_FILTER };

struct frame_screen {
	struct frame_row *rows; /* owned ring, oldest first; `number` 0: a note that is its text */
	size_t start, count;
	enum frame_screen_mode mode;
	bool problems_only;
	bool editing;
	char edit[FRAME_SCREEN_EDIT];
	char filter[FRAME_SCREEN_EDIT];  /* in force, as it was typed; "" none */
	char message[FRAME_SCREEN_EDIT]; /* "": none */
	char away[120];                  /* why no frames can come; "": they can */
	size_t selected; /* PAUSED, DETAILS: place among the rows that are shown, the newest is 0 */
	size_t bottom;   /* place of the row on the lowest line */
	size_t page;     /* lines of the list at the last drawing */
	unsigned scroll; /* DETAILS: lines above the first that is shown */
	uint64_t total, lost, passed; /* passed: while paused */
	struct frame_screen_verdict {
		char name[32];
		enum colour colour;
		uint64_t count;
	} verdicts[FRAME_SCREEN_VERDICTS];
	size_t verdict_count;
	uint32_t buckets[FRAME_SCREEN_BUCKETS];
	int64_t bucket; /* number of the present one */
};

void frame_screen_init(struct frame_screen *screen, const char *filter);
void frame_screen_release(struct frame_screen *screen);

void frame_screen_add(struct frame_screen *screen, struct mono now, const struct cli_frame *frame);
void frame_screen_lost(struct frame_screen *screen, uint64_t count);
/* Frames come (`why` NULL), or cannot come now. */
void frame_screen_link(struct frame_screen *screen, const char *why);
/* Says something on the lowest line until the next key. */
void frame_screen_say(struct frame_screen *screen, const char *message);
/* Does what a key means (terminal.h). SCREEN_FILTER: `edit` is the filter that is wanted. */
enum frame_screen_wish frame_screen_key(struct frame_screen *screen, int key);
/* The filter that was wanted is in force. */
void frame_screen_filtered(struct frame_screen *screen);
/* Frames a second, of the last two, in tenths. */
unsigned frame_screen_rate(struct frame_screen *screen, struct mono now);

/* Draws it (frame_screen_draw.c). */
void frame_screen_draw(struct frame_screen *screen, struct mono now, struct screen *out);
/* The details of one frame (frame_screen_details.c): from line `*scroll` on, which is lowered when there is nothing so far
 * down. */
void frame_screen_details(const struct frame_row *row, unsigned *scroll, struct screen *out);

/* How many rows are shown; and one of them, the newest is 0, NULL behind the last. */
size_t frame_screen_shown(const struct frame_screen *screen);
const struct frame_row *frame_screen_at(const struct frame_screen *screen, size_t place);

/* A filter as a person types it: "gateway=... device=... dev_addr=... verdict=... direction=... foreign=yes". */
struct frame_filter {
	char text[FRAME_SCREEN_EDIT]; /* cut to pieces; the filters point into it */
	struct cli_frame_filters filters;
};
/* Reads it; false with why (a sentence without a full stop, made printable). */
bool frame_filter_read(struct frame_filter *filter, const char *text, char why[FRAME_SCREEN_EDIT]);
/* Fills the text of filters; what does not fit is left out. */
void frame_filter_text(char text[FRAME_SCREEN_EDIT], const struct cli_frame_filters *filters);

#endif
