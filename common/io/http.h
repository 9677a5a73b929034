/* What the HTTP server and client share. */
#ifndef LAMPPOST_IO_HTTP_H
#define LAMPPOST_IO_HTTP_H

enum io_http_method {
	IO_HTTP_GET,
	IO_HTTP_POST,
	IO_HTTP_PUT,
	IO_HTTP_PATCH,
	IO_HTTP_DELETE,
	IO_HTTP_METHOD_COUNT
};

/* "GET"... */
const char *io_http_method_name(enum io_http_method method);
/* "GET", "POST"...: the name must be one. */
enum io_http_method io_http_method_named(const char *name);

#endif
