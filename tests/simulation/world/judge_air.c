/* What gateways send, and what devices make of it. */
#include "tests/simulation/world/judge.h"

#include "common/backend/ts002.h"
#include "common/base/check.h"
#include "common/lorawan/frame.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_US (3600 * US_PER_S)

/* ETSI EN 300 220, written down here for the judge alone: share of an hour in thousandths. */
static const struct band {
	uint32_t min_hz, max_hz;
	unsigned permille;
} bands[] = {
	{863000000, 865000000, 1}, {865000000, 868000000, 10},  {868000000, 868600000, 10},
	{868700000, 869200000, 1}, {869400000, 869650000, 100}, {869700000, 870000000, 10},
};

/* --- at the device --- */

/* An accept carries no address: who asked at the same moment hears it too. */
static bool is_anothers_accept(const struct world *world, const struct sim_record *record)
{
	if (record->result != SIM_DOWN_MIC || record->phy_length == 0 || record->phy[0] >> 5 != 1)
		return false;
	for (unsigned i = 0; i < world->device_count; i++) {
		const struct sim_device *device = sim_world_device(world->sim, i);
		const struct sim_device_config *config = &device->config;
		struct lw_join_accept accept;
		bool v1_1 = config->mac_version >= LW_MAC_1_1_0;
		if (i != record->device &&
		    sim_join_accept_open(world->judge->aes, v1_1 ? &config->nwk_key : &config->app_key,
					 v1_1 ? &device->js_int_key : NULL, &config->join_eui,
					 (uint16_t)device->dev_nonce, record->phy, record->phy_length,
					 &accept) == SIM_DOWN_ACCEPTED)
			return true;
	}
	return false;
}

/* Whatever carries its address it must be able to take; what the radio lost is no fault. */
void judge_downlink_at_device(struct world *world, const struct sim_record *record)
{
	if (record->unasked_ack)
		world_break(world, "device %u: an ACK for what was not confirmed", record->device);
	switch (record->result) {
	case SIM_DOWN_ACCEPTED:
	case SIM_DOWN_UNREADABLE:
	case SIM_DOWN_NOT_OURS:
	case SIM_DOWN_JOIN_NONCE: return;
	default:
		if (!is_anothers_accept(world, record))
			world_break(world, "device %u: a downlink that it refuses: %s", record->device,
				    sim_down_result_name(record->result));
	}
}

/* --- on the air --- */

static void judge_data(struct world *world, const struct sim_air_entry *entry, const struct lw_frame *frame,
		       bool v1_1)
{
	bool application = v1_1 && frame->has_fport && frame->fport > 0;
	uint64_t key = (uint64_t)frame->dev_addr.value << 17 | (uint64_t)frame->fcnt << 1 | application;
	if (judge_used_twice(&world->judge->counters, key, entry->phy, entry->length))
		world_break(world, "FCntDown %u of %08x is on the air with two contents", frame->fcnt,
			    frame->dev_addr.value);
}

/* The answer to a rejoin is ciphered under JSEncKey; the JoinNonces are those of joins. */
static bool judge_rejoin_accept(struct world *world, const struct sim_air_entry *entry, unsigned i)
{
	const struct sim_device *device = sim_world_device(world->sim, i);
	const struct sim_device_config *config = &device->config;
	struct aes *aes = world->judge->aes;
	struct lw_key key = lw_key_js_enc(aes, &config->nwk_key, &config->dev_eui);
	struct lw_join_accept accept;
	uint8_t plain[LW_JOIN_ACCEPT_MAX];
	if (entry->length > sizeof plain)
		return false;
	memcpy(plain, entry->phy, entry->length);
	if (lw_join_accept_decrypt(aes, &key, plain, entry->length) != LW_OK ||
	    lw_join_accept_parse(&accept, plain, entry->length) != LW_OK)
		return false;
	struct lw_mic mic = lw_mic_join_accept_1_1(
		aes, &device->js_int_key, device->rejoin_type, &config->join_eui,
		(uint16_t)device->rj_count[device->rejoin_type == 1], plain, (size_t)entry->length - 4);
	if (!lw_mic_equal(mic, accept.mic))
		return false;
	if (judge_used_twice(&world->judge->join_nonces, (uint64_t)i << 24 | accept.join_nonce, entry->phy,
			     entry->length))
		world_break(world, "device %u: JoinNonce %u is on the air with two contents", i,
			    accept.join_nonce);
	return true;
}

