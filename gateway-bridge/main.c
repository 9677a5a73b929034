/* The process around the core of bridge.h: configuration, sockets, the link to the network server, the kept list.
 *
 *	udp_listen, station_listen, mqtt.url ──▶ core ──▶ RUN/network.sock (client)
 *	                        │
 *	                        ├──▶ STATE/gateways.list, saved in the turn's commit
 *	                        └──▶ RUN/gateway-bridge.admin.sock
 *
 * Datagrams are queued as soon as the core makes them and leave at the end of the turn. Messages for the network server
 * stay in the core's ring until the link takes them, so that their age is that of the moment they are written. */
#include "common/base/arena.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/crypto/secret.h"
#include "common/io/link.h"
#include "common/io/listen_fds.h"
#include "common/io/loop.h"
#include "common/io/process.h"
#include "common/text/reload.h"
#include "gateway-bridge/bridge.h"
#include "gateway-bridge/config.h"
#include "gateway-bridge/edge_admin.h"
#include "gateway-bridge/edge_cups.h"
#include "gateway-bridge/edge_list.h"
#include "gateway-bridge/edge_mqtt.h"
#include "gateway-bridge/edge_notes.h"
#include "gateway-bridge/edge_station.h"
#include "gateway-bridge/edge_udp.h"
#include "gateway-bridge/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM      (OPTION_PATH_MAX + 64)
#define LINK_BUFFER    (4u << 20) /* what does not fit waits in the ring, where it grows old and is counted */
#define LINK_RETRY     (10 * US_PER_MS)
#define UNPACK_SCRATCH (8u << 20)

struct process {
	struct config_common common;
	struct gb_config config;
	struct reload reload;
	struct rng rng;
	struct arena arena;
	struct gb_list_scratch scratch;
	struct proto_message incoming;
	struct gb_bridge *bridge;
	struct io_loop *loop;
	struct io_listen_fds listen_fds; /* handed over by whoever started us, until all listeners stand */
	struct gb_udp_edge udp;
	struct io_link_client *link;
	struct io_timer *retry; /* the link's buffer was full */
	struct gb_admin admin;
	struct gb_cups_edge cups;
	char list_path[PATH_ROOM], link_path[PATH_ROOM], admin_path[PATH_ROOM];
	struct gb_station_edge stations;
	struct gb_mqtt_edge mqtt;
	struct gb_remote remote;
	struct io_timer *stopping;
	struct mono stop_at;
	struct gb_notes notes;
};

/* --- what the core gives */

/* After every event: its datagrams and texts into the sockets' queues, its notes into the log. */
static void empty_outbox(void *ctx, struct now now)
{
	struct process *process = ctx;
	gb_udp_edge_take(&process->udp);
	gb_mqtt_edge_take(&process->mqtt, now);
	struct gb_note note;
	while (gb_bridge_take_note(process->bridge, &note))
		gb_note_log(&process->notes, now, &note);
	gb_station_edge_drain(&process->stations);
}

/* At the end of a turn: as much of the ring as the link takes. */
static void drain(void *ctx, struct now now)
{
	struct process *process = ctx;
	struct gb_list_scratch *scratch = &process->scratch;
	gb_mqtt_edge_flush(&process->mqtt);
	while (gb_bridge_next_message(process->bridge, now, &scratch->message)) {
		size_t length;
		enum status status = proto_pack(&scratch->message, scratch->bytes, sizeof scratch->bytes,
						&length);
		ASSERT_CMP(status, ==, ST_OK);
		status = io_link_client_send(process->link, scratch->bytes, length);
		if (status == ST_FULL)
			io_timer_start(process->retry, LINK_RETRY, 0);
		if (status != ST_OK)
			break;
		gb_bridge_message_sent(process->bridge);
	}
}

static void on_retry(void *ctx, struct now now)
{
	(void)ctx, (void)now; /* the end of this turn drains */
}

/* A list that cannot be saved does not stop the bridge: it has it in memory, and gets it again at the next start. */
static enum status commit(void *ctx)
{
	struct process *process = ctx;
	if (gb_bridge_take_list_changed(process->bridge)) {
		enum status status = gb_list_save(process->list_path, process->bridge, &process->scratch);
		if (status == ST_OK)
			LOG_INFO("gateway_list_saved", "gateways=%llu",
				 (unsigned long long)gb_gateways_known(gb_bridge_gateways(process->bridge)));
	}
	return ST_OK;
}

