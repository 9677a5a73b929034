/* What is said of a frame: lines for people, each with the bytes it speaks of, and one object for programs. Both are filled
 * side by side while a frame is read (frame_decode.h), so that neither is made from the other's text. */
#ifndef LAMPPOST_CLI_FRAME_REPORT_H
#define LAMPPOST_CLI_FRAME_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CLI_FRAME_LINES_MAX 400 /* 242 bytes of one-byte MAC commands, and what stands around them */
#define CLI_FRAME_TEXT_MAX  600
#define CLI_FRAME_NO_BYTES  (-1)

struct cli_frame_line {
	unsigned depth;
	int offset; /* of the bytes in the PHYPayload; CLI_FRAME_NO_BYTES: of none of them */
	unsigned length;
	char name[32]; /* the specification's word */
	char text[CLI_FRAME_TEXT_MAX];
};

enum cli_frame_outcome {
	CLI_FRAME_READ, /* well formed; the MIC is right or was not asked for */
	CLI_FRAME_BAD_MIC,
	CLI_FRAME_MALFORMED
};

struct cli_frame_report {
	json_t *document; /* owned */
	struct cli_frame_line *lines;
	size_t count;
	enum cli_frame_outcome outcome;
	uint8_t phy[256]; /* what `offset` counts in */
	size_t length;
};

/* Makes one; aborts without memory. `length` is at most 256. */
struct cli_frame_report *cli_frame_report_new(const uint8_t *phy, size_t length);
void cli_frame_report_free(struct cli_frame_report *report);
/* Adds a line; more than CLI_FRAME_LINES_MAX are left out. */
void cli_frame_say(struct cli_frame_report *report, unsigned depth, int offset, size_t length,
		   const char *name, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Members of the document; bytes as hex. */
void cli_frame_set(struct cli_frame_report *report, const char *name, json_t *value); /* takes `value` */
void cli_frame_set_bytes(json_t *object, const char *name, const uint8_t *bytes, size_t length);
/* Says what is wrong, as the last line and in the document: verdict (a name) and sentence. */
void cli_frame_fail(struct cli_frame_report *report, enum cli_frame_outcome outcome, const char *verdict,
		    int offset, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Fills bytes as hex, and as text behind it in quotation marks when they are some. Returns `text`. */
const char *cli_frame_bytes_text(char text[CLI_FRAME_TEXT_MAX], const uint8_t *bytes, size_t length);
/* Prints for people. */
void cli_frame_report_print(const struct cli_frame_report *report, FILE *out);

#endif
