/* What a device of the load generator does with a downlink: it takes every MAC request that it knows and answers it in its next
 * uplink, and acknowledges what is confirmed. Nothing takes effect (frequencies and rates stay what the generator sends with): the
 * bench measures a network, and a device that never answers would be asked again with every uplink. Answers are sent once. */
#ifndef LAMPPOST_SIM_LOAD_ANSWER_H
#define LAMPPOST_SIM_LOAD_ANSWER_H

#include "common/crypto/aes.h"
#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>

#define SIM_LOAD_ANSWERS_MAX 15 /* FOpts */

/* What waits for a device's next uplink. Zeroed: nothing. */
struct sim_load_answer {
	uint8_t bytes[SIM_LOAD_ANSWERS_MAX];
	uint8_t length : 7;
	uint8_t ack : 1;
};

/* Whose downlink it is, by its address: the device's number. False: not a downlink of one of `count` devices from `first` on. */
bool sim_load_downlink_device(const uint8_t *phy, size_t length, uint32_t first, uint32_t count,
			      uint32_t *number);
/* Adds the answers to a downlink of that device; returns how many requests were answered. −1: its MIC is wrong. */
int sim_load_hear(struct aes *aes, uint32_t number, const uint8_t *phy, size_t length,
		  struct sim_load_answer *answer);

/* All devices' ears: who is asked what, and the counts. */
struct sim_load_ears {
	struct sim_load_answer *answers; /* owned by whoever made it: of `count` devices from `first` on */
	uint32_t first, count;
	uint64_t downlinks, bad_downlinks,
		mac_answers; /* heard by a device; by none, or a wrong MIC; requests answered */
};
/* The device of a PULL_RESP's frame hears it. */
void sim_load_take_pull_resp(struct sim_load_ears *ears, struct aes *aes, const uint8_t *bytes,
			     size_t length);

#endif
