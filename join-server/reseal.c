#include "join-server/reseal.h"

#include "common/base/check.h"

static bool reseal_key(const struct js_key_vault *vault, const struct js_device *device,
		       enum sealed_key_kind kind, bool there, uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	struct lw_key key;
	if (!there || js_key_vault_is_new(vault, &device->dev_eui, kind, sealed) ||
	    js_key_vault_open(vault, &device->dev_eui, kind, sealed, &key) != ST_OK)
		return false;
	js_key_vault_seal(vault, &device->dev_eui, kind, &key, sealed);
	lw_key_wipe(&key);
	return true;
}

enum status js_reseal_slice(struct js_join *join, size_t limit, uint64_t *at, uint64_t *count, bool *done)
{
	struct js_device devices[JS_RESEAL_MAX];
	const struct js_store *store = &join->options.store;
	const struct js_key_vault *vault = &join->options.vault;
	size_t found;
	ASSERT_CMP(limit, <=, JS_RESEAL_MAX);
	enum status status = store->list_devices(store->ctx, at, limit, devices, &found, done);
	for (size_t i = 0; i < found && status == ST_OK; i++) {
		struct js_device *device = &devices[i];
		bool app = reseal_key(vault, device, SEALED_APP_KEY, device->has_app_key, device->app_key);
		bool nwk = reseal_key(vault, device, SEALED_NWK_KEY, device->has_nwk_key, device->nwk_key);
		*count += (uint64_t)app + (uint64_t)nwk;
		if (app || nwk)
			status = store->save_device(store->ctx, device);
	}
	return status;
}
