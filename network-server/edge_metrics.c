/* network-server.admin.sock: each verdict is a counter, and what else tells how it goes. */
#include "network-server/edge_process.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"

#include <inttypes.h>
#include <string.h>

static struct io_metric *add(struct ns_edge *edge, const char *name, const char *help,
			     enum io_metric_kind kind)
{
	ASSERT_CMP(edge->metric_count, <, NS_METRICS_MAX);
	struct io_metric *metric = &edge->metrics[edge->metric_count++];
	*metric = (struct io_metric){.name = name, .help = help, .kind = kind, .ctx = edge};
	return metric;
}

static void counter(struct ns_edge *edge, const char *name, const char *help, const uint64_t *value)
{
	add(edge, name, help, IO_METRIC_COUNTER)->value = value;
}

static void gauge(struct ns_edge *edge, const char *name, const char *help, uint64_t (*read)(void *ctx))
{
	add(edge, name, help, IO_METRIC_GAUGE)->read = read;
}

static uint64_t joins_waiting(void *ctx)
{
	return ((const struct ns_join_server_state *)ctx)->in_flight;
}

static uint64_t breaker_open(void *ctx)
{
	return ((const struct ns_join_server_state *)ctx)->breaker != NS_BREAKER_CLOSED;
}

/* Of each of others' join servers, rows of one name together; where none is, the label is empty. */
static void join_servers(struct ns_edge *edge)
{
	static const struct {
		const char *name, *help;
		size_t offset; /* in struct ns_join_server_state */
	} rows[] = {
#define ROW(name, member, help) \
	{"lamppost_network_join_server_" name, help, offsetof(struct ns_join_server_state, member)}
		ROW("joins_total", joins, "Joins given to another's join server."),
		ROW("calls_total", calls, "Calls to it, again among them."),
		ROW("answers_total", answers, "Its answers that could be read."),
		ROW("accepted_total", accepted, "Of these: a session was made."),
		ROW("refused_total", refused, "Of these: it said no."),
		ROW("unusable_total", unusable, "Of these: keys that do not open."),
		ROW("failures_total", failed, "Calls that failed, or were not answered in time."),
		ROW("busy_total", busy, "Joins that were not given to it: as many waited as may."),
		ROW("shunned_total", shunned, "Joins that were not given to it: it had failed too often."),
#undef ROW
	};
	struct ns *ns = &edge->ns;
	for (size_t row = 0; row < ARRAY_SIZE(rows) + 2; row++) {
		for (uint8_t i = 0; i < NS_JOIN_SERVER_PLACES; i++) {
			struct ns_join_server_state *state = &ns->join_server_states[i];
			struct io_metric *metric;
			if (row < ARRAY_SIZE(rows)) {
				metric = add(edge, rows[row].name, rows[row].help, IO_METRIC_COUNTER);
				metric->value = (const uint64_t *)(const void *)((const char *)state +
										 rows[row].offset);
			} else if (row == ARRAY_SIZE(rows)) {
				metric = add(edge, "lamppost_network_join_server_waiting",
					     "Joins that wait for it.", IO_METRIC_GAUGE);
				metric->read = joins_waiting;
			} else {
				metric = add(edge, "lamppost_network_join_server_open",
					     "1 while its breaker keeps joins from it.", IO_METRIC_GAUGE);
				metric->read = breaker_open;
			}
			metric->ctx = state;
			metric->labels = edge->join_server_labels[i];
		}
	}
}

static uint64_t sessions(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.sessions.slab.count;
}

static uint64_t devices(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.sessions.devices.count;
}

static uint64_t gateways(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.gateways.slab.count;
}

static uint64_t frames_open(void *ctx)
{
	return ns_dedup_open_count(&((struct ns_edge *)ctx)->ns.dedup);
}

static uint64_t downlinks_open(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.downlinks.count;
}

static uint64_t frames_followers(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.frames.follower_count;
}

static uint64_t joins_open(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.joins.count;
}

static uint64_t items(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.queue.items.count;
}

static uint64_t dirty(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.sessions.dirty_count;
}

static uint64_t journal_alarm(void *ctx)
{
	return ns_journal_alarm(&((struct ns_edge *)ctx)->ns.journal);
}

