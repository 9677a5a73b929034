/* One live frame as texts for a line: cells of lines and of the screen, made once when it comes. Every foreign text in it has
 * been made printable, so a row can be shown anywhere. */
#ifndef LAMPPOST_CLI_FRAME_ROW_H
#define LAMPPOST_CLI_FRAME_ROW_H

#include "cli/colour.h"
#include "cli/frame_stream.h"

enum frame_cell {
	CELL_TIME,      /* 18:00:03.123, UTC */
	CELL_DIRECTION, /* "up", "down" */
	CELL_TYPE,      /* "data", "conf", "join", "accept", ... */
	CELL_VERDICT,
	CELL_DEVICE, /* its name, else its EUI, else "-" */
	CELL_ADDRESS,
	CELL_FCNT,
	CELL_PORT,
	CELL_RATE, /* "SF7/125", "FSK" */
	CELL_FREQUENCY,
	CELL_GATEWAY, /* the best, and how many more: "aa00000000000001 +2"; of a downlink the one that sends */
	CELL_RSSI,    /* of a downlink the power */
	CELL_SNR,     /* of a downlink the window */
	CELL_LENGTH,
	CELL_TEXT, /* of a problem its sentence; else what is new in it */
	CELL_COUNT
};
#define FRAME_CELL_MAX 640

struct frame_row {
	uint64_t number;
	char date[11]; /* 2026-11-21 */
	char dev_eui[17];
	bool problem;
	enum colour colour; /* of its verdict */
	char verdict[32];
	char cells[CELL_COUNT][64];
	char text[FRAME_CELL_MAX]; /* CELL_TEXT whole */
	json_t *json;              /* owned; NULL where only the line is wanted */
};

/* Fills a row; `keep`: with the JSON, for the details. */
void frame_row_fill(struct frame_row *row, const struct cli_frame *frame, bool keep);
void frame_row_release(struct frame_row *row);
/* Lends the whole text of a cell. */
const char *frame_row_cell(const struct frame_row *row, enum frame_cell cell);

#endif
