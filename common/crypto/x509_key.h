/* What x509.c and x509_key.c share: for them alone. */
#ifndef LAMPPOST_CRYPTO_X509_KEY_H
#define LAMPPOST_CRYPTO_X509_KEY_H

#include "common/crypto/x509.h"

#include <openssl/pem.h>

struct x509_key {
	EVP_PKEY *pkey; /* owned */
};

/* Takes the key; NULL (and it is freed): no memory. */
struct x509_key *x509_key_wrap(EVP_PKEY *pkey);
bool x509_is_p256(const EVP_PKEY *pkey);
/* A password callback that has none, so that an encrypted file fails instead of asking on the terminal. */
int x509_no_password(char *text, int capacity, int writing, void *ctx);

#endif
