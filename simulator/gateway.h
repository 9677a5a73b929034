/* A simulated gateway: a receiver with eight demodulators, a just-in-time queue with the packet forwarder's
 *error codes, a crystal that drifts, and a backhaul that delays and loses. Pure: it reads no clock and opens
 *no socket; datagrams go to an outbox with the time at which they reach the other end, frames to send come
 *out of sim_gateway_transmit().
 *
 *	world ──signal starts, ends──▶ receiver ──rxpk──▶ every 10 ms PUSH_DATA ──backhaul──▶ outbox
 *	PULL_RESP ──backhaul──▶ sim_gateway_receive() ──▶ just-in-time queue ──at its tick──▶ world
 *	                                  └──TX_ACK (version 2)──▶ outbox
 *
 * Invariants: a gateway that sends hears nothing; its counter is 32 bits of its own crystal's microseconds
 *and wraps. World time is microseconds from the start of the scenario. Opaque to nobody, changed by these
 *functions alone. */
#ifndef LAMPPOST_SIM_GATEWAY_H
#define LAMPPOST_SIM_GATEWAY_H

#include "simulator/radio.h"
#include "simulator/semtech_gateway.h"

#include "common/base/rng.h"

#define SIM_GATEWAY_CHANNELS   10
#define SIM_DEMODULATORS       8  /* of an SX1301 */
#define SIM_DEMODULATORS_MAX   16 /* of an SX1302 */
#define SIM_JIT_MAX            32
#define SIM_SIGNALS_MAX        512 /* frames on the air around one gateway */
#define SIM_OUTBOX_MAX         64
#define SIM_DATAGRAM_BYTES     4096
#define SIM_NEVER              INT64_MAX
#define SIM_GATEWAY_ALTITUDE_M 20

/* The forwarder's margins (gateway-protocols A.6). */
#define SIM_JIT_LEAD_US      42500              /* below it: TOO_LATE */
#define SIM_JIT_ADVANCE_US   INT64_C(128000000) /* beyond it: TOO_EARLY */
#define SIM_JIT_GAP_US       1500               /* between two frames in the queue */
#define SIM_JIT_IMMEDIATE_US 80000              /* `imme`: the first free slot from here on */

struct sim_gateway_channel {
	uint32_t freq_hz;
	uint32_t bandwidth_hz;
	uint8_t spreading_factor; /* 0: every factor (multi-SF) */
};

struct sim_gateway_config {
	struct lw_eui64 eui;
	double x_m;
	double y_m;
	uint8_t version; /* of the protocol: 1 has no TX_ACK */
	bool is_station; /* a LoRa Basics Station (station.h) speaks for it: no datagrams, no queue of its own */
	bool is_mqtt;    /* it comes by MQTT (world_mqtt.c): no datagrams */
	double drift_ppm;
	uint32_t first_ticks; /* the counter at world time 0 */
	bool gps;
	uint8_t demodulators; /* 0: SIM_DEMODULATORS */
	bool full_duplex;     /* hears while it sends, as no real one does: to tell what deafness costs */
	uint8_t channel_count;
	struct sim_gateway_channel channels[SIM_GATEWAY_CHANNELS];
	uint32_t tx_min_hz;
	uint32_t tx_max_hz;
	int max_power_dbm;
	bool power_is_error; /* an old forwarder: too much power is refused, not lowered */
	int64_t backhaul_us; /* one way */
	int64_t jitter_us;   /* mean of an exponential addition */
	uint32_t loss_permille;
	int64_t keepalive_us; /* between PULL_DATA */
	int64_t stat_us;      /* between reports; 0: none */
	struct wall start;    /* wall time at world time 0 */
};

/* The ways a datagram can go; two sockets, as the forwarder has them. */
enum sim_socket { SIM_SOCKET_UP, SIM_SOCKET_DOWN };

struct sim_datagram {
	int64_t due_us; /* when it leaves the backhaul */
	enum sim_socket socket;
	size_t length;
	uint8_t bytes[SIM_DATAGRAM_BYTES];
};

/* A frame that the gateway puts on the air. */
struct sim_transmission {
	int64_t start_us; /* world time */
	int64_t end_us;
	struct sim_txpk txpk;
	int power_dbm; /* as sent */
	uint16_t token;
};

struct sim_gateway_counters {
	uint64_t heard;  /* good receptions, ghosts included */
	uint64_t ghosts; /* heard beside their own channel */
	uint64_t missed[SIM_RECEPTION_COUNT];
	uint64_t signals_dropped; /* more on the air than SIM_SIGNALS_MAX */
	uint64_t push_data;
	uint64_t push_acks;
	uint64_t pull_data;
	uint64_t pull_acks;
	uint64_t pull_resp;
	uint64_t refused[SIM_JIT_VERDICT_COUNT]; /* [SIM_JIT_OK]: accepted into the queue */
	uint64_t bad_datagrams[SIM_DOWN_VERDICT_COUNT];
	uint64_t sent;          /* frames on the air */
	uint64_t backhaul_lost; /* datagrams, both ways */
	uint64_t outbox_dropped;
};

