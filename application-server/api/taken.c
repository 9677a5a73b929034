#include "application-server/api/taken.h"

#include "application-server/identity/audit.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"
#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the two tables say of it. */
struct found {
	bool registered, shelved;
	struct as_stock device, stock; /* of `device` only the agency */
};

static enum status look(struct as_store *store, const struct lw_eui64 *dev_eui, struct found *found)
{
	enum status status = as_store_device_root_keys(store, dev_eui, &found->device);
	found->registered = status == ST_OK;
	if (status == ST_OK || status == ST_NOT_FOUND) {
		status = as_store_stock_get(store, dev_eui, &found->stock);
		found->shelved = status == ST_OK;
	}
	return status == ST_NOT_FOUND ? ST_OK : status;
}

static bool sees(const struct as_scope *scope, const struct as_stock *row)
{
	return as_scope_sees(scope, row->has_holder ? &row->holder : NULL);
}

static enum as_taken judge(const struct as_scope *scope, const struct found *found)
{
	bool own_shelf = found->shelved && sees(scope, &found->stock);
	if (!found->registered && !(found->shelved && found->stock.waits))
		return AS_FREE;
	if (found->registered && sees(scope, &found->device))
		return AS_TAKEN_SEEN;
	if (!found->registered)
		return own_shelf ? AS_TAKEN_WAITS : AS_TAKEN_ELSEWHERE;
	return own_shelf ? AS_TAKEN_LEFT : AS_TAKEN_ELSEWHERE;
}

/* Who has it, for the city's engineers. */
static void name_owner(struct as_store *store, const struct found *found, char detail[AS_AUDIT_DETAIL_MAX])
{
	static const struct as_scope everything = {.role = AS_CITY};
	const struct as_stock *row = found->registered ? &found->device : &found->stock;
	char id[AS_UUID_TEXT];
	const char *slug = NULL;
	json_t *agency = NULL;
	if (row->has_holder && as_store_record_get(store, &everything, RECORD_AGENCY,
						   as_uuid_format(id, &row->holder), &agency) == ST_OK)
		slug = json_string_value(json_object_get(agency, "slug"));
	snprintf(detail, AS_AUDIT_DETAIL_MAX, "%s %s",
		 found->registered ? "registered by" : "on the shelf of", slug ? slug : "the city");
	json_decref(agency);
}

static enum status refer(const struct as_asking *asking, const struct lw_eui64 *dev_eui,
			 const struct found *found, uint64_t *reference)
{
	struct as_audit_row row;
	const char *who = asking->who ? asking->who : "nobody", *what = as_audit_name(AS_AUDIT_EUI_TAKEN);
	char eui[LW_EUI64_TEXT], detail[AS_AUDIT_DETAIL_MAX];
	lw_eui64_format(eui, dev_eui);
	name_owner(asking->store, found, detail);
	enum status status = as_audit_next(asking->store, eui, 0, &row);
	bool same = status == ST_OK && strcmp(row.what, what) == 0 && strcmp(row.who, who) == 0 &&
		    strcmp(row.detail, detail) == 0;
	if (!same && (status == ST_OK || status == ST_NOT_FOUND)) {
		status = as_audit_write(asking->store, asking->now, who, AS_AUDIT_EUI_TAKEN, eui, detail);
		if (status == ST_OK)
			status = as_audit_next(asking->store, eui, 0, &row);
	}
	if (status == ST_OK)
		*reference = row.seq;
	return status;
}

enum status as_eui_is_taken(const struct as_asking *asking, const struct lw_eui64 *dev_eui,
			    enum as_taken *taken, struct as_stock *shelf, char words[AS_TAKEN_WORDS])
{
	static const char *const plain[] = {
		[AS_FREE] = "",
		[AS_TAKEN_SEEN] = "is registered already",
		[AS_TAKEN_WAITS] = "waits to be claimed with its owner token: lamppost device claim",
		[AS_TAKEN_LEFT] = "was claimed from your shelf",
		[AS_TAKEN_ELSEWHERE] = ""};
	struct found found = {.registered = false};
	uint64_t reference;
	enum status status = look(asking->store, dev_eui, &found);
	if (status != ST_OK)
		return status;
	enum as_taken is = judge(asking->scope, &found);
	if (shelf)
		*shelf = found.shelved && sees(asking->scope, &found.stock)
				 ? found.stock
				 : (struct as_stock){.waits = false};
	snprintf(words, AS_TAKEN_WORDS, "%s", plain[is]);
	if (is == AS_TAKEN_ELSEWHERE) {
		status = refer(asking, dev_eui, &found, &reference);
		if (status != ST_OK)
			return status;
		snprintf(
			words, AS_TAKEN_WORDS,
			"is not free: if its label has a code with an owner token, claim it (lamppost device "
			"claim); else ask the city's engineers, reference %" PRIu64,
			reference);
	}
	*taken = is;
	return ST_OK;
}
