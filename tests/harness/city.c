#include "tests/harness/city.h"

#include "application-server/api/import.h"
#include "application-server/store_records.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/sealed_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct as_scope t_city_admin = {.role = AS_CITY};

struct t_city *t_city_new(void)
{
	return t_city_new_at(":memory:", ":memory:");
}

struct t_city *t_city_new_at(const char *city_path, const char *readings_path)
{
	struct t_city *city = calloc(1, sizeof *city);
	ASSERT(city);
	ASSERT_CMP(secret_init(), ==, ST_OK);
	city->rng = rng_seeded(1);
	city->keys = (struct as_keys){.master = secret_master_generate(),
				      .box = secret_box_generate(),
				      .aes = aes_new(),
				      .has_kek = true,
				      .kek = {1, 2, 3}};
	city->join_box = secret_box_generate();
	city->network_box = secret_box_generate();
	struct as_store_options options = {
		.city_path = city_path, .readings_path = readings_path, .rng = &city->rng};
	ASSERT_CMP(as_store_open(&options, &city->store), ==, ST_OK);
	as_application_init(&city->app, city->store, &city->keys, &city->rng);
	as_joins_init(&city->joins, city->store, &city->rng);
	city->api = (struct as_api){.app = &city->app, .joins = &city->joins, .rng = &city->rng};
	city->now.wall.us = INT64_C(1800000000) * US_PER_S;
	return city;
}

void t_city_free(struct t_city *city)
{
	as_answer_release(&city->answer);
	as_import_release(&city->api);
	as_application_release(&city->app);
	as_joins_release(&city->joins);
	as_store_close(city->store);
	as_keys_release(&city->keys);
	secret_box_free(city->join_box);
	secret_box_free(city->network_box);
	free(city);
}

/* --- calls -------------------------------------------------------------------------------------------------- */

struct params {
	char collection[64];
	char id[128];
	char item[64];
};

/* Matches a path against a pattern, filling {collection} and {id}; returns exact segments + 1, 0: no match. */
static int match(const char *pattern, const char *path, struct params *params)
{
	int exact = 1;
	*params = (struct params){{0}, {0}, {0}};
	while (*pattern && *path) {
		size_t length = strcspn(path + 1, "/");
		size_t pattern_length = strcspn(pattern + 1, "/");
		char *out = strncmp(pattern + 1, "{collection}", pattern_length) == 0 ? params->collection
			    : strncmp(pattern + 1, "{id}", pattern_length) == 0       ? params->id
			    : strncmp(pattern + 1, "{item}", pattern_length) == 0     ? params->item
										      : NULL;
		if (out)
			snprintf(out, 64, "%.*s", (int)length, path + 1);
		else if (length != pattern_length || strncmp(path, pattern, length + 1) != 0)
			return 0;
		else
			exact++;
		pattern += pattern_length + 1;
		path += length + 1;
	}
	return *pattern || *path ? 0 : exact;
}

