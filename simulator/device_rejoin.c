/* Rejoin-requests (TS001-1.1 §5.13, §5.14, §6.2.4):
 *
 *	type 0   by RejoinParamSetupReq, after so many uplinks or so long; or by ForceRejoinReq
 *	type 1   when the device doubts its session (an order of a test or a scenario)
 *	type 2   by ForceRejoinReq
 *
 * A request leaves on the channels and with the windows of the session, whose delays are those of a join. Every transmission has a
 * count of its own: RJcount0 of the session for types 0 and 2, RJcount1 for ever. Nothing of the session changes until an accept
 * comes, which is ciphered with JSEncKey and signed with JSIntKey over type, JoinEUI and count. */
#include "simulator/device_parts.h"

#include "common/base/check.h"
#include "common/lorawan/mic.h"

#include <string.h>

#define S_US        INT64_C(1000000)
#define RETRY_UNIT  (32 * S_US)
#define COUNT_LIMIT 0xffff /* never sent: a device stops there */
#define NOT_ASKED   255

static bool counts_with_session(uint8_t type)
{
	return type != 1;
}

static uint32_t *count_of(struct sim_device *device, uint8_t type)
{
	return &device->rj_count[!counts_with_session(type)];
}

/* --- when ---------------------------------------------------------------------------------------------------- */

void sim_device_rejoin_begins(struct sim_device *device, int64_t now_us)
{
	device->rejoin_since_us = now_us;
	device->rejoin_uplinks = 0;
	device->rejoin_order = SIM_NO_REJOIN;
}

void sim_device_order_rejoin(struct sim_device *device, int64_t now_us, uint8_t type)
{
	if (!device->joined || !device->rules_1_1 || device->config.activation != SIM_OTAA)
		return;
	device->rejoin_order = type;
	device->rejoin_left = 1;
	device->rejoin_period = 0;
	device->rejoin_dr = SIM_NO_REJOIN;
	device->rejoin_order_us = now_us;
	if (device->state == SIM_DEVICE_IDLE)
		sim_device_set_state(device, SIM_DEVICE_IDLE, now_us);
}

/* §5.13: at once, and as often again as it says; types 0 and 1 ask for type 0. */
void sim_device_force_rejoin(struct sim_device *device, const struct lw_mac_command *request)
{
	uint8_t type = request->as.force_rejoin_req.rejoin_type;
	if (!device->rules_1_1 || device->config.activation != SIM_OTAA || type > 2)
		return;
	device->rejoin_order = type == 2 ? 2 : 0;
	device->rejoin_left = (uint8_t)(request->as.force_rejoin_req.max_retries + 1);
	device->rejoin_period = request->as.force_rejoin_req.period;
	device->rejoin_dr = request->as.force_rejoin_req.data_rate;
	device->rejoin_order_us = 0;
}

/* By RejoinParamSetupReq (§5.14). */
static int64_t periodic_us(const struct sim_device *device)
{
	if (device->rejoin_max_count_n != NOT_ASKED &&
	    device->rejoin_uplinks >= UINT32_C(1) << (device->rejoin_max_count_n + 4))
		return device->rejoin_since_us;
	if (device->rejoin_max_time_n == NOT_ASKED)
		return SIM_DEVICE_NEVER;
	return device->rejoin_since_us + (S_US << (device->rejoin_max_time_n + 10));
}

int64_t sim_device_rejoin_due_us(const struct sim_device *device)
{
	if (!device->joined || !device->rules_1_1 || device->config.activation != SIM_OTAA)
		return SIM_DEVICE_NEVER;
	int64_t due_us = device->rj_count[0] < COUNT_LIMIT ? periodic_us(device) : SIM_DEVICE_NEVER;
	if (device->rejoin_order != SIM_NO_REJOIN && device->rejoin_order_us < due_us)
		due_us = device->rejoin_order_us;
	return due_us;
}

/* --- the request --------------------------------------------------------------------------------------------- */

size_t sim_device_encode_rejoin(struct sim_device *device, uint8_t *phy)
{
	uint8_t type = device->rejoin_type;
	struct lw_rejoin_request request = {.type = type,
					    .net_id = device->net_id,
					    .join_eui = device->config.join_eui,
					    .dev_eui = device->config.dev_eui,
					    .rj_count = (uint16_t)*count_of(device, type)};
	size_t length = lw_rejoin_request_encode(&request, phy);
	const struct lw_key *key = counts_with_session(type) ? &device->keys.s_nwk_s_int_key
							     : &device->js_int_key;
	struct lw_mic mic = lw_mic_join(device->aes, key, phy, length - sizeof mic.bytes);
	memcpy(phy + length - sizeof mic.bytes, mic.bytes, sizeof mic.bytes);
	return length;
}

