/* A text as a QR code, by libqrencode (the only includer): dark and light modules of a square with its quiet zone, drawn for a
 * terminal in half blocks, as SVG, or as a PNG of one bit a pixel. A sheet has many on one page, each with lines beneath. */
#ifndef LAMPPOST_CLI_QR_CODE_H
#define LAMPPOST_CLI_QR_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define QR_QUIET     4 /* modules of light around (ISO/IEC 18004 §6.3.8) */
#define QR_SIDE_MAX  (177 + 2 * QR_QUIET)
#define QR_LINES     3
#define QR_LINE_TEXT 48

struct qr_code {
	size_t side; /* modules, with the quiet zone */
	uint8_t dark[QR_SIDE_MAX][QR_SIDE_MAX];
};

struct qr_label {
	struct qr_code code;
	char lines[QR_LINES][QR_LINE_TEXT]; /* beneath it; "": none */
};

/* False: the text does not fit into a code. Error correction M: a label gets scratched. */
bool qr_code_make(const char *text, struct qr_code *code);
/* Two rows of modules a line, dark on light whatever the terminal's colours are. */
void qr_code_print(const struct qr_code *code, FILE *out);
/* An A4 page of labels, `columns` beside each other, 24 modules' lines of text; pages go on beneath. */
void qr_sheet_svg(const struct qr_label *labels, size_t count, FILE *out);
/* One code, `scale` pixels a module. False: it cannot be written. */
bool qr_code_png(const struct qr_code *code, unsigned scale, FILE *out);

#endif
