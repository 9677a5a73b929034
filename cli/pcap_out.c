#include "cli/pcap_out.h"

#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/pcap.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NUMBER_SPAN 100000 /* five digits */

/* A file of a set, by what its name is made of. */
struct member {
	uint64_t number;
	time_t seconds;
};

struct cli_pcap {
	struct cli_pcap_options options;
	bool rotates;
	FILE *file; /* NULL: the next packet opens one */
	uint64_t bytes, packets, files;
	struct wall opened;
	struct member *kept; /* owned: options.keep of them, by number */
	int code;
	bool over;
};

static bool make_name(const struct cli_pcap *pcap, const struct member *member, char name[PATH_MAX])
{
	const char *path = pcap->options.path, *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash + 1 : path, '.');
	size_t stem = dot && dot != path && dot[-1] != '/' ? (size_t)(dot - path) : strlen(path);
	char stamp[32];
	struct tm utc;
	gmtime_r(&member->seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%d%H%M%S", &utc);
	int length = snprintf(name, PATH_MAX, "%.*s_%05" PRIu64 "_%s%s", (int)stem, path,
			      member->number % NUMBER_SPAN, stamp, path + stem);
	return length > 0 && length < PATH_MAX;
}

static bool fail(struct cli_pcap *pcap, const char *what, const char *why)
{
	pcap->over = true;
	pcap->code = cli_problem(CLI_FAILED, what,
				 strcmp(why, strerror(ENOSPC)) == 0 ? "--rotate-mb 100 --keep 10" : NULL,
				 "%s", why);
	return false;
}

static bool put(struct cli_pcap *pcap, const uint8_t *bytes, size_t length)
{
	if (fwrite(bytes, 1, length, pcap->file) == length && fflush(pcap->file) == 0) {
		pcap->bytes += length;
		return true;
	}
	if (errno == EPIPE && strcmp(pcap->options.path, "-") == 0) { /* Wireshark was closed */
		pcap->over = true;
		return false;
	}
	return fail(pcap, pcap->options.path, strerror(errno));
}

static bool put_header(struct cli_pcap *pcap)
{
	uint8_t bytes[PCAP_HEADER_SIZE];
	struct wr wr = wr_init(bytes, sizeof bytes);
	pcap_write_header(&wr, LW_LORATAP_LINK_TYPE);
	pcap->bytes = 0;
	return put(pcap, bytes, wr_length(&wr));
}

static bool begin_file(struct cli_pcap *pcap, struct wall now)
{
	char name[PATH_MAX];
	struct member member = {.number = ++pcap->files, .seconds = (time_t)(now.us / US_PER_S)};
	pcap->opened = now;
	if (!pcap->rotates) {
		pcap->file = strcmp(pcap->options.path, "-") == 0 ? stdout : fopen(pcap->options.path, "wb");
		return pcap->file ? put_header(pcap) : fail(pcap, pcap->options.path, strerror(errno));
	}
	struct member *place = pcap->kept ? &pcap->kept[member.number % pcap->options.keep] : NULL;
	if (place && place->number > 0 && make_name(pcap, place, name))
		(void)unlink(name);
	if (!make_name(pcap, &member, name))
		return fail(pcap, pcap->options.path, "the name is too long");
	if (place)
		*place = member;
	pcap->file = fopen(name, "wb");
	return pcap->file ? put_header(pcap) : fail(pcap, name, strerror(errno));
}

static bool end_file(struct cli_pcap *pcap)
{
	FILE *file = pcap->file;
	pcap->file = NULL;
	if (!file || file == stdout || fclose(file) == 0)
		return true;
	return fail(pcap, pcap->options.path, strerror(errno));
}

int cli_pcap_open(struct cli_pcap **out, const struct cli_pcap_options *options)
{
	bool rotates = options->rotate_bytes > 0 || options->rotate_us > 0;
	if (strcmp(options->path, "-") == 0 && isatty(STDOUT_FILENO))
		return cli_problem(CLI_USAGE, "--pcap -",
				   "lamppost frames --follow --pcap - | wireshark -k -i -",
				   "packets are no text for a terminal");
	if (strcmp(options->path, "-") == 0 && rotates)
		return cli_problem(CLI_USAGE, "--pcap -", "--pcap FILE", "a pipe cannot be rotated");
	if (options->keep > 0 && !rotates)
		return cli_problem(CLI_USAGE, "--keep", "--rotate-mb 100 --keep 10",
				   "nothing is rotated without --rotate-mb or --rotate-s");
	struct cli_pcap *pcap = calloc(1, sizeof *pcap);
	ASSERT(pcap);
	*pcap = (struct cli_pcap){.options = *options, .rotates = rotates, .code = CLI_DONE};
	if (options->keep > 0) {
		pcap->kept = calloc(options->keep, sizeof *pcap->kept);
		ASSERT(pcap->kept);
	}
	if (!rotates && !begin_file(pcap, (struct wall){0}) && pcap->code != CLI_DONE) {
		int code = pcap->code;
		cli_pcap_close(pcap);
		return code;
	}
	*out = pcap;
	return CLI_DONE;
}

/* Whether a packet of that length would make the file too long, or comes too late for it. */
static bool is_full(const struct cli_pcap *pcap, struct wall now, size_t length)
{
	const struct cli_pcap_options *options = &pcap->options;
	if (!pcap->file || !pcap->rotates)
		return false;
	return (options->rotate_bytes > 0 && pcap->bytes > PCAP_HEADER_SIZE &&
		pcap->bytes + length > options->rotate_bytes) ||
	       (options->rotate_us > 0 && now.us - pcap->opened.us >= options->rotate_us);
}

bool cli_pcap_write(struct cli_pcap *pcap, struct wall now, struct wall time, const struct lw_loratap *header,
		    const uint8_t *phy, size_t length)
{
	uint8_t bytes[PCAP_RECORD_SIZE + LW_LORATAP_SIZE + LW_PHY_PAYLOAD_MAX];
	struct wr wr = wr_init(bytes, sizeof bytes);
	pcap_write_record(&wr, time, (uint32_t)(LW_LORATAP_SIZE + length));
	lw_loratap_write(&wr, header);
	wr_copy(&wr, phy, length);
	ASSERT(wr_ok(&wr));
	if (pcap->over || (is_full(pcap, now, wr_length(&wr)) && !end_file(pcap)))
		return false;
	if (!pcap->file && !begin_file(pcap, now))
		return false;
	if (!put(pcap, bytes, wr_length(&wr)))
		return false;
	pcap->packets++;
	return true;
}

int cli_pcap_code(const struct cli_pcap *pcap)
{
	return pcap->code;
}

uint64_t cli_pcap_packets(const struct cli_pcap *pcap)
{
	return pcap->packets;
}

uint64_t cli_pcap_files(const struct cli_pcap *pcap)
{
	return pcap->files;
}

void cli_pcap_close(struct cli_pcap *pcap)
{
	if (!pcap)
		return;
	if (pcap->file && pcap->file != stdout)
		fclose(pcap->file);
	free(pcap->kept);
	free(pcap);
}
