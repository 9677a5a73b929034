#include "application-server/store_identity.h"

#include "application-server/store_private.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

enum {
	CA_GET,
	CA_PUT,
	CERTIFICATE_PUT,
	CERTIFICATE_NEXT,
	SERVER_PUT,
	SERVER_GET,
	SERVER_FIND,
	IDENTITY,
	VOID,
	TOKENS,
	CERTIFICATE_END,
	SERVER_END,
	DELIVERY_GET,
	DELIVERY_PUT,
	DELIVERY_OFFERED,
	DELIVERY_REMOVE,
	STATION_PUT,
	STATION_GET,
	COUNT
};

const char *const as_sql_identity[] = {
	[CA_GET] = "SELECT key, certificate FROM gateway_ca",
	[CA_PUT] = "INSERT INTO gateway_ca (one, key, certificate, created_at) VALUES (1, ?1, ?2, ?3)",
	[CERTIFICATE_PUT] = "INSERT INTO gateway_certificates (gateway, issued_us, until_us, issued_by, how, "
			    "certificate) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[CERTIFICATE_NEXT] =
		"SELECT issued_us, until_us, issued_by, how, certificate FROM gateway_certificates "
		"WHERE gateway = ?1 AND issued_us < ?2 ORDER BY issued_us DESC LIMIT 1",
	[SERVER_PUT] = "INSERT INTO server_certificates (issued_us, until_us, hosts, issued_by, certificate) "
		       "VALUES (max(?1, coalesce((SELECT max(issued_us) + 1 FROM server_certificates), 0)), "
		       "?2, ?3, ?4, ?5)",
	[SERVER_GET] = "SELECT issued_us, until_us, issued_by, hosts, certificate FROM server_certificates "
		       "ORDER BY issued_us DESC LIMIT 1",
	[SERVER_FIND] = "SELECT issued_us, until_us, issued_by, hosts, certificate FROM server_certificates "
			"WHERE certificate = ?1 LIMIT 1",
	[IDENTITY] = "SELECT accept_certificate, accept_token, certificates_void_us, "
		     "coalesce((SELECT max(issued_us) FROM gateway_certificates WHERE gateway = eui), 0), "
		     "token_hash, token_hash_next, tc_uri, cups_uri FROM gateways WHERE eui = ?1",
	[VOID] = "UPDATE gateways SET certificates_void_us = max(certificates_void_us, ?2) WHERE eui = ?1",
	[TOKENS] = "UPDATE gateways SET token_hash = ?2, token_hash_next = ?3 WHERE eui = ?1",
	[CERTIFICATE_END] =
		"SELECT max(c.until_us) FROM gateway_certificates c JOIN gateways g ON g.eui = c.gateway "
		"WHERE c.gateway = ?1 AND c.issued_us > g.certificates_void_us AND c.until_us > ?2",
	[SERVER_END] = "SELECT until_us FROM server_certificates ORDER BY issued_us DESC LIMIT 1",
	[DELIVERY_GET] = "SELECT what, issued_us, crc, bundle, made_at, coalesce(offered_at, 0), offers "
			 "FROM gateway_deliveries WHERE gateway = ?1",
	[DELIVERY_PUT] = "INSERT OR REPLACE INTO gateway_deliveries (gateway, what, issued_us, crc, bundle, "
			 "made_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[DELIVERY_OFFERED] = "UPDATE gateway_deliveries SET offers = offers + 1, offered_at = ?2 "
			     "WHERE gateway = ?1",
	[DELIVERY_REMOVE] = "DELETE FROM gateway_deliveries WHERE gateway = ?1",
	[STATION_PUT] =
		"INSERT OR REPLACE INTO gateway_stations (gateway, asked_at, presented, station, model, "
		"package, tc_uri, cups_uri) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATION_GET] = "SELECT asked_at, presented, station, model, package, tc_uri, cups_uri "
			"FROM gateway_stations WHERE gateway = ?1",
};
const int as_sql_identity_count = COUNT;

static int64_t number_of(const struct lw_eui64 *eui)
{
	return (int64_t)lw_eui64_number(eui);
}

/* The first row of a query whose parameters are bound; ST_NOT_FOUND: none. Reset it when it was read. */
static enum status first_row(struct as_store *store, int s)
{
	enum db_step step = db_step(store->city, s);
	return step == DB_ROW ? ST_OK : step == DB_DONE ? ST_NOT_FOUND : db_step_status(store->city);
}

static void take_text(struct db *db, int s, int column, char *text, size_t capacity)
{
	snprintf(text, capacity, "%s", db_column_text(db, s, column));
}

/* False: longer than there is room for, which the store has not written. */
static bool take_blob(struct db *db, int s, int column, uint8_t *bytes, size_t capacity, size_t *length)
{
	const void *found = db_column_blob(db, s, column, length);
	if (*length > capacity)
		return false;
	if (*length > 0)
		memcpy(bytes, found, *length);
	return true;
}

/* --- the CA -------------------------------------------------------------------------------------------------------- */

