/* A file of devices with their keys, whoever wrote it, becomes the rows of one import, or of the shelf: decoded (key_text.h),
 * its columns told (key_columns.h), every cell cleaned and judged (key_values.h), keys sealed (seal.h). Every line that is
 * wrong is named, and one is enough to refuse all. What was understood is told, so that a dry run shows it. */
#ifndef LAMPPOST_CLI_KEY_FILE_H
#define LAMPPOST_CLI_KEY_FILE_H

#include "cli/import_rows.h"
#include "cli/key_columns.h"
#include "cli/key_text.h"
#include "cli/seal.h"

#include <stdio.h>

#define KEY_COLUMNS_MAX 64

struct key_request {
	const char *file; /* names it in complaints; all borrowed */
	enum key_format format;
	const char *map; /* "dev_eui=COLUMN,app_key=COLUMN"; NULL */
	/* What every row is given that says nothing of its own; NULL: nothing. */
	const char *application, *profile, *deployment, *join_eui;
	bool shelf; /* rows of POST /api/v1/stock: with owner token, without a name */
};

struct key_summary {
	enum key_format format;
	enum key_encoding encoding;
	char separator; /* '\0': JSON */
	size_t column_count;
	struct {
		char title[48];
		char field[32]; /* "": passed over */
		bool turned;    /* its values stand with their last byte first */
	} columns[KEY_COLUMNS_MAX];
};

/* CLI_DONE with `*rows`, the caller's: objects with their `line`, keys sealed; else an exit code, reported. */
int key_rows_read(const struct key_request *request, const char *bytes, size_t length,
		  const struct cli_seal *seal, json_t **rows, struct key_summary *summary);
/* Prints what was understood, one column a line. */
void key_summary_print(const struct key_summary *summary, FILE *out);

/* The owner token's hash, as it travels (docs/contract.md): 64 hex digits and NUL. */
void key_token_digest(const struct lw_eui64 *dev_eui, const char *token, char digest[65]);

/* --- between key_file.c and key_json.c */
struct key_cells {
	const char *values[KEY_FIELD_COUNT]; /* borrowed; NULL: none */
	/* KEY_ORDER_NOT_SAID: an EUI that looks turned is complained of. */
	enum key_order orders[KEY_FIELD_COUNT];
	const struct record_field *record_fields[KEY_COLUMNS_MAX];
	const char *record_values[KEY_COLUMNS_MAX];
	size_t record_count;
};
/* Fills from an object of The Things Stack or ChirpStack; the texts live as long as the object. */
void key_cells_from_json(const json_t *object, struct key_cells *cells, enum key_format *format);

#endif
