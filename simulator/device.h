/* A simulated end device, class A, as TS001 has it for LoRaWAN 1.0.0 to 1.0.4 and 1.1 (sections 3 to 6). It shares bytes and
 * ciphers with the server (common/lorawan frames, keys, MIC, MAC command layouts) and nothing else: state, channels, timing and
 * counters are its own, or both would agree on one mistake. Pure: time and randomness come in.
 *
 *	        due, a channel free                        nothing accepted, tries left
 *	 IDLE ───────────────────────▶ EXCHANGE ──────────────────────────────────────▶ WAITING
 *	  ▲      sim_device_tick()    TX, RX1, RX2                                         │
 *	  └──────────────────────────────┴──────────────◀── sends again ── EXCHANGE ◀──────┘
 *	      downlink accepted, or RX2 closed               1 to 3 s later (back-off)
 *
 * One frame is one exchange; its repeats keep counter and contents. While the device is not joined, the frame is a join-request, and
 * every attempt is a new one with a new DevNonce.
 *
 * Receive windows: RX1 opens RECEIVE_DELAY1 after the uplink's end and RX2 one second later (JOIN_ACCEPT_DELAY 5 and 6 s for a
 * join). A downlink is received only if its first symbol falls into a window, give or take rx_error_us, on the window's frequency
 * and data rate. Changes by RXTimingSetupReq and RXParamSetupReq hold from the uplink that carries the first answer on.
 *
 * Everything that was sent, acknowledged or received goes to the sink as a record, for checkers. */
#ifndef LAMPPOST_SIM_DEVICE_H
#define LAMPPOST_SIM_DEVICE_H

#include "simulator/device_rules.h"
#include "simulator/payload.h"
#include "simulator/plan.h"

#include "common/base/rng.h"
#include "common/lorawan/join_frame.h"
#include "common/lorawan/keys.h"
#include "common/lorawan/types.h"

#define SIM_DEVICE_NAME  48
#define SIM_ANSWERS_MAX  24
#define SIM_DEVICE_NEVER INT64_MAX
#define SIM_NO_REJOIN    255

enum sim_activation { SIM_OTAA, SIM_ABP };

/* How a device deals with the network's MAC requests where it is not as the specification has it. */
enum sim_mac_fault {
	SIM_MAC_SOUND,
	SIM_MAC_MUTE,             /* neither does nor answers what is asked of it */
	SIM_MAC_REFUSES_POWER,    /* of LinkADRReq: every power but the highest */
	SIM_MAC_DOUBLES_LINK_ADR, /* answers each LinkADRReq twice */
	SIM_MAC_REFUSES,          /* all that an answer can refuse */
	SIM_MAC_FAULT_COUNT
};
extern const char *const sim_mac_fault_names[SIM_MAC_FAULT_COUNT];

/* When a device asks to join again (TS001-1.0.4 section 7: 36 s of airtime in the first hour, 36 s in the next ten, 8.7 s in each
 * day after). */
enum sim_join_manner {
	SIM_JOIN_BUDGET, /* 1 to 8 s after RX2, until the airtime is spent */
	SIM_JOIN_PACED, /* the airtime spread over the hour: after each request 99 times its own, and a random pause */
	SIM_JOIN_STUBBORN /* a fault: every 10 s at the same data rate, whatever it has spent */
};

struct sim_device_config {
	char name[SIM_DEVICE_NAME];
	struct lw_eui64 dev_eui;
	struct lw_eui64 join_eui;
	enum lw_mac_version mac_version;
	enum sim_activation activation;
	struct lw_key app_key;
	struct lw_key nwk_key;               /* 1.1; earlier versions have the AppKey alone */
	struct lw_dev_addr dev_addr;         /* ABP */
	struct lw_session_keys session_keys; /* ABP; before 1.1 all network keys are the NwkSKey */
	uint32_t first_fcnt_up;              /* ABP */
	bool fcnt_16;                        /* counters of 16 bits: the upper half is 0 for ever */
	bool forgets_counters;    /* ABP up to 1.0.3: counters begin anew when the battery was out */
	uint16_t first_dev_nonce; /* 1.0.4 and 1.1 count on from here: the last one used */
	const struct sim_plan *plan;
	uint8_t sub_band; /* fixed plans: 1..8, what the device was set up for; 0: all channels */
	uint8_t dr;       /* data rate at start */
	bool adr;
	uint8_t nb_trans;          /* at start, as LinkADRReq would have set it; 0: 1 */
	uint8_t confirmed_every;   /* every n-th reading is confirmed; 0: none */
	uint8_t tries;             /* transmissions of a confirmed frame up to 1.0.3; 0: 8 */
	uint8_t rx_delay_s;        /* ABP: RECEIVE_DELAY1 that the device boots with; 0: 1 */
	int64_t rx_error_us;       /* half the width of a window's opening; 0: 10 ms */
	int64_t first_us;          /* world time of the first reading or join */
	int64_t interval_us;       /* between readings */
	uint8_t link_check_every;  /* LinkCheckReq in every n-th reading's frame; 0: never */
	uint8_t device_time_every; /* DeviceTimeReq, likewise */
	enum sim_mac_fault mac_fault;
	enum sim_join_manner join_manner;
	bool no_rejoin_timer; /* it takes RejoinParamSetupReq's count and refuses its time */
	enum sim_payload payload;
	uint8_t fport;
	double x_m;
	double y_m;
};

