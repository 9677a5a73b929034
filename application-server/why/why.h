/* The application server's own part of an answer to "why?" (common/text/why.h): facts of its records, and what it decided itself,
 * as decisions in the common form. The edge (edge_why.h) asks the other processes and puts all of it together.
 *
 *	decided when            kept in            rows
 *	a join-request          readings.db        net_join_row() (common/proto/join_verdicts.c)
 *	a downlink moves        city.db            as_item_row()
 *	an uplink is decoded,
 *	a command comes in,
 *	an item is sealed, an
 *	AppSKey is asked for    memory (rules.h)   as_rules */
#ifndef LAMPPOST_AS_WHY_H
#define LAMPPOST_AS_WHY_H

#include "application-server/api/api.h"
#include "application-server/store_items.h"
#include "common/base/decision_text.h"
#include "common/proto/join_report.h"
#include "common/text/why.h"

/* A question on its way. */
struct as_why {
	struct why_subject subject;
	struct as_scope scope; /* of who asks: decisions about devices that it does not show are left out */
	struct wall since;     /* .us 0: all */
	struct wall
		registered; /* an agency is not shown what was decided before: the EUI may have been another's; .us 0: all */
	unsigned limit;
	json_t *facts, *decisions; /* owned; may be NULL */
	char looked_up
		[LW_EUI64_TEXT]; /* the device that as_why_shows() looked up last, and what came of it */
	bool seen;
};
void as_why_free(struct as_why *why); /* NULL is allowed */

/* Whether a decision is for the eyes of that scope. */
bool as_why_shows(struct as_store *store, struct as_why *why, const json_t *decision);

/* --- facts: members as why_question.facts wants them; new objects. `record` NULL: not registered. */
json_t *as_why_device_facts(struct as_api *api, const json_t *record, const struct lw_eui64 *dev_eui);
json_t *as_why_gateway_facts(const json_t *record);
json_t *as_why_item_facts(const struct as_item *item, const char *device_name);

/* --- own decisions, appended to an array. ST_DATABASE as of the store. */
/* What a verdict of a join means to whoever asks. */
enum decision_kind as_why_join_kind(const struct net_join_row *row);
/* `json` is new and taken; `verdict` is static or outlives the call. */
json_t *as_why_decision(struct wall time, const char *verdict, enum decision_kind kind, const char *sentence,
			const char *next, json_t *numbers);
enum status as_why_add_joins(struct as_api *api, struct now now, const struct as_scope *scope,
			     const struct lw_eui64 *dev_eui, bool registered, json_t *decisions) MUST_USE;
/* The changes of one item, and those of the last items of a device. */
enum status as_why_add_item(struct as_api *api, const struct as_item *item, json_t *decisions) MUST_USE;
enum status as_why_add_items(struct as_api *api, const struct as_scope *scope, const struct lw_eui64 *dev_eui,
			     json_t *decisions) MUST_USE;
/* What stands in the ring about a device. */
void as_why_add_kept(struct as_api *api, const struct lw_eui64 *dev_eui, json_t *decisions);

/* What a downlink's state says, one row a status. */
struct as_item_row {
	const char *sentence; /* without a full stop: its numbers follow */
	const char *next;     /* "" where nothing is to be done */
	enum decision_kind kind;
};
const struct as_item_row *as_item_row(enum net_item_status status);

#endif
