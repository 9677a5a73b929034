/* What the device's source files share among themselves: device.c (when), device_frame.c (bytes and keys), device_channels.c (what it
 * sends on and listens to), device_mac.c and device_adr.c (commands), device_join.c, device_listen.c. */
#ifndef LAMPPOST_SIM_DEVICE_PARTS_H
#define LAMPPOST_SIM_DEVICE_PARTS_H

#include "simulator/device.h"

#include "common/lorawan/mac_command.h"

/* device_channels.c: sets channels and parameters to what the device boots with. */
void sim_device_boot_parameters(struct sim_device *device);
/* Lowest rate of uplinks, by the dwell time. */
uint8_t sim_device_min_dr(const struct sim_device *device);
/* Applies the CFList of a join-accept. */
void sim_device_apply_cflist(struct sim_device *device, const uint8_t bytes[LW_CFLIST_LENGTH]);
/* The default channels are on again (ADR back-off, last step). */
void sim_device_restore_channels(struct sim_device *device);
/* With no channel left to send on, the default ones are on again. */
void sim_device_need_channel(struct sim_device *device);
/* The windows of the next uplink are what the network asked for, if that uplink has all the answers. */
void sim_device_windows_in_force(struct sim_device *device);

/* device_mac.c: applies the commands of a downlink in order, and queues the answers. */
void sim_device_apply_commands(struct sim_device *device, int64_t now_us, const uint8_t *bytes,
			       size_t length);
/* Writes requests and answers that are due into at most `capacity` bytes; returns the length. What does not fit waits. */
size_t sim_device_write_commands(struct sim_device *device, uint8_t *out, size_t capacity);
/* Bytes that all commands now waiting would take. */
size_t sim_device_commands_length(const struct sim_device *device);
/* A new uplink was made: answers that go once are done. A class A downlink came: sticky ones are. */
void sim_device_answers_sent(struct sim_device *device);
void sim_device_answers_heard(struct sim_device *device);
/* Queues an answer; until_downlink: it is repeated until a class A downlink is heard. */
void sim_device_answer(struct sim_device *device, const struct lw_mac_command *command, bool until_downlink);
/* device_commands.c: commands of 1.1 and class B. Boots their parameters; adds the device's own commands; applies one of the
 * network's, false: it is none of these. */
void sim_device_boot_more(struct sim_device *device);
void sim_device_more_requests(const struct sim_device *device, struct wr *wr);
bool sim_device_apply_more(struct sim_device *device, int64_t now_us, const struct lw_mac_command *command);
bool sim_device_tunable(const struct sim_device *device, uint32_t freq_hz);

/* device_adr.c: decides on a run of `count` LinkADRReq as one, and queues the answers. */
void sim_device_link_adr(struct sim_device *device, const struct lw_mac_command *block, size_t count);

/* device.c: moves between states; only what the diagram in device.h has is allowed. */
void sim_device_set_state(struct sim_device *device, enum sim_device_state state, int64_t next_us);
/* A random time of that span. */
int64_t sim_device_between(struct sim_device *device, int64_t from_us, int64_t to_us);
struct sim_record sim_device_record(const struct sim_device *device, enum sim_record_kind kind,
				    int64_t at_us);
void sim_device_put(const struct sim_device *device, const struct sim_record *record);
/* The rate of the next frame: the one in use, or the next lower one that a channel carries. */
uint8_t sim_device_rate(const struct sim_device *device);
/* Puts the frame under way on the air, on a free channel; false where it has to wait, and `next_us` says until when. */
bool sim_device_transmit(struct sim_device *device, int64_t now_us, uint8_t dr, struct sim_uplink *uplink);
/* The frame under way is over, or its windows have closed and it may be sent again. */
void sim_device_frame_is_over(struct sim_device *device, int64_t now_us, bool acknowledged);
void sim_device_exchange_closes(struct sim_device *device, int64_t now_us);

/* Nothing is under way: until the next reading, rejoin, or what the network wants soon. */
void sim_device_rest(struct sim_device *device, int64_t now_us);
/* The frame under way is a join- or a rejoin-request. */
static inline bool sim_device_awaits_accept(const struct sim_device *device)
{
	return device->joining || device->rejoining;
}

/* device_join.c: begins a join attempt, within the back-off; true if the request goes on the air. */
/* How long after RX2 it asks again. */
int64_t sim_device_join_pause_us(struct sim_device *device);
bool sim_device_start_join(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink);
/* Writes the join-request with the DevNonce of this attempt. */
size_t sim_device_encode_join(struct sim_device *device, uint8_t *phy);

/* device_rejoin.c. A session begins: its counts and times do. */
void sim_device_rejoin_begins(struct sim_device *device, int64_t now_us);
/* When the next rejoin-request is due; SIM_DEVICE_NEVER: none is. */
int64_t sim_device_rejoin_due_us(const struct sim_device *device);
/* Puts it on the air; false where it has to wait, as sim_device_transmit(). */
bool sim_device_start_rejoin(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink);
size_t sim_device_encode_rejoin(struct sim_device *device, uint8_t *phy);
void sim_device_rejoin_closes(struct sim_device *device);
void sim_device_force_rejoin(struct sim_device *device, const struct lw_mac_command *request);
enum sim_down_result sim_device_read_rejoin_accept(struct sim_device *device, int64_t now_us,
						   const uint8_t *phy, size_t length,
						   struct sim_record *record);
/* device_frame.c: the session that an accept gives; keys are there. `anew`: radio parameters begin anew, with those of the accept. */
void sim_device_enter_session(struct sim_device *device, const struct lw_join_accept *accept, bool anew);

/* device_listen.c: opens the windows of a frame that ends at `end_us`; returns when the last one closes. */
int64_t sim_device_plan_windows(struct sim_device *device, int64_t end_us);

/* device_frame.c: decides on counter, contents and commands of the next data frame, which leaves at that rate or a faster one. */
void sim_device_compose(struct sim_device *device, int64_t now_us, uint8_t dr, bool reading);
/* Writes the frame under way with the channel and rate of this attempt; returns its length. */
size_t sim_device_encode(struct sim_device *device, uint8_t *phy, size_t capacity);
/* Reads what a window heard; on SIM_DOWN_ACCEPTED session and parameters are up to date. */
enum sim_down_result sim_device_read_downlink(struct sim_device *device, int64_t now_us, const uint8_t *phy,
					      size_t length, struct sim_record *record);

#endif
