#include "application-server/store_census.h"

#include "application-server/store_private.h"

#include <stdio.h>

enum { DEVICES, COUNT };

const char *const as_sql_census[] = {
	[DEVICES] =
		"SELECT dev_eui, name, enabled AND NOT EXISTS (SELECT 1 FROM replacements WHERE old_eui = "
		"devices.dev_eui), activation = 'otaa' AND NOT EXISTS (SELECT 1 FROM sessions "
		"WHERE sessions.dev_eui = devices.dev_eui) FROM devices WHERE dev_eui > ?1 ORDER BY dev_eui "
		"LIMIT ?2",
};
const int as_sql_census_count = COUNT;

enum status as_store_census(struct as_store *store, int64_t after, unsigned limit,
			    struct as_census_device *devices, unsigned *count)
{
	struct db *db = store->city;
	int s = store->census_base + DEVICES;
	enum db_step step;
	*count = 0;
	db_bind_i64(db, s, 1, after);
	db_bind_i64(db, s, 2, limit);
	while ((step = db_step(db, s)) == DB_ROW) {
		struct as_census_device *device = &devices[(*count)++];
		device->dev_eui = db_column_i64(db, s, 0);
		snprintf(device->name, sizeof device->name, "%s", db_column_text(db, s, 1));
		device->enabled = db_column_i64(db, s, 2) != 0;
		device->waits = db_column_i64(db, s, 3) != 0;
	}
	return step == DB_FAILED ? db_step_status(db) : ST_OK;
}
