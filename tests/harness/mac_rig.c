#include "tests/harness/mac_rig.h"

#include "common/base/check.h"
#include "common/lorawan/cipher.h"
#include "tests/harness/harness.h"

#include <string.h>

#define STEP_HZ 100
#define NUMBER  T_DEV_EUI
#define ADDRESS 0x26000001

/* --- the ear --- */

static void read_down(struct t_mac *mac, const uint8_t *bytes, size_t length)
{
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	bool request = false;
	lw_mac_reader_init(&reader, LW_DOWN, bytes, length, STEP_HZ);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND) {
		mac->seen[LW_DOWN][command.cid]++;
		mac->late_tx_param += request && command.cid == LW_CID_TX_PARAM_SETUP;
		/* Answers to the device come before what is asked of it. */
		request |= lw_mac_row_find(LW_UP, command.cid) && command.cid != LW_CID_LINK_CHECK &&
			   command.cid != LW_CID_DEVICE_TIME && command.cid != LW_CID_REKEY &&
			   command.cid != LW_CID_RESET;
		if (mac->down_count < T_MAC_COMMANDS)
			mac->down[mac->down_count++] = command;
	}
	t_true("a downlink's commands are whole", reader.stopped == LW_MAC_READ_END);
}

static bool has(const struct t_mac *mac, uint8_t cid)
{
	for (size_t i = 0; i < mac->down_count; i++)
		if (mac->down[i].cid == cid)
			return true;
	return false;
}

static void hear_down(struct t_mac *mac, const struct gw_downlink *downlink)
{
	const struct sim_device *device = &mac->region.device;
	struct lw_frame frame;
	enum lw_ftype ftype;
	uint8_t fopts[LW_FOPTS_MAX], payload[LW_PHY_PAYLOAD_MAX];
	if (lw_classify(downlink->phy, downlink->phy_length, LW_DOWN, &ftype) != LW_OK ||
	    ftype == LW_JOIN_ACCEPT)
		return;
	if (!t_true("a downlink that can be read",
		    lw_frame_parse(&frame, downlink->phy, downlink->phy_length, LW_DOWN) == LW_OK))
		return;
	bool application = frame.has_fport && frame.fport > 0;
	memcpy(fopts, frame.fopts, frame.fctrl.fopts_length);
	if (device->rules_1_1)
		lw_cipher_fopts(mac->region.rig.aes, &device->keys.nwk_s_enc_key, LW_DOWN, frame.dev_addr,
				frame.fcnt, application ? LW_FOPTS_AFCNT_DOWN : LW_FOPTS_NFCNT_DOWN, fopts,
				frame.fctrl.fopts_length, fopts);
	mac->down_count = 0;
	mac->down_port_0 = frame.has_fport && frame.fport == 0;
	read_down(mac, fopts, frame.fctrl.fopts_length);
	mac->too_long += mac->down_port_0 && frame.fctrl.fopts_length > 0;
	if (mac->down_port_0) {
		lw_cipher_frm_payload(mac->region.rig.aes, &device->keys.nwk_s_enc_key, LW_DOWN,
				      frame.dev_addr, frame.fcnt, frame.frm_payload, frame.frm_payload_length,
				      payload);
		read_down(mac, payload, frame.frm_payload_length);
	}
	mac->mixed += has(mac, LW_CID_NEW_CHANNEL) && has(mac, LW_CID_LINK_ADR);
}

static void hear_up(struct t_mac *mac)
{
	const struct sim_device *device = &mac->region.device;
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	const uint8_t *bytes = device->frame_fport == 0 ? device->frame_payload : device->frame_fopts;
	size_t length = device->frame_fport == 0 ? device->frame_length : device->frame_fopts_length;
	lw_mac_reader_init(&reader, LW_UP, bytes, length, STEP_HZ);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND)
		mac->seen[LW_UP][command.cid]++;
}

static void hear_downs(struct t_mac *mac)
{
	for (; mac->heard < mac->region.rig.downlink_count; mac->heard++)
		hear_down(mac, &mac->region.rig.downlinks[mac->heard % RIG_SENT_MAX]);
}

