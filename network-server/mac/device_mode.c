/* DeviceModeInd (TS001-1.1 §5.15): a device of 1.1 says that it works in class A or C, in every uplink until it gets
 * DeviceModeConf. It is confirmed as it said, which is what the specification has and what makes it stop: a device in class C
 * hears all that is sent to one in class A. The session remembers the mode; while class C is not served a device's downlinks
 * wait for its uplinks, which is said when the mode changes. Another class than these two is confirmed as class A. */
#include "network-server/why/record_mac.h"

#define CLASS_A 0
#define CLASS_C 2

void ns_mac_device_mode(struct ns *ns, struct now now, struct ns_uplink *uplink,
			const struct lw_mac_command *command)
{
	struct ns_session *session = uplink->session;
	if (!(session->flags & NS_SESSION_1_1)) {
		ns_record_mac_drop(ns, now, session, NS_DROP_MAC_UNEXPECTED, command->cid,
				   uplink->commands_length);
		return;
	}
	uint8_t mode = command->as.device_mode.class == CLASS_C ? CLASS_C : CLASS_A;
	struct ns_rare rare = *ns_session_rare(&ns->sessions, session);
	if (rare.device_mode != mode) {
		rare.device_mode = mode;
		if (!ns_mac_keep_rare(ns, now, session, &rare))
			return; /* it says so again */
		ns_journal_session(ns, NS_JOURNAL_MAC_REQUEST, uplink->slot);
		ns_record_note(ns, now, mode == CLASS_C ? NS_NOTE_DEVICE_CLASS_C : NS_NOTE_DEVICE_CLASS_A,
			       ns_of_device(ns, session->device), (struct ns_numbers){.a = uplink->fcnt});
	}
	struct lw_mac_command answer = {.direction = LW_DOWN, .cid = LW_CID_DEVICE_MODE};
	answer.as.device_mode.class = mode;
	ns_mac_answer(ns, uplink, &answer);
}
