/* Others' join servers while joins are under way: what the configuration names anew comes in, and what it does not name any more
 * leaves.
 *
 *	its words or files        joins that wait for it
 *	as before                 notice nothing
 *	others                    are asked again at once, as it is reached now, with the same TransactionID; its breaker is closed
 *	gone, or the JoinEUI is   end at once: "taken out of the configuration". The device asks again, and then where the
 *	  another's now           configuration says
 *
 * The place of one that left is given away when the last of its joins has ended. Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_RELOAD_H
#define LAMPPOST_NETWORK_SERVER_JOIN_RELOAD_H

#include "network-server/network.h"

/* Finds a place for each: its own by its name, else a free one. False: there is none as long as others leave. */
bool ns_join_servers_place(const struct ns *ns, const struct bi_join_server *wanted, uint8_t count,
			   uint8_t places[NS_JOIN_SERVERS_MAX]);
/* Puts them in force; `renewed` says which of them are new or reached in another way than before. What waits for others than
 * these goes on. */
void ns_join_servers_set(struct ns *ns, struct now now, const struct bi_join_server *wanted, uint8_t count,
			 const uint8_t places[NS_JOIN_SERVERS_MAX], const bool renewed[NS_JOIN_SERVERS_MAX]);

#endif
