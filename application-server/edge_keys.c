#include "application-server/edge_keys.h"

#include "common/base/log.h"
#include "common/io/key_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PATH_ROOM 512

static bool read_key(const char *state_dir, const char *name, uint8_t *bytes, size_t size)
{
	char path[PATH_ROOM];
	snprintf(path, sizeof path, "%s/keys/%s", state_dir, name);
	return key_file_read_logged(path, bytes, size);
}

/* Public halves of the processes that clients seal keys to. One that is missing is empty: nobody can seal to it then. */
static void read_public_keys(struct as_keys *keys, const char *state_dir)
{
	static const char *const processes[] = {"join-server", "network-server", "application-server"};
	for (size_t i = 0; i < 3; i++) {
		char path[PATH_ROOM], text[2 * SECRET_KEY + 2] = "";
		snprintf(path, sizeof path, "%s/keys/%s.box.pub", state_dir, processes[i]);
		FILE *in = fopen(path, "re");
		if (in && fgets(text, sizeof text, in) &&
		    strspn(text, "0123456789abcdef") == 2 * SECRET_KEY) {
			text[2 * SECRET_KEY] = '\0';
			snprintf(keys->public_keys[i], sizeof keys->public_keys[i], "%s", text);
		} else
			LOG_WARN("public_key", "missing=%s", path);
		if (in)
			fclose(in);
	}
}

enum status as_keys_load(struct as_keys *keys, const char *state_dir)
{
	uint8_t bytes[SECRET_KEY];
	*keys = (struct as_keys){0};
	if (read_key(state_dir, "application-server.master", bytes, sizeof bytes))
		keys->master = secret_master_from(bytes);
	if (read_key(state_dir, "application-server.box", bytes, sizeof bytes))
		keys->box = secret_box_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	keys->has_kek = read_key(state_dir, "kek-application.application-server", keys->kek,
				 sizeof keys->kek);
	keys->aes = aes_new();
	read_public_keys(keys, state_dir);
	if (keys->master && keys->box && keys->has_kek && keys->aes)
		return ST_OK;
	as_keys_release(keys);
	return ST_REFUSED;
}

bool as_read_secret_line(const char *path, char *text, size_t capacity)
{
	text[0] = '\0';
	if (!*path)
		return true;
	FILE *in = fopen(path, "re");
	bool read = in && fgets(text, (int)capacity, in);
	if (!read)
		LOG_ERROR("file_refused", "file=%s reason=\"%s\"", path, in ? "empty" : strerror(errno));
	text[strcspn(text, "\r\n")] = '\0';
	if (in)
		fclose(in);
	return read;
}
