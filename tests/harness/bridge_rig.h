/* The real gateway-bridge between real sockets: gateways of both protocol versions over loopback UDP, written by the
 * simulator's codec, and a scripted network server on network.sock.
 *
 *	struct t_bridge *rig = t_bridge_start(true, "  rate_per_eui: 5\n");
 *	t_true("list", t_bridge_has_list(rig));
 *	struct t_gateway *roof = t_bridge_gateway(rig, T_BRIDGE_V2, 2, NULL);
 *	t_gateway_push(roof, 1000);
 *	t_true("came", t_bridge_wait(rig, uplinks_came));     a condition of the test's: pumps, then looks
 *	t_bridge_stop(rig);
 *
 * One thread: nothing is read from any socket but by t_bridge_pump(). */
#ifndef LAMPPOST_TESTS_BRIDGE_RIG_H
#define LAMPPOST_TESTS_BRIDGE_RIG_H

#include "tests/harness/process.h"

#include "common/base/arena.h"
#include "common/io/frames.h"
#include "common/proto/envelope.h"
#include "simulator/semtech_gateway.h"

#define T_BRIDGE_V2       UINT64_C(0xaa555a0000000202) /* the two of the list that a rig begins with */
#define T_BRIDGE_V1       UINT64_C(0xaa555a0000000101)
#define T_BRIDGE_KEPT     256 /* of each kind of message */
#define T_BRIDGE_GATEWAYS 4096

/* The scripted network server. */
struct t_upstream {
	char path[100];
	int listener, link; /* −1: none */
	struct io_frames frames;
	struct arena arena;
	struct proto_message message; /* scratch */
	uint64_t seq;
	bool acknowledges;
	struct gw_gateway list[T_BRIDGE_GATEWAYS]; /* given at every greeting */
	size_t list_count;
	uint64_t list_version;
	unsigned hellos, stats, online, offline;
	unsigned uplinks, tx_acks, presences;
	struct gw_uplink uplink[T_BRIDGE_KEPT]; /* at count % KEPT */
	struct gw_tx_ack tx_ack[T_BRIDGE_KEPT];
	struct gw_presence presence[T_BRIDGE_KEPT];
	/* May be NULL. */
	void (*on_uplink)(void *ctx, const struct gw_uplink *uplink);
	void *ctx;
	/* An uplink with these ticks ends the link, with a Bye that names it or without a word; 0: none does. */
	uint32_t poison;
	bool names_poison;
	unsigned hang_ups; /* for it */
};

struct t_gateway {
	uint64_t eui;
	uint8_t version;
	int up, down; /* two sockets, as packet forwarders have */
	uint16_t token;
	unsigned push_acks, pull_acks, pull_resps;
	struct sim_down last; /* PULL_RESP */
};

struct t_bridge {
	char dir[T_DIR_MAX], config[128], admin[128], list[128];
	uint16_t port;
	struct t_process *process;
	struct t_upstream *upstream;
	struct t_gateway *gateways[T_BRIDGE_GATEWAYS]; /* owned */
	size_t gateway_count;
	unsigned wanted; /* for a condition that is waited for */
	const char
		*listen_name; /* of a listening socket that the bridge is given at every start; NULL: none */
	int listen_fd;
};

/* Makes a folder and a configuration (`settings`: more lines of section gateway-bridge), and starts the bridge; with or
 * without a network server that listens. Waits until it is healthy. */
struct t_bridge *t_bridge_start(bool with_upstream, const char *settings);
/* The same on another address than 127.0.0.1: "*" hears both families. */
struct t_bridge *t_bridge_start_on(const char *listen, bool with_upstream, const char *settings);
/* On 127.0.0.1, handed a listening socket of that name at every start. */
struct t_bridge *t_bridge_start_handed(bool with_upstream, const char *settings, const char *listen_name,
				       int listen_fd);
/* SIGTERM; a code other than 0 fails the row. Releases all. */
void t_bridge_stop(struct t_bridge *rig);
/* Starts the process again, after the test ended it. */
void t_bridge_run(struct t_bridge *rig);
/* Reads whatever has come, everywhere. */
void t_bridge_pump(struct t_bridge *rig);
/* Waits for a condition whose context is the rig. */
bool t_bridge_wait(struct t_bridge *rig, bool (*condition)(void *ctx));
/* Waits until the bridge knows as many gateways as the list has, and has kept the list. */
bool t_bridge_has_list(struct t_bridge *rig);
/* A counter of /metrics: lamppost_bridge_verdicts_total{verdict="NAME"}. */
double t_bridge_verdict(const struct t_bridge *rig, const char *name);

void t_upstream_listen(struct t_upstream *upstream);
void t_upstream_go_away(struct t_upstream *upstream);
/* Adds a row to the list; it is given with the next t_upstream_give_list(), or greeting. */
struct gw_gateway *t_upstream_add(struct t_upstream *upstream, uint64_t eui);
void t_upstream_give_list(struct t_upstream *upstream);
/* A downlink as it is. */
void t_upstream_send(struct t_upstream *upstream, const struct gw_downlink *downlink);
/* A downlink for that gateway, at once. */
void t_upstream_order(struct t_upstream *upstream, uint64_t eui, uint64_t id);
/* The same in two steps: it stands in message.gateway_downlink between them. */
void t_upstream_fill_order(struct t_upstream *upstream, uint64_t eui, uint64_t id);
void t_upstream_send_order(struct t_upstream *upstream);
/* The last presence message about a gateway; "" when there was none. */
const char *t_upstream_presence(const struct t_upstream *upstream, uint64_t eui);

/* A gateway with sockets of its own, at `host` ("127.0.3.1", "::1"; NULL: wherever the kernel puts it); the rig's. */
struct t_gateway *t_bridge_gateway(struct t_bridge *rig, uint64_t eui, uint8_t version, const char *host);
/* Closes its sockets and takes new ones at another host. */
void t_gateway_move(struct t_bridge *rig, struct t_gateway *gateway, const char *host);
void t_gateway_push(struct t_gateway *gateway, uint32_t tmst);
void t_gateway_pull(struct t_gateway *gateway);
/* TX_ACK to the last PULL_RESP: a verdict, or any body. */
void t_gateway_answer(struct t_gateway *gateway, enum sim_jit_verdict verdict);
void t_gateway_answer_text(struct t_gateway *gateway, const char *body);
/* Any bytes from its upward socket. A bridge that is just restarting refuses at the port: lost, as on any network. */
void t_gateway_put(struct t_gateway *gateway, const uint8_t *bytes, size_t length);

#endif
