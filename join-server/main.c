/* The join server's process: keys, database, sockets around the core of join.h. Every request is answered in its own
 * turn; the turn's commit comes before the answers leave (loop.h). */
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/db/checkpoint.h"
#include "common/io/admin.h"
#include "common/io/admin_why.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/loop.h"
#include "common/io/process.h"
#include "common/io/state_lock.h"
#include "common/text/reload.h"
#include "join-server/callers.h"
#include "join-server/config.h"
#include "join-server/join.h"
#include "join-server/edge_joins.h"
#include "join-server/edge_keks.h"
#include "join-server/edge_keys.h"
#include "join-server/edge_metrics.h"
#include "join-server/edge_reload.h"
#include "join-server/edge_reply.h"
#include "join-server/edge_vault.h"
#include "join-server/edge_vault_calls.h"
#include "join-server/allow_once.h"
#include "join-server/provisioning.h"
#include "join-server/store_sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct server {
	struct config_common common;
	struct js_config config;
	struct reload reload;
	struct js_callers callers;
	struct js_keys keys;
	struct js_edge_vault vault;
	struct rng rng;
	struct aes *aes;
	struct db *db;
	struct checkpoint *checkpoint;
	struct io_loop *loop;
	struct io_http_server *http;
	struct io_admin *admin;
	struct js_join join;
	bool join_is_up;
	struct js_metrics metrics;
	struct io_why why;
	struct js_edge_joins joins;
	struct js_edge_keks kek_calls;
	struct js_vault_calls vault_calls;
	struct js_records records; /* of one provisioning call */
	struct js_applied applied;
};

/* --- provisioning -------------------------------------------------------------------------------------------- */

static void on_state(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	struct server *server = ctx;
	if (js_reply_allowed(server->http, &server->callers, request, JS_CALL_PROVISIONING))
		js_reply_json(server->http, io_http_request_exchange(request), 200, NULL,
			      js_provisioning_state(&server->join));
}

static void on_records(void *ctx, struct now now, const struct io_http_request *request)
{
	struct server *server = ctx;
	if (!js_reply_allowed(server->http, &server->callers, request, JS_CALL_PROVISIONING))
		return;
	io_http_exchange exchange = io_http_request_exchange(request);
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	char problem[JS_PROBLEM_TEXT];
	if (!js_records_parse(body, length, &server->records, problem)) {
		LOG_WARN("records_refused", "reason=malformed");
		js_reply_problem(server->http, exchange, 422, "Malformed records", problem, NULL);
		return;
	}
	switch (js_provisioning_apply(&server->join, now, &server->records, &server->applied)) {
	case JS_PROVISIONED:
		js_reply_json(server->http, exchange, 200, NULL, js_applied_json(&server->applied));
		if (server->applied.refused_count > 0)
			LOG_WARN("keys_refused", "count=%zu", server->applied.refused_count);
		return;
	case JS_PROVISIONING_OTHER_CITY:
		js_reply_problem(server->http, exchange, 409, "Another city",
				 "the records of this city have not been applied in full: begin with full",
				 "city");
		return;
	case JS_PROVISIONING_FAILED:
		js_reply_problem(server->http, exchange, 500, "Database failed", "nothing was applied", NULL);
		return;
	}
}

/* Whether a device that lost its counter may join once: asks, allows, takes back. */
static void on_allow_once(void *ctx, struct now now, const struct io_http_request *request)
{
	struct server *server = ctx;
	if (!js_reply_allowed(server->http, &server->callers, request, JS_CALL_PROVISIONING))
		return;
	io_http_exchange exchange = io_http_request_exchange(request);
	size_t length;
	const uint8_t *body = io_http_request_body(request, &length);
	char problem[JS_PROBLEM_TEXT];
	struct js_allow_once order;
	span_us left = 0;
	if (!js_allow_once_parse(body, length, &order, problem)) {
		js_reply_problem(server->http, exchange, 422, "Malformed", problem, NULL);
		return;
	}
	enum js_allow_once_result result = js_allow_once(&server->join, now, &order, &left);
	if (result == JS_ALLOW_ONCE_DONE)
		js_reply_json(server->http, exchange, 200, NULL,
			      js_allow_once_json(&server->join, &order, left));
	else
		js_reply_problem(server->http, exchange, js_allow_once_code(result), "Not allowed",
				 js_allow_once_reason(result), NULL);
}

static const struct io_http_route routes[] = {
	{IO_HTTP_POST, "/provisioning/v1/allow-once", on_allow_once},
	{IO_HTTP_GET, "/provisioning/v1/state", on_state},
	{IO_HTTP_POST, "/provisioning/v1/records", on_records},
};

