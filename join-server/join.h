/* The join server's core: a message of TS002 comes in, its answer goes out. Pure over its store, its clock reading and its
 * generator; the edge (edge_joins.h) commits before anything leaves (invariants 3 and 8).
 *
 * A join is five steps, in this order (TS001 §6.2, TS002 §8, mac-layer 7):
 *
 *	1. read      the message, what the peer was granted, its sender, its receiver; a retry gets its old answer
 *	2. find      our record of the device
 *	3. verify    the frame and its MIC: nothing is used up before the MIC has proved the device
 *	4. take      the DevNonce by the policy of our record, and the next JoinNonce; both saved
 *	5. answer    the join-accept, the session keys, each in its envelope
 *
 * A rejoin takes the same steps (rejoin.c); its count stands where the DevNonce does. The MIC of types 0 and 2 is made with
 * a session key that only the network server has, so these two are taken from the network alone that the device's last
 * accept was made for: another's word is no proof that the device asked.
 *
 * HomeNSReq and AppSKeyReq are answered from what the joins left (lookups.c).
 *
 * Envelopes: network keys under the label of the peer, else under `network` for our own NetID and under the six digits of
 * the NetID for another's; the AppSKey under the label of the device's record. Without such a key the join is refused: a
 * session key never leaves in clear. */
#ifndef LAMPPOST_JOIN_SERVER_JOIN_H
#define LAMPPOST_JOIN_SERVER_JOIN_H

#include "common/base/decision_euis.h"
#include "common/base/rng.h"
#include "common/base/units.h"
#include "common/crypto/aes.h"
#include "common/lorawan/join_answer.h"
#include "join-server/audit.h"
#include "join-server/keks.h"
#include "join-server/peers.h"
#include "join-server/retry_cache.h"
#include "join-server/store.h"
#include "join-server/verdict.h"

#define JS_KEKS_MAX          18
#define JS_KEK_NETWORK       "network"
#define JS_KEK_APPLICATION   "application"
#define JS_SWEEP_SLICE       256 /* devices looked at in one tick */
#define JS_SWEEP_INTERVAL_US (5 * US_PER_MS)
#define JS_SESSION_SPAN_US \
	(30 * 86400 * US_PER_S)               /* AppSKeys are kept as long where the options say nothing */
#define JS_SESSION_CYCLE_US (3600 * US_PER_S) /* between two sweeps of those */

struct js_options {
	struct lw_net_id net_id;         /* ours */
	struct lw_kek keks[JS_KEKS_MAX]; /* of the configuration's files */
	size_t kek_count;
	struct js_store store;
	struct js_key_vault vault;
	struct aes *aes;        /* borrowed for the core's life */
	struct rng *rng;        /* borrowed for the core's life */
	uint32_t retry_entries; /* 0: JS_RETRY_ENTRIES */
	span_us session_span;   /* 0: JS_SESSION_SPAN_US */
	const struct js_peers
		*peers; /* borrowed for the core's life: whose devices are at home where; NULL: nobody's */
};

#define JS_MIC         4      /* bytes */
#define JS_WHY_RECORDS 131072 /* 4 MB */
#define JS_WHY_DEVICES 65536  /* whose last verdict is kept */

struct js_counters {
	uint64_t verdicts[JS_VERDICT_COUNT];
	uint64_t records;       /* applied */
	uint64_t records_stale; /* known already */
	uint64_t keys_refused;
	uint64_t allowed_once; /* joins with a DevNonce that only a person's word let pass (allow_once.h) */
	uint64_t swept;        /* ticks of the sweep */
};

/* The core. Not opaque, so that tests can look; changed by join.c and provisioning.c alone. */
struct js_join {
	struct js_options options;
	struct js_retry_cache retries;
	struct js_counters counters;
	struct js_state state;
	struct js_keks keks; /* all of them */
	struct js_audit audit;
	/* A full run that is going on; forgotten by a restart, after which the city starts it again. */
	bool in_run;
	char run_city[JS_CITY_TEXT];
	uint64_t run_version;
	/* The sweep of rows of older runs. */
	uint64_t sweep_at;
	struct mono sweep_due;
	/* And of AppSKeys that have expired. */
	uint64_t sessions_at;
	struct mono sessions_due;
	struct js_nonces nonces; /* scratch of one join */
	/* What was decided, by DevEUI (js_rules); what names no device of ours stands under the EUI of zeroes (invariant 12). */
	struct decision_euis decisions;
};

/* What happened, with its numbers: for logs, metrics and `lamppost why`. */
struct js_outcome {
	enum js_verdict verdict;
	enum bi_type type;
	bool has_device; /* the device is one of ours: only then may its DevEUI be logged (invariant 12) */
	struct lw_eui64 dev_eui;
	struct lw_eui64 join_eui;
	enum js_request request; /* what was asked */
	uint16_t
		dev_nonce; /* of a rejoin: RJcount. As the frame claims it; proved from JS_LATE_COPY on, and when accepted */
	uint16_t last_dev_nonce; /* that it was judged by */
	uint32_t join_nonce;     /* given, or the last one given */
	bool allowed_once;       /* accepted only because a person allowed it (allow_once.h) */
	uint16_t more; /* the row's third number: seconds since the accepted join, or used DevNonces */
	bool has_mic;
	uint8_t mic[JS_MIC];
	const char *field, *rule; /* JS_UNREADABLE, JS_MALFORMED: static */
	enum bi_result notified;  /* JS_ERROR_NOTIFIED */
};

/* Reads the state; ST_DATABASE when the store cannot. `now` begins the sweep if one is due. */
enum status js_join_init(struct js_join *join, const struct js_options *options, struct now now) MUST_USE;
/* Writes what the turn counted, before its commit. */
MUST_USE static inline enum status js_join_flush(struct js_join *join)
{
	return js_keks_flush(&join->keks, &join->options.store);
}
/* Other KEKs of files from now on. Answers that are kept for retries (60 s) stay wrapped as they were sent. */
void js_join_set_keks(struct js_join *join, const struct lw_kek *keks, size_t count, struct wall now);
void js_join_release(struct js_join *join); /* wipes the KEKs and the cache */

/* Handles one message. Returns the answer's length in `answer` (BI_WRITTEN_MAX bytes of room), which is JSON to be sent
 * with HTTP status 200 after the commit; 0: nothing to be said (JS_UNREADABLE: 400; an answer or a notification: 200
 * without a body). `peer`: who sent it, as its socket told (borrowed); NULL: a certificate that is nobody's. */
size_t js_join_on_message(struct js_join *join, struct now now, const uint8_t *body, size_t length,
			  const struct js_peer *peer, char answer[BI_WRITTEN_MAX],
			  struct js_outcome *outcome);

/* The next slice of the sweep is due. */
enum status js_join_on_tick(struct js_join *join, struct now now) MUST_USE;
/* At the latest an hour away: AppSKeys expire. */
struct mono js_join_next_deadline(const struct js_join *join);

#endif
