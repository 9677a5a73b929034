/* MAC commands (TS001 §5): one file for each command that is handled, found through the rows in mac.c; every other one
 * that parses is counted and nothing more. Answers go into the uplink's answer; requests are added when a frame is about
 * to leave. A request that is not taken is tried NS_MAC_TRIES times, then left. */
#ifndef LAMPPOST_NETWORK_SERVER_MAC_MAC_H
#define LAMPPOST_NETWORK_SERVER_MAC_MAC_H

#include "common/lorawan/mac_command.h"
#include "network-server/uplink.h"

#define NS_MAC_TRIES 8

/* Reads and handles the commands of an uplink. Of a repeat only what the device asks is answered again. */
void ns_mac_handle(struct ns *ns, struct now now, struct ns_uplink *uplink);
/* Whether the session waits for a request of ours to be sent. */
bool ns_mac_has_requests(const struct ns *ns, const struct ns_session *session,
			 const struct ns_profile *profile);
/* Adds the requests that fit, and notes that they were sent. True: the session changed. */
bool ns_mac_requests(struct ns *ns, struct ns_session *session, const struct ns_profile *profile,
		     struct wr *wr);
/* Adds an answer to the uplink's; one that does not fit is left out (the device asks again). */
void ns_mac_answer(struct ns *ns, struct ns_uplink *uplink, const struct lw_mac_command *command);
/* RxDelay that a profile wants, and what an ABP device boots with. */
uint8_t ns_wanted_rx_delay(const struct ns *ns, const struct ns_profile *profile);
uint8_t ns_boot_rx_delay(const struct ns_profile *profile);
/* Sets delay, data rates and frequency of the windows that an ABP device boots with. */
void ns_boot_windows(const struct ns_profile *profile, const struct lw_region *region,
		     struct ns_session *session);

/* Handlers. */
void ns_mac_link_check(struct ns *ns, struct now now, struct ns_uplink *uplink,
		       const struct lw_mac_command *command);
void ns_mac_device_time(struct ns *ns, struct now now, struct ns_uplink *uplink,
			const struct lw_mac_command *command);
void ns_mac_rekey(struct ns *ns, struct now now, struct ns_uplink *uplink,
		  const struct lw_mac_command *command);
void ns_mac_reset(struct ns *ns, struct now now, struct ns_uplink *uplink,
		  const struct lw_mac_command *command);
void ns_mac_rx_timing_ans(struct ns *ns, struct now now, struct ns_uplink *uplink,
			  const struct lw_mac_command *command);
void ns_mac_link_adr_ans(struct ns *ns, struct now now, struct ns_uplink *uplink,
			 const struct lw_mac_command *command);
/* Requests. */
bool ns_mac_wants_rx_timing(const struct ns *ns, const struct ns_session *session,
			    const struct ns_profile *profile);
bool ns_mac_rx_timing_req(struct ns *ns, struct ns_session *session, const struct ns_profile *profile,
			  struct wr *wr);
bool ns_mac_link_adr_req(struct ns *ns, struct ns_session *session, struct wr *wr);
/* The channels that a device of this session should use: those of the gateways that hear it. */
void ns_mac_wanted_plan(const struct ns *ns, const struct ns_session *session, struct lw_channel_plan *plan);

#endif
