/*	  0  40                  MHDR
 *	                           FType              2 UnconfirmedDataUp
 *	  1  04030201            DevAddr              01020304: …
 *
 * Offset, bytes as on the air (at most eight, then …), word, value. Whatever a device may have sent passes
 * printable_write(). */
#include "cli/frame_report.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/printable.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_SHOWN 8
#define NAME_WIDTH  26

struct cli_frame_report *cli_frame_report_new(const uint8_t *phy, size_t length)
{
	struct cli_frame_report *report = calloc(1, sizeof *report);
	ASSERT(report != NULL);
	ASSERT_CMP(length, <=, sizeof report->phy);
	report->lines = calloc(CLI_FRAME_LINES_MAX, sizeof *report->lines);
	report->document = json_object();
	ASSERT(report->lines && report->document);
	memcpy(report->phy, phy, length);
	report->length = length;
	return report;
}

void cli_frame_report_free(struct cli_frame_report *report)
{
	if (!report)
		return;
	json_decref(report->document);
	free(report->lines);
	free(report);
}

static void say(struct cli_frame_report *report, unsigned depth, int offset, size_t length, const char *name,
		const char *format, va_list arguments)
{
	if (report->count == CLI_FRAME_LINES_MAX)
		return;
	struct cli_frame_line *line = &report->lines[report->count++];
	line->depth = depth;
	line->offset = offset;
	line->length = (unsigned)length;
	snprintf(line->name, sizeof line->name, "%s", name);
	vsnprintf(line->text, sizeof line->text, format, arguments);
}

void cli_frame_say(struct cli_frame_report *report, unsigned depth, int offset, size_t length,
		   const char *name, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(report, depth, offset, length, name, format, arguments);
	va_end(arguments);
}

void cli_frame_set(struct cli_frame_report *report, const char *name, json_t *value)
{
	json_object_set_new(report->document, name, value);
}

void cli_frame_set_bytes(json_t *object, const char *name, const uint8_t *bytes, size_t length)
{
	char text[2 * 256 + 1];
	ASSERT_CMP(length, <=, 256);
	hex_encode(text, bytes, length);
	json_object_set_new(object, name, json_string(text));
}

void cli_frame_fail(struct cli_frame_report *report, enum cli_frame_outcome outcome, const char *verdict,
		    int offset, const char *format, ...)
{
	char sentence[CLI_FRAME_TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	report->outcome = outcome;
	if (outcome == CLI_FRAME_MALFORMED)
		cli_frame_say(report, 0, offset, offset < 0 ? 0 : 1, "wrong", "%s: %s", verdict, sentence);
	cli_frame_set(report, "verdict", json_string(verdict));
	cli_frame_set(report, "problem", json_string(sentence));
}

const char *cli_frame_bytes_text(char text[CLI_FRAME_TEXT_MAX], const uint8_t *bytes, size_t length)
{
	char raw[256], shown[256];
	ASSERT_CMP(length, <, sizeof raw);
	hex_encode(text, bytes, length);
	memcpy(raw, bytes, length);
	raw[length] = '\0';
	if (length == 0 || memchr(raw, 0, length))
		return text;
	printable_copy(shown, sizeof shown, raw);
	if (strcmp(shown, raw) == 0)
		snprintf(text + 2 * length, CLI_FRAME_TEXT_MAX - 2 * length, " \"%s\"", shown);
	return text;
}

static void print_bytes(const struct cli_frame_report *report, const struct cli_frame_line *line, FILE *out)
{
	char text[2 * BYTES_SHOWN + 8] = "";
	if (line->offset < 0 || (size_t)line->offset + line->length > report->length) {
		fprintf(out, "%5s  %-*s ", "", 2 * BYTES_SHOWN + 2, "");
		return;
	}
	size_t shown = line->length < BYTES_SHOWN ? line->length : BYTES_SHOWN;
	hex_encode(text, report->phy + line->offset, shown);
	if (shown < line->length)
		snprintf(text + 2 * shown, sizeof text - 2 * shown, "..");
	fprintf(out, "%5d  %-*s ", line->offset, 2 * BYTES_SHOWN + 2, text);
}

void cli_frame_report_print(const struct cli_frame_report *report, FILE *out)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct cli_frame_line *line = &report->lines[i];
		print_bytes(report, line, out);
		int width = line->text[0] ? (int)(NAME_WIDTH - 2 * line->depth) : 0;
		fprintf(out, "%*s%-*s%s", (int)(2 * line->depth), "", width, line->name, width ? " " : "");
		printable_write(out, line->text);
		fputc('\n', out);
	}
}