enum status as_store_ca_get(struct as_store *store, struct as_ca_row *row)
{
	int s = store->identity_base + CA_GET;
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	bool whole = take_blob(store->city, s, 0, row->key, sizeof row->key, &row->key_length) &&
		     take_blob(store->city, s, 1, row->certificate, sizeof row->certificate,
			       &row->certificate_length);
	db_reset(store->city, s);
	return whole ? ST_OK : ST_DATABASE;
}

enum status as_store_ca_put(struct as_store *store, const struct as_ca_row *row, struct wall now)
{
	int s = store->identity_base + CA_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_blob(store->city, s, 1, row->key, row->key_length);
	db_bind_blob(store->city, s, 2, row->certificate, row->certificate_length);
	db_bind_i64(store->city, s, 3, now.us);
	return db_run(store->city, s);
}

/* --- certificates -------------------------------------------------------------------------------------------------- */

enum status as_store_certificate_put(struct as_store *store, const struct as_certificate_row *row)
{
	int s = store->identity_base + CERTIFICATE_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(&row->gateway));
	db_bind_i64(store->city, s, 2, row->issued.us);
	db_bind_i64(store->city, s, 3, row->until.us);
	db_bind_text(store->city, s, 4, row->issued_by);
	db_bind_text(store->city, s, 5, row->how);
	db_bind_blob(store->city, s, 6, row->der, row->length);
	return db_run(store->city, s);
}

/* The columns that both kinds have; `text`: the fourth. */
static enum status take_certificate(struct as_store *store, int s, struct as_certificate_row *row, char *text,
				    size_t capacity)
{
	struct db *db = store->city;
	row->issued.us = db_column_i64(db, s, 0);
	row->until.us = db_column_i64(db, s, 1);
	take_text(db, s, 2, row->issued_by, sizeof row->issued_by);
	take_text(db, s, 3, text, capacity);
	bool whole = take_blob(db, s, 4, row->der, sizeof row->der, &row->length);
	db_reset(db, s);
	return whole ? ST_OK : ST_DATABASE;
}

enum status as_store_certificate_next(struct as_store *store, const struct lw_eui64 *gateway,
				      struct wall before, struct as_certificate_row *row)
{
	int s = store->identity_base + CERTIFICATE_NEXT;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	db_bind_i64(store->city, s, 2, before.us);
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	row->gateway = *gateway;
	row->hosts[0] = '\0';
	return take_certificate(store, s, row, row->how, sizeof row->how);
}

enum status as_store_server_certificate_put(struct as_store *store, const struct as_certificate_row *row)
{
	int s = store->identity_base + SERVER_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, row->issued.us);
	db_bind_i64(store->city, s, 2, row->until.us);
	db_bind_text(store->city, s, 3, row->hosts);
	db_bind_text(store->city, s, 4, row->issued_by);
	db_bind_blob(store->city, s, 5, row->der, row->length);
	return db_run(store->city, s);
}

enum status as_store_server_certificate_get(struct as_store *store, struct as_certificate_row *row)
{
	int s = store->identity_base + SERVER_GET;
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	memset(row, 0, sizeof *row);
	return take_certificate(store, s, row, row->hosts, sizeof row->hosts);
}

enum status as_store_server_certificate_find(struct as_store *store, const uint8_t *der, size_t length,
					     struct as_certificate_row *row)
{
	int s = store->identity_base + SERVER_FIND;
	db_bind_blob(store->city, s, 1, der, length);
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	memset(row, 0, sizeof *row);
	return take_certificate(store, s, row, row->hosts, sizeof row->hosts);
}

/* --- what is valid ------------------------------------------------------------------------------------------------- */

enum status as_store_identity_get(struct as_store *store, const struct lw_eui64 *gateway,
				  struct as_identity *identity)
{
	struct db *db = store->city;
	int s = store->identity_base + IDENTITY;
	db_bind_i64(db, s, 1, number_of(gateway));
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	*identity = (struct as_identity){.accepts_certificate = db_column_i64(db, s, 0) != 0,
					 .accepts_token = db_column_i64(db, s, 1) != 0,
					 .void_until = {db_column_i64(db, s, 2)},
					 .latest = {db_column_i64(db, s, 3)}};
	for (int i = 0; i < 2; i++)
		if (db_column_copy(db, s, 4 + i, identity->tokens[identity->token_count], SECRET_HASH))
			identity->token_count++;
	take_text(db, s, 6, identity->tc_uri, sizeof identity->tc_uri);
	take_text(db, s, 7, identity->cups_uri, sizeof identity->cups_uri);
	db_reset(db, s);
	return ST_OK;
}

/* Runs a change of a gateway's row whose parameters are bound, and has it replicated. */
static enum status change_gateway(struct as_store *store, int s, const struct lw_eui64 *gateway)
{
	db_bind_i64(store->city, s, 1, number_of(gateway));
	enum status status = db_run(store->city, s);
	if (status == ST_OK && db_changes(store->city) == 0)
		return ST_NOT_FOUND;
	return status == ST_OK ? as_store_bump(store, RECORD_GATEWAY, number_of(gateway), NULL, false)
			       : status;
}

enum status as_store_certificates_void(struct as_store *store, const struct lw_eui64 *gateway,
				       struct wall until)
{
	int s = store->identity_base + VOID;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 2, until.us);
	return change_gateway(store, s, gateway);
}

