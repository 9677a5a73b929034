#include "join-server/edge_keys.h"

#include "common/base/log.h"
#include "common/io/key_file.h"

#include <stdio.h>
#include <string.h>

#define PATH_ROOM (2 * OPTION_PATH_MAX)

static const char *path_of(char path[PATH_ROOM], const struct config_common *common, const char *configured,
			   const char *name)
{
	if (configured[0])
		snprintf(path, PATH_ROOM, "%s", configured);
	else
		snprintf(path, PATH_ROOM, "%s/keys/%s", common->state_dir, name);
	return path;
}

static bool add_kek(struct js_keys *keys, const char *label, const char *path)
{
	if (strlen(label) > LW_KEK_LABEL_MAX) {
		LOG_ERROR("kek_refused", "label=%s reason=\"at most %d characters\"", label,
			  LW_KEK_LABEL_MAX);
		return false;
	}
	struct lw_kek *kek = &keys->keks[keys->kek_count];
	if (!key_file_read_logged(path, kek->bytes, 16))
		return false;
	snprintf(kek->label, sizeof kek->label, "%s", label);
	kek->length = 16;
	keys->kek_count++;
	return true;
}

static const char *configured_kek(const struct js_config *config, const char *label)
{
	for (size_t i = 0; i < config->keks.count; i++)
		if (strcmp(config->keks.entries[i].label, label) == 0)
			return config->keks.entries[i].value;
	return "";
}

static bool load_keks(struct js_keys *keys, const struct config_common *common,
		      const struct js_config *config)
{
	static const struct {
		const char *label, *file;
	} ours[] = {{JS_KEK_NETWORK, "kek-network.join-server"},
		    {JS_KEK_APPLICATION, "kek-application.join-server"}};
	char path[PATH_ROOM];
	bool good = true;
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		good = add_kek(keys, ours[i].label,
			       path_of(path, common, configured_kek(config, ours[i].label), ours[i].file)) &&
		       good;
	for (size_t i = 0; i < config->keks.count; i++) {
		const char *label = config->keks.entries[i].label;
		if (strcmp(label, JS_KEK_NETWORK) != 0 && strcmp(label, JS_KEK_APPLICATION) != 0)
			good = add_kek(keys, label, config->keks.entries[i].value) && good;
	}
	return good;
}

enum status js_keys_load(struct js_keys *keys, const struct config_common *common,
			 const struct js_config *config)
{
	memset(keys, 0, sizeof *keys);
	char path[PATH_ROOM];
	uint8_t bytes[SECRET_KEY];
	bool good = load_keks(keys, common, config);
	if (key_file_read_logged(path_of(path, common, config->master_key, "join-server.master"), bytes,
				 sizeof bytes))
		keys->master = secret_master_from(bytes);
	if (key_file_read_logged(path_of(path, common, config->box_key, "join-server.box"), bytes,
				 sizeof bytes))
		keys->box = secret_box_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	if (good && keys->master && keys->box)
		return ST_OK;
	js_keys_release(keys);
	return ST_REFUSED;
}

void js_keys_release(struct js_keys *keys)
{
	secret_master_free(keys->master);
	secret_box_free(keys->box);
	secret_wipe(keys, sizeof *keys);
}
