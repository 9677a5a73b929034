#include "application-server/store_private.h"

#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

enum { CITY_LOAD, CITY_CREATE, CITY_SET_VERSION };

const char *const as_sql_city[AS_SQL_CITY] = {
	[CITY_LOAD] = "SELECT id, version, tombstone_floor FROM city",
	[CITY_CREATE] = "INSERT INTO city (one, id, version, tombstone_floor) VALUES (1, ?1, 0, 0)",
	[CITY_SET_VERSION] = "UPDATE city SET version = ?1, tombstone_floor = ?2",
};

void as_store_bind_scope(struct db *db, int statement, const struct as_scope *scope)
{
	const struct net_uuid *agency = as_scope_agency(scope);
	db_bind_i64(db, statement, 1, as_scope_sees_all(scope));
	if (agency)
		db_bind_blob(db, statement, 2, agency->bytes, sizeof agency->bytes);
	else
		db_bind_null(db, statement, 2);
}

static enum status begin(struct as_store *store, struct db *db)
{
	if (store->failed)
		return ST_DATABASE;
	if (db_in_transaction(db))
		return ST_OK;
	enum status status = db_begin(db);
	store->failed = status != ST_OK;
	return status;
}

enum status as_store_write_city(struct as_store *store)
{
	return begin(store, store->city);
}

enum status as_store_write_readings(struct as_store *store)
{
	return begin(store, store->readings);
}

/* Takes what is known of the city, or makes a new one. */
static enum status load_city(struct as_store *store, struct rng *rng)
{
	int load = store->city_base + CITY_LOAD, create = store->city_base + CITY_CREATE;
	enum db_step step = db_step(store->city, load);
	if (step == DB_ROW) {
		bool whole = db_column_copy(store->city, load, 0, store->city_id.bytes,
					    sizeof store->city_id.bytes);
		store->version = (uint64_t)db_column_i64(store->city, load, 1);
		store->stored_version = store->version;
		store->floor = (uint64_t)db_column_i64(store->city, load, 2);
		db_reset(store->city, load);
		return whole ? ST_OK : ST_DATABASE;
	}
	if (step == DB_FAILED)
		return db_step_status(store->city);
	store->city_id = as_uuid_new(rng);
	db_bind_blob(store->city, create, 1, store->city_id.bytes, sizeof store->city_id.bytes);
	return db_run(store->city, create);
}

static void join_list(const char **list, int *count, int *base, const char *const *more, int more_count)
{
	*base = *count;
	for (int i = 0; i < more_count; i++)
		list[(*count)++] = more[i];
}

static enum status open_city(struct as_store *store, const struct as_store_options *options)
{
	store->record_sql = as_records_sql_new();
	int total = AS_SQL_CITY + as_sql_desired_count + as_sql_keys_count + as_sql_items_count +
		    as_sql_device_count + as_sql_imports_count + as_sql_census_count + as_sql_identity_count +
		    as_sql_audit_count + as_sql_firmware_count + as_sql_alarms_count + as_sql_stock_count +
		    as_sql_replacements_count + as_sql_custody_count + as_records_sql_count(),
	    count = 0;
	const char **list = calloc((size_t)total, sizeof *list);
	if (!store->record_sql || !list) {
		free(list);
		return ST_NO_MEMORY;
	}
	join_list(list, &count, &store->city_base, as_sql_city, AS_SQL_CITY);
	join_list(list, &count, &store->desired_base, as_sql_desired, as_sql_desired_count);
	join_list(list, &count, &store->keys_base, as_sql_keys, as_sql_keys_count);
	join_list(list, &count, &store->items_base, as_sql_items, as_sql_items_count);
	join_list(list, &count, &store->device_base, as_sql_device, as_sql_device_count);
	join_list(list, &count, &store->imports_base, as_sql_imports, as_sql_imports_count);
	join_list(list, &count, &store->census_base, as_sql_census, as_sql_census_count);
	join_list(list, &count, &store->identity_base, as_sql_identity, as_sql_identity_count);
	join_list(list, &count, &store->audit_base, as_sql_audit, as_sql_audit_count);
	join_list(list, &count, &store->firmware_base, as_sql_firmware, as_sql_firmware_count);
	join_list(list, &count, &store->alarms_base, as_sql_alarms, as_sql_alarms_count);
	join_list(list, &count, &store->stock_base, as_sql_stock, as_sql_stock_count);
	join_list(list, &count, &store->replacements_base, as_sql_replacements, as_sql_replacements_count);
	join_list(list, &count, &store->custody_base, as_sql_custody, as_sql_custody_count);
	join_list(list, &count, &store->record_base, (const char *const *)store->record_sql,
		  as_records_sql_count());
	ASSERT_CMP(count, ==, total);
	enum status status = db_open(&(struct db_options){.path = options->city_path,
							  .migrations = &db_migrations_application_server,
							  .statements = list,
							  .statement_count = total,
							  .vfs = options->vfs},
				     &store->city);
	free(list);
	return status;
}

