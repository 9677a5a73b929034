#include "application-server/identity/authority.h"

#include "application-server/identity/audit.h"
#include "application-server/time_text.h"
#include "common/base/check.h"
#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

#define CONTEXT     "gateway_ca/key"
#define CA_LIFETIME (20 * 365 * INT64_C(86400) * US_PER_S)

/* --- the CA's own -------------------------------------------------------------------------------------------------- */

/* Gives its key for one signature; NULL: it does not open. */
static struct x509_key *open_key(struct as_authority *authority)
{
	struct as_ca_row row;
	uint8_t der[X509_KEY_DER_MAX];
	if (as_store_ca_get(authority->store, &row) != ST_OK ||
	    secret_open(authority->keys->master, CONTEXT, strlen(CONTEXT), row.key, row.key_length, der) !=
		    ST_OK)
		return NULL;
	struct x509_key *key = x509_key_from(der, row.key_length - SECRET_SEAL_OVERHEAD);
	secret_wipe(der, sizeof der);
	return key;
}

static void new_serial(struct as_authority *authority, struct wall issued, uint8_t serial[X509_SERIAL_BYTES])
{
	uint8_t random[8];
	rng_fill(authority->rng, random, sizeof random);
	x509_serial(serial, issued, random);
}

static enum status make(struct as_authority *authority, struct wall now)
{
	struct as_ca_row row;
	uint8_t der[X509_KEY_DER_MAX];
	char until[AS_TIME_TEXT];
	struct x509_wish wish = {
		.use = X509_FOR_CA, .common_name = AS_CA_NAME, .until = {now.us + CA_LIFETIME}};
	struct x509_key *key = x509_key_generate();
	if (!key)
		return ST_NO_MEMORY;
	new_serial(authority, now, wish.serial);
	row.certificate_length = x509_issue(&wish, key, key, NULL, 0, row.certificate);
	size_t length = x509_key_der(key, der);
	x509_key_free(key);
	if (row.certificate_length == 0 || length == 0)
		return ST_NO_MEMORY;
	secret_seal(authority->keys->master, CONTEXT, strlen(CONTEXT), der, length, row.key);
	secret_wipe(der, sizeof der);
	row.key_length = length + SECRET_SEAL_OVERHEAD;
	enum status status = as_store_ca_put(authority->store, &row, now);
	if (status == ST_OK)
		status = as_audit_write(authority->store, now, "application-server", AS_AUDIT_CA_MADE, "ca",
					as_time_format(until, wish.until));
	return status;
}

enum status as_authority_open(struct as_authority *authority, struct as_store *store,
			      const struct as_keys *keys, struct rng *rng,
			      const struct as_identity_config *config, struct wall now)
{
	struct as_ca_row row;
	*authority = (struct as_authority){.store = store, .keys = keys, .rng = rng, .config = *config};
	enum status status = as_store_ca_get(store, &row);
	if (status == ST_NOT_FOUND)
		status = make(authority, now);
	if (status == ST_OK)
		status = as_store_ca_get(store, &row);
	if (status != ST_OK)
		return status;
	struct x509_key *key = open_key(authority);
	if (!key) {
		LOG_ERROR("gateway_ca_does_not_open", "reason=\"its key is sealed under another master key\" "
						      "try=\"restore keys/application-server.master\"");
		return ST_REFUSED;
	}
	x509_key_free(key);
	memcpy(authority->certificate, row.certificate, row.certificate_length);
	authority->certificate_length = row.certificate_length;
	return ST_OK;
}

/* --- issuing ------------------------------------------------------------------------------------------------------- */

static enum status sign(struct as_authority *authority, const struct x509_wish *wish,
			const struct x509_key *key, struct as_certificate_row *row)
{
	struct x509_key *ca = open_key(authority);
	if (!ca)
		return ST_REFUSED;
	row->length = x509_issue(wish, key, ca, authority->certificate, authority->certificate_length,
				 row->der);
	x509_key_free(ca);
	return row->length > 0 ? ST_OK : ST_INVALID;
}

static void set_who(struct as_certificate_row *row, const char *how, const char *who)
{
	snprintf(row->how, sizeof row->how, "%s", how);
	snprintf(row->issued_by, sizeof row->issued_by, "%s", who);
}

/* Whole seconds, as certificates have them. */
static struct wall end_of(struct wall issued, span_us lifetime)
{
	int64_t us = issued.us + lifetime;
	return (struct wall){us - us % US_PER_S};
}

enum status as_authority_issue(struct as_authority *authority, struct wall now,
			       const struct lw_eui64 *gateway, const struct x509_key *key, span_us lifetime,
			       const char *how, const char *who, struct as_certificate_row *row)
{
	struct as_identity identity;
	char name[LW_EUI64_TEXT], until[AS_TIME_TEXT];
	enum status status = as_store_identity_get(authority->store, gateway, &identity);
	if (status != ST_OK)
		return status;
	*row = (struct as_certificate_row){.gateway = *gateway, .issued = now};
	/* The clock may have been set back since the last one. */
	if (row->issued.us <= identity.latest.us)
		row->issued.us = identity.latest.us + 1;
	if (row->issued.us <= identity.void_until.us)
		row->issued.us = identity.void_until.us + 1;
	row->until = end_of(row->issued, lifetime ? lifetime : authority->config.gateway_us);
	set_who(row, how, who);
	lw_eui64_format(name, gateway);
	struct x509_wish wish = {.use = X509_FOR_CLIENT, .common_name = name, .until = row->until};
	new_serial(authority, row->issued, wish.serial);
	status = sign(authority, &wish, key, row);
	if (status == ST_OK)
		status = as_store_certificate_put(authority->store, row);
	if (status == ST_OK)
		status = as_audit_write(authority->store, now, who,
					strcmp(how, "issue") == 0 ? AS_AUDIT_CERTIFICATE_ISSUE
								  : AS_AUDIT_CERTIFICATE_RENEW,
					name, as_time_format(until, row->until));
	return status;
}

enum status as_authority_issue_server(struct as_authority *authority, struct wall now,
				      const char (*hosts)[X509_HOST_TEXT], size_t host_count,
				      const struct x509_key *key, span_us lifetime, const char *who,
				      struct as_certificate_row *row)
{
	struct x509_wish wish = {.use = X509_FOR_SERVER};
	size_t used = 0;
	if (host_count == 0 || host_count > X509_HOSTS_MAX)
		return ST_INVALID;
	*row = (struct as_certificate_row){
		.issued = now, .until = end_of(now, lifetime ? lifetime : authority->config.server_us)};
	for (size_t i = 0; i < host_count; i++) {
		if (!x509_host_ok(hosts[i]) || used + strlen(hosts[i]) + 2 > sizeof row->hosts)
			return ST_INVALID;
		used += (size_t)snprintf(row->hosts + used, sizeof row->hosts - used, "%s%s", i ? " " : "",
					 hosts[i]);
		memcpy(wish.hosts[wish.host_count++], hosts[i], X509_HOST_TEXT);
	}
	/* A common name has 64 characters at most; the names that count stand beside it. */
	wish.common_name = strlen(hosts[0]) < X509_NAME_TEXT ? hosts[0] : "lamppost gateway bridge";
	wish.until = row->until;
	set_who(row, "server", who);
	new_serial(authority, row->issued, wish.serial);
	enum status status = sign(authority, &wish, key, row);
	if (status == ST_OK)
		status = as_store_server_certificate_put(authority->store, row);
	if (status == ST_OK)
		status = as_audit_write(authority->store, now, who, AS_AUDIT_SERVER_CERTIFICATE, "bridge",
					row->hosts);
	return status;
}
