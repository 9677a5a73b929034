/* Identifiers and keys of a scenario's devices from a JSON file of their own. */
#include "simulator/scenario.h"

#include "common/text/json.h"

#include <stdio.h>
#include <string.h>

static void optional_hex(const struct jr *object, const char *key, uint8_t *bytes, size_t length)
{
	struct jr place_of = jr_optional(object, key);
	if (jr_is_there(&place_of))
		jr_hex(&place_of, bytes, length);
}

static void set_device(struct sim_device_config *device, const struct jr *object)
{
	struct lw_session_keys *keys = &device->session_keys;
	uint8_t dev_addr[4] = {(uint8_t)(device->dev_addr.value >> 24),
			       (uint8_t)(device->dev_addr.value >> 16),
			       (uint8_t)(device->dev_addr.value >> 8), (uint8_t)device->dev_addr.value};
	optional_hex(object, "dev_eui", device->dev_eui.bytes, 8);
	optional_hex(object, "join_eui", device->join_eui.bytes, 8);
	optional_hex(object, "app_key", device->app_key.bytes, 16);
	optional_hex(object, "nwk_key", device->nwk_key.bytes, 16);
	optional_hex(object, "dev_addr", dev_addr, 4);
	optional_hex(object, "nwk_s_key", keys->f_nwk_s_int_key.bytes, 16);
	if (!sim_rules_of(device->mac_version)->two_root_keys)
		keys->s_nwk_s_int_key = keys->nwk_s_enc_key = keys->f_nwk_s_int_key;
	optional_hex(object, "s_nwk_s_int_key", keys->s_nwk_s_int_key.bytes, 16);
	optional_hex(object, "nwk_s_enc_key", keys->nwk_s_enc_key.bytes, 16);
	optional_hex(object, "app_s_key", keys->app_s_key.bytes, 16);
	device->dev_addr.value = (uint32_t)dev_addr[0] << 24 | (uint32_t)dev_addr[1] << 16 |
				 (uint32_t)dev_addr[2] << 8 | dev_addr[3];
}

bool sim_scenario_load_devices(struct sim_scenario *scenario, const char *text, size_t length,
			       char error[SIM_SCENARIO_ERROR])
{
	static const char *const allowed[] = {"name",          "dev_eui",   "join_eui",  "app_key",
					      "nwk_key",       "dev_addr",  "nwk_s_key", "s_nwk_s_int_key",
					      "nwk_s_enc_key", "app_s_key", NULL};
	struct jr_doc doc;
	if (jr_parse(&doc, text, length, JR_DEPTH_DEFAULT)) {
		struct jr root = jr_root(&doc);
		size_t count = jr_count(&root, SIM_SCENARIO_DEVICES);
		for (size_t i = 0; i < count && !doc.failed; i++) {
			struct jr object = jr_element(&root, i);
			struct jr name_at = jr_member(&object, "name");
			const char *name = jr_string(&name_at, SIM_DEVICE_NAME - 1);
			bool found = false;
			jr_only(&object, allowed);
			for (size_t d = 0; d < scenario->device_count && !doc.failed; d++) {
				if (strcmp(scenario->devices[d].name, name) != 0)
					continue;
				set_device(&scenario->devices[d], &object);
				found = true;
			}
			if (!found)
				jr_fail(&name_at, "no device of the scenario has this name");
		}
	}
	bool ok = !doc.failed;
	if (!ok)
		snprintf(error, SIM_SCENARIO_ERROR, "%s", doc.error);
	jr_release(&doc);
	return ok;
}
