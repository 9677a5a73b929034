/* A gateway's credential as the files that LoRa Basics Station reads: tc.trust, tc.crt, tc.key, tc.uri, and the same four for
 * CUPS. Keys are made here, on the machine of whoever asks, and leave it in these files alone; nothing is overwritten. */
#ifndef LAMPPOST_CLI_CREDENTIAL_FILES_H
#define LAMPPOST_CLI_CREDENTIAL_FILES_H

#include "common/crypto/x509.h"

#include <jansson.h>

struct credential {
	const char *folder;
	bool der;                      /* DER instead of PEM: stations read both */
	const char *ca;                /* PEM */
	const char *certificate;       /* PEM; NULL: a token's */
	const struct x509_key *key;    /* NULL: a token's */
	const char *token;             /* NULL: a certificate's */
	const char *tc_uri, *cups_uri; /* NULL or "": no such file */
};

/* Writes what there is, 0600, and reports each on standard error. CLI_DONE, or the code to exit with, reported; some files may be
 * there then. */
int credential_write(const struct credential *credential);
/* Before anything is asked for: whether the folder can be made, and no file of these is in it. */
int credential_check(const char *folder);
/* The same for the files of the bridge's own. */
int credential_check_server(const char *folder);
/* Writes one file 0600, or `mode`; refuses one that is there. */
int credential_file(const char *folder, const char *name, const void *bytes, size_t length, unsigned mode);

#endif
