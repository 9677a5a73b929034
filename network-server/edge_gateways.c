/* GET /gateways?after=&limit= of network-server.admin.sock: what planning knows of each gateway, a page of at most 256. The
 * cursor is a slot, so that a page costs what it shows. */
#include "network-server/edge_process.h"

#include "common/base/check.h"

#include <inttypes.h>
#include <stdlib.h>

#define PAGE_ROWS 256

/* Every text in it is an EUI or of the record's plan, which was parsed: nothing to escape. */
static void write_gateway(FILE *out, const struct ns *ns, const struct ns_gateway *gateway, struct now now)
{
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &gateway->record.gateway.eui);
	fprintf(out,
		"{\"eui\":\"%s\",\"online\":%s,\"lead_ms\":%" PRId64
		",\"lead_measured\":%s,\"uplinks\":%" PRIu64 ",\"late_copies\":%" PRIu64
		",\"downlinks\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"airtime_ms\":%" PRIu64
		",\"airtime_total_ms\":%" PRIu64 ",\"sub_bands\":[",
		eui, gateway->online && gateway->link != 0 ? "true" : "false",
		ns_gateway_lead(gateway) / US_PER_MS, ns_gateway_lead_is_known(gateway) ? "true" : "false",
		gateway->uplinks, gateway->late_copies, gateway->downlinks, gateway->tx_refused,
		ns_gateway_airtime_us(gateway, now.mono) / US_PER_MS, gateway->airtime_total_us / US_PER_MS);
	const struct lw_region *region = ns_region(ns, gateway->region);
	for (unsigned band = 0, written = 0; band < NS_SUB_BANDS && band < region->sub_band_count; band++) {
		const struct lw_sub_band *limits = &region->sub_bands[band];
		if (limits->duty_cycle_permille >= LW_DUTY_NO_LIMIT)
			continue;
		bool begun = gateway->duty_ready >> band & 1;
		fprintf(out,
			"%s{\"min_hz\":%" PRIu32 ",\"max_hz\":%" PRIu32 ",\"used_ms\":%" PRIu32
			",\"limit_ms\":%u}",
			written++ ? "," : "", limits->min_hz, limits->max_hz,
			begun ? lw_duty_used_us(&gateway->duty[band], now.mono.us) / 1000 : 0,
			3600u * limits->duty_cycle_permille);
	}
	fputs("],", out);
	ns_edge_write_off_plan(out, ns, gateway, now);
	fputc('}', out);
}

static void write_page(FILE *out, const struct ns *ns, struct now now, uint32_t after, unsigned limit)
{
	const struct ns_slab *slab = &ns->gateways.slab;
	unsigned rows = 0;
	fputs("{\"gateways\":[", out);
	for (; after < slab->high && rows < limit; after++)
		if (ns_slab_holds(slab, after)) {
			if (rows++ > 0)
				fputc(',', out);
			write_gateway(out, ns, ns_gateways_at(&ns->gateways, after), now);
		}
	if (after < slab->high)
		fprintf(out, "],\"next\":\"%" PRIu32 "\"}", after);
	else
		fputs("],\"next\":null}", out);
}

static bool read_number(const struct io_http_request *request, const char *name, unsigned long most,
			unsigned long *number)
{
	const char *text = io_http_request_query(request, name);
	if (!text)
		return true;
	if (text[0] == 0 || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
		return false;
	*number = strtoul(text, NULL, 10);
	return *number <= most;
}

static void on_gateways(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct ns_edge *edge = ctx;
	unsigned long after = 0, limit = PAGE_ROWS;
	char *text = NULL;
	size_t length = 0;
	bool good = read_number(request, "after", UINT32_MAX, &after) &&
		    read_number(request, "limit", PAGE_ROWS, &limit) && limit > 0;
	FILE *out = open_memstream(&text, &length);
	if (out && good)
		write_page(out, &edge->ns, now, (uint32_t)after, (unsigned)limit);
	else if (out)
		fputs("{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"after or limit\"}", out);
	bool written = out && fclose(out) == 0;
	enum status status = io_http_reply(io_admin_server(edge->admin), io_http_request_exchange(request),
					   !written ? 500
					   : good   ? 200
						    : 400,
					   good ? NULL : "application/problem+json", written ? text : "{}",
					   written ? length : 2);
	(void)status; /* the client may have gone */
	free(text);
}

void ns_edge_gateways_open(struct ns_edge *edge)
{
	static const struct io_http_route routes[] = {{IO_HTTP_GET, "/gateways", on_gateways}};
	io_http_server_add(io_admin_server(edge->admin), routes, ARRAY_SIZE(routes), edge);
}
