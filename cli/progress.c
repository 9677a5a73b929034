#include "cli/progress.h"

#include "cli/text_width.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR       30
#define VISIBLE_S 1.0
#define REDRAW_S  0.1
#define NARROWEST 60 /* columns that a bar needs to be worth its room */

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_start(struct progress *progress, const char *what)
{
	*progress = (struct progress){.what = what, .started = now_s(), .terminal = isatty(STDERR_FILENO)};
}

static size_t columns_of_error(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void progress_text(char text[PROGRESS_TEXT_MAX], const char *what, size_t done, size_t total, unsigned turns,
		   double seconds, size_t columns)
{
	static const char wheel[] = "|/-\\";
	char bar[BAR + 1];
	size_t full = total ? (size_t)((double)done / (double)total * BAR) : 0;
	memset(bar, '.', BAR);
	memset(bar, '#', full < BAR ? full : BAR);
	bar[BAR] = '\0';
	if (total && (columns == 0 || columns >= NARROWEST))
		snprintf(text, PROGRESS_TEXT_MAX, "%s [%s] %zu of %zu, %.0f s", what, bar, done, total,
			 seconds);
	else if (total)
		snprintf(text, PROGRESS_TEXT_MAX, "%s: %zu of %zu, %.0f s", what, done, total, seconds);
	else if (done != SIZE_MAX)
		snprintf(text, PROGRESS_TEXT_MAX, "%s: %zu, %.0f s", what, done, seconds);
	else
		snprintf(text, PROGRESS_TEXT_MAX, "%c %s, %.0f s", wheel[turns % 4], what, seconds);
	if (columns > 1)
		text[text_width_fitting(text, columns - 1)] = '\0';
}

static void draw(struct progress *progress, size_t done, size_t total)
{
	char text[PROGRESS_TEXT_MAX];
	double now = now_s();
	if (!progress->terminal || now - progress->started < VISIBLE_S ||
	    now - progress->shown < REDRAW_S * 0.9)
		return;
	progress->shown = now;
	progress->visible = true;
	progress_text(text, progress->what, done, total, progress->turns++, now - progress->started,
		      columns_of_error());
	fprintf(stderr, "\r%s\033[K", text);
}

void progress_show(struct progress *progress, size_t done, size_t total)
{
	draw(progress, done, total);
}

void progress_spin(struct progress *progress)
{
	draw(progress, SIZE_MAX, 0);
}

void progress_sleep(struct progress *progress, unsigned milliseconds)
{
	for (unsigned left = milliseconds; left > 0;) {
		unsigned step = left < 100 ? left : 100;
		(void)nanosleep(&(struct timespec){.tv_nsec = (long)step * 1000000L}, NULL);
		progress_spin(progress);
		left -= step;
	}
}

void progress_clear(struct progress *progress)
{
	if (progress->visible)
		fprintf(stderr, "\r\033[K");
	progress->visible = false;
}

void progress_end(struct progress *progress)
{
	progress_clear(progress);
}
