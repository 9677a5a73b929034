/* The network server's core with a virtual clock, a store in memory and devices that are nothing but their keys: for unit
 * tests and simulation. Every event is one turn: what the core wants to last is taken first, then what it wants sent. A
 * restart makes a new core out of what was taken. */
#ifndef LAMPPOST_TESTS_NETWORK_RIG_H
#define LAMPPOST_TESTS_NETWORK_RIG_H

#include "common/lorawan/frame.h"
#include "common/lorawan/keys.h"
#include "network-server/network.h"

#define RIG_SENT_MAX  256
#define RIG_BLOBS_MAX 8192
#define RIG_ROWS_MAX  256
#define RIG_LINK      7

struct rig_blob {
	uint64_t first;
	uint8_t *bytes;
	size_t length;
};

struct rig {
	unsigned proved; /* bit of its number: a gateway that comes as a Basics Station */
	struct ns ns;
	struct ns_config config;
	struct lw_region *regions;
	struct secret_master *master;
	struct secret_box *box;
	struct rng rng;
	struct aes *aes;
	struct now now;
	uint64_t seq, version;
	/* What was sent, in order. */
	struct gw_downlink downlinks[RIG_SENT_MAX];
	size_t downlink_count;
	struct proto_message *events; /* RIG_SENT_MAX */
	size_t event_count;
	struct net_air_event airs[RIG_SENT_MAX]; /* events of airtime, which are not among those */
	size_t air_count;
	struct net_seal seals[RIG_SENT_MAX];
	size_t seal_count;
	struct ns_join_call joins[RIG_SENT_MAX];
	size_t join_count;
	struct net_join_report reports[RIG_SENT_MAX];
	size_t report_count;
	uint64_t acked_seq, applied_version;
	unsigned wanted; /* times that the records were asked for again */
	/* What is durable. */
	struct rig_blob blobs[RIG_BLOBS_MAX];
	size_t blob_count;
	struct ns_write writes[RIG_ROWS_MAX];
	size_t write_count;
	struct {
		bool used;
		uint32_t slot;
		uint8_t bytes[NS_SESSION_BYTES];
		size_t length;
	} rows[RIG_ROWS_MAX];
	/* Every FCntDown of a data frame that was sent, to see that none comes twice: DevAddr, counter, hash of bytes. */
	struct {
		uint32_t dev_addr;
		uint16_t fcnt;
		uint8_t phy[LW_PHY_PAYLOAD_MAX];
		uint8_t length;
		bool application;
	} counters[RIG_SENT_MAX];
	size_t counter_count;
	unsigned counters_repeated; /* one counter, different bytes */
};

/* A device: its keys and counters. */
struct rig_device {
	struct lw_eui64 dev_eui, join_eui;
	struct lw_dev_addr dev_addr;
	bool v1_1;
	bool fopts_before_erratum;
	struct lw_session_keys keys;
	uint32_t fcnt_up;
	uint16_t conf_fcnt_down;
	uint8_t dr, channel;
};

/* Regions eu868 (0), us915 (1) and as923-1 (2), gateways 1 and 2 of eu868 and 3 of us915 on link RIG_LINK, the application server
 * connected, a profile 1.0.3 of eu868 and others by rig_profile(). */
void rig_init(struct rig *rig);
void rig_release(struct rig *rig);
/* Channels beside the three of eu868, as in the configuration; NULL: the usual five. Without it there are none, so that
 * no NewChannelReq comes in between. */
void rig_extra_channels(struct rig *rig, const char *mhz);
/* A new core from what is durable. */
void rig_restart(struct rig *rig);
/* Ends a turn: takes what is to last, then what is to be sent. Called by the verbs below. */
void rig_turn(struct rig *rig);
/* Runs the clock forward, deadline by deadline. */
void rig_run(struct rig *rig, span_us span);
/* Runs to an absolute time since the start of the rig. */
void rig_run_to(struct rig *rig, span_us at);

struct net_uuid rig_uuid(uint8_t number);
struct lw_eui64 rig_eui(uint64_t number);
/* Adds a profile of number `number`; 0 is there. */
void rig_profile(struct rig *rig, uint8_t number, enum lw_mac_version version, const char *region,
		 void (*change)(struct net_profile *profile));
void rig_state_begin(struct rig *rig, bool full);
void rig_state_end(struct rig *rig);
void rig_gateway(struct rig *rig, uint64_t number, const char *region, bool token);
/* Registers an ABP device of a profile; its keys are made of its number. */
void rig_abp(struct rig *rig, struct rig_device *device, uint64_t number, uint8_t profile, uint32_t dev_addr,
	     bool v1_1);
/* Makes the device and its record, without telling the core. */
void rig_abp_record(struct rig *rig, struct rig_device *device, struct net_device *record, uint64_t number,
		    uint8_t profile, uint32_t dev_addr, bool v1_1);
void rig_otaa(struct rig *rig, struct rig_device *device, uint64_t number, uint8_t profile);

struct rig_frame {
	bool confirmed, ack, adr, adr_ack_req;
	uint8_t fport; /* 0 with a length of 0: none */
	const uint8_t *payload;
	uint8_t length;
	const uint8_t *fopts; /* in clear */
	uint8_t fopts_length;
};

/* Builds an uplink under the device's present counter, which is not moved. Returns the length. */
uint8_t rig_uplink(struct rig *rig, const struct rig_device *device, const struct rig_frame *frame,
		   uint8_t *phy);
/* A gateway hears it now: its counter is the rig's clock plus an offset of its own; `late` is how long the backhaul took
 * beyond the usual 30 ms. */
void rig_hears(struct rig *rig, uint64_t gateway, const uint8_t *phy, uint8_t length, span_us late);
/* The same on a frequency and data rate. */
void rig_hears_on(struct rig *rig, uint64_t gateway, const uint8_t *phy, uint8_t length, span_us late,
		  uint32_t freq_hz, uint8_t dr, int16_t snr_cdb);
/* The gateway's answer to the last downlink. */
void rig_tx_ack(struct rig *rig, enum gw_tx_result result);
/* The same with the gateway's word, about that attempt of the message. */
void rig_tx_ack_of(struct rig *rig, enum gw_tx_result result, const char *cause, uint8_t attempt);
/* Parses the last downlink, deciphers FOpts or FPort 0 into `commands`. False: none, or its MIC is wrong. */
bool rig_last_downlink(struct rig *rig, const struct rig_device *device, struct lw_frame *frame,
		       uint32_t fcnt, uint8_t *commands, uint8_t *length);
unsigned rig_events_of(const struct rig *rig, enum proto_kind kind);

#endif
