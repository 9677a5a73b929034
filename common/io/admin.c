#include "common/io/admin.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/counter_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct io_admin {
	struct io_http_server *server;
	struct io_admin_options options;
	struct mono opened;
	struct io_timer *minute;
	struct counter_history history; /* of options.metrics, gauges too */
};

static void on_healthz(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct io_admin *admin = ctx;
	char members[6144] = "", body[6400];
	bool healthy = !admin->options.health ||
		       admin->options.health(admin->options.ctx, members, sizeof members);
	int length = snprintf(body, sizeof body,
			      "{\"status\":\"%s\",\"process\":\"%s\",\"version\":\"%s\",\"pid\":%ld,"
			      "\"uptime_s\":%" PRId64 "%s%s}\n",
			      healthy ? "ok" : "failing", admin->options.process, LAMPPOST_VERSION,
			      (long)getpid(), mono_since(now.mono, admin->opened) / US_PER_S,
			      members[0] ? "," : "", members);
	if (io_http_reply(admin->server, io_http_request_exchange(request), healthy ? 200 : 503, NULL, body,
			  (size_t)length) != ST_OK)
		return; /* the caller has gone: nobody is left to tell */
}

static uint64_t value_of(const struct io_metric *metric)
{
	ASSERT(metric->value || metric->read);
	return metric->value ? *metric->value : metric->read(metric->ctx);
}

/* Appends one row, and the name's two comment lines in front of its first. */
static size_t write_metric(char *text, size_t capacity, const struct io_metric *metric, bool first)
{
	uint64_t value = value_of(metric);
	int length = 0;
	if (first)
		length = snprintf(text, capacity, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
				  metric->name, metric->kind == IO_METRIC_COUNTER ? "counter" : "gauge");
	bool labelled = metric->labels != NULL;
	length += snprintf(text + length, capacity - (size_t)length, "%s%s%s%s %" PRIu64 "\n", metric->name,
			   labelled ? "{" : "", labelled ? metric->labels : "", labelled ? "}" : "", value);
	ASSERT((size_t)length < capacity);
	return (size_t)length;
}

/* What every process has beside its own rows. */
static size_t add_common(const struct io_admin *admin, struct io_metric rows[2])
{
	if (!admin->options.reloads_taken)
		return 0;
	rows[0] = (struct io_metric){.name = "lamppost_config_reloads_total",
				     .labels = "outcome=\"taken\"",
				     .help = "Readings of the configuration while running (SIGHUP).",
				     .kind = IO_METRIC_COUNTER,
				     .value = admin->options.reloads_taken};
	rows[1] = rows[0];
	rows[1].labels = "outcome=\"refused\"";
	rows[1].value = admin->options.reloads_refused;
	return 2;
}

static size_t room_for(const struct io_metric *metrics, size_t count)
{
	size_t room = 0;
	for (size_t i = 0; i < count; i++)
		room += 3 * strlen(metrics[i].name) + strlen(metrics[i].help) +
			(metrics[i].labels ? strlen(metrics[i].labels) : 0) + 64;
	return room;
}

static size_t write_metrics(char *text, size_t capacity, const struct io_metric *metrics, size_t count)
{
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		if (metrics[i].labels && !metrics[i].labels[0])
			continue;
		bool first = i == 0 || strcmp(metrics[i].name, metrics[i - 1].name) != 0;
		used += write_metric(text + used, capacity - used, &metrics[i], first);
	}
	return used;
}

static void on_metrics(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct io_admin *admin = ctx;
	struct io_metric common[2];
	size_t count = admin->options.metric_count, common_count = add_common(admin, common);
	size_t capacity = 1 + room_for(admin->options.metrics, count) + room_for(common, common_count);
	(void)now;
	char *text = malloc(capacity);
	ASSERT(text);
	size_t used = write_metrics(text, capacity, admin->options.metrics, count);
	used += write_metrics(text + used, capacity - used, common, common_count);
	enum status status = io_http_reply(admin->server, io_http_request_exchange(request), 200,
					   "text/plain; version=0.0.4", text, used);
	(void)status; /* the caller has gone: nobody is left to tell */
	free(text);
}

