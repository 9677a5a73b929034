/* The application server's process: keys, store and sockets around the core of application.h.
 *
 *	turn: events and calls fill the store's transaction ─▶ commit (city.db, readings.db) ─▶ drain: acknowledgements to
 *	the network server, desired state, downlink items, MQTT, streams; replies to calls leave after that (loop.h) */
#include "application-server/agencies/callers.h"
#include "application-server/api/import.h"
#include "application-server/config.h"
#include "application-server/edge_alarms.h"
#include "application-server/edge_api.h"
#include "application-server/edge_delivery.h"
#include "application-server/edge_frames.h"
#include "application-server/edge_health.h"
#include "application-server/edge_identity.h"
#include "application-server/edge_join.h"
#include "application-server/edge_keys.h"
#include "application-server/edge_live.h"
#include "application-server/edge_metrics.h"
#include "application-server/edge_network.h"
#include "application-server/edge_reload.h"
#include "application-server/retention.h"
#include "application-server/store_health.h"
#include "common/base/log.h"
#include "common/io/admin.h"
#include "common/io/admin_why.h"
#include "common/io/process.h"
#include "common/io/state_lock.h"
#include "common/text/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUSEKEEPING US_PER_S
#define SOON_AGAIN   (100 * US_PER_MS)
#define SOON         US_PER_MS
#define COUNTING     (10 * US_PER_MS)

struct server {
	struct config_common common;
	struct as_config config;
	struct reload reload;
	struct as_callers callers;
	struct as_keys keys;
	struct rng rng;
	struct as_store *store;
	struct io_loop *loop;
	struct io_timer *again, *housekeeping, *counting;
	struct as_retention retention;
	struct as_census census;
	bool counts; /* `counting` runs */
	struct as_application app;
	struct as_joins joins;
	struct as_live_gateways live;
	struct as_edge_live edge_live;
	struct as_health health;
	struct as_edge_health edge_health;
	struct as_edge_identity identity;
	struct as_api api;
	struct as_edge_network network;
	struct as_edge_frames frames;
	struct as_edge_join join;
	struct as_edge_api edge_api;
	struct as_delivery delivery;
	struct as_edge_alarms alarms;
	struct io_admin *admin;
	struct as_metrics metrics;
	struct io_why why;
};

/* --- the turn ------------------------------------------------------------------------------------------------ */

static enum status commit(void *ctx)
{
	struct server *server = ctx;
	enum status status = server->delivery.mqtt ? as_mqtt_before_commit(server->delivery.mqtt) : ST_OK;
	return status == ST_OK ? as_store_commit(server->store) : status;
}

static void drain(void *ctx, struct now now)
{
	struct server *server = ctx;
	bool more = as_edge_network_drain(&server->network);
	as_edge_join_drain(&server->join, now);
	if (server->delivery.mqtt)
		more = as_mqtt_drain(server->delivery.mqtt) || more;
	if (server->delivery.commands)
		as_commands_drain(server->delivery.commands);
	more = as_edge_api_drain(&server->edge_api, now) || more;
	as_edge_frames_drain(&server->frames, now);
	as_edge_alarms_drain(&server->alarms, now);
	as_store_release(server->store);
	if (more)
		io_timer_start(server->again, SOON, 0);
	if (server->census.counting && !server->counts) {
		server->counts = true;
		io_timer_start(server->counting, COUNTING, 0);
	}
}

/* Whatever had to wait for a later turn: this is one. */
static void on_again(void *ctx, struct now now)
{
	as_edge_api_step(&((struct server *)ctx)->edge_api, now);
}

static void on_housekeeping(void *ctx, struct now now)
{
	struct server *server = ctx;
	bool more = as_store_custody_step(server->store) | as_retention_step(&server->retention, now);
	as_edge_identity_tick(&server->identity, now);
	as_joins_expire(&server->joins, now);
	io_timer_start(server->housekeeping, more ? SOON_AGAIN : HOUSEKEEPING, 0);
}