/* Opened with the root key of each device that is joining. */
static void judge_accept(struct world *world, const struct sim_air_entry *entry)
{
	for (unsigned i = 0; i < world->device_count; i++) {
		const struct sim_device *device = sim_world_device(world->sim, i);
		const struct sim_device_config *config = &device->config;
		struct lw_join_accept accept;
		bool v1_1 = config->mac_version >= LW_MAC_1_1_0;
		if (device->rejoining && judge_rejoin_accept(world, entry, i))
			return;
		if (!device->joining && device->joined)
			continue;
		if (sim_join_accept_open(world->judge->aes, v1_1 ? &config->nwk_key : &config->app_key,
					 v1_1 ? &device->js_int_key : NULL, &config->join_eui,
					 (uint16_t)device->dev_nonce, entry->phy, entry->length,
					 &accept) != SIM_DOWN_ACCEPTED)
			continue;
		if (judge_used_twice(&world->judge->join_nonces, (uint64_t)i << 24 | accept.join_nonce,
				     entry->phy, entry->length))
			world_break(world, "device %u: JoinNonce %u is on the air with two contents", i,
				    accept.join_nonce);
		return;
	}
}

/* The airtime that a gateway used in the hour that ends with this frame. */
static void judge_airtime(struct world *world, const struct sim_air_entry *entry)
{
	size_t b = 0;
	while (b < ARRAY_SIZE(bands) &&
	       (entry->freq_hz < bands[b].min_hz || entry->freq_hz > bands[b].max_hz))
		b++;
	if (b == ARRAY_SIZE(bands)) {
		world_break(world, "gateway %u sends on %u Hz", entry->gateway, entry->freq_hz);
		return;
	}
	struct judge_air_use *use = &world->judge->air[entry->gateway][b];
	int64_t airtime_us = sim_airtime_us(entry->spreading_factor, 125000, entry->length, false);
	if (use->first + use->count == use->room) {
		if (use->first > 0) {
			memmove(use->sent, use->sent + use->first, use->count * sizeof *use->sent);
			use->first = 0;
		} else {
			use->room = use->room * 2 + 64;
			use->sent = realloc(use->sent, use->room * sizeof *use->sent);
			ASSERT(use->sent);
		}
	}
	use->sent[use->first + use->count].end_us = entry->at_us + airtime_us;
	use->sent[use->first + use->count++].airtime_us = airtime_us;
	use->sum_us += airtime_us;
	while (use->sent[use->first].end_us <= entry->at_us + airtime_us - HOUR_US) {
		use->sum_us -= use->sent[use->first++].airtime_us;
		use->count--;
	}
	int64_t share_us = HOUR_US * bands[b].permille / 1000;
	uint64_t percent = (uint64_t)(use->sum_us * 100 / share_us);
	if (percent > world->judge->totals.airtime_percent)
		world->judge->totals.airtime_percent = percent;
	if (use->sum_us > share_us)
		world_break(world, "gateway %u sent %.1f s within an hour around %u Hz", entry->gateway,
			    (double)use->sum_us / 1e6, entry->freq_hz);
}

static int owner_of(const struct world *world, uint32_t dev_addr)
{
	for (unsigned i = 0; i < world->device_count; i++)
		if (sim_world_device(world->sim, i)->dev_addr.value == dev_addr)
			return (int)i;
	return -1;
}

void judge_on_air(struct world *world, const struct sim_air_entry *entry)
{
	struct lw_frame frame;
	world->judge->totals.downlinks++;
	world_trace(world, "gateway %u sends %u bytes, SF%u at %.6f", entry->gateway, entry->length,
		    entry->spreading_factor, (double)entry->at_us / 1e6);
	judge_airtime(world, entry);
	if (lw_frame_parse(&frame, entry->phy, entry->length, LW_DOWN) != LW_OK) {
		judge_accept(world, entry);
		return;
	}
	int device = owner_of(world, frame.dev_addr.value);
	judge_data(world, entry, &frame, device >= 0 && world->profiles[device] == WORLD_OTAA_1_1);
}

/* --- at the join server --- */

void judge_join_answer(struct world *world, const uint8_t *request, size_t request_length,
		       const uint8_t *answer, size_t answer_length)
{
	struct bi_message asked, said;
	struct bi_error error;
	struct lw_join_request frame;
	if (!bi_read((const char *)request, request_length, &asked, &error) ||
	    !bi_read((const char *)answer, answer_length, &said, &error)) {
		world_break(world, "join server: an answer that cannot be read");
		return;
	}
	world_trace(world, "join server: %s", bi_result_name(said.envelope.result, said.envelope.protocol));
	if (said.envelope.result == BI_SUCCESS &&
	    lw_join_request_parse(&frame, asked.join_req.phy_payload, asked.join_req.phy_length) == LW_OK) {
		int device = judge_device_of(world, &frame.dev_eui);
		if (judge_used_twice(&world->judge->dev_nonces,
				     (uint64_t)(device + 1) << 16 | frame.dev_nonce,
				     said.join_ans.phy_payload, said.join_ans.phy_length))
			world_break(world, "device %d: DevNonce %u was accepted twice", device,
				    frame.dev_nonce);
	}
	bi_message_wipe(&said);
}
