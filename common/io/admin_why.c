#include "common/io/admin_why.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

static void reply(const struct io_why *why, const struct io_http_request *request, int code, const char *text,
		  size_t length)
{
	enum status status = io_http_reply(io_admin_server(why->admin), io_http_request_exchange(request),
					   code, code >= 400 ? "application/problem+json" : NULL, text,
					   length);
	(void)status; /* the caller may have gone */
}

static void refuse(const struct io_why *why, const struct io_http_request *request, int code,
		   const char *title, const char *detail)
{
	char text[200];
	int length = snprintf(text, sizeof text, "{\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}", title,
			      code, detail);
	reply(why, request, code, text, (size_t)length);
}

static bool read_limit(const struct io_http_request *request, unsigned long *limit)
{
	const char *text = io_http_request_query(request, "limit");
	char *end = NULL;
	*limit = LIMIT_DEFAULT;
	if (!text)
		return true;
	*limit = strtoul(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && *limit >= 1 && *limit <= LIMIT_MAX;
}

/* `eui` "": whom it is about is for why->name to say. */
static void write_one(FILE *out, const struct io_why *why, const char *eui, const struct decision *decision,
		      size_t *written)
{
	struct decision_names names = {.device = ""};
	char *own = strcmp(why->kind, "gateway") == 0 ? names.gateway : names.device;
	snprintf(own, sizeof names.device, "%s", eui);
	if (why->name)
		why->name(why->ctx, decision, &names);
	if ((*written)++ > 0)
		fputc(',', out);
	decision_json(out, why->book, decision, &names);
}

/* Returns how many were written. */
static size_t write_decisions(FILE *out, const struct io_why *why, struct now now, const uint8_t eui[8],
			      unsigned long limit)
{
	size_t written = 0;
	char text[17];
	struct decision present;
	hex_encode(text, eui, 8);
	fputs("{\"decisions\":[", out);
	for (unsigned i = 0; i < why->places; i++)
		if (why->present(why->ctx, now, eui, i, &present))
			write_one(out, why, text, &present, &written);
	const struct decision *decision = why->newest(why->ctx, eui);
	for (; decision && written < limit; decision = decision_older(why->ring, decision))
		write_one(out, why, text, decision, &written);
	fputs("]}", out);
	return written;
}

static void on_subject(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct io_why *why = ctx;
	uint8_t eui[8];
	unsigned long limit;
	char *text = NULL;
	size_t length = 0;
	if (!hex_decode_exact(eui, sizeof eui, io_http_request_param(request, "eui"))) {
		refuse(why, request, 400, "Bad Request", "expected an EUI of 16 hex digits");
		return;
	}
	if (!read_limit(request, &limit)) {
		refuse(why, request, 400, "Bad Request", "limit must be 1 to 1000");
		return;
	}
	FILE *out = open_memstream(&text, &length);
	size_t written = out ? write_decisions(out, why, now, eui, limit) : 0;
	if (out && fclose(out) == 0 && written > 0)
		reply(why, request, 200, text, length);
	else
		refuse(why, request, 404, "Not Found", "nothing was decided about it");
	free(text);
}

static void on_frame(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct io_why *why = ctx;
	uint8_t mic[4];
	char *text = NULL;
	size_t length = 0, written = 0;
	(void)now;
	if (!hex_decode_exact(mic, sizeof mic, io_http_request_param(request, "mic"))) {
		refuse(why, request, 400, "Bad Request", "expected a MIC of 8 hex digits");
		return;
	}
	const struct decision *decision = decision_find(why->ring, DECISION_ABOUT_FRAME, decision_ref(mic));
	FILE *out = decision ? open_memstream(&text, &length) : NULL;
	if (out) {
		fputs("{\"decisions\":[", out);
		write_one(out, why, "", decision, &written);
		fputs("]}", out);
	}
	if (out && fclose(out) == 0)
		reply(why, request, 200, text, length);
	else
		refuse(why, request, 404, "Not Found", "nothing was decided about it");
	free(text);
}

static void on_rules(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct io_why *why = ctx;
	char *text = NULL;
	size_t length = 0;
	(void)now;
	FILE *out = open_memstream(&text, &length);
	if (out)
		decision_rules_json(out, why->book);
	if (out && fclose(out) == 0)
		reply(why, request, 200, text, length);
	else
		refuse(why, request, 500, "Failed", "no memory");
	free(text);
}

void io_why_add(struct io_admin *admin, struct io_why *why)
{
	why->admin = admin;
	snprintf(why->pattern, sizeof why->pattern, "/why/%s/{eui}", why->kind);
	why->routes[0] = (struct io_http_route){IO_HTTP_GET, why->pattern, on_subject};
	why->routes[1] = (struct io_http_route){IO_HTTP_GET, "/why/frame/{mic}", on_frame};
	why->routes[2] = (struct io_http_route){IO_HTTP_GET, "/why/rules", on_rules};
	io_http_server_add(io_admin_server(admin), why->routes, ARRAY_SIZE(why->routes), why);
}