static const char *query_value(void *ctx, const char *name)
{
	static char values[4][128]; /* lent for a while, as the HTTP server's are for a request */
	static unsigned used;
	char *value = values[used++ % 4];
	const char *at = ctx;
	size_t length = strlen(name);
	while (at && *at) {
		if (strncmp(at, name, length) == 0 && at[length] == '=') {
			snprintf(value, sizeof values[0], "%.*s", (int)strcspn(at + length + 1, "&"),
				 at + length + 1);
			return value;
		}
		at = strchr(at, '&');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

int t_city_call(struct t_city *city, const struct as_scope *scope, const char *method, const char *target,
		const char *body)
{
	char path[256];
	const char *query = strchr(target, '?');
	snprintf(path, sizeof path, "%.*s", (int)strcspn(target, "?"), target);
	const struct as_route *route = NULL;
	struct params params = {{0}, {0}, {0}}, tried;
	int best = 0;
	for (size_t i = 0; i < as_route_count; i++) {
		int exact = strcmp(as_routes[i].method, method) == 0
				    ? match(as_routes[i].pattern, path, &tried)
				    : 0;
		if (exact > best) {
			best = exact;
			route = &as_routes[i];
			params = tried;
		}
	}
	as_answer_release(&city->answer);
	if (!route)
		return 0;
	json_t *json = body && !as_route_takes_text(route) ? json_loads(body, 0, NULL) : NULL;
	ASSERT(!body || json || as_route_takes_text(route));
	struct as_call call = {.scope = scope,
			       .now = city->now,
			       .who = city->who,
			       .collection = params.collection,
			       .id = params.id,
			       .item = params.item,
			       .body = json,
			       .text = body,
			       .text_length = body ? strlen(body) : 0,
			       .query = query_value,
			       .query_ctx = query ? (char *)query + 1 : NULL};
	as_api_call(&city->api, route, &call, &city->answer);
	json_decref(json);
	ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
	return city->answer.status;
}

bool t_city_turn(struct t_city *city)
{
	as_answer_release(&city->answer);
	bool over = as_import_step(&city->api, city->now, &city->answer);
	ASSERT_CMP(as_store_commit(city->store), ==, ST_OK);
	return over;
}

int t_city_finish(struct t_city *city)
{
	if (city->answer.later)
		while (!t_city_turn(city))
			;
	return city->answer.status;
}

int t_city_import(struct t_city *city, const struct as_scope *scope, const char *body)
{
	(void)t_city_call(city, scope, "POST", "/api/v1/devices/import", body);
	return t_city_finish(city);
}

const json_t *t_city_answer(const struct t_city *city)
{
	return city->answer.body;
}

const char *t_city_text(const struct t_city *city, const char *member)
{
	const char *text = json_string_value(json_object_get(city->answer.body, member));
	return text ? text : "";
}

static void must(struct t_city *city, const char *target, const char *body)
{
	int status = t_city_call(city, &t_city_admin, "POST", target, body);
	if (status != 201)
		fprintf(stderr, "%s: %s\n", target, t_city_text(city, "detail"));
	ASSERT_CMP(status, ==, 201);
}

void t_city_furnish(struct t_city *city)
{
	must(city, "/api/v1/agencies", "{\"slug\":\"parks\",\"name\":\"Parks\"}");
	must(city, "/api/v1/applications",
	     "{\"slug\":\"meters\",\"name\":\"Meters\",\"agency\":\"parks\",\"tags\":{\"a\":\"application\","
	     "\"b\":\"x\"}}");
	must(city, "/api/v1/profiles",
	     "{\"slug\":\"probe\",\"name\":\"Probe\",\"region\":\"eu868\",\"mac_version\":\"1.0.4\",\"tags\":"
	     "{\"b\":\"profile\"},"
	     "\"codec\":{\"name\":\"probe\",\"fields\":[{\"fport\":2,\"offset\":0,\"width_bits\":16,"
	     "\"signed\":true,"
	     "\"scale\":0.1,\"unit\":\"Cel\",\"property\":\"temperature\"}]}}");
	must(city, "/api/v1/devices",
	     "{\"dev_eui\":\"0102030405060708\",\"name\":\"Probe "
	     "1\",\"application\":\"meters\",\"profile\":\"probe\","
	     "\"join_eui\":\"0000000000000001\"}");
}

struct as_scope t_city_scope(struct t_city *city, enum as_role role, const char *agency)
{
	struct as_scope scope = {.role = role};
	json_t *record = NULL;
	ASSERT_CMP(as_store_record_get(city->store, &t_city_admin, RECORD_AGENCY, agency, &record), ==,
		   ST_OK);
	ASSERT(as_uuid_parse(json_string_value(json_object_get(record, "id")), &scope.agency));
	json_decref(record);
	return scope;
}

const char *t_seal(char text[T_SEALED_TEXT], const struct secret_box *box, int kind, const char *dev_eui,
		   const char *key_hex)
{
	uint8_t sealed[SEALED_KEY_LENGTH];
	struct lw_eui64 eui;
	struct lw_key key;
	ASSERT(lw_eui64_parse(dev_eui, &eui) && lw_key_parse(key_hex, &key));
	ASSERT_CMP(sealed_key_seal(sealed, secret_box_public(box), (enum sealed_key_kind)kind, eui.bytes,
				   key.bytes),
		   ==, ST_OK);
	base64_encode(text, sealed, sizeof sealed);
	return text;
}
