/* How one gateway fares, counted since it came into the list: what it heard, what was sent by it and what it said to that, its
 * connections, how long the way to it and back takes, and how its counter runs against our clock. Every protocol's flow calls
 * the same hooks; GET /gateways?health=1 of the admin socket shows the counters. They only grow: whoever keeps series takes
 * differences, and sees by the bridge's `began` that they start anew.
 *
 * Invariants: a counter never goes back; nothing here is judged by a gateway's clock (the drift is that clock's, measured by ours).
 * Small and flat: 16,384 of them stand in a table. Pure. */
#ifndef LAMPPOST_BRIDGE_HEALTH_H
#define LAMPPOST_BRIDGE_HEALTH_H

#include "common/base/units.h"
#include "common/proto/gateway_messages.h"

#define GB_HEALTH_TRIPS  32 /* round trips that are remembered */
#define GB_HEALTH_POINTS 8  /* fastest arrivals that the drift is taken from, one in each span of */
#define GB_HEALTH_SPAN   (120 * US_PER_S)
#define GB_HEALTH_TEXT   32 /* of what a station says of itself; longer is cut */

/* Why a connection ended. Rows of gb_close_name(): new ones before the last. */
enum gb_close {
	GB_CLOSE_PEER,     /* the gateway said goodbye */
	GB_CLOSE_LOST,     /* the transport broke: reset, or its end without a goodbye */
	GB_CLOSE_SILENT,   /* nothing came for longer than the keep-alive allows */
	GB_CLOSE_SLOW,     /* it did not read what was sent to it */
	GB_CLOSE_FLOOD,    /* it said more than its limits allow */
	GB_CLOSE_PROTOCOL, /* it said what the protocol does not have */
	GB_CLOSE_REPLACED, /* by a newer connection of the same gateway, from the same host */
	GB_CLOSE_TAKEN,    /* likewise, from another host: perhaps a second gateway with its EUI */
	GB_CLOSE_REFUSED,  /* its record, certificate or token does not allow it any more */
	GB_CLOSE_RESTART,  /* ours: the bridge ends or its configuration changed */
	GB_CLOSE_COUNT
};
/* "peer", "lost", "silent", ...; asserts on a value outside the enum. */
const char *gb_close_name(enum gb_close cause);

struct gb_health {
	/* What it heard. received = forwarded + crc_errors + what was not forwarded for another reason. */
	uint64_t received, crc_errors, forwarded;
	uint64_t bytes_up,
		bytes_down; /* payload of its datagrams or messages, without the headers of IP and TLS */
	/* What it was to send. */
	uint64_t sent;                        /* handed to it */
	uint32_t results[GW_TX_RESULT_COUNT]; /* by what became of them; those never sent included */
	/* Connections: stations and MQTT; UDP has none. */
	uint32_t opened, closed[GB_CLOSE_COUNT];
	bool has_connection; /* its protocol has one */
	bool connected;
	enum gb_close last_close;      /* of the last that ended: closed[] says whether one has */
	struct mono changed;           /* when the connection opened or ended last */
	struct wall certificate_until; /* of the client certificate that it came with; 0: it came without */
	/* The way to it and back, in tenths of a millisecond; the last GB_HEALTH_TRIPS. */
	uint16_t trips[GB_HEALTH_TRIPS];
	uint32_t trip_count; /* ever */
	/* Its counter: the fastest arrival of each span, as (our time, our time − its counter). */
	struct {
		int64_t at_us, offset_us;
	} points[GB_HEALTH_POINTS];
	uint8_t point_count, point_newest;
	bool has_counter;
	int64_t counter_us; /* without wrapping */
	struct mono counter_at;
	/* What it said of itself last. */
	bool has_stats;
	struct gw_stats stats;
	struct mono stats_at;
	bool has_location; /* in any of its statistics: the last that had one */
	double latitude_deg, longitude_deg;
	int32_t altitude_m;
	char station[GB_HEALTH_TEXT], model[GB_HEALTH_TEXT],
		firmware[GB_HEALTH_TEXT]; /* "": it did not say */
};

/* --- hooks: what happened with the gateway; each counts, none fails. gb_forward() and gb_tell_tx() call those of a forwarded frame and
 * of a result themselves, for every protocol; all else is the protocol's flow's to call. */
/* A datagram or message of it was taken; one to it was given to the transport. */
void gb_health_in(struct gb_health *health, size_t bytes);
void gb_health_out(struct gb_health *health, size_t bytes);
/* It heard a frame: forwarded, failed its checksum, or neither. */
void gb_health_frame(struct gb_health *health, bool forwarded, bool crc_error);
/* The counter at the end of a frame, on arrival. `began_anew`: the counter is not where it must be (a restart, a jump): what was
 * measured before says nothing any more. Stations: the lower 32 bits of xtime, began_anew with each new connection. */
void gb_health_counter(struct gb_health *health, struct mono now, struct gw_ticks ticks, bool began_anew);
/* A downlink was handed to it; what became of one, GW_TX_NO_PATH (never handed over) included. */
void gb_health_sent(struct gb_health *health);
void gb_health_result(struct gb_health *health, enum gw_tx_result result);
/* A measured round trip: PULL_RESP to TX_ACK, ping to pong, timesync. */
void gb_health_trip(struct gb_health *health, span_us trip);
/* A connection opened; it ended. Opening one while one is open counts the old as GB_CLOSE_REPLACED. */
void gb_health_opened(struct gb_health *health, struct mono now);
void gb_health_closed(struct gb_health *health, struct mono now, enum gb_close cause);
/* Statistics that it sent; what a station's `version` says (NULL or "": not said); its client certificate's end. */
void gb_health_stats(struct gb_health *health, struct mono now, const struct gw_stats *stats);
void gb_health_version(struct gb_health *health, const char *station, const char *model,
		       const char *firmware);
void gb_health_certificate(struct gb_health *health, struct wall until);

/* --- questions */
/* The last round trip, and the one that 95 of 100 of the remembered ones are not above; −1: none was measured. */
span_us gb_health_trip_last(const struct gb_health *health);
span_us gb_health_trip_95(const struct gb_health *health);
/* How much faster its counter runs than our clock, in tenths of a ppm; false: too little was heard (four spans). Delays only ever
 * add, so the fastest arrival of each span is taken, and of all lines through two of them the one in the middle. */
bool gb_health_drift(const struct gb_health *health, int32_t *tenths_ppm);

#endif
