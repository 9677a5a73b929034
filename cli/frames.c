#include "cli/frames.h"

#include "cli/client.h"
#include "cli/frame_row.h"
#include "cli/frames_live.h"
#include "cli/frames_pcap.h"
#include "cli/problem.h"
#include "cli/terminal.h"
#include "cli/text_width.h"
#include "common/base/check.h"
#include "common/text/frame_verdict.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct cli_option options[] = {
	{"follow", NULL, "go on until Ctrl-C (there is nothing else: what passed before is not kept)"},
	{"gateway", "GATEWAY", "only what this gateway heard or sends"},
	{"device", "EUI", "only of this device"},
	{"dev-addr", "ADDRESS", "only of this address, or of a prefix: 26000000/7"},
	{"verdict", "NAMES", "only with these verdicts, commas between; problems: all that went wrong"},
	{"direction", "up|down|both", "uplinks, downlinks, or both, the default"},
	{"foreign", NULL, "other networks' frames too; for the city's engineers"},
	{"plain", NULL, "lines on a terminal as well, not the screen (--json and --count do that too)"},
	{"count", "N", "end after N frames"},
	CLI_FRAMES_PCAP_OPTIONS,
};

struct lines {
	bool json;
	unsigned long left; /* frames still wanted; 0: no limit */
};

/* Widths of a line's columns; the text is last, as long as it is. */
static const unsigned widths[CELL_COUNT] = {
	[CELL_TIME] = 12,    [CELL_DIRECTION] = 4, [CELL_TYPE] = 6, [CELL_VERDICT] = 18, [CELL_DEVICE] = 20,
	[CELL_ADDRESS] = 8,  [CELL_FCNT] = 6,      [CELL_PORT] = 3, [CELL_RATE] = 8,     [CELL_FREQUENCY] = 8,
	[CELL_GATEWAY] = 19, [CELL_RSSI] = 4,      [CELL_SNR] = 5,  [CELL_LENGTH] = 3,
};

/* One frame, one line; a cell that is wider pushes the others. Empty ones show as "-", so that columns can be counted. */
static void print_line(const struct cli_frame *frame)
{
	struct frame_row row;
	frame_row_fill(&row, frame, false);
	printf("%s", row.date);
	for (int cell = 0; cell < CELL_TEXT; cell++) {
		const char *text = row.cells[cell][0] ? row.cells[cell] : "-";
		size_t wide = text_width(text);
		bool coloured = cell == CELL_VERDICT;
		printf("%s", cell == CELL_TIME ? "T" : "  ");
		colour_print(stdout, coloured ? row.colour : COLOUR_NONE, text);
		printf("%*s", (int)(wide < widths[cell] ? widths[cell] - wide : 0), "");
	}
	printf("%s%s\n", row.text[0] ? "  " : "", row.text);
	frame_row_release(&row);
}

static bool on_frame(void *ctx, const struct cli_frame *frame)
{
	struct lines *lines = ctx;
	if (lines->json) {
		json_dumpf(frame->json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
		putchar('\n');
	} else {
		print_line(frame);
	}
	fflush(stdout);
	if (ferror(stdout))
		return false; /* whoever read it has gone */
	return lines->left == 0 || --lines->left > 0;
}

static void on_lost(void *ctx, uint64_t count)
{
	const struct lines *lines = ctx;
	if (lines->json)
		printf("{\"lost\":%" PRIu64 "}\n", count);
	else
		fprintf(stderr, "lamppost: %" PRIu64 " frames not shown\n", count);
	fflush(stdout);
}

/* The network server is asked for its rules; while it does not answer, any name will do. */
static int check_verdicts(const struct cli_arguments *arguments, const char *names)
{
	struct cli_client *client = cli_client_new(arguments);
	json_t *answer = cli_try(client, "/api/v1/why/rules");
	size_t length;
	const char *unknown = frame_verdict_unknown(json_object_get(answer, "rules"), names, &length);
	int code = unknown ? cli_problem(CLI_USAGE, "--verdict", "lamppost why --rules",
					 "%.*s: no such verdict", (int)length, unknown)
			   : CLI_DONE;
	json_decref(answer);
	cli_client_free(client);
	return code;
}

static int run_frames(const struct cli_arguments *arguments)
{
	const struct cli_frame_filters filters = {.gateway = cli_argument(arguments, "gateway"),
						  .device = cli_argument(arguments, "device"),
						  .dev_addr = cli_argument(arguments, "dev-addr"),
						  .verdict = cli_argument(arguments, "verdict"),
						  .direction = cli_argument(arguments, "direction"),
						  .foreign = cli_argument(arguments, "foreign") != NULL};
	struct lines lines = {.json = arguments->json};
	int code = filters.verdict ? check_verdicts(arguments, filters.verdict) : CLI_DONE;
	if (code != CLI_DONE)
		return code;
	if (cli_frames_pcap_wanted(arguments, &code))
		return cli_frames_pcap(arguments, &filters);
	const char *count = cli_argument(arguments, "count");
	if (code != CLI_DONE || (count && !cli_parse_count("--count", count, &lines.left)))
		return CLI_USAGE;
	bool lined = arguments->json || count || cli_argument(arguments, "plain");
	if (!lined && terminal_is_usable())
		return cli_frames_live(arguments, &filters);
	const struct cli_frame_hooks hooks = {.on_frame = on_frame, .on_lost = on_lost, .ctx = &lines};
	return cli_frames_follow(arguments, &filters, &hooks);
}

const struct cli_command cli_frames_commands[] = {
	{.group = "frames",
	 .summary = "live radio frames with their verdicts: lines, a screen, packets for Wireshark",
	 .description = "Each frame is shown once, when it is known what became of it: an uplink with all "
			"gateways that "
			"heard it, a join-request with the join server's word, a downlink when it is handed "
			"over and "
			"again at its gateway's word. Engineers see every frame of the network, with "
			"--foreign other "
			"networks' too; an agency sees those of its own devices. Payloads stay ciphered.\n\n"
			"Nothing is kept: what passes while nobody follows is gone, and a reader that does "
			"not keep up is "
			"told how many frames it missed. `lamppost why` tells of frames that have passed.",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost frames --follow\n"
		     "lamppost frames --follow --device 70b3d57ed0000001 --json\n"
		     "lamppost frames --follow --verdict problems --plain\n"
		     "lamppost frames --follow --pcap - | wireshark -k -i -\n",
	 .run = run_frames},
};
const size_t cli_frames_command_count = ARRAY_SIZE(cli_frames_commands);
