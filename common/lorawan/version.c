#include "common/lorawan/version.h"

#include "common/base/check.h"

#define BEFORE_1_0_4 LW_MAC_1_0_0, LW_MAC_1_0_3
#define FROM(since)  since, LW_MAC_1_1_0

/* clang-format off */
static const struct lw_behaviour_row rows[LW_BEHAVIOUR_COUNT] = {
	/* The text of 1.1 still names MAX_FCNT_GAP. 1.0.4, which is younger, took it out: a frame whose MIC is right under the
	 * 32-bit counter is the device's, and a limit only turns a long silence into a lost device. So for 1.1 as well. */
	[LW_FCNT_GAP_LIMIT] = {"fcnt_gap_limit", BEFORE_1_0_4, "TS001-1.0.3 §4.3.1.5",
		"An uplink whose counter is more than MAX_FCNT_GAP (16384) ahead of the last is discarded."},
	[LW_ABP_RESTARTS] = {"abp_restarts", BEFORE_1_0_4, "TS001-1.0.4 §4.3.1.5",
		"A device personalised with its session may start its counters at 0 again after a reset; later ones keep them for ever."},
	[LW_FCNT_16_BITS] = {"fcnt_16_bits", BEFORE_1_0_4, "TS001-1.0.3 §4.3.1.5",
		"Counters may have 16 bits, which start at 0 again after 65,535; later ones have 32."},
	[LW_FCNT_DOWN_PAIR] = {"fcnt_down_pair", FROM(LW_MAC_1_1_0), "TS001-1.1 §4.3.1.5",
		"Downlinks with application data are counted by AFCntDown, all others by NFCntDown; before, one counter serves both."},
	[LW_FOPTS_ENCRYPTED] = {"fopts_encrypted", FROM(LW_MAC_1_1_0), "TS001-1.1 §4.3.1.6",
		"FOpts are encrypted with NwkSEncKey; before, they are in clear."},
	[LW_MIC_HALVES] = {"mic_halves", FROM(LW_MAC_1_1_0), "TS001-1.1 §4.4",
		"The MIC of an uplink is two halves, one by SNwkSIntKey over data rate and channel, one by FNwkSIntKey; with the ACK bit it covers the counter that is acknowledged."},
	[LW_NETWORK_KEYS] = {"network_keys", FROM(LW_MAC_1_1_0), "TS001-1.1 §6.1.2",
		"A session has FNwkSIntKey, SNwkSIntKey and NwkSEncKey; before, NwkSKey does all of it."},
	[LW_CONFIRMED_RETRIES] = {"confirmed_retries", BEFORE_1_0_4, "TS001-1.0.3 §18.4",
		"A confirmed uplink without an answer is sent again up to 8 times, slower from the third on; later ones send it NbTrans times."},
	[LW_NB_TRANS_LIMIT] = {"nb_trans_limit", FROM(LW_MAC_1_0_4), "TS001-1.0.4 §5.2",
		"While the network sets NbTrans (ADR), more than NbTrans transmissions of a frame are dropped by it in silence."},
	[LW_LINK_ADR_BLOCK] = {"link_adr_block", FROM(LW_MAC_1_0_2), "TS001-1.0.4 §5.2",
		"Contiguous LinkADRReq are one block, all or nothing; before, each stands for itself."},
	[LW_LINK_ADR_ANS_ONCE] = {"link_adr_ans_once", FROM(LW_MAC_1_1_0), "TS001-1.1 §5.3",
		"A block of LinkADRReq has one LinkADRAns; before, each request has its own."},
	[LW_LINK_ADR_KEEP] = {"link_adr_keep", FROM(LW_MAC_1_0_4), "TS001-1.0.4 §5.2",
		"DataRate or TXPower 15 in LinkADRReq keeps what the device has."},
	[LW_DEV_NONCE_COUNTS] = {"dev_nonce_counts", FROM(LW_MAC_1_0_4), "TS001-1.0.4 §6.2",
		"DevNonce is a counter that never goes back; before, it is random and none comes twice."},
	[LW_TWO_ROOT_KEYS] = {"two_root_keys", FROM(LW_MAC_1_1_0), "TS001-1.1 §6.1.1",
		"Network keys come from NwkKey, the application's from AppKey; before, AppKey is the only root key."},
	[LW_OPT_NEG] = {"opt_neg", FROM(LW_MAC_1_1_0), "TS001-1.1 §6.2.3",
		"Bit 7 of DLSettings in a join-accept tells a device to use the keys and rules of 1.1; before, it is reserved."},
	[LW_REJOINS] = {"rejoins", FROM(LW_MAC_1_1_0), "TS001-1.1 §6.2.4",
		"A device asks for a new session with rejoin-requests as well."},
	[LW_CFLIST_MASKS] = {"cflist_masks", FROM(LW_MAC_1_0_3), "RP001-1.0.3 §2.2.4",
		"A CFList of type 1 names channels by masks; before, a device of a fixed plan takes no CFList."},
};
/* clang-format on */

const struct lw_behaviour_row *lw_behaviour_row(enum lw_behaviour behaviour)
{
	return (unsigned)behaviour < LW_BEHAVIOUR_COUNT ? &rows[behaviour] : NULL;
}

bool lw_behaves(enum lw_mac_version version, enum lw_behaviour behaviour)
{
	const struct lw_behaviour_row *row = lw_behaviour_row(behaviour);
	ASSERT(row);
	return version >= row->since && version <= row->until;
}

enum lw_mac_version lw_version_in_use(enum lw_mac_version of_device, bool keys_1_1)
{
	if (keys_1_1)
		return LW_MAC_1_1_0;
	return of_device <= LW_MAC_1_0_4 ? of_device : LW_MAC_1_0_4;
}
