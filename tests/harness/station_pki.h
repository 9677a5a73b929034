/* A city's certificates for tests and benchmarks: a CA, a server's certificate and those of gateways, as common/crypto/x509 issues them.
 * Files are PEM, as the bridge and the simulator read them. */
#ifndef LAMPPOST_TESTS_STATION_PKI_H
#define LAMPPOST_TESTS_STATION_PKI_H

#include "common/crypto/x509.h"

struct t_pki {
	char dir[128];
	char ca[160], server[160], server_key[160]; /* paths */
	struct x509_key *ca_key;
	uint8_t ca_der[X509_DER_MAX];
	size_t ca_length;
	struct x509_key *gateway_key; /* one for all gateways */
	uint8_t gateway_key_der[X509_KEY_DER_MAX];
	size_t gateway_key_length;
};

/* Makes the CA and a certificate for 127.0.0.1 and localhost in `dir`. */
void t_pki_make(struct t_pki *pki, const char *dir);
void t_pki_free(struct t_pki *pki);
/* A gateway's certificate of the city's CA, issued at that wall time (microseconds since 1970), DER. */
size_t t_pki_gateway(const struct t_pki *pki, uint64_t eui, int64_t issued_us, uint8_t der[X509_DER_MAX]);
/* The same as files DIR/EUI.crt and DIR/EUI.key; fills their paths. */
void t_pki_gateway_files(const struct t_pki *pki, uint64_t eui, char certificate[160], char key[160]);

#endif
