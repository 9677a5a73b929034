#include "common/io/http.h"

const char *io_http_method_name(enum io_http_method method)
{
	static const char *const names[IO_HTTP_METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
	return (unsigned)method < IO_HTTP_METHOD_COUNT ? names[method] : "?";
}
