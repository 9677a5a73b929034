/* Who we are to an HTTPS host, and whom we trust there, as files of the configuration say: certificate and key, authorities, lines of
 * headers (a token). All are read before anything is called, so that a mistake shows when the configuration is read, and what their
 * contents changed is told by their mark. */
#ifndef LAMPPOST_IO_HTTP_IDENTITY_H
#define LAMPPOST_IO_HTTP_IDENTITY_H

#include "common/io/http_client.h"

#include <stdbool.h>

#define IO_HTTP_IDENTITY_HEADERS 8
#define IO_HTTP_IDENTITY_ROOM    2048
#define IO_HTTP_IDENTITY_MARK    32
#define IO_HTTP_IDENTITY_PATH    256 /* with NUL */

/* Paths; NULL or "": none. */
struct io_http_identity_files {
	const char *ca; /* none: the system's */
	const char *certificate, *key;
	const char *headers; /* lines "Name: value", closed to others than its owner */
};

/* Not to be copied: the lines point into it. */
struct io_http_identity {
	char ca[IO_HTTP_IDENTITY_PATH], certificate[IO_HTTP_IDENTITY_PATH], key[IO_HTTP_IDENTITY_PATH];
	char text[IO_HTTP_IDENTITY_ROOM];
	const char *headers[IO_HTTP_IDENTITY_HEADERS + 1];
	uint8_t mark[IO_HTTP_IDENTITY_MARK]; /* of the contents of all files */
};

/* False with what is wrong, for people; the file is named. */
bool io_http_identity_read(struct io_http_identity *identity, const struct io_http_identity_files *files,
			   char *problem, size_t capacity);
/* Fills the members of a call that say who we are. */
void io_http_identity_use(const struct io_http_identity *identity, struct io_http_call *call);
void io_http_identity_wipe(struct io_http_identity *identity);

#endif
