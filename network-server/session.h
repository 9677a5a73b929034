/* Sessions and the devices they belong to. A device has at most three sessions: the one in use, and after a join a pending
 * one that takes its place at the first uplink under it (TS001 §6.2: a lost join-accept must not cost the old session).
 * The join before is kept pending as well: a join-request that a backhaul brings late must not cost the session that
 * the device has entered meanwhile.
 *
 * Several devices may share a DevAddr: ns_sessions_next() walks all of an address, the MIC tells them apart. Both tables
 * are single mappings that core dumps leave out; nothing keeps a pointer into them across events: slots, looked up again,
 * and `tag`, which tells a slot's present session from an earlier one. */
#ifndef LAMPPOST_NETWORK_SERVER_SESSION_H
#define LAMPPOST_NETWORK_SERVER_SESSION_H

#include "common/base/bytes.h"
#include "common/crypto/secret.h"
#include "common/lorawan/version.h"
#include "common/proto/network_messages.h"
#include "network-server/plans.h"
#include "network-server/rare.h"
#include "network-server/slab.h"

#define NS_REGIONS_MAX   20
#define NS_REGION_GONE   UINT8_MAX /* no number of a region */
#define NS_SEEN_BITS     128
#define NS_SESSION_BYTES 640 /* room for a stored session */
#define NS_ADR_HISTORY   20  /* frames */
#define NS_QUESTION_MAX  40  /* bytes of requests in flight: eight LinkADRReq */

enum ns_session_flag {
	NS_SESSION_PENDING = 1, /* joined, no uplink yet */
	NS_SESSION_1_1 = 2,     /* 1.1 keys, MICs and counters */
	NS_SESSION_ABP = 4,
	NS_SESSION_FCNT_16 = 8,  /* the device counts 16 bits: the upper half is 0 wherever a key is used */
	NS_SESSION_STICKY = 16,  /* the device repeats an answer until a downlink arrives */
	NS_SESSION_SETTLE = 32,  /* which channels the device has enabled is not known: LinkADRReq is due */
	NS_SESSION_TRUSTED = 64, /* its channels are those of a CFList that nobody has confirmed yet */
	NS_SESSION_ADR = 128     /* the last uplink had the ADR bit */
};

/* The requests of ours (network-server/mac/), in the order in which rows are stored: a new one goes to the end. (That in
 * which they go into a frame is in request.c.) */
enum ns_mac_kind {
	NS_MAC_DUTY_CYCLE,
	NS_MAC_TX_PARAM_SETUP,
	NS_MAC_RX_PARAM_SETUP,
	NS_MAC_NEW_CHANNEL,
	NS_MAC_LINK_ADR,
	NS_MAC_RX_TIMING_SETUP,
	NS_MAC_DL_CHANNEL,
	NS_MAC_DEV_STATUS,
	NS_MAC_ADR_PARAM_SETUP,
	NS_MAC_FORCE_REJOIN,
	NS_MAC_REJOIN_PARAM_SETUP,
	NS_MAC_BEACON_FREQ,
	NS_MAC_PING_SLOT_CHANNEL,
	NS_MAC_KINDS /* at most 16: bits of a mask */
};
#define NS_MAC_HASHES 4
const char *ns_mac_kind_name(enum ns_mac_kind kind); /* "link_adr" */

/* What network-server/mac/ keeps of a session beside what is confirmed of windows and channels. The question is stored
 * before the frame that asks it leaves (invariant 2). */
struct ns_mac_state {
	/* Confirmed. */
	uint8_t tx_power;       /* index */
	uint8_t tx_param;       /* as in TxParamSetupReq */
	uint8_t max_duty_cycle; /* 1/2^n */
	/* In flight: encoded requests, whole commands. */
	uint8_t question_length;
	uint8_t question[NS_QUESTION_MAX];
	uint16_t answered; /* bit a kind: answered since it was asked last; more of it are repeats */
	uint16_t due;      /* bit a kind: to go with the next frame; not stored */
	uint8_t tries[NS_MAC_KINDS]; /* requests since the last answer */
	uint8_t wait[NS_MAC_KINDS];  /* uplinks until it is asked again */
	/* Refused, and not asked again until the wish changes. */
	/* Hash of the question, of kinds that may be refused for what they say together: ns_mac_refused(); 0: none. */
	uint16_t refused[NS_MAC_HASHES];
	uint16_t refused_drs, refused_powers, refused_channels, refused_dl_channels; /* bit an index */
	uint16_t refused_mask;     /* hash of the channels enabled; 0: none */
	uint16_t refused_rx2_freq; /* hash of the frequency; 0: none */
	uint8_t refused_offset;    /* RX1DROffset + 1; 0: none */
	uint8_t refused_rx2_dr;    /* + 1 */
	uint16_t
		channels_wish; /* hash of the wish that `refused_channels` and `refused_dl_channels` are about */
	uint8_t deaf;          /* uplinks in a row with ADRACKReq that were answered in vain */
	uint8_t sticky;        /* uplinks in a row with answers that a downlink would end; not stored */
	uint32_t status_hour; /* of wall time: DevStatusAns, or since when it is waited for; 0: never */
};
/* Lends the hash of the question of that kind which was refused; NULL: a kind that cannot be refused, or one whose
 * parameters are remembered each by itself alone. */
