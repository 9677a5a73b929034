#include "application-server/store_items.h"

#include "application-server/store_items_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

static int at(const struct as_store *store, int statement)
{
	return store->items_base + statement;
}

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

static void bind_uuid(struct db *db, int s, int parameter, const struct net_uuid *uuid)
{
	db_bind_blob(db, s, parameter, uuid->bytes, sizeof uuid->bytes);
}

static void bind_or_null(struct db *db, int s, int parameter, bool has, int64_t value)
{
	if (has)
		db_bind_i64(db, s, parameter, value);
	else
		db_bind_null(db, s, parameter);
}

static void read_item(struct db *db, int s, struct as_item *item)
{
	size_t length;
	*item = (struct as_item){.fport = (uint8_t)db_column_i64(db, s, C_FPORT),
				 .length = (uint8_t)db_column_i64(db, s, C_LENGTH),
				 .confirmed = db_column_i64(db, s, C_CONFIRMED) != 0,
				 .priority = (uint8_t)db_column_i64(db, s, C_PRIORITY),
				 .expires = {db_column_i64(db, s, C_EXPIRES)},
				 .encrypted = db_column_i64(db, s, C_ENCRYPTED) != 0,
				 .fcnt_given = (uint32_t)db_column_i64(db, s, C_FCNT_GIVEN),
				 .status = (enum net_item_status)db_column_i64(db, s, C_STATUS),
				 .ended = db_column_i64(db, s, C_ENDED) != 0,
				 .flushing = db_column_i64(db, s, C_FLUSH) != 0,
				 .has_fcnt_down = !db_column_is_null(db, s, C_FCNT_DOWN),
				 .fcnt_down = (uint32_t)db_column_i64(db, s, C_FCNT_DOWN),
				 .has_gateway = !db_column_is_null(db, s, C_GATEWAY),
				 .tries = (uint8_t)db_column_i64(db, s, C_TRIES),
				 .created = {db_column_i64(db, s, C_CREATED)},
				 .changed = {db_column_i64(db, s, C_CHANGED)}};
	db_column_copy(db, s, C_ITEM, item->item.bytes, sizeof item->item.bytes);
	item->dev_eui = lw_eui64_from_number((uint64_t)db_column_i64(db, s, C_DEV_EUI));
	db_column_copy(db, s, C_AGENCY, item->agency.bytes, sizeof item->agency.bytes);
	db_column_copy(db, s, C_DIGEST, item->digest, sizeof item->digest);
	if (item->has_gateway)
		item->gateway = lw_eui64_from_number((uint64_t)db_column_i64(db, s, C_GATEWAY));
	snprintf(item->cause, sizeof item->cause, "%s", db_column_text(db, s, C_CAUSE));
	const void *payload = db_column_blob(db, s, C_PAYLOAD, &length);
	item->sealed_length = length <= sizeof item->sealed ? length : 0;
	if (item->sealed_length)
		memcpy(item->sealed, payload, item->sealed_length);
}

/* --- writing ------------------------------------------------------------------------------------------------ */

static enum status put_change(struct as_store *store, const struct net_uuid *id,
			      const struct as_change *change)
{
	struct db *db = store->city;
	int s = at(store, CHANGE_PUT), shed = at(store, CHANGE_SHED);
	bind_uuid(db, s, 1, id);
	bind_uuid(db, s, 2, &change->event);
	db_bind_i64(db, s, 3, change->time.us);
	db_bind_i64(db, s, 4, change->status);
	db_bind_text(db, s, 5, change->cause);
	bind_or_null(db, s, 6, change->has_fcnt_down, change->fcnt_down);
	bind_or_null(db, s, 7, change->has_gateway, number_of(&change->gateway));
	db_bind_i64(db, s, 8, change->tries);
	enum status status = db_run(db, s);
	if (status != ST_OK)
		return status;
	bind_uuid(db, shed, 1, id);
	db_bind_i64(db, shed, 2, AS_CHANGES_KEPT);
	return db_run(db, shed);
}

