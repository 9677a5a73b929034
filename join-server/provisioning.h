/* Desired state from the city (docs/contract.md, join.sock): runs of device records, each applied in one transaction.
 *
 *	GET  /provisioning/v1/state    js_provisioning_state()
 *	POST /provisioning/v1/records  js_records_parse() → js_provisioning_apply() → js_applied_json()
 *
 * Increments: records in order of version; those up to the applied version are known already and skipped, so that a
 * run sent twice does no harm. They are taken only for the city that has been applied.
 *
 * Full runs:	     full: true              no flags                 end: true
 *	(any) ───────────────────────▶ in_run ──────────▶ in_run ────────────────────▶ applied for the new city
 *	             city := ''                            │ restart, another full run
 *	                                                   ▼
 *	                                              city is '', so the city begins again
 *
 * Every record of a full run carries the run's number. At the end all rows of older runs stop existing by one number in
 * the state; they are removed later in slices (js_join_on_tick), so that no call has to delete a million rows.
 *
 * A removed device keeps its nonces: it may come back with the same keys. */
#ifndef LAMPPOST_JOIN_SERVER_PROVISIONING_H
#define LAMPPOST_JOIN_SERVER_PROVISIONING_H

#include "join-server/join.h"

#include <jansson.h>

#define JS_RECORDS_MAX  500
#define JS_PROBLEM_TEXT 256

/* One record as it came. */
struct js_record {
	uint64_t version; /* 1 .. INT64_MAX */
	struct lw_eui64 dev_eui;
	bool deleted; /* the members below are then not set */
	bool enabled;
	struct lw_eui64 join_eui;
	enum lw_mac_version mac_version;
	uint8_t app_key[SEALED_KEY_LENGTH]; /* sealed to our box */
	uint8_t nwk_key[SEALED_KEY_LENGTH];
	uint8_t app_key_length; /* 0: null */
	uint8_t nwk_key_length;
	char app_kek_label[BI_LABEL_TEXT];
	bool has_home; /* home_net_id: the network that has it join */
	struct lw_net_id home;
};

struct js_records {
	char city[JS_CITY_TEXT];
	bool full;
	bool end;
	size_t count;
	struct js_record records[JS_RECORDS_MAX];
};

enum js_provisioning_verdict {
	JS_PROVISIONED,
	JS_PROVISIONING_OTHER_CITY, /* an increment of a city that has not been applied in full: 409 */
	JS_PROVISIONING_FAILED,     /* the store: 500, and the turn's commit fails as well */
};

struct js_applied {
	uint64_t applied_version; /* of the run while one is going on */
	size_t refused_count;
	struct {
		struct lw_eui64 dev_eui;
		const char *reason; /* static: "key_not_for_us"... */
	} refused[JS_RECORDS_MAX];
};

/* Reads a body. False with "PATH: what was expected" in `problem`; nothing is promised about `records` then. */
bool js_records_parse(const uint8_t *body, size_t length, struct js_records *records,
		      char problem[JS_PROBLEM_TEXT]);
/* Applies all of it, or nothing (JS_PROVISIONING_OTHER_CITY). A key that does not open leaves its device without a key
 * and is named in `applied`, as is a second key of one device. */
enum js_provisioning_verdict js_provisioning_apply(struct js_join *join, struct now now,
						   const struct js_records *records,
						   struct js_applied *applied);
/* {"applied_version": N, "refused": [...]}; the caller frees it with json_decref(). NULL: no memory. */
json_t *js_applied_json(const struct js_applied *applied);
/* {"city": UUID or "", "applied_version": N} */
json_t *js_provisioning_state(const struct js_join *join);

#endif
