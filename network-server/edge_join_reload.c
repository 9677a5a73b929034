/* Clients of others' join servers come and go. At the start they all come. */
#include "network-server/edge_join_servers.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/io/clock.h"
#include "common/io/key_file.h"
#include "network-server/join_reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 8

static void free_server(struct ns_edge_join_server *server)
{
	if (!server)
		return;
	io_http_client_free(server->client);
	free(server->slots);
	io_http_identity_wipe(&server->identity);
	free(server);
}

/* Fills the key of the configuration. */
static bool read_files(struct ns_edge_join_server *server, struct bi_join_server *wanted, char *problem,
		       size_t capacity)
{
	const struct io_http_identity_files files = {wanted->ca, wanted->certificate, wanted->key,
						     wanted->headers};
	if (!io_http_identity_read(&server->identity, &files, problem, capacity))
		return false;
	if (!wanted->kek_file[0])
		return true;
	enum key_file_verdict verdict = key_file_read(wanted->kek_file, wanted->kek, sizeof wanted->kek);
	if (verdict != KEY_FILE_OK)
		snprintf(problem, capacity, "%s: %s: %s", wanted->kek_file, key_file_verdict_name(verdict),
			 key_file_verdict_advice(verdict));
	return verdict == KEY_FILE_OK;
}

static bool is_as_before(const struct ns_edge *edge, const struct ns_edge_join_server *made,
			 const struct bi_join_server *wanted, uint8_t place)
{
	const struct ns_edge_join_server *there = edge->join_servers[place];
	const struct bi_join_server *before = &edge->ns.config.join_servers[place];
	return there && strcmp(before->name, wanted->name) == 0 &&
	       strcmp(before->words, wanted->words) == 0 &&
	       memcmp(before->kek, wanted->kek, sizeof wanted->kek) == 0 &&
	       memcmp(there->identity.mark, made->identity.mark, sizeof made->identity.mark) == 0;
}

static void make_client(struct ns_edge *edge, struct ns_edge_join_server *made,
			const struct bi_join_server *wanted, uint8_t place)
{
	const struct io_http_client_options options = {.max_calls = 2 * (size_t)wanted->in_flight + 16,
						       .max_connections = CONNECTIONS};
	made->edge = edge;
	made->place = place;
	made->slot_count = 2 * (size_t)wanted->in_flight;
	made->slots = calloc(made->slot_count, sizeof *made->slots);
	ASSERT(made->slots);
	made->client = io_http_client_new(edge->loop, &options);
}

bool ns_edge_join_servers_prepare(struct ns_edge *edge, const struct ns_config *config,
				  struct ns_edge_join_change *change, char problem[CONFIG_ERROR_MAX])
{
	char why[CONFIG_ERROR_MAX - 64];
	*change = (struct ns_edge_join_change){.count = config->join_server_count};
	memcpy(change->wanted, config->join_servers, change->count * sizeof change->wanted[0]);
	if (!ns_join_servers_place(&edge->ns, change->wanted, change->count, change->places)) {
		snprintf(problem, CONFIG_ERROR_MAX,
			 "network-server.join_servers: joins of those that were taken out a moment ago have "
			 "not "
			 "ended yet. Try: again in some seconds");
		return false;
	}
	for (uint8_t i = 0; i < change->count; i++) {
		struct bi_join_server *wanted = &change->wanted[i];
		struct ns_edge_join_server *made = calloc(1, sizeof *made);
		ASSERT(made);
		if (!read_files(made, wanted, why, sizeof why)) {
			snprintf(problem, CONFIG_ERROR_MAX, "network-server.join_servers.%s: %s",
				 wanted->name, why);
			free_server(made);
			ns_edge_join_servers_drop(change);
			return false;
		}
		change->renewed[i] = !is_as_before(edge, made, wanted, change->places[i]);
		if (change->renewed[i]) {
			make_client(edge, made, wanted, change->places[i]);
			change->made[i] = made;
		} else {
			free_server(made);
		}
	}
	return true;
}

void ns_edge_join_servers_drop(struct ns_edge_join_change *change)
{
	for (uint8_t i = 0; i < change->count; i++)
		free_server(change->made[i]);
	secret_wipe(change, sizeof *change);
}

void ns_edge_join_servers_take_over(struct ns_edge *edge, struct now now, struct ns_edge_join_change *change)
{
	bool stays[NS_JOIN_SERVER_PLACES] = {false};
	for (uint8_t i = 0; i < change->count; i++)
		stays[change->places[i]] = !change->renewed[i];
	ns_join_servers_set(&edge->ns, now, change->wanted, change->count, change->places, change->renewed);
	for (uint8_t place = 0; place < NS_JOIN_SERVER_PLACES; place++) {
		if (stays[place])
			continue;
		free_server(edge->join_servers[place]);
		edge->join_servers[place] = NULL;
		edge->join_server_labels[place][0] = '\0';
	}
	for (uint8_t i = 0; i < change->count; i++) {
		uint8_t place = change->places[i];
		if (change->renewed[i])
			edge->join_servers[place] = change->made[i];
		snprintf(edge->join_server_labels[place], sizeof edge->join_server_labels[place],
			 "server=\"%s\"", change->wanted[i].name);
	}
	secret_wipe(change, sizeof *change);
}

enum status ns_edge_join_servers_open(struct ns_edge *edge)
{
	struct ns_edge_join_change *change = calloc(1, sizeof *change);
	char problem[CONFIG_ERROR_MAX];
	ASSERT(change);
	rng_fill(&edge->rng, edge->token_secret, sizeof edge->token_secret);
	bool good = ns_edge_join_servers_prepare(edge, &edge->ns.config, change, problem);
	if (good)
		ns_edge_join_servers_take_over(edge, clock_now(), change);
	else
		LOG_ERROR("configuration_refused", "reason=\"%s\"", problem);
	free(change);
	return good ? ST_OK : ST_REFUSED;
}

void ns_edge_join_servers_release(struct ns_edge *edge)
{
	for (uint8_t place = 0; place < NS_JOIN_SERVER_PLACES; place++) {
		free_server(edge->join_servers[place]);
		edge->join_servers[place] = NULL;
	}
}