/* Devices are counted a slice at a time, from when somebody asked. */
static void on_counting(void *ctx, struct now now)
{
	struct server *server = ctx;
	server->counts = as_census_step(&server->census, now);
	if (server->counts)
		io_timer_start(server->counting, COUNTING, 0);
}

/* --- SIGHUP -------------------------------------------------------------------------------------------------- */

/* What housekeeping asks for (retention) it reads from what is in force. */
static bool reconfigure(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	struct server *server = ctx;
	return as_reconfigure(&server->delivery, &server->edge_api, &server->alarms, &server->health,
			      &server->join.app_keys, wanted, problem);
}

static void on_hangup(void *ctx, struct now now)
{
	(void)now;
	struct server *server = ctx;
	enum reload_verdict verdict = reload_run(&server->reload);
	(void)verdict; /* it was logged, and stands in /healthz */
}

/* --- status and health --------------------------------------------------------------------------------------- */

static json_t *status_members(void *ctx)
{
	struct server *server = ctx;
	struct as_mqtt_status mqtt = as_mqtt_status(server->delivery.mqtt);
	return json_pack("{s{ss ss ss} s{s{sb sI sI} s{sb sI sI}} s{ss sI sI sI sI sI sI} s{ss sI} si}",
			 "processes", "application-server", "ok", "network-server",
			 as_edge_network_is_up(&server->network) ? "linked" : "away", "join-server",
			 server->join.reached ? "reached" : "away", "replication", "network-server", "up",
			 (int)as_edge_network_is_up(&server->network), "applied_version",
			 (json_int_t)server->network.replica.applied, "wanted_version",
			 (json_int_t)as_store_version(server->store), "join-server", "up",
			 (int)server->join.reached, "applied_version",
			 (json_int_t)server->join.replica.applied, "wanted_version",
			 (json_int_t)as_store_desired_devices(server->store), "mqtt", "state", mqtt.state,
			 "cursor", (json_int_t)mqtt.cursor, "backlog", (json_int_t)mqtt.backlog, "in_flight",
			 (json_int_t)mqtt.in_flight, "published", (json_int_t)mqtt.published, "acknowledged",
			 (json_int_t)mqtt.acknowledged, "gaps", (json_int_t)mqtt.gaps, "commands", "state",
			 as_commands_state(server->delivery.commands), "taken",
			 (json_int_t)as_commands_count(server->delivery.commands, AS_INTAKE_TAKEN), "streams",
			 (int)as_edge_api_streams(&server->edge_api));
}

static bool health(void *ctx, char *members, size_t capacity)
{
	const struct server *server = ctx;
	char warnings[64] = "", more[RELOAD_ITEMS_MAX];
	reload_append_warnings(&server->reload, warnings, sizeof warnings);
	snprintf(members, capacity,
		 "\"desired_version\":%" PRIu64
		 ",\"network_link\":%s,\"join_server\":%s,\"mqtt\":\"%s\",\"warnings\":[%s]%s",
		 as_store_version(server->store), as_edge_network_is_up(&server->network) ? "true" : "false",
		 server->join.reached ? "true" : "false", as_mqtt_status(server->delivery.mqtt).state,
		 warnings, reload_members(&server->reload, more));
	return true;
}

/* --- start and stop ------------------------------------------------------------------------------------------ */

static enum status open_store(struct server *server)
{
	char city[OPTION_PATH_MAX + 16], readings[OPTION_PATH_MAX + 16];
	snprintf(city, sizeof city, "%s/city.db", server->common.state_dir);
	snprintf(readings, sizeof readings, "%s/readings.db", server->common.state_dir);
	enum status status = io_state_lock(server->common.state_dir, "application-server");
	if (status != ST_OK)
		return status;
	return as_store_open(&(struct as_store_options){.city_path = city,
							.readings_path = readings,
							.checkpoints = true,
							.rng = &server->rng},
			     &server->store);
}

