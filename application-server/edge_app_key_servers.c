/* Join servers of others that AppSKeys are fetched from: read from the configuration with their files, at the start and by a reload. One
 * whose words and files are as before keeps what it was asked. */
#include "application-server/edge_app_keys.h"

#include "common/base/check.h"
#include "common/crypto/secret.h"
#include "common/io/key_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing of it is called back any more. */
void as_app_key_lane_free(struct as_app_key_lane *lane)
{
	if (!lane)
		return;
	io_http_client_free(lane->client);
	io_timer_free(lane->timer);
	secret_wipe(lane, sizeof *lane);
	free(lane);
}

static bool read_files(struct as_app_key_lane *lane, char *problem, size_t capacity)
{
	struct bi_join_server *server = &lane->server;
	const struct io_http_identity_files files = {server->ca, server->certificate, server->key,
						     server->headers};
	if (!io_http_identity_read(&lane->identity, &files, problem, capacity))
		return false;
	if (!server->kek_file[0])
		return true;
	enum key_file_verdict verdict = key_file_read(server->kek_file, server->kek, sizeof server->kek);
	if (verdict != KEY_FILE_OK)
		snprintf(problem, capacity, "%s: %s: %s", server->kek_file, key_file_verdict_name(verdict),
			 key_file_verdict_advice(verdict));
	return verdict == KEY_FILE_OK;
}

static bool is_same(const struct as_app_key_lane *a, const struct as_app_key_lane *b)
{
	return strcmp(a->server.name, b->server.name) == 0 && strcmp(a->server.words, b->server.words) == 0 &&
	       memcmp(a->server.kek, b->server.kek, sizeof a->server.kek) == 0 &&
	       memcmp(a->identity.mark, b->identity.mark, sizeof a->identity.mark) == 0;
}

void as_edge_app_keys_drop(struct as_app_key_change *change)
{
	for (uint8_t i = 0; i < change->count; i++)
		as_app_key_lane_free(change->lanes[i]);
	change->count = 0;
}

bool as_edge_app_keys_prepare(const struct option_map *map, struct as_app_key_change *change,
			      char problem[CONFIG_ERROR_MAX])
{
	char expect[OPTION_EXPECT_MAX], why[CONFIG_ERROR_MAX - 80] = "";
	change->count = 0;
	for (size_t i = 0; i < map->count && !why[0]; i++) {
		struct as_app_key_lane *lane = calloc(1, sizeof *lane);
		ASSERT(lane);
		change->lanes[change->count++] = lane;
		if (!bi_join_server_parse(BI_APPLICATION_SERVER, map->entries[i].label, map->entries[i].value,
					  &lane->server, expect))
			snprintf(why, sizeof why, "%s", expect);
		else if (!read_files(lane, why, sizeof why) && !why[0])
			snprintf(why, sizeof why, "a file cannot be used");
		if (why[0])
			snprintf(problem, CONFIG_ERROR_MAX, "application-server.join_servers.%s: %s",
				 map->entries[i].label, why);
	}
	if (why[0])
		as_edge_app_keys_drop(change);
	return !why[0];
}

/* The KEKs that keys of theirs come under: with them the city opens AppSKeys, of joins as well. */
static void tell_keks(struct as_edge_app_keys *edge)
{
	_Static_assert(AS_FOREIGN_KEKS_MAX >= OPTION_MAP_MAX, "one for each");
	struct as_application *app = edge->app;
	secret_wipe(app->foreign_keks, sizeof app->foreign_keks);
	app->foreign_kek_count = 0;
	for (uint8_t i = 0; i < edge->count; i++) {
		const struct bi_join_server *server = &edge->lanes[i]->server;
		if (!server->kek_label[0])
			continue;
		struct as_foreign_kek *kek = &app->foreign_keks[app->foreign_kek_count++];
		snprintf(kek->label, sizeof kek->label, "%s", server->kek_label);
		memcpy(kek->key, server->kek, sizeof kek->key);
	}
}

void as_edge_app_keys_take_over(struct as_edge_app_keys *edge, struct as_app_key_change *change)
{
	for (uint8_t i = 0; i < change->count; i++) {
		for (uint8_t j = 0; j < edge->count; j++) {
			struct as_app_key_lane *made = change->lanes[i];
			if (edge->lanes[j] && is_same(edge->lanes[j], made)) {
				change->lanes[i] = edge->lanes[j];
				edge->lanes[j] = NULL;
				as_app_key_lane_free(made);
				break;
			}
		}
	}
	for (uint8_t j = 0; j < edge->count; j++)
		as_app_key_lane_free(edge->lanes[j]);
	edge->count = change->count;
	edge->ours.began.us = 0; /* what another was to be asked for may be ours to fetch now */
	for (uint8_t i = 0; i < change->count; i++) {
		edge->lanes[i] = change->lanes[i];
		edge->servers[i] = edge->lanes[i]->server;
		edge->lanes[i]->began.us = 0;
		if (!edge->lanes[i]->client)
			as_app_key_lane_open(edge->lanes[i], edge);
	}
	tell_keks(edge);
	change->count = 0;
}
