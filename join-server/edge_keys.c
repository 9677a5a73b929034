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

static bool add_kek(struct js_keys *keys, const char *label, const char *path, char problem[CONFIG_ERROR_MAX])
{
	if (strlen(label) > LW_KEK_LABEL_MAX || keys->kek_count == JS_KEKS_MAX) {
		snprintf(problem, CONFIG_ERROR_MAX,
			 "join-server.keks.%s: expected a label of at most %d characters", label,
			 LW_KEK_LABEL_MAX);
		return false;
	}
	struct lw_kek *kek = &keys->keks[keys->kek_count];
	enum key_file_verdict verdict = key_file_read(path, kek->bytes, 16);
	if (verdict != KEY_FILE_OK) {
		snprintf(problem, CONFIG_ERROR_MAX, "join-server.keks.%s: %s: %s. Try: %s", label, path,
			 key_file_verdict_name(verdict), key_file_verdict_advice(verdict));
		return false;
	}
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

bool js_kek_files_load(struct js_keys *keys, const struct config_common *common,
		       const struct js_config *config, char problem[CONFIG_ERROR_MAX])
{
	static const struct {
		const char *label, *file;
	} ours[] = {{JS_KEK_NETWORK, "kek-network.join-server"},
		    {JS_KEK_APPLICATION, "kek-application.join-server"}};
	char path[PATH_ROOM];
	bool good = true;
	keys->kek_count = 0;
	for (size_t i = 0; i < sizeof ours / sizeof ours[0] && good; i++)
		good = add_kek(keys, ours[i].label,
			       path_of(path, common, configured_kek(config, ours[i].label), ours[i].file),
			       problem);
	for (size_t i = 0; i < config->keks.count && good; i++) {
		const char *label = config->keks.entries[i].label;
		if (strcmp(label, JS_KEK_NETWORK) != 0 && strcmp(label, JS_KEK_APPLICATION) != 0)
			good = add_kek(keys, label, config->keks.entries[i].value, problem);
	}
	return good;
}

/* The box key may stand in the vault alone (edge_vault.c): a file that is missing is no mistake yet. */
static bool read_box(struct js_keys *keys, const char *path)
{
	uint8_t bytes[SECRET_KEY];
	if (!key_file_exists(path))
		return true;
	if (!key_file_read_logged(path, bytes, sizeof bytes))
		return false;
	keys->box = secret_box_from(bytes);
	secret_wipe(bytes, sizeof bytes);
	return keys->box != NULL;
}

enum status js_keys_load(struct js_keys *keys, const struct config_common *common,
			 const struct js_config *config)
{
	memset(keys, 0, sizeof *keys);
	char path[PATH_ROOM];
	char problem[CONFIG_ERROR_MAX];
	bool good = js_kek_files_load(keys, common, config, problem);
	if (!good)
		LOG_ERROR("kek_refused", "reason=\"%s\"", problem);
	if (read_box(keys, path_of(path, common, config->box_key, "join-server.box")) && good)
		return ST_OK;
	js_keys_release(keys);
	return ST_REFUSED;
}

void js_keys_release(struct js_keys *keys)
{
	secret_box_free(keys->box);
	secret_wipe(keys, sizeof *keys);
}