static enum status open_delivery(struct server *server)
{
	struct as_delivery_files files;
	char problem[CONFIG_ERROR_MAX];
	server->delivery = (struct as_delivery){.loop = server->loop, .app = &server->app};
	if (!as_delivery_read(&server->config, &files, problem)) {
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
		return ST_INVALID;
	}
	enum status status = as_delivery_set(&server->delivery, &server->config, &files);
	secret_wipe(&files, sizeof files);
	return status;
}

static const struct decision *newest_decision(void *ctx, const uint8_t eui[8])
{
	const struct server *server = ctx;
	return decision_euis_newest(&server->app.decisions, eui);
}

static enum status open_admin(struct server *server)
{
	char path[OPTION_PATH_MAX + 40];
	as_metrics_init(&server->metrics, &server->app, &server->network, &server->join, &server->edge_api,
			&server->delivery.mqtt, io_loop_stats(server->loop));
	as_metrics_add_frames(&server->metrics, &server->frames);
	as_metrics_add_commands(&server->metrics, &server->app, &server->delivery.commands);
	as_metrics_add_alarms(&server->metrics, &server->alarms);
	snprintf(path, sizeof path, "%s/application-server.admin.sock", server->common.run_dir);
	enum status status = io_admin_open(
		server->loop,
		&(struct io_admin_options){.path = path,
					   .process = "application-server",
					   .metrics = server->metrics.rows,
					   .metric_count = server->metrics.count,
					   .health = health,
					   .ctx = server,
					   .reloads_taken = &server->reload.taken,
					   .reloads_refused = &server->reload.refused},
		&server->admin);
	if (status != ST_OK)
		return status;
	server->why = (struct io_why){.kind = "device",
				      .book = &as_rules,
				      .ring = &server->app.decisions.ring,
				      .newest = newest_decision,
				      .ctx = server};
	io_why_add(server->admin, &server->why);
	return ST_OK;
}

static enum status open_sockets(struct server *server)
{
	const char *run_dir = server->common.run_dir;
	if (mkdir(run_dir, 0750) != 0 && errno != EEXIST) {
		LOG_ERROR("run_dir_failed", "path=%s error=\"%s\"", run_dir, strerror(errno));
		return ST_IO;
	}
	enum status status = as_edge_network_open(&server->network, server->loop, &server->app, run_dir,
						  &server->rng);
	server->network.joins = &server->joins;
	if (status == ST_OK)
		status = as_edge_join_open(&server->join, server->loop, &server->app,
					   &server->config.join_servers, run_dir);
	if (status == ST_OK)
		status = as_edge_live_open(&server->edge_live, server->loop, &server->live, &server->health,
					   run_dir);
	if (status == ST_OK)
		status = as_edge_health_open(&server->edge_health, server->loop, &server->health, run_dir);
	if (status == ST_OK)
		status = open_delivery(server);
	if (status == ST_OK)
		status = as_edge_api_open(&server->edge_api, server->loop, &server->api, &server->callers,
					  &server->config, run_dir);
	if (status == ST_OK) {
		as_edge_frames_init(&server->frames, &server->edge_api, &server->network);
		status = as_edge_alarms_open(&server->alarms, server->loop, &server->api, &server->common,
					     &server->config, &server->rng);
	}
	return status == ST_OK ? open_admin(server) : status;
}

