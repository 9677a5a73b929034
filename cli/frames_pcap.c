#include "cli/frames_pcap.h"

#include "cli/pcap_out.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/io/clock.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct writing {
	struct cli_pcap *pcap;
	bool copies;
	uint64_t foreign, lost;
	unsigned long left; /* frames still wanted; 0: no limit */
};

static struct lw_modulation modulation_of(const struct cli_frame *frame)
{
	if (frame->spreading_factor > 0)
		return (struct lw_modulation){.kind = LW_LORA,
					      .spreading_factor = frame->spreading_factor,
					      .bandwidth_hz = frame->bandwidth_hz};
	if (frame->bit_rate_bps > 0)
		return (struct lw_modulation){.kind = LW_FSK, .bit_rate_bps = frame->bit_rate_bps};
	return (struct lw_modulation){.kind = LW_LR_FHSS, .bandwidth_hz = frame->bandwidth_hz};
}

static bool write_packet(struct writing *writing, const struct cli_frame *frame,
			 const struct cli_reception *reception)
{
	static const struct cli_reception none;
	const struct cli_reception *heard = reception ? reception : &none;
	struct lw_modulation modulation = modulation_of(frame);
	struct lw_loratap header = lw_loratap_make(frame->freq_hz, &modulation, heard->has_rssi,
						   heard->rssi_dbm, heard->has_snr,
						   (int)lround(heard->snr_db * 100));
	struct wall time = writing->copies && heard->has_time ? heard->time : frame->time;
	return cli_pcap_write(writing->pcap, clock_now().wall, time, &header, frame->phy, frame->phy_length);
}

/* Whether one more frame is wanted. */
static bool goes_on(struct writing *writing, bool written)
{
	return written && (writing->left == 0 || --writing->left > 0);
}

static bool on_frame(void *ctx, const struct cli_frame *frame)
{
	struct writing *writing = ctx;
	const char *standing = json_string_value(json_object_get(frame->json, "standing"));
	if (standing && strcmp(standing, "foreign") == 0) {
		writing->foreign++;
		return true;
	}
	if (frame->down) {
		bool on_air = frame->answered && !(standing && strcmp(standing, "problem") == 0);
		return !on_air || goes_on(writing, write_packet(writing, frame, NULL));
	}
	if (!writing->copies || frame->reception_count == 0)
		return goes_on(writing, write_packet(writing, frame,
						     frame->reception_count ? &frame->receptions[0] : NULL));
	for (size_t i = 0; i < frame->reception_count; i++)
		if (!write_packet(writing, frame, &frame->receptions[i]))
			return false;
	return goes_on(writing, true);
}

static void on_lost(void *ctx, uint64_t count)
{
	struct writing *writing = ctx;
	writing->lost += count;
}

bool cli_frames_pcap_wanted(const struct cli_arguments *arguments, int *code)
{
	static const char *const others[] = {"copies", "rotate-mb", "rotate-s", "keep"};
	*code = CLI_DONE;
	if (cli_argument(arguments, "pcap"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!cli_argument(arguments, others[i]))
			continue;
		char name[16];
		snprintf(name, sizeof name, "--%s", others[i]);
		*code = cli_problem(CLI_USAGE, name, "lamppost frames --help", "is for --pcap FILE");
		return false;
	}
	return false;
}

static bool read_number(const struct cli_arguments *arguments, const char *name, unsigned long most,
			unsigned long *number)
{
	char option[16];
	const char *text = cli_argument(arguments, name);
	*number = 0;
	if (!text)
		return true;
	snprintf(option, sizeof option, "--%s", name);
	if (!cli_parse_count(option, text, number))
		return false;
	if (*number <= most)
		return true;
	(void)cli_problem(CLI_USAGE, option, NULL, "%s: at most %lu", text, most);
	return false;
}

static void tell(const struct writing *writing, const char *path)
{
	uint64_t packets = cli_pcap_packets(writing->pcap), files = cli_pcap_files(writing->pcap);
	fprintf(stderr, "lamppost: %s: %" PRIu64 " packet%s", path, packets, packets == 1 ? "" : "s");
	if (files > 1)
		fprintf(stderr, " in %" PRIu64 " files", files);
	if (writing->lost > 0)
		fprintf(stderr, ", %" PRIu64 " missed", writing->lost);
	if (writing->foreign > 0)
		fprintf(stderr, ", %" PRIu64 " of other networks left out", writing->foreign);
	fprintf(stderr, "\n");
}

int cli_frames_pcap(const struct cli_arguments *arguments, const struct cli_frame_filters *filters)
{
	unsigned long mb, s, keep;
	const char *path = cli_argument(arguments, "pcap");
	if (arguments->json)
		return cli_problem(CLI_USAGE, "--json", "one of the two", "--pcap writes packets, no lines");
	if (!read_number(arguments, "rotate-mb", 1000000, &mb) ||
	    !read_number(arguments, "rotate-s", 31622400, &s) ||
	    !read_number(arguments, "keep", CLI_PCAP_KEEP_MAX, &keep))
		return CLI_USAGE;
	const struct cli_pcap_options options = {.path = path,
						 .rotate_bytes = mb * UINT64_C(1000000),
						 .rotate_us = (span_us)s * US_PER_S,
						 .keep = (unsigned)keep};
	struct writing writing = {.copies = cli_argument(arguments, "copies") != NULL};
	const char *count = cli_argument(arguments, "count");
	if (count && !cli_parse_count("--count", count, &writing.left))
		return CLI_USAGE;
	int code = cli_pcap_open(&writing.pcap, &options);
	if (code != CLI_DONE)
		return code;
	const struct cli_frame_hooks hooks = {.on_frame = on_frame, .on_lost = on_lost, .ctx = &writing};
	code = cli_frames_follow(arguments, filters, &hooks);
	if (code == CLI_DONE)
		code = cli_pcap_code(writing.pcap);
	tell(&writing, path);
	cli_pcap_close(writing.pcap);
	return code;
}
