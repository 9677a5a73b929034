#include "join-server/edge_metrics.h"

#include "common/base/check.h"

#include <stddef.h>
#include <stdio.h>

static void add(struct js_metrics *metrics, const char *name, const char *labels, const char *help,
		const uint64_t *value)
{
	ASSERT_CMP(metrics->count, <, JS_METRICS_MAX);
	metrics->rows[metrics->count++] = (struct io_metric){
		.name = name, .labels = labels, .help = help, .kind = IO_METRIC_COUNTER, .value = value};
}

static uint64_t store_synchronous(void *ctx)
{
	return db_synchronous(ctx);
}

static uint64_t master_keys(void *ctx)
{
	const struct js_edge_vault *vault = ctx;
	return vault->vault.rows.wrap_count;
}

static void add_vault(struct js_metrics *metrics, const struct js_edge_vault *vault)
{
	add(metrics, "lamppost_join_vault_rotations_total", NULL, "Changes of the master key.",
	    &vault->counters.rotations);
	add(metrics, "lamppost_join_vault_exports_total", NULL, "Pages of root keys that left, sealed.",
	    &vault->counters.exports);
	add(metrics, "lamppost_join_vault_exported_devices_total", NULL, "Devices in those pages.",
	    &vault->counters.devices_exported);
	add(metrics, "lamppost_join_vault_imported_devices_total", NULL,
	    "Devices whose nonces were taken over from exports of other join servers.",
	    &vault->counters.devices_imported);
	add(metrics, "lamppost_join_vault_resealed_total", NULL,
	    "Root keys of before the vault that were sealed anew.", &vault->counters.resealed);
	add(metrics, "lamppost_join_audit_rows_total", NULL, "Rows written into the audit.",
	    &vault->join->audit.written);
	metrics->rows[metrics->count++] = (struct io_metric){
		.name = "lamppost_join_vault_master_keys",
		.help = "Master keys that open the vault; 2: a rotation waits for the next start.",
		.kind = IO_METRIC_GAUGE,
		.read = master_keys,
		.ctx = (void *)(uintptr_t)vault};
}

void js_metrics_name_peers(struct js_metrics *metrics, const struct js_peers *peers)
{
	for (size_t i = 0; i < JS_PEERS_MAX; i++) {
		metrics->peers[i][0] = '\0';
		if (i < peers->count)
			snprintf(metrics->peers[i], sizeof metrics->peers[i], "peer=\"%s\"",
				 peers->peers[i].name);
	}
}

/* A row for each place of the table, since a reload may fill it. */
static void add_peers(struct js_metrics *metrics, const struct js_peers *peers)
{
	static const struct {
		const char *name, *help;
		size_t offset;
	} rows[JS_PEER_METRICS] = {
		{"lamppost_join_peer_messages_by_peer_total", "TS002 messages of a peer.",
		 offsetof(struct js_peer_state, messages)},
		{"lamppost_join_peer_limited_by_peer_total", "Of these, refused beyond its rate.",
		 offsetof(struct js_peer_state, limited)},
		{"lamppost_join_peer_answers_by_peer_total", "Asynchronous answers that it took.",
		 offsetof(struct js_peer_state, answers)},
		{"lamppost_join_peer_answers_lost_by_peer_total",
		 "Asynchronous answers to it that were given up, or for which there was no room.",
		 offsetof(struct js_peer_state, answers_failed)},
	};
	js_metrics_name_peers(metrics, peers);
	for (size_t row = 0; row < JS_PEER_METRICS; row++)
		for (size_t i = 0; i < JS_PEERS_MAX; i++)
			add(metrics, rows[row].name, metrics->peers[i], rows[row].help,
			    (const uint64_t *)(const void *)((const char *)&peers->states[i] +
							     rows[row].offset));
}

/* Of those on other machines, as far as TLS lets them; zeros where they are not served. */
static void add_listener(struct js_metrics *metrics, const struct js_edge_joins *joins)
{
	static const struct io_http_server_stats none;
	static const char name[] = "lamppost_join_peer_connections_refused_total";
	static const char help[] = "Connections of other machines that were closed before a message, by why; "
				   "handshake: slow, or "
				   "left within.";
	const struct io_http_server_stats *stats = joins->there ? io_http_server_stats(joins->there) : &none;
	add(metrics, name, "reason=\"full\"", help, &stats->full);
	add(metrics, name, "reason=\"address\"", help, &stats->source_connections);
	add(metrics, name, "reason=\"certificate\"", help, &stats->certificates_refused);
	add(metrics, name, "reason=\"handshake\"", help, &stats->handshakes_slow);
}

void js_metrics_init(struct js_metrics *metrics, const struct js_join *join,
		     const struct js_edge_joins *joins, const struct js_edge_vault *vault,
		     const struct io_loop_stats *loop, struct db *db)
{
	metrics->count = 0;
	for (unsigned i = 0; i < JS_VERDICT_COUNT; i++) {
		snprintf(metrics->labels[i], sizeof metrics->labels[i], "verdict=\"%s\"",
			 js_verdict_name((enum js_verdict)i));
		add(metrics, "lamppost_join_messages_total", metrics->labels[i], "TS002 messages by verdict.",
		    &join->counters.verdicts[i]);
	}
	add(metrics, "lamppost_join_records_applied_total", NULL, "Device records applied.",
	    &join->counters.records);
	add(metrics, "lamppost_join_records_stale_total", NULL, "Device records that were known already.",
	    &join->counters.records_stale);
	add(metrics, "lamppost_join_keys_refused_total", NULL, "Root keys that did not open.",
	    &join->counters.keys_refused);
	add(metrics, "lamppost_join_allowed_once_total", NULL,
	    "Joins with a DevNonce that was used or too low, let pass because a person allowed one.",
	    &join->counters.allowed_once);
	add(metrics, "lamppost_join_peer_strangers_total", NULL,
	    "TS002 messages under a good certificate that is no peer's.", &joins->counters.strangers);
	add(metrics, "lamppost_join_peer_limited_total", NULL,
	    "TS002 messages of peers that sent more than their rate, or do not take their answers.",
	    &joins->counters.limited);
	add(metrics, "lamppost_join_peer_answers_total", NULL, "Asynchronous answers that peers took.",
	    &joins->counters.posted);
	add(metrics, "lamppost_join_peer_answer_failures_total", NULL,
	    "Tries to post an asynchronous answer that failed.", &joins->counters.post_failures);
	add(metrics, "lamppost_join_peer_answers_lost_total", NULL,
	    "Asynchronous answers that were given up, or for which there was no room.",
	    &joins->counters.given_up);
	add_listener(metrics, joins);
	add_peers(metrics, &joins->peers);
	add_vault(metrics, vault);
	add(metrics, "lamppost_join_turns_total", NULL, "Loop turns that ended with a commit.", &loop->turns);
	add(metrics, "lamppost_join_commit_us_total", NULL, "Microseconds spent in commits.",
	    &loop->commit_us);
	metrics->rows[metrics->count] = (struct io_metric){
		.name = "lamppost_join_commit_us_max",
		.help = "The longest commit since the start, microseconds.",
		.kind = IO_METRIC_GAUGE,
		.value = &loop->commit_max_us};
	metrics->count++;
	metrics->rows[metrics->count++] = (struct io_metric){
		.name = "lamppost_join_store_synchronous",
		.help = "PRAGMA synchronous of join.db; 2 is FULL.",
		.kind = IO_METRIC_GAUGE,
		.read = store_synchronous,
		.ctx = db};
}
