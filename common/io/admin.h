/* The `<process>.admin.sock` of every process: GET /healthz (JSON), /metrics (Prometheus text), /counters (JSON:
 * what was counted in the last minutes and the last hour), and whatever introspection the process adds. Metrics are rows
 * of a table. */
#ifndef LAMPPOST_IO_ADMIN_H
#define LAMPPOST_IO_ADMIN_H

#include "common/base/status.h"
#include "common/io/http_server.h"
#include "common/io/loop.h"

enum io_metric_kind { IO_METRIC_COUNTER, IO_METRIC_GAUGE };

struct io_metric {
	const char *name; /* "lamppost_network_uplinks_total"; rows of one name stand together */
	const char
		*labels; /* "reason=\"full\"", or NULL; "" while there is none of it: the row is left out */
	const char *help;
	enum io_metric_kind kind;
	const uint64_t *value;       /* read when asked; or */
	uint64_t (*read)(void *ctx); /* a function */
	void *ctx;
};

struct io_admin;

struct io_admin_options {
	const char *path;                /* ".../network-server.admin.sock" */
	const char *process;             /* "network-server" */
	const struct io_metric *metrics; /* keeps a borrow */
	size_t metric_count;
	/* Says whether the process does its work, and may fill members for the JSON, such as `"links":2`
	 * without braces. NULL: always ok. Unhealthy is 503 with "status":"failing". */
	bool (*health)(void *ctx, char *members, size_t capacity);
	void *ctx;
	/* How often the configuration was read again, and refused (common/text/reload.h): become
	 * lamppost_config_reloads_total{outcome}. NULL: never. */
	const uint64_t *reloads_taken, *reloads_refused;
};

enum status io_admin_open(struct io_loop *loop, const struct io_admin_options *options,
			  struct io_admin **out) MUST_USE;
void io_admin_free(struct io_admin *admin); /* NULL is allowed */
/* Lends the server, to add routes. */
struct io_http_server *io_admin_server(struct io_admin *admin);

#endif
