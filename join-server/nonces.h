/* Which DevNonces and JoinNonces of a device have been used (TS001-1.0.4 §6.2.4, TS001-1.1 §6.2.4; mac-layer 7).
 * Pure: the caller loads, asks, takes, and saves before the answer leaves (invariant 3).
 *
 * Scope: (JoinEUI, DevEUI). The policy follows the version in our own record of the device, not what the request claims:
 *
 *	before 1.0.4   DevNonce is random: refused if it is in the set of those used
 *	1.0.4, 1.1     DevNonce is a counter: refused unless it is greater than all accepted as a counter, and not used
 *
 * Every accepted DevNonce enters the set, whatever the policy, so that correcting a device's version lets nothing be
 * accepted twice. The set is exact: two bytes each, a bitmap of 8 KiB above 4,096 of them.
 *
 * The DevNonces belong to the root key that they were used with, told by its mark (key_vault.h): with a new key a
 * device's old frames fail their MIC, so the set begins anew. The JoinNonce counter goes on.
 *
 * A person may allow one join with a DevNonce that was used or is too low (allow_once.h), for a device that lost its counter. It
 * stands in the same row as the set, so that what it lets pass and its end are one commit. It changes nothing else: the set and
 * the highest counter stay, late copies stay late copies, and the JoinNonce is the next one, so no session keys come again.
 * Any accepted join ends it, needed or not; so does a new key. */
#ifndef LAMPPOST_JOIN_SERVER_NONCES_H
#define LAMPPOST_JOIN_SERVER_NONCES_H

#include "common/base/status.h"
#include "common/base/units.h"
#include "common/lorawan/types.h"
#include "join-server/verdict.h"

#define JS_NONCES_LIST_MAX 4096u
#define JS_NONCES_BITMAP   8192u                  /* bytes: one bit for each of the 65,536 */
#define JS_NONCES_USED_MAX (1 + JS_NONCES_BITMAP) /* bytes of the stored form, at most */
#define JS_JOIN_NONCE_MAX  0xffffffu
/* How far JoinNonces begin above the last one of the join server that a device comes from: so many accepts it may have given behind
 * the export (docs/decisions/0018-vault-moves.md). */
#define JS_JOIN_NONCE_GAP 4096u
#define JS_LATE_COPY_US   (600 * US_PER_S)
#define JS_KEY_MARK       16

struct js_nonces {
	uint32_t join_nonce; /* the last one given; 0: none yet */
	uint8_t key_mark[JS_KEY_MARK];
	bool has_counter;
	uint16_t counter; /* the highest DevNonce accepted as a counter */
	bool has_last;
	uint16_t last_dev_nonce;
	struct wall last_time;
	struct wall allowed_until; /* one join with any DevNonce is let pass before it; 0: none */
	/* Rejoins of type 1 (TS001-1.1 §6.2.4.2): RJcount1 never restarts while the root key stays. Those of types 0 and 2
	 * are counted by the network server, in the session. */
	bool has_rj_count1;
	uint16_t rj_count1; /* the last one accepted */
	struct wall rj_time;
	/* The root key's: accepted joins and rejoins with it, and when the last was; 0: none, or not since they are counted. */
	uint64_t uses;
	struct wall used_at;
	/* The network that the last accept was made for. */
	bool has_net_id;
	struct lw_net_id net_id;
	bool has_ns_id; /* its network server, where that said so (TS002-1.1) */
	struct lw_eui64 ns_id;
	/* The set: `count` members in list[], or, above JS_NONCES_LIST_MAX, in bitmap[]. */
	uint32_t count;
	bool is_bitmap;
	union {
		uint16_t list[JS_NONCES_LIST_MAX];
		uint8_t bitmap[JS_NONCES_BITMAP];
	};
};

/* Nothing used, under the key of that mark. */
void js_nonces_init(struct js_nonces *nonces, const uint8_t key_mark[JS_KEY_MARK]);
/* Begins the DevNonces anew if `key_mark` is another than theirs. */
void js_nonces_rekey(struct js_nonces *nonces, const uint8_t key_mark[JS_KEY_MARK]);

/* Judges a DevNonce whose MIC has been verified: JS_ACCEPTED, JS_LATE_COPY (that of the last accepted join, within
 * JS_LATE_COPY_US; the MIC then makes it the same bytes), JS_DEV_NONCE_USED, JS_DEV_NONCE_NOT_INCREASING, or
 * JS_JOIN_NONCE_EXHAUSTED. Changes nothing. `*allowed`: JS_ACCEPTED only because a person allowed it. */
enum js_verdict js_nonces_judge(const struct js_nonces *nonces, enum lw_mac_version version,
				uint16_t dev_nonce, struct wall now, bool *allowed);
/* Takes a DevNonce that was judged JS_ACCEPTED, ends what was allowed, and gives the JoinNonce to answer with. */
uint32_t js_nonces_take(struct js_nonces *nonces, enum lw_mac_version version, uint16_t dev_nonce,
			struct wall now);
/* The same for a rejoin-request of a type and its RJcount. JS_ACCEPTED, JS_LATE_COPY, JS_RJ_COUNT_NOT_INCREASING or
 * JS_JOIN_NONCE_EXHAUSTED. */
enum js_verdict js_nonces_judge_rejoin(const struct js_nonces *nonces, uint8_t type, uint16_t rj_count,
				       struct wall now);
uint32_t js_nonces_take_rejoin(struct js_nonces *nonces, uint8_t type, uint16_t rj_count, struct wall now);
/* The accept that was just taken goes to that network, and its network server if it is known. */
void js_nonces_answered(struct js_nonces *nonces, struct lw_net_id net_id, const struct lw_eui64 *ns_id);
/* How long one join with any DevNonce is allowed yet; 0: not (any more). */
span_us js_nonces_allowed_for(const struct js_nonces *nonces, struct wall now);
/* Adds what another join server used with the same key: what is used up afterwards is what either of them used up. Nothing is ever lowered
 * or taken out; the JoinNonce goes to JS_JOIN_NONCE_GAP above the other's (half of what is left, where that is less) unless it is there
 * already. Late copies and what a person allowed stay our own. True: something changed, false: it was all known. */
bool js_nonces_merge(struct js_nonces *nonces, const struct js_nonces *other);
/* Whether a DevNonce is in the set. */
bool js_nonces_used(const struct js_nonces *nonces, uint16_t dev_nonce);

/* The stored form of the set. Returns its length, at most JS_NONCES_USED_MAX. */
size_t js_nonces_encode(const struct js_nonces *nonces, uint8_t used[JS_NONCES_USED_MAX]);
/* ST_INVALID: not such a form; `nonces` is untouched then, else only its set changes. */
enum status js_nonces_decode(struct js_nonces *nonces, const uint8_t *used, size_t length) MUST_USE;

#endif
