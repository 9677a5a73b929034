/* The bridge's core with stations, on a clock that is moved by hand: texts and messages of the network server in, what goes to the
 * stations and to the network server out. Every text to a station is read by the simulator's codec; one that a station would
 * refuse fails the row. One bench, which t_begin() makes anew. */
#ifndef LAMPPOST_TESTS_STATION_BENCH_H
#define LAMPPOST_TESTS_STATION_BENCH_H

#include "gateway-bridge/bridge_station.h"
#include "simulator/station_down.h"

#define T_ROOF     UINT64_C(0xaa555a0000000301) /* EU868 with extra channels; any credential of ours */
#define T_TOWER    UINT64_C(0xaa555a0000000302) /* US915, sub-band 2 */
#define T_CHINA    UINT64_C(0xaa555a0000000303) /* CN470: stations know no such region */
#define T_CROWDED  UINT64_C(0xaa555a0000000304) /* channels that fit no receiver */
#define T_UDP_ONLY UINT64_C(0xaa555a0000000305)
#define T_STRANGER UINT64_C(0x1122334455667788)

#define T_SF9                                   \
	{                                       \
		LW_LORA, 9, 125000, 0, 0, "4/5" \
	}
#define T_SF12                                   \
	{                                        \
		LW_LORA, 12, 125000, 0, 0, "4/5" \
	}

struct t_bench {
	struct gb_bridge *bridge;
	struct gb_options options;
	struct rng rng;
	struct now now;
	struct proto_message *message; /* scratch */
	uint64_t last_id;
	uint64_t xtime; /* of the station's clock at time 0 */
	/* what came out since the last look */
	char said[1024];
	struct gw_uplink uplink;
	struct gw_tx_ack tx_ack;
	struct gw_presence presence;
	char out[1024]; /* "t_text(1) ping(1) close(2,1008) " */
	struct gb_station_out text, close;
	struct sim_station_config config; /* of the last router_config */
	struct sim_station_down down;     /* the last text, as a station reads it */
	unsigned refused;                 /* the status of the last request that was not let in */
	char why[GB_STATION_REASON_MAX];
};
extern struct t_bench t_bench;

/* A bridge that is linked and has its list: the gateways above, T_ROOF with 867.1 and 867.3 MHz. */
void t_begin(void);
void t_end(void);
void t_give_list(uint64_t version, const char *channels);
/* What stands in t_bench.message goes to the bridge. */
void t_tell(void);
void t_pass(int64_t milliseconds);
/* What the network server was told since the last look: "up(1000) tx(9.0,ok) here(connected) "; what goes to the stations:
 * "text(1) ping(1) close(2,1008) ". */
const char *t_hear(void);
const char *t_sent(void);
uint64_t t_counted(enum gb_verdict verdict);

/* --- stations */
struct gb_presented t_certificate_of(uint64_t eui);
/* Asks for a connection from host 198.51.100.`host`: its id, or 0 and the status stands in t_bench.refused. */
uint64_t t_open_with(enum gb_station_path path, uint64_t eui, uint8_t host,
		     const struct gb_presented *presented, const char *name);
uint64_t t_open_data(uint64_t eui, uint8_t host);
/* A connection that is up, with nothing left to say. */
uint64_t t_come_up(uint64_t eui, uint8_t host);
void t_text(uint64_t id, const char *body);
void t_version(uint64_t id);
/* xtime of now by the station's clock. */
int64_t t_clock_now(void);
void t_uplink_at(uint64_t id, int64_t xtime, int64_t rctx);
/* One that ends now: its xtime. */
int64_t t_uplink(uint64_t id);
void t_dntxed(uint64_t id, int64_t diid, int64_t xtime);

/* --- downlinks */
void t_order(uint64_t eui, uint64_t id, const struct gw_tx_attempt *attempts, uint8_t count);
/* RX1 and RX2, so many seconds after an uplink at those ticks. */
void t_order_both(uint64_t eui, uint64_t id, struct gw_ticks ticks, unsigned delay_s);

#endif
