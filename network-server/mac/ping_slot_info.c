/* PingSlotInfoReq (TS001-1.0.4 §14.1): how often a device opens a ping slot in class B. It asks before it goes to class B and may
 * not change it there: while its ClassB bit is set the request is not answered. */
#include "network-server/why/record_mac.h"

void ns_mac_ping_slot_info(struct ns *ns, struct now now, struct ns_uplink *uplink,
			   const struct lw_mac_command *command)
{
	struct ns_session *session = uplink->session;
	if (uplink->parsed.fctrl.class_b) {
		ns_record_mac_drop(ns, now, session, NS_DROP_MAC_IN_CLASS_B, command->cid,
				   uplink->commands_length);
		return;
	}
	struct ns_rare rare = *ns_session_rare(&ns->sessions, session);
	uint8_t periodicity = command->as.ping_slot_info_req.periodicity;
	if (!(rare.known & NS_RARE_PERIODICITY) || rare.ping_periodicity != periodicity) {
		rare.known |= NS_RARE_PERIODICITY;
		rare.ping_periodicity = periodicity;
		if (!ns_mac_keep_rare(ns, now, session, &rare))
			return; /* without an answer the device asks again */
		ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, uplink->slot);
	}
	ns_mac_answer(ns, uplink,
		      &(struct lw_mac_command){.direction = LW_DOWN, .cid = LW_CID_PING_SLOT_INFO});
}
