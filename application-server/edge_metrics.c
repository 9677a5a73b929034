#include "application-server/edge_metrics.h"

#include "common/base/check.h"

#include <stdio.h>

static void add(struct as_metrics *metrics, const char *name, enum io_metric_kind kind, const uint64_t *value,
		const char *help)
{
	ASSERT_CMP(metrics->count, <, AS_METRICS_MAX);
	metrics->rows[metrics->count++] = (struct io_metric){
		.name = name, .help = help, .kind = kind, .value = value};
}

static uint64_t read_events_kept(void *ctx)
{
	return as_store_events_count(ctx);
}

static uint64_t read_backlog(void *ctx)
{
	return as_mqtt_status(*(struct as_mqtt *const *)ctx).backlog;
}

static uint64_t read_acknowledged(void *ctx)
{
	return as_mqtt_status(*(struct as_mqtt *const *)ctx).acknowledged;
}

static uint64_t read_gaps(void *ctx)
{
	return as_mqtt_status(*(struct as_mqtt *const *)ctx).gaps;
}

static uint64_t read_connections(void *ctx)
{
	return as_mqtt_status(*(struct as_mqtt *const *)ctx).connections;
}

static void add_mqtt(struct as_metrics *metrics, const char *name, enum io_metric_kind kind,
		     uint64_t (*read)(void *ctx), struct as_mqtt *const *mqtt, const char *help)
{
	add(metrics, name, kind, NULL, help);
	metrics->rows[metrics->count - 1].read = read;
	metrics->rows[metrics->count - 1].ctx = (void *)mqtt;
}

static uint64_t read_synchronous(void *ctx)
{
	return as_store_synchronous(ctx);
}

/* AppSKeys that are asked for. */
static void add_app_keys(struct as_metrics *metrics, const struct as_application *app)
{
	const uint64_t *counts = app->counters.app_keys;
	add(metrics, "lamppost_application_app_s_keys_fetched_total", IO_METRIC_COUNTER,
	    &counts[AS_APP_KEY_FETCHED], "AppSKeys that joins had left out and the join server gave");
	for (int i = AS_APP_KEY_FETCHED + 1; i < AS_APP_KEY_VERDICT_COUNT; i++) {
		char *label = metrics->app_key_labels[i];
		snprintf(label, sizeof metrics->app_key_labels[i], "reason=\"%s\"",
			 as_app_key_reason((enum as_app_key_verdict)i));
		add(metrics, "lamppost_application_app_s_key_refusals_total", IO_METRIC_COUNTER, &counts[i],
		    "AppSKeys that were asked for and did not come");
		metrics->rows[metrics->count - 1].labels = label;
	}
}

