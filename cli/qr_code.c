/* The PNG is written by hand: one bit a pixel, stored deflate blocks, which needs no library and no compression for a square
 * of 2 KB. */
#include "cli/qr_code.h"

#include "common/base/check.h"

#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

bool qr_code_make(const char *text, struct qr_code *code)
{
	QRcode *made = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	if (!made)
		return false;
	size_t width = (size_t)made->width;
	*code = (struct qr_code){.side = width + 2 * QR_QUIET};
	ASSERT_CMP(code->side, <=, QR_SIDE_MAX);
	for (size_t y = 0; y < width; y++)
		for (size_t x = 0; x < width; x++)
			code->dark[y + QR_QUIET][x + QR_QUIET] = made->data[y * width + x] & 1;
	memset(made->data, 0, width * width);
	QRcode_free(made);
	return true;
}

void qr_code_print(const struct qr_code *code, FILE *out)
{
	static const char *const blocks[] = {" ", "\xe2\x96\x84", "\xe2\x96\x80", "\xe2\x96\x88"};
	for (size_t y = 0; y < code->side; y += 2) {
		fputs("\033[30;107m", out);
		for (size_t x = 0; x < code->side; x++) {
			bool lower = y + 1 < code->side && code->dark[y + 1][x];
			fputs(blocks[(code->dark[y][x] ? 2 : 0) + (lower ? 1 : 0)], out);
		}
		fputs("\033[0m\n", out);
	}
}

/* --- SVG ------------------------------------------------------------------------------------------------------------- */

#define PAGE_W  210 /* mm: A4 */
#define PAGE_H  297
#define MARGIN  10
#define LABEL_W 38
#define LABEL_H 49
#define CODE_MM 34

static void escaped(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '&' || *text == '>' || *text == '"')
			fprintf(out, "&#%d;", *text);
		else if ((unsigned char)*text >= 0x20)
			fputc(*text, out);
	}
}

static void draw(const struct qr_label *label, unsigned x_mm, unsigned y_mm, FILE *out)
{
	const struct qr_code *code = &label->code;
	fprintf(out, "<svg x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %zu %zu\"><path d=\"",
		x_mm, y_mm, CODE_MM, CODE_MM, code->side, code->side);
	for (size_t y = 0; y < code->side; y++)
		for (size_t x = 0; x < code->side; x++) {
			size_t run = 0;
			while (x + run < code->side && code->dark[y][x + run])
				run++;
			if (run)
				fprintf(out, "M%zu %zuh%zuv1h-%zuz", x, y, run, run);
			x += run;
		}
	fputs("\"/></svg>\n", out);
	for (unsigned i = 0; i < QR_LINES; i++) {
		if (!label->lines[i][0])
			continue;
		fprintf(out, "<text x=\"%u\" y=\"%u\">", x_mm + CODE_MM / 2, y_mm + CODE_MM + 3 + 4 * i);
		escaped(label->lines[i], out);
		fputs("</text>\n", out);
	}
}

void qr_sheet_svg(const struct qr_label *labels, size_t count, FILE *out)
{
	const unsigned columns = (PAGE_W - 2 * MARGIN) / LABEL_W, rows = (PAGE_H - 2 * MARGIN) / LABEL_H;
	size_t pages = (count + columns * rows - 1) / (columns * rows);
	pages = pages ? pages : 1;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%dmm\" height=\"%zumm\" viewBox=\"0 0 %d "
		"%zu\">\n<style>text{font:2.6px monospace;text-anchor:middle}</style>\n<rect width=\"100%%\" "
		"height=\"100%%\" fill=\"#fff\"/>\n",
		PAGE_W, pages * PAGE_H, PAGE_W, pages * PAGE_H);
	for (size_t i = 0; i < count; i++) {
		size_t page = i / (columns * rows), place = i % (columns * rows);
		draw(&labels[i], MARGIN + (unsigned)(place % columns) * LABEL_W,
		     (unsigned)(page * PAGE_H) + MARGIN + (unsigned)(place / columns) * LABEL_H, out);
	}
	fputs("</svg>\n", out);
}

/* --- PNG (RFC 2083), zlib (RFC 1950) ----------------------------------------------------------------------------------- */

static void put_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t crc32_of(uint32_t crc, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
	}
	return crc;
}

static bool put_chunk(const char *type, const uint8_t *bytes, size_t length, FILE *out)
{
	uint8_t head[8], tail[4];
	put_u32(head, (uint32_t)length);
	memcpy(head + 4, type, 4);
	uint32_t crc = crc32_of(crc32_of(UINT32_MAX, head + 4, 4), bytes, length);
	put_u32(tail, ~crc);
	return fwrite(head, 1, sizeof head, out) == sizeof head && fwrite(bytes, 1, length, out) == length &&
	       fwrite(tail, 1, sizeof tail, out) == sizeof tail;
}

static uint32_t adler32_of(const uint8_t *bytes, size_t length)
{
	uint32_t a = 1, b = 0;
	for (size_t i = 0; i < length; i++) {
		a = (a + bytes[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

/* Stored blocks of at most 65,535 bytes. Returns the length of `packed`. */
static size_t store(const uint8_t *raw, size_t length, uint8_t *packed)
{
	size_t used = 0;
	packed[used++] = 0x78;
	packed[used++] = 0x01;
	for (size_t at = 0; at < length;) {
		size_t part = length - at < 65535 ? length - at : 65535;
		packed[used++] = at + part == length;
		packed[used++] = (uint8_t)part;
		packed[used++] = (uint8_t)(part >> 8);
		packed[used++] = (uint8_t)~part;
		packed[used++] = (uint8_t)(~part >> 8);
		memcpy(packed + used, raw + at, part);
		used += part;
		at += part;
	}
	put_u32(packed + used, adler32_of(raw, length));
	return used + 4;
}

bool qr_code_png(const struct qr_code *code, unsigned scale, FILE *out)
{
	static const uint8_t one_bit_grey[] = {1, 0, 0, 0, 0}; /* depth, colour, and no interlace */
	static const uint8_t mark[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	size_t side = code->side * scale, line = 1 + (side + 7) / 8, length = line * side;
	uint8_t *raw = calloc(1, length), *packed = malloc(length + length / 65535 * 5 + 16), head[13];
	ASSERT(raw && packed);
	for (size_t y = 0; y < side; y++)
		for (size_t x = 0; x < side; x++)
			if (!code->dark[y / scale][x / scale])
				raw[y * line + 1 + x / 8] |= (uint8_t)(0x80 >> (x % 8));
	put_u32(head, (uint32_t)side);
	put_u32(head + 4, (uint32_t)side);
	memcpy(head + 8, one_bit_grey, sizeof one_bit_grey);
	bool ok = fwrite(mark, 1, sizeof mark, out) == sizeof mark &&
		  put_chunk("IHDR", head, sizeof head, out) &&
		  put_chunk("IDAT", packed, store(raw, length, packed), out) &&
		  put_chunk("IEND", head, 0, out);
	free(raw);
	free(packed);
	return ok;
}
