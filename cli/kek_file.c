#include "cli/kek_file.h"

#include "cli/problem.h"
#include "common/base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_ROOM 128

static const char head[] = "# Keys that only you hold: whoever has this file can read your devices' "
			   "payloads, and without it nobody can.\n"
			   "# Keep a copy in a safe place.\n";

/* --- reading -------------------------------------------------------------------------------------------------- */

static bool read_line(struct cli_keks *keks, char *line)
{
	char *blank = strchr(line, ' ');
	struct cli_kek *kek = &keks->keks[keks->count];
	if (!blank || keks->count == CLI_KEKS_MAX || (size_t)(blank - line) >= sizeof kek->name)
		return false;
	*blank = '\0';
	if (!*line || !hex_decode_exact(kek->key, sizeof kek->key, blank + 1))
		return false;
	memcpy(kek->name, line, strlen(line) + 1);
	keks->count++;
	return true;
}

int cli_keks_read(const char *path, struct cli_keks *keks)
{
	struct stat info;
	char line[LINE_ROOM];
	int code = CLI_DONE;
	unsigned at = 0;
	keks->count = 0;
	FILE *in = fopen(path, "re");
	if (!in)
		return cli_problem(errno == ENOENT ? CLI_NOT_FOUND : CLI_FAILED, path,
				   "lamppost agency kek new AGENCY --file FILE", "cannot be read: %s",
				   strerror(errno));
	if (fstat(fileno(in), &info) != 0 || (info.st_mode & 077) != 0)
		code = cli_problem(CLI_REFUSED, path, "chmod 600", "others than you may read it");
	while (code == CLI_DONE && fgets(line, sizeof line, in)) {
		at++;
		bool whole = strchr(line, '\n') != NULL || feof(in);
		line[strcspn(line, "\r\n")] = '\0';
		if (!whole && line[0] == '#') { /* a long word for people goes on */
			for (int c = 0; c != EOF && c != '\n';)
				c = fgetc(in);
		} else if (line[0] != '#' && line[0] != '\0' && (!whole || !read_line(keks, line)))
			code = cli_problem(CLI_FAILED, path, NULL,
					   "line %u is no KEK: expected a name, a blank and 32 hex digits",
					   at);
	}
	secret_wipe(line, sizeof line);
	(void)fclose(in);
	if (code == CLI_DONE && keks->count == 0)
		code = cli_problem(CLI_FAILED, path, NULL, "holds no KEK");
	if (code != CLI_DONE)
		cli_keks_release(keks);
	return code;
}

void cli_keks_release(struct cli_keks *keks)
{
	secret_wipe(keks, sizeof *keks);
}

const uint8_t *cli_keks_find(const struct cli_keks *keks, const char *name)
{
	for (size_t i = 0; i < keks->count; i++)
		if (strcmp(keks->keks[i].name, name) == 0)
			return keks->keks[i].key;
	return NULL;
}

/* --- writing -------------------------------------------------------------------------------------------------- */

static bool put_line(int fd, const char *name, const uint8_t key[16])
{
	char line[LINE_ROOM], hex[33];
	hex_encode(hex, key, 16);
	int length = snprintf(line, sizeof line, "%s %s\n", name, hex);
	bool done = write(fd, line, (size_t)length) == length;
	secret_wipe(line, sizeof line);
	secret_wipe(hex, sizeof hex);
	return done;
}

/* Makes a file with those in `keks` (NULL: none) and one more. */
static int make(const char *path, const struct cli_keks *keks, const char *name, const uint8_t key[16])
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return cli_problem(errno == EEXIST ? CLI_REFUSED : CLI_FAILED, path, "another --file",
				   errno == EEXIST ? "is there already, and is not written over"
						   : "cannot be written: %s",
				   strerror(errno));
	bool done = write(fd, head, sizeof head - 1) == sizeof head - 1;
	for (size_t i = 0; done && keks && i < keks->count; i++)
		done = put_line(fd, keks->keks[i].name, keks->keks[i].key);
	done = done && put_line(fd, name, key) && fsync(fd) == 0;
	int error = errno;
	if (close(fd) == 0 && done)
		return CLI_DONE;
	(void)unlink(path);
	return cli_problem(CLI_FAILED, path, NULL, "cannot be written: %s", strerror(error));
}

int cli_keks_write_new(const char *path, const char *name, const uint8_t key[16])
{
	return make(path, NULL, name, key);
}

int cli_keks_add(const char *path, const struct cli_keks *keks, const char *name, const uint8_t key[16])
{
	char beside[4096];
	int length = snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
	if (length < 0 || (size_t)length >= sizeof beside)
		return cli_problem(CLI_USAGE, path, NULL, "too long");
	if (keks->count == CLI_KEKS_MAX)
		return cli_problem(CLI_REFUSED, path, "another --file", "holds as many KEKs as it can");
	int code = make(beside, keks, name, key);
	if (code == CLI_DONE && rename(beside, path) != 0) {
		(void)unlink(beside);
		code = cli_problem(CLI_FAILED, path, NULL, "cannot be written: %s", strerror(errno));
	}
	return code;
}