struct sim_reception_slot {
	uint64_t id; /* of the signal; 0: free */
	uint8_t channel;
	bool ghost;
	double power_dbm; /* as this demodulator sees it */
};

struct sim_gateway {
	struct sim_gateway_config config;
	struct rng rng;
	bool off;                  /* a fault: neither hears nor sends nor talks */
	bool mute;                 /* a fault: accepts downlinks and does not send them */
	int64_t extra_backhaul_us; /* a fault */
	bool backhaul_down;        /* a fault: every datagram is lost */
	int64_t ticks_base_us;     /* world time at which the counter was `ticks_base` */
	uint32_t ticks_base;
	struct sim_signal signals[SIM_SIGNALS_MAX];
	size_t signal_count;
	struct sim_reception_slot slots[SIM_DEMODULATORS_MAX];
	struct sim_transmission queue[SIM_JIT_MAX]; /* by start */
	size_t queued;
	int64_t deaf[8][2]; /* the last transmissions, from and to */
	size_t deaf_next;
	struct semtech_rxpk pending[SIM_RXPK_MAX];
	uint8_t pending_phy[SIM_RXPK_MAX][LW_PHY_PAYLOAD_MAX];
	size_t pending_count;
	int64_t flush_us;
	int64_t keepalive_us; /* next */
	int64_t stat_us;      /* next */
	uint16_t token;
	struct semtech_stat interval; /* counts since the last report */
	uint64_t acked_at_stat;
	uint64_t pushed_at_stat;
	struct sim_datagram outbox[SIM_OUTBOX_MAX];
	size_t outbox_count;
	struct sim_gateway_counters counters;
};

/* `seed` makes its draws reproducible; PULL_DATA leaves at world time 0. */
void sim_gateway_init(struct sim_gateway *gateway, const struct sim_gateway_config *config, uint64_t seed);
/* The counter at a world time, by the gateway's own crystal. */
struct gw_ticks sim_gateway_ticks(const struct sim_gateway *gateway, int64_t now_us);
/* The world time at which the counter shows `ticks`, the nearer way round from `now_us`. */
int64_t sim_gateway_time_of(const struct sim_gateway *gateway, int64_t now_us, struct gw_ticks ticks);
/* Switches off and on: the counter starts again near zero, the queue and what was heard are lost. */
void sim_gateway_restart(struct sim_gateway *gateway, int64_t now_us);

/* A signal begins at this receiver; `phy` is not needed before its end. Neighbouring channels that hear it
 * too take demodulators of their own. */
void sim_gateway_signal_starts(struct sim_gateway *gateway, const struct sim_signal *signal);
/* The signal ends: what was read of it becomes rxpk entries. Returns what became of the frame on its own
 * channel. */
enum sim_reception sim_gateway_signal_ends(struct sim_gateway *gateway, int64_t now_us, uint64_t id,
					   const uint8_t *phy, size_t length);

/* A datagram has arrived at the gateway (after the backhaul: the caller keeps the delay, see
 * sim_gateway_backhaul_us()). */
void sim_gateway_receive(struct sim_gateway *gateway, int64_t now_us, const uint8_t *bytes, size_t length);
/* The forwarder's decision about one downlink; SIM_JIT_OK has queued it. `power_dbm` is filled with the power
 * that will be used. */
enum sim_jit_verdict sim_gateway_schedule(struct sim_gateway *gateway, int64_t now_us,
					  const struct sim_txpk *txpk, uint16_t token, int *power_dbm);
/* Draws one passage through the backhaul: microseconds, or −1 for lost (counted). */
int64_t sim_gateway_backhaul_us(struct sim_gateway *gateway);

/* Where it says it is: metres on a plane become degrees near 40.71 N, 74.00 W. */
void sim_gateway_place(const struct sim_gateway *gateway, double *latitude_deg, double *longitude_deg);

/* For a station or a forwarder by MQTT, whose radio this is. Takes the latest frame that was heard, false when none; `out->phy` is lent until the next frame ends. */
bool sim_gateway_take_heard(struct sim_gateway *gateway, struct semtech_rxpk *out);
/* Its receiver gets these channels. */
void sim_gateway_tune(struct sim_gateway *gateway, const struct sim_gateway_channel *channels, size_t count);
/* It sends from now on, and is deaf until then. */
void sim_gateway_sends(struct sim_gateway *gateway, int64_t from_us, int64_t to_us);

/* When something is next to be done; SIM_NEVER for nothing. */
int64_t sim_gateway_next_us(const struct sim_gateway *gateway);
/* Does what is due: keep-alive, report, PUSH_DATA. */
void sim_gateway_tick(struct sim_gateway *gateway, int64_t now_us);
/* Takes the next frame whose start has come; false when none. The gateway is deaf until its end. */
bool sim_gateway_transmit(struct sim_gateway *gateway, int64_t now_us, struct sim_transmission *out);
/* Takes the oldest datagram of the outbox; false when empty. */
bool sim_gateway_take(struct sim_gateway *gateway, struct sim_datagram *out);

#endif
