/* A small storm on the network rig: sixty OTAA devices that ask gateways of eu868, and a join server that is a list of calls. */
#ifndef LAMPPOST_TESTS_STORM_RIG_H
#define LAMPPOST_TESTS_STORM_RIG_H

#include "tests/harness/network_rig.h"

#define STORM_RIG_DEVICES 60

struct storm_rig {
	struct rig rig;
	struct rig_device devices[STORM_RIG_DEVICES];
	uint16_t dev_nonce;
	size_t answered; /* calls of the core that the join server has looked at */
};

/* first_come: as with join_storm: false. */
void storm_rig_init(struct storm_rig *storm, bool first_come);
void storm_rig_release(struct storm_rig *storm);
/* A gateway hears a new request of the device; its window closes 200 ms later. */
void storm_rig_asks(struct storm_rig *storm, size_t device, uint64_t gateway, uint8_t dr);
/* The join server answers the next call that it has not looked at; false: there is none. */
bool storm_rig_answer(struct storm_rig *storm, enum bi_result result);
/* It says yes to all. */
void storm_rig_answers(struct storm_rig *storm);
/* The device asks at gateway 1 and DR 5, and is answered if that can be. */
void storm_rig_asks_and_hears(struct storm_rig *storm, size_t device);
/* All devices ask within three seconds, and the join server says yes. */
void storm_rig_all_ask(struct storm_rig *storm, uint8_t dr);

#endif