/* --- events */

/* By UDP or MQTT: it may be what a ping waits for. */
static void after_message(void *ctx, struct now now)
{
	struct process *process = ctx;
	gb_remote_heard(&process->remote, now);
	empty_outbox(process, now);
}

static void on_link_open(void *ctx, struct now now, io_link_id link, const struct io_peer *peer)
{
	(void)link, (void)peer;
	struct process *process = ctx;
	gb_bridge_on_link_open(process->bridge, now);
}

static void on_link_message(void *ctx, struct now now, io_link_id link, const uint8_t *bytes, size_t length)
{
	(void)link;
	struct process *process = ctx;
	enum status status = proto_unpack(&process->incoming, bytes, length, &process->arena);
	if (status == ST_OK)
		status = gb_bridge_on_network_message(process->bridge, now, &process->incoming);
	if (status != ST_OK) {
		LOG_ERROR("network_server_misunderstood", "kind=%s status=%s",
			  proto_kind_name(process->incoming.kind), status_name(status));
		io_link_client_close(process->link);
	} else if (process->incoming.kind == PROTO_HELLO) {
		char name[80];
		LOG_INFO("network_server_up", "name=%s",
			 log_quote(name, sizeof name, process->incoming.hello.name));
	} else if (process->incoming.kind == PROTO_BYE) {
		char reason[2 * NET_TEXT_MAX];
		LOG_WARN("network_server_said_bye", "reason=%s",
			 log_quote(reason, sizeof reason, process->incoming.bye.reason));
	}
	empty_outbox(process, now);
}

static void on_link_close(void *ctx, struct now now, io_link_id link, enum io_link_reason reason)
{
	(void)link;
	struct process *process = ctx;
	LOG_WARN("network_server_away", "reason=%s", io_link_reason_name(reason));
	gb_bridge_on_link_close(process->bridge, now);
}

static struct mono next_deadline(void *ctx)
{
	struct process *process = ctx;
	return gb_bridge_next_deadline(process->bridge);
}

static void on_tick(void *ctx, struct now now)
{
	struct process *process = ctx;
	gb_bridge_on_tick(process->bridge, now);
	empty_outbox(process, now);
}

/* --- SIGHUP */

static bool reconfigure(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	(void)problem;
	struct process *process = ctx;
	const struct gb_options options = gb_options_from(wanted->common, wanted->config);
	gb_bridge_reconfigure(process->bridge, &options);
	return true;
}

static void on_hangup(void *ctx, struct now now)
{
	(void)now;
	struct process *process = ctx;
	enum reload_verdict verdict = reload_run(&process->reload);
	(void)verdict; /* it was logged, and stands in /healthz */
}

/* --- start and stop */

#define STOP_ROUND  (10 * US_PER_MS)
#define STOP_WITHIN (1500 * US_PER_MS) /* for close frames to leave; supervisors wait 3 s */

static void on_stopping(void *ctx, struct now now)
{
	struct process *process = ctx;
	if (gb_station_edge_stopped(&process->stations) || now.mono.us >= process->stop_at.us)
		io_loop_stop(process->loop, 0);
}

static void on_stop(void *ctx, struct now now)
{
	struct process *process = ctx;
	process->stop_at = mono_add(now.mono, STOP_WITHIN);
	gb_station_edge_stop(&process->stations);
	io_timer_start(process->stopping, 0, STOP_ROUND);
}

static void make_bridge(struct process *process)
{
	const struct gb_options options = gb_options_from(&process->common, &process->config);
	process->rng = secret_rng();
	process->bridge = gb_bridge_new(&options, &process->rng);
	arena_init(&process->arena, UNPACK_SCRATCH);
	snprintf(process->list_path, sizeof process->list_path, "%s/gateways.list",
		 process->common.state_dir);
	snprintf(process->link_path, sizeof process->link_path, "%s/network.sock", process->common.run_dir);
	snprintf(process->admin_path, sizeof process->admin_path, "%s/gateway-bridge.admin.sock",
		 process->common.run_dir);
}

