#include "application-server/custody.h"

#include "application-server/store_keys.h"

#include <stdio.h>
#include <string.h>

/* Under the city's KEK, or one that it shares with a join server of another: which says a label alone, so each of that label is tried. */
static bool unwrap(const struct as_application *app, const char *label,
		   const uint8_t wrapped[NET_WRAPPED_KEY_SIZE], struct lw_key *key)
{
	bool opened = as_keys_unwrap(app->keys, label, wrapped, key);
	for (uint8_t i = 0; i < app->foreign_kek_count && !opened; i++)
		opened = strcmp(app->foreign_keks[i].label, label) == 0 &&
			 aes_unwrap(app->foreign_keks[i].key, sizeof app->foreign_keks[i].key, wrapped,
				    NET_WRAPPED_KEY_SIZE, key->bytes) == AES_WRAP_OK;
	return opened;
}

/* --- joins ---------------------------------------------------------------------------------------------------- */

enum status as_custody_on_join(struct as_application *app, struct now now, const struct net_join_event *join,
			       struct as_held *held, bool *is_held)
{
	const struct net_session_id *in_use = join->has_in_use ? &join->in_use : NULL;
	struct lw_key key;
	*is_held = false;
	if (unwrap(app, join->app_s_key_label, join->app_s_key_wrapped, &key)) {
		uint8_t sealed[AS_SEALED_SESSION_KEY];
		as_keys_seal_session(app->keys, &join->head.dev_eui, &join->session, &key, sealed);
		lw_key_wipe(&key);
		return as_store_session_put(app->store, &join->head.dev_eui, &join->session, sealed, in_use,
					    now.wall);
	}
	*held = (struct as_held){.session = join->session,
				 .dev_addr = join->dev_addr,
				 .join_eui = join->join_eui,
				 .has_key = join->app_s_key_label[0] != '\0',
				 .session_key_id_length = join->session_key_id_length};
	memcpy(held->kek_label, join->app_s_key_label, sizeof held->kek_label);
	memcpy(held->wrapped, join->app_s_key_wrapped, sizeof held->wrapped);
	memcpy(held->session_key_id, join->session_key_id, join->session_key_id_length);
	/* Ours by its label, and not wrapped under our KEK: nobody's, and nothing that an agency could open. */
	if (strcmp(held->kek_label, AS_KEK_LABEL) == 0)
		return ST_OK;
	*is_held = true;
	enum status status = as_store_held_put(app->store, &join->head.dev_eui, held, in_use, now.wall);
	/* Keys that came later stand among the city's, which no join of theirs would make room in. */
	return status == ST_OK ? as_store_sessions_prune(app->store, &join->head.dev_eui,
							 in_use ? in_use : &join->session)
			       : status;
}

/* --- AppSKeyReq ------------------------------------------------------------------------------------------------ */

static enum status take_key(struct as_application *app, const struct lw_eui64 *dev_eui,
			    const struct as_held *session, const char *label,
			    const uint8_t wrapped[NET_WRAPPED_KEY_SIZE])
{
	struct lw_key key;
	if (unwrap(app, label, wrapped, &key)) {
		uint8_t sealed[AS_SEALED_SESSION_KEY];
		as_keys_seal_session(app->keys, dev_eui, &session->session, &key, sealed);
		lw_key_wipe(&key);
		return as_store_session_take_place(app->store, dev_eui, &session->session, sealed);
	}
	if (strcmp(label, AS_KEK_LABEL) == 0) /* ours by its label, and not wrapped under our KEK */
		return ST_INVALID;
	struct as_held held = *session;
	memcpy(held.kek_label, label, strlen(label) + 1);
	memcpy(held.wrapped, wrapped, sizeof held.wrapped);
	return as_store_held_fetched(app->store, dev_eui, &held);
}

