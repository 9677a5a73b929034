/* What the device's source files share among themselves: device.c (when), device_frame.c (bytes and keys), device_mac.c (commands). */
#ifndef LAMPPOST_SIM_DEVICE_PARTS_H
#define LAMPPOST_SIM_DEVICE_PARTS_H

#include "simulator/device.h"

/* device_mac.c: sets channels and parameters to what the device boots with. */
void sim_device_boot_parameters(struct sim_device *device);
/* Applies the commands of a downlink in order, and queues the answers. */
void sim_device_apply_commands(struct sim_device *device, int64_t now_us, const uint8_t *bytes,
			       size_t length);
/* Writes requests and answers that are due into at most `capacity` bytes; returns the length. What does not fit waits. */
size_t sim_device_write_commands(struct sim_device *device, uint8_t *out, size_t capacity);
/* Bytes that all commands now waiting would take. */
size_t sim_device_commands_length(const struct sim_device *device);
/* A new uplink was made: answers that go once are done. A class A downlink came: sticky ones are. */
void sim_device_answers_sent(struct sim_device *device);
void sim_device_answers_heard(struct sim_device *device);
/* Applies the CFList of a join-accept. */
void sim_device_apply_cflist(struct sim_device *device, const uint8_t bytes[LW_CFLIST_LENGTH]);
/* The default channels are on again (ADR back-off, last step). */
void sim_device_restore_channels(struct sim_device *device);

/* device_frame.c: decides on counter, contents and commands of the next data frame. */
void sim_device_compose(struct sim_device *device, int64_t now_us, bool reading);
/* Writes the frame under way with the channel and rate of this attempt; returns its length. */
size_t sim_device_encode(struct sim_device *device, uint8_t *phy, size_t capacity);
/* Reads what a window heard; on SIM_DOWN_ACCEPTED session and parameters are up to date. */
enum sim_down_result sim_device_read_downlink(struct sim_device *device, int64_t now_us, const uint8_t *phy,
					      size_t length, struct sim_record *record);

#endif
