#include "cli/capture_file.h"

#include "cli/problem.h"
#include "common/base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ROOM (2u * PCAP_BLOCK_MAX) /* one block always fits behind what is left of another */

struct capture_file {
	const char *path; /* borrowed */
	FILE *file;
	struct pcap_reader reader;
	size_t at, length; /* what is read and not yet taken */
	bool ended;
	uint8_t bytes[ROOM];
};

int capture_file_open(struct capture_file **out, const char *path)
{
	struct stat info;
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	if (file && fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
		fclose(file);
		file = NULL;
		errno = EISDIR;
	}
	if (!file)
		return cli_problem(errno == ENOENT ? CLI_NOT_FOUND : CLI_FAILED, path, NULL, "%s",
				   strerror(errno));
	struct capture_file *opened = calloc(1, sizeof *opened);
	ASSERT(opened);
	opened->path = path;
	opened->file = file;
	opened->reader = pcap_reader_init();
	*out = opened;
	return CLI_DONE;
}

void capture_file_close(struct capture_file *file)
{
	if (!file)
		return;
	if (file->file != stdin)
		fclose(file->file);
	free(file);
}

bool capture_file_rewind(struct capture_file *file)
{
	if (fseek(file->file, 0, SEEK_SET) != 0)
		return false;
	file->reader = pcap_reader_init();
	file->at = file->length = 0;
	file->ended = false;
	return true;
}

/* Moves what is left to the front and reads behind it. */
static void fill(struct capture_file *file)
{
	memmove(file->bytes, file->bytes + file->at, file->length - file->at);
	file->length -= file->at;
	file->at = 0;
	size_t more = fread(file->bytes + file->length, 1, ROOM - file->length, file->file);
	file->length += more;
	file->ended = more == 0;
}

static enum capture_next refuse(struct capture_file *file, enum pcap_verdict verdict)
{
	(void)cli_problem(CLI_FAILED, file->path,
			  verdict == PCAP_NOT_A_CAPTURE
				  ? "a file that tcpdump, Wireshark or lamppost frames --pcap wrote"
				  : NULL,
			  "byte %" PRIu64 ": %s", file->reader.offset, pcap_verdict_text(verdict));
	return CAPTURE_REFUSED;
}

enum capture_next capture_file_next(struct capture_file *file, struct pcap_packet *packet)
{
	for (;;) {
		size_t used;
		enum pcap_verdict verdict = pcap_read(&file->reader, file->bytes + file->at,
						      file->length - file->at, &used, packet);
		file->at += used;
		if (verdict == PCAP_PACKET)
			return CAPTURE_PACKET;
		if (verdict == PCAP_SKIPPED)
			continue;
		if (verdict != PCAP_MORE)
			return refuse(file, verdict);
		if (!file->ended) {
			fill(file);
			continue;
		}
		if (ferror(file->file)) {
			(void)cli_problem(CLI_FAILED, file->path, NULL, "%s", strerror(errno));
			return CAPTURE_REFUSED;
		}
		if (!file->reader.started)
			return refuse(file, PCAP_NOT_A_CAPTURE);
		return file->at == file->length ? CAPTURE_END : CAPTURE_END_CUT;
	}
}
