#include "cli/frames_live.h"

#include "cli/frame_screen.h"
#include "cli/problem.h"
#include "cli/terminal.h"
#include "common/io/clock.h"

#include <stdio.h>
#include <string.h>

#define DRAW_EVERY (100 * US_PER_MS)
#define IDLE_EVERY US_PER_S /* the rate falls even when nothing comes */

struct live {
	struct io_loop *loop;
	struct cli_frame_stream *stream;
	struct terminal *terminal;
	struct io_timer *timer;
	struct frame_screen state;
	struct screen screen;
	char before[FRAME_SCREEN_EDIT]; /* the filter that was in force, as text */
	bool tried;                     /* it has not shown yet that the server takes it */
	bool changed;                   /* since it was drawn */
	struct mono drawn;
	bool over;
	int code; /* when it is over */
};

static void finish(struct live *live, int code)
{
	live->over = true;
	live->code = code;
}

/* --- the stream ---------------------------------------------------------------------------------------------- */

static bool on_frame(void *ctx, const struct cli_frame *frame)
{
	struct live *live = ctx;
	frame_screen_add(&live->state, clock_mono(), frame);
	live->changed = true;
	return true;
}

static void on_lost(void *ctx, uint64_t count)
{
	struct live *live = ctx;
	frame_screen_lost(&live->state, count);
	live->changed = true;
}

static void on_link(void *ctx, const char *why)
{
	struct live *live = ctx;
	frame_screen_link(&live->state, why);
	if (!why)
		live->tried = false;
	live->changed = true;
}

/* Another filter is asked for; one that cannot be leaves the one before in force. */
static void try_filter(struct live *live)
{
	char why[FRAME_SCREEN_EDIT];
	struct frame_filter wanted;
	live->changed = true;
	if (!frame_filter_read(&wanted, live->state.edit, why)) {
		frame_screen_say(&live->state, why);
		return;
	}
	if (!live->tried)
		snprintf(live->before, sizeof live->before, "%s", live->state.filter);
	if (!cli_frame_stream_filter(live->stream, &wanted.filters)) {
		frame_screen_say(&live->state, "the filter is too long");
		return;
	}
	live->tried = true;
	frame_screen_filtered(&live->state);
}

/* The server refused: at first that is the end, of a filter that was tried it is said. */
static void on_refusal(struct live *live)
{
	const char *why = cli_frame_stream_refusal(live->stream);
	char said[FRAME_SCREEN_EDIT], unused[FRAME_SCREEN_EDIT];
	struct frame_filter before;
	if (!live->tried || !why || !frame_filter_read(&before, live->before, unused)) {
		finish(live, CLI_FAILED); /* told once the terminal is given back */
		return;
	}
	snprintf(said, sizeof said, "%s", why);
	live->tried = false;
	if (!cli_frame_stream_filter(live->stream, &before.filters)) {
		finish(live, CLI_FAILED);
		return;
	}
	snprintf(live->state.filter, sizeof live->state.filter, "%s", live->before);
	frame_screen_say(&live->state, said);
	live->changed = true;
}

/* --- the terminal -------------------------------------------------------------------------------------------- */

static void draw(struct live *live, struct mono now)
{
	unsigned columns, rows;
	size_t length;
	terminal_size(live->terminal, &columns, &rows);
	screen_begin(&live->screen, columns, rows, colour_is_on(stdout));
	frame_screen_draw(&live->state, now, &live->screen);
	const char *bytes = screen_end(&live->screen, &length);
	terminal_write(live->terminal, bytes, length);
	live->drawn = now;
	live->changed = false;
}

static void on_tick(void *ctx, struct now now)
{
	struct live *live = ctx;
	if (live->changed || mono_since(now.mono, live->drawn) >= IDLE_EVERY)
		draw(live, now.mono);
}

static void on_key(void *ctx, int key)
{
	struct live *live = ctx;
	live->changed = true;
	switch (frame_screen_key(&live->state, key)) {
	case SCREEN_NOTHING: return;
	case SCREEN_QUIT: finish(live, CLI_DONE); return;
	case SCREEN_FILTER: try_filter(live); return;
	}
}

static void on_change(void *ctx)
{
	((struct live *)ctx)->changed = true;
}

static void on_gone(void *ctx)
{
	finish(ctx, CLI_INTERRUPTED);
}

static void on_stop(void *ctx, struct now now)
{
	(void)now;
	finish(ctx, CLI_INTERRUPTED);
}

static bool is_over(void *ctx)
{
	struct live *live = ctx;
	if (!live->over && cli_frame_stream_ended(live->stream))
		on_refusal(live);
	return live->over;
}

int cli_frames_live(const struct cli_arguments *arguments, const struct cli_frame_filters *filters)
{
	struct live live = {.code = CLI_FAILED};
	char text[FRAME_SCREEN_EDIT];
	const struct io_turn turn = {.on_stop = on_stop, .ctx = &live};
	const struct cli_frame_hooks hooks = {on_frame, on_lost, on_link, &live};
	const struct terminal_hooks keys = {on_key, on_change, on_gone, &live};
	frame_filter_text(text, filters);
	frame_screen_init(&live.state, text);
	frame_screen_link(&live.state, "connecting");
	screen_init(&live.screen);
	live.loop = io_loop_new(&turn);
	live.stream = cli_frame_stream_new(live.loop, arguments, filters, &hooks);
	live.timer = io_timer_new(live.loop, on_tick, &live);
	live.terminal = cli_frame_stream_ended(live.stream) ? NULL : terminal_open(live.loop, &keys);
	if (live.terminal) {
		live.changed = true;
		io_timer_start(live.timer, 1, DRAW_EVERY);
		(void)io_loop_run_until(live.loop, is_over, &live, INT64_MAX / 4);
	}
	terminal_close(live.terminal);
	bool refused = cli_frame_stream_ended(live.stream);
	int code = refused ? cli_frame_stream_report(live.stream) : live.code;
	cli_frame_stream_free(live.stream);
	io_timer_free(live.timer);
	io_loop_free(live.loop);
	screen_release(&live.screen);
	frame_screen_release(&live.state);
	return code;
}
