/* The records of MAC requests and of what ADR decided. Each is a record of the device. */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_RECORD_MAC_H
#define LAMPPOST_NETWORK_SERVER_WHY_RECORD_MAC_H

#include "network-server/mac/mac.h"
#include "network-server/why/record.h"

/* A block of requests went out, was taken or refused; `answers` may be NULL. */
void ns_record_mac(struct ns *ns, struct now now, const struct ns_session *session, enum ns_mac_kind kind,
		   enum ns_mac_became became, const struct ns_mac_block *asked,
		   const struct ns_mac_block *answers);
/* An answer, or a command of a device, that was not handled: counts and records. `length`: of all commands. */
void ns_record_mac_drop(struct ns *ns, struct now now, const struct ns_session *session, enum ns_drop drop,
			uint8_t cid, uint8_t length);
/* What ADR made of the session; only where that is another decision than the one told last. */
void ns_record_adr(struct ns *ns, struct now now, struct ns_session *session,
		   const struct ns_adr_input *input, const struct ns_adr_decision *decision);

#endif
