/* GET /mac/device/{eui} of network-server.admin.sock (mac/report.h). 404: no such device, or it has no session; 400: no EUI. */
#include "network-server/edge_process.h"

#include "common/base/check.h"
#include "network-server/mac/report.h"

#include <stdlib.h>

static void on_device(void *ctx, struct now now, const struct io_http_request *request)
{
	struct ns_edge *edge = ctx;
	const char *name = io_http_request_param(request, "eui");
	struct lw_eui64 dev_eui;
	char *text = NULL;
	size_t length = 0;
	int code = 400;
	(void)now;
	FILE *out = open_memstream(&text, &length);
	if (out && name && lw_eui64_parse(name, &dev_eui))
		code = ns_mac_report(&edge->ns, &dev_eui, out) ? 200 : 404;
	if (out && code != 200)
		fprintf(out, "{\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
			code == 400 ? "Bad Request" : "Not Found", code,
			code == 400 ? "an EUI of 16 hex digits is expected"
				    : "no such device, or it has no session yet");
	bool written = out && fclose(out) == 0;
	enum status sent = io_http_reply(
		io_admin_server(edge->admin), io_http_request_exchange(request), written ? code : 500,
		code == 200 ? NULL : "application/problem+json", written ? text : "{}", written ? length : 2);
	(void)sent; /* the client may have gone */
	free(text);
}

void ns_edge_mac_open(struct ns_edge *edge)
{
	static const struct io_http_route routes[] = {{IO_HTTP_GET, "/mac/device/{eui}", on_device}};
	io_http_server_add(io_admin_server(edge->admin), routes, ARRAY_SIZE(routes), edge);
}
