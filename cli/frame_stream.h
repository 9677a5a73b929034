/* Live frames of the network (GET /api/v1/frames), for whatever shows or writes them: the screen, lines, captures. The stream
 * is live only. When the server goes away after it has once answered, the connection is made again, with a pause that doubles
 * up to 5 s, and that is said.
 *
 * A frame comes as the server's JSON (docs/frames.md) and, read from it, as struct cli_frame. Texts in either are foreign:
 * none reaches a terminal but through printable_*. */
#ifndef LAMPPOST_CLI_FRAME_STREAM_H
#define LAMPPOST_CLI_FRAME_STREAM_H

#include "cli/arguments.h"
#include "common/base/units.h"
#include "common/io/loop.h"
#include "common/lorawan/types.h"

#include <jansson.h>

#define CLI_FRAME_RECEPTIONS 16

/* Query parameters as a person wrote them; NULL: not given. The server judges them. */
struct cli_frame_filters {
	const char *gateway, *device, *dev_addr, *verdict, *direction;
	bool foreign; /* other networks' frames too; for the city's engineers */
};

/* One gateway's reception. */
struct cli_reception {
	char gateway[LW_EUI64_TEXT];
	bool has_rssi, has_snr;
	int rssi_dbm;
	double snr_db;
	unsigned channel, rf_chain, board, antenna;
	bool has_time;
	struct wall time; /* at the bridge */
};

struct cli_frame {
	const json_t *json; /* borrowed during the call: everything that the server said */
	uint64_t number;
	bool down;
	struct wall time;
	uint8_t phy[LW_PHY_PAYLOAD_MAX]; /* as on the air */
	uint8_t phy_length;              /* never 0 */
	uint32_t freq_hz;
	/* Of LoRa: both are 0 for others. */
	uint8_t spreading_factor;
	uint32_t bandwidth_hz;
	char code_rate[16];    /* "CR_4_5"; "" unknown */
	uint32_t bit_rate_bps; /* of FSK, else 0 */
	/* Downlinks: */
	char tx_gateway[LW_EUI64_TEXT];
	bool answered; /* the gateway's word; false: the hand-over to the bridge of the same attempt */
	int power_dbm;
	size_t reception_count; /* uplinks: the best first */
	struct cli_reception receptions[CLI_FRAME_RECEPTIONS];
};

/* Reads a frame; false: not of the form that the server gives. `frame->json` borrows `json`. */
bool cli_frame_read(struct cli_frame *frame, const json_t *json);

struct cli_frame_hooks {
	/* Each frame, lent; false ends the stream. */
	bool (*on_frame)(void *ctx, const struct cli_frame *frame);
	/* So many frames passed that were not shown, because the reader or the server did not keep up. May be NULL. */
	void (*on_lost)(void *ctx, uint64_t count);
	/* Frames come (`why` NULL), or cannot come now: what is away is waited for. May be NULL. */
	void (*on_link)(void *ctx, const char *why);
	void *ctx;
};

struct cli_frame_stream; /* opaque */

/* Opens on a loop of the caller's; nothing is connected before the loop runs. The arguments give the socket, as in client.h.
 * `hooks` is copied; texts of `filters` are copied. */
struct cli_frame_stream *cli_frame_stream_new(struct io_loop *loop, const struct cli_arguments *arguments,
					      const struct cli_frame_filters *filters,
					      const struct cli_frame_hooks *hooks);
void cli_frame_stream_free(struct cli_frame_stream *stream); /* NULL is allowed */
/* Connects anew with other filters, also after a refusal. False: they are too long; the ones before stay. */
bool cli_frame_stream_filter(struct cli_frame_stream *stream, const struct cli_frame_filters *filters);
/* Whether it is over: on_frame said so, or the server refused, or nobody answered the first time. */
bool cli_frame_stream_ended(const struct cli_frame_stream *stream);
/* Lends why the server refused, NULL when it did not. */
const char *cli_frame_stream_refusal(const struct cli_frame_stream *stream);
/* Why it is over: CLI_DONE when on_frame ended it, else the code to exit with, after reporting it on standard error. */
int cli_frame_stream_report(const struct cli_frame_stream *stream);

/* All of it in one call: follows until on_frame says so, an error, or SIGINT or SIGTERM (CLI_INTERRUPTED).
 * Says on standard error when the connection is lost, unless `hooks` has on_link. Returns an enum cli_exit. */
int cli_frames_follow(const struct cli_arguments *arguments, const struct cli_frame_filters *filters,
		      const struct cli_frame_hooks *hooks);

#endif
