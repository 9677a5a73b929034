/* The network server's core: the MAC layer between gateways and applications. Entry points take `now` and a message and
 * return; what is to be sent lies in the outbox, what must last in the journal's turn and the list of writes. The edge
 * commits both in one transaction, drains the outbox, and asks ns_next_deadline() (DESIGN 3 and 4). No clock, no
 * randomness of its own, no I/O.
 *
 *	uplink   network.c → dedup.c → uplink.c → mac/ → downlink.c (plan, fill, seal, send) → tx_ack.c
 *	join     network.c → dedup.c → join_flow.c ⇄ join server → downlink.c
 *	records  state_apply.c
 */
#ifndef LAMPPOST_NETWORK_SERVER_NETWORK_H
#define LAMPPOST_NETWORK_SERVER_NETWORK_H

#include "common/base/deadlines.h"
#include "common/base/decision.h"
#include "common/crypto/aes.h"
#include "common/crypto/secret.h"
#include "common/lorawan/region.h"
#include "common/proto/envelope.h"
#include "network-server/dedup.h"
#include "network-server/downlink_queue.h"
#include "network-server/extra_channels.h"
#include "network-server/foreign.h"
#include "network-server/frames.h"
#include "network-server/gateways.h"
#include "network-server/join_reports.h"
#include "network-server/join_storm.h"
#include "network-server/journal.h"
#include "network-server/outbox.h"
#include "network-server/session.h"
#include "network-server/strangers.h"
#include "network-server/verdict.h"

#define NS_LINKS_MAX    64
#define NS_PROFILES_MAX 1024
#define NS_WRITES_MAX   16384
#define NS_WRITE_BYTES  208
#define NS_WRITE_KEY    16

/* A turn ends early when it is full (ns_turn_is_full): then one more step, an event's or a tick's, still fits, whatever it
 * is, so that nothing which must last is ever dropped. The largest steps: an uplink's event, 8 KiB; the 32 items of a
 * device expiring or flushed, 16 KiB, 32 events; a sweep's rewriting in the commit, 171 KiB. */
#define NS_WRITES_RESERVE 64
#define NS_OUTBOX_RESERVE 256

struct ns_config {
	struct lw_net_id net_id;
	struct lw_dev_addr_prefix prefixes[NS_PREFIXES_MAX];
	uint8_t prefix_count;
	struct lw_eui_prefix join_eui_prefixes[NS_PREFIXES_MAX]; /* ours beside those of registered devices */
	uint8_t join_eui_prefix_count;
	const struct lw_region *regions; /* borrowed for ever */
	uint8_t region_count;
	struct lw_extra_channels extra[NS_REGIONS_MAX];       /* by region */
	struct lw_channel_mask channel_plans[NS_REGIONS_MAX]; /* by region; none: what the gateways hear */
	span_us dedup_window;
	uint8_t rx_delay_s; /* where a profile has none */
	uint64_t journal_limit;
	uint32_t max_devices, max_gateways, max_frames, max_remembered, max_downlinks, max_joins, max_items;
	uint32_t decisions; /* records of the ring, 32 bytes each: 42 MB, less until it has been filled */
	uint16_t partition;
	uint32_t epoch;
	const struct secret_master *master; /* borrowed for ever: seals session keys at rest */
	const struct secret_box *box;       /* borrowed for ever: opens keys of ABP devices */
	uint8_t kek[AES_KEY];               /* unwraps network session keys; label "network" */
	bool has_kek;
	struct bi_join_server join_servers
		[NS_JOIN_SERVER_PLACES]; /* others', by place; without a block: none there, or one that leaves */
	uint8_t join_server_count;       /* places that are looked at */
	bool first_come;                 /* no storm is ever seen: what its planning is compared with */
};

/* Fills the sizes for a city; net_id, prefixes, regions, master, box and kek are the caller's. */
void ns_config_defaults(struct ns_config *config);

struct ns_profile {
	struct net_profile record;
	uint32_t run;
	bool used;
	uint8_t region; /* number, in the profile's revision */
};

