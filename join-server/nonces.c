#include "join-server/nonces.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/lorawan/version.h"

#include <string.h>

enum { FORM_LIST = 1, FORM_BITMAP = 2 };

void js_nonces_init(struct js_nonces *nonces, const uint8_t key_mark[JS_KEY_MARK])
{
	memset(nonces, 0, sizeof *nonces);
	memcpy(nonces->key_mark, key_mark, JS_KEY_MARK);
}

void js_nonces_rekey(struct js_nonces *nonces, const uint8_t key_mark[JS_KEY_MARK])
{
	if (memcmp(nonces->key_mark, key_mark, JS_KEY_MARK) == 0)
		return;
	uint32_t join_nonce = nonces->join_nonce;
	bool has_net_id = nonces->has_net_id, has_ns_id = nonces->has_ns_id;
	struct lw_net_id net_id = nonces->net_id;
	struct lw_eui64 ns_id = nonces->ns_id;
	js_nonces_init(nonces, key_mark);
	nonces->join_nonce = join_nonce;
	nonces->has_net_id = has_net_id;
	nonces->net_id = net_id;
	nonces->has_ns_id = has_ns_id;
	nonces->ns_id = ns_id;
}

bool js_nonces_used(const struct js_nonces *nonces, uint16_t dev_nonce)
{
#if MUTANT == MUTANT_DEV_NONCE_ACCEPTED
	return false;
#endif
	if (nonces->is_bitmap)
		return nonces->bitmap[dev_nonce / 8] >> dev_nonce % 8 & 1;
	for (uint32_t i = 0; i < nonces->count; i++)
		if (nonces->list[i] == dev_nonce)
			return true;
	return false;
}

/* A wall clock may have been set back meanwhile. */
static bool is_just_now(struct wall then, struct wall now)
{
	int64_t apart = now.us - then.us;
	return apart <= JS_LATE_COPY_US && apart >= -JS_LATE_COPY_US;
}

span_us js_nonces_allowed_for(const struct js_nonces *nonces, struct wall now)
{
	return nonces->allowed_until.us > now.us ? nonces->allowed_until.us - now.us : 0;
}

/* By the policy alone. */
static enum js_verdict judge_number(const struct js_nonces *nonces, enum lw_mac_version version,
				    uint16_t dev_nonce)
{
	if (lw_behaves(version, LW_DEV_NONCE_COUNTS) && nonces->has_counter && dev_nonce <= nonces->counter)
		return JS_DEV_NONCE_NOT_INCREASING;
	return js_nonces_used(nonces, dev_nonce) ? JS_DEV_NONCE_USED : JS_ACCEPTED;
}

enum js_verdict js_nonces_judge(const struct js_nonces *nonces, enum lw_mac_version version,
				uint16_t dev_nonce, struct wall now, bool *allowed)
{
	*allowed = false;
#if MUTANT == MUTANT_DEV_NONCE_ACCEPTED
	return nonces->join_nonce >= JS_JOIN_NONCE_MAX ? JS_JOIN_NONCE_EXHAUSTED : JS_ACCEPTED;
#endif
	if (nonces->has_last && nonces->last_dev_nonce == dev_nonce && is_just_now(nonces->last_time, now))
		return JS_LATE_COPY;
	enum js_verdict verdict = judge_number(nonces, version, dev_nonce);
	bool needed = verdict != JS_ACCEPTED;
	if (needed && js_nonces_allowed_for(nonces, now) == 0)
		return verdict;
	if (nonces->join_nonce >= JS_JOIN_NONCE_MAX)
		return JS_JOIN_NONCE_EXHAUSTED;
	*allowed = needed;
	return JS_ACCEPTED;
}

static void set_bit(uint8_t bitmap[JS_NONCES_BITMAP], uint16_t dev_nonce)
{
	bitmap[dev_nonce / 8] |= (uint8_t)(1u << dev_nonce % 8);
}

static void insert(struct js_nonces *nonces, uint16_t dev_nonce)
{
	if (!nonces->is_bitmap && nonces->count < JS_NONCES_LIST_MAX) {
		nonces->list[nonces->count++] = dev_nonce;
		return;
	}
	if (!nonces->is_bitmap) {
		uint8_t bitmap[JS_NONCES_BITMAP] = {0};
		for (uint32_t i = 0; i < nonces->count; i++)
			set_bit(bitmap, nonces->list[i]);
		memcpy(nonces->bitmap, bitmap, sizeof bitmap);
		nonces->is_bitmap = true;
	}
	set_bit(nonces->bitmap, dev_nonce);
	nonces->count++;
}

uint32_t js_nonces_take(struct js_nonces *nonces, enum lw_mac_version version, uint16_t dev_nonce,
			struct wall now)
{
	bool used = js_nonces_used(nonces, dev_nonce);
	ASSERT(!used || js_nonces_allowed_for(nonces, now) > 0);
	ASSERT_CMP(nonces->join_nonce, <, JS_JOIN_NONCE_MAX);
	if (!used)
		insert(nonces, dev_nonce);
	nonces->allowed_until = (struct wall){0};
	if (lw_behaves(version, LW_DEV_NONCE_COUNTS) &&
	    (!nonces->has_counter || dev_nonce > nonces->counter)) {
		nonces->has_counter = true;
		nonces->counter = dev_nonce;
	}
	nonces->has_last = true;
	nonces->last_dev_nonce = dev_nonce;
	nonces->last_time = now;
	nonces->uses++;
	nonces->used_at = now;
	return ++nonces->join_nonce;
}

