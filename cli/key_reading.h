/* What the two halves of reading a key file share: key_read.c finds the cells of a device, key_device.c judges them. */
#ifndef LAMPPOST_CLI_KEY_READING_H
#define LAMPPOST_CLI_KEY_READING_H

#include "cli/csv.h"
#include "cli/key_file.h"

struct key_reading {
	const struct key_request *request;
	struct cli_complaints complaints;
	const struct cli_seal *seal;
	struct key_summary *summary;
	enum key_format format;
	enum key_field columns[CSV_CELLS_MAX];
	enum key_order orders[CSV_CELLS_MAX];
	const struct record_field *record_fields[CSV_CELLS_MAX]; /* of KEY_RECORD */
	size_t column_count;
	json_t *rows;
};

/* Makes the row of a device, or complains. */
void key_take_device(struct key_reading *reading, unsigned line, const struct key_cells *cells);

#endif
