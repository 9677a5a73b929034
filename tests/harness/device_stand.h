/* One simulated device on a test's bench: it is ticked at its own deadlines, its windows are fed by hand, and the last record of each
 * kind is kept. */
#ifndef LAMPPOST_TESTS_DEVICE_STAND_H
#define LAMPPOST_TESTS_DEVICE_STAND_H

#include "simulator/device.h"

struct t_stand {
	struct aes *aes; /* borrowed */
	struct sim_device device;
	struct sim_record last[SIM_RECORD_KIND_COUNT];
	unsigned counts[SIM_RECORD_KIND_COUNT];
	struct sim_uplink uplink; /* the last one sent */
	int64_t now_us;
};

/* A sound device of that region and version that sends the counter payload on port 10 every 100 s, with ADR; ABP ones have DevAddr
 * 01000042 and keys of zeroes. */
struct sim_device_config t_stand_config(const char *region, enum lw_mac_version version,
					enum sim_activation activation);
void t_stand_set_up(struct t_stand *stand, struct aes *aes, const struct sim_device_config *config);
/* Ticks the device until it sends; false if it has not by `until_us`. */
bool t_stand_sends(struct t_stand *stand, int64_t until_us);
/* A downlink as window 1 or 2 asks for it. */
struct sim_downlink t_stand_in_window(const struct t_stand *stand, int window);
/* The frame is heard in that window, on time. */
enum sim_down_result t_stand_hears(struct t_stand *stand, int window, const uint8_t *phy, size_t length);

/* A join-accept without CFList, as a join server makes it from those 12 bytes between MHDR and MIC, is heard in RX1. */
enum sim_down_result t_stand_accept(struct t_stand *stand, const uint8_t body[12]);

/* A data downlink for the device as a network would make it, with the session's own keys. */
struct t_down {
	bool confirmed;
	bool ack;
	bool f_pending;
	uint32_t fcnt;
	uint16_t conf_fcnt;  /* 1.1, with ack */
	const char *fopts;   /* hex, in clear; NULL: none */
	int fport;           /* −1: none */
	const char *payload; /* hex, in clear; NULL: none */
};
/* Returns the length of the frame. */
size_t t_stand_downlink(const struct t_stand *stand, const struct t_down *down, uint8_t phy[255]);
/* Makes it and has it heard. */
enum sim_down_result t_stand_answer(struct t_stand *stand, int window, const struct t_down *down);

#endif