static enum status start(struct server *server)
{
	size_t row;
	const struct io_turn turn = {.commit = commit, .drain = drain, .on_hangup = on_hangup, .ctx = server};
	if (!as_callers_init(&server->callers, &server->config.callers, geteuid(), &row)) {
		LOG_ERROR("configuration_refused",
			  "key=callers row=\"%s\" expected=\"uid N: ROLE AGENCY, ROLE reader, manager "
			  "or city (without agency)\"",
			  server->config.callers.entries[row].label);
		return ST_INVALID;
	}
	server->rng = secret_rng();
	server->loop = io_loop_new(&turn);
	server->again = io_timer_new(server->loop, on_again, server);
	server->housekeeping = io_timer_new(server->loop, on_housekeeping, server);
	server->counting = io_timer_new(server->loop, on_counting, server);
	enum status status = as_keys_load(&server->keys, server->common.state_dir);
	if (status == ST_OK)
		status = open_store(server);
	if (status == ST_OK)
		status = as_edge_identity_open(&server->identity, server->store, &server->keys, &server->rng,
					       &server->config, server->common.state_dir);
	if (status != ST_OK)
		return status;
	as_application_init(&server->app, server->store, &server->keys, &server->rng);
	server->retention = (struct as_retention){.store = server->store, .config = &server->config};
	as_census_init(&server->census, server->store);
	as_live_init(&server->live, &server->rng);
	const struct as_health_keeper keeper = as_store_keeper(server->store);
	as_health_init(&server->health, &keeper, &server->rng);
	as_health_set_spans(&server->health, server->common.gateway_silent_us,
			    server->config.gateway_offline_us);
	server->app.health = &server->health;
	as_joins_init(&server->joins, server->store, &server->rng);
	server->api = (struct as_api){.app = &server->app,
				      .joins = &server->joins,
				      .rng = &server->rng,
				      .census = &server->census,
				      .live = &server->live,
				      .health = &server->health,
				      .authority = &server->identity.authority,
				      .packages = server->identity.packages,
				      .status = status_members,
				      .status_ctx = server,
				      .force_rejoin = as_edge_network_force_rejoin,
				      .force_rejoin_ctx = &server->network,
				      .kek_is_applied = as_edge_keks_is_applied,
				      .kek_ctx = &server->join.keks};
	status = as_import_resume(&server->api);
	if (status != ST_OK)
		return status;
	io_timer_start(server->housekeeping, HOUSEKEEPING, 0);
	return open_sockets(server);
}

static void release(struct server *server)
{
	io_admin_free(server->admin);
	if (server->edge_api.server)
		as_edge_api_close(&server->edge_api);
	as_edge_frames_release(&server->frames);
	as_import_release(&server->api);
	if (server->alarms.loop)
		as_edge_alarms_close(&server->alarms);
	as_delivery_close(&server->delivery);
	if (server->join.client)
		as_edge_join_close(&server->join);
	if (server->edge_live.live)
		as_edge_live_close(&server->edge_live);
	if (server->edge_health.health)
		as_edge_health_close(&server->edge_health);
	if (server->live.table.entries)
		as_live_release(&server->live);
	if (server->health.by_eui.entries)
		as_health_release(&server->health);
	if (server->network.loop)
		as_edge_network_close(&server->network);
	if (server->app.store)
		as_application_release(&server->app);
	if (server->joins.store)
		as_joins_release(&server->joins);
	io_timer_free(server->again);
	io_timer_free(server->housekeeping);
	io_timer_free(server->counting);
	as_edge_identity_close(&server->identity);
	as_store_close(server->store);
	as_keys_release(&server->keys);
	if (server->loop)
		io_loop_free(server->loop);
}

int main(int argc, char **argv)
{
	static struct server server;
	const struct config_program program = {
		"application-server", "Keeps the city's records and delivers readings.",
		as_config_rows,       as_config_row_count,
		&server.config,       sizeof server.config};
	int code;
	if (!config_start(&program, &server.common, argc, argv, &code))
		return code;
	reload_init(&server.reload, &program, &server.common, argc, argv, reconfigure, &server);
	log_init("application-server", server.common.log_level);
	io_harden();
	enum status status = secret_init();
	if (status == ST_OK)
		status = start(&server);
	if (status == ST_OK) {
		LOG_INFO("started", "version=%s desired_version=%" PRIu64, LAMPPOST_VERSION,
			 as_store_version(server.store));
		code = io_loop_run(server.loop);
		LOG_INFO("stopped", "code=%d", code);
	} else {
		LOG_ERROR("start_refused", "status=%s", status_name(status));
		code = status == ST_INVALID ? 2 : 1;
	}
	release(&server);
	return code;
}