static enum status open_admin(struct process *process)
{
	enum status status = gb_admin_open(&process->admin, process->loop, process->admin_path,
					   process->bridge, &process->reload, process->udp.sockets,
					   process->udp.count, &process->stations);
	process->remote.after = empty_outbox;
	process->remote.ctx = process;
	if (status == ST_OK)
		gb_remote_open(&process->remote, process->loop, process->bridge,
			       io_admin_server(process->admin.admin));
	return status;
}

static enum status start(struct process *process)
{
	make_bridge(process);
	process->loop = io_loop_new(&(struct io_turn){.commit = commit,
						      .drain = drain,
						      .next_deadline = next_deadline,
						      .on_tick = on_tick,
						      .on_hangup = on_hangup,
						      .on_stop = on_stop,
						      .ctx = process});
	process->retry = io_timer_new(process->loop, on_retry, process);
	process->stopping = io_timer_new(process->loop, on_stopping, process);
	process->stations.after = empty_outbox;
	process->stations.ctx = process;
	if (process->config.station_listen.count > 0)
		process->stations.handed_over = gb_take_handed(&process->listen_fds, "station_listen", 0,
							       SOCK_STREAM,
							       process->config.station_listen.items[0]);
	if (process->config.cups_listen.count > 0)
		process->cups.handed_over = gb_take_handed(&process->listen_fds, "cups_listen", 0,
							   SOCK_STREAM, process->config.cups_listen.items[0]);
	process->stations.remote = &process->remote;
	gb_list_restore(process->list_path, process->bridge, &process->scratch, &process->arena);
	process->udp.after = after_message;
	process->udp.ctx = process;
	enum status status = gb_udp_edge_open(&process->udp, process->loop, &process->config,
					      &process->listen_fds, process->bridge);
	process->cups.after = empty_outbox;
	process->cups.ctx = process;
	if (status == ST_OK)
		gb_cups_edge_open(&process->cups, process->loop, process->bridge, &process->config,
				  &process->common);
	if (status == ST_OK)
		status = gb_station_edge_open(&process->stations, process->loop, process->bridge,
					      &process->config, process->common.state_dir);
	if (status == ST_OK)
		status = gb_mqtt_edge_open(&process->mqtt, process->loop, &process->config, process->bridge,
					   &process->rng, after_message, process);
	if (status == ST_OK)
		status = io_link_client_open(
			process->loop,
			&(struct io_link_client_options){
				.path = process->link_path,
				.out_buffer = LINK_BUFFER,
				.rng = &process->rng,
				.events = {on_link_open, on_link_message, on_link_close, process}},
			&process->link);
	io_listen_fds_release(&process->listen_fds); /* what the configuration has no use for */
	return status == ST_OK ? open_admin(process) : status;
}

static void release(struct process *process)
{
	gb_admin_release(&process->admin);
	gb_remote_release(&process->remote);
	gb_station_edge_release(&process->stations);
	gb_mqtt_edge_close(&process->mqtt);
	io_timer_free(process->stopping);
	gb_cups_edge_release(&process->cups);
	io_link_client_free(process->link);
	io_timer_free(process->retry);
	gb_udp_edge_close(&process->udp);
	if (process->loop)
		io_loop_free(process->loop);
	gb_bridge_free(process->bridge);
	arena_release(&process->arena);
}

int main(int argc, char **argv)
{
	static struct process process;
	const struct config_program program = {
		"gateway-bridge",
		"Terminates gateway protocols (Semtech UDP, LoRa Basics Station, ChirpStack MQTT).",
		gb_config_rows,
		gb_config_row_count,
		&process.config,
		sizeof process.config};
	int code;
	if (!config_start(&program, &process.common, argc, argv, &code))
		return code;
	reload_init(&process.reload, &program, &process.common, argc, argv, reconfigure, &process);
	log_init("gateway-bridge", process.common.log_level);
	io_harden();
	io_listen_fds_receive(&process.listen_fds);
	enum status status = secret_init();
	if (status == ST_OK)
		status = start(&process);
	if (status == ST_OK) {
		LOG_INFO("started", "version=%s gateways=%llu", LAMPPOST_VERSION,
			 (unsigned long long)gb_gateways_known(gb_bridge_gateways(process.bridge)));
		code = io_loop_run(process.loop);
		LOG_INFO("stopped", "code=%d", code);
	} else {
		LOG_ERROR("start_refused", "status=%s", status_name(status));
		code = status == ST_INVALID ? 2 : 1;
	}
	release(&process);
	return code;
}
