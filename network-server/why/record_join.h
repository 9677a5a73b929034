/* The records of a join: asked, asked again, what ended it. Each is a record of the device that asks. */
#ifndef LAMPPOST_NETWORK_SERVER_WHY_RECORD_JOIN_H
#define LAMPPOST_NETWORK_SERVER_WHY_RECORD_JOIN_H

#include "network-server/join_flow.h"
#include "network-server/why/record.h"

/* The request went no further; `drop` is counted elsewhere. */
void ns_record_join_frame(struct ns *ns, struct now now, const struct ns_join *join,
			  const struct ns_frame *frame, enum ns_drop drop);
void ns_record_join_asked(struct ns *ns, struct now now, const struct ns_join *join,
			  const struct ns_frame *frame);
void ns_record_join_again(struct ns *ns, struct now now, const struct ns_join *join);
/* Ended without a session; `answer` is the join server's, or NULL. The drop is counted elsewhere. */
void ns_record_join_end(struct ns *ns, struct now now, const struct ns_join *join, enum ns_drop drop,
			const struct bi_message *answer);
/* The session waits for its first uplink. */
void ns_record_joined(struct ns *ns, struct now now, const struct ns_join *join);

#endif
