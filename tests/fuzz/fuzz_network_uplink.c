/* What the air and the gateways bring, into the network server's core: steps {what u8, length u8, bytes}. Whatever comes,
 * no downlink counter carries two contents, no uplink counter goes back, what is no frame of a device changes nothing, and
 * every buffer stays within its limits. MAC commands arrive behind a right MIC as well, since that is what a hostile device
 * can do. */
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/lorawan/join_frame.h"
#include "tests/harness/network_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEVICES 3

static struct rig rig;
static struct rig_device devices[DEVICES], joins;

enum step { RAW, DEVICE_SAYS, DEVICE_REPEATS, JOIN, JOIN_ANSWER, TX_ACK, ITEM, SEALED, TIME, RESTART, STEPS };

static void open_rig(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_1_0, "eu868", NULL);
	rig_profile(&rig, 2, LW_MAC_1_0_4, "us915", NULL);
	rig_state_end(&rig);
	rig_abp(&rig, &devices[0], 1, 0, 0x26000001, false);
	rig_abp(&rig, &devices[1], 2, 1, 0x26000002, true);
	rig_abp(&rig, &devices[2], 3, 2, 0x26000003, false);
	devices[2].dr = 3;
	rig_otaa(&rig, &joins, 4, 0);
}

/* What a long run leaves behind and this world has no room for. */
static void tidy(void)
{
	struct net_event_stored stored = {rig.ns.journal.next_row - 1};
	ns_on_event_stored(&rig.ns, rig.now, &stored);
	if (rig.counter_count > RIG_SENT_MAX - 40)
		rig.counter_count = 0;
	for (size_t i = 0; rig.write_count > RIG_ROWS_MAX - 8 && i < rig.write_count;)
		if (rig.writes[i].kind == NS_WRITE_RELEASED)
			rig.writes[i] = rig.writes[--rig.write_count];
		else
			i++;
	if (rig.blob_count > RIG_BLOBS_MAX / 2)
		rig_run(&rig, 60 * US_PER_S);
}

static const struct ns_session *session_of(const struct rig_device *device)
{
	uint32_t slot = ns_device_find(&rig.ns.sessions, &device->dev_eui);
	ASSERT(slot != NS_NO_SLOT);
	uint32_t session = ns_device_at(&rig.ns.sessions, slot)->session;
	return session == NS_NO_SLOT ? NULL : ns_session_at(&rig.ns.sessions, session);
}

static void hear(uint8_t which, const uint8_t *phy, uint8_t length, bool us915)
{
	if (us915) {
		rig_hears(&rig, 3, phy, length, 0);
		return;
	}
	rig_hears(&rig, 1 + (which & 1), phy, length, (which & 2) * 200 * US_PER_MS);
	if (which & 4)
		rig_hears(&rig, 2 - (which & 1), phy, length, 0);
}

static void device_says(uint8_t what, const uint8_t *bytes, uint8_t length, bool again)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	unsigned which = what % DEVICES;
	struct rig_device *device = &devices[which];
	if (!again)
		device->fcnt_up = session_of(device)->fcnt_up + (what >> 6);
	bool alone = what & 32;
	struct rig_frame frame = {.confirmed = what & 8,
				  .ack = what & 16,
				  .fport = alone ? 0 : 1,
				  .payload = alone ? bytes : NULL,
				  .length = alone ? (length > 40 ? 40 : length) : 0,
				  .fopts = bytes,
				  .fopts_length = alone         ? 0
						  : length > 15 ? 15
								: length};
	hear(what, phy, rig_uplink(&rig, device, &frame, phy), which == 2);
}

static void answer_join(uint8_t what, const uint8_t *bytes, uint8_t length)
{
	if (rig.join_count == 0)
		return;
	struct bi_message answer = {
		.envelope = {.type = BI_JOIN_ANS, .result = what & 1 ? BI_SUCCESS : BI_MIC_FAILED}};
	struct bi_join_ans *body = &answer.join_ans;
	body->phy_length = length > 33 ? 33 : length;
	memcpy(body->phy_payload, bytes, body->phy_length);
	uint8_t key[AES_KEY] = {1};
	body->nwk_s_key.length = BI_KEY_WRAPPED;
	snprintf(body->nwk_s_key.label, sizeof body->nwk_s_key.label, "network");
	ASSERT(aes_wrap(rig.config.kek, AES_KEY, key, AES_KEY, body->nwk_s_key.key) == AES_WRAP_OK);
	ns_on_join_answer(&rig.ns, rig.now, rig.joins[(rig.join_count - 1) % RIG_SENT_MAX].transaction,
			  what & 2 ? NULL : &answer);
	rig_turn(&rig);
}