void t_mac_exchange(struct t_mac *mac)
{
	t_region_exchange(&mac->region);
	if (!mac->region.joining)
		hear_up(mac);
	hear_downs(mac);
}

void t_mac_lost_uplink(struct t_mac *mac)
{
	struct rig *rig = &mac->region.rig;
	struct sim_device *device = &mac->region.device;
	struct sim_uplink uplink;
	bool on_air = false;
	for (unsigned i = 0; i < 100 && !on_air; i++) {
		rig_run(rig, sim_device_next_us(device) - rig->now.mono.us);
		on_air = sim_device_tick(device, rig->now.mono.us, &uplink);
	}
	t_true("the device sends", on_air);
	while (device->state == SIM_DEVICE_EXCHANGE) {
		rig_run(rig, sim_device_next_us(device) - rig->now.mono.us);
		(void)sim_device_tick(device, rig->now.mono.us, &uplink);
	}
}

bool t_mac_until(struct t_mac *mac, bool (*holds)(struct t_mac *mac), unsigned most)
{
	for (unsigned i = 0; i < most && !holds(mac); i++)
		t_mac_exchange(mac);
	return holds(mac);
}

void t_mac_exchanges(struct t_mac *mac, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		t_mac_exchange(mac);
}

/* --- set-up --- */

void t_mac_profile(struct t_mac *mac)
{
	t_region_profile(&mac->region);
}

static void boot_device(struct t_mac *mac, const struct t_mac_setup *setup)
{
	struct t_region *region = &mac->region;
	struct sim_device_config config = region->device.config;
	config.mac_version = setup->version;
	config.nwk_key = t_nwk_key;
	config.adr = false;
	config.confirmed_every = 0;
	if (setup->abp) {
		struct rig_device record;
		rig_abp(&region->rig, &record, NUMBER, 9, ADDRESS, setup->version >= LW_MAC_1_1_0);
		config.activation = SIM_ABP;
		config.dev_addr = record.dev_addr;
		config.session_keys = record.keys;
		config.rx_delay_s = 1;
	}
	if (setup->device)
		setup->device(&config);
	sim_device_init(&region->device, &config, 0, region->rig.aes, 7, (struct sim_sink){NULL, NULL});
}

void t_mac_open(struct t_mac *mac, const struct t_mac_setup *setup)
{
	memset(mac, 0, sizeof *mac);
	t_region_open(&mac->region, setup->region ? setup->region : "eu868", "",
		      setup->extra ? setup->extra : "", 0);
	mac->region.profile.mac_version = setup->version;
	t_mac_profile(mac);
	struct js_record keys = t_join_record(&mac->region.join, 2, setup->version);
	t_join_provision(&mac->region.join, &keys);
	boot_device(mac, setup);
	for (unsigned i = 0; i < 6 && !mac->region.device.joined; i++)
		t_mac_exchange(mac);
	t_true("joined", mac->region.device.joined);
	t_mac_exchange(mac);
	t_true("a session", t_mac_session(mac));
}

void t_mac_close(struct t_mac *mac)
{
	t_uint("NewChannelReq and LinkADRReq in one frame", 0, mac->mixed);
	t_uint("commands in FOpts and FPort 0 of one frame", 0, mac->too_long);
	t_uint("TxParamSetupReq behind another request", 0, mac->late_tx_param);
	t_region_close(&mac->region);
}

uint32_t t_mac_slot(struct t_mac *mac)
{
	uint32_t at = 0;
	return ns_sessions_next(&mac->region.rig.ns.sessions, mac->region.device.dev_addr, &at);
}

struct ns_session *t_mac_session(struct t_mac *mac)
{
	return t_region_session(&mac->region);
}

const struct ns_rare *t_mac_rare(struct t_mac *mac)
{
	return ns_session_rare(&mac->region.rig.ns.sessions, t_mac_session(mac));
}

uint64_t t_mac_asked(const struct t_mac *mac, enum ns_mac_kind kind)
{
	return mac->region.rig.ns.mac_counts[kind].asked;
}
