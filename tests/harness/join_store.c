#include "tests/harness/join_store.h"

#include "common/base/check.h"

#include <string.h>

static enum status load_device(void *ctx, const struct lw_eui64 *dev_eui, struct js_device *device)
{
	const struct js_device *found = t_join_store_device(ctx, lw_eui64_number(dev_eui));
	if (!found)
		return ST_NOT_FOUND;
	*device = *found;
	return ST_OK;
}

static enum status save_device(void *ctx, const struct js_device *device)
{
	struct t_join_store *store = ctx;
	store->writes++;
	if (store->fails)
		return ST_DATABASE;
	struct js_device *found = t_join_store_device(store, lw_eui64_number(&device->dev_eui));
	if (!found) {
		ASSERT_CMP(store->now.device_count, <, T_JOIN_ROWS);
		found = &store->now.devices[store->now.device_count++];
	}
	*found = *device;
	return ST_OK;
}

static enum status remove_device(void *ctx, const struct lw_eui64 *dev_eui)
{
	struct t_join_store *store = ctx;
	store->writes++;
	if (store->fails)
		return ST_DATABASE;
	struct js_device *found = t_join_store_device(store, lw_eui64_number(dev_eui));
	if (found)
		*found = store->now.devices[--store->now.device_count];
	return ST_OK;
}

static size_t find_nonces(const struct t_join_store *store, const struct lw_eui64 *join_eui,
			  const struct lw_eui64 *dev_eui)
{
	size_t i = 0;
	while (i < store->now.nonces_count && !(lw_eui64_equal(&store->now.nonces[i].join_eui, join_eui) &&
						lw_eui64_equal(&store->now.nonces[i].dev_eui, dev_eui)))
		i++;
	return i;
}

static enum status load_nonces(void *ctx, const struct lw_eui64 *join_eui, const struct lw_eui64 *dev_eui,
			       struct js_nonces *nonces)
{
	struct t_join_store *store = ctx;
	size_t i = find_nonces(store, join_eui, dev_eui);
	if (i == store->now.nonces_count)
		return ST_NOT_FOUND;
	*nonces = store->now.nonces[i].nonces;
	return ST_OK;
}

static enum status save_nonces(void *ctx, const struct lw_eui64 *join_eui, const struct lw_eui64 *dev_eui,
			       const struct js_nonces *nonces)
{
	struct t_join_store *store = ctx;
	store->writes++;
	if (store->fails)
		return ST_DATABASE;
	size_t i = find_nonces(store, join_eui, dev_eui);
	ASSERT_CMP(i, <, T_JOIN_ROWS);
	if (i == store->now.nonces_count)
		store->now.nonces_count++;
	store->now.nonces[i].join_eui = *join_eui;
	store->now.nonces[i].dev_eui = *dev_eui;
	store->now.nonces[i].nonces = *nonces;
	return ST_OK;
}

static enum status load_state(void *ctx, struct js_state *state)
{
	*state = ((struct t_join_store *)ctx)->now.state;
	return ST_OK;
}

static enum status save_state(void *ctx, const struct js_state *state)
{
	struct t_join_store *store = ctx;
	store->writes++;
	if (store->fails)
		return ST_DATABASE;
	store->now.state = *state;
	return ST_OK;
}

static enum status sweep(void *ctx, uint64_t valid_run, int limit, uint64_t *at, bool *done)
{
	struct t_join_store *store = ctx;
	(void)limit;
	(void)at;
	for (size_t i = 0; i < store->now.device_count;)
		if (store->now.devices[i].run < valid_run)
			store->now.devices[i] = store->now.devices[--store->now.device_count];
		else
			i++;
	*done = true;
	return ST_OK;
}

static enum status save_session(void *ctx, const struct js_session *session)
{
	struct t_join_store *store = ctx;
	size_t i = 0;
	store->writes++;
	if (store->fails)
		return ST_DATABASE;
	while (i < store->now.session_count &&
	       !(lw_eui64_equal(&store->now.sessions[i].dev_eui, &session->dev_eui) &&
		 store->now.sessions[i].slot == session->slot))
		i++;
	ASSERT_CMP(i, <, T_JOIN_ROWS);
	store->now.session_count += i == store->now.session_count;
	store->now.sessions[i] = *session;
	return ST_OK;
}

static enum status load_session(void *ctx, const struct lw_eui64 *dev_eui,
				const uint8_t id[JS_SESSION_KEY_ID], struct js_session *session)
{
	const struct t_join_store *store = ctx;
	for (size_t i = 0; i < store->now.session_count; i++) {
		const struct js_session *found = &store->now.sessions[i];
		if (lw_eui64_equal(&found->dev_eui, dev_eui) &&
		    memcmp(found->id, id, JS_SESSION_KEY_ID) == 0) {
			*session = *found;
			return ST_OK;
		}
	}
	return ST_NOT_FOUND;
}

static enum status sweep_sessions(void *ctx, struct wall expired, int limit, uint64_t *at, bool *done)
{
	struct t_join_store *store = ctx;
	(void)limit;
	(void)at;
	for (size_t i = 0; i < store->now.session_count;)
		if (store->now.sessions[i].time.us < expired.us)
			store->now.sessions[i] = store->now.sessions[--store->now.session_count];
		else
			i++;
	*done = true;
	return ST_OK;
}

/* No KEKs but the files', and an audit that is only counted. */
static enum status load_keks(void *ctx, void (*take)(void *taker, const struct js_kek_row *row), void *taker)
{
	(void)ctx;
	(void)take;
	(void)taker;
	return ST_OK;
}

static enum status save_kek_use(void *ctx, const struct js_kek_row *row)
{
	(void)ctx;
	(void)row;
	return ST_OK;
}

static enum status last_audit(void *ctx, struct js_audit_row *row)
{
	(void)ctx;
	(void)row;
	return ST_NOT_FOUND;
}

static enum status put_audit(void *ctx, const struct js_audit_row *row)
{
	struct t_join_store *store = ctx;
	store->now.audited = row->seq;
	return ST_OK;
}

struct js_device *t_join_store_device(struct t_join_store *store, uint64_t dev_eui)
{
	for (size_t i = 0; i < store->now.device_count; i++)
		if (lw_eui64_number(&store->now.devices[i].dev_eui) == dev_eui)
			return &store->now.devices[i];
	return NULL;
}

struct js_store t_join_store_init(struct t_join_store *store)
{
	memset(store, 0, sizeof *store);
	return (struct js_store){.ctx = store,
				 .load_device = load_device,
				 .save_device = save_device,
				 .remove_device = remove_device,
				 .load_nonces = load_nonces,
				 .save_nonces = save_nonces,
				 .load_state = load_state,
				 .save_state = save_state,
				 .sweep = sweep,
				 .save_session = save_session,
				 .load_session = load_session,
				 .sweep_sessions = sweep_sessions,
				 .load_keks = load_keks,
				 .save_kek_use = save_kek_use,
				 .last_audit = last_audit,
				 .put_audit = put_audit};
}

void t_join_store_commit(struct t_join_store *store)
{
	store->committed = store->now;
}

void t_join_store_crash(struct t_join_store *store)
{
	store->now = store->committed;
}
