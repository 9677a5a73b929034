#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "application-server/api/identity.h"
#include "application-server/identity/audit.h"
#include "application-server/identity/cups.h"
#include "application-server/identity/tokens.h"
#include "application-server/time_text.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <string.h>

#define DAY_US   (86400 * US_PER_S)
#define DAYS_MAX 7300

const char *as_call_who(const struct as_call *call)
{
	return call->who ? call->who : "nobody";
}

bool as_identity_gateway(struct as_api *api, const struct as_call *call, struct as_answer *answer,
			 struct lw_eui64 *gateway)
{
	json_t *record = as_get_or_answer(api, call, RECORD_GATEWAY, answer);
	bool found = record && lw_eui64_parse(json_string_value(json_object_get(record, "eui")), gateway);
	json_decref(record);
	if (found && !as_scope_sees_all(call->scope)) {
		as_answer_forbidden(answer);
		return false;
	}
	return found;
}

static json_t *pem_of(const uint8_t *der, size_t length)
{
	char pem[X509_PEM_MAX];
	return x509_pem_write(pem, sizeof pem, "CERTIFICATE", der, length) > 0 ? json_string(pem) : NULL;
}

static json_t *time_of(struct wall time)
{
	char text[AS_TIME_TEXT];
	return time.us > 0 ? json_string(as_time_format(text, time)) : json_null();
}

/* `days` of the body; 0: the configuration's. False with an answer. */
static bool lifetime_of(const struct as_call *call, struct as_answer *answer, span_us *lifetime)
{
	const json_t *days = json_object_get(call->body, "days");
	json_int_t count = json_integer_value(days);
	*lifetime = 0;
	if (!days)
		return true;
	if (!json_is_integer(days) || count < 1 || count > DAYS_MAX) {
		as_answer_problem(answer, 422, "days", "must be a whole number from 1 to %d", DAYS_MAX);
		return false;
	}
	*lifetime = count * DAY_US;
	return true;
}

/* The public key of the body's request; NULL with an answer. */
static struct x509_key *key_of(const struct as_call *call, struct as_answer *answer)
{
	const char *csr = json_string_value(json_object_get(call->body, "csr")), *why = "is missing";
	struct x509_key *key = csr ? x509_request_read(csr, strlen(csr), &why) : NULL;
	if (!key)
		as_answer_problem(answer, 422, "csr", "%s", why);
	return key;
}

static void answer_status(struct as_answer *answer, enum status status)
{
	if (status == ST_NOT_FOUND)
		as_answer_not_found(answer, record_schema(RECORD_GATEWAY));
	else
		as_answer_failed(answer, status);
}

/* --- the CA and the bridge's certificate --------------------------------------------------------------------------- */

void as_handle_ca(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	const struct as_authority *authority = api->authority;
	struct as_certificate_row server;
	struct x509_facts facts;
	if (!as_scope_sees_all(call->scope)) {
		as_answer_forbidden(answer);
		return;
	}
	if (!x509_read(authority->certificate, authority->certificate_length, &facts)) {
		as_answer_failed(answer, ST_INVALID);
		return;
	}
	json_t *body = json_pack("{so so}", "certificate",
				 pem_of(authority->certificate, authority->certificate_length), "until",
				 time_of(facts.until));
	if (as_store_server_certificate_get(authority->store, &server) == ST_OK)
		json_object_set_new(body, "server",
				    json_pack("{so so ss ss}", "until", time_of(server.until), "issued",
					      time_of(server.issued), "hosts", server.hosts, "issued_by",
					      server.issued_by));
	as_answer_json(answer, 200, body);
}

void as_handle_ca_server(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	char hosts[X509_HOSTS_MAX][X509_HOST_TEXT];
	const json_t *list = json_object_get(call->body, "hosts");
	size_t count = json_array_size(list);
	struct as_certificate_row row;
	span_us lifetime;
	if (!as_scope_sees_all(call->scope)) {
		as_answer_forbidden(answer);
		return;
	}
	if (!as_call_has_object(call, answer) || !lifetime_of(call, answer, &lifetime))
		return;
	for (size_t i = 0; i < count && i < X509_HOSTS_MAX; i++) {
		const char *host = json_string_value(json_array_get(list, i));
		snprintf(hosts[i], X509_HOST_TEXT, "%s", host ? host : "");
		if (!host || !x509_host_ok(host))
			count = 0;
	}
	if (count == 0 || count > X509_HOSTS_MAX) {
		as_answer_problem(answer, 422, "hosts", "must be 1 to %d names or addresses", X509_HOSTS_MAX);
		return;
	}
	struct x509_key *key = key_of(call, answer);
	if (!key)
		return;
	enum status status = as_authority_issue_server(api->authority, call->now.wall,
						       (const char(*)[X509_HOST_TEXT])hosts, count, key,
						       lifetime, as_call_who(call), &row);
	x509_key_free(key);
	if (status == ST_INVALID)
		as_answer_problem(answer, 422, "hosts", "are too long together");
	else if (status != ST_OK)
		as_answer_failed(answer, status);
	else
		as_answer_json(
			answer, 201,
			json_pack("{so so so}", "certificate", pem_of(row.der, row.length), "ca",
				  pem_of(api->authority->certificate, api->authority->certificate_length),
				  "until", time_of(row.until)));
}