static enum as_app_key_verdict judge(struct as_application *app, const struct lw_eui64 *dev_eui,
				     const struct as_held *session, const struct bi_message *answer)
{
	const struct bi_key_envelope *key = &answer->app_s_key_ans.app_s_key;
	enum bi_result result = answer->envelope.result;
	/* A join server that does not keep the session any more has no word of its own for it. */
	if (result == BI_UNKNOWN_DEV_EUI || result == BI_OTHER)
		return AS_APP_KEY_UNKNOWN;
	if (result != BI_SUCCESS)
		return AS_APP_KEY_REFUSED;
	if (!lw_eui64_equal(&answer->app_s_key_ans.dev_eui, dev_eui))
		return AS_APP_KEY_NO_MESSAGE;
	if (key->length != BI_KEY_WRAPPED || !key->label[0])
		return AS_APP_KEY_IN_CLEAR;
	if (strlen(key->label) >= NET_KEK_LABEL_MAX)
		return AS_APP_KEY_NO_MESSAGE;
	switch (take_key(app, dev_eui, session, key->label, key->key)) {
	case ST_OK: return AS_APP_KEY_FETCHED;
	case ST_INVALID: return AS_APP_KEY_OTHER_KEK;
	default: as_store_abandon(app->store); return AS_APP_KEY_FETCHED; /* the turn fails */
	}
}

static void say(struct as_application *app, struct now now, const struct lw_eui64 *dev_eui,
		enum as_app_key_verdict verdict, uint32_t number)
{
	const struct decision said = {.table = AS_TABLE_APP_KEY, .verdict = (uint8_t)verdict, .a = number};
	as_rules_add(&app->decisions, now.wall, dev_eui, NULL, &said);
}

enum as_app_key_verdict as_custody_on_app_key(struct as_application *app, struct now now,
					      const struct lw_eui64 *dev_eui, const struct as_held *session,
					      const struct bi_message *answer)
{
	enum as_app_key_verdict verdict = answer ? judge(app, dev_eui, session, answer)
						 : AS_APP_KEY_NO_MESSAGE;
	app->counters.app_keys[verdict]++;
	say(app, now, dev_eui, verdict, answer ? (uint32_t)answer->envelope.result : 0);
	return verdict;
}

void as_custody_on_no_app_key(struct as_application *app, struct now now, const struct lw_eui64 *dev_eui,
			      int code, bool first)
{
	app->counters.app_keys[AS_APP_KEY_NO_ANSWER]++;
	if (first)
		say(app, now, dev_eui, AS_APP_KEY_NO_ANSWER, code > 0 ? (uint32_t)code : UINT32_MAX);
}

/* --- uplinks -------------------------------------------------------------------------------------------------- */

static bool is_by_personalization(const struct net_session_id *session)
{
	static const struct net_session_id abp = {{0}};
	return memcmp(session, &abp, sizeof abp) == 0;
}

enum status as_custody_on_up(struct as_application *app, const struct net_up_event *up,
			     const struct as_device_info *device, struct as_held *held, bool *is_held)
{
	*is_held = false;
	enum status status = as_store_held_get(app->store, &up->head.dev_eui, &up->session, held);
	if (status == ST_OK) {
		*is_held = true;
		return held->heard ? ST_OK : as_store_held_heard(app->store, &up->head.dev_eui, &up->session);
	}
	if (status != ST_NOT_FOUND)
		return status;
	/* A session by personalization whose AppSKey the agency never gave us. */
	*is_held = device->agency_holds && is_by_personalization(&up->session);
	*held = (struct as_held){.dev_addr = up->dev_addr};
	return ST_OK;
}

/* --- downlinks ------------------------------------------------------------------------------------------------- */

bool as_custody_is_held(struct as_application *app, const struct lw_eui64 *dev_eui,
			const struct as_device_info *device)
{
	struct as_held held;
	if (as_store_held_current(app->store, dev_eui, &held) == ST_OK)
		return true;
	return device->agency_holds && !as_store_session_any(app->store, dev_eui);
}

bool as_custody_holds(struct as_application *app, const struct lw_eui64 *dev_eui,
		      const struct net_session_id *session)
{
	struct as_held held;
	struct as_device_info device;
	enum status status = as_store_held_get(app->store, dev_eui, session, &held);
	if (status == ST_OK)
		return held.has_key;
	return status == ST_NOT_FOUND && is_by_personalization(session) &&
	       as_store_device_info(app->store, dev_eui, &device) == ST_OK && device.agency_holds;
}
