/* Certificates for tests: authorities, and what they issue, as PEM files in the test's temporary folder. */
#ifndef LAMPPOST_TESTS_CERTIFICATES_H
#define LAMPPOST_TESTS_CERTIFICATES_H

#include "common/crypto/x509.h"

#define T_PEM_PATH 400

struct t_ca {
	struct x509_key *key; /* owned */
	uint8_t der[X509_DER_MAX];
	size_t length;
	char file[T_PEM_PATH]; /* PEM */
};

/* PEM files of a certificate and its key. */
struct t_identity {
	char cert[T_PEM_PATH], key[T_PEM_PATH];
};

/* Makes an authority; `name` is its files' stem and its common name. */
void t_ca_make(struct t_ca *ca, const char *name);
void t_ca_free(struct t_ca *ca);
/* Issues a certificate that ends `valid_s` from now (negative: it has ended). A server's is for 127.0.0.1 and localhost. The
 * serial is that of a certificate issued at `serial_s` seconds since 1970. */
void t_ca_issue(struct t_ca *ca, enum x509_use use, const char *common_name, int64_t serial_s,
		int64_t valid_s, const char *stem, struct t_identity *identity);

#endif