static enum status insert(struct as_store *store, const struct as_item *item, struct wall now)
{
	struct db *db = store->city;
	int s = at(store, ITEM_PUT);
	bind_uuid(db, s, 1, &item->item);
	db_bind_i64(db, s, 2, number_of(&item->dev_eui));
	bind_uuid(db, s, 3, &item->agency);
	db_bind_i64(db, s, 4, item->fport);
	db_bind_i64(db, s, 5, item->length);
	db_bind_i64(db, s, 6, item->confirmed);
	db_bind_i64(db, s, 7, item->priority);
	bind_or_null(db, s, 8, item->expires.us != 0, item->expires.us);
	db_bind_i64(db, s, 9, item->encrypted);
	bind_or_null(db, s, 10, item->encrypted, item->fcnt_given);
	db_bind_blob(db, s, 11, item->digest, sizeof item->digest);
	db_bind_blob(db, s, 12, item->sealed, item->ended ? 0 : item->sealed_length);
	db_bind_i64(db, s, 13, item->status);
	db_bind_i64(db, s, 14, item->ended);
	db_bind_i64(db, s, 15, now.us);
	db_bind_i64(db, s, 16, ++store->items_last);
	db_bind_i64(db, s, 17, item->airtime_us);
	enum status status = db_run(db, s);
	store->items_version++;
	return status == ST_CONFLICT ? ST_NOT_FOUND : status; /* a foreign key dangles: no such device */
}

enum status as_store_item_put(struct as_store *store, const struct as_item *item, struct wall now)
{
	int shed = at(store, ITEM_SHED);
	enum status status = as_store_write_city(store);
	if (status == ST_OK)
		status = insert(store, item, now);
	if (status != ST_OK)
		return status;
	/* Its first change goes by the item's own id: no event of the network server has that. */
	status = put_change(
		store, &item->item,
		&(struct as_change){.event = item->item, .time = now, .status = item->status, .cause = ""});
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, shed, 1, number_of(&item->dev_eui));
	db_bind_i64(store->city, shed, 2, AS_ITEMS_KEPT);
	return db_run(store->city, shed);
}

static bool is_known(struct as_store *store, const struct net_uuid *id, const struct net_uuid *event)
{
	int s = at(store, CHANGE_KNOWN);
	bind_uuid(store->city, s, 1, id);
	bind_uuid(store->city, s, 2, event);
	bool known = db_step(store->city, s) == DB_ROW;
	db_reset(store->city, s);
	return known;
}

static enum status update(struct as_store *store, const struct net_uuid *id, const struct as_change *change,
			  bool ended)
{
	struct db *db = store->city;
	int s = at(store, ITEM_MOVE);
	bind_uuid(db, s, 1, id);
	db_bind_i64(db, s, 2, change->status);
	db_bind_i64(db, s, 3, ended);
	bind_or_null(db, s, 4, change->has_fcnt_down, change->fcnt_down);
	bind_or_null(db, s, 5, change->has_gateway, number_of(&change->gateway));
	db_bind_i64(db, s, 6, change->tries);
	db_bind_text(db, s, 7, change->cause);
	db_bind_i64(db, s, 8, change->time.us);
	return db_run(db, s);
}

enum status as_store_item_move(struct as_store *store, const struct net_uuid *id,
			       const struct as_change *change, enum as_move *move, struct as_item *item)
{
	enum status status = as_store_item_get(store, id, item);
	*move = AS_MOVE_UNKNOWN;
	if (status != ST_OK)
		return status == ST_NOT_FOUND ? ST_OK : status;
	*move = is_known(store, id, &change->event)       ? AS_MOVE_REPEATED
		: !as_item_may_move(item, change->status) ? AS_MOVE_REFUSED
							  : AS_MOVED;
	if (*move != AS_MOVED)
		return ST_OK;
	status = as_store_write_city(store);
	if (status == ST_OK)
		status = update(store, id, change, as_item_is_end(change->status, item->confirmed));
	if (status == ST_OK)
		status = put_change(store, id, change);
	return status == ST_OK ? as_store_item_get(store, id, item) : status;
}