/* What became of a frame that a window heard. */
enum sim_down_result {
	SIM_DOWN_ACCEPTED = 0,
	SIM_DOWN_MALFORMED,
	SIM_DOWN_NOT_OURS,   /* another DevAddr, or a type that is not for us now */
	SIM_DOWN_MIC,        /* no key and counter fit */
	SIM_DOWN_REPEATED,   /* a good MIC under a counter that was used before: never acceptable */
	SIM_DOWN_GAP,        /* up to 1.0.3: 16,384 or more counters were skipped */
	SIM_DOWN_JOIN_NONCE, /* not above the last one (1.1), or the last one again */
	SIM_DOWN_PARAMETERS, /* a join-accept that asks for what the device does not have */
	SIM_DOWN_TOO_LONG,   /* more than the data rate carries in its region */
	SIM_DOWN_UNREADABLE, /* the radio lost it */
	SIM_DOWN_RESULT_COUNT
};
const char *sim_down_result_name(enum sim_down_result result);

enum sim_record_kind {
	SIM_RECORD_JOIN_REQUEST, /* dev_nonce, join_req_type */
	SIM_RECORD_JOINED,       /* dev_nonce, join_req_type, join_nonce, dev_addr */
	SIM_RECORD_UPLINK,       /* one transmission: fcnt, attempt, fport, payload, confirmed */
	SIM_RECORD_OUTCOME,      /* a frame is over: fcnt, attempt (how many), acknowledged, confirmed */
	SIM_RECORD_DOWNLINK, /* one frame heard in a window: result and, if a MIC fitted, fcnt and the rest */
	SIM_RECORD_KIND_COUNT
};
const char *sim_record_kind_name(enum sim_record_kind kind);

struct sim_record {
	enum sim_record_kind kind;
	int64_t at_us;   /* world time: start of an uplink, end of a downlink */
	uint32_t device; /* index */
	struct lw_dev_addr dev_addr;
	uint32_t fcnt;         /* 32 bits */
	uint16_t dev_nonce;    /* of a rejoin: RJcount */
	uint8_t join_req_type; /* LW_JOIN_REQ_TYPE_JOIN; of a rejoin 0, 1, 2 */
	uint32_t join_nonce;
	bool confirmed;
	bool acknowledged; /* outcome: the network acknowledged it; downlink: ACK is set */
	bool reading;      /* an uplink with a reading of the application */
	bool unasked_ack;  /* downlink: ACK is set, and the frame that it answers was not confirmed */
	bool app_counter;  /* downlink of 1.1: AFCntDown, else NFCntDown or the one counter */
	uint8_t attempt;   /* from 1 */
	uint8_t window;    /* downlink: 1 or 2 */
	uint8_t dr;
	uint32_t freq_hz;
	int fport; /* −1: none */
	enum sim_down_result result;
	uint8_t length; /* of the payload in clear */
	uint8_t payload[255];
	uint8_t phy_length;
	uint8_t phy[255]; /* as on the air */
};

/* Where records go; `record` is lent during the call. */
struct sim_sink {
	void (*put)(void *ctx, const struct sim_record *record);
	void *ctx;
};

/* A frame that goes on the air now. */
struct sim_uplink {
	int64_t start_us;
	int64_t end_us;
	uint32_t freq_hz;
	uint8_t spreading_factor; /* 0: FSK */
	uint32_t bandwidth_hz;
	double eirp_dbm;
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	size_t length;
};

/* A frame from a gateway, as a receiver would have to be tuned for it. */
struct sim_downlink {
	int64_t start_us;
	int64_t end_us;
	uint32_t freq_hz;
	uint8_t spreading_factor;
	uint32_t bandwidth_hz;
	bool inverted; /* devices hear inverted polarity only */
};

