#include "network-server/network.h"

#include "common/base/check.h"
#include "common/lorawan/gateway_plan.h"
#include "common/lorawan/frame.h"
#include "network-server/downlink.h"
#include "network-server/item_flow.h"
#include "network-server/join_flow.h"
#include "network-server/uplink.h"
#include "network-server/why/record.h"

#include <string.h>

#define OUTBOX        16384
#define RELEASED_MAX  1000000
#define ACK_DELAY     (200 * US_PER_MS) /* past the window and a Seal: what came before is committed */
#define CLASS_A_DELAY US_PER_S

void ns_config_defaults(struct ns_config *config)
{
	config->dedup_window = 200 * US_PER_MS;
	config->rx_delay_s = 5;
	config->journal_limit = UINT64_C(4) << 30;
	config->max_devices = 1100000;
	config->max_gateways = 4096;
	config->max_frames = 8192;
	config->max_remembered = 131072;
	config->max_downlinks = 65536;
	config->max_joins = 16384;
	config->max_items = 65536;
	config->decisions = 5u << 18; /* 50 for each of 20,000 devices */
}

void ns_init(struct ns *ns, const struct ns_config *config, struct rng *rng)
{
	memset(ns, 0, sizeof *ns);
	ns->config = *config;
	ns->rng = rng;
	ns->aes = aes_new();
	ASSERT(ns->aes);
	ns_dedup_init(&ns->dedup, config->max_frames, config->max_remembered, config->dedup_window, rng);
	ns_sessions_init(&ns->sessions, config->max_devices, rng);
	ns->sessions.regions = config->regions;
	ns->sessions.region_count = config->region_count;
	ns_gateways_init(&ns->gateways, config->max_gateways, rng_u64(rng));
	ns_foreign_init(&ns->foreign, config->prefixes, config->prefix_count,
			config->max_devices < RELEASED_MAX ? config->max_devices : RELEASED_MAX, rng);
	ns_foreign_allow_join_euis(&ns->foreign, config->join_eui_prefixes, config->join_eui_prefix_count);
	ns_join_reports_init(&ns->join_reports, rng);
	ns_storm_init(&ns->storm, config->max_devices);
	ns_strangers_init(&ns->strangers, rng);
	ns_frames_init(&ns->frames);
	ns_queue_init(&ns->queue, config->max_items, rng);
	ns_journal_init(&ns->journal, config->journal_limit, config->partition, config->epoch);
	ns_outbox_init(&ns->outbox, OUTBOX);
	ns_slab_init(&ns->downlinks, config->max_downlinks, sizeof(struct ns_downlink));
	deadlines_init(&ns->downlink_deadlines, config->max_downlinks);
	table_init(&ns->sealing, NS_SEALS_MAX, sizeof(struct net_uuid) + 8, sizeof(struct net_uuid), rng);
	ns_slab_init(&ns->joins, config->max_joins, sizeof(struct ns_join));
	deadlines_init(&ns->join_deadlines, config->max_joins);
	table_init(&ns->joins_by_transaction, config->max_joins, 8, 4, rng);
	ns->next_downlink_id = rng_u32(rng) >> 1; /* so that ids of before a restart are not met again */
	decision_ring_init(&ns->decisions, config->decisions, ns_subjects(config));
	ns->profiles = calloc(NS_PROFILES_MAX, sizeof *ns->profiles);
	ns->writes = calloc(NS_WRITES_MAX, sizeof *ns->writes);
	ns->event = malloc(sizeof *ns->event);
	ns->packed = malloc(NS_JOURNAL_ENTRY_MAX);
	ASSERT(ns->profiles && ns->writes && ns->event && ns->packed);
}

void ns_release(struct ns *ns)
{
	ns_dedup_release(&ns->dedup);
	ns_sessions_release(&ns->sessions);
	ns_gateways_release(&ns->gateways);
	ns_foreign_release(&ns->foreign);
	ns_join_reports_release(&ns->join_reports);
	ns_storm_release(&ns->storm);
	ns_strangers_release(&ns->strangers);
	ns_frames_release(&ns->frames);
	ns_queue_release(&ns->queue);
	ns_journal_release(&ns->journal);
	ns_outbox_release(&ns->outbox);
	ns_slab_release(&ns->downlinks);
	deadlines_release(&ns->downlink_deadlines);
	table_release(&ns->sealing);
	ns_slab_release(&ns->joins);
	deadlines_release(&ns->join_deadlines);
	table_release(&ns->joins_by_transaction);
	decision_ring_release(&ns->decisions);
	ns_regions_release(ns);
	free(ns->profiles);
	free(ns->writes);
	free(ns->event);
	free(ns->packed);
	aes_free(ns->aes);
	secret_wipe(ns, sizeof *ns);
}

