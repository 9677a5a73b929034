#include "application-server/ledger/accounts.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

void as_accounts_init(struct as_accounts *accounts, struct rng *rng)
{
	*accounts = (struct as_accounts){
		.folding_days = calloc(AS_ACCOUNTS_MAX, sizeof *accounts->folding_days),
		.folding_hours = calloc(AS_ACCOUNTS_MAX, sizeof *accounts->folding_hours),
	};
	ASSERT(accounts->folding_days && accounts->folding_hours);
	table_init(&accounts->days, AS_ACCOUNTS_MAX, sizeof(struct as_day_account), sizeof(struct as_day_key),
		   rng);
	table_init(&accounts->hours, AS_ACCOUNTS_MAX, sizeof(struct as_hour_account),
		   sizeof(struct as_hour_key), rng);
}

void as_accounts_release(struct as_accounts *accounts)
{
	if (accounts->folding_days) {
		table_release(&accounts->days);
		table_release(&accounts->hours);
	}
	free(accounts->folding_days);
	free(accounts->folding_hours);
	*accounts = (struct as_accounts){0};
}

bool as_accounts_full(const struct as_accounts *accounts)
{
	return accounts->days.count + AS_ACCOUNTS_STEP > AS_ACCOUNTS_MAX ||
	       accounts->hours.count + AS_ACCOUNTS_STEP > AS_ACCOUNTS_MAX;
}

/* --- order --------------------------------------------------------------------------------------------------- */

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* As the rows stand: their key is signed. */
static int by_day(const void *a, const void *b)
{
	const struct as_day_account *x = a, *y = b;
	int day = compare(x->key.day, y->key.day);
	return day ? day : (x->key.dev_eui > y->key.dev_eui) - (x->key.dev_eui < y->key.dev_eui);
}

static int by_hour(const void *a, const void *b)
{
	const struct as_hour_account *x = a, *y = b;
	int order = memcmp(x->key.agency.bytes, y->key.agency.bytes, sizeof x->key.agency.bytes);
	if (order == 0)
		order = (x->key.gateway > y->key.gateway) - (x->key.gateway < y->key.gateway);
	return order ? order : compare(x->key.hour, y->key.hour);
}

/* --- posting ------------------------------------------------------------------------------------------------- */

/* Lends the day's account; NULL: its row has the turn already. */
static struct as_day_account *day_of(struct as_accounts *accounts, int64_t dev_eui, uint32_t day,
				     uint64_t turn, const struct as_upto *upto)
{
	const struct as_day_key key = {dev_eui, day};
	bool made;
	struct as_day_account *account = table_put(&accounts->days, &key, &made);
	ASSERT(account); /* as_accounts_full() */
	if (made && turn)
		account->upto = upto->day(upto->ctx, &key);
	if (turn && turn <= account->upto)
		return NULL;
	account->changed = true;
	return account;
}

static struct as_hour_account *hour_of(struct as_accounts *accounts, const struct as_posting *posting,
				       int64_t gateway, uint64_t turn, const struct as_upto *upto)
{
	const struct as_hour_key key = {posting->agency, gateway, as_hour_of(posting->at)};
	bool made;
	struct as_hour_account *account = table_put(&accounts->hours, &key, &made);
	ASSERT(account);
	if (made && turn)
		account->upto = upto->hour(upto->ctx, &key);
	if (turn && turn <= account->upto)
		return NULL;
	account->changed = true;
	return account;
}

static bool is_downlink(enum as_posting_kind kind)
{
	return kind == AS_POST_JOIN_ACCEPT || kind == AS_POST_ITEM || kind == AS_POST_MAC;
}

static void hear(struct as_day_account *account, const struct as_posting *posting)
{
	if (!account->heard || account->count != posting->count)
		account->low = posting->fcnt - posting->missed;
	account->heard = true;
	account->count = posting->count;
	account->fcnt = posting->fcnt;
	account->seen = posting->at;
	account->gateways = posting->gateways;
	account->dr = posting->dr;
	account->spreading_factor = posting->spreading_factor;
	account->bandwidth_hz = posting->bandwidth_hz;
}

static void add_to_day(struct as_day_account *account, const struct as_posting *posting)
{
	int64_t sign = posting->flags & AS_POST_BACK ? -1 : 1;
	bool down = is_downlink(posting->kind);
	account->agency = posting->agency;
	account->up_us += down ? 0 : posting->airtime_us;
	account->ups += down ? 0 : 1;
	account->down_us += down ? sign * posting->airtime_us : 0;
	account->deaf_us += sign * posting->deaf_us;
	account->downs += down ? sign : 0;
	account->joins += posting->kind == AS_POST_JOIN_REQUEST;
	account->warned |= (posting->flags & AS_POST_WARNED_DEVICE) != 0;
	if (posting->kind != AS_POST_UPLINK)
		return;
	if (posting->flags & AS_POST_LATE) {
		account->expected += posting->repairs == 0;
		account->received += posting->repairs == 0;
		return;
	}
	account->expected += 1 + (int64_t)posting->missed;
	account->received++;
	hear(account, posting);
}

static void add_to_hour(struct as_hour_account *account, const struct as_posting *posting)
{
	int64_t sign = posting->flags & AS_POST_BACK ? -1 : 1;
	bool down = is_downlink(posting->kind);
	account->up_us += down ? 0 : posting->airtime_us;
	account->ups += down ? 0 : 1;
	account->down_us += down ? sign * posting->airtime_us : 0;
	account->deaf_us += sign * posting->deaf_us;
	account->downs += down ? sign : 0;
	account->warned |= (posting->flags & AS_POST_WARNED_AGENCY) != 0;
}