/* --- the turn ------------------------------------------------------------------------------------------------ */

static enum status commit(void *ctx)
{
	struct server *server = ctx;
	enum status status = server->vault.failed ? ST_DATABASE : js_join_flush(&server->join);
	return status == ST_OK ? js_store_commit(server->db) : status;
}

static struct mono next_deadline(void *ctx)
{
	struct server *server = ctx;
	struct mono core = js_join_next_deadline(&server->join);
	struct mono vault = js_edge_vault_next_deadline(&server->vault);
	return vault.us < core.us ? vault : core;
}

static void on_tick(void *ctx, struct now now)
{
	struct server *server = ctx;
	enum status status = js_join_on_tick(&server->join, now);
	if (status == ST_OK)
		status = js_edge_vault_on_tick(&server->vault, now);
	if (status != ST_OK) {
		LOG_ERROR("sweep_failed", "error=\"%s\"", db_error(server->db));
		io_loop_stop(server->loop, 1);
	}
}

static bool reconfigure(void *ctx, const struct reload_wanted *wanted, char problem[CONFIG_ERROR_MAX])
{
	struct server *server = ctx;
	if (!js_reconfigure(&server->join, &server->keys, &server->callers, &server->joins.peers, wanted,
			    problem))
		return false;
	js_edge_joins_reload(&server->joins);
	js_metrics_name_peers(&server->metrics, &server->joins.peers);
	return true;
}

static void on_hangup(void *ctx, struct now now)
{
	(void)now;
	struct server *server = ctx;
	enum reload_verdict verdict = reload_run(&server->reload);
	(void)verdict; /* it was logged, and stands in /healthz */
}

static bool health(void *ctx, char *members, size_t capacity)
{
	const struct server *server = ctx;
	char warnings[160] = "", more[RELOAD_ITEMS_MAX];
	bool two_keys = server->vault.vault.rows.wrap_count > 1,
	     ignored = server->join.keks.files_ignored > 0;
	snprintf(warnings, sizeof warnings, "%s%s%s", two_keys ? "\"vault_two_master_keys\"" : "",
		 two_keys && ignored ? "," : "", ignored ? "\"kek_file_ignored\"" : "");
	reload_append_warnings(&server->reload, warnings, sizeof warnings);
	snprintf(members, capacity, "\"applied_version\":%" PRIu64 ",\"warnings\":[%s]%s",
		 server->join.state.applied_version, warnings, reload_members(&server->reload, more));
	return true;
}

/* --- start and stop ------------------------------------------------------------------------------------------ */