void ns_count(struct ns *ns, enum ns_drop drop)
{
	ns->drops[drop]++;
}

/* --- bridges --- */

static struct ns_link *find_link(struct ns *ns, uint64_t id)
{
	for (size_t i = 0; i < NS_LINKS_MAX; i++)
		if (ns->links[i].id == id)
			return &ns->links[i];
	return NULL;
}

void ns_on_bridge(struct ns *ns, struct now now, uint64_t link)
{
	(void)now;
	struct ns_link *free = find_link(ns, 0);
	if (free)
		*free = (struct ns_link){.id = link};
}

void ns_on_bridge_gone(struct ns *ns, struct now now, uint64_t link)
{
	(void)now;
	struct ns_link *gone = find_link(ns, link);
	if (gone)
		*gone = (struct ns_link){0};
	for (uint32_t slot = 0; slot < ns->gateways.slab.high; slot++)
		if (ns_slab_holds(&ns->gateways.slab, slot)) {
			struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
			if (gateway->link == link)
				gateway->link = 0;
		}
}

void ns_on_seq(struct ns *ns, struct now now, uint64_t link, uint64_t seq)
{
	struct ns_link *from = find_link(ns, link);
	if (!from)
		return;
	from->seq = seq;
	if (!from->ack_pending) {
		from->ack_pending = true;
		from->ack_seq = seq;
		from->ack_due = mono_add(now.mono, ns->config.dedup_window + ACK_DELAY);
	}
}

static void acknowledge(struct ns *ns, struct now now)
{
	for (size_t i = 0; i < NS_LINKS_MAX; i++) {
		struct ns_link *link = &ns->links[i];
		if (link->id == 0 || !link->ack_pending || link->ack_due.us > now.mono.us)
			continue;
		struct ns_out *out = ns_outbox_add(&ns->outbox, NS_OUT_ACK);
		ASSERT(out);
		out->link = link->id;
		out->seq = link->ack_seq;
		link->ack_pending = link->seq != link->ack_seq;
		link->ack_seq = link->seq;
		link->ack_due = mono_add(now.mono, ns->config.dedup_window + ACK_DELAY);
	}
}

void ns_on_stats(struct ns *ns, struct now now, uint64_t link, uint64_t seq, const struct gw_stats *stats)
{
	(void)stats;
	ns_on_seq(ns, now, link, seq);
}

void ns_on_presence(struct ns *ns, struct now now, uint64_t link, uint64_t seq,
		    const struct gw_presence *presence)
{
	ns_on_seq(ns, now, link, seq);
	uint32_t slot = ns_gateways_find(&ns->gateways, &presence->gateway);
	if (slot == NS_NO_SLOT)
		return;
	struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, slot);
	gateway->online = presence->online;
	if (strcmp(presence->reason, "restarted") == 0)
		gateway->mapped = gateway->has_former =
			false; /* its counter began again: what was learned of it is void */
	if (presence->online)
		gateway->link = link;
	else if (gateway->link == link)
		gateway->link = 0;
}

uint64_t ns_link_of(const struct ns *ns, const struct lw_eui64 *gateway)
{
	uint32_t slot = ns_gateways_find(&ns->gateways, gateway);
	return slot == NS_NO_SLOT ? 0 : ns_gateways_at(&ns->gateways, slot)->link;
}

bool ns_gateway_list_part(const struct ns *ns, uint32_t *cursor, struct gw_gateway_list *list)
{
	list->version = ns->gateways.version;
	list->first = *cursor == 0;
	list->count = 0;
	for (; *cursor < ns->gateways.slab.high && list->count < GW_LIST_PART_MAX; (*cursor)++)
		if (ns_slab_holds(&ns->gateways.slab, *cursor)) {
			const struct ns_gateway *gateway = ns_gateways_at(&ns->gateways, *cursor);
			struct gw_gateway *row = &list->gateways[list->count++];
			*row = gateway->record.gateway;
			if (ns_region(ns, gateway->region)->plan_type == LW_PLAN_FIXED)
				lw_channels_format(row->channels, sizeof row->channels, &gateway->channels);
			else
				ns_extra_channels_format(row->channels, sizeof row->channels,
							 &ns->config.extra[gateway->region]);
		}
	list->last = *cursor >= ns->gateways.slab.high;
	return !list->last;
}

