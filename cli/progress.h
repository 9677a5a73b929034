/* A bar on standard error for what lasts: nothing when that is no terminal, nothing before a second has passed. */
#ifndef LAMPPOST_CLI_PROGRESS_H
#define LAMPPOST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	const char *what;
	double started; /* seconds of the monotonic clock */
	double shown;
	bool terminal;
	bool visible;
};

void progress_start(struct progress *progress, const char *what);
/* `total` 0: unknown. Draws at most ten times a second. */
void progress_show(struct progress *progress, size_t done, size_t total);
/* Clears the line. */
void progress_end(struct progress *progress);

#endif