/* A row of desired state, or a fact beside the journal, to be written in the turn's transaction. */
enum ns_write_kind {
	NS_WRITE_PROFILE,  /* key: UUID */
	NS_WRITE_DEVICE,   /* key: DevEUI */
	NS_WRITE_GATEWAY,  /* key: EUI */
	NS_WRITE_RELEASED, /* key: DevAddr, 4 bytes big-endian; bytes: day */
	NS_WRITE_META      /* city and applied version */
};

struct ns_write {
	enum ns_write_kind kind;
	bool deleted;
	uint8_t key[NS_WRITE_KEY];
	uint8_t key_length;
	uint8_t bytes[NS_WRITE_BYTES];
	uint8_t length;
};

/* A bridge's link: its last message, and what may be acknowledged (see ns_on_uplink). */
struct ns_link {
	uint64_t id; /* 0: free */
	uint64_t seq;
	uint64_t ack_seq; /* acknowledged at `ack_due` */
	struct mono ack_due;
	bool ack_pending;
};

/* Sweeps of session rows (journal.h: folded). */
struct ns_fold {
	bool active;
	uint64_t first_row; /* rows below are covered when the sweep is done */
	uint32_t cursor;    /* next word of the dirty bits */
	uint32_t queue_cursor, airtime_cursor;
	struct mono next;
};

struct ns_state {
	struct net_uuid
		city; /* zero from the begin of a full run until it is applied, so that an interrupted one is
				 begun again */
	uint64_t applied_version;
	bool running; /* between begin and end */
	bool full;
	bool broken; /* a record of this run was not taken: the end is not acknowledged */
	struct net_uuid run_city;
	uint64_t last_version;
	uint32_t run; /* number of the last full one; records that it did not name go */
	/* After the end of a full run: what it did not name is being removed, a slice a turn. */
	bool sweeping;
	uint64_t end_version; /* acknowledged when that is done */
	uint32_t device_cursor, gateway_cursor;
	/* After a broken run: its records are asked for again, the pause doubling. Until then no end is acknowledged. */
	bool behind;
	struct mono ask_at;
	span_us pause;
};

/* The channels that devices of a region should have; made by ns_wanted() (mac/wish.c). */
struct ns_wanted {
	uint64_t version; /* of the gateway list + 1; 0: never made */
	uint16_t hash;    /* of its channels' definitions */
	struct lw_channel_plan plan;
};

/* Requests of one kind, since the start. */
struct ns_mac_counts {
	uint64_t asked, taken, refused;
	uint64_t unanswered; /* asked again without an answer */
};

struct ns_downlink; /* downlink.h */
struct ns_join;     /* join_flow.h */

struct ns {
	struct ns_config config;
	struct rng *rng; /* borrowed */
	struct aes *aes;
	struct ns_dedup dedup;
	struct ns_sessions sessions;
	struct ns_gateways gateways;
	struct ns_foreign foreign;
	struct ns_queue queue;
	struct ns_journal journal;
	struct ns_outbox outbox;
	struct ns_slab downlinks; /* struct ns_downlink */
	struct deadlines downlink_deadlines;
	struct table sealing; /* item → downlink that waits for it */
	uint64_t next_downlink_id;
	struct ns_slab joins; /* struct ns_join */
	struct deadlines join_deadlines;
	struct table joins_by_transaction;
	struct ns_join_server_state join_server_states[NS_JOIN_SERVER_PLACES]; /* as config.join_servers */
	struct ns_join_reports join_reports;
	struct ns_storm storm;
	struct ns_strangers strangers;
	struct ns_frames frames;
	struct ns_profile *profiles;                                           /* NS_PROFILES_MAX */
	struct lw_region *revised[LW_REGIONAL_REVISION_COUNT][NS_REGIONS_MAX]; /* owned: regions.c */
	struct ns_wanted wanted[NS_REGIONS_MAX];                               /* by base */
	struct ns_link links[NS_LINKS_MAX];
	struct ns_write *writes; /* NS_WRITES_MAX */
	size_t write_count;
	struct ns_fold fold;
	struct ns_state state;
	bool app_connected;
	struct ns_frame frame;       /* scratch of the frame being handled */
	struct proto_message *event; /* scratch for packing events */
	uint8_t *packed;             /* scratch, NS_JOURNAL_ENTRY_MAX */
	/* off_plan.h: how many gateways are raised, when they are looked at again, changes and receptions since the start */
	uint64_t off_plan_raised, off_plan_changes, off_plan_receptions;
	struct mono off_plan_check;
	struct decision_ring decisions; /* why/record.h */
	uint64_t drops[NS_DROP_COUNT];
	struct ns_mac_counts mac_counts[NS_MAC_KINDS];
	uint64_t receptions, uplinks, joins_done, downlinks_sent, downlinks_acked, repeats_answered;
	uint64_t counter_restarts; /* of ABP devices, accepted */
	uint64_t uplinks_too_long; /* for their data rate; accepted */
	/* Class A answers and join-accepts, and how many of them left early enough; late: commands that came after an
	 * answer's time, which are not among the answers. */
	uint64_t answers, answers_early, accepts, accepts_early, late_commands;
};