void as_metrics_init(struct as_metrics *metrics, const struct as_application *app,
		     const struct as_edge_network *network, const struct as_edge_join *join,
		     const struct as_edge_api *api, struct as_mqtt *const *mqtt,
		     const struct io_loop_stats *loop)
{
	const struct as_application_counters *counters = &app->counters;
	const enum io_metric_kind counter = IO_METRIC_COUNTER, gauge = IO_METRIC_GAUGE;
	metrics->count = 0;
	add(metrics, "lamppost_application_uplinks_total", counter, &counters->uplinks,
	    "uplink events received");
	add(metrics, "lamppost_application_joins_total", counter, &counters->joins, "join events received");
	add(metrics, "lamppost_application_join_reports_total", counter, &api->api->joins->reports,
	    "reports of how joins fare");
	add(metrics, "lamppost_application_strangers_replaced_total", counter,
	    &api->api->joins->strangers_replaced, "unregistered devices that made room for others");
	add(metrics, "lamppost_application_repeats_total", counter, &counters->repeats,
	    "events stored before");
	add(metrics, "lamppost_application_unknown_devices_total", counter, &counters->unknown_devices,
	    "events of devices that are not registered");
	add(metrics, "lamppost_application_held_uplinks_total", counter, &counters->held_uplinks,
	    "Uplinks delivered as ciphertext, since their key is the agency's alone");
	add(metrics, "lamppost_application_no_session_key_total", counter, &counters->no_session_key,
	    "uplinks kept as ciphertext");
	add(metrics, "lamppost_application_codec_errors_total", counter, &counters->codec_errors,
	    "payloads that their codec refused");
	add(metrics, "lamppost_application_seals_total", counter, &counters->seals, "payloads asked for");
	add(metrics, "lamppost_application_seals_refused_total", counter, &counters->seals_refused,
	    "payloads that could not be sealed");
	add(metrics, "lamppost_application_api_calls_total", counter, &api->api->calls, "calls of the API");
	add(metrics, "lamppost_application_api_refused_total", counter, &api->api->refused,
	    "calls answered with a problem");
	add(metrics, "lamppost_application_stream_gaps_total", counter, &api->gaps,
	    "gaps told to stream readers");
	add(metrics, "lamppost_application_streams_refused_total", counter, &api->streams_refused,
	    "streams that were one too many");
	ASSERT_CMP(metrics->count, <, AS_METRICS_MAX);
	metrics->rows[metrics->count++] = (struct io_metric){
		.name = "lamppost_application_events_kept",
		.help = "events kept for consumers that are behind",
		.kind = gauge,
		.read = read_events_kept,
		.ctx = app->store};
	add(metrics, "lamppost_application_network_malformed_total", counter, &network->malformed,
	    "malformed messages of the network server");
	add(metrics, "lamppost_application_network_applied_version", gauge, &network->replica.applied,
	    "desired state that the network server has");
	add(metrics, "lamppost_application_join_applied_version", gauge, &join->replica.applied,
	    "desired state that the join server has");
	add(metrics, "lamppost_application_join_failures_total", counter, &join->failures,
	    "provisioning calls that failed");
	add(metrics, "lamppost_application_join_refused_keys_total", counter, &join->refused_keys,
	    "root keys that the join server could not open");
	add_mqtt(metrics, "lamppost_application_mqtt_acknowledged_total", counter, read_acknowledged, mqtt,
		 "messages the broker acknowledged");
	add_mqtt(metrics, "lamppost_application_mqtt_backlog", gauge, read_backlog, mqtt,
		 "events that the broker does not have yet");
	add_mqtt(metrics, "lamppost_application_mqtt_connections_total", counter, read_connections, mqtt,
		 "connections to the broker that were made");
	add_mqtt(metrics, "lamppost_application_mqtt_gaps_total", counter, read_gaps, mqtt,
		 "gaps told to MQTT subscribers");
	add(metrics, "lamppost_application_turns_total", counter, &loop->turns, "loop turns with a commit");
	add(metrics, "lamppost_application_commit_microseconds_total", counter, &loop->commit_us,
	    "time spent in commits");
	add(metrics, "lamppost_application_commit_max_microseconds", gauge, &loop->commit_max_us,
	    "the longest commit");
	add(metrics, "lamppost_application_store_synchronous", gauge, NULL,
	    "the weaker PRAGMA synchronous of city.db and readings.db; 2 is FULL");
	metrics->rows[metrics->count - 1].read = read_synchronous;
	metrics->rows[metrics->count - 1].ctx = app->store;
	add_app_keys(metrics, app);
}

static uint64_t read_verdict(void *ctx)
{
	const struct as_verdict_row *row = ctx;
	return as_commands_count(*row->commands, row->verdict);
}