enum js_verdict js_nonces_judge_rejoin(const struct js_nonces *nonces, uint8_t type, uint16_t rj_count,
				       struct wall now)
{
	if (type == 1 && nonces->has_rj_count1) {
		if (rj_count == nonces->rj_count1 && is_just_now(nonces->rj_time, now))
			return JS_LATE_COPY;
		if (rj_count <= nonces->rj_count1)
			return JS_RJ_COUNT_NOT_INCREASING;
	}
	return nonces->join_nonce >= JS_JOIN_NONCE_MAX ? JS_JOIN_NONCE_EXHAUSTED : JS_ACCEPTED;
}

uint32_t js_nonces_take_rejoin(struct js_nonces *nonces, uint8_t type, uint16_t rj_count, struct wall now)
{
	ASSERT_CMP(nonces->join_nonce, <, JS_JOIN_NONCE_MAX);
	if (type == 1) {
		nonces->has_rj_count1 = true;
		nonces->rj_count1 = rj_count;
		nonces->rj_time = now;
	}
	nonces->uses++;
	nonces->used_at = now;
	return ++nonces->join_nonce;
}

void js_nonces_answered(struct js_nonces *nonces, struct lw_net_id net_id, const struct lw_eui64 *ns_id)
{
	nonces->has_net_id = true;
	nonces->net_id = net_id;
	nonces->has_ns_id = ns_id != NULL;
	nonces->ns_id = ns_id ? *ns_id : (struct lw_eui64){{0}};
}

/* --- what came from another join server ----------------------------------------------------------------------- */

static bool merge_used(struct js_nonces *nonces, const struct js_nonces *other)
{
	uint8_t have[JS_NONCES_BITMAP] = {0};
	uint32_t before = nonces->count;
	if (nonces->is_bitmap)
		memcpy(have, nonces->bitmap, sizeof have);
	else
		for (uint32_t i = 0; i < nonces->count; i++)
			set_bit(have, nonces->list[i]);
	for (uint32_t i = 0; i < (other->is_bitmap ? 65536u : other->count); i++) {
		uint16_t dev_nonce = other->is_bitmap ? (uint16_t)i : other->list[i];
		if (other->is_bitmap && !(other->bitmap[i / 8] >> i % 8 & 1))
			continue;
		if (have[dev_nonce / 8] >> dev_nonce % 8 & 1)
			continue;
		set_bit(have, dev_nonce);
		insert(nonces, dev_nonce);
	}
	return nonces->count != before;
}

static uint32_t join_nonce_above(uint32_t other)
{
	uint32_t left = other < JS_JOIN_NONCE_MAX ? JS_JOIN_NONCE_MAX - other : 0;
	return other + (left / 2 < JS_JOIN_NONCE_GAP ? left / 2 : JS_JOIN_NONCE_GAP);
}

bool js_nonces_merge(struct js_nonces *nonces, const struct js_nonces *other)
{
	bool changed = merge_used(nonces, other);
	uint32_t join_nonce = join_nonce_above(other->join_nonce);
	if (join_nonce > nonces->join_nonce) {
		nonces->join_nonce = join_nonce;
		changed = true;
	}
	if (other->has_counter && (!nonces->has_counter || other->counter > nonces->counter)) {
		nonces->has_counter = changed = true;
		nonces->counter = other->counter;
	}
	if (other->has_rj_count1 && (!nonces->has_rj_count1 || other->rj_count1 > nonces->rj_count1)) {
		nonces->has_rj_count1 = changed = true;
		nonces->rj_count1 = other->rj_count1;
		nonces->rj_time = (struct wall){0}; /* its copies are nobody's retries here */
	}
	if (other->has_net_id && !nonces->has_net_id) {
		nonces->has_net_id = changed = true;
		nonces->net_id = other->net_id;
		nonces->has_ns_id = other->has_ns_id;
		nonces->ns_id = other->ns_id;
	}
	if (other->uses > nonces->uses) {
		nonces->uses = other->uses;
		changed = true;
	}
	if (other->used_at.us > nonces->used_at.us) {
		nonces->used_at = other->used_at;
		changed = true;
	}
	return changed;
}

size_t js_nonces_encode(const struct js_nonces *nonces, uint8_t used[JS_NONCES_USED_MAX])
{
	struct wr wr = wr_init(used, JS_NONCES_USED_MAX);
	wr_u8(&wr, nonces->is_bitmap ? FORM_BITMAP : FORM_LIST);
	if (nonces->is_bitmap)
		wr_copy(&wr, nonces->bitmap, JS_NONCES_BITMAP);
	else
		for (uint32_t i = 0; i < nonces->count; i++)
			wr_u16le(&wr, nonces->list[i]);
	ASSERT(wr_ok(&wr));
	return wr_length(&wr);
}

enum status js_nonces_decode(struct js_nonces *nonces, const uint8_t *used, size_t length)
{
	struct rd rd = rd_init(used, length);
	uint8_t form = rd_u8(&rd);
	size_t left = rd_left(&rd);
	if (form == FORM_BITMAP && left == JS_NONCES_BITMAP) {
		nonces->is_bitmap = true;
		rd_copy(&rd, nonces->bitmap, JS_NONCES_BITMAP);
		nonces->count = 0;
		for (size_t i = 0; i < JS_NONCES_BITMAP; i++)
			nonces->count += (uint32_t)__builtin_popcount(nonces->bitmap[i]);
		return ST_OK;
	}
	if (form != FORM_LIST || left % 2 != 0 || left / 2 > JS_NONCES_LIST_MAX)
		return ST_INVALID;
	nonces->is_bitmap = false;
	nonces->count = (uint32_t)(left / 2);
	for (uint32_t i = 0; i < nonces->count; i++)
		nonces->list[i] = rd_u16le(&rd);
	return ST_OK;
}
