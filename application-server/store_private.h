/* What the store_*.c share. Each has its statements as an array; store_open.c joins them into one list per file and
 * remembers where each begins. */
#ifndef LAMPPOST_AS_STORE_PRIVATE_H
#define LAMPPOST_AS_STORE_PRIVATE_H

#include "application-server/agencies/scope.h"
#include "application-server/health/hearing.h"
#include "application-server/ledger/accounts.h"
#include "application-server/reading_heads.h"
#include "application-server/store.h"
#include "common/db/checkpoint.h"
#include "common/db/db.h"

struct as_join_scratch; /* store_joins.c */

#define AS_TAIL_BYTES (32 * 1024) /* of one row of ledger_tail */

struct as_ledger {
	struct as_accounts accounts;
	struct wr tail; /* what was posted since the last row, in `bytes` */
	uint8_t bytes[AS_TAIL_BYTES];
	uint64_t turn;            /* the last row of the tail */
	uint64_t fold_turn;       /* the fold that is under way, or was last, holds it up to here */
	uint64_t done_turn;       /* every account holds it up to here */
	uint64_t shed_turn;       /* its rows are gone up to here */
	uint32_t hour, fold_hour; /* of the last posting; when the last fold began */
	char journal[32];         /* mark's name: of which journal of the network server */
	uint64_t journal_row;     /* the last that was posted of it */
};

struct as_store {
	struct db *city, *readings;
	struct checkpoint *city_checkpoint, *readings_checkpoint;
	char **record_sql; /* owned texts, made from the record schema */
	int record_base, desired_base, keys_base, items_base, device_base, city_base, imports_base,
		census_base, identity_base, audit_base, firmware_base, alarms_base, stock_base,
		replacements_base, custody_base;
	int joins_base, readings_base, ledger_base; /* of readings.db, behind the events' */
	int health_base, hearing_base;
	struct as_hearing hearing; /* who heard whom since the last fold */
	bool hearing_walks;        /* the forgetting goes on, once a day */
	int64_t hearing_day, hearing_at;
	struct as_join_scratch *join_scratch; /* owned, of store_joins.c */
	struct net_uuid city_id;
	uint64_t version;         /* of the desired state */
	uint64_t stored_version;  /* as city.db has it */
	uint64_t devices_version; /* of the last change of a device */
	uint64_t floor;           /* tombstones up to here are gone */
	uint64_t last_seq;
	struct as_reading_heads heads;
	struct as_ledger ledger;
	struct as_recent *recent; /* owned ring */
	uint64_t stored_events;   /* in the events table, for retention */
	int64_t items_last; /* the row of the newest downlink item ever, in this process: never given again */
	uint64_t items_version;  /* counts what is to be handed over */
	int64_t flush_last;      /* the last place in the order of flushes that was given */
	int64_t items_looked_at; /* by the pruning of downlink items: their rows up to here */
	bool health_walks;       /* the going through the gateways' series is under way */
	int64_t health_hour;     /* in which it began last */
	int64_t health_at;       /* the gateway that it came to */
	uint64_t keks_version;   /* counts changes of agencies' KEKs */
	bool failed;             /* a transaction could not be begun: the turn will not commit */
};

/* --- statements; each group is in the file of its name. */
#define AS_SQL_CITY 3
extern const char *const as_sql_city[AS_SQL_CITY];
extern const char *const as_sql_desired[];
extern const int as_sql_desired_count;
extern const char *const as_sql_keys[];
extern const int as_sql_keys_count;
extern const char *const as_sql_items[];
extern const int as_sql_items_count;
extern const char *const as_sql_device[];
extern const int as_sql_device_count;
extern const char *const as_sql_stock[];
extern const int as_sql_stock_count;
extern const char *const as_sql_replacements[];
extern const int as_sql_replacements_count;
extern const char *const as_sql_imports[];
extern const int as_sql_imports_count;
extern const char *const as_sql_identity[];
extern const int as_sql_identity_count;
extern const char *const as_sql_firmware[];
extern const int as_sql_firmware_count;
extern const char *const as_sql_audit[];
extern const int as_sql_audit_count;
extern const char *const as_sql_alarms[];
extern const int as_sql_alarms_count;
extern const char *const as_sql_custody[];
extern const int as_sql_custody_count;
extern const char *const as_sql_census[];
extern const int as_sql_census_count;
extern const char *const as_sql_events[];
extern const int as_sql_events_count;
extern const char *const as_sql_readings[];
extern const int as_sql_readings_count;
extern const char *const as_sql_joins[];
extern const int as_sql_joins_count;
extern const char *const as_sql_ledger[];
extern const int as_sql_ledger_count;
extern const char *const as_sql_health[];
extern const int as_sql_health_count;
extern const char *const as_sql_hearing[];
extern const int as_sql_hearing_count;

/* Makes the record statements; their count is as_records_sql_count(). Freed by as_records_sql_free(). */
char **as_records_sql_new(void);
int as_records_sql_count(void);
void as_records_sql_free(char **sql);

/* Opens the turn's transaction on a file where it is not open yet. */
enum status as_store_write_city(struct as_store *store) MUST_USE;
enum status as_store_write_readings(struct as_store *store) MUST_USE;

/* Binds ?1 and ?2 of a scoped query: the only way to fill as_scope_condition(). */
void as_store_bind_scope(struct db *db, int statement, const struct as_scope *scope);

/* Gives the record (`key` bound at parameter 2 by `bind_key`) the next version of the desired state. */
enum status as_store_bump(struct as_store *store, enum record_kind kind, int64_t eui,
			  const struct net_uuid *id, bool deleted) MUST_USE;
/* What is known of the desired state from the file; a scan, at the start alone. */
void as_store_desired_load(struct as_store *store);
void as_store_items_load(struct as_store *store);
/* Each resets the statements of its file that lend. */
void as_store_keys_release(struct as_store *store);
void as_store_events_release(struct as_store *store);
/* Frees what store_joins.c made. */
void as_store_joins_release(struct as_store *store);
enum status as_store_events_load(struct as_store *store) MUST_USE;
/* The first column of the first row as a number; `otherwise` when there is none, or null. */
uint64_t as_store_number(struct db *db, int statement, uint64_t otherwise);

/* --- readings, of store_events.c. */
struct as_reading;
enum status as_store_readings_load(struct as_store *store, struct rng *rng) MUST_USE;
enum status as_store_reading_put(struct as_store *store, uint64_t seq,
				 const struct as_reading *reading) MUST_USE;
/* In a turn that writes to readings.db: a slice of the heads that are due. */
enum status as_store_readings_fold(struct as_store *store) MUST_USE;

/* --- the ledger, of store_ledger.c. */
enum status as_store_ledger_load(struct as_store *store, struct rng *rng) MUST_USE;
void as_store_ledger_release(struct as_store *store);
/* In a turn that writes to readings.db: the turn's postings, and a slice of the accounts that are due. */
enum status as_store_ledger_fold(struct as_store *store) MUST_USE;

#endif
