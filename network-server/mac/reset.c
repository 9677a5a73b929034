/* ResetInd (TS001-1.1 §5.1): an ABP device of 1.1 lost its MAC state, never its counters. It is back at what it boots with, and
 * says so in every uplink until it gets ResetConf. */
#include "network-server/why/record_mac.h"

void ns_mac_reset(struct ns *ns, struct now now, struct ns_uplink *uplink,
		  const struct lw_mac_command *command)
{
	struct ns_session *session = uplink->session;
	if (!(session->flags & NS_SESSION_1_1) || !(session->flags & NS_SESSION_ABP)) {
		ns_record_mac_drop(ns, now, session, NS_DROP_MAC_UNEXPECTED, command->cid,
				   uplink->commands_length);
		return;
	}
	ns_mac_boot(ns, &uplink->profile->record, uplink->region, true, session);
	struct lw_mac_command answer = {.direction = LW_DOWN, .cid = LW_CID_RESET};
	answer.as.reset.minor = command->as.reset.minor < 1 ? command->as.reset.minor : 1;
	ns_mac_answer(ns, uplink, &answer);
	ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, uplink->slot);
}