void as_accounts_post(struct as_accounts *accounts, const struct as_posting *posting, uint64_t turn,
		      const struct as_upto *upto)
{
	struct as_day_account *day = day_of(accounts, posting->dev_eui, as_day_of(posting->at), turn, upto);
	if (day)
		add_to_day(day, posting);
	if (posting->repairs) {
		day = day_of(accounts, posting->dev_eui, posting->repairs, turn, upto);
		if (day) {
			day->agency = posting->agency;
			day->received++;
		}
	}
	struct as_hour_account *hour = hour_of(accounts, posting, 0, turn, upto);
	if (hour)
		add_to_hour(hour, posting);
	if (posting->gateway) {
		hour = hour_of(accounts, posting, posting->gateway, turn, upto);
		if (hour)
			add_to_hour(hour, posting);
	}
}

/* --- what is in memory ----------------------------------------------------------------------------------------- */

/* `more` is newer than `total`. */
static void add_day(struct as_day_account *total, const struct as_day_account *more)
{
	total->agency = more->agency;
	total->expected += more->expected;
	total->received += more->received;
	total->up_us += more->up_us;
	total->down_us += more->down_us;
	total->deaf_us += more->deaf_us;
	total->ups += more->ups;
	total->downs += more->downs;
	total->joins += more->joins;
	total->warned |= more->warned;
	if (!more->heard)
		return;
	if (!total->heard || total->count != more->count)
		total->low = more->low;
	total->heard = true;
	total->count = more->count;
	total->fcnt = more->fcnt;
	total->seen = more->seen;
	total->gateways = more->gateways;
	total->dr = more->dr;
	total->spreading_factor = more->spreading_factor;
	total->bandwidth_hz = more->bandwidth_hz;
}

static void add_hour(struct as_hour_account *total, const struct as_hour_account *more)
{
	total->up_us += more->up_us;
	total->down_us += more->down_us;
	total->deaf_us += more->deaf_us;
	total->ups += more->ups;
	total->downs += more->downs;
	total->warned |= more->warned;
}

void as_accounts_add_day(const struct as_accounts *accounts, struct as_day_account *total)
{
	const struct as_day_account key = {.key = total->key};
	const struct as_day_account *found = NULL;
	if (accounts->day_next < accounts->day_count)
		found = bsearch(&key, accounts->folding_days + accounts->day_next,
				accounts->day_count - accounts->day_next, sizeof *found, by_day);
	if (found && found->changed)
		add_day(total, found);
	found = table_get(&accounts->days, &total->key);
	if (found && found->changed)
		add_day(total, found);
}

void as_accounts_add_hour(const struct as_accounts *accounts, struct as_hour_account *total)
{
	const struct as_hour_account key = {.key = total->key};
	const struct as_hour_account *found = NULL;
	if (accounts->hour_next < accounts->hour_count)
		found = bsearch(&key, accounts->folding_hours + accounts->hour_next,
				accounts->hour_count - accounts->hour_next, sizeof *found, by_hour);
	if (found && found->changed)
		add_hour(total, found);
	found = table_get(&accounts->hours, &total->key);
	if (found && found->changed)
		add_hour(total, found);
}

static bool is_of(const struct as_hour_account *account, int64_t gateway, uint64_t first, uint64_t last)
{
	return account->changed && account->key.gateway == gateway && account->key.hour >= first &&
	       account->key.hour <= last;
}

void as_accounts_each_hour(const struct as_accounts *accounts, int64_t gateway, uint64_t first, uint64_t last,
			   void (*each)(void *ctx, const struct as_hour_account *account), void *ctx)
{
	const struct as_hour_account *account;
	for (size_t i = accounts->hour_next; i < accounts->hour_count; i++)
		if (is_of(&accounts->folding_hours[i], gateway, first, last))
			each(ctx, &accounts->folding_hours[i]);
	for (size_t at = 0; (account = table_next(&accounts->hours, &at));)
		if (is_of(account, gateway, first, last))
			each(ctx, account);
}

/* --- folding --------------------------------------------------------------------------------------------------- */

bool as_accounts_folding(const struct as_accounts *accounts)
{
	return accounts->day_next < accounts->day_count || accounts->hour_next < accounts->hour_count;
}

bool as_accounts_changed(const struct as_accounts *accounts)
{
	return accounts->days.count > 0 || accounts->hours.count > 0;
}

void as_accounts_begin(struct as_accounts *accounts)
{
	const void *entry;
	ASSERT(!as_accounts_folding(accounts));
	accounts->day_count = accounts->day_next = accounts->hour_count = accounts->hour_next = 0;
	for (size_t at = 0; (entry = table_next(&accounts->days, &at));)
		accounts->folding_days[accounts->day_count++] = *(const struct as_day_account *)entry;
	for (size_t at = 0; (entry = table_next(&accounts->hours, &at));)
		accounts->folding_hours[accounts->hour_count++] = *(const struct as_hour_account *)entry;
	table_clear(&accounts->days);
	table_clear(&accounts->hours);
	qsort(accounts->folding_days, accounts->day_count, sizeof *accounts->folding_days, by_day);
	qsort(accounts->folding_hours, accounts->hour_count, sizeof *accounts->folding_hours, by_hour);
}

const struct as_day_account *as_accounts_take_day(struct as_accounts *accounts)
{
	while (accounts->day_next < accounts->day_count) {
		const struct as_day_account *day = &accounts->folding_days[accounts->day_next++];
		if (day->changed)
			return day;
	}
	return NULL;
}

const struct as_hour_account *as_accounts_take_hour(struct as_accounts *accounts)
{
	while (accounts->hour_next < accounts->hour_count) {
		const struct as_hour_account *hour = &accounts->folding_hours[accounts->hour_next++];
		if (hour->changed)
			return hour;
	}
	return NULL;
}
