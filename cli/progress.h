/* What a person sees while something lasts: on standard error, where that is a terminal, and not before a second has
 * passed. A bar where the end is known, else a wheel with the seconds. */
#ifndef LAMPPOST_CLI_PROGRESS_H
#define LAMPPOST_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

#define PROGRESS_TEXT_MAX 160

struct progress {
	const char *what; /* borrowed: "sending" */
	double started;   /* seconds of the monotonic clock */
	double shown;
	unsigned turns; /* of the wheel */
	bool terminal;
	bool visible;
};

void progress_start(struct progress *progress, const char *what);
/* Draws `done` of `total` (0: unknown), at most ten times a second. */
void progress_show(struct progress *progress, size_t done, size_t total);
/* Draws the wheel; call it about ten times a second while waiting. */
void progress_spin(struct progress *progress);
/* Sleeps so long, turning the wheel. */
void progress_sleep(struct progress *progress, unsigned milliseconds);
/* Clears the line until the next drawing: before something else is printed. */
void progress_clear(struct progress *progress);
/* Clears the line. */
void progress_end(struct progress *progress);

/* Turns the wheel on a thread of its own, for work that cannot come back to turn it (a database read through): between the two calls
 * nothing else may be printed. NULL, and nothing to end, where standard error is no terminal. */
struct progress_wheel;
struct progress_wheel *progress_wheel_start(const char *what);
void progress_wheel_end(struct progress_wheel *wheel);

/* Fills what is drawn, `columns` wide at most (0: as wide as it is). Pure. `total` 0 and `done` SIZE_MAX: the wheel. */
void progress_text(char text[PROGRESS_TEXT_MAX], const char *what, size_t done, size_t total, unsigned turns,
		   double seconds, size_t columns);

#endif
