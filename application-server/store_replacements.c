#include "application-server/store_replacements.h"

#include "application-server/store_private.h"
#include "common/text/record_schema.h"

enum { PUT, REMOVE, BY, FOR, COUNT };

const char *const as_sql_replacements[] = {
	[PUT] = "INSERT INTO replacements (old_eui, new_eui, at) VALUES (?1, ?2, ?3)",
	[REMOVE] = "DELETE FROM replacements WHERE old_eui = ?1",
	[BY] = "SELECT new_eui, at FROM replacements WHERE old_eui = ?1",
	[FOR] = "SELECT old_eui, at FROM replacements WHERE new_eui = ?1",
};
const int as_sql_replacements_count = COUNT;

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

static bool look(struct as_store *store, int statement, const struct lw_eui64 *eui,
		 struct as_replacement *found)
{
	struct db *db = store->city;
	int s = store->replacements_base + statement;
	db_bind_i64(db, s, 1, number_of(eui));
	if (db_step(db, s) != DB_ROW)
		return false;
	*found = (struct as_replacement){lw_eui64_from_number((uint64_t)db_column_i64(db, s, 0)),
					 {db_column_i64(db, s, 1)}};
	db_reset(db, s);
	return true;
}

bool as_store_replaced_by(struct as_store *store, const struct lw_eui64 *dev_eui, struct as_replacement *by)
{
	return look(store, BY, dev_eui, by);
}

bool as_store_stands_for(struct as_store *store, const struct lw_eui64 *dev_eui,
			 struct as_replacement *former)
{
	return look(store, FOR, dev_eui, former);
}

static enum status bump_both(struct as_store *store, const struct lw_eui64 *a, const struct lw_eui64 *b)
{
	enum status status = as_store_bump(store, RECORD_DEVICE, number_of(a), NULL, false);
	return status == ST_OK ? as_store_bump(store, RECORD_DEVICE, number_of(b), NULL, false) : status;
}

enum status as_store_replace(struct as_store *store, const struct lw_eui64 *old_eui,
			     const struct lw_eui64 *new_eui, struct wall now)
{
	int s = store->replacements_base + PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(old_eui));
	db_bind_i64(store->city, s, 2, number_of(new_eui));
	db_bind_i64(store->city, s, 3, now.us);
	status = db_run(store->city, s);
	return status == ST_OK ? bump_both(store, old_eui, new_eui) : status;
}

enum status as_store_unreplace(struct as_store *store, const struct lw_eui64 *old_eui,
			       struct lw_eui64 *new_eui)
{
	struct as_replacement by;
	int s = store->replacements_base + REMOVE;
	if (!look(store, BY, old_eui, &by))
		return ST_NOT_FOUND;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(old_eui));
	status = db_run(store->city, s);
	*new_eui = by.other;
	return status == ST_OK ? bump_both(store, old_eui, &by.other) : status;
}

size_t as_store_place(struct as_store *store, const struct lw_eui64 *dev_eui,
		      struct lw_eui64 place[AS_PLACE_MAX])
{
	struct as_replacement former;
	size_t count = 1;
	place[0] = *dev_eui;
	while (count < AS_PLACE_MAX && look(store, FOR, &place[count - 1], &former))
		place[count++] = former.other;
	return count;
}
