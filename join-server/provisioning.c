#include "join-server/provisioning.h"

#include "common/base/check.h"

#include <string.h>

/* What "refused" says of a key that could not be taken. */
static const char *refusal(enum sealed_key_verdict verdict)
{
	static const char *const reasons[SEALED_KEY_VERDICT_COUNT] = {
		[SEALED_KEY_BAD_LENGTH] = "key_bad_length",
		[SEALED_KEY_NOT_FOR_THIS_BOX] = "key_not_for_us",
		[SEALED_KEY_UNSUPPORTED_VERSION] = "key_unsupported_version",
		[SEALED_KEY_WRONG_KIND] = "key_wrong_kind",
		[SEALED_KEY_WRONG_DEVICE] = "key_wrong_device",
	};
	ASSERT(verdict != SEALED_KEY_OK && (unsigned)verdict < SEALED_KEY_VERDICT_COUNT);
	return reasons[verdict];
}

static void refuse(struct js_join *join, struct js_applied *applied, const struct js_record *record,
		   enum sealed_key_verdict verdict)
{
	join->counters.keys_refused++;
	size_t last = applied->refused_count;
	if (last > 0 && lw_eui64_equal(&applied->refused[last - 1].dev_eui, &record->dev_eui))
		return; /* both keys of one device: once is enough */
	applied->refused[last].dev_eui = record->dev_eui;
	applied->refused[last].reason = refusal(verdict);
	applied->refused_count++;
}

/* Opens a key that came, if one came; a key that does not open is none. */
static bool take_key(struct js_join *join, struct js_applied *applied, const struct js_record *record,
		     enum sealed_key_kind kind, const uint8_t *transit, size_t length,
		     uint8_t sealed[JS_SEALED_ROOT_KEY])
{
	if (length == 0)
		return false;
	enum sealed_key_verdict verdict = js_key_vault_take(&join->options.vault, &record->dev_eui, kind,
							    transit, length, sealed);
	if (verdict == SEALED_KEY_OK)
		return true;
	refuse(join, applied, record, verdict);
	return false;
}

static enum status apply_record(struct js_join *join, const struct js_record *record,
				struct js_applied *applied)
{
	const struct js_store *store = &join->options.store;
	if (record->deleted)
		return store->remove_device(store->ctx, &record->dev_eui);
	struct js_device device = {
		.dev_eui = record->dev_eui,
		.version = record->version,
		.run = join->state.run,
		.enabled = record->enabled,
		.join_eui = record->join_eui,
		.mac_version = record->mac_version,
		.has_home = record->has_home,
		.home = record->home,
	};
	memcpy(device.app_kek_label, record->app_kek_label, sizeof device.app_kek_label);
	device.has_app_key = take_key(join, applied, record, SEALED_APP_KEY, record->app_key,
				      record->app_key_length, device.app_key);
	device.has_nwk_key = take_key(join, applied, record, SEALED_NWK_KEY, record->nwk_key,
				      record->nwk_key_length, device.nwk_key);
	return store->save_device(store->ctx, &device);
}

static void begin_run(struct js_join *join, const struct js_records *records)
{
	join->in_run = true;
	join->run_version = 0;
	memcpy(join->run_city, records->city, sizeof join->run_city);
	join->state.run++;
	join->state.city[0] = '\0';
	join->state.applied_version = 0;
}

static void end_run(struct js_join *join, struct now now)
{
	join->in_run = false;
	memcpy(join->state.city, join->run_city, sizeof join->state.city);
	join->state.applied_version = join->run_version;
	join->state.valid_run = join->state.run;
	join->sweep_at = 0;
	join->sweep_due = now.mono;
}

enum js_provisioning_verdict js_provisioning_apply(struct js_join *join, struct now now,
						   const struct js_records *records,
						   struct js_applied *applied)
{
	const struct js_store *store = &join->options.store;
	applied->refused_count = 0;
	if (records->full)
		begin_run(join, records);
	const char *city = join->in_run ? join->run_city : join->state.city;
	if (strcmp(city, records->city) != 0)
		return JS_PROVISIONING_OTHER_CITY;
	uint64_t *version = join->in_run ? &join->run_version : &join->state.applied_version;
	for (size_t i = 0; i < records->count; i++) {
		const struct js_record *record = &records->records[i];
		if (record->version <= *version) {
			join->counters.records_stale++;
			continue;
		}
		if (apply_record(join, record, applied) != ST_OK)
			return JS_PROVISIONING_FAILED;
		*version = record->version;
		join->counters.records++;
	}
	applied->applied_version = *version;
	if (join->in_run && records->end)
		end_run(join, now);
	return store->save_state(store->ctx, &join->state) == ST_OK ? JS_PROVISIONED : JS_PROVISIONING_FAILED;
}
