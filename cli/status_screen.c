#include "cli/status_screen.h"

#include "cli/text_width.h"
#include "common/base/printable.h"

#include <stdarg.h>
#include <string.h>

void cli_screen_begin(struct cli_screen *screen, const char *label)
{
	screen->used = 0;
	screen->line[0] = '\0';
	if (label)
		cli_screen_put(screen, COLOUR_STRONG, "%-*s", CLI_SCREEN_INDENT, label);
}

void cli_screen_put(struct cli_screen *screen, enum colour colour, const char *format, ...)
{
	char text[512], shown[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	printable_copy(shown, sizeof shown, text);
	if (screen->width && text_width(screen->line) > CLI_SCREEN_INDENT &&
	    text_width(screen->line) + text_width(shown) > screen->width) {
		cli_screen_end(screen);
		cli_screen_begin(screen, "");
		const char *rest = shown + strspn(shown, ",; ");
		memmove(shown, rest, strlen(rest) + 1);
	}
	int more = snprintf(screen->line + screen->used, sizeof screen->line - screen->used, "%s%s%s",
			    colour_start(screen->out, colour), shown, colour_stop(screen->out, colour));
	screen->used += (size_t)more < sizeof screen->line - screen->used ? (size_t)more : 0;
}

void cli_screen_end(struct cli_screen *screen)
{
	size_t length = screen->width ? text_width_fitting(screen->line, screen->width) : screen->used;
	fwrite(screen->line, 1, length, screen->out);
	/* What was cut may have been in a colour. */
	fputs(length < screen->used ? colour_stop(screen->out, COLOUR_STRONG) : "", screen->out);
	fputc('\n', screen->out);
	screen->lines++;
}
