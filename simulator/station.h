/* A simulated Basics Station, version 2.0.6 as it behaves: a state machine without clock, socket or radio. Frames that its receiver
 * heard and texts of the server come in with `now`; texts, connections to open and frames to send come out.
 *
 *	RESTING ──back-off is over──▶ DISCOVERING ──opened──▶ ASKED ──{"uri"}──▶ CONNECTING ──opened──▶ CONFIGURING
 *	   ▲  ▲                          │ refused              │ error, 60 s       │ refused              │ router_config
 *	   │  └──── 0, 10, 20 .. 60 s ───┴──────────────────────┘                   │                      ▼
 *	   └──── 1, 2, 4, 8, 16 s to the same uri, then discovery again ────────────┴───────closed──── RUNNING
 *
 * Invariants. A downlink that cannot be sent in time is dropped without a word; only its count is kept, by cause. Each connection
 * to a uri begins a new session: xtimes of an older one are worthless. What the server says wrong is dropped, the connection
 * stays; a router_config that is refused ends it. At most 128 frames with 16 KiB wait to be sent. runcmd and rmtsh do nothing
 * unless allowed. Shares no code with the bridge. Times are microseconds of whoever drives it. */
#ifndef LAMPPOST_SIM_STATION_H
#define LAMPPOST_SIM_STATION_H

#include "simulator/station_down.h"

#include "common/base/rng.h"
#include "common/base/units.h"

#define SIM_STATION_JOBS         128
#define SIM_STATION_QUEUED_BYTES 16384
#define SIM_STATION_TEXT         1600  /* characters of what a station says */
#define SIM_STATION_ACTS         64    /* more wait for nobody: dropped, counted */
#define SIM_STATION_LEAD_US      20000 /* it aims to hand a frame to its radio so long before its start */
#define SIM_STATION_LATE_US      10000 /* and gives up below this */
#define SIM_STATION_AHEAD_US     INT64_C(600000000)
#define SIM_STATION_SETUP_US     INT64_C(60000000) /* without an answer before RUNNING */

enum sim_station_state {
	SIM_STATION_RESTING,
	SIM_STATION_DISCOVERING,
	SIM_STATION_ASKED,
	SIM_STATION_CONNECTING,
	SIM_STATION_CONFIGURING,
	SIM_STATION_RUNNING,
	SIM_STATION_STATE_COUNT
};
const char *sim_station_state_name(enum sim_station_state state); /* "running" */

struct sim_station_options {
	struct lw_eui64 eui;
	char tc_uri[SIM_STATION_URI_MAX + 1];   /* "wss://127.0.0.1:3001"; discovery asks there */
	const char *model, *package, *firmware; /* NULL: "simulated", null, null */
	bool prod;                              /* obeys duty cycle whatever router_config says */
	bool gps;                               /* asks for the time; knows where it is */
	bool allows_commands;                   /* runcmd and rmtsh */
	double drift_ppm;
	struct wall start; /* wall time at time 0 */
};

/* Why a downlink was not sent. */
enum sim_station_drop {
	SIM_STATION_DROP_UNCONFIGURED, /* no router_config, or of a region that 2.0.6 does not know */
	SIM_STATION_DROP_STALE,        /* xtime of another session, or 0 */
	SIM_STATION_DROP_LATE,         /* every window began in less than SIM_STATION_LATE_US */
	SIM_STATION_DROP_FAR,          /* more than SIM_STATION_AHEAD_US ahead */
	SIM_STATION_DROP_BUSY,         /* every window overlapped a frame of the same or a higher priority */
	SIM_STATION_DROP_FULL,         /* 128 frames, or 16 KiB */
	SIM_STATION_DROP_DUTY_CYCLE,
	SIM_STATION_DROP_NO_TIME, /* a GPS time, and the station knows none */
	SIM_STATION_DROP_CLOSED,  /* the connection ended before the frame's time */
	SIM_STATION_DROP_COUNT
};
const char *sim_station_drop_name(enum sim_station_drop drop); /* "duty_cycle" */

/* A frame that waits to be sent, or is being sent. */
struct sim_station_job {
	int64_t start_us, end_us;
	struct sim_station_window window;
	bool has_other; /* RX2, while RX1 is the plan */
	struct sim_station_window other;
	int64_t other_us; /* its start */
	bool on_air;
	bool silent;   /* of a dnsched: no dntxed */
	uint8_t tries; /* class C: places in the queue still to be tried, 100 ms apart */
	struct sim_station_dnmsg from;
};

