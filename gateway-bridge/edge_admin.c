#include "gateway-bridge/edge_admin.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "gateway-bridge/bridge_mqtt.h"
#include "gateway-bridge/edge_health.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- /healthz */

static bool health(void *ctx, char *members, size_t capacity)
{
	const struct gb_admin *admin = ctx;
	const struct gb_gateways *gateways = gb_bridge_gateways(admin->bridge);
	uint64_t asked = 0, given = 0, drops = 0;
	for (size_t i = 0; i < admin->socket_count; i++) {
		const struct io_udp_stats *stats = io_udp_stats(admin->sockets[i]);
		asked += stats->receive_buffer_asked;
		given += stats->receive_buffer_given;
		drops += stats->kernel_drops;
	}
	uint64_t flapping = gb_gateways_flapping(gateways);
	const struct {
		bool holds;
		const char *name;
	} warnings[] = {{given < asked, "receive_buffer_small"},
			{drops > 0, "kernel_drops"},
			{flapping > 0, "gateways_flapping"},
			{gb_bridge_mqtt_served(admin->bridge) && !gb_bridge_broker_is_up(admin->bridge),
			 "mqtt_broker_away"},
			{gb_bridge_refused_subscriptions(admin->bridge) > 0, "mqtt_not_subscribed"}};
	char list[256] = "";
	for (size_t i = 0; i < ARRAY_SIZE(warnings); i++) {
		size_t used = strlen(list);
		if (warnings[i].holds)
			snprintf(list + used, sizeof list - used, "%s\"%s\"", used > 0 ? "," : "",
				 warnings[i].name);
	}
	reload_append_warnings(admin->reload, list, sizeof list);
	char more[RELOAD_ITEMS_MAX];
	snprintf(members, capacity,
		 "\"network_server\":%s,\"gateways\":%" PRIu64 ",\"online\":%" PRIu64
		 ",\"warnings\":[%s],\"flapping\":%" PRIu64 ",\"unknown\":%" PRIu64
		 ",\"kernel_drops\":%" PRIu64 ",\"receive_buffer_asked\":%" PRIu64
		 ",\"receive_buffer_given\":%" PRIu64 ",\"ring_entries\":%" PRIu64 ",\"ring_bytes\":%" PRIu64
		 ",\"certificate_until\":%" PRId64 "%s",
		 gb_bridge_linked(admin->bridge) ? "true" : "false", gb_gateways_known(gateways),
		 gb_gateways_online(gateways), list, flapping, gb_gateways_unknown(gateways), drops, asked,
		 given, gb_bridge_ring(admin->bridge)->entries, gb_bridge_ring(admin->bridge)->bytes,
		 gb_station_edge_certificate_until(admin->stations).us / US_PER_S,
		 reload_members(admin->reload, more));
	return true;
}

/* --- /gateways */

static bool is_known(const struct gb_gateway *gateway)
{
	return gateway->known;
}

static bool is_unknown(const struct gb_gateway *gateway)
{
	return !gateway->known;
}

static bool is_online(const struct gb_gateway *gateway)
{
	return gateway->online;
}

static bool is_silent(const struct gb_gateway *gateway)
{
	return !gateway->online;
}

static bool is_flapping(const struct gb_gateway *gateway)
{
	return gateway->flapping;
}

struct question {
	size_t after, limit;
	bool health;
	bool (*state)(const struct gb_gateway *gateway); /* NULL: every one */
	bool has_eui;
	struct lw_eui64 eui;
};

