#include "gateway-bridge/edge_list.h"

#include "common/base/bytes.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = "LMPGWL1\n";

/* Reads one part into the message; *end at the orderly end of the file. */
static enum status read_part(FILE *file, struct gb_list_scratch *scratch, struct arena *arena, bool *end)
{
	uint8_t head[4];
	size_t got = fread(head, 1, sizeof head, file);
	*end = got == 0 && feof(file);
	if (*end)
		return ST_OK;
	struct rd rd = rd_init(head, got);
	uint32_t length = rd_u32le(&rd);
	if (!rd_ok(&rd) || length == 0 || length > sizeof scratch->bytes ||
	    fread(scratch->bytes, 1, length, file) != length)
		return ST_INVALID;
	enum status status = proto_unpack(&scratch->message, scratch->bytes, length, arena);
	if (status != ST_OK)
		return status;
	return scratch->message.kind == PROTO_GATEWAY_LIST ? ST_OK : ST_INVALID;
}

enum status gb_list_load(const char *path, struct gb_bridge *bridge, struct gb_list_scratch *scratch,
			 struct arena *arena)
{
	FILE *file = fopen(path, "re");
	if (file == NULL && errno == ENOENT)
		return ST_NOT_FOUND;
	if (file == NULL) {
		LOG_ERROR("gateway_list_unreadable", "path=%s reason=%s", path, strerror(errno));
		return ST_IO;
	}
	char head[sizeof magic];
	enum status status = ST_INVALID;
	enum gb_list_verdict verdict = GB_LIST_MORE;
	if (fread(head, 1, sizeof head, file) != sizeof head || memcmp(head, magic, sizeof magic) != 0)
		goto out;
	for (;;) {
		bool end;
		status = read_part(file, scratch, arena, &end);
		if (status != ST_OK || end)
			break;
		verdict = gb_bridge_restore_list(bridge, &scratch->message.gateway_list);
		if (verdict == GB_LIST_BAD) {
			status = ST_INVALID;
			break;
		}
	}
	if (status == ST_OK && verdict == GB_LIST_MORE)
		status = ST_INVALID;
out:
	fclose(file);
	return status;
}

void gb_list_restore(const char *path, struct gb_bridge *bridge, struct gb_list_scratch *scratch,
		     struct arena *arena)
{
	enum status status = gb_list_load(path, bridge, scratch, arena);
	if (status != ST_OK && status != ST_NOT_FOUND)
		LOG_ERROR("gateway_list_refused", "path=%s status=%s", path, status_name(status));
}

static bool write_parts(FILE *file, const struct gb_bridge *bridge, struct gb_list_scratch *scratch)
{
	size_t at = 0;
	scratch->message.kind = PROTO_GATEWAY_LIST;
	scratch->message.seq = 0;
	if (fwrite(magic, 1, sizeof magic, file) != sizeof magic)
		return false;
	while (gb_gateways_list_part(gb_bridge_gateways(bridge), &at, &scratch->message.gateway_list)) {
		size_t length;
		if (proto_pack(&scratch->message, scratch->bytes, sizeof scratch->bytes, &length) != ST_OK)
			return false;
		uint8_t head[4];
		struct wr wr = wr_init(head, sizeof head);
		wr_u32le(&wr, (uint32_t)length);
		if (fwrite(head, 1, sizeof head, file) != sizeof head ||
		    fwrite(scratch->bytes, 1, length, file) != length)
			return false;
	}
	return true;
}

static bool sync_folder(const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

enum status gb_list_save(const char *path, const struct gb_bridge *bridge, struct gb_list_scratch *scratch)
{
	char fresh[PATH_MAX];
	snprintf(fresh, sizeof fresh, "%s.new", path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool done = file != NULL && write_parts(file, bridge, scratch) && fflush(file) == 0 && fsync(fd) == 0;
	if (file)
		done = fclose(file) == 0 && done;
	else if (fd >= 0)
		close(fd);
	if (done && rename(fresh, path) == 0 && sync_folder(path))
		return ST_OK;
	LOG_ERROR("gateway_list_unsaved", "path=%s reason=%s", path, strerror(errno));
	return ST_IO;
}
