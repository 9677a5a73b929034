#include "application-server/identity/cups.h"

#include "application-server/identity/firmware.h"
#include "application-server/identity/tokens.h"

#include <stdio.h>
#include <string.h>

#define CONTEXT_MAX 48

/* --- deliveries ---------------------------------------------------------------------------------------------------- */

static size_t context_of(char context[CONTEXT_MAX], const struct lw_eui64 *gateway)
{
	char name[LW_EUI64_TEXT];
	lw_eui64_format(name, gateway);
	return (size_t)snprintf(context, CONTEXT_MAX, "gateway_delivery/%s", name);
}

static enum status put_delivery(struct as_authority *authority, struct wall now,
				const struct lw_eui64 *gateway, enum as_delivery_what what,
				struct wall issued, struct as_bundle *bundle)
{
	char context[CONTEXT_MAX];
	size_t length = context_of(context, gateway);
	struct as_delivery_row row = {.what = what, .issued = issued, .crc = bundle->crc, .made = now};
	secret_seal(authority->keys->master, context, length, bundle->bytes, bundle->length, row.bundle);
	row.length = bundle->length + SECRET_SEAL_OVERHEAD;
	return as_store_delivery_put(authority->store, gateway, &row);
}

enum status as_cups_prepare_certificate(struct as_authority *authority, struct wall now,
					const struct lw_eui64 *gateway, const char *who,
					struct as_certificate_row *row)
{
	struct as_bundle bundle;
	struct x509_key *key = x509_key_generate();
	if (!key)
		return ST_NO_MEMORY;
	enum status status = as_authority_issue(authority, now, gateway, key, 0, "cups", who, row);
	if (status == ST_OK &&
	    !as_bundle_certificate(&bundle, authority->certificate, authority->certificate_length, row->der,
				   row->length, key))
		status = ST_INVALID;
	x509_key_free(key);
	if (status == ST_OK)
		status = put_delivery(authority, now, gateway, AS_DELIVER_CERTIFICATE, row->issued, &bundle);
	secret_wipe(&bundle, sizeof bundle);
	return status;
}

enum status as_cups_prepare_token(struct as_authority *authority, struct wall now,
				  const struct lw_eui64 *gateway, const char *token)
{
	struct as_bundle bundle;
	enum status status = ST_INVALID;
	if (as_bundle_token(&bundle, authority->certificate, authority->certificate_length, token))
		status = put_delivery(authority, now, gateway, AS_DELIVER_TOKEN, (struct wall){0}, &bundle);
	secret_wipe(&bundle, sizeof bundle);
	return status;
}

/* --- the decision -------------------------------------------------------------------------------------------------- */

static void redirect(const char *own, const char *city, const char *reported, char uri[AS_STATION_URI_MAX])
{
	const char *wanted = own[0] ? own : city;
	if (wanted[0] && strcmp(wanted, reported) != 0)
		snprintf(uri, AS_STATION_URI_MAX, "%s", wanted);
}

/* Whether a third of its time or less is left. */
static bool in_last_third(const struct as_cups_question *question, struct wall now)
{
	int64_t whole = question->certificate_until.us - question->certificate_issued.us;
	return question->certificate_until.us - now.us <= whole / 3;
}

/* The station has what was under way: it is forgotten, and a token that it replaces is void. */
static enum status settle(struct as_authority *authority, struct wall now, const struct lw_eui64 *gateway,
			  enum as_delivery_what what, const struct as_identity *identity)
{
	enum status status = as_store_delivery_remove(authority->store, gateway);
	if (status == ST_OK && what == AS_DELIVER_TOKEN && identity->token_count == 2 &&
	    as_token_revoke(authority->store, now, gateway, "cups", true, &status) != AS_TOKEN_DONE)
		return status == ST_OK ? ST_CONFLICT : status;
	return status;
}

/* What is under way, unless it has become void meanwhile. ST_NOT_FOUND: nothing. */
static enum status under_way(struct as_authority *authority, struct wall now,
			     const struct as_cups_question *question, const struct as_identity *identity,
			     struct as_delivery_row *row)
{
	struct as_certificate_row certificate;
	enum status status = as_store_delivery_get(authority->store, &question->gateway, row);
	if (status != ST_OK)
		return status;
	bool good = identity->accepts_token && identity->token_count > 0;
	if (row->what == AS_DELIVER_CERTIFICATE)
		good = identity->accepts_certificate && row->issued.us > identity->void_until.us &&
		       as_store_certificate_next(authority->store, &question->gateway,
						 (struct wall){row->issued.us + 1}, &certificate) == ST_OK &&
		       certificate.until.us > now.us;
	if (good)
		return ST_OK;
	status = as_store_delivery_remove(authority->store, &question->gateway);
	return status == ST_OK ? ST_NOT_FOUND : status;
}

static enum status offer(struct as_authority *authority, struct wall now,
			 const struct as_cups_question *question, const struct as_identity *identity,
			 const struct as_delivery_row *row, struct as_cups_answer *answer)
{
	char context[CONTEXT_MAX];
	size_t length = context_of(context, &question->gateway);
	answer->for_tc = question->tc_crc != row->crc;
	answer->for_cups = question->cups_crc != row->crc;
	if (!answer->for_tc && !answer->for_cups)
		return settle(authority, now, &question->gateway, row->what, identity);
	if (secret_open(authority->keys->master, context, length, row->bundle, row->length, answer->bundle) !=
	    ST_OK)
		return as_store_delivery_remove(authority->store, &question->gateway);
	answer->bundle_length = row->length - SECRET_SEAL_OVERHEAD;
	return as_store_delivery_offered(authority->store, &question->gateway, now);
}

static enum status decide_credentials(struct as_authority *authority, struct wall now,
				      const struct as_cups_question *question,
				      const struct as_identity *identity, struct as_cups_answer *answer)
{
	struct as_delivery_row row;
	enum status status = under_way(authority, now, question, identity, &row);
	if (status == ST_NOT_FOUND && question->by_certificate && identity->accepts_certificate &&
	    in_last_third(question, now)) {
		struct as_certificate_row issued;
		status = as_cups_prepare_certificate(authority, now, &question->gateway, "cups", &issued);
		if (status == ST_OK)
			status = as_store_delivery_get(authority->store, &question->gateway, &row);
	}
	if (status == ST_OK)
		status = offer(authority, now, question, identity, &row, answer);
	return status == ST_NOT_FOUND ? ST_OK : status;
}

enum status as_cups_decide(struct as_authority *authority, struct wall now,
			   const struct as_cups_question *question, struct as_cups_answer *answer)
{
	struct as_identity identity;
	struct as_station_row station = question->station;
	memset(answer, 0, sizeof *answer);
	enum status status = as_store_identity_get(authority->store, &question->gateway, &identity);
	if (status != ST_OK)
		return status;
	if (question->by_certificate ? !identity.accepts_certificate ||
					       question->certificate_issued.us <= identity.void_until.us
				     : !identity.accepts_token || identity.token_count == 0)
		return ST_REFUSED;
	station.asked = now;
	snprintf(station.presented, sizeof station.presented, "%s",
		 question->by_certificate ? "certificate" : "token");
	status = as_store_station_put(authority->store, &question->gateway, &station);
	redirect(identity.tc_uri, authority->config.tc_uri, station.tc_uri, answer->tc_uri);
	redirect(identity.cups_uri, authority->config.cups_uri, station.cups_uri, answer->cups_uri);
	if (status == ST_OK)
		status = decide_credentials(authority, now, question, &identity, answer);
	if (status == ST_OK)
		status = as_firmware_offer(authority->store, now, question, answer);
	return status;
}
