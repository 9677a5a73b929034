#include "simulator/device_rules.h"

#include "common/base/check.h"

#define GAP 16384 /* MAX_FCNT_GAP; 1.0.4 has dropped it, 1.1 still has it */

/* 1.0.0 and 1.0.1 tell no difference here; 1.0.2 brought blocks of LinkADRReq, 1.0.3 the masks by banks (with RP001-1.0.3). */
static const struct sim_rules rows[LW_MAC_VERSION_COUNT] = {
	[LW_MAC_1_0_0] = {.max_fcnt_gap = GAP,
			  .own_retries = true,
			  .quiet_at_lowest = true,
			  .duty_cycle_255_is_off = true},
	[LW_MAC_1_0_1] = {.max_fcnt_gap = GAP,
			  .own_retries = true,
			  .quiet_at_lowest = true,
			  .duty_cycle_255_is_off = true},
	[LW_MAC_1_0_2] = {.max_fcnt_gap = GAP,
			  .own_retries = true,
			  .quiet_at_lowest = true,
			  .link_adr_blocks = true},
	[LW_MAC_1_0_3] = {.max_fcnt_gap = GAP,
			  .own_retries = true,
			  .quiet_at_lowest = true,
			  .link_adr_blocks = true,
			  .cflist_has_masks = true,
			  .link_adr_banks = true},
	[LW_MAC_1_0_4] = {.dev_nonce_counts = true,
			  .link_adr_blocks = true,
			  .link_adr_one_block = true,
			  .link_adr_keeps = true,
			  .nb_trans_0_is_1 = true,
			  .cflist_has_masks = true,
			  .link_adr_banks = true},
	[LW_MAC_1_1_0] = {.two_root_keys = true,
			  .dev_nonce_counts = true,
			  .join_nonce_rises = true,
			  .max_fcnt_gap = GAP,
			  .link_adr_blocks = true,
			  .link_adr_one_block = true,
			  .link_adr_one_answer = true,
			  .link_adr_keeps = true,
			  .cflist_has_masks = true,
			  .link_adr_banks = true},
};

const struct sim_rules *sim_rules_of(enum lw_mac_version version)
{
	ASSERT_CMP(version, <, LW_MAC_VERSION_COUNT);
	return &rows[version];
}

/* Downlink commands (section 5), by the version that brought them. Class B has been there since 1.0.0, and its commands are
 * known to the code that class A devices are built from as well. */
static const struct {
	uint8_t cid;
	enum lw_mac_version since;
} commands[] = {
	{0x01, LW_MAC_1_1_0}, /* ResetConf */
	{0x02, LW_MAC_1_0_0}, /* LinkCheckAns */
	{0x03, LW_MAC_1_0_0}, /* LinkADRReq */
	{0x04, LW_MAC_1_0_0}, /* DutyCycleReq */
	{0x05, LW_MAC_1_0_0}, /* RXParamSetupReq */
	{0x06, LW_MAC_1_0_0}, /* DevStatusReq */
	{0x07, LW_MAC_1_0_0}, /* NewChannelReq */
	{0x08, LW_MAC_1_0_0}, /* RXTimingSetupReq */
	{0x09, LW_MAC_1_0_2}, /* TxParamSetupReq */
	{0x0a, LW_MAC_1_0_2}, /* DlChannelReq */
	{0x0b, LW_MAC_1_1_0}, /* RekeyConf */
	{0x0c, LW_MAC_1_1_0}, /* ADRParamSetupReq */
	{0x0d, LW_MAC_1_0_3}, /* DeviceTimeAns */
	{0x0e, LW_MAC_1_1_0}, /* ForceRejoinReq */
	{0x0f, LW_MAC_1_1_0}, /* RejoinParamSetupReq */
	{0x10, LW_MAC_1_0_0}, /* PingSlotInfoAns */
	{0x11, LW_MAC_1_0_0}, /* PingSlotChannelReq */
	{0x12, LW_MAC_1_0_0}, /* BeaconTimingAns */
	{0x13, LW_MAC_1_0_0}, /* BeaconFreqReq */
	{0x20, LW_MAC_1_1_0}, /* DeviceModeConf */
};

bool sim_rules_knows(enum lw_mac_version version, uint8_t cid)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].cid == cid)
			return version >= commands[i].since;
	}
	return false;
}