/* The longest lead of a gateway that is online and measured; 0: none is. */
static uint64_t lead_max(void *ctx)
{
	const struct ns_gateways *gateways = &((struct ns_edge *)ctx)->ns.gateways;
	span_us longest = 0;
	for (uint32_t slot = 0; slot < gateways->slab.high; slot++) {
		if (!ns_slab_holds(&gateways->slab, slot))
			continue;
		const struct ns_gateway *gateway = ns_gateways_at(gateways, slot);
		if (gateway->online && ns_gateway_lead_is_known(gateway) &&
		    ns_gateway_lead(gateway) > longest)
			longest = ns_gateway_lead(gateway);
	}
	return (uint64_t)longest;
}

static uint64_t foreign_net_ids(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.foreign.net_ids.count;
}

static uint64_t wal_pages(void *ctx)
{
	return checkpoint_stats(((struct ns_edge *)ctx)->checkpoint).wal_pages;
}

static uint64_t store_synchronous(void *ctx)
{
	return db_synchronous(((struct ns_edge *)ctx)->store.db);
}

static unsigned gateways_online(const struct ns_gateways *of)
{
	unsigned online = 0;
	for (uint32_t slot = 0; slot < of->slab.high; slot++)
		online += ns_slab_holds(&of->slab, slot) && ns_gateways_at(of, slot)->link != 0 &&
			  ns_gateways_at(of, slot)->online;
	return online;
}

static bool health(void *ctx, char *members, size_t capacity)
{
	const struct ns_edge *edge = ctx;
	char warnings[160] = "", more[RELOAD_ITEMS_MAX], off_plan[4 * NS_OFF_PLAN_TEXT] = "",
	     storm[NS_EDGE_STORM_TEXT];
	if (ns_journal_alarm(&edge->ns.journal))
		snprintf(warnings, sizeof warnings, "\"journal_filling\"");
	reload_append_warnings(&edge->reload, warnings, sizeof warnings);
	ns_edge_off_plan_health(edge, warnings, sizeof warnings, off_plan, sizeof off_plan);
	ns_edge_storm_health(edge, clock_now(), warnings, sizeof warnings, storm, sizeof storm);
	snprintf(members, capacity,
		 "\"applied_version\":%" PRIu64 ",\"links\":%zu,\"application_server\":%s,"
		 "\"sessions\":%u,\"gateways_online\":%u,\"journal_bytes\":%" PRIu64
		 ",\"journal_limit\":%" PRIu64 ",\"items\":%u,\"warnings\":[%s]%s%s%s",
		 edge->ns.state.applied_version, io_link_server_count(edge->links_server),
		 edge->app ? "true" : "false", edge->ns.sessions.slab.count,
		 gateways_online(&edge->ns.gateways), edge->ns.journal.bytes, edge->ns.journal.limit,
		 (unsigned)edge->ns.queue.items.count, warnings, reload_members(&edge->reload, more),
		 off_plan, storm);
	return true;
}

static uint64_t channel_plans(void *ctx)
{
	return ((struct ns_edge *)ctx)->ns.sessions.plans.count;
}

/* Requests of the network by kind and by what became of them. */
static void fill_mac(struct ns_edge *edge)
{
	static const char *const outcomes[] = {"asked", "taken", "refused", "unanswered"};
	for (int kind = 0; kind < NS_MAC_KINDS; kind++) {
		const struct ns_mac_counts *counts = &edge->ns.mac_counts[kind];
		const uint64_t *values[] = {&counts->asked, &counts->taken, &counts->refused,
					    &counts->unanswered};
		for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++) {
			snprintf(edge->mac_labels[kind][i], sizeof edge->mac_labels[kind][i],
				 "kind=\"%s\",outcome=\"%s\"", ns_mac_kind_name((enum ns_mac_kind)kind),
				 outcomes[i]);
			struct io_metric *metric = add(edge, "lamppost_network_mac_requests_total",
						       "MAC requests: asked; taken or refused by the device; "
						       "asked again without answer.",
						       IO_METRIC_COUNTER);
			metric->labels = edge->mac_labels[kind][i];
			metric->value = values[i];
		}
	}
}

