#include "cli/wrap.h"

#include "cli/text_width.h"
#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool measure(struct winsize *size)
{
	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, size) == 0;
}

size_t terminal_width(void)
{
	struct winsize size;
	return measure(&size) ? size.ws_col : 0;
}

size_t terminal_height(void)
{
	struct winsize size;
	return measure(&size) ? size.ws_row : 0;
}

/* Prints one line of text, `length` bytes, broken where it must be. Returns nothing: the newline is printed. */
static void print_line(FILE *out, const char *text, size_t length, size_t width, size_t used, size_t indent)
{
	const char *end = text + length;
	bool any = false; /* a word stands on this line already */
	while (text < end) {
		size_t blanks = strspn(text, " ");
		const char *word = text + blanks;
		const char *stop = word;
		while (stop < end && *stop != ' ')
			stop++;
		if (word >= end)
			break;
		size_t wide = text_width_of_bytes(word, (size_t)(stop - word));
		if (any && width && used + blanks + wide > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			used = indent;
		} else {
			fprintf(out, "%*s", (int)blanks, "");
			used += blanks;
		}
		fwrite(word, 1, (size_t)(stop - word), out);
		used += wide;
		any = true;
		text = stop;
	}
	fputc('\n', out);
}

/* Gives a copy with each line made printable; newlines stay. */
static char *printable_lines(const char *text)
{
	size_t room = strlen(text) + 1;
	char *copy = malloc(room), *to = copy;
	ASSERT(copy != NULL);
	while (*text) {
		if (*text == '\n') {
			*to++ = *text++;
			continue;
		}
		char character[PRINTABLE_CHARACTER_MAX] = {0};
		size_t length = printable_take(character, &text);
		memcpy(to, character, length);
		to += length;
	}
	*to = '\0';
	return copy;
}

void wrap_print(FILE *out, const char *text, size_t width, size_t used, size_t indent)
{
	char *copy = printable_lines(text);
	if (width && indent + 16 > width)
		width = 0; /* too narrow for anything to be gained */
	const char *at = copy;
	for (;;) {
		size_t length = strcspn(at, "\n");
		print_line(out, at, length, width, used, indent);
		at += length;
		if (!*at || !at[1])
			break;
		at++;
		if (*at != '\n')
			fprintf(out, "%*s", (int)indent, "");
		used = indent;
	}
	free(copy);
}

void wrap_labelled(FILE *out, const char *label, const char *text, size_t width, size_t indent)
{
	printable_write(out, label);
	size_t used = text_width(label);
	if (used >= indent) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s", (int)(indent - used), "");
	wrap_print(out, text, width, indent, indent);
}
