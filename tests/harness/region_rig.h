/* One simulated device, one gateway, the network server's and the join server's real cores, on a virtual clock, in any
 * region; what is on the air is judged against the region's file by code of its own (region_sheet.h). A breach of the
 * region fails the row at once. */
#ifndef LAMPPOST_TESTS_REGION_RIG_H
#define LAMPPOST_TESTS_REGION_RIG_H

#include "simulator/device.h"
#include "tests/harness/join_world.h"
#include "tests/harness/network_rig.h"
#include "tests/harness/region_sheet.h"

#define T_REGION_SENT 4096

/* Which windows a gateway refuses because of a collision. */
enum t_refused { T_NONE_REFUSED, T_RX1_REFUSED, T_RX2_REFUSED };

struct t_region {
	struct rig rig;
	struct t_join_world join;
	struct t_sheet sheet;
	struct sim_device device;
	struct sim_plan plan; /* the device's: its region's with FSK, where that has it */
	const char *id;
	size_t index;     /* of the region in the rig */
	uint64_t gateway; /* its number */
	struct net_profile profile;
	enum t_refused refused;
	int16_t snr_cdb;
	size_t joins_done;
	uint64_t downlinks_done;
	/* The last exchange. */
	struct sim_uplink uplink;
	bool joining;  /* it was a join-request */
	bool heard[2]; /* RX1, RX2: the device received a frame there */
	uint8_t sent[2];
	size_t longest;     /* PHYPayload that left the gateway */
	unsigned link_adrs; /* LinkADRReq in the last frame that had any */
	/* What left the gateway. */
	struct t_sent {
		int64_t start_us, airtime_us;
		const char *band; /* the sheet's row; NULL: none */
	} all_sent[T_REGION_SENT];
	size_t all_count;
};

/* A device of 1.0.4 of that region; `channel_plan` of the gateway in a fixed plan, `extra` channels in MHz in a dynamic one;
 * `sub_band` 0: the device knows all channels. */
void t_region_open(struct t_region *world, const char *id, const char *channel_plan, const char *extra,
		   uint8_t sub_band);
void t_region_close(struct t_region *world);
/* The profile as the test has changed it. */
void t_region_profile(struct t_region *world);
void t_region_gateway(struct t_region *world, const char *channel_plan);
void t_region_extra(struct t_region *world, const char *extra);
/* One uplink or join-request with all that follows from it, until its windows are closed. */
void t_region_exchange(struct t_region *world);
bool t_region_join(struct t_region *world);
struct ns_session *t_region_session(struct t_region *world);
/* Airtime of downlinks in the sub-band of a frequency in the hour that ends then. */
int64_t t_region_airtime(const struct t_region *world, uint32_t freq_hz, int64_t until_us);
/* The `channel_plans` of the configuration. */
void t_region_plan(struct t_region *world, const char *plan);
/* N of a data rate in the sheet; 0: not to be used. */
long t_region_max_n(const struct t_region *world, long dr, bool dwell);
/* What the sheet has for an uplink's answer in RX1; −1: nothing. */
long t_region_rx1_dr(const struct t_region *world, long uplink_dr, size_t offset, bool dwell);
/* The data rate in the sheet of a LoRa modulation; −1: none. */
long t_region_dr(const struct t_region *world, bool up, unsigned spreading_factor, uint32_t bandwidth_hz);

#endif
