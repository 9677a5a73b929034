/* Which handler a request belongs to. Pure. */
#ifndef LAMPPOST_IO_HTTP_ROUTES_H
#define LAMPPOST_IO_HTTP_ROUTES_H

#include "common/io/http_server.h"

#define HTTP_ROUTES_MAX 512
#define HTTP_PARAMS_MAX 8
#define HTTP_PATH_MAX   2048 /* of a decoded path */

struct http_routes {
	struct {
		const struct io_http_route *route; /* borrowed */
		void *ctx;
	} rows[HTTP_ROUTES_MAX];
	size_t count;
};

struct http_match {
	const struct io_http_route *route; /* NULL: none */
	void *ctx;
	unsigned methods; /* bit mask of the methods that this path knows */
	struct {
		const char *name; /* borrowed from the pattern, up to '}' or '.' */
		size_t name_length;
		const char *value;
	} params[HTTP_PARAMS_MAX];
	size_t param_count;
	char text[HTTP_PATH_MAX]; /* where the values lie */
};

void http_routes_add(struct http_routes *routes, const struct io_http_route *table, size_t count, void *ctx);
/* Fills `match` for an encoded path. False: the path is malformed (400): bad escapes, "." or ".." segments, too long. */
bool http_routes_find(const struct http_routes *routes, enum io_http_method method, const char *path,
		      struct http_match *match);

#endif