/* --- waiting, hand-over, flush ------------------------------------------------------------------------------- */

enum status as_store_item_get(struct as_store *store, const struct net_uuid *id, struct as_item *item)
{
	int s = at(store, ITEM_GET);
	bind_uuid(store->city, s, 1, id);
	enum db_step step = db_step(store->city, s);
	if (step != DB_ROW)
		return step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
	read_item(store->city, s, item);
	db_reset(store->city, s);
	return ST_OK;
}

/* The first column of a statement's one row; 0 when there is none. */
static int64_t number(struct as_store *store, int s)
{
	int64_t found = 0;
	if (db_step(store->city, s) == DB_ROW) {
		found = db_column_i64(store->city, s, 0);
		db_reset(store->city, s);
	}
	return found;
}

void as_store_items_load(struct as_store *store)
{
	store->items_last = number(store, at(store, ITEMS_LAST));
}

uint64_t as_store_items_version(const struct as_store *store)
{
	return store->items_version;
}

size_t as_store_items_waiting(struct as_store *store, const struct lw_eui64 *dev_eui)
{
	db_bind_i64(store->city, at(store, WAITING), 1, number_of(dev_eui));
	return (size_t)number(store, at(store, WAITING));
}

size_t as_store_items_of_agency(struct as_store *store, const struct net_uuid *agency)
{
	bind_uuid(store->city, at(store, WAITING_OF_AGENCY), 1, agency);
	return (size_t)number(store, at(store, WAITING_OF_AGENCY));
}

int64_t as_store_items_airtime(struct as_store *store, int64_t dev_eui)
{
	db_bind_i64(store->city, at(store, AIRTIME), 1, dev_eui);
	return (int64_t)as_store_number(store->city, at(store, AIRTIME), 0);
}

int64_t as_store_items_airtime_of_agency(struct as_store *store, const struct net_uuid *agency)
{
	bind_uuid(store->city, at(store, AIRTIME_OF_AGENCY), 1, agency);
	return (int64_t)as_store_number(store->city, at(store, AIRTIME_OF_AGENCY), 0);
}

static enum status read_items(struct as_store *store, int s, int place, int64_t *after, struct as_item *items,
			      size_t limit, size_t *count)
{
	enum db_step step;
	size_t found = 0;
	db_bind_i64(store->city, s, 1, *after);
	db_bind_i64(store->city, s, 2, (int64_t)limit);
	while ((step = db_step(store->city, s)) == DB_ROW) {
		ASSERT_CMP(found, <, limit);
		*after = db_column_i64(store->city, s, place);
		read_item(store->city, s, &items[found++]);
	}
	*count = found;
	return step == DB_DONE ? ST_OK : db_step_status(store->city);
}

enum status as_store_items_queued(struct as_store *store, int64_t *after, struct as_item *items, size_t limit,
				  size_t *count)
{
	return read_items(store, at(store, QUEUED), C_ROW, after, items, limit, count);
}

enum status as_store_items_flushing(struct as_store *store, int64_t *after, struct as_item *items,
				    size_t limit, size_t *count)
{
	return read_items(store, at(store, FLUSHING), C_FLUSH, after, items, limit, count);
}

static void bind_flush(struct as_store *store, int s, const struct lw_eui64 *dev_eui,
		       const struct net_uuid *id)
{
	db_bind_i64(store->city, s, 1, number_of(dev_eui));
	if (id)
		bind_uuid(store->city, s, 2, id);
	else
		db_bind_null(store->city, s, 2);
}