/* --- the application server --- */

void ns_on_app(struct ns *ns, bool connected)
{
	ns->app_connected = connected;
	if (!connected)
		ns_frames_forsaken(&ns->frames);
	ns->state.running = ns->state.behind = false; /* it is told what we have, and begins from there */
}

void ns_on_event_stored(struct ns *ns, struct now now, const struct net_event_stored *stored)
{
	if (stored->row >= ns->journal.next_row) {
		ns_record_protocol(ns, now, NS_PROTOCOL_ROW, stored->row); /* no such event was sent */
		return;
	}
	if (stored->row > ns->journal.stored_row)
		ns->journal.stored_row = stored->row;
}

struct proto_message *ns_event(struct ns *ns, enum proto_kind kind)
{
	struct proto_message *message = ns->event;
	message->seq = 0;
	message->kind = kind;
	if (kind == PROTO_UP_EVENT)
		memset(&message->up_event, 0, sizeof message->up_event);
	else if (kind == PROTO_JOIN_EVENT)
		memset(&message->join_event, 0, sizeof message->join_event);
	else
		memset(&message->downlink_event, 0, sizeof message->downlink_event);
	return message;
}

enum status ns_emit(struct ns *ns, struct now now, enum ns_journal_kind kind, const uint8_t *head,
		    size_t head_length, struct proto_message *message, struct net_event_head *event_head)
{
	(void)now;
	size_t length, offset;
	event_head->row = ns_journal_next(&ns->journal);
	event_head->id = ns_journal_event_id(&ns->journal, event_head->row);
	if (proto_pack(message, ns->packed, NS_JOURNAL_ENTRY_MAX - head_length, &length) != ST_OK)
		return ST_FULL;
	if (ns_journal_add(&ns->journal, kind, head, head_length, ns->packed, length, &offset) != ST_OK)
		return ST_FULL;
	ns_journal_is_event(&ns->journal);
	struct ns_out *out = ns->app_connected ? ns_outbox_add(&ns->outbox, NS_OUT_EVENT) : NULL;
	if (out) { /* without room it is repeated from the journal */
		out->event.offset = offset;
		out->event.length = length;
		out->event.row = event_head->row;
	}
	return ST_OK;
}

/* --- time --- */

static struct mono earlier(struct mono a, struct mono b)
{
	return a.us < b.us ? a : b;
}

struct mono ns_next_deadline(const struct ns *ns)
{
	struct mono next = ns_dedup_next(&ns->dedup);
	next = earlier(next, deadlines_next(&ns->downlink_deadlines));
	next = earlier(next, deadlines_next(&ns->join_deadlines));
	next = earlier(next, ns_storm_next(&ns->storm));
	next = earlier(next, ns_strangers_next(&ns->strangers));
	next = earlier(next, ns_off_plan_next(ns));
	next = earlier(next, ns->frames.next);
	next = earlier(next, deadlines_next(&ns->queue.expiries));
	for (size_t i = 0; i < NS_LINKS_MAX; i++)
		if (ns->links[i].id != 0 && ns->links[i].ack_pending)
			next = earlier(next, ns->links[i].ack_due);
	if (ns->state.sweeping && !ns->state.running)
		next = (struct mono){0};
	if (ns->state.behind)
		next = earlier(next, ns->state.ask_at);
	if (ns->fold.active || ns->sessions.dirty_count > 0)
		next = earlier(next, ns->fold.next);
	return next;
}

void ns_on_tick(struct ns *ns, struct now now)
{
	while (!ns_turn_is_full(ns) && ns_dedup_pop(&ns->dedup, now.mono, &ns->frame)) {
		enum lw_ftype ftype;
		if (lw_classify(ns->frame.phy, ns->frame.phy_length, LW_UP, &ftype) == LW_OK &&
		    (ftype == LW_JOIN_REQUEST || ftype == LW_REJOIN_REQUEST))
			(void)ns_join_handle(ns, now, &ns->frame);
		else
			(void)ns_uplink_handle(ns, now, &ns->frame);
	}
	ns_items_tick(ns, now);
	ns_downlink_tick(ns, now);
	ns_join_tick(ns, now);
	ns_storm_tick(ns, now);
	ns_strangers_tick(ns, now);
	ns_off_plan_tick(ns, now);
	ns_frames_tick(ns, now);
	ns_state_tick(ns, now);
	if (!ns_turn_is_full(ns)) /* what is due and was not handled may not be acknowledged */
		acknowledge(ns, now);
}