/* Makes a core; aborts without memory. `rng` is borrowed until released. */
void ns_init(struct ns *ns, const struct ns_config *config, struct rng *rng);
void ns_release(struct ns *ns);

/* --- bridges. `link` is the edge's id of the link, never 0; `seq` the message's. --- */
void ns_on_bridge(struct ns *ns, struct now now, uint64_t link);
void ns_on_bridge_gone(struct ns *ns, struct now now, uint64_t link);
/* One reception. Acknowledged (by seq) only when every frame that came up to then is committed: some time after the
 * window, so that a bridge repeats what a crash took out of an open window. */
void ns_on_uplink(struct ns *ns, struct now now, uint64_t link, uint64_t seq, const struct gw_uplink *uplink);
void ns_on_tx_ack(struct ns *ns, struct now now, const struct gw_tx_ack *ack);
void ns_on_stats(struct ns *ns, struct now now, uint64_t link, uint64_t seq, const struct gw_stats *stats);
void ns_on_presence(struct ns *ns, struct now now, uint64_t link, uint64_t seq,
		    const struct gw_presence *presence);
/* Any other message of a bridge that counts for the acknowledgement. */
void ns_on_seq(struct ns *ns, struct now now, uint64_t link, uint64_t seq);
/* Fills one part of the gateway list, from `*cursor` (0 at first) on. Returns false when it was the last. */
bool ns_gateway_list_part(const struct ns *ns, uint32_t *cursor, struct gw_gateway_list *list);

/* --- the application server --- */
void ns_on_app(struct ns *ns, bool connected);
void ns_on_event_stored(struct ns *ns, struct now now, const struct net_event_stored *stored);
void ns_on_state_begin(struct ns *ns, struct now now, const struct net_state_begin *begin);
void ns_on_profile(struct ns *ns, struct now now, const struct net_profile *profile);
void ns_on_device(struct ns *ns, struct now now, const struct net_device *record);
void ns_on_gateway(struct ns *ns, struct now now, const struct net_gateway *gateway);
void ns_on_state_end(struct ns *ns, struct now now, const struct net_state_end *end);
/* Goes on with removing, asks again; from ns_on_tick(). */
void ns_state_tick(struct ns *ns, struct now now);
void ns_on_enqueue(struct ns *ns, struct now now, const struct net_enqueue *enqueue);
void ns_on_flush(struct ns *ns, struct now now, const struct net_flush *flush);
void ns_on_force_rejoin(struct ns *ns, struct now now, const struct net_force_rejoin *wanted);
void ns_on_sealed(struct ns *ns, struct now now, const struct net_sealed *sealed);

/* --- join servers. `answer` is NULL when the call failed (it is made again by itself while there is time). An answer has been
 * matched to its request (bi_answer_match). --- */
void ns_on_join_answer(struct ns *ns, struct now now, uint32_t transaction, const struct bi_message *answer);
/* A call to another's join server failed; `cause` is for people: "HTTP 500". */
void ns_on_join_failure(struct ns *ns, struct now now, uint32_t transaction, const char *cause);