enum status as_store_tokens_set(struct as_store *store, const struct lw_eui64 *gateway, uint8_t count,
				const uint8_t tokens[2][SECRET_HASH])
{
	int s = store->identity_base + TOKENS;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	for (int i = 0; i < 2; i++)
		if (i < count)
			db_bind_blob(store->city, s, 2 + i, tokens[i], SECRET_HASH);
		else
			db_bind_null(store->city, s, 2 + i);
	return change_gateway(store, s, gateway);
}

static bool take_end(struct as_store *store, int s, struct wall *until)
{
	if (db_step(store->city, s) != DB_ROW)
		return false;
	bool found = !db_column_is_null(store->city, s, 0);
	if (found)
		until->us = db_column_i64(store->city, s, 0);
	db_reset(store->city, s);
	return found;
}

bool as_store_certificate_end(struct as_store *store, const struct lw_eui64 *gateway, struct wall now,
			      struct wall *until)
{
	int s = store->identity_base + CERTIFICATE_END;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	db_bind_i64(store->city, s, 2, now.us);
	return take_end(store, s, until);
}

bool as_store_server_certificate_end(struct as_store *store, struct wall *until)
{
	return take_end(store, store->identity_base + SERVER_END, until);
}

/* --- credentials on their way -------------------------------------------------------------------------------------- */

const char *as_delivery_what_name(enum as_delivery_what what)
{
	return what == AS_DELIVER_TOKEN ? "token" : "certificate";
}

enum status as_store_delivery_get(struct as_store *store, const struct lw_eui64 *gateway,
				  struct as_delivery_row *row)
{
	struct db *db = store->city;
	int s = store->identity_base + DELIVERY_GET;
	db_bind_i64(db, s, 1, number_of(gateway));
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	row->what = strcmp(db_column_text(db, s, 0), "token") == 0 ? AS_DELIVER_TOKEN
								   : AS_DELIVER_CERTIFICATE;
	row->issued.us = db_column_i64(db, s, 1);
	row->crc = (uint32_t)db_column_i64(db, s, 2);
	bool whole = take_blob(db, s, 3, row->bundle, sizeof row->bundle, &row->length);
	row->made.us = db_column_i64(db, s, 4);
	row->offered.us = db_column_i64(db, s, 5);
	row->offers = (uint32_t)db_column_i64(db, s, 6);
	db_reset(db, s);
	return whole ? ST_OK : ST_DATABASE;
}

enum status as_store_delivery_put(struct as_store *store, const struct lw_eui64 *gateway,
				  const struct as_delivery_row *row)
{
	int s = store->identity_base + DELIVERY_PUT;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	db_bind_text(store->city, s, 2, as_delivery_what_name(row->what));
	db_bind_i64(store->city, s, 3, row->issued.us);
	db_bind_i64(store->city, s, 4, row->crc);
	db_bind_blob(store->city, s, 5, row->bundle, row->length);
	db_bind_i64(store->city, s, 6, row->made.us);
	return db_run(store->city, s);
}

enum status as_store_delivery_offered(struct as_store *store, const struct lw_eui64 *gateway, struct wall now)
{
	int s = store->identity_base + DELIVERY_OFFERED;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	db_bind_i64(store->city, s, 2, now.us);
	return db_run(store->city, s);
}

enum status as_store_delivery_remove(struct as_store *store, const struct lw_eui64 *gateway)
{
	int s = store->identity_base + DELIVERY_REMOVE;
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	return db_run(store->city, s);
}

/* --- what a station said ------------------------------------------------------------------------------------------- */

enum status as_store_station_put(struct as_store *store, const struct lw_eui64 *gateway,
				 const struct as_station_row *row)
{
	int s = store->identity_base + STATION_PUT;
	const char *texts[] = {row->presented, row->station, row->model,
			       row->package,   row->tc_uri,  row->cups_uri};
	enum status status = as_store_write_city(store);
	if (status != ST_OK)
		return status;
	db_bind_i64(store->city, s, 1, number_of(gateway));
	db_bind_i64(store->city, s, 2, row->asked.us);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		db_bind_text(store->city, s, 3 + (int)i, texts[i]);
	return db_run(store->city, s);
}

enum status as_store_station_get(struct as_store *store, const struct lw_eui64 *gateway,
				 struct as_station_row *row)
{
	struct db *db = store->city;
	int s = store->identity_base + STATION_GET;
	db_bind_i64(db, s, 1, number_of(gateway));
	enum status status = first_row(store, s);
	if (status != ST_OK)
		return status;
	row->asked.us = db_column_i64(db, s, 0);
	take_text(db, s, 1, row->presented, sizeof row->presented);
	take_text(db, s, 2, row->station, sizeof row->station);
	take_text(db, s, 3, row->model, sizeof row->model);
	take_text(db, s, 4, row->package, sizeof row->package);
	take_text(db, s, 5, row->tc_uri, sizeof row->tc_uri);
	take_text(db, s, 6, row->cups_uri, sizeof row->cups_uri);
	db_reset(db, s);
	return ST_OK;
}
