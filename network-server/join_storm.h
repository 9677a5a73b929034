/* A join storm: a quarter of the city has lost its power and asks to join at once. What can be answered is little: a gateway that
 * sends an accept hears nothing meanwhile, and duty cycle limits what it sends in an hour. So answers are planned by price
 * (plan_policy.h), and a request that no gateway can answer in time is refused before the join server is asked: no nonce is burnt
 * for it, nothing late is ever sent, and the device asks again after its back-off (TS001 §7).
 *
 *	        ns_storm_offered(): 50 requests or more in 10 s, whose accepts would take half the time
 *	 CALM ─────────────────────────────────────────────────────────────────────────────────▶ STORM
 *	  ▲                     that the gateways which heard them may send                        │
 *	  └────────────────────────────────────────────────────────────────────────────────────────┘
 *	   ns_storm_tick(): for a minute the accepts of all requests would have taken a tenth of it, or less
 *
 * It ebbs rather than ends while NS_STORM_ENTER devices or more that asked in it still ask in vain: they ask seldom, by their back-off,
 * and would meet the rule of who comes first. After NS_STORM_EBB that is no storm but devices that cannot join.
 *
 * In calm nothing of this applies. Each device that asks during a storm is remembered until the next one: how often it asked, whether
 * its first uplink has come, be it after the storm. Only registered devices are: eight bytes a device, taken at the start, so that
 * nobody's flood puts another's device out, and nothing is searched or cleared on the loop.
 *
 * A request that is counted in a storm is in one place at any time, and stays in that storm's account though it be answered later:
 *
 *	offered ──▶ refused      no gateway can answer in time, by cause
 *	        ──▶ in_flight    an answer to that device was on its way
 *	        ──▶ asking ──▶ answered ──▶ failed    every gateway refused the accept
 *	                   ──▶ failed                 by cause
 *
 * so that offered = refused + in_flight + asking + answered + failed, always. */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_STORM_H
#define LAMPPOST_NETWORK_SERVER_JOIN_STORM_H

#include "network-server/join_load.h"
#include "network-server/plan_policy.h"

#define NS_STORM_MINUTES  16
#define NS_STORM_ENTER    50 /* requests in NS_STORM_LOOK seconds */
#define NS_STORM_LOOK     10
#define NS_STORM_CALM     60
#define NS_STORM_EBB      (15 * 60)
#define NS_STORM_WINDOWS  6 /* seconds from the close of a request's window to the end of its accept's */
#define NS_STORM_PATIENCE 4 /* requests in vain until a device counts as patient */

struct ns;
struct ns_join;

/* Why a request is not answered (NS_DROP_JOIN_STORM). */
enum ns_storm_cause {
	NS_STORM_NO_TIME,    /* the gateways that heard it send as much as they may, or then */
	NS_STORM_NO_AIRTIME, /* duty cycle */
	NS_STORM_TOO_LATE,   /* it came too late for both windows */
	NS_STORM_NO_PATH,    /* no gateway that heard it can be reached */
	NS_STORM_TOO_WEAK,   /* it would hardly hear an accept of those that can be sent */
	NS_STORM_CAUSE_COUNT
};
extern const char *const ns_storm_cause_names[NS_STORM_CAUSE_COUNT + 1]; /* ends with NULL */

/* Why a request that was not refused came to nothing. */
enum ns_storm_failure {
	NS_STORM_FAILED_NO,       /* the join server said no, or its answer was no use */
	NS_STORM_FAILED_SILENT,   /* the join server did not answer in time */
	NS_STORM_FAILED_NOT_SENT, /* no gateway sent the accept */
	NS_STORM_FAILED_NO_ROOM,  /* a table of ours was full, or the device's record went */
	NS_STORM_FAILURE_COUNT
};

/* Of a storm: the present one, else the last. A request is offered once for all its copies. */
struct ns_storm_counts {
	uint64_t offered;
	uint64_t refused[NS_STORM_CAUSE_COUNT]; /* not asked for: no gateway could answer in time */
	uint64_t in_flight;                     /* not asked for: an answer to that device was on its way */
	uint64_t asking;                        /* the join server has not answered yet */
	uint64_t answered;                      /* a gateway has the accept, and has not refused it */
	uint64_t failed[NS_STORM_FAILURE_COUNT];
	uint64_t devices; /* that asked, and whose record is still there */
	uint64_t joined;  /* of them: whose first uplink has come */
};

