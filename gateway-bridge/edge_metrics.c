#include "gateway-bridge/edge_metrics.h"

#include "common/base/check.h"
#include "gateway-bridge/bridge_station.h"

#include <stdio.h>

static struct io_metric *add(struct gb_metrics *metrics, enum io_metric_kind kind, const char *name,
			     const char *labels, const char *help)
{
	ASSERT_CMP(metrics->count, <, GB_METRICS_MAX);
	struct io_metric *row = &metrics->rows[metrics->count++];
	*row = (struct io_metric){.name = name, .labels = labels, .help = help, .kind = kind};
	return row;
}

static void *lend(const void *pointer)
{
	return (void *)(uintptr_t)pointer;
}

static uint64_t read_known(void *gateways)
{
	return gb_gateways_known(gateways);
}

static uint64_t read_unknown(void *gateways)
{
	return gb_gateways_unknown(gateways);
}

static uint64_t read_online(void *gateways)
{
	return gb_gateways_online(gateways);
}

static uint64_t read_flapping(void *gateways)
{
	return gb_gateways_flapping(gateways);
}

static uint64_t read_in_flight(void *bridge)
{
	return gb_bridge_in_flight(bridge);
}

static uint64_t read_linked(void *bridge)
{
	return gb_bridge_linked(bridge);
}

static uint64_t read_stations(void *bridge)
{
	return gb_bridge_stations(bridge);
}

static uint64_t read_stations_up(void *bridge)
{
	return gb_bridge_stations_up(bridge);
}

static uint64_t read_broker(void *bridge)
{
	return gb_bridge_broker_is_up(bridge);
}

static uint64_t read_mqtt_online(void *bridge)
{
	return gb_bridge_mqtt_online(bridge);
}

static uint64_t read_mqtt_refused(void *bridge)
{
	return gb_bridge_refused_subscriptions(bridge);
}

static uint64_t read_mqtt_messages(void *bridge)
{
	return gb_bridge_mqtt_counters(bridge)->messages;
}

static uint64_t read_mqtt_commands(void *bridge)
{
	return gb_bridge_mqtt_counters(bridge)->commands;
}

static void add_core(struct gb_metrics *metrics, const struct gb_bridge *bridge)
{
	const struct gb_counters *counters = gb_bridge_counters(bridge);
	const struct gb_ring_stats *ring = gb_bridge_ring(bridge);
	const struct {
		enum io_metric_kind kind;
		const char *name, *help;
		const uint64_t *value;
	} values[] = {
		{IO_METRIC_COUNTER, "lamppost_bridge_datagrams_total", "Datagrams that arrived.",
		 &counters->datagrams},
		{IO_METRIC_COUNTER, "lamppost_bridge_push_data_total", "PUSH_DATA taken.",
		 &counters->push_data},
		{IO_METRIC_COUNTER, "lamppost_bridge_pull_data_total", "PULL_DATA taken.",
		 &counters->pull_data},
		{IO_METRIC_COUNTER, "lamppost_bridge_tx_acks_total", "TX_ACK taken.", &counters->tx_acks},
		{IO_METRIC_COUNTER, "lamppost_bridge_uplinks_total", "Frames forwarded.", &counters->uplinks},
		{IO_METRIC_COUNTER, "lamppost_bridge_stats_total", "Statistics forwarded.", &counters->stats},
		{IO_METRIC_COUNTER, "lamppost_bridge_downlinks_total", "PULL_RESP sent.",
		 &counters->downlinks},
		{IO_METRIC_COUNTER, "lamppost_bridge_downlinks_done_total", "Downlinks whose end is known.",
		 &counters->downlinks_done},
		{IO_METRIC_COUNTER, "lamppost_bridge_downlink_latency_us_sum",
		 "Microseconds from PULL_RESP to TX_ACK, in all.", &counters->latency_us_sum},
		{IO_METRIC_COUNTER, "lamppost_bridge_downlink_latency_us_count", "TX_ACKs in that sum.",
		 &counters->latency_count},
		{IO_METRIC_GAUGE, "lamppost_bridge_ring_entries",
		 "Messages that wait for the network server.", &ring->entries},
		{IO_METRIC_GAUGE, "lamppost_bridge_ring_bytes", "Memory that they take.", &ring->bytes},
	};
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		add(metrics, values[i].kind, values[i].name, NULL, values[i].help)->value = values[i].value;
	for (unsigned i = GB_ACCEPTED + 1; i < GB_VERDICT_COUNT; i++) {
		snprintf(metrics->verdict_labels[i], sizeof metrics->verdict_labels[i], "verdict=\"%s\"",
			 gb_verdict_name((enum gb_verdict)i));
		add(metrics, IO_METRIC_COUNTER, "lamppost_bridge_verdicts_total", metrics->verdict_labels[i],
		    "What was refused, dropped or noticed, by reason.")
			->value = &counters->verdicts[i];
	}
}

