#include "gateway-bridge/edge_udp.h"

#include "common/base/check.h"
#include "common/base/log.h"
#include "gateway-bridge/edge_address.h"

#include <sys/socket.h>

static void on_datagram(void *ctx, struct now now, const struct io_address *from, const uint8_t *bytes,
			size_t length)
{
	const struct gb_udp_socket *place = ctx;
	struct gb_udp_edge *edge = place->edge;
	struct gb_peer peer = {.address = gb_address_from_io(from), .socket = place->index};
	gb_bridge_on_datagram(edge->bridge, now, &peer, bytes, length);
	edge->after(edge->ctx, now);
}

void gb_udp_edge_take(struct gb_udp_edge *edge)
{
	struct gb_datagram datagram;
	while (gb_bridge_take_datagram(edge->bridge, &datagram)) {
		struct io_address to = gb_address_to_io(&datagram.to.address);
		enum status status = io_udp_send(edge->sockets[datagram.to.socket], &to, datagram.bytes,
						 datagram.length);
		(void)status; /* a full queue is counted by the socket */
	}
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

int gb_take_handed(struct io_listen_fds *handed, const char *key, unsigned index, int type, const char *item)
{
	char host[GB_HOST_MAX];
	uint16_t port;
	ASSERT(gb_listen_parse(item, host, &port)); /* the row's check let it pass */
	return io_listen_fds_take(handed, key, index, type, host, port);
}

static void warn_of_small_buffer(const struct io_udp *socket, const char *item)
{
	const struct io_udp_stats *stats = io_udp_stats(socket);
	if (stats->receive_buffer_given < stats->receive_buffer_asked)
		LOG_WARN("receive_buffer_small", "address=%s asked=%llu given=%llu try=net.core.rmem_max",
			 item, (unsigned long long)stats->receive_buffer_asked,
			 (unsigned long long)stats->receive_buffer_given);
}

enum status gb_udp_edge_open(struct gb_udp_edge *edge, struct io_loop *loop, const struct gb_config *config,
			     struct io_listen_fds *handed, struct gb_bridge *bridge)
{
	const struct option_list *list = &config->udp_listen;
	edge->bridge = bridge;
	for (size_t i = 0; i < list->count && i < GB_SOCKETS_MAX; i++) {
		char host[GB_HOST_MAX];
		uint16_t port;
		ASSERT(gb_listen_parse(list->items[i], host, &port));
		edge->places[i] = (struct gb_udp_socket){.edge = edge, .index = (uint32_t)i};
		int held = gb_take_handed(handed, "udp_listen", (unsigned)i, SOCK_DGRAM, list->items[i]);
		enum status status = io_udp_open(loop,
						 &(struct io_udp_options){.host = host,
									  .port = port,
									  .listen_fd = held,
									  .on_datagram = on_datagram,
									  .ctx = &edge->places[i]},
						 &edge->sockets[i]);
		if (status != ST_OK) {
			LOG_ERROR("udp_listen_refused", "address=%s status=%s", list->items[i],
				  status_name(status));
			return status;
		}
		edge->count++;
		warn_of_small_buffer(edge->sockets[i], list->items[i]);
	}
	return ST_OK;
}

void gb_udp_edge_close(struct gb_udp_edge *edge)
{
	for (size_t i = 0; i < edge->count; i++)
		io_udp_close(edge->sockets[i]);
	edge->count = 0;
}
