/* MAC commands between the real network server and one simulated device, on a virtual clock: a region rig (region_rig.h) with
 * a device of any version, and an ear that reads the commands of every frame in clear, each by the side that wrote it. */
#ifndef LAMPPOST_TESTS_MAC_RIG_H
#define LAMPPOST_TESTS_MAC_RIG_H

#include "common/lorawan/mac_command.h"
#include "network-server/mac/mac.h"
#include "tests/harness/region_rig.h"

#define T_MAC_COMMANDS 32

struct t_mac {
	struct t_region region;
	unsigned seen[2][256]; /* by direction and CID: how often on the air */
	size_t heard;          /* downlinks that were read */
	/* The commands of the last downlink, in order, and whether they were under FPort 0. */
	struct lw_mac_command down[T_MAC_COMMANDS];
	size_t down_count;
	bool down_port_0;
	/* Of the whole run: what must never be. */
	unsigned mixed;         /* NewChannelReq and a LinkADRReq in one frame */
	unsigned too_long;      /* FOpts beyond 15 bytes, or commands in FOpts and FPort 0 at once */
	unsigned late_tx_param; /* TxParamSetupReq behind another request */
};

struct t_mac_setup {
	const char *region; /* NULL: eu868 */
	const char *extra;  /* channels beside the region's; NULL: none */
	enum lw_mac_version version;
	bool abp;
	void (*device)(struct sim_device_config *config); /* may be NULL */
};

/* A device of that version, joined or ABP, that sends readings; ADR off unless the setup says otherwise, so that nothing but
 * what a test asks for is asked. */
void t_mac_open(struct t_mac *mac, const struct t_mac_setup *setup);
void t_mac_close(struct t_mac *mac);
/* One uplink, or join-request, with all that follows. */
void t_mac_exchange(struct t_mac *mac);
/* One uplink that no gateway hears. */
void t_mac_lost_uplink(struct t_mac *mac);
/* Exchanges until the condition holds, at most `most`. Returns whether it does. */
bool t_mac_until(struct t_mac *mac, bool (*holds)(struct t_mac *mac), unsigned most);
/* So many exchanges. */
void t_mac_exchanges(struct t_mac *mac, unsigned count);
/* The profile as the test has changed `mac->region.profile`. */
void t_mac_profile(struct t_mac *mac);

struct ns_session *t_mac_session(struct t_mac *mac);
uint32_t t_mac_slot(struct t_mac *mac);
const struct ns_rare *t_mac_rare(struct t_mac *mac);
/* How often a kind was asked since the start. */
uint64_t t_mac_asked(const struct t_mac *mac, enum ns_mac_kind kind);

#endif