/* --- time --- */
void ns_on_tick(struct ns *ns, struct now now);
struct mono ns_next_deadline(const struct ns *ns);

/* --- start: rows first (profiles, then devices, gateways, released, sessions), then the journal's tail, in order. A row
 * that cannot be is skipped and false returned. --- */
bool ns_load_write(struct ns *ns, enum ns_write_kind kind, const uint8_t *key, size_t key_length,
		   const uint8_t *bytes, size_t length);
bool ns_load_session(struct ns *ns, uint32_t slot, const uint8_t *bytes, size_t length);
bool ns_replay(struct ns *ns, struct now now, const struct ns_journal_entry *entry);
void ns_loaded(struct ns *ns, struct now now);

/* --- for the store --- */
/* Fills at most `max` slots whose rows are to be written (or removed) this turn; their dirty bits are cleared. Begins a
 * sweep where one is due. */
size_t ns_fold_slice(struct ns *ns, struct now now, uint32_t *slots, size_t max);
/* The turn is durable. */
void ns_turn_done(struct ns *ns);
/* Whether the turn has to be committed before anything else is handled. The edge asks before each message. */
bool ns_turn_is_full(const struct ns *ns);

/* --- shared by the flows --- */
/* Counts alone: copies and foreign frames. All else is recorded as well: ns_record_drop() (why/record.h). */
void ns_count(struct ns *ns, enum ns_drop drop);
/* Writes an event's common head, packs it and appends it to journal and outbox. `head` (of the uplink's entry) may be
 * empty. ST_FULL: nothing was done. */
enum status ns_emit(struct ns *ns, struct now now, enum ns_journal_kind kind, const uint8_t *head,
		    size_t head_length, struct proto_message *message,
		    struct net_event_head *event_head) MUST_USE;
/* A zeroed message to fill for ns_emit(). */
struct proto_message *ns_event(struct ns *ns, enum proto_kind kind);
/* Appends what must last; there is room (NS_JOURNAL_RESERVE). */
void ns_journal_put(struct ns *ns, enum ns_journal_kind kind, const uint8_t *head, size_t head_length,
		    const uint8_t *body, size_t body_length);
/* Journals a session whole; `kind` SESSION or MAC_REQUEST. */
void ns_journal_session(struct ns *ns, enum ns_journal_kind kind, uint32_t slot);
/* Draws a tag (session.h). */
uint32_t ns_new_tag(struct ns *ns);
void ns_journal_session_gone(struct ns *ns, uint32_t slot, uint32_t tag);
/* Takes a session out for good: its address rests for 30 days. */
void ns_drop_session(struct ns *ns, struct now now, uint32_t slot);
/* Lends a row to fill that is written with the turn; there is room (NS_WRITES_RESERVE). */
struct ns_write *ns_write(struct ns *ns, enum ns_write_kind kind, const uint8_t *key, size_t key_length);
/* Lends the region of a number: the configuration's (`gateway->region`), or the same in an older revision, which profiles and sessions
 * may have (regions.c). */
const struct lw_region *ns_region(const struct ns *ns, uint8_t number);
/* The number of the same region as the configuration has it. */
uint8_t ns_region_base(uint8_t number);
/* The number of the region with that base in a revision; the base itself where nothing differs. */
uint8_t ns_region_in(struct ns *ns, uint8_t base, enum lw_regional_revision revision);
/* Whether a stored number means a region here; ns_region() may be asked then. */
bool ns_region_is_there(struct ns *ns, uint8_t number);
void ns_regions_release(struct ns *ns);
/* Returns the base number of a region by id, or −1. */
int ns_region_find(const struct ns *ns, const char *id);
const struct ns_profile *ns_profile_of(const struct ns *ns, const struct ns_device *device);
uint64_t ns_link_of(const struct ns *ns, const struct lw_eui64 *gateway);
/* Seals a stored session's place in the rows. */
size_t ns_session_row(const struct ns *ns, uint32_t slot, uint8_t bytes[NS_SESSION_BYTES]);

#endif
