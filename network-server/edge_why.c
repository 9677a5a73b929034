/* GET /why/... of network-server.admin.sock: what was decided, newest first (why/explain.h).
 *
 *	/why/device/{eui}  /why/gateway/{eui}  /why/frame/{mic}  /why/dev-addr/{addr}  /why/server      ?limit=, 20, at most 200
 *	/why/frame/{mic}?of=                   whose it is: a DevAddr or a DevEUI, for a frame that a newer one hides
 *	/why/rules                                                                                     every rule there is
 *
 * 404: not known here. 400: no EUI, MIC or address, or a limit that is none. */
#include "network-server/edge_process.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "network-server/why/explain.h"

#include <stdlib.h>

/* Reads the name in the path and writes the answer; returns the status of HTTP. */
typedef unsigned (*answerer)(const struct ns *ns, const char *name, const char *of, unsigned limit,
			     FILE *out);

static unsigned answer_device(const struct ns *ns, const char *name, const char *of, unsigned limit,
			      FILE *out)
{
	(void)of;
	struct lw_eui64 eui;
	if (!lw_eui64_parse(name, &eui))
		return 400;
	return ns_why_device(ns, &eui, limit, out) ? 200 : 404;
}

static unsigned answer_gateway(const struct ns *ns, const char *name, const char *of, unsigned limit,
			       FILE *out)
{
	(void)of;
	struct lw_eui64 eui;
	if (!lw_eui64_parse(name, &eui))
		return 400;
	return ns_why_gateway(ns, &eui, limit, out) ? 200 : 404;
}

static unsigned answer_frame(const struct ns *ns, const char *name, const char *of, unsigned limit, FILE *out)
{
	uint8_t mic[4];
	struct lw_dev_addr dev_addr;
	struct lw_eui64 dev_eui;
	struct ns_why_whose whose = {.dev_addr = NULL};
	if (!hex_decode_exact(mic, sizeof mic, name))
		return 400;
	if (of && lw_dev_addr_parse(of, &dev_addr))
		whose.dev_addr = &dev_addr;
	else if (of && lw_eui64_parse(of, &dev_eui))
		whose.dev_eui = &dev_eui;
	else if (of)
		return 400;
	return ns_why_frame(ns, mic, whose, limit, out) ? 200 : 404;
}

static unsigned answer_dev_addr(const struct ns *ns, const char *name, const char *of, unsigned limit,
				FILE *out)
{
	(void)of;
	struct lw_dev_addr dev_addr;
	if (!lw_dev_addr_parse(name, &dev_addr))
		return 400;
	return ns_why_dev_addr(ns, dev_addr, limit, out) ? 200 : 404;
}

static unsigned answer_server(const struct ns *ns, const char *name, const char *of, unsigned limit,
			      FILE *out)
{
	(void)of;
	(void)name;
	return ns_why_server(ns, limit, out) ? 200 : 404;
}

static unsigned answer_rules(const struct ns *ns, const char *name, const char *of, unsigned limit, FILE *out)
{
	(void)of;
	(void)ns;
	(void)name;
	(void)limit;
	decision_rules_json(out, &ns_book);
	return 200;
}

/* Digits of 1 to NS_WHY_LIMIT_MAX; none asked for: the usual. 0: neither. */
static unsigned read_limit(const struct io_http_request *request)
{
	const char *text = io_http_request_query(request, "limit");
	if (!text)
		return NS_WHY_LIMIT;
	if (text[0] == 0 || strlen(text) > 3 || strspn(text, "0123456789") != strlen(text))
		return 0;
	unsigned long limit = strtoul(text, NULL, 10);
	return limit <= NS_WHY_LIMIT_MAX ? (unsigned)limit : 0;
}

static void reply(const struct ns_edge *edge, const struct io_http_request *request, const char *parameter,
		  answerer answer)
{
	char *text = NULL;
	size_t length = 0;
	const char *name = parameter ? io_http_request_param(request, parameter) : "";
	unsigned limit = read_limit(request), status = 400;
	FILE *out = open_memstream(&text, &length);
	if (out && limit > 0 && name)
		status = answer(&edge->ns, name, io_http_request_query(request, "of"), limit, out);
	if (out && status == 400)
		fputs("{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"an EUI of 16 hex digits, a MIC "
		      "or "
		      "DevAddr of 8, a limit of 1 to 200\"}",
		      out);
	else if (out && status == 404)
		fputs("{\"title\":\"Not Found\",\"status\":404,\"detail\":\"nothing is known of it here\"}",
		      out);
	bool written = out && fclose(out) == 0;
	enum status sent = io_http_reply(io_admin_server(edge->admin), io_http_request_exchange(request),
					 written ? (int)status : 500,
					 status == 200 ? NULL : "application/problem+json",
					 written ? text : "{}", written ? length : 2);
	(void)sent; /* the client may have gone */
	free(text);
}

static void on_device(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	reply(ctx, request, "eui", answer_device);
}

static void on_gateway(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	reply(ctx, request, "eui", answer_gateway);
}

static void on_frame(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	reply(ctx, request, "mic", answer_frame);
}

static void on_dev_addr(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	reply(ctx, request, "addr", answer_dev_addr);
}

static void on_server(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	reply(ctx, request, NULL, answer_server);
}

static void on_rules(void *ctx, struct now now, const struct io_http_request *request)
{
	(void)now;
	reply(ctx, request, NULL, answer_rules);
}

void ns_edge_why_open(struct ns_edge *edge)
{
	static const struct io_http_route routes[] = {
		{IO_HTTP_GET, "/why/device/{eui}", on_device},
		{IO_HTTP_GET, "/why/gateway/{eui}", on_gateway},
		{IO_HTTP_GET, "/why/frame/{mic}", on_frame},
		{IO_HTTP_GET, "/why/dev-addr/{addr}", on_dev_addr},
		{IO_HTTP_GET, "/why/server", on_server},
		{IO_HTTP_GET, "/why/rules", on_rules},
	};
	io_http_server_add(io_admin_server(edge->admin), routes, ARRAY_SIZE(routes), edge);
}