static void add_read(struct gb_metrics *metrics, const char *name, const char *labels, const char *help,
		     uint64_t (*read)(void *ctx), const void *ctx)
{
	struct io_metric *row = add(metrics, IO_METRIC_GAUGE, name, labels, help);
	row->read = read;
	row->ctx = lend(ctx);
}

static void add_mqtt(struct gb_metrics *metrics, const struct gb_bridge *bridge)
{
	static const struct {
		enum io_metric_kind kind;
		const char *name, *help;
		uint64_t (*read)(void *ctx);
	} rows[] = {
		{IO_METRIC_GAUGE, "lamppost_bridge_mqtt_connected",
		 "1 while the broker by which gateways come is reached; 0 also where none is configured.",
		 read_broker},
		{IO_METRIC_GAUGE, "lamppost_bridge_mqtt_refused_subscriptions",
		 "Subscriptions that the broker refuses: gateways behind them are not heard.",
		 read_mqtt_refused},
		{IO_METRIC_GAUGE, "lamppost_bridge_mqtt_gateways_online", "Gateways that are online by MQTT.",
		 read_mqtt_online},
		{IO_METRIC_COUNTER, "lamppost_bridge_mqtt_messages_total", "Messages that came by MQTT.",
		 read_mqtt_messages},
		{IO_METRIC_COUNTER, "lamppost_bridge_mqtt_commands_total", "Downlinks published by MQTT.",
		 read_mqtt_commands},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct io_metric *row = add(metrics, rows[i].kind, rows[i].name, NULL, rows[i].help);
		row->read = rows[i].read;
		row->ctx = lend(bridge);
	}
}

/* The rows of one name stand together, so the sockets are the inner loop. */
static void add_sockets(struct gb_metrics *metrics, struct io_udp *const *sockets, size_t count)
{
	static const struct {
		enum io_metric_kind kind;
		const char *name, *help;
		size_t offset;
	} values[] = {
		{IO_METRIC_COUNTER, "lamppost_bridge_udp_received_total", "Datagrams read from the socket.",
		 offsetof(struct io_udp_stats, received)},
		{IO_METRIC_COUNTER, "lamppost_bridge_udp_sent_total", "Datagrams sent.",
		 offsetof(struct io_udp_stats, sent)},
		{IO_METRIC_COUNTER, "lamppost_bridge_udp_kernel_drops_total",
		 "Datagrams that the kernel dropped at the full receive buffer.",
		 offsetof(struct io_udp_stats, kernel_drops)},
		{IO_METRIC_COUNTER, "lamppost_bridge_udp_truncated_total",
		 "Datagrams dropped because they were longer than any buffer.",
		 offsetof(struct io_udp_stats, truncated)},
		{IO_METRIC_COUNTER, "lamppost_bridge_udp_send_dropped_total",
		 "Datagrams not sent: the send queue was full.", offsetof(struct io_udp_stats, send_dropped)},
		{IO_METRIC_COUNTER, "lamppost_bridge_udp_send_failed_total",
		 "Datagrams that the kernel refused to send.", offsetof(struct io_udp_stats, send_failed)},
		{IO_METRIC_GAUGE, "lamppost_bridge_udp_receive_buffer_asked_bytes",
		 "Receive buffer asked for.", offsetof(struct io_udp_stats, receive_buffer_asked)},
		{IO_METRIC_GAUGE, "lamppost_bridge_udp_receive_buffer_bytes",
		 "Receive buffer that the kernel gave.", offsetof(struct io_udp_stats, receive_buffer_given)},
	};
	for (size_t i = 0; i < count; i++) {
		char address[IO_ADDRESS_TEXT];
		struct io_address local = io_udp_local(sockets[i]);
		snprintf(metrics->socket_labels[i], sizeof metrics->socket_labels[i], "socket=\"%s\"",
			 io_address_format(address, &local));
	}
	for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
		for (size_t i = 0; i < count; i++) {
			const uint8_t *stats = (const uint8_t *)io_udp_stats(sockets[i]);
			add(metrics, values[v].kind, values[v].name, metrics->socket_labels[i],
			    values[v].help)
				->value = (const uint64_t *)(const void *)(stats + values[v].offset);
		}
	}
}

