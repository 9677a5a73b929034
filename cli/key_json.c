/* Devices as the other servers' interfaces write them: nested in The Things Stack, flat with a part for keys in ChirpStack. */
#include "cli/key_file.h"

#include "common/base/check.h"

#include <string.h>

static const struct {
	enum key_field field;
	const char *path[4];
} paths[] = {
	{KEY_DEV_EUI, {"ids", "dev_eui"}},
	{KEY_JOIN_EUI, {"ids", "join_eui"}},
	{KEY_ID, {"ids", "device_id"}},
	{KEY_NAME, {"name"}},
	{KEY_VERSION, {"lorawan_version"}},
	{KEY_APP_KEY, {"root_keys", "app_key", "key"}},
	{KEY_NWK_KEY, {"root_keys", "nwk_key", "key"}},
	{KEY_OWNER_TOKEN, {"claim_authentication_code", "value"}},
	{KEY_SERIAL, {"serial_number"}},
	{KEY_DEV_ADDR, {"session", "dev_addr"}},
	{KEY_NWK_S_KEY, {"session", "keys", "f_nwk_s_int_key", "key"}},
	{KEY_APP_S_KEY, {"session", "keys", "app_s_key", "key"}},
	/* ChirpStack */
	{KEY_DEV_EUI, {"device", "devEui"}},
	{KEY_JOIN_EUI, {"device", "joinEui"}},
	{KEY_NAME, {"device", "name"}},
	{KEY_APP_KEY, {"deviceKeys", "appKey"}},
	{KEY_NWK_KEY, {"deviceKeys", "nwkKey"}},
	{KEY_APP_KEY, {"device_keys", "app_key"}},
	{KEY_NWK_KEY, {"device_keys", "nwk_key"}},
};

static const char *at_path(const json_t *object, const char *const path[4])
{
	for (size_t i = 0; i < 4 && path[i]; i++)
		object = json_object_get(object, path[i]);
	return json_string_value(object);
}

void key_cells_from_json(const json_t *object, struct key_cells *cells, enum key_format *format)
{
	const char *name;
	json_t *value;
	*cells = (struct key_cells){.record_count = 0};
	for (size_t i = 0; i < KEY_FIELD_COUNT; i++) /* programs wrote it, and no column can be named here */
		cells->orders[i] = KEY_FIRST_BYTE_FIRST;
	bool chirpstack = json_object_get(object, "deviceKeys") || json_object_get(object, "device_keys") ||
			  json_object_get(object, "deviceProfileId");
	if (*format == KEY_AUTO || *format == KEY_LAMPPOST)
		*format = chirpstack ? KEY_CHIRPSTACK : json_object_get(object, "ids") ? KEY_TTS : KEY_MAKER;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const char *text = at_path(object, paths[i].path);
		if (text && !cells->values[paths[i].field])
			cells->values[paths[i].field] = text;
	}
	/* Flat members go by the spellings of columns. */
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		enum key_field field = key_column(name);
		if (field != KEY_NONE && field != KEY_RECORD && json_is_string(value) &&
		    !cells->values[field])
			cells->values[field] = json_string_value(value);
	}
}
