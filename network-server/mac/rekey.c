/* RekeyInd (TS001-1.1 §5.10): the device of a 1.1 session says which minor version it speaks, in every uplink until it
 * gets RekeyConf. Other minors occur in the field: the lesser of both is answered, the frame never fails. */
#include "network-server/why/record_mac.h"

void ns_mac_rekey(struct ns *ns, struct now now, struct ns_uplink *uplink,
		  const struct lw_mac_command *command)
{
	if (!(uplink->session->flags & NS_SESSION_1_1) || uplink->session->flags & NS_SESSION_ABP) {
		ns_record_mac_drop(ns, now, uplink->session, NS_DROP_MAC_UNEXPECTED, command->cid,
				   uplink->commands_length);
		return;
	}
	struct lw_mac_command answer = {.direction = LW_DOWN, .cid = LW_CID_REKEY};
	answer.as.rekey.minor = command->as.rekey.minor < 1 ? command->as.rekey.minor : 1;
	ns_mac_answer(ns, uplink, &answer);
}
