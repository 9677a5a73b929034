/* What city.db holds of gateways' identity: the CA, certificates, tokens, credentials on their way. Private keys are sealed by
 * the caller (identity/). A change of what a bridge must know gives the gateway's record its next version, so that it is
 * replicated at once. Everything is written in the turn.
 *
 * Invariants: a certificate's issue time is greater than that of any other of its gateway, and than what is void. */
#ifndef LAMPPOST_AS_STORE_IDENTITY_H
#define LAMPPOST_AS_STORE_IDENTITY_H

#include "application-server/store.h"
#include "common/crypto/secret.h"
#include "common/crypto/x509.h"

#define AS_BUNDLE_MAX      (2 * X509_DER_MAX + 512) /* trust, certificate, key */
#define AS_SEALED_CA_MAX   (X509_KEY_DER_MAX + SECRET_SEAL_OVERHEAD)
#define AS_WHO_MAX         64
#define AS_HOSTS_TEXT      1024
#define AS_STATION_URI_MAX 128

/* --- the CA. ST_NOT_FOUND: none was made yet. */
struct as_ca_row {
	uint8_t key[AS_SEALED_CA_MAX]; /* sealed */
	size_t key_length;
	uint8_t certificate[X509_DER_MAX];
	size_t certificate_length;
};
enum status as_store_ca_get(struct as_store *store, struct as_ca_row *row) MUST_USE;
enum status as_store_ca_put(struct as_store *store, const struct as_ca_row *row, struct wall now) MUST_USE;

/* --- certificates */
struct as_certificate_row {
	struct lw_eui64 gateway; /* of a server's: zeros */
	struct wall issued, until;
	char issued_by[AS_WHO_MAX];
	char how[16];              /* "issue", "renew", "cups" */
	char hosts[AS_HOSTS_TEXT]; /* a server's, parted by blanks */
	uint8_t der[X509_DER_MAX];
	size_t length;
};
enum status as_store_certificate_put(struct as_store *store, const struct as_certificate_row *row) MUST_USE;
/* Fills the newest of a gateway that was issued before `before` ({INT64_MAX}: of all). ST_NOT_FOUND. */
enum status as_store_certificate_next(struct as_store *store, const struct lw_eui64 *gateway,
				      struct wall before, struct as_certificate_row *row) MUST_USE;
enum status as_store_server_certificate_put(struct as_store *store,
					    const struct as_certificate_row *row) MUST_USE;
enum status as_store_server_certificate_get(struct as_store *store, struct as_certificate_row *row) MUST_USE;
/* Fills the one with these bytes. ST_NOT_FOUND: this server did not issue it. */
enum status as_store_server_certificate_find(struct as_store *store, const uint8_t *der, size_t length,
					     struct as_certificate_row *row) MUST_USE;

/* --- what is valid of a gateway. ST_NOT_FOUND: not registered. */
struct as_identity {
	bool accepts_certificate, accepts_token;
	struct wall void_until; /* certificates issued at or before are void; 0: none */
	struct wall latest;     /* issue time of the latest certificate; 0: none */
	uint8_t token_count;
	uint8_t tokens[2][SECRET_HASH];                                /* the older first */
	char tc_uri[AS_STATION_URI_MAX], cups_uri[AS_STATION_URI_MAX]; /* "": the city's */
};
enum status as_store_identity_get(struct as_store *store, const struct lw_eui64 *gateway,
				  struct as_identity *identity) MUST_USE;
enum status as_store_certificates_void(struct as_store *store, const struct lw_eui64 *gateway,
				       struct wall until) MUST_USE;
enum status as_store_tokens_set(struct as_store *store, const struct lw_eui64 *gateway, uint8_t count,
				const uint8_t tokens[2][SECRET_HASH]) MUST_USE;

/* When the certificate of a gateway that is valid longest ends; false: it has none that is valid now. For alarms. */
bool as_store_certificate_end(struct as_store *store, const struct lw_eui64 *gateway, struct wall now,
			      struct wall *until);
/* The same of the bridge's server certificate. */
bool as_store_server_certificate_end(struct as_store *store, struct wall *until);

/* --- credentials on their way */
enum as_delivery_what { AS_DELIVER_CERTIFICATE, AS_DELIVER_TOKEN };
const char *as_delivery_what_name(enum as_delivery_what what);

struct as_delivery_row {
	enum as_delivery_what what;
	struct wall issued; /* of a certificate; 0 */
	uint32_t crc;
	uint8_t bundle[AS_BUNDLE_MAX + SECRET_SEAL_OVERHEAD]; /* sealed */
	size_t length;
	struct wall made, offered; /* offered: 0: never */
	uint32_t offers;
};
enum status as_store_delivery_get(struct as_store *store, const struct lw_eui64 *gateway,
				  struct as_delivery_row *row) MUST_USE;
enum status as_store_delivery_put(struct as_store *store, const struct lw_eui64 *gateway,
				  const struct as_delivery_row *row) MUST_USE;
enum status as_store_delivery_offered(struct as_store *store, const struct lw_eui64 *gateway,
				      struct wall now) MUST_USE;
enum status as_store_delivery_remove(struct as_store *store, const struct lw_eui64 *gateway) MUST_USE;

/* --- what a station said last */
struct as_station_row {
	struct wall asked;
	char presented[16], station[65], model[65], package[65];
	char tc_uri[AS_STATION_URI_MAX], cups_uri[AS_STATION_URI_MAX];
};
enum status as_store_station_put(struct as_store *store, const struct lw_eui64 *gateway,
				 const struct as_station_row *row) MUST_USE;
enum status as_store_station_get(struct as_store *store, const struct lw_eui64 *gateway,
				 struct as_station_row *row) MUST_USE;

#endif
