/* The accounts of loss and airtime that changed since they were last written (store_ledger.h): a device's day, and an agency's hour,
 * of all gateways and of each. In memory stand only the changes; what was written is in the rows, and both together are the
 * account.
 *
 *	post ──▶ changed ──a fold is due──▶ folding (sorted) ──slices──▶ rows
 *
 * While a fold is under way new changes gather beside it. Pure. */
#ifndef LAMPPOST_AS_ACCOUNTS_H
#define LAMPPOST_AS_ACCOUNTS_H

#include "application-server/ledger/posting.h"
#include "common/base/table.h"

#define AS_ACCOUNTS_FOLD 16384 /* changed accounts that are worth a fold */
#define AS_ACCOUNTS_MAX  (2 * AS_ACCOUNTS_FOLD)
#define AS_ACCOUNTS_STEP 2 /* that one posting changes at most, of days and of hours each */

struct as_day_key {
	int64_t dev_eui; /* as SQLite keeps it */
	uint64_t day;
};

struct as_day_account {
	struct as_day_key key;
	uint64_t upto; /* turn that its row holds, where that was asked for (at a start); 0 */
	bool changed;  /* else it is here for `upto` alone */
	struct net_uuid agency;
	int64_t expected, received;
	int64_t up_us, down_us, deaf_us;
	int64_t ups, downs, joins;
	bool warned;
	/* Of the last uplink that was not late. */
	bool heard;
	uint32_t count, low, fcnt;
	struct wall seen;
	uint16_t gateways;
	uint8_t dr, spreading_factor;
	uint32_t bandwidth_hz;
};

struct as_hour_key {
	struct net_uuid agency;
	int64_t gateway; /* 0: all */
	uint64_t hour;
};

struct as_hour_account {
	struct as_hour_key key;
	uint64_t upto;
	bool changed;
	int64_t up_us, down_us, deaf_us;
	int64_t ups, downs;
	bool warned;
};

struct as_accounts {
	struct table days, hours;              /* changed */
	struct as_day_account *folding_days;   /* owned, sorted by day and device; AS_ACCOUNTS_MAX */
	struct as_hour_account *folding_hours; /* owned, sorted by agency, gateway, hour; AS_ACCOUNTS_MAX */
	size_t day_count, day_next, hour_count, hour_next;
};

void as_accounts_init(struct as_accounts *accounts, struct rng *rng);
void as_accounts_release(struct as_accounts *accounts);
/* Whether one more posting may find no room. */
bool as_accounts_full(const struct as_accounts *accounts);

/* Adds a posting. `turn` 0: it is new. Else it is of that turn's row and read again: `upto` says of an account that is not in
 * memory yet which turn its row holds, and what it holds is not added again. */
struct as_upto {
	uint64_t (*day)(void *ctx, const struct as_day_key *key);
	uint64_t (*hour)(void *ctx, const struct as_hour_key *key);
	void *ctx;
};
void as_accounts_post(struct as_accounts *accounts, const struct as_posting *posting, uint64_t turn,
		      const struct as_upto *upto);

/* Adds what is in memory of an account to `total` (whose key is set), which may be its row. */
void as_accounts_add_day(const struct as_accounts *accounts, struct as_day_account *total);
void as_accounts_add_hour(const struct as_accounts *accounts, struct as_hour_account *total);

/* Of a gateway, in hours from `first` to `last`. */
void as_accounts_each_hour(const struct as_accounts *accounts, int64_t gateway, uint64_t first, uint64_t last,
			   void (*each)(void *ctx, const struct as_hour_account *account), void *ctx);

/* --- folding */
bool as_accounts_folding(const struct as_accounts *accounts);
bool as_accounts_changed(const struct as_accounts *accounts);
/* Takes all that changed into a fold; none is under way. */
void as_accounts_begin(struct as_accounts *accounts);
/* The next account to write, or NULL: all days have been. */
const struct as_day_account *as_accounts_take_day(struct as_accounts *accounts);
const struct as_hour_account *as_accounts_take_hour(struct as_accounts *accounts);

#endif