struct sim_channel {
	uint32_t freq_hz;        /* 0: not defined */
	uint32_t down_freq_hz;   /* by DlChannelReq; 0: the plan's */
	uint32_t window_freq_hz; /* the same, as the windows have it now */
	uint8_t min_dr;
	uint8_t max_dr;
	bool enabled;
};

enum sim_device_state { SIM_DEVICE_IDLE, SIM_DEVICE_EXCHANGE, SIM_DEVICE_WAITING, SIM_DEVICE_OFF };

/* What receive windows go by. Requests change it from the uplink on that carries their answer. */
struct sim_windows {
	uint8_t rx1_offset;
	uint8_t rx2_dr;
	uint32_t rx2_freq_hz;
	uint8_t rx_delay_s;
	bool downlink_dwell;
};

struct sim_answer {
	uint8_t bytes[4];
	uint8_t length;
	bool until_downlink; /* sticky */
	bool sent;
};

/* Where a device stands. Changed by the functions below alone; may be read. */
struct sim_device {
	struct sim_device_config config;
	const struct sim_rules *rules; /* of the version */
	uint32_t index;
	struct rng rng;
	struct aes *aes; /* borrowed as long as the device lives */
	struct sim_sink sink;

	enum sim_device_state state;
	int64_t next_us;
	int64_t due_us;    /* of the next reading */
	uint64_t readings; /* made so far */
	bool soon;         /* the network has more, or wants an acknowledgement */

	/* Session. */
	bool joined;
	bool rules_1_1;
	struct lw_dev_addr dev_addr;
	struct lw_session_keys keys;
	struct lw_key js_int_key;
	uint32_t fcnt_up;      /* next */
	bool seen_down[2];     /* [1]: AFCntDown */
	uint32_t fcnt_down[2]; /* last */
	bool rekey;            /* RekeyInd (OTAA) or ResetInd (ABP) until its Conf */
	bool ack;              /* a confirmed downlink waits for its acknowledgement */
	uint16_t ack_fcnt;

	/* Joins. */
	uint32_t dev_nonce;
	bool has_join_nonce;
	uint32_t join_nonce;
	uint32_t join_attempts; /* since the device was last joined */
	int64_t join_first_us;
	int64_t join_airtime_us; /* spent in this step of the back-off */
	uint8_t join_step;

	/* Rejoins of 1.1 (device_rejoin.c). */
	uint8_t rejoin_max_time_n;  /* a rejoin-request after 2^(n+10) s at most; 255: not asked for */
	uint8_t rejoin_max_count_n; /* and 2^(n+4) uplinks */
	bool rejoining;             /* the frame under way is a rejoin-request */
	uint8_t rejoin_type;        /* of it */
	uint32_t rj_count[2];       /* next: RJcount0 of this session; RJcount1, which never restarts */
	struct lw_net_id net_id;    /* of the session */
	int64_t rejoin_since_us;    /* the last rejoin of type 0, or the session's begin */
	uint32_t rejoin_uplinks;    /* since then */
	uint8_t rejoin_order;       /* of the network or a test: the type; SIM_NO_REJOIN: none */
	uint8_t rejoin_left;        /* times that it is still to be sent */
	uint8_t rejoin_period;      /* 32 s × 2^n between them */
	uint8_t rejoin_dr;          /* SIM_NO_REJOIN: the usual one */
	int64_t rejoin_order_us;    /* when it is due */

	/* MAC parameters. */
	struct sim_channel channels[SIM_CHANNELS_MAX];
	uint8_t dr;
	uint8_t power_index;
	uint8_t nb_trans;
	uint8_t rx1_offset;
	uint8_t rx2_dr;
	uint32_t rx2_freq_hz;
	uint8_t rx_delay_s;
	struct sim_windows in_force; /* of the five above and below */
	uint8_t duty_exponent;       /* DutyCycleReq: 1/2^n */
	bool silenced;               /* DutyCycleReq 255 */
	bool uplink_dwell;           /* TxParamSetupReq: 400 ms at most */
	bool downlink_dwell;
	int8_t max_eirp_dbm;
	uint32_t adr_count; /* ADR_ACK_CNT */
	uint32_t adr_limit;
	uint32_t adr_delay;
	struct sim_answer answers[SIM_ANSWERS_MAX];
	size_t answer_count;
	int64_t band_free_us[SIM_BANDS_MAX + 1];
	int64_t duty_free_us;
	int8_t margin_db; /* SNR of the last downlink, for DevStatusAns */
	uint8_t battery;  /* for the same: 0 external, 1 to 254, 255 unknown */

