#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_start(struct progress *progress, const char *what)
{
	*progress = (struct progress){.what = what, .started = seconds(), .terminal = isatty(STDERR_FILENO)};
}

void progress_show(struct progress *progress, size_t done, size_t total)
{
	double now = seconds();
	if (!progress->terminal || now - progress->started < 1 || now - progress->shown < 0.1)
		return;
	progress->shown = now;
	progress->visible = true;
	char bar[31];
	size_t full = total ? done * (sizeof bar - 1) / total : 0;
	for (size_t i = 0; i < sizeof bar - 1; i++)
		bar[i] = i < full ? '#' : '.';
	bar[sizeof bar - 1] = '\0';
	if (total)
		fprintf(stderr, "\r%s [%s] %zu of %zu, %.0f s\033[K", progress->what, bar, done, total,
			now - progress->started);
	else
		fprintf(stderr, "\r%s: %zu, %.0f s\033[K", progress->what, done, now - progress->started);
}

void progress_end(struct progress *progress)
{
	if (progress->visible)
		fprintf(stderr, "\r\033[K");
	progress->visible = false;
}
