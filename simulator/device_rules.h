/* What differs from one version of LoRaWAN to the next, as a device has it: one row a version, written from the specification for
 * the device alone. The server keeps a table of its own (common/lorawan), and neither is made from the other: where they
 * disagree, a simulation shows it.
 *
 * The regional parameters that went with a version are in the same row where devices of that time were built to them: RP001-1.0.2
 * knew neither masks in the CFList nor ChMaskCntl 5 (both since RP001-1.0.3 and RP001-1.1). Pure, static tables. */
#ifndef LAMPPOST_SIM_DEVICE_RULES_H
#define LAMPPOST_SIM_DEVICE_RULES_H

#include "common/lorawan/types.h"

struct sim_rules {
	/* Joins (TS001-1.0.4 6.2, TS001-1.1 6.2). */
	bool two_root_keys;    /* NwkKey beside AppKey; OptNeg says which session rules hold */
	bool dev_nonce_counts; /* DevNonce is a counter; else it is drawn */
	bool join_nonce_rises; /* JoinNonce must be above the last one; else only another one */
	bool cflist_has_masks; /* fixed plans: CFList type 1 */
	/* Counters (4.3.1.5). */
	uint32_t max_fcnt_gap; /* a counter so far above the last one is refused; 0: none is */
	/* Frames and their repeats (4.3.1.2, 4.3.1.3). */
	bool own_retries; /* a confirmed frame is tried as often as the device likes, slower and slower, until it is
			   * acknowledged; else NbTrans copies, and any downlink ends it */
	bool quiet_at_lowest; /* no ADRACKReq where rate and power cannot do more */
	/* LinkADRReq (5.2, 5.3). */
	bool link_adr_blocks;     /* a run of requests is one; else each stands for itself */
	bool link_adr_one_block;  /* of two runs in a frame the first counts */
	bool link_adr_one_answer; /* one answer a run; else one a request */
	bool link_adr_keeps;      /* rate or power 15: as it is */
	bool link_adr_banks;      /* fixed plans: ChMaskCntl 5 */
	bool nb_trans_0_is_1;     /* else 0 keeps it */
	/* DutyCycleReq 255 (5.3 of 1.0.0 and 1.0.1): the device is silent from now on. */
	bool duty_cycle_255_is_off;
};

/* Returns the row of a version; never NULL. */
const struct sim_rules *sim_rules_of(enum lw_mac_version version);
/* Whether a device of that version knows the MAC command of a downlink. What it does not know it cannot skip, for it does not
 * know how long it is: the rest is not read. */
bool sim_rules_knows(enum lw_mac_version version, uint8_t cid);

#endif
