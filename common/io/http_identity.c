#include "common/io/http_identity.h"

#include "common/base/check.h"
#include "common/io/tls.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (256 * 1024)

static bool is_said(const char *path)
{
	return path && path[0];
}

/* Hashes a file's bytes, and how many there were; an absent one is a byte. NULL, or why not. */
static const char *hash_file(EVP_MD_CTX *hash, const char *path)
{
	uint8_t bytes[4096];
	uint64_t length = 0;
	size_t got;
	bool good = EVP_DigestUpdate(hash, is_said(path) ? "f" : "-", 1) == 1;
	if (!is_said(path))
		return good ? NULL : "no memory";
	FILE *file = fopen(path, "re");
	if (!file)
		return strerror(errno);
	while (good && length <= FILE_MAX && (got = fread(bytes, 1, sizeof bytes, file)) > 0) {
		length += got;
		good = EVP_DigestUpdate(hash, bytes, got) == 1;
	}
	const char *problem = ferror(file)        ? strerror(errno)
			      : length > FILE_MAX ? "longer than 256 KiB"
			      : !good             ? "no memory"
						  : NULL;
	fclose(file);
	OPENSSL_cleanse(bytes, sizeof bytes);
	if (!problem && EVP_DigestUpdate(hash, &length, sizeof length) != 1)
		problem = "no memory";
	return problem;
}

static const char *make_mark(uint8_t mark[IO_HTTP_IDENTITY_MARK], const struct io_http_identity_files *files,
			     const char **path)
{
	const char *const paths[] = {files->ca, files->certificate, files->key, files->headers};
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	ASSERT(hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1);
	const char *problem = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(paths) && !problem; i++) {
		*path = paths[i];
		problem = is_said(paths[i]) && strlen(paths[i]) >= IO_HTTP_IDENTITY_PATH
				  ? "its path is too long"
				  : hash_file(hash, paths[i]);
	}
	ASSERT(EVP_DigestFinal_ex(hash, mark, NULL) == 1);
	EVP_MD_CTX_free(hash);
	return problem;
}

static void keep(char to[IO_HTTP_IDENTITY_PATH], const char *path)
{
	snprintf(to, IO_HTTP_IDENTITY_PATH, "%s", is_said(path) ? path : "");
}

/* A header's line is a secret as often as not. */
static const char *read_headers(struct io_http_identity *identity, const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat facts;
	if (!file)
		return strerror(errno);
	size_t length = fread(identity->text, 1, IO_HTTP_IDENTITY_ROOM - 1, file), count = 0;
	bool closed = fstat(fileno(file), &facts) == 0 && (facts.st_mode & 077) == 0, all = feof(file) != 0;
	fclose(file);
	if (!closed)
		return "open to others than its owner: chmod 600";
	if (!all || length == 0 || strlen(identity->text) != length)
		return "expected lines of text, 2 KiB at most";
	for (char *line = identity->text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!*line)
			continue;
		const char *colon = strchr(line, ':');
		if (!colon || colon == line || count == IO_HTTP_IDENTITY_HEADERS)
			return "expected at most 8 lines 'Name: value'";
		for (const char *c = line; *c; c++)
			if ((*c < 0x20 && *c != '\t') || *c > 0x7e)
				return "expected lines 'Name: value' of printable characters";
		identity->headers[count++] = line;
	}
	return NULL;
}

/* What is wrong with the files is logged by TLS; here it is enough that they do not go together. */
static bool is_usable(const struct io_http_identity_files *files)
{
	struct io_tls_context *context = NULL;
	const struct io_tls_options options = {
		.client = true,
		.cert_file = is_said(files->certificate) ? files->certificate : NULL,
		.key_file = is_said(files->key) ? files->key : NULL,
		.ca_file = is_said(files->ca) ? files->ca : NULL,
	};
	if (!options.cert_file && !options.ca_file)
		return true;
	enum status status = io_tls_context_new(&options, &context);
	if (status == ST_OK)
		io_tls_context_free(context);
	return status == ST_OK;
}

bool io_http_identity_read(struct io_http_identity *identity, const struct io_http_identity_files *files,
			   char *problem, size_t capacity)
{
	const char *path = "", *why;
	*identity = (struct io_http_identity){.ca = ""};
	why = make_mark(identity->mark, files, &path);
	if (!why && is_said(files->headers)) {
		path = files->headers;
		why = read_headers(identity, files->headers);
	}
	if (!why && !is_usable(files)) {
		path = is_said(files->certificate) ? files->certificate : files->ca;
		why = "certificate, key and authorities (PEM) cannot be used together";
	}
	keep(identity->ca, files->ca);
	keep(identity->certificate, files->certificate);
	keep(identity->key, files->key);
	if (why) {
		snprintf(problem, capacity, "%s: %s", path, why);
		io_http_identity_wipe(identity);
	}
	return !why;
}

void io_http_identity_use(const struct io_http_identity *identity, struct io_http_call *call)
{
	call->headers = identity->headers[0] ? identity->headers : NULL;
	call->ca_file = is_said(identity->ca) ? identity->ca : NULL;
	call->cert_file = is_said(identity->certificate) ? identity->certificate : NULL;
	call->key_file = is_said(identity->key) ? identity->key : NULL;
}

void io_http_identity_wipe(struct io_http_identity *identity)
{
	OPENSSL_cleanse(identity, sizeof *identity);
}