static bool read_number(const char *text, size_t max, size_t *number)
{
	if (text[0] == 0 || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
		return false;
	*number = strtoul(text, NULL, 10);
	return *number <= max;
}

/* Fills the question; the name of what is wrong with it, or NULL. */
static const char *read_question(const struct io_http_request *request, struct question *question)
{
	static const struct {
		const char *name;
		bool (*state)(const struct gb_gateway *gateway);
	} states[] = {{"known", is_known},
		      {"unknown", is_unknown},
		      {"online", is_online},
		      {"silent", is_silent},
		      {"flapping", is_flapping}};
	const char *text = io_http_request_query(request, "health");
	size_t most = text ? GB_HEALTH_ROWS : GB_ANSWER_ROWS;
	*question = (struct question){.limit = most, .health = text != NULL};
	if (text && strcmp(text, "1") != 0)
		return "health";
	text = io_http_request_query(request, "limit");
	if (text && (!read_number(text, most, &question->limit) || question->limit == 0))
		return "limit";
	text = io_http_request_query(request, "after");
	if (text && !read_number(text, UINT32_MAX, &question->after))
		return "after";
	text = io_http_request_query(request, "eui");
	if (text && !lw_eui64_parse(text, &question->eui))
		return "eui";
	question->has_eui = text != NULL;
	text = io_http_request_query(request, "state");
	for (size_t i = 0; text && i < ARRAY_SIZE(states); i++)
		if (strcmp(text, states[i].name) == 0)
			question->state = states[i].state;
	return text && question->state == NULL ? "state" : NULL;
}

static bool is_asked(const struct gb_gateway *gateway, const struct question *question)
{
	return (question->state == NULL || question->state(gateway)) &&
	       (!question->has_eui || lw_eui64_equal(&gateway->eui, &question->eui));
}

static void write_page(FILE *out, const struct gb_admin *admin, struct now now,
		       const struct question *question)
{
	size_t at = question->after, rows = 0, next = 0;
	const struct gb_gateways *gateways = gb_bridge_gateways(admin->bridge);
	const struct gb_gateway *gateway;
	fprintf(out, "{\"began\":\"%" PRIx64 "\",\"gateways\":[", admin->began);
	for (size_t before = at; (gateway = gb_gateways_next(gateways, &at)) != NULL; before = at) {
		if (!is_asked(gateway, question))
			continue;
		if (rows == question->limit) {
			next = before;
			break;
		}
		if (rows++ > 0)
			fputc(',', out);
		char topic[GB_CHIRPSTACK_TOPIC_MAX];
		(void)gb_bridge_mqtt_path(admin->bridge, gateway, now, topic);
		gb_write_gateway(out, gateway, topic, now, question->health);
	}
	if (next > 0)
		fprintf(out, "],\"next\":\"%zu\"}", next);
	else
		fputs("],\"next\":null}", out);
}

static void on_gateways(void *ctx, struct now now, const struct io_http_request *request)
{
	const struct gb_admin *admin = ctx;
	struct io_http_server *server = io_admin_server(admin->admin);
	struct question question;
	char *text = NULL;
	size_t length = 0;
	int code = 500;
	const char *wrong = read_question(request, &question);
	FILE *out = open_memstream(&text, &length);
	if (out && wrong) {
		fprintf(out, "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"%s\"}", wrong);
		code = 400;
	} else if (out) {
		write_page(out, admin, now, &question);
		code = 200;
	}
	bool written = out && fclose(out) == 0;
	enum status status = io_http_reply(server, io_http_request_exchange(request), written ? code : 500,
					   code == 400 ? "application/problem+json" : NULL,
					   written ? text : "{}", written ? length : 2);
	(void)status; /* the client may have gone */
	free(text);
}

/* --- /why */

static const struct gb_gateway *gateway_named(const struct gb_admin *admin, const uint8_t eui[8])
{
	struct lw_eui64 name;
	memcpy(name.bytes, eui, sizeof name.bytes);
	return gb_gateways_find(gb_bridge_gateways(admin->bridge), &name);
}

static const struct decision *newest_decision(void *ctx, const uint8_t eui[8])
{
	static const uint8_t nobody[8];
	const struct gb_admin *admin = ctx;
	const struct gb_gateways *gateways = gb_bridge_gateways(admin->bridge);
	const struct gb_gateway *gateway = gateway_named(admin, eui);
	if (!gateway && memcmp(eui, nobody, sizeof nobody) != 0)
		return NULL;
	return decision_newest(&gb_bridge_decisions(admin->bridge)->ring,
			       gateway ? gb_gateways_index(gateways, gateway) : GB_WHY_NOBODY);
}

static bool present(void *ctx, struct now now, const uint8_t eui[8], unsigned place,
		    struct decision *decision)
{
	const struct gb_admin *admin = ctx;
	const struct gb_gateway *gateway = gateway_named(admin, eui);
	return gateway && gb_present(gateway, now, gb_bridge_began(admin->bridge), place, decision);
}

/* Of a frame that was found by its MIC: which gateway it is about. */
static void name_decision(void *ctx, const struct decision *decision, struct decision_names *names)
{
	const struct gb_admin *admin = ctx;
	const struct gb_gateway *gateway = gb_gateways_at(gb_bridge_gateways(admin->bridge),
							  (uint32_t)decision->subject);
	if (!names->gateway[0] && gateway && decision->table != GB_TABLE_PRESENT)
		lw_eui64_format(names->gateway, &gateway->eui);
}

static void add_why(struct gb_admin *admin)
{
	admin->why = (struct io_why){.kind = "gateway",
				     .book = &gb_rules,
				     .ring = &gb_bridge_decisions(admin->bridge)->ring,
				     .newest = newest_decision,
				     .name = name_decision,
				     .present = present,
				     .places = GB_PRESENT_MAX,
				     .ctx = admin};
	io_why_add(admin->admin, &admin->why);
}

/* --- life */

enum status gb_admin_open(struct gb_admin *admin, struct io_loop *loop, const char *path,
			  const struct gb_bridge *bridge, const struct reload *reload,
			  struct io_udp *const *sockets, size_t socket_count,
			  const struct gb_station_edge *stations)
{
	static const struct io_http_route routes[] = {{IO_HTTP_GET, "/gateways", on_gateways}};
	ASSERT_CMP(socket_count, <=, GB_SOCKETS_MAX);
	*admin = (struct gb_admin){.bridge = bridge,
				   .reload = reload,
				   .stations = stations,
				   .socket_count = socket_count,
				   .began = (uint64_t)clock_now().wall.us};
	for (size_t i = 0; i < socket_count; i++)
		admin->sockets[i] = sockets[i];
	gb_metrics_init(&admin->metrics, bridge, admin->sockets, socket_count, stations);
	enum status status = io_admin_open(loop,
					   &(struct io_admin_options){.path = path,
								      .process = "gateway-bridge",
								      .metrics = admin->metrics.rows,
								      .metric_count = admin->metrics.count,
								      .health = health,
								      .ctx = admin,
								      .reloads_taken = &reload->taken,
								      .reloads_refused = &reload->refused},
					   &admin->admin);
	if (status == ST_OK) {
		io_http_server_add(io_admin_server(admin->admin), routes, ARRAY_SIZE(routes), admin);
		add_why(admin);
	}
	return status;
}

void gb_admin_release(struct gb_admin *admin)
{
	io_admin_free(admin->admin);
	admin->admin = NULL;
}
