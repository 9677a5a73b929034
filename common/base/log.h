/* One line per event on standard error: `LEVEL component event key=value ...`. Edges and flows log, pure code never.
 * No key, payload or token ever stands in a line, at any level (invariant 5). */
#ifndef LAMPPOST_BASE_LOG_H
#define LAMPPOST_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Parses "error", "warn", "info" or "debug". */
bool log_level_parse(const char *text, enum log_level *level);
/* Names the component and sets the threshold, once, at start. `component` is borrowed for ever. */
void log_init(const char *component, enum log_level threshold);
/* Changes the threshold: a reload of the configuration. */
void log_set_threshold(enum log_level threshold);
/* Writes one line; values that may hold blanks or control characters are quoted by log_quote(). */
void log_write(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Fills `out` with a printable, quoted form of `text`, shortened to fit; returns `out`. */
const char *log_quote(char *out, unsigned long capacity, const char *text);

#define LOG_ERROR(event, ...) log_write(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define LOG_WARN(event, ...)  log_write(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define LOG_INFO(event, ...)  log_write(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define LOG_DEBUG(event, ...) log_write(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