void as_metrics_add_commands(struct as_metrics *metrics, const struct as_application *app,
			     struct as_commands *const *commands)
{
	const struct as_application_counters *counters = &app->counters;
	const struct {
		const char *name;
		const uint64_t *value;
		const char *help;
	} rows[] = {
		{"lamppost_application_status_events_total", &counters->status_events,
		 "devices that told their battery and margin"},
		{"lamppost_application_downlink_events_total", &counters->downlink_events,
		 "changes of downlink items"},
		{"lamppost_application_downlinks_total", &counters->items, "downlinks taken from agencies"},
		{"lamppost_application_downlinks_repeated_total", &counters->items_repeated,
		 "downlinks known by their id"},
		{"lamppost_application_downlinks_refused_total", &counters->items_refused,
		 "downlinks that the queue refused"},
		{"lamppost_application_moves_refused_total", &counters->moves_refused,
		 "changes of downlinks that had ended"},
		{"lamppost_application_moves_unknown_total", &counters->moves_unknown,
		 "changes of downlinks that are not known"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add(metrics, rows[i].name, IO_METRIC_COUNTER, rows[i].value, rows[i].help);
	for (int i = 0; i < AS_INTAKE_VERDICTS; i++) {
		struct as_verdict_row *row = &metrics->verdicts[i];
		*row = (struct as_verdict_row){.commands = commands, .verdict = (enum as_intake_verdict)i};
		snprintf(row->label, sizeof row->label, "verdict=\"%s\"",
			 as_intake_verdict_name(row->verdict));
		add(metrics, "lamppost_application_commands_total", IO_METRIC_COUNTER, NULL,
		    "messages on command topics");
		struct io_metric *metric = &metrics->rows[metrics->count - 1];
		metric->labels = row->label;
		metric->read = read_verdict;
		metric->ctx = row;
	}
}

void as_metrics_add_frames(struct as_metrics *metrics, const struct as_edge_frames *frames)
{
	add(metrics, "lamppost_application_frames_shown_total", IO_METRIC_COUNTER, &frames->shown,
	    "live frames, to each of who follows them");
	add(metrics, "lamppost_application_frames_lost_total", IO_METRIC_COUNTER, &frames->lost,
	    "live frames that a follower was told it missed");
}

static uint64_t read_open(const struct as_edge_alarms *alarms, enum as_severity severity)
{
	return as_alarms_count(&alarms->alarms).open[severity];
}

static uint64_t read_open_notice(void *ctx)
{
	return read_open(ctx, AS_NOTICE);
}

static uint64_t read_open_warning(void *ctx)
{
	return read_open(ctx, AS_WARNING);
}

static uint64_t read_open_critical(void *ctx)
{
	return read_open(ctx, AS_CRITICAL);
}

static uint64_t read_channels_failing(void *ctx)
{
	const struct as_notify *notify = &((const struct as_edge_alarms *)ctx)->notify;
	uint64_t failing = 0;
	for (size_t i = 0; i < notify->count; i++)
		failing += notify->channels[i].failing;
	return failing;
}

static uint64_t read_messages(void *ctx)
{
	const struct as_notify *notify = &((const struct as_edge_alarms *)ctx)->notify;
	uint64_t sent = 0;
	for (size_t i = 0; i < notify->count; i++)
		sent += notify->channels[i].sent;
	return sent;
}

void as_metrics_add_alarms(struct as_metrics *metrics, const struct as_edge_alarms *alarms)
{
	static const struct {
		const char *labels;
		uint64_t (*read)(void *ctx);
	} open[] = {{"severity=\"critical\"", read_open_critical},
		    {"severity=\"warning\"", read_open_warning},
		    {"severity=\"notice\"", read_open_notice}};
	for (size_t i = 0; i < ARRAY_SIZE(open); i++) {
		add(metrics, "lamppost_application_alarms_open", IO_METRIC_GAUGE, NULL,
		    "alarms that are raised and that nobody has taken on");
		struct io_metric *row = &metrics->rows[metrics->count - 1];
		row->labels = open[i].labels;
		row->read = open[i].read;
		row->ctx = (void *)(uintptr_t)alarms;
	}
	static const struct {
		const char *name, *help;
		enum io_metric_kind kind;
		uint64_t (*read)(void *ctx);
	} more[] = {{"lamppost_application_alarm_channels_failing", "channels that do not take what is due",
		     IO_METRIC_GAUGE, read_channels_failing},
		    {"lamppost_application_alarm_messages_total", "messages of alarms that were taken",
		     IO_METRIC_COUNTER, read_messages}};
	for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
		add(metrics, more[i].name, more[i].kind, NULL, more[i].help);
		metrics->rows[metrics->count - 1].read = more[i].read;
		metrics->rows[metrics->count - 1].ctx = (void *)(uintptr_t)alarms;
	}
	add(metrics, "lamppost_application_alarms_raised_total", IO_METRIC_COUNTER, &alarms->alarms.raised,
	    "alarms raised");
	add(metrics, "lamppost_application_alarms_left_out_total", IO_METRIC_COUNTER,
	    &alarms->alarms.left_out, "alarms that found no room");
}
