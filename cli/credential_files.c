#include "cli/credential_files.h"

#include "cli/problem.h"
#include "common/base/check.h"
#include "common/crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const sets[] = {"tc", "cups"};
static const char *const kinds[] = {"trust", "crt", "key", "uri"};

static void path_of(char path[4096], const char *folder, const char *name)
{
	snprintf(path, 4096, "%s/%s", folder, name);
}

static int check_folder(const char *folder)
{
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return cli_problem(CLI_FAILED, folder, NULL, "cannot be made: %s", strerror(errno));
	if (access(folder, W_OK | X_OK) != 0)
		return cli_problem(CLI_FAILED, folder, "another --output", "cannot be written to: %s",
				   strerror(errno));
	return CLI_DONE;
}

static int check_file(const char *folder, const char *name)
{
	char path[4096];
	path_of(path, folder, name);
	return access(path, F_OK) == 0
		       ? cli_problem(CLI_REFUSED, path, "another --output", "is there already")
		       : CLI_DONE;
}

int credential_check(const char *folder)
{
	int code = check_folder(folder);
	for (size_t i = 0; i < ARRAY_SIZE(sets) * ARRAY_SIZE(kinds) && code == CLI_DONE; i++) {
		char name[16];
		snprintf(name, sizeof name, "%s.%s", sets[i / ARRAY_SIZE(kinds)],
			 kinds[i % ARRAY_SIZE(kinds)]);
		code = check_file(folder, name);
	}
	return code;
}

int credential_check_server(const char *folder)
{
	static const char *const names[] = {"gateway-bridge.tls.key", "gateway-bridge.ca.crt",
					    "gateway-bridge.tls.crt"};
	int code = check_folder(folder);
	for (size_t i = 0; i < ARRAY_SIZE(names) && code == CLI_DONE; i++)
		code = check_file(folder, names[i]);
	return code;
}

int credential_file(const char *folder, const char *name, const void *bytes, size_t length, unsigned mode)
{
	char path[4096];
	path_of(path, folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool done = fd >= 0 && write(fd, bytes, length) == (ssize_t)length && fsync(fd) == 0;
	int error = errno;
	if (fd >= 0 && close(fd) != 0)
		done = false;
	if (!done)
		return cli_problem(error == EEXIST ? CLI_REFUSED : CLI_FAILED, path, NULL,
				   "cannot be written: %s", strerror(error));
	fprintf(stderr, "written: %s\n", path);
	return CLI_DONE;
}

static int put(const struct credential *credential, const char *set, const char *kind, const void *bytes,
	       size_t length)
{
	char name[16];
	snprintf(name, sizeof name, "%s.%s", set, kind);
	return credential_file(credential->folder, name, bytes, length, 0600);
}

static int put_certificate(const struct credential *credential, const char *set, const char *kind,
			   const char *pem)
{
	uint8_t der[X509_DER_MAX];
	size_t length = x509_pem_read(pem, strlen(pem), "CERTIFICATE", der, sizeof der);
	if (length == 0)
		return cli_problem(CLI_FAILED, credential->folder, NULL,
				   "the server answered with no certificate");
	return credential->der ? put(credential, set, kind, der, length)
			       : put(credential, set, kind, pem, strlen(pem));
}

static int put_key(const struct credential *credential, const char *set)
{
	uint8_t der[X509_KEY_DER_MAX];
	char pem[X509_KEY_PEM_MAX];
	size_t length = x509_key_der(credential->key, der);
	size_t text = x509_pem_write(pem, sizeof pem, "EC PRIVATE KEY", der, length);
	int code = credential->der ? put(credential, set, "key", der, length)
				   : put(credential, set, "key", pem, text);
	secret_wipe(der, sizeof der);
	secret_wipe(pem, sizeof pem);
	return code;
}

/* The headers that a station sends with each request. */
static int put_token(const struct credential *credential, const char *set)
{
	char line[512];
	int length = snprintf(line, sizeof line, "Authorization: Bearer %s\r\n", credential->token);
	int code = put(credential, set, "key", line, (size_t)length);
	secret_wipe(line, sizeof line);
	return code;
}

int credential_write(const struct credential *credential)
{
	const char *const uris[] = {credential->tc_uri, credential->cups_uri};
	int code = CLI_DONE;
	for (size_t i = 0; i < ARRAY_SIZE(sets) && code == CLI_DONE; i++) {
		code = put_certificate(credential, sets[i], "trust", credential->ca);
		if (code == CLI_DONE && credential->certificate)
			code = put_certificate(credential, sets[i], "crt", credential->certificate);
		if (code == CLI_DONE)
			code = credential->token ? put_token(credential, sets[i])
						 : put_key(credential, sets[i]);
		if (code == CLI_DONE && uris[i] && *uris[i])
			code = put(credential, sets[i], "uri", uris[i], strlen(uris[i]));
	}
	if (code == CLI_DONE && !(uris[0] && *uris[0]))
		fputs("note: no tc.uri was written: say --tc-uri wss://HOST:3001, or write it by hand; HOST "
		      "is one of "
		      "the names that lamppost gateway certificate server show prints\n",
		      stderr);
	return code;
}
