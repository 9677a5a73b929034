/* A region's file as a sheet of lines, for tests that judge what is on the air: values are taken from the text by section,
 * row and key, and nothing of the server's reading and understanding of such a file is in between.
 *
 *	t_sheet_open(&sheet, "au915");
 *	t_sheet_value(&sheet, "rx2", "frequency_hz", &hz)                           a map
 *	t_sheet_row(&sheet, "data_rates", (const char *const[]){"index: 3", NULL})  a list's row
 *	t_sheet_cell(row, "spreading_factor", &value)
 *
 * Fractions are cut. */
#ifndef LAMPPOST_TESTS_REGION_SHEET_H
#define LAMPPOST_TESTS_REGION_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#define T_SHEET_BYTES 32768

struct t_sheet {
	char text[T_SHEET_BYTES];
};

/* Reads common/lorawan/regions/ID.yaml; aborts without it. */
void t_sheet_open(struct t_sheet *sheet, const char *id);
/* Fills a number of a section's map ("" the top level). False: not there. */
bool t_sheet_value(const struct t_sheet *sheet, const char *section, const char *key, long *value);
/* The same with two decimals: 16.15 is 1615. */
bool t_sheet_value_hundredths(const struct t_sheet *sheet, const char *section, const char *key, long *value);
/* The i-th number of a list in a map. */
bool t_sheet_value_item(const struct t_sheet *sheet, const char *section, const char *key, size_t i,
			long *value);
/* Whether a map's text is this one. */
bool t_sheet_value_is(const struct t_sheet *sheet, const char *section, const char *key, const char *text);
/* Lends the text from the n-th row of a section's list on; NULL past its end. */
const char *t_sheet_row_at(const struct t_sheet *sheet, const char *section, size_t n);
/* Lends the first row that has all these cells ("index: 3"). */
const char *t_sheet_row(const struct t_sheet *sheet, const char *section, const char *const *cells);
/* Fills a number of a row; `true` is 1. False: not there. */
bool t_sheet_cell(const char *row, const char *key, long *value);
bool t_sheet_cell_hundredths(const char *row, const char *key, long *value);
/* Fills the i-th number of a list in a row. */
bool t_sheet_item(const char *row, const char *key, size_t i, long *value);
bool t_sheet_has(const char *row, const char *cell);

#endif
