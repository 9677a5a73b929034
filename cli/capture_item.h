/* One packet of a capture file, as far as it says something of a LoRaWAN network. Pure.
 *
 *	LoRaTap (link type 270)          a radio frame: up or down
 *	Ethernet, cooked, IP, loopback   a datagram of the Semtech protocol to or from the server's port
 *
 * Whatever else a capture holds is skipped, each by a named reason. */
#ifndef LAMPPOST_CLI_CAPTURE_ITEM_H
#define LAMPPOST_CLI_CAPTURE_ITEM_H

#include "common/base/pcap.h"
#include "common/lorawan/loratap.h"
#include "common/text/semtech_write.h"

enum capture_kind {
	CAPTURE_FRAME_UP,
	CAPTURE_FRAME_DOWN,
	CAPTURE_TO_SERVER,   /* PUSH_DATA, PULL_DATA, TX_ACK */
	CAPTURE_FROM_SERVER, /* PUSH_ACK, PULL_ACK, PULL_RESP */
	CAPTURE_SKIPPED,
	CAPTURE_KIND_COUNT
};

/* Why a packet is skipped. */
enum capture_skip {
	CAPTURE_NOT_IP,
	CAPTURE_NOT_UDP,
	CAPTURE_FRAGMENT,
	CAPTURE_CUT,          /* the capture kept a part of it */
	CAPTURE_MALFORMED,    /* headers that cannot be */
	CAPTURE_UNKNOWN_LINK, /* a link type that is not read here */
	CAPTURE_OTHER_PORT,   /* UDP, but not the server's port */
	CAPTURE_NOT_SEMTECH,  /* the port, but not the protocol */
	CAPTURE_BAD_CRC,      /* LoRaTap says that the frame came damaged */
	CAPTURE_NOT_LORAWAN,  /* another sync word, or a modulation that LoRaWAN does not use */
	CAPTURE_BAD_LENGTH,   /* no frame, or more than 255 bytes */
	CAPTURE_SKIP_COUNT
};
/* "not_ip"... */
const char *capture_skip_name(enum capture_skip skip);

struct capture_item {
	enum capture_kind kind;
	enum capture_skip skip; /* CAPTURE_SKIPPED */
	struct wall time;
	const uint8_t *bytes; /* the frame or the datagram; borrowed from the packet */
	size_t length;
	/* Frames: */
	struct lw_loratap header;
	struct lw_modulation modulation;
	/* Datagrams: */
	enum semtech_identifier identifier;
	/* CAPTURE_TO_SERVER, and frames whose header names it. */
	bool has_gateway;
	struct lw_eui64 gateway;
};

/* `port` is the server's. */
void capture_item_read(struct capture_item *item, const struct pcap_packet *packet, uint16_t port);
/* Whether a frame goes down, by its type (TS001 §4.2.1). */
bool capture_frame_is_down(const uint8_t *phy, size_t length);

#endif