/* --- connections of stations before a request: what became of them; nothing while there is no listener */

#define READ_LISTENER(name, member)                                                           \
	static uint64_t name(void *edge)                                                      \
	{                                                                                     \
		const struct gb_station_edge *stations = edge;                                \
		return stations->server ? io_http_server_stats(stations->server)->member : 0; \
	}
READ_LISTENER(read_completed, handshakes)
READ_LISTENER(read_failed, handshakes_failed)
READ_LISTENER(read_slow, handshakes_slow)
READ_LISTENER(read_source, source_connections)
READ_LISTENER(read_full, full)
#undef READ_LISTENER

static uint64_t read_certificate(void *edge)
{
	int64_t until = gb_station_edge_certificate_until(edge).us;
	return until > 0 ? (uint64_t)(until / US_PER_S) : 0;
}

static void add_listener(struct gb_metrics *metrics, const struct gb_station_edge *stations)
{
	static const struct {
		const char *labels;
		uint64_t (*read)(void *edge);
	} rows[] = {{"outcome=\"completed\"", read_completed},
		    {"outcome=\"failed\"", read_failed},
		    {"outcome=\"slow\"", read_slow},
		    {"outcome=\"too_many_of_one_address\"", read_source},
		    {"outcome=\"full\"", read_full}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct io_metric *row = add(
			metrics, IO_METRIC_COUNTER, "lamppost_bridge_station_handshakes_total",
			rows[i].labels,
			"Connections to the listener of stations, by what became of their TLS handshake.");
		row->read = rows[i].read;
		row->ctx = lend(stations);
	}
}

void gb_metrics_init(struct gb_metrics *metrics, const struct gb_bridge *bridge,
		     struct io_udp *const *sockets, size_t socket_count,
		     const struct gb_station_edge *stations)
{
	const struct gb_gateways *gateways = gb_bridge_gateways(bridge);
	metrics->count = 0;
	add_core(metrics, bridge);
	add_read(metrics, "lamppost_bridge_gateways", "state=\"known\"", "Gateways by state.", read_known,
		 gateways);
	add_read(metrics, "lamppost_bridge_gateways", "state=\"online\"", "Gateways by state.", read_online,
		 gateways);
	add_read(metrics, "lamppost_bridge_gateways", "state=\"unknown\"", "Gateways by state.", read_unknown,
		 gateways);
	add_read(metrics, "lamppost_bridge_gateways", "state=\"flapping\"", "Gateways by state.",
		 read_flapping, gateways);
	add_read(metrics, "lamppost_bridge_in_flight", NULL, "Downlinks that wait for their TX_ACK.",
		 read_in_flight, bridge);
	add_read(metrics, "lamppost_bridge_linked", NULL, "1 while the network server is there.", read_linked,
		 bridge);
	add_read(metrics, "lamppost_bridge_station_connections", "state=\"open\"",
		 "Connections of stations, those that are being set up included.", read_stations, bridge);
	add_read(metrics, "lamppost_bridge_station_connections", "state=\"up\"",
		 "Of gateways that are configured.", read_stations_up, bridge);
	add_mqtt(metrics, bridge);
	add_listener(metrics, stations);
	add_read(
		metrics, "lamppost_bridge_certificate_until_seconds", NULL,
		"The end of the certificate that stations are shown, in seconds since 1970; 0 while there is "
		"none.",
		read_certificate, stations);
	add_sockets(metrics, sockets, socket_count);
}
