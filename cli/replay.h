/* Sends what a capture file holds to a gateway bridge again, as gateways would: one UDP socket a gateway.
 *
 *	LoRaTap frames going up   each becomes the one rxpk of a PUSH_DATA; the gateway's counter is made of the capture's time; a
 *	                          PULL_DATA goes before the first, and then every 5 s
 *	datagrams to the server   sent as they were, but for an EUI that is mapped
 *
 * A replay puts nothing on the air: a PULL_RESP is answered with TX_ACK TOO_LATE, which is what a gateway says of a frame whose
 * time has passed. A gateway of protocol version 1 has no TX_ACK; the network then takes such a frame as sent.
 *
 * Invariants: datagrams of one gateway leave in the file's order, those of two may change places within a millisecond; none
 * leaves before its time, nor faster than `rate` and `gap` allow; at most 256 are unacknowledged at once (8 until the server has
 * answered once), so that nothing is lost at a socket's buffer. */
#ifndef LAMPPOST_CLI_REPLAY_H
#define LAMPPOST_CLI_REPLAY_H

#include "cli/capture_file.h"
#include "common/io/address.h"
#include "common/lorawan/types.h"

#define REPLAY_GATEWAYS_MAX 512
#define REPLAY_MAPS_MAX     64

struct replay_map {
	struct lw_eui64 from, to;
};

struct replay_options {
	struct io_address server;
	uint16_t port; /* of the server in the capture */
	double speed;  /* 1: as it was; 0: as fast as `rate` and the server allow */
	unsigned rate; /* datagrams a second of one gateway, with bursts of 100; 0: any */
	span_us gap;   /* between two frames of one device, at least (replay_gap.h); 0: none */
	unsigned long loops;
	span_us linger; /* after the last uplink: a class A answer comes up to its window */
	bool has_gateway;
	struct lw_eui64 gateway; /* of frames whose header names none */
	struct replay_map maps[REPLAY_MAPS_MAX];
	size_t map_count;
	uint64_t total; /* packets of all loops, for the bar */
};

struct replay_result {
	uint64_t push_data, pull_data, tx_ack,
		keep_alives; /* sent; keep_alives: PULL_DATA that the capture has not */
	uint64_t push_acks, pull_acks;
	uint64_t pull_resps, refused; /* downlinks asked for, and answered TOO_LATE */
	uint64_t send_failed;         /* the kernel had no room or refused */
	uint64_t skipped;             /* packets that no gateway sends, and what cannot be sent again */
	size_t gateways;
	bool reached, interrupted, many_gateways, broken; /* broken: the file could not be read again */
	span_us took;
};

/* Runs it to its end, to an interruption, or until nobody has answered for 3 s from the first datagram on. */
void replay_run(struct replay_result *result, struct capture_file *file,
		const struct replay_options *options);

#endif
