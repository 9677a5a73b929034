/* The application server's core: what it does with the network server's events and requests. Everything it keeps goes
 * into the store's turn; what is to be said to others is said by the edges after the commit.
 *
 *	event ──▶ known device? ──▶ session key ──▶ decrypt ──▶ codec ──▶ event + reading (+ a place in every queue,
 *	              │no               │none, ciphertext is kept           by its seq)
 *	              └─ stored without an owner: for the city's engineers alone
 *
 * An event is never refused: whatever cannot be done with it, it is stored and acknowledged, so that the network server's
 * journal moves on. Repeats (at least once) meet the unique event id. */
#ifndef LAMPPOST_AS_APPLICATION_H
#define LAMPPOST_AS_APPLICATION_H

#include "application-server/events/codecs.h"
#include "application-server/events/downlink_json.h"
#include "application-server/health/health.h"
#include "application-server/keys.h"
#include "application-server/store.h"
#include "application-server/store_events.h"
#include "application-server/why/rules.h"
#include "common/backend/ts002.h"
#include "common/base/units.h"

#define AS_REGIONS_MAX 32

struct as_application_counters {
	uint64_t uplinks, joins, downlink_events;
	uint64_t repeats;                            /* events that were stored before */
	uint64_t unknown_devices;                    /* events of devices that are not registered */
	uint64_t no_session_key;                     /* uplinks kept as ciphertext */
	uint64_t app_keys[AS_APP_KEY_VERDICT_COUNT]; /* AppSKeyReq, by what became of it */
	uint64_t held_uplinks; /* delivered as ciphertext, since their key is the agency's alone */
	uint64_t codec_errors;
	uint64_t oversize_events; /* whose JSON did not fit: stored without the tags */
	uint64_t seals, seals_refused;
	uint64_t status_events;
	uint64_t items;          /* downlinks taken from agencies */
	uint64_t items_repeated; /* of those: known by their id already */
	uint64_t items_refused;  /* queue full, too long, id taken by others */
	uint64_t moves_repeated; /* changes of an item that had been here before */
	uint64_t moves_refused;  /* of an item that has ended */
	uint64_t moves_unknown;  /* of an item that is not here any more */
	uint64_t quota_warnings; /* devices and agencies whose uplinks went beyond their quota of the day */
};

/* An agency's uplink airtime of a day, kept for those that have a quota (quota.c). */
#define AS_AGENCY_DAYS 64
struct as_agency_day {
	struct net_uuid agency;
	uint32_t day;
	int64_t up_us;
	bool warned;
};

#define AS_FOREIGN_KEKS_MAX 16 /* as many as the configuration has join servers of others */

/* A KEK that the city shares with a join server of another (application-server.join_servers). */
struct as_foreign_kek {
	char label[BI_LABEL_TEXT];
	uint8_t key[16];
};

struct as_application {
	struct as_store *store;                                  /* borrowed */
	const struct as_keys *keys;                              /* borrowed */
	struct as_foreign_kek foreign_keks[AS_FOREIGN_KEKS_MAX]; /* edge_app_key_servers.c fills them */
	uint8_t foreign_kek_count;
	struct rng *rng; /* borrowed: ids of what begins here */
	const struct as_health
		*health; /* borrowed: where gateways with GPS stand; NULL: by their records alone */
	struct as_codecs codecs;
	struct as_region_lengths {
		char region[16];
		uint8_t longest;
	} regions[AS_REGIONS_MAX]; /* as they are asked for */
	size_t region_count;
	char served
		[NET_REGIONS_MAX]; /* ids of the regions that the network server serves; "": not heard of yet */
	uint64_t stored_row; /* of the network server's journal: all up to it is in this turn or before */
	struct as_application_counters counters;
	struct as_agency_day agency_days[AS_AGENCY_DAYS];
	size_t next_agency_day;
	struct decision_euis decisions; /* what was decided here, by device (why/rules.h) */
	char *json;                     /* owned scratch of AS_EVENT_MAX bytes */
};

/* Aborts if there is no memory (start-up only). */
void as_application_init(struct as_application *app, struct as_store *store, const struct as_keys *keys,
			 struct rng *rng);
void as_application_release(struct as_application *app);

/* Each stores what the event says; ST_DATABASE and ST_NO_MEMORY end the process (the turn will not commit). */
enum status as_application_on_up(struct as_application *app, struct now now,
				 const struct net_up_event *event) MUST_USE;
enum status as_application_on_join(struct as_application *app, struct now now,
				   const struct net_join_event *join) MUST_USE;
/* The next two are in downlinks/outcome.c. */
enum status as_application_on_downlink(struct as_application *app, struct now now,
				       const struct net_downlink_event *event) MUST_USE;
enum status as_application_on_status(struct as_application *app, struct now now,
				     const struct net_status_event *event) MUST_USE;

/* What was on the air beside uplinks: for the ledger alone, subscribers do not hear of it. */
enum status as_application_on_air(struct as_application *app, const struct net_air_event *event) MUST_USE;

/* Encrypts an item's payload under the counter that the network server has committed (DESIGN 2, "Who encrypts a
 * downlink"). Always fills `sealed`: `ok` false with a cause when there is no such item or no key. */
void as_application_on_seal(struct as_application *app, struct now now, const struct net_seal *asked,
			    struct net_sealed *sealed);

/* An ABP device's AppSKey, sealed to this process: opened, and kept as the session of zeroes. Returns NULL, or why it was
 * refused. `*status` as of the store. */
const char *as_application_take_abp_key(struct as_application *app, struct now now,
					const struct lw_eui64 *dev_eui,
					const uint8_t blob[NET_SEALED_KEY_SIZE], enum status *status);

/* --- for the core's own files. */
/* The last step of every event of the network server: a repeat is as good as stored, and the row is done with. */
enum status as_application_finish(struct as_application *app, const struct net_event_head *head,
				  enum status status) MUST_USE;
/* Stores an event for subscribers: `write` makes its JSON of `parts`; without its tags if they are too long for it. ST_EXISTS:
 * one with that id is stored already. */
enum status as_application_tell(struct as_application *app, enum as_event_kind kind,
				const struct net_uuid *id, const struct lw_eui64 *dev_eui, struct wall time,
				bool (*write)(char *text, size_t capacity, const void *parts,
					      const struct as_device_info *device, size_t *length),
				const void *parts) MUST_USE;
/* A log event that begins here, under an id of its own. */
enum status as_application_log(struct as_application *app, const struct as_log *log) MUST_USE;
/* The session key of a device in clear; false: none, or it does not open. */
bool as_application_session_key(struct as_application *app, const struct lw_eui64 *dev_eui,
				const struct net_session_id *session, struct lw_key *key);

#endif