struct ns_storm {
	bool on;
	uint64_t storms; /* since the start */
	uint32_t number; /* of the last one; 0: there was none */
	struct mono since, until;
	struct wall since_wall, until_wall;
	struct mono ebb; /* since when it is kept for those that wait alone; MONO_NEVER */
	struct ns_storm_counts counts;
	uint64_t requests;               /* ever offered, calm or not */
	struct ns_storm_device *devices; /* owned, by slot */
	uint32_t device_count;
	struct ns_join_load load;
	uint32_t joined_in[NS_STORM_MINUTES]; /* minute of the storm modulo; the present one is not full */
	struct mono next;                     /* look again */
};

struct ns_storm_device {
	uint32_t storm; /* its number; another's: it has not asked in this one */
	uint8_t asked;  /* while no answer was on its way */
	uint8_t refused;
	bool joined;
};

/* What people are told. */
struct ns_storm_report {
	bool on;
	struct wall since, until;
	span_us lasts, ended; /* how long; how long ago, 0 while it lasts */
	struct ns_storm_counts counts;
	uint64_t refused, failed; /* by whatever cause */
	uint64_t waiting;         /* devices that asked in it and have not joined since */
	uint32_t offered_10s, answered_10s;
	uint32_t need_permille; /* of the time that the gateways concerned may send, in the last 10 s */
	bool has_estimate;
	uint32_t least_s, most_s; /* until those that wait have joined, at the rates of the last minutes */
};

void ns_storm_init(struct ns_storm *storm, uint32_t max_devices);
void ns_storm_release(struct ns_storm *storm);

/* A request of a registered device that will be answered if it can be: counts it, and begins a storm where one is. In one,
 * join->windows.storm is its number from then on. */
void ns_storm_offered(struct ns *ns, struct now now, struct ns_join *join);
/* What the device is among those that ask. */
enum ns_storm_class ns_storm_class_of(const struct ns *ns, uint32_t device);
/* Whether an accept to the device is on its way, by its course (join_course.h): it was asked for, or was sent and its windows are not
 * over. */
bool ns_storm_is_answered(const struct ns *ns, struct now now, const struct lw_eui64 *dev_eui);
/* An answer to the device is on its way: its request is counted and goes no further. It has asked, but not in vain. */
void ns_storm_in_flight(struct ns *ns, struct now now, const struct lw_eui64 *dev_eui);
/* In a storm: NS_ACCEPTED, having kept a gateway's time for the accept until ns_storm_let_go(), or NS_DROP_JOIN_STORM with the cause
 * in join->storm_cause. In calm NS_ACCEPTED. */
enum ns_drop ns_storm_admit(struct ns *ns, struct now now, struct ns_join *join);
/* Whether the device has been refused before in this storm: it need not be told of again. */
bool ns_storm_has_refused(const struct ns *ns, uint32_t device);
/* The time that was kept is free again: the accept is planned now, or there is none. */
void ns_storm_let_go(struct ns *ns, struct ns_join *join);
/* A request that was admitted: its accept was handed to a gateway, or it came to nothing. `number`: the storm's (struct ns_windows);
 * 0, or an older one's: it is in no account any more. */
void ns_storm_answered(struct ns *ns, struct now now, uint32_t number);
void ns_storm_failed(struct ns *ns, uint32_t number, enum ns_storm_failure why);
/* What was answered was not sent: every gateway refused it. */
void ns_storm_not_sent(struct ns *ns, uint32_t number);
/* A device's first uplink came; its record goes. */
void ns_storm_joined(struct ns *ns, struct now now, uint32_t slot);
void ns_storm_forget(struct ns *ns, uint32_t slot);
/* Looks whether it is over: by the rule above, or because it is switched off; from ns_on_tick(). */
void ns_storm_tick(struct ns *ns, struct now now);
struct mono ns_storm_next(const struct ns_storm *storm);

void ns_storm_tell(const struct ns *ns, struct now now, struct ns_storm_report *report);

#endif