/* --- certificates -------------------------------------------------------------------------------------------------- */

static json_t *certificate_json(const struct as_certificate_row *row, const struct as_identity *identity,
				struct wall now)
{
	struct x509_facts facts;
	char serial[2 * X509_SERIAL_BYTES + 1] = "";
	if (x509_read(row->der, row->length, &facts))
		hex_encode(serial, facts.serial, sizeof facts.serial);
	const char *state = row->issued.us <= identity->void_until.us ? "revoked"
			    : row->until.us <= now.us                 ? "expired"
								      : "valid";
	return json_pack("{ss so so ss ss ss}", "serial", serial, "issued", time_of(row->issued), "until",
			 time_of(row->until), "issued_by", row->issued_by, "how", row->how, "state", state);
}

static json_t *delivery_json(const struct as_delivery_row *row)
{
	return json_pack("{ss so so sI}", "what", as_delivery_what_name(row->what), "made",
			 time_of(row->made), "offered", time_of(row->offered), "offers",
			 (json_int_t)row->offers);
}

static json_t *station_json(const struct as_station_row *row)
{
	return json_pack("{so ss ss ss ss ss ss}", "asked", time_of(row->asked), "presented", row->presented,
			 "station", row->station, "model", row->model, "package", row->package, "tc_uri",
			 row->tc_uri, "cups_uri", row->cups_uri);
}

void as_handle_certificates(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 gateway;
	struct as_identity identity;
	struct as_certificate_row row;
	struct as_delivery_row delivery;
	struct as_station_row station;
	struct wall before = {INT64_MAX};
	unsigned limit;
	if (!as_identity_gateway(api, call, answer, &gateway) || !as_call_limit(call, answer, &limit))
		return;
	struct as_store *store = api->app->store;
	enum status status = as_store_identity_get(store, &gateway, &identity);
	if (status != ST_OK) {
		answer_status(answer, status);
		return;
	}
	json_t *items = json_array();
	while (json_array_size(items) < limit &&
	       as_store_certificate_next(store, &gateway, before, &row) == ST_OK) {
		json_array_append_new(items, certificate_json(&row, &identity, call->now.wall));
		before = row.issued;
	}
	json_t *body = json_pack("{so si sb sb}", "items", items, "tokens", (int)identity.token_count,
				 "accepts_certificate", (int)identity.accepts_certificate, "accepts_token",
				 (int)identity.accepts_token);
	if (as_store_delivery_get(store, &gateway, &delivery) == ST_OK)
		json_object_set_new(body, "delivery", delivery_json(&delivery));
	if (as_store_station_get(store, &gateway, &station) == ST_OK)
		json_object_set_new(body, "station", station_json(&station));
	as_answer_json(answer, 200, body);
}

static void answer_issued(struct as_api *api, struct as_answer *answer, const struct as_certificate_row *row,
			  const struct lw_eui64 *gateway, bool by_cups)
{
	const struct as_authority *authority = api->authority;
	struct as_identity identity;
	struct x509_facts facts;
	char serial[2 * X509_SERIAL_BYTES + 1] = "";
	if (x509_read(row->der, row->length, &facts))
		hex_encode(serial, facts.serial, sizeof facts.serial);
	if (as_store_identity_get(authority->store, gateway, &identity) != ST_OK)
		memset(&identity, 0, sizeof identity);
	as_answer_json(answer, 201,
		       json_pack("{so so ss so ss ss sb}", "certificate", pem_of(row->der, row->length), "ca",
				 pem_of(authority->certificate, authority->certificate_length), "serial",
				 serial, "until", time_of(row->until), "tc_uri",
				 identity.tc_uri[0] ? identity.tc_uri : authority->config.tc_uri, "cups_uri",
				 identity.cups_uri[0] ? identity.cups_uri : authority->config.cups_uri,
				 "cups", (int)by_cups));
}