bool sim_device_start_rejoin(struct sim_device *device, int64_t now_us, struct sim_uplink *uplink)
{
	bool ordered = device->rejoin_order != SIM_NO_REJOIN && device->rejoin_order_us <= now_us;
	uint8_t type = ordered ? device->rejoin_order : 0;
	uint8_t dr = sim_device_rate(device);
	if (ordered && device->rejoin_dr != SIM_NO_REJOIN &&
	    sim_plan_has_rate(device->config.plan, device->rejoin_dr, true))
		dr = device->rejoin_dr;
	if (*count_of(device, type) >= COUNT_LIMIT) {
		device->rejoin_order = SIM_NO_REJOIN;
		return false;
	}
	device->rejoining = true;
	device->rejoin_type = type;
	device->attempt = 0;
	if (!sim_device_transmit(device, now_us, dr, uplink)) {
		device->rejoining = false;
		return false;
	}
	if (type == 0) {
		device->rejoin_since_us = now_us;
		device->rejoin_uplinks = 0;
	}
	if (ordered && --device->rejoin_left == 0)
		device->rejoin_order = SIM_NO_REJOIN;
	device->rejoin_order_us = now_us + sim_device_between(device, 0, RETRY_UNIT) +
				  (RETRY_UNIT << device->rejoin_period);
	return true;
}

/* RX2 has closed: the session goes on as before, with the next count. */
void sim_device_rejoin_closes(struct sim_device *device)
{
	(*count_of(device, device->rejoin_type))++;
	device->rejoining = false;
}

/* --- the accept ---------------------------------------------------------------------------------------------- */

/* §6.2.3. OptNeg is always set in an answer to a rejoin, and the JoinNonce always greater. */
static enum sim_down_result open_accept(struct sim_device *device, const uint8_t *phy, size_t length,
					struct lw_join_accept *accept)
{
	uint8_t plain[LW_JOIN_ACCEPT_MAX];
	if (length != LW_JOIN_ACCEPT_LENGTH && length != LW_JOIN_ACCEPT_MAX)
		return SIM_DOWN_MALFORMED;
	memcpy(plain, phy, length);
	struct lw_key js_enc_key = lw_key_js_enc(device->aes, &device->config.nwk_key,
						 &device->config.dev_eui);
	if (lw_join_accept_decrypt(device->aes, &js_enc_key, plain, length) != LW_OK ||
	    lw_join_accept_parse(accept, plain, length) != LW_OK)
		return SIM_DOWN_MALFORMED;
	struct lw_mic mic = lw_mic_join_accept_1_1(
		device->aes, &device->js_int_key, device->rejoin_type, &device->config.join_eui,
		(uint16_t)*count_of(device, device->rejoin_type), plain, length - sizeof mic.bytes);
	if (!lw_mic_equal(mic, accept->mic) || !accept->dl_settings.opt_neg)
		return SIM_DOWN_MIC;
	return accept->join_nonce > device->join_nonce ? SIM_DOWN_ACCEPTED : SIM_DOWN_JOIN_NONCE;
}

enum sim_down_result sim_device_read_rejoin_accept(struct sim_device *device, int64_t now_us,
						   const uint8_t *phy, size_t length,
						   struct sim_record *record)
{
	const struct sim_plan *plan = device->config.plan;
	struct lw_join_accept accept = {0};
	enum sim_down_result result = open_accept(device, phy, length, &accept);
	if (result != SIM_DOWN_ACCEPTED)
		return result;
	uint8_t type = device->rejoin_type;
	record->join_nonce = accept.join_nonce;
	record->dev_addr = accept.dev_addr;
	record->dev_nonce = (uint16_t)*count_of(device, type);
	record->join_req_type = type;
	if (!sim_plan_has_rate(plan, accept.dl_settings.rx2_data_rate, false) ||
	    accept.dl_settings.rx1_dr_offset > plan->max_rx1_offset)
		return SIM_DOWN_PARAMETERS;
	lw_session_keys_1_1(device->aes, &device->config.nwk_key, &device->config.app_key, accept.join_nonce,
			    &device->config.join_eui, (uint16_t)*count_of(device, type), &device->keys);
	if (!counts_with_session(type))
		(*count_of(device, type))++;
	sim_device_enter_session(device, &accept, type != 2);
	sim_device_rejoin_begins(device, now_us);
	return SIM_DOWN_ACCEPTED;
}