enum status as_store_items_flush(struct as_store *store, const struct lw_eui64 *dev_eui,
				 const struct net_uuid *id, size_t *count)
{
	int next = at(store, FLUSH_NEXT), one = at(store, FLUSH_ONE), counting = at(store, FLUSHING_COUNT);
	int64_t last = number(store, at(store, FLUSH_LAST));
	enum status status = as_store_write_city(store);
	while (status == ST_OK) {
		struct net_uuid item;
		bind_flush(store, next, dev_eui, id);
		enum db_step step = db_step(store->city, next);
		if (step == DB_DONE)
			break;
		if (step == DB_FAILED)
			return db_step_status(store->city);
		db_column_copy(store->city, next, 0, item.bytes, sizeof item.bytes);
		db_reset(store->city, next);
		bind_uuid(store->city, one, 1, &item);
		/* Never a number that this process used before: the hand-over stands behind those. */
		last = last > store->flush_last ? last : store->flush_last;
		store->flush_last = ++last;
		db_bind_i64(store->city, one, 2, last);
		status = db_run(store->city, one);
	}
	store->items_version++;
	bind_flush(store, counting, dev_eui, id);
	*count = (size_t)number(store, counting);
	return status;
}

/* --- reading ------------------------------------------------------------------------------------------------ */

enum status as_store_items_list(struct as_store *store, const struct as_scope *scope,
				const struct lw_eui64 *dev_eui, unsigned states, uint64_t before,
				bool (*each)(void *ctx, const struct as_item *item, uint64_t place),
				void *ctx)
{
	struct db *db = store->city;
	struct as_item item;
	int s = at(store, LIST);
	enum db_step step;
	as_store_bind_scope(db, s, scope);
	db_bind_i64(db, s, 3, number_of(dev_eui));
	db_bind_i64(db, s, 4, before ? (int64_t)before : INT64_MAX);
	db_bind_i64(db, s, 5, states);
	while ((step = db_step(db, s)) == DB_ROW) {
		read_item(db, s, &item);
		if (each(ctx, &item, (uint64_t)db_column_i64(db, s, C_ROW)))
			continue;
		db_reset(db, s);
		return ST_OK;
	}
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

enum status as_store_item_history(struct as_store *store, const struct net_uuid *id,
				  void (*each)(void *ctx, const struct as_change *change), void *ctx)
{
	struct db *db = store->city;
	int s = at(store, HISTORY);
	enum db_step step;
	bind_uuid(db, s, 1, id);
	while ((step = db_step(db, s)) == DB_ROW) {
		struct as_change change = {.time = {db_column_i64(db, s, 1)},
					   .status = (enum net_item_status)db_column_i64(db, s, 2),
					   .cause = db_column_text(db, s, 3),
					   .has_fcnt_down = !db_column_is_null(db, s, 4),
					   .fcnt_down = (uint32_t)db_column_i64(db, s, 4),
					   .has_gateway = !db_column_is_null(db, s, 5),
					   .gateway = lw_eui64_from_number((uint64_t)db_column_i64(db, s, 5)),
					   .tries = (uint8_t)db_column_i64(db, s, 6)};
		db_column_copy(db, s, 0, change.event.bytes, sizeof change.event.bytes);
		each(ctx, &change);
	}
	return step == DB_DONE ? ST_OK : db_step_status(db);
}

/* --- retention ---------------------------------------------------------------------------------------------- */

/* The table is gone through in slices of rows, since those that wait may stand anywhere among those that are done. An item
 * that was sent and whose answer never came (a network.db that was restored knows nothing of it) goes with them. */
enum status as_store_items_prune(struct as_store *store, struct wall before, unsigned limit, bool *more)
{
	int s = at(store, ITEMS_PRUNE);
	int64_t end = number(store, at(store, ITEMS_LAST));
	*more = store->items_looked_at + limit < end;
	if (end == 0)
		return ST_OK;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, store->items_looked_at);
	db_bind_i64(store->city, s, 2, store->items_looked_at + limit);
	db_bind_i64(store->city, s, 3, before.us);
	store->items_looked_at = *more ? store->items_looked_at + limit : 0;
	return db_run(store->city, s);
}