uint16_t *ns_mac_refused(struct ns_mac_state *mac, enum ns_mac_kind kind);

/* One sample a transmission, of one data rate and power (network-server/adr/). */
struct ns_adr_history {
	uint8_t count;                  /* samples, the newest first */
	uint8_t dr;                     /* of all of them */
	int8_t snr_qdb[NS_ADR_HISTORY]; /* best of all gateways, quarters of dB */
	uint8_t told; /* of the decision that was recorded last (why/record_mac.c); not stored */
	uint8_t slower; /* of frames that may have been slower retries: data rate + 1, their number × 16; not stored */
	uint16_t
		gateway; /* slot + 1 of the one that heard the newest best; 0: none, or past 65,534; not stored */
};

struct ns_session {
	struct lw_eui64 dev_eui;
	struct lw_dev_addr dev_addr;
	uint32_t device;               /* slot */
	uint32_t tag;                  /* random, of this session alone; never 0 */
	struct lw_key f_nwk_s_int_key; /* 1.0.x: all three are NwkSKey */
	struct lw_key s_nwk_s_int_key;
	struct lw_key nwk_s_enc_key;
	struct net_session_id id;
	uint32_t fcnt_up;                 /* next expected */
	uint32_t n_fcnt_down;             /* next; 1.0.x: the only one */
	uint32_t a_fcnt_down;             /* next; 1.1 */
	uint32_t conf_fcnt_down;          /* of the last confirmed downlink: ConfFCnt of 1.1 */
	uint64_t seen[NS_SEEN_BITS / 64]; /* bit i: fcnt_up − 1 − i was accepted */
	uint64_t last_hash;               /* of the last frame's bytes without its MIC */
	uint8_t last_mic[4];
	uint8_t repeats;     /* answers given to repeats of the last frame */
	uint8_t flags;       /* enum ns_session_flag */
	uint8_t region;      /* number: ns_region() */
	uint8_t mac_version; /* enum lw_mac_version */
	uint8_t rx_delay_s;  /* what the device uses now; so the next */
	uint8_t rx1_dr_offset, rx2_dr, nb_trans;
	uint8_t last_dr; /* of the last uplink */
	uint32_t rx2_freq_hz;
	uint16_t rj_count0; /* 1.1: the RJcount0 that is expected next */
	uint16_t plan;      /* the device's channels: ns_session_plan() */
	uint16_t rare;      /* what few devices were told: ns_session_rare() */
	struct ns_mac_state mac;
	struct ns_adr_history adr;
};

enum ns_device_flag {
	NS_DEVICE_ENABLED = 1,
	NS_DEVICE_ABP = 2,
	NS_DEVICE_PRIVATE = 4,
	NS_DEVICE_REPLACED = 8 /* not enabled, since another stands in its place */
};

struct ns_device {
	struct lw_eui64 dev_eui;
	struct lw_eui64 join_eui;
	uint64_t version;
	uint32_t run;         /* of the state run that last named it */
	uint32_t session;     /* slot or NS_NO_SLOT */
	uint32_t pending;     /* slot or NS_NO_SLOT: of the last join */
	uint32_t elder;       /* likewise, of the join before */
	uint32_t queue;       /* first item or NS_NO_SLOT */
	uint32_t opportunity; /* downlink being prepared, or NS_NO_SLOT */
	uint16_t profile;     /* index */
	uint8_t flags;        /* enum ns_device_flag */
	uint8_t queued;       /* items */
	/* Of the last join-request, for join_course.c (and join_storm.c, which looks); not stored. */
	uint32_t attempt;   /* 0: none since the start */
	uint16_t attempt_s; /* second of the last report, of 65,536 */
	uint8_t attempt_is; /* enum net_join_verdict */
	uint8_t unheard;    /* accepts in a row that a new request followed */
};

struct ns_sessions {
	struct ns_slab slab;
	struct ns_index by_addr;
	uint64_t *dirty; /* owned: a bit a slot, changed since its row was written */
	uint32_t dirty_count;
	struct ns_slab devices;
	struct ns_index by_eui;
	struct ns_plans plans;
	struct ns_rares rares;
	uint64_t seed;
	const struct lw_region *regions; /* borrowed, the configuration's: rows name them by id */
	uint8_t region_count;
};

void ns_sessions_init(struct ns_sessions *sessions, uint32_t devices, struct rng *rng);
void ns_sessions_release(struct ns_sessions *sessions);