static void fill(struct ns_edge *edge)
{
	struct ns *ns = &edge->ns;
	const struct io_loop_stats *loop = io_loop_stats(edge->loop);
	for (int i = 1; i < NS_DROP_COUNT; i++) {
		snprintf(edge->labels[i], sizeof edge->labels[i], "reason=\"%s\"",
			 ns_verdict((enum ns_drop)i)->name);
		struct io_metric *metric = add(edge, "lamppost_network_drops_total",
					       "What was not taken, by verdict.", IO_METRIC_COUNTER);
		metric->labels = edge->labels[i];
		metric->value = &ns->drops[i];
	}
	fill_mac(edge);
	counter(edge, "lamppost_network_receptions_total", "Receptions from gateways.", &ns->receptions);
	counter(edge, "lamppost_network_uplinks_total", "Uplinks accepted.", &ns->uplinks);
	counter(edge, "lamppost_network_joins_total", "Joins answered with an accept.", &ns->joins_done);
	counter(edge, "lamppost_network_repeats_total", "Repeats of frames that were answered.",
		&ns->repeats_answered);
	counter(edge, "lamppost_network_counter_restarts_total",
		"ABP devices that began their counters again and were allowed to.", &ns->counter_restarts);
	counter(edge, "lamppost_network_uplinks_too_long_total",
		"Uplinks accepted that were longer than their data rate allows.", &ns->uplinks_too_long);
	counter(edge, "lamppost_network_downlinks_total", "Attempts handed to gateways.",
		&ns->downlinks_sent);
	counter(edge, "lamppost_network_downlinks_ok_total", "Downlinks that a gateway took.",
		&ns->downlinks_acked);
	counter(edge, "lamppost_network_answers_total", "Class A answers handed to a bridge.", &ns->answers);
	counter(edge, "lamppost_network_answers_early_total",
		"Of these: 500 ms or more before their first receive window.", &ns->answers_early);
	counter(edge, "lamppost_network_accepts_total", "Join-accepts handed to a bridge.", &ns->accepts);
	counter(edge, "lamppost_network_accepts_early_total",
		"Of these: 3 s or more before their first receive window.", &ns->accepts_early);
	counter(edge, "lamppost_network_late_commands_total",
		"Downlinks of commands that came after an answer's time, and were still sent.",
		&ns->late_commands);
	counter(edge, "lamppost_network_events_total", "Events sent to the application server.",
		&edge->app_events_sent);
	counter(edge, "lamppost_network_join_calls_total", "Calls to the join server.", &edge->join_calls);
	counter(edge, "lamppost_network_join_failures_total", "Calls that failed.", &edge->join_failures);
	join_servers(edge);
	counter(edge, "lamppost_network_join_answers_late_total",
		"Asynchronous answers of others' join servers that nothing waited for any more.",
		&edge->answers_late);
	counter(edge, "lamppost_network_join_answers_refused_total",
		"Asynchronous answers under a certificate of no join server.", &edge->answers_refused);
	counter(edge, "lamppost_network_join_notifications_total",
		"Notifications to others' join servers that an answer was of no use.", &edge->notifications);
	counter(edge, "lamppost_network_links_refused_total", "Links closed with a reason.",
		&edge->links_refused);
	counter(edge, "lamppost_network_foreign_other_total", "Foreign frames beyond the table of NetIDs.",
		&ns->foreign.other);
	counter(edge, "lamppost_network_frames_told_total", "Live frames for who follows them.",
		&ns->frames.told);
	counter(edge, "lamppost_network_frames_dropped_total",
		"Live frames that waited for the application server too long.", &ns->frames.dropped);
	gauge(edge, "lamppost_network_frames_followers", "Who follows live frames.", frames_followers);
	counter(edge, "lamppost_network_join_reports_total", "Reports of how joins fare.",
		&ns->join_reports.added);
	counter(edge, "lamppost_network_join_reports_dropped_total",
		"Reports of joins that found no room while the application server was away.",
		&ns->join_reports.dropped);
	counter(edge, "lamppost_network_strangers_over_total",
		"Join-requests of unregistered devices that were counted and not reported.",
		&ns->strangers.over);
	counter(edge, "lamppost_network_rows_folded_total", "Session rows written.",
		&edge->store.rows_folded);
	counter(edge, "lamppost_network_journal_deleted_total", "Turns deleted from the journal.",
		&edge->store.blobs_deleted);
	counter(edge, "lamppost_network_turns_total", "Loop turns that ended with a commit.", &loop->turns);
	counter(edge, "lamppost_network_commit_us_total", "Microseconds spent in commits.", &loop->commit_us);
	add(edge, "lamppost_network_commit_us_max", "The longest commit, microseconds.", IO_METRIC_GAUGE)
		->value = &loop->commit_max_us;
	add(edge, "lamppost_network_journal_bytes", "Size of the journal.", IO_METRIC_GAUGE)->value =
		&ns->journal.bytes;
	gauge(edge, "lamppost_network_journal_alarm", "1 from 80 % of the journal's limit on.",
	      journal_alarm);
	gauge(edge, "lamppost_network_devices", "Devices.", devices);
	gauge(edge, "lamppost_network_sessions", "Sessions.", sessions);
	gauge(edge, "lamppost_network_sessions_dirty", "Sessions whose row is behind.", dirty);
	gauge(edge, "lamppost_network_channel_plans", "Distinct channel plans of sessions.", channel_plans);
	gauge(edge, "lamppost_network_gateways", "Gateways registered.", gateways);
	counter(edge, "lamppost_network_off_plan_receptions_total",
		"Receptions on frequencies outside their gateway's plan.", &ns->off_plan_receptions);
	add(edge, "lamppost_network_gateways_off_plan",
	    "Gateways that hear frequencies outside their plan; each: GET /gateways.", IO_METRIC_GAUGE)
		->value = &ns->off_plan_raised;
	gauge(edge, "lamppost_network_gateway_lead_us_max",
	      "The longest lead of a gateway that is online, microseconds; each: GET /gateways.", lead_max);
	gauge(edge, "lamppost_network_frames_open", "Deduplication windows open.", frames_open);
	gauge(edge, "lamppost_network_downlinks_open", "Downlinks being prepared or in flight.",
	      downlinks_open);
	gauge(edge, "lamppost_network_joins_open", "Joins waiting for the join server.", joins_open);
	counter(edge, "lamppost_network_join_requests_total",
		"Join-requests of registered devices that could be answered, each once for all its copies.",
		&ns->storm.requests);
	counter(edge, "lamppost_network_join_storms_total", "Join storms since the start.",
		&ns->storm.storms);
	gauge(edge, "lamppost_network_join_storm", "1 during a join storm.", ns_edge_storm_on);
	gauge(edge, "lamppost_network_join_storm_waiting",
	      "Devices that asked to join in this storm and have not joined yet.", ns_edge_storm_waiting);
	gauge(edge, "lamppost_network_items", "Downlink items queued.", items);
	gauge(edge, "lamppost_network_foreign_net_ids", "Foreign NetIDs heard.", foreign_net_ids);
	counter(edge, "lamppost_network_decisions_total", "Decisions recorded; GET /why/...",
		&ns->decisions.added);
	gauge(edge, "lamppost_network_wal_pages", "Pages in the write-ahead log.", wal_pages);
	gauge(edge, "lamppost_network_store_synchronous", "PRAGMA synchronous of network.db; 2 is FULL.",
	      store_synchronous);
}

enum status ns_edge_metrics_open(struct ns_edge *edge)
{
	char path[OPTION_PATH_MAX + 48];
	fill(edge);
	snprintf(path, sizeof path, "%s/network-server.admin.sock", edge->common.run_dir);
	const struct io_admin_options options = {
		.path = path,
		.process = "network-server",
		.metrics = edge->metrics,
		.metric_count = edge->metric_count,
		.health = health,
		.ctx = edge,
		.reloads_taken = &edge->reload.taken,
		.reloads_refused = &edge->reload.refused,
	};
	enum status status = io_admin_open(edge->loop, &options, &edge->admin);
	if (status == ST_OK) {
		ns_edge_gateways_open(edge);
		ns_edge_why_open(edge);
		ns_edge_mac_open(edge);
	}
	return status;
}

void ns_edge_log_verdicts(struct ns_edge *edge)
{
	for (int i = 1; i < NS_DROP_COUNT; i++) {
		uint64_t since = edge->ns.drops[i] - edge->logged[i];
		const struct decision_rule *rule = ns_verdict((enum ns_drop)i);
		if (since > 0)
			log_write(rule->level, "drop", "verdict=%s count=%" PRIu64, rule->name, since);
		edge->logged[i] = edge->ns.drops[i];
	}
}
