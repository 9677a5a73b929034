#include "application-server/custody.h"

#include "application-server/store_keys.h"

#include <stdio.h>
#include <string.h>

/* --- joins ---------------------------------------------------------------------------------------------------- */

static enum status keep_sealed(struct as_application *app, struct now now, const struct lw_eui64 *dev_eui,
			       const struct net_session_id *session, struct lw_key *key,
			       const struct net_session_id *in_use)
{
	uint8_t sealed[AS_SEALED_SESSION_KEY];
	as_keys_seal_session(app->keys, dev_eui, session, key, sealed);
	lw_key_wipe(key);
	return as_store_session_put(app->store, dev_eui, session, sealed, in_use, now.wall);
}

enum status as_custody_on_join(struct as_application *app, struct now now, const struct net_join_event *join,
			       struct as_held *held, bool *is_held)
{
	const struct net_session_id *in_use = join->has_in_use ? &join->in_use : NULL;
	struct lw_key key;
	*is_held = false;
	if (as_keys_unwrap(app->keys, join->app_s_key_label, join->app_s_key_wrapped, &key))
		return keep_sealed(app, now, &join->head.dev_eui, &join->session, &key, in_use);
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
	return as_store_held_put(app->store, &join->head.dev_eui, held, in_use, now.wall);
}

enum status as_custody_take_key(struct as_application *app, struct now now, const struct lw_eui64 *dev_eui,
				const struct as_held *session, const char *label,
				const uint8_t wrapped[NET_WRAPPED_KEY_SIZE])
{
	struct lw_key key;
	if (as_keys_unwrap(app->keys, label, wrapped, &key)) {
		enum status status = as_store_held_remove(app->store, dev_eui, &session->session);
		enum status kept = keep_sealed(app, now, dev_eui, &session->session, &key, &session->session);
		return status == ST_OK ? kept : status;
	}
	if (strcmp(label, AS_KEK_LABEL) == 0) /* ours by its label, and not wrapped under our KEK */
		return ST_INVALID;
	struct as_held held = *session;
	snprintf(held.kek_label, sizeof held.kek_label, "%s", label);
	memcpy(held.wrapped, wrapped, sizeof held.wrapped);
	return as_store_held_fetched(app->store, dev_eui, &held);
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
