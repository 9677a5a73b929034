#include "common/base/status.h"

static const char *const names[ST_COUNT] = {
	[ST_OK] = "ok",           [ST_NO_MEMORY] = "no_memory",
	[ST_IO] = "io",           [ST_DATABASE] = "database",
	[ST_FULL] = "full",       [ST_NOT_FOUND] = "not_found",
	[ST_EXISTS] = "exists",   [ST_INVALID] = "invalid",
	[ST_REFUSED] = "refused", [ST_UNAVAILABLE] = "unavailable",
	[ST_TIMEOUT] = "timeout", [ST_CONFLICT] = "conflict",
};

const char *status_name(enum status status)
{
	return (unsigned)status < ST_COUNT ? names[status] : "unknown";
}