static void seal(uint8_t what, uint8_t length)
{
	if (rig.seal_count == 0)
		return;
	const struct net_seal *asked = &rig.seals[(rig.seal_count - 1) % RIG_SENT_MAX];
	struct net_sealed sealed = {.item = asked->item,
				    .fcnt_down = asked->fcnt_down + (what >> 7),
				    .ok = what & 1,
				    .frm_payload_length = length > NET_PAYLOAD_MAX ? NET_PAYLOAD_MAX
										   : length};
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
}

static void one(enum step step, uint8_t what, const uint8_t *bytes, uint8_t length)
{
	if (step == RAW) /* what came before is through */
		rig_run(&rig, US_PER_S);
	uint64_t uplinks = rig.ns.uplinks;
	switch (step) {
	case RAW:
		if (length > 0)
			hear(what, bytes, length, what & 64);
		rig_run(&rig, 300 * US_PER_MS);
		ASSERT_CMP(rig.ns.uplinks, ==, uplinks);
		break;
	case DEVICE_SAYS: device_says(what, bytes, length, false); break;
	case DEVICE_REPEATS: device_says(what, bytes, length, true); break;
	case JOIN: {
		uint8_t phy[LW_JOIN_REQUEST_LENGTH] = {0};
		struct wr wr = wr_init(phy + 1, sizeof phy - 1);
		wr_u64le(&wr, lw_eui64_number(&joins.join_eui));
		wr_u64le(&wr, lw_eui64_number(&joins.dev_eui));
		wr_copy(&wr, bytes, length > 6 ? 6 : length);
		hear(what, phy, sizeof phy, what & 64);
		break;
	}
	case JOIN_ANSWER: answer_join(what, bytes, length); break;
	case TX_ACK:
		if (rig.downlink_count > 0)
			rig_tx_ack(&rig, (enum gw_tx_result)(what % GW_TX_RESULT_COUNT));
		break;
	case ITEM: {
		struct net_enqueue item = {.item = rig_uuid((uint8_t)(what >> 2)),
					   .dev_eui = devices[what % DEVICES].dev_eui,
					   .fport = (uint8_t)(length ? bytes[0] : 1),
					   .length = length,
					   .confirmed = what & 128,
					   .encrypted = what & 64};
		ns_on_enqueue(&rig.ns, rig.now, &item);
		rig_turn(&rig);
		break;
	}
	case SEALED: seal(what, length); break;
	case TIME: rig_run(&rig, (span_us)what * what * 100 * US_PER_MS / 8); break;
	case RESTART: rig_restart(&rig); break;
	case STEPS: break;
	}
}

static void check(const uint32_t before[DEVICES])
{
	ASSERT_CMP(rig.counters_repeated, ==, 0);
	for (unsigned i = 0; i < DEVICES; i++) {
		const struct ns_session *session = session_of(&devices[i]);
		ASSERT(session != NULL);
		ASSERT_CMP(session->fcnt_up, >=, before[i]);
		ASSERT(!(session->flags & NS_SESSION_PENDING));
		ASSERT(session->mac.question_length <= NS_QUESTION_MAX &&
		       session->adr.count <= NS_ADR_HISTORY);
	}
	ASSERT(!ns_turn_is_full(&rig.ns) && rig.ns.outbox.count == 0);
	ASSERT(ns_dedup_open_count(&rig.ns.dedup) <= rig.config.max_frames);
	ASSERT_CMP(rig.ns.sessions.slab.count, <=, DEVICES + 2);
	ASSERT_CMP(rig.ns.sealing.count, <=, rig.ns.downlinks.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!rig.ns.aes)
		open_rig();
	struct rd rd = rd_init(data, size);
	for (unsigned steps = 0; steps < 24 && rd_left(&rd) >= 3; steps++) {
		uint32_t before[DEVICES];
		for (unsigned i = 0; i < DEVICES; i++)
			before[i] = session_of(&devices[i])->fcnt_up;
		enum step step = (enum step)(rd_u8(&rd) % STEPS);
		uint8_t what = rd_u8(&rd);
		size_t length = rd_u8(&rd);
		if (length > rd_left(&rd))
			length = rd_left(&rd);
		const uint8_t *bytes = rd_take(&rd, length);
		tidy();
		one(step, what, bytes, (uint8_t)length);
		check(before);
	}
	rig_run(&rig, 10 * US_PER_S);
	return 0;
}