void as_handle_certificate_issue(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 gateway;
	struct as_certificate_row row;
	struct x509_key *key = NULL;
	enum status status;
	span_us lifetime;
	if (!as_identity_gateway(api, call, answer, &gateway) || !as_call_has_object(call, answer) ||
	    !lifetime_of(call, answer, &lifetime))
		return;
	bool by_cups = json_is_true(json_object_get(call->body, "cups"));
	bool renew = json_is_true(json_object_get(call->body, "renew"));
	if (!by_cups && !(key = key_of(call, answer)))
		return;
	if (by_cups)
		status = as_cups_prepare_certificate(api->authority, call->now.wall, &gateway,
						     as_call_who(call), &row);
	else
		status = as_authority_issue(api->authority, call->now.wall, &gateway, key, lifetime,
					    renew ? "renew" : "issue", as_call_who(call), &row);
	x509_key_free(key);
	if (status == ST_OK)
		answer_issued(api, answer, &row, &gateway, by_cups);
	else
		answer_status(answer, status);
}

/* The issue time that a serial names; false: it is none. */
static bool issued_of(const char *serial, struct wall *issued)
{
	uint8_t bytes[X509_SERIAL_BYTES];
	uint64_t number = 0;
	if (!hex_decode_exact(bytes, sizeof bytes, serial))
		return false;
	for (int i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	issued->us = (int64_t)number;
	return true;
}

void as_handle_certificate_revoke(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 gateway;
	struct as_identity identity;
	struct as_certificate_row row;
	char name[LW_EUI64_TEXT];
	const char *serial = as_call_query(call, "serial");
	struct as_store *store = api->app->store;
	if (!as_identity_gateway(api, call, answer, &gateway))
		return;
	enum status status = as_store_identity_get(store, &gateway, &identity);
	struct wall until = identity.latest;
	if (status == ST_OK && serial &&
	    (!issued_of(serial, &until) ||
	     as_store_certificate_next(store, &gateway, (struct wall){until.us + 1}, &row) != ST_OK ||
	     row.issued.us != until.us)) {
		as_answer_problem(answer, 404, "serial", "no certificate of this gateway has that serial");
		return;
	}
	if (status == ST_OK && (until.us == 0 || until.us <= identity.void_until.us)) {
		as_answer_problem(answer, 409, NULL, "there is no certificate that is not revoked already");
		return;
	}
	lw_eui64_format(name, &gateway);
	if (status == ST_OK)
		status = as_store_certificates_void(store, &gateway, until);
	if (status == ST_OK)
		status = as_audit_write(store, call->now.wall, as_call_who(call), AS_AUDIT_CERTIFICATE_REVOKE,
					name, serial ? serial : "all");
	if (status == ST_OK)
		as_answer_json(answer, 200, json_pack("{so}", "revoked_until", time_of(until)));
	else
		answer_status(answer, status);
}

/* --- tokens -------------------------------------------------------------------------------------------------------- */

static void answer_token(struct as_answer *answer, enum as_token_verdict verdict, enum status status)
{
	if (verdict == AS_TOKEN_THERE_IS_ONE)
		as_answer_problem(answer, 409, NULL, "it has a token already: rotate it, or revoke it first");
	else if (verdict == AS_TOKEN_NONE)
		as_answer_problem(answer, 409, NULL, "it has no such token");
	else
		answer_status(answer, status);
}

void as_handle_token_issue(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 gateway;
	char token[AS_TOKEN_TEXT];
	enum status status = ST_OK;
	if (!as_identity_gateway(api, call, answer, &gateway) || !as_call_has_object(call, answer))
		return;
	bool by_cups = json_is_true(json_object_get(call->body, "cups"));
	bool rotate = json_is_true(json_object_get(call->body, "rotate"));
	enum as_token_verdict verdict = (rotate ? as_token_rotate : as_token_issue)(
		api->app->store, call->now.wall, &gateway, as_call_who(call), token, &status);
	if (verdict != AS_TOKEN_DONE) {
		answer_token(answer, verdict, status);
		return;
	}
	if (by_cups)
		status = as_cups_prepare_token(api->authority, call->now.wall, &gateway, token);
	if (status == ST_OK)
		as_answer_json(
			answer, 201,
			json_pack("{ss? so sb}", "token", by_cups ? NULL : token, "ca",
				  pem_of(api->authority->certificate, api->authority->certificate_length),
				  "cups", (int)by_cups));
	else
		as_answer_failed(answer, status);
	secret_wipe(token, sizeof token);
}

void as_handle_token_revoke(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct lw_eui64 gateway;
	enum status status;
	const char *older = as_call_query(call, "older");
	if (!as_identity_gateway(api, call, answer, &gateway))
		return;
	enum as_token_verdict verdict = as_token_revoke(api->app->store, call->now.wall, &gateway,
							as_call_who(call),
							older && strcmp(older, "true") == 0, &status);
	if (verdict == AS_TOKEN_DONE)
		as_answer_json(answer, 200, json_object());
	else
		answer_token(answer, verdict, status);
}