static enum status open_readings(struct as_store *store, const struct as_store_options *options)
{
	int total = as_sql_events_count + as_sql_readings_count + as_sql_joins_count + as_sql_ledger_count +
		    as_sql_health_count + as_sql_hearing_count,
	    count = 0, events_base;
	const char **list = calloc((size_t)total, sizeof *list);
	if (!list)
		return ST_NO_MEMORY;
	join_list(list, &count, &events_base, as_sql_events, as_sql_events_count);
	join_list(list, &count, &store->readings_base, as_sql_readings, as_sql_readings_count);
	join_list(list, &count, &store->joins_base, as_sql_joins, as_sql_joins_count);
	join_list(list, &count, &store->ledger_base, as_sql_ledger, as_sql_ledger_count);
	join_list(list, &count, &store->health_base, as_sql_health, as_sql_health_count);
	join_list(list, &count, &store->hearing_base, as_sql_hearing, as_sql_hearing_count);
	ASSERT_CMP(events_base, ==, 0); /* store_events.c counts on it */
	enum status status = db_open(&(struct db_options){.path = options->readings_path,
							  .migrations = &db_migrations_readings,
							  .statements = list,
							  .statement_count = total,
							  .vfs = options->vfs},
				     &store->readings);
	free(list);
	return status;
}

static enum status start_checkpoints(struct as_store *store)
{
	enum status status = checkpoint_start(store->city, NULL, 0, &store->city_checkpoint);
	if (status == ST_OK)
		status = checkpoint_start(store->readings, NULL, 0, &store->readings_checkpoint);
	return status;
}

enum status as_store_open(const struct as_store_options *options, struct as_store **out)
{
	struct as_store *store = calloc(1, sizeof *store);
	if (!store)
		return ST_NO_MEMORY;
	enum status status = open_city(store, options);
	if (status == ST_OK)
		status = open_readings(store, options);
	if (status == ST_OK)
		as_hearing_init(&store->hearing, options->rng);
	if (status == ST_OK)
		status = load_city(store, options->rng);
	if (status == ST_OK)
		status = as_store_events_load(store);
	if (status == ST_OK)
		status = as_store_readings_load(store, options->rng);
	if (status == ST_OK)
		status = as_store_ledger_load(store, options->rng);
	if (status == ST_OK) {
		as_store_desired_load(store);
		as_store_items_load(store);
	}
	if (status == ST_OK && options->checkpoints)
		status = start_checkpoints(store);
	if (status != ST_OK) {
		as_store_close(store);
		return status;
	}
	*out = store;
	return ST_OK;
}

void as_store_close(struct as_store *store)
{
	if (!store)
		return;
	if (store->city)
		db_rollback(store->city);
	if (store->readings)
		db_rollback(store->readings);
	checkpoint_stop(store->city_checkpoint);
	checkpoint_stop(store->readings_checkpoint);
	db_close(store->city);
	db_close(store->readings);
	as_heads_release(&store->heads);
	as_store_ledger_release(store);
	as_hearing_release(&store->hearing);
	free(store->recent);
	as_records_sql_free(store->record_sql);
	as_store_joins_release(store);
	free(store);
}

void as_store_release(struct as_store *store)
{
	as_store_keys_release(store);
	as_store_events_release(store);
	db_let_go(store->city);
	db_let_go(store->readings);
}

void as_store_hold(struct as_store *store)
{
	db_hold(store->city);
}

enum status as_store_commit(struct as_store *store)
{
	as_store_release(store);
	enum status status = store->failed ? ST_DATABASE : ST_OK;
	if (status == ST_OK && db_in_transaction(store->city) && store->version != store->stored_version) {
		int set = store->city_base + CITY_SET_VERSION;
		db_bind_i64(store->city, set, 1, (int64_t)store->version);
		db_bind_i64(store->city, set, 2, (int64_t)store->floor);
		status = db_run(store->city, set);
		store->stored_version = store->version;
	}
	if (status == ST_OK && db_in_transaction(store->city))
		status = db_commit(store->city);
	if (status == ST_OK && db_in_transaction(store->readings)) {
		status = as_store_readings_fold(store);
		if (status == ST_OK)
			status = as_store_ledger_fold(store);
		if (status == ST_OK)
			status = db_commit(store->readings);
	}
	if (status != ST_OK)
		store->failed = true;
	return status;
}

void as_store_abandon(struct as_store *store)
{
	store->failed = true;
}

const struct net_uuid *as_store_city(const struct as_store *store)
{
	return &store->city_id;
}

uint64_t as_store_synchronous(struct as_store *store)
{
	uint64_t city = db_synchronous(store->city), readings = db_synchronous(store->readings);
	return city < readings ? city : readings;
}

uint64_t as_store_version(const struct as_store *store)
{
	return store->version;
}