/* --- /counters ---------------------------------------------------------------------------------------------------- */

static void on_minute(void *ctx, struct now now)
{
	struct io_admin *admin = ctx;
	size_t count = admin->options.metric_count;
	uint64_t *values = calloc(count ? count : 1, sizeof *values);
	ASSERT(values);
	for (size_t i = 0; i < count; i++)
		values[i] = value_of(&admin->options.metrics[i]);
	counter_history_take(&admin->history, values, now.mono);
	free(values);
}

/* Labels have quotes, and nothing else that JSON would mind. */
static void write_labels(FILE *out, const char *labels)
{
	for (; labels && *labels; labels++) {
		if (*labels == '"' || *labels == '\\')
			fputc('\\', out);
		fputc(*labels, out);
	}
}

static uint64_t since(uint64_t value, uint64_t before)
{
	return value > before ? value - before : 0;
}

static void write_counters(FILE *out, const struct io_admin *admin, struct now now)
{
	span_us recent_age, hour_age;
	const uint64_t *recent = counter_history_before(&admin->history, now.mono, COUNTER_RECENT,
							&recent_age);
	const uint64_t *hour = counter_history_before(&admin->history, now.mono, COUNTER_HOUR, &hour_age);
	bool any = false;
	fprintf(out, "{\"process\":\"%s\",\"recent_s\":%" PRId64 ",\"hour_s\":%" PRId64 ",\"counters\":[",
		admin->options.process, recent_age / US_PER_S, hour_age / US_PER_S);
	for (size_t i = 0; i < admin->options.metric_count; i++) {
		const struct io_metric *metric = &admin->options.metrics[i];
		uint64_t value = metric->kind == IO_METRIC_COUNTER ? value_of(metric) : 0;
		if (value == 0)
			continue;
		fprintf(out, "%s{\"name\":\"%s\",\"labels\":\"", any ? "," : "", metric->name);
		write_labels(out, metric->labels);
		fprintf(out, "\",\"total\":%" PRIu64 ",\"recent\":%" PRIu64 ",\"hour\":%" PRIu64 "}", value,
			since(value, recent[i]), since(value, hour[i]));
		any = true;
	}
	fputs("]}\n", out);
}

static void on_counters(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct io_admin *admin = ctx;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	ASSERT(out);
	write_counters(out, admin, now);
	bool written = fclose(out) == 0;
	enum status status = io_http_reply(admin->server, io_http_request_exchange(request),
					   written ? 200 : 500, NULL, written ? text : "{}",
					   written ? length : 2);
	(void)status; /* the caller has gone: nobody is left to tell */
	free(text);
}

static const struct io_http_route routes[] = {
	{IO_HTTP_GET, "/healthz", on_healthz},
	{IO_HTTP_GET, "/metrics", on_metrics},
	{IO_HTTP_GET, "/counters", on_counters},
};

enum status io_admin_open(struct io_loop *loop, const struct io_admin_options *options, struct io_admin **out)
{
	struct io_admin *admin = calloc(1, sizeof *admin);
	ASSERT(admin);
	admin->options = *options;
	enum status status = io_http_server_open(
		loop, &(struct io_http_server_options){.unix_path = options->path, .max_connections = 32},
		&admin->server);
	if (status != ST_OK) {
		free(admin);
		return status;
	}
	io_http_server_add(admin->server, routes, ARRAY_SIZE(routes), admin);
	admin->opened = clock_mono();
	counter_history_init(&admin->history, options->metric_count, admin->opened);
	admin->minute = io_timer_new(loop, on_minute, admin);
	io_timer_start(admin->minute, COUNTER_INTERVAL, COUNTER_INTERVAL);
	*out = admin;
	return ST_OK;
}

void io_admin_free(struct io_admin *admin)
{
	if (!admin)
		return;
	io_timer_free(admin->minute);
	counter_history_release(&admin->history);
	io_http_server_free(admin->server);
	free(admin);
}

struct io_http_server *io_admin_server(struct io_admin *admin)
{
	return admin->server;
}
