/* The ledger: what each device lost, and who used the air (features: loss from counter gaps; airtime by agency, device and gateway).
 *
 *	posting ──▶ tail, with the turn's commit ──▶ accounts in memory (ledger/accounts.h) ──a fold, in slices──▶ rows
 *	                                                                                    and the tail's rows go
 *
 * Exact: an event posts once (uplinks by their unique event id, all others by the row of the network server's journal, which
 * only grows), its posting is durable with it, and each account knows up to which turn it holds the tail. A fold is due when
 * enough has changed, and once an hour. Days and hours are UTC.
 *
 * Loss: the network server says of each uplink which counters were passed over right before it; those and the uplink itself are
 * `expected`, the uplink is `received`. One that comes late is received on the day on which its loss was booked. A join or a restart
 * of the counters begins another run of them, which begins at 0. */
#ifndef LAMPPOST_AS_STORE_LEDGER_H
#define LAMPPOST_AS_STORE_LEDGER_H

#include "application-server/agencies/scope.h"
#include "application-server/ledger/accounts.h"
#include "application-server/store.h"

#define AS_REPAIR_DAYS 32 /* a loss that was booked earlier is not repaired any more */

/* --- posting, within the turn's transaction */
enum status as_store_post(struct as_store *store, const struct as_posting *posting) MUST_USE;
/* Whether an event of the network server is new to the ledger: by its row. Notes it. For events that have no row of their own here. */
enum status as_store_post_is_new(struct as_store *store, const struct net_event_head *head,
				 bool *is_new) MUST_USE;
/* The day on which the loss of a counter was booked; 0: it was not. */
uint32_t as_store_lost_on(struct as_store *store, int64_t dev_eui, uint32_t count, uint32_t fcnt,
			  uint32_t today);
/* Once a while: begins the hour's fold, and removes what is older than `before`, a slice. `*more`: there is more to do. */
enum status as_store_ledger_tick(struct as_store *store, struct wall now, struct wall before,
				 bool *more) MUST_USE;

/* --- reading: rows and memory together */
/* Fills the account of a device's day; zeroes where there was nothing. */
void as_store_day(struct as_store *store, int64_t dev_eui, uint32_t day, struct as_day_account *account);
/* Fills the day on which the device was heard last. False: never, or before what is kept. */
bool as_store_heard_last(struct as_store *store, int64_t dev_eui, struct wall now,
			 struct as_day_account *account);
/* Fills an agency's hour: of a gateway, or of all (0). */
void as_store_hour(struct as_store *store, const struct net_uuid *agency, int64_t gateway, uint32_t hour,
		   struct as_hour_account *account);
/* Fills the sum of an agency's hours from the one to the other, both included. */
void as_store_agency_air(struct as_store *store, const struct net_uuid *agency, uint32_t first_hour,
			 uint32_t last_hour, struct as_hour_account *sum);
/* A gateway's downlinks from the one hour to the other, both included, in sums by agency; an agency may come more than once. */
enum status as_store_gateway_air(struct as_store *store, int64_t gateway, uint32_t first_hour,
				 uint32_t last_hour,
				 void (*each)(void *ctx, const struct as_hour_account *sum),
				 void *ctx) MUST_USE;

/* --- what devices said of themselves, newest first */
struct as_said {
	struct net_uuid agency;
	bool has_agency;
	struct wall time;
	uint8_t battery;
	int16_t margin_db;
};
enum status as_store_said_put(struct as_store *store, int64_t dev_eui, const struct as_said *said) MUST_USE;
enum status as_store_said_list(struct as_store *store, int64_t dev_eui, unsigned limit,
			       void (*each)(void *ctx, const struct as_said *said), void *ctx) MUST_USE;

#endif
