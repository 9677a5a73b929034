/* The end of a stored session's row: groups {id u8, length u8, members} in any order, each there only where it differs from
 * what a session has without it. A reader takes the groups that it knows, leaves out the others, and takes of each as many
 * members as are there: new state is a new group, or new members at the end of one, and never a new format. Ids are never
 * used for something else. */
#ifndef LAMPPOST_NETWORK_SERVER_SESSION_TAIL_H
#define LAMPPOST_NETWORK_SERVER_SESSION_TAIL_H

#include "network-server/session.h"

enum ns_tail_group {
	NS_TAIL_RARE = 1,   /* struct ns_rare (rare.h) */
	NS_TAIL_REJOIN = 2, /* RJcount0 that is expected next */
	NS_TAIL_REGION = 3  /* which region, whatever its place in the configuration: a hash of its id */
};

void ns_session_tail_write(struct wr *wr, const struct ns_sessions *sessions,
			   const struct ns_session *session);
/* Reads all that is left; `session` is zeroed where nothing was read yet. False: cut short. */
bool ns_session_tail_read(struct rd *rd, struct ns_sessions *sessions, struct ns_session *session);

#endif