/* --- devices --- */
uint32_t ns_device_find(const struct ns_sessions *sessions, const struct lw_eui64 *dev_eui);
struct ns_device *ns_device_at(const struct ns_sessions *sessions, uint32_t slot);
/* Finds or makes; NS_NO_SLOT when full. */
uint32_t ns_device_put(struct ns_sessions *sessions, const struct lw_eui64 *dev_eui);
/* Removes a device and its sessions; its queue and opportunity must be gone. */
void ns_device_remove(struct ns_sessions *sessions, uint32_t slot);

/* Before or while loading, from any thread: sessions of slots below `count`, and about as many devices, are going to be put. */
void ns_sessions_expect(struct ns_sessions *sessions, uint32_t count);
/* A device, or a session of that address, is going to be looked for soon. */
void ns_device_foresee(const struct ns_sessions *sessions, const struct lw_eui64 *dev_eui);
void ns_sessions_foresee(const struct ns_sessions *sessions, struct lw_dev_addr dev_addr);

/* --- sessions --- */
struct ns_session *ns_session_at(const struct ns_sessions *sessions, uint32_t slot);
/* Lends the session of a slot if it is still the one with that tag, else NULL. */
struct ns_session *ns_session_get(const struct ns_sessions *sessions, uint32_t slot, uint32_t tag);
/* Walks the slots of an address: *at = 0 at first. */
uint32_t ns_sessions_next(const struct ns_sessions *sessions, struct lw_dev_addr dev_addr, uint32_t *at);
bool ns_sessions_has_addr(const struct ns_sessions *sessions, struct lw_dev_addr dev_addr);
/* Copies a new session in and makes it its device's: pending (the pending one becomes the elder and replaces that) or in
 * use. NS_NO_SLOT when full. */
uint32_t ns_session_add(struct ns_sessions *sessions, const struct ns_session *session);
/* The first uplink under a pending session: it replaces the one in use, which is removed; so is the elder unless it is the
 * one. */
void ns_session_promote(struct ns_sessions *sessions, uint32_t slot);
void ns_session_remove(struct ns_sessions *sessions, uint32_t slot);
void ns_session_mark(struct ns_sessions *sessions, uint32_t slot); /* dirty */
/* Lends the channels of the device, until the next ns_session_set_plan(). */
const struct lw_channel_plan *ns_session_plan(const struct ns_sessions *sessions,
					      const struct ns_session *session);
/* False, nothing changed: more distinct plans than the table holds. */
bool ns_session_set_plan(struct ns_sessions *sessions, struct ns_session *session,
			 const struct lw_channel_plan *plan);
/* Lends what the session was told beyond that, until the next ns_session_set_rare(). */
const struct ns_rare *ns_session_rare(const struct ns_sessions *sessions, const struct ns_session *session);
/* False, nothing changed: more distinct sets than the table holds. */
bool ns_session_set_rare(struct ns_sessions *sessions, struct ns_session *session,
			 const struct ns_rare *rare);

/* --- counters --- */
bool ns_session_seen(const struct ns_session *session, uint32_t fcnt);
/* Notes an accepted counter: below the next expected one (late), or moves past it. */
void ns_session_note(struct ns_session *session, uint32_t fcnt);
/* The version that it follows: its device's, and the last of 1.0 where a device of 1.1 has not the keys of 1.1. */
enum lw_mac_version ns_session_version(const struct ns_session *session);
bool ns_session_behaves(const struct ns_session *session, enum lw_behaviour behaviour);
/* A counter as the device has it, in MICs, ciphers and events: of 16 bits, the lower half. Ours goes on beyond. */
uint32_t ns_session_fcnt(const struct ns_session *session, uint32_t fcnt);
/* Follows what the profile says of the width of its counters. */
void ns_session_set_width(struct ns_session *session, bool is_16_bit);
/* The counter that the next application downlink would take, as the device has it. */
uint32_t ns_session_next_app_fcnt_down(const struct ns_session *session);

/* --- stored form: keys sealed under the master key. --- */
size_t ns_session_encode(const struct ns_sessions *sessions, const struct ns_session *session,
			 const struct secret_master *master, uint8_t bytes[NS_SESSION_BYTES]);
/* Reads a row of this format or of one before; its plan is kept. False: malformed, or sealed under another key.
 * `device` is not part of it. */
bool ns_session_decode(struct ns_sessions *sessions, struct ns_session *session,
		       const struct secret_master *master, const uint8_t *bytes, size_t length);
/* Whose row it is, without opening it; zeros where it is too short. */
void ns_session_row_whose(const uint8_t *bytes, size_t length, struct lw_eui64 *dev_eui,
			  struct lw_dev_addr *dev_addr);
/* Written by a release before: to be written again. */
bool ns_session_row_is_old(const uint8_t *bytes, size_t length);
/* Puts a stored session into its slot (loading, replaying); its device must exist. Replaces what is there; greater
 * counters of the same session win. False: no such device, slot out of range. */
bool ns_session_restore(struct ns_sessions *sessions, uint32_t slot, const struct ns_session *session);
/* The same of a row that needs no writing: it stands in the store as this program would write it. */
bool ns_session_load(struct ns_sessions *sessions, uint32_t slot, const struct ns_session *session);

#endif
