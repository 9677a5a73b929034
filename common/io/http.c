#include "common/io/http.h"

#include "common/base/check.h"

#include <string.h>

static const char *const names[IO_HTTP_METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

const char *io_http_method_name(enum io_http_method method)
{
	return (unsigned)method < IO_HTTP_METHOD_COUNT ? names[method] : "?";
}

enum io_http_method io_http_method_named(const char *name)
{
	for (int i = 0; i < IO_HTTP_METHOD_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return (enum io_http_method)i;
	ASSERT(!"a method of HTTP");
	return IO_HTTP_GET;
}