	/* Class B and the class itself (device_commands.c). */
	uint32_t beacon_freq_hz; /* 0: the plan's, as the next */
	uint32_t ping_slot_freq_hz;
	uint8_t ping_slot_dr; /* 255: the plan's */
	bool asks_ping_slot;  /* PingSlotInfoReq until its answer */
	uint8_t ping_periodicity;
	bool knows_ping_slot; /* the network has the periodicity */
	bool asks_beacon;     /* BeaconTimingReq until its answer */
	bool has_beacon;
	int64_t beacon_us; /* when the next beacon starts, to 30 ms */
	uint8_t beacon_channel;
	bool tells_mode;     /* DeviceModeInd until its Conf */
	uint8_t device_mode; /* 0: class A, 2: class C */

	/* The frame under way. */
	bool joining;
	bool confirmed;
	bool is_reading;
	bool frame_ack;
	bool frame_adr_ack_req;
	uint16_t frame_conf_fcnt;
	uint32_t frame_fcnt;
	int frame_fport;
	uint8_t frame_payload[255];
	uint8_t frame_length;
	uint8_t frame_fopts[LW_FOPTS_MAX];
	uint8_t frame_fopts_length;
	uint8_t attempt;
	uint8_t tx_channel;
	uint8_t tx_dr;
	int64_t uplink_end_us;
	int64_t rx1_us;
	int64_t rx2_us;
	uint32_t rx1_freq_hz;
	uint8_t rx1_dr;
	uint8_t window_rx2_dr;
	uint32_t window_rx2_freq_hz;
	uint8_t locked_window; /* 0: none */

	/* What the network said, for whoever asks. */
	bool has_link_check;
	uint8_t link_margin_db;
	uint8_t link_gateways;
	bool has_time;
	int64_t gps_offset_us;   /* GPS time − world time */
	uint32_t miss_downlinks; /* a fault: so many downlinks are lost */
};

/* Sets the device up and schedules its first reading or join. `aes` and the sink's context are borrowed as long as it lives. */
void sim_device_init(struct sim_device *device, const struct sim_device_config *config, uint32_t index,
		     struct aes *aes, uint64_t seed, struct sim_sink sink);
/* When it wants to be called; SIM_DEVICE_NEVER for never. */
int64_t sim_device_next_us(const struct sim_device *device);
/* Does what is due. Returns true and fills `uplink` if a frame goes on the air now. */
bool sim_device_tick(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink);
/* Whether a window is open for that downlink as its preamble begins; if so the device listens to it until
 * sim_device_receive() or sim_device_lost(). */
bool sim_device_listens(struct sim_device *device, const struct sim_downlink *downlink);
/* The frame it listens to has ended and was read, with that signal-to-noise ratio. */
enum sim_down_result sim_device_receive(struct sim_device *device, int64_t now_us, int snr_cdb,
					const uint8_t *phy, size_t length);
/* It has ended and could not be read. */
void sim_device_lost(struct sim_device *device, int64_t now_us);
/* Takes the battery out and puts it back `off_us` later: a joined session is forgotten (OTAA), counters and nonces stay as the
 * version has it: in non-volatile memory. */
void sim_device_power_cycle(struct sim_device *device, int64_t now_us, int64_t off_us);

/* Orders, for tests: the device says so with its next uplinks until the network answers. Class C (`mode` 2) is 1.1's DeviceModeInd. */
void sim_device_tell_mode(struct sim_device *device, uint8_t mode);
void sim_device_ask_ping_slot(struct sim_device *device, uint8_t periodicity);
void sim_device_ask_beacon(struct sim_device *device);
/* Makes it send a rejoin-request of a type (1.1, joined) as soon as its channels are free: 1 is what a device does that doubts that
 * the network still knows it. */
void sim_device_order_rejoin(struct sim_device *device, int64_t now_us, uint8_t type);

/* Opens a join-accept as a device does: decrypts `phy` (17 or 33 bytes) with the root key, looks at OptNeg, checks the MIC in the form
 * that goes with it (1.1 form: `js_int_key`, JoinEUI, DevNonce). Fills `accept` if SIM_DOWN_ACCEPTED. */
enum sim_down_result sim_join_accept_open(struct aes *aes, const struct lw_key *root_key,
					  const struct lw_key *js_int_key, const struct lw_eui64 *join_eui,
					  uint16_t dev_nonce, const uint8_t *phy, size_t length,
					  struct lw_join_accept *accept);

#endif
