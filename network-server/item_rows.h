/* Items in the journal (kind queue), which is their only home: a sweep writes them again behind itself.
 *
 *	1 | item as ns_item_encode()                       as versions before this one wrote it
 *	2 | DevEUI 8 | item 16                             it is over
 *	3 | DevEUI 8 | item 16 | state | tries | flags | fcnt_down u32 | session tag u32 | downlink u64 | gateway 8
 *	4 | arrival u64 | item as ns_item_encode()         it came
 */
#ifndef LAMPPOST_NETWORK_SERVER_ITEM_ROWS_H
#define LAMPPOST_NETWORK_SERVER_ITEM_ROWS_H

#include "network-server/network.h"

/* It came. */
void ns_item_journal(struct ns *ns, const struct ns_item *item);
/* Its state changed. */
void ns_item_journal_state(struct ns *ns, const struct ns_item *item);
/* It is over. */
void ns_item_journal_over(struct ns *ns, const struct ns_item *item);
/* All of it again. */
void ns_item_rewrite(struct ns *ns, const struct ns_item *item);
/* Into memory; ns_items_loaded() does the rest. */
bool ns_item_replay(struct ns *ns, const struct ns_journal_entry *entry);

#endif
