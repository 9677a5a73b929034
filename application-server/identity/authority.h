/* The city's own CA for gateways: its key is sealed under this process's master key in city.db and is in clear for the length of
 * one signature; made when the process first starts. What it issues is kept as public certificates with who asked.
 *
 * Invariants: no private key of a gateway or of the bridge comes through here unless it was made here for a delivery by CUPS
 * (delivery.h); of one gateway no two certificates have the same issue time, and a new one is later than what is void. */
#ifndef LAMPPOST_AS_AUTHORITY_H
#define LAMPPOST_AS_AUTHORITY_H

#include "application-server/keys.h"
#include "application-server/store_identity.h"

#define AS_CA_NAME "Lamppost gateway CA"

/* What the configuration says, as it is now. */
struct as_identity_config {
	int64_t gateway_us, server_us; /* how long certificates are good for */
	char tc_uri[AS_STATION_URI_MAX],
		cups_uri[AS_STATION_URI_MAX]; /* of stations whose record has none; "" */
};

struct as_authority {
	struct as_store *store;     /* borrowed */
	const struct as_keys *keys; /* borrowed */
	struct rng *rng;            /* borrowed */
	struct as_identity_config config;
	uint8_t certificate[X509_DER_MAX]; /* the CA's */
	size_t certificate_length;
};

/* Loads the CA, or makes it in this turn. ST_REFUSED: its key does not open under this master key; ST_DATABASE; ST_NO_MEMORY;
 * logged. */
enum status as_authority_open(struct as_authority *authority, struct as_store *store,
			      const struct as_keys *keys, struct rng *rng,
			      const struct as_identity_config *config, struct wall now) MUST_USE;

/* Issues a certificate for a gateway's key (its public half counts) and stores it; `how` "issue", "renew" or "cups". `lifetime`
 * 0: the configuration's. ST_NOT_FOUND: not registered. */
enum status as_authority_issue(struct as_authority *authority, struct wall now,
			       const struct lw_eui64 *gateway, const struct x509_key *key, span_us lifetime,
			       const char *how, const char *who, struct as_certificate_row *row) MUST_USE;
/* The same for the bridge's listeners, whose names stations are given. ST_INVALID: too many or too long names. */
enum status as_authority_issue_server(struct as_authority *authority, struct wall now,
				      const char (*hosts)[X509_HOST_TEXT], size_t host_count,
				      const struct x509_key *key, span_us lifetime, const char *who,
				      struct as_certificate_row *row) MUST_USE;

#endif