/* What the station wants done at its socket. */
enum sim_station_act_kind {
	SIM_STATION_OPEN, /* `text` is the URI; any connection before it is over */
	SIM_STATION_SAY,  /* `text` goes out */
	SIM_STATION_SHUT, /* closes the connection in an orderly way */
	SIM_STATION_CUT   /* never the station's own: a fault breaks the connection without a word */
};
struct sim_station_act {
	enum sim_station_act_kind kind;
	size_t length;
	char text[SIM_STATION_TEXT];
};

/* A frame that its receiver heard. */
struct sim_station_heard {
	int64_t end_us; /* the end of the frame */
	uint32_t freq_hz;
	uint8_t spreading_factor;
	uint32_t bandwidth_hz;
	int rssi_dbm, snr_cdb;
	const uint8_t *phy;
	size_t length;
};

struct sim_station_counters {
	uint64_t connects, sessions; /* attempts to open; uris that configured it */
	uint64_t discovery_refused;  /* {"error"} */
	uint64_t texts;              /* of the server */
	uint64_t refused[SIM_STATION_VERDICT_COUNT];
	uint64_t warnings;
	uint64_t heard, forwarded, filtered,
		unheard; /* frames; unheard: no session, channel or data rate for it */
	uint64_t downlinks, sent, dropped[SIM_STATION_DROP_COUNT];
	uint64_t commands_refused, commands_run;
	uint64_t acts_dropped;
};

struct sim_station {
	struct sim_station_options options;
	struct rng rng;
	enum sim_station_state state;
	int64_t deadline_us;               /* the state's; INT64_MAX: none */
	unsigned discoveries;              /* failed, in a row */
	unsigned muxs;                     /* failed, in a row */
	char uri[SIM_STATION_URI_MAX + 1]; /* of the server; "": to be asked for */
	bool is_closed;                    /* no connection */
	uint8_t session;                   /* of xtime; never 0 */
	int64_t clock_offset_us;           /* a fault: the concentrator's counter jumped by so much */
	bool has_config;
	struct sim_station_config config;
	double mux_offset_s; /* the server's clock less ours; 0: it never said */
	bool has_gps_offset;
	int64_t gps_offset_us; /* GPS time less our xtime's microseconds */
	int64_t timesync_us;   /* next question */
	struct sim_station_job jobs[SIM_STATION_JOBS];
	size_t job_count, queued_bytes;
	int64_t band_free_us[8];                       /* EU868: a sub-band is spent until then */
	struct sim_station_act acts[SIM_STATION_ACTS]; /* a ring */
	size_t act_first, act_count;
	struct sim_station_counters counters;
	struct sim_station_down down; /* scratch */
};

/* Begins with discovery at once. `seed` makes its sessions reproducible. */
void sim_station_init(struct sim_station *station, const struct sim_station_options *options, uint64_t seed);

/* The connection that was asked for stands. */
void sim_station_opened(struct sim_station *station, int64_t now_us);
/* It ended, or did not come about. */
void sim_station_closed(struct sim_station *station, int64_t now_us);
void sim_station_receive(struct sim_station *station, int64_t now_us, const char *text, size_t length);
/* Says what the receiver heard; returns whether it went to the server. */
bool sim_station_hear(struct sim_station *station, int64_t now_us, const struct sim_station_heard *heard);

/* When something is to be done; INT64_MAX for nothing. */
int64_t sim_station_next_us(const struct sim_station *station);
/* Deadlines: reconnects, questions for the time, the dntxed of what has been sent. */
void sim_station_tick(struct sim_station *station, int64_t now_us);
/* Takes the next frame whose start has come, false when none; lent until the next call of any function. */
bool sim_station_transmit(struct sim_station *station, int64_t now_us, const struct sim_station_job **job);
/* Takes the oldest of what is to be done at the socket; false when none. */
bool sim_station_take(struct sim_station *station, struct sim_station_act *out);

/* Its clock, as it stands in xtime: session and 48 bits of microseconds. */
int64_t sim_station_xtime(const struct sim_station *station, int64_t at_us);
/* Power of a frame at that frequency, dBm EIRP, by region and max_eirp. */
int sim_station_power_dbm(const struct sim_station *station, uint32_t freq_hz);
/* Does nothing until sim_station_restart(): it does not know where to connect. */
void sim_station_wait(struct sim_station *station);
/* Switched off and on: forgets everything but its options, and discovers again. */
void sim_station_restart(struct sim_station *station, int64_t now_us);

#endif