static enum status open_store(struct server *server)
{
	char path[OPTION_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/join.db", server->common.state_dir);
	enum status status = io_state_lock(server->common.state_dir, "join-server");
	if (status == ST_OK)
		status = js_store_open(path, NULL, &server->db);
	if (status == ST_OK)
		status = checkpoint_start(server->db, NULL, 0, &server->checkpoint);
	return status;
}

static enum status open_core(struct server *server)
{
	server->rng = secret_rng();
	server->aes = aes_new();
	if (!server->aes)
		return ST_NO_MEMORY;
	struct js_options options = {
		.net_id = config_net_id(&server->common),
		.kek_count = server->keys.kek_count,
		.store = js_store_sqlite(server->db),
		.vault = js_edge_vault_keys(&server->vault, server->keys.box),
		.aes = server->aes,
		.rng = &server->rng,
		.peers = &server->joins.peers,
		.session_span = server->config.session_key_days * 86400 * US_PER_S,
	};
	memcpy(options.keks, server->keys.keks, sizeof options.keks);
	enum status status = js_join_init(&server->join, &options, clock_now());
	secret_wipe(options.keks, sizeof options.keks);
	server->join_is_up = status == ST_OK;
	return status == ST_OK ? js_edge_vault_begin(&server->vault, &server->join, clock_now()) : status;
}

/* --- why --------------------------------------------------------------------------------------------------------- */

static const struct decision *newest_decision(void *ctx, const uint8_t eui[8])
{
	const struct server *server = ctx;
	return decision_euis_newest(&server->join.decisions, eui);
}

static void name_decision(void *ctx, const struct decision *decision, struct decision_names *names)
{
	const struct server *server = ctx;
	hex_encode(names->device, decision_euis_eui(&server->join.decisions, decision), 8);
}

static void add_why(struct server *server)
{
	server->why = (struct io_why){.kind = "device",
				      .book = &js_rules,
				      .ring = &server->join.decisions.ring,
				      .newest = newest_decision,
				      .name = name_decision,
				      .ctx = server};
	io_why_add(server->admin, &server->why);
}

static enum status open_sockets(struct server *server)
{
	const char *run_dir = server->common.run_dir;
	if (mkdir(run_dir, 0750) != 0 && errno != EEXIST) {
		LOG_ERROR("run_dir_failed", "path=%s error=\"%s\"", run_dir, strerror(errno));
		return ST_IO;
	}
	char path[OPTION_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/join.sock", run_dir);
	const struct io_http_server_options options = {.unix_path = path, .max_connections = 256};
	enum status status = io_http_server_open(server->loop, &options, &server->http);
	if (status != ST_OK)
		return status;
	io_http_server_add(server->http, routes, ARRAY_SIZE(routes), server);
	server->kek_calls = (struct js_edge_keks){server->http, &server->callers, &server->join};
	js_edge_keks_open(&server->kek_calls);
	server->vault_calls = (struct js_vault_calls){server->http, &server->callers, &server->vault,
						      server->keys.box, &server->common};
	js_vault_calls_open(&server->vault_calls);
	server->joins.loop = server->loop;
	server->joins.join = &server->join;
	server->joins.callers = &server->callers;
	server->joins.config = &server->config;
	server->joins.here = server->http;
	status = js_edge_joins_open(&server->joins);
	if (status != ST_OK)
		return status;
	js_metrics_init(&server->metrics, &server->join, &server->joins, &server->vault,
			io_loop_stats(server->loop), server->db);
	char admin_path[OPTION_PATH_MAX + 32];
	snprintf(admin_path, sizeof admin_path, "%s/join-server.admin.sock", run_dir);
	const struct io_admin_options admin = {
		.path = admin_path,
		.process = "join-server",
		.metrics = server->metrics.rows,
		.metric_count = server->metrics.count,
		.health = health,
		.ctx = server,
		.reloads_taken = &server->reload.taken,
		.reloads_refused = &server->reload.refused,
	};
	status = io_admin_open(server->loop, &admin, &server->admin);
	if (status == ST_OK)
		add_why(server);
	return status;
}

static enum status start(struct server *server)
{
	char problem[JS_PROBLEM_TEXT];
	if (!js_callers_init(&server->callers, &server->config.callers, geteuid(), io_find_user, problem,
			     sizeof problem)) {
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
		return ST_INVALID;
	}
	const struct io_turn turn = {.commit = commit,
				     .next_deadline = next_deadline,
				     .on_tick = on_tick,
				     .on_hangup = on_hangup,
				     .ctx = server};
	server->loop = io_loop_new(&turn);
	enum status status = js_keys_load(&server->keys, &server->common, &server->config);
	if (status == ST_OK)
		status = js_edge_vault_look(&server->common, &server->config);
	if (status == ST_OK)
		status = open_store(server);
	if (status == ST_OK)
		status = js_edge_vault_open(&server->vault, server->db, &server->common, &server->config,
					    &server->keys.box, clock_now());
	if (status == ST_OK)
		status = open_core(server);
	if (status == ST_OK)
		status = open_sockets(server);
	return status;
}

static void release(struct server *server)
{
	io_admin_free(server->admin);
	js_edge_joins_release(&server->joins);
	io_http_server_free(server->http);
	if (server->join_is_up)
		js_join_release(&server->join);
	aes_free(server->aes);
	checkpoint_stop(server->checkpoint);
	db_close(server->db);
	js_edge_vault_release(&server->vault);
	js_keys_release(&server->keys);
	if (server->loop)
		io_loop_free(server->loop);
}

int main(int argc, char **argv)
{
	static struct server server;
	const struct config_program program = {"join-server",  "Answers the joins of LoRaWAN devices (OTAA).",
					       js_config_rows, js_config_row_count,
					       &server.config, sizeof server.config};
	int code;
	if (!config_start(&program, &server.common, argc, argv, &code))
		return code;
	reload_init(&server.reload, &program, &server.common, argc, argv, reconfigure, &server);
	log_init("join-server", server.common.log_level);
	io_harden();
	enum status status = secret_init();
	if (status == ST_OK)
		status = start(&server);
	if (status == ST_OK) {
		LOG_INFO("started", "version=%s applied_version=%" PRIu64, LAMPPOST_VERSION,
			 server.join.state.applied_version);
		code = io_loop_run(server.loop);
		LOG_INFO("stopped", "code=%d", code);
	} else {
		LOG_ERROR("start_refused", "status=%s", status_name(status));
		code = status == ST_INVALID ? 2 : server.vault.refused ? 4 : 1;
	}
	release(&server);
	return code;
}
