#include "tests/harness/storm_rig.h"

#include "common/base/check.h"
#include "common/lorawan/join_frame.h"

#include <stdio.h>
#include <string.h>

void storm_rig_init(struct storm_rig *storm, bool first_come)
{
	rig_init(&storm->rig);
	storm->rig.ns.config.first_come = first_come;
	for (size_t i = 0; i < STORM_RIG_DEVICES; i++)
		rig_otaa(&storm->rig, &storm->devices[i], i + 1, 0);
	storm->dev_nonce = 1;
	storm->answered = 0;
}

void storm_rig_release(struct storm_rig *storm)
{
	rig_release(&storm->rig);
}

void storm_rig_asks(struct storm_rig *storm, size_t device, uint64_t gateway, uint8_t dr)
{
	static const uint32_t channels[] = {868100000, 868300000, 868500000};
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	const struct lw_join_request join = {.join_eui = storm->devices[device].join_eui,
					     .dev_eui = storm->devices[device].dev_eui,
					     .dev_nonce = storm->dev_nonce++};
	uint8_t length = (uint8_t)lw_join_request_encode(&join, phy);
	rig_hears_on(&storm->rig, gateway, phy, length, 0, channels[device % 3], dr, 800);
}

bool storm_rig_answer(struct storm_rig *storm, enum bi_result result)
{
	struct rig *rig = &storm->rig;
	if (storm->answered >= rig->join_count)
		return false;
	const struct ns_join_call *call = &rig->joins[storm->answered++ % RIG_SENT_MAX];
	struct bi_message message = {
		.envelope = {.type = BI_JOIN_ANS, .transaction_id = call->transaction, .result = result}};
	struct bi_join_ans *answer = &message.join_ans;
	struct lw_key key = {{0x61}};
	answer->phy_length = call->request.has_cflist ? 33 : 17;
	memset(answer->phy_payload, 0x20, answer->phy_length);
	snprintf(answer->nwk_s_key.label, sizeof answer->nwk_s_key.label, "network");
	answer->nwk_s_key.length = BI_KEY_WRAPPED;
	ASSERT(aes_wrap(rig->config.kek, 16, key.bytes, 16, answer->nwk_s_key.key) == AES_WRAP_OK);
	answer->app_s_key.length = BI_KEY_WRAPPED;
	ns_on_join_answer(&rig->ns, rig->now, call->transaction, &message);
	rig_turn(rig);
	return true;
}

void storm_rig_answers(struct storm_rig *storm)
{
	while (storm_rig_answer(storm, BI_SUCCESS))
		;
}

void storm_rig_asks_and_hears(struct storm_rig *storm, size_t device)
{
	storm->answered = storm->rig.join_count;
	storm_rig_asks(storm, device, 1, 5);
	rig_run(&storm->rig, 250 * US_PER_MS);
	storm_rig_answers(storm);
}

void storm_rig_all_ask(struct storm_rig *storm, uint8_t dr)
{
	storm->answered = storm->rig.join_count;
	for (size_t i = 0; i < STORM_RIG_DEVICES; i++) {
		storm_rig_asks(storm, i, 1, dr);
		rig_run(&storm->rig, 50 * US_PER_MS);
		storm_rig_answers(storm);
	}
	rig_run(&storm->rig, 250 * US_PER_MS);
	storm_rig_answers(storm);
}
