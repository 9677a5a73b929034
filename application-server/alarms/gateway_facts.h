/* From a gateway's record and its health to what the table of alarms observes: which number each kind measures. Pure.
 *
 *	as_gateway_round_begin() ── as_gateway_observe() for each registered gateway ── as_gateway_round_end()
 *
 * While the bridge is not heard nobody knows how gateways fare: those kinds stay as they are. What stands in records (permission,
 * source range) is judged all the same. */
#ifndef LAMPPOST_AS_GATEWAY_FACTS_H
#define LAMPPOST_AS_GATEWAY_FACTS_H

#include "application-server/alarms/groups.h"
#include "application-server/health/health.h"

#define AS_GATEWAYS_MAX 12000
#define AS_BACKHAUL     64

/* What of a gateway's record alarms go by. */
struct as_gateway_record {
	struct lw_eui64 eui;
	char name[AS_ALARM_NAME];
	bool has_agency;
	struct net_uuid agency;
	char backhaul[AS_BACKHAUL];    /* the name of its line; "": not known */
	bool udp_open;                 /* accepted by UDP, from anywhere */
	struct wall permission_until;  /* 0: no end */
	struct wall certificate_until; /* of the newest that was issued; 0: none */
	uint32_t data_plan_mb;         /* a month; 0: no limit */
};

struct as_gateway_round {
	struct as_alarms *alarms;
	struct as_groups *groups;
	bool fresh;    /* the bridge was heard lately */
	unsigned open; /* by UDP from anywhere */
	char open_names[AS_ALARM_DETAIL];
};

void as_gateway_round_begin(struct as_gateway_round *round, struct as_alarms *alarms,
			    struct as_groups *groups, bool fresh);
/* `health` NULL: nothing is known of it. */
void as_gateway_observe(struct as_gateway_round *round, const struct as_gateway_record *record,
			const struct as_gateway_health *health, struct now now);
void as_gateway_round_end(struct as_gateway_round *round, struct now now);

#endif
