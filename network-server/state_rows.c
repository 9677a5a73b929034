#include "network-server/state_rows.h"

#include "common/base/check.h"

#define FORMAT 1
#define FORMAT_PROFILE \
	4 /* 1 ended with `late_uplink_s`, 2 with `confirmed_downlink_tries`, 3 with `adr_fixed_dr` */
#define FORMAT_GATEWAY 2 /* 1 had one token and no policy but UDP or not, and ended with `channel_plan` */

static uint8_t format_of(enum ns_write_kind kind)
{
	return kind == NS_WRITE_PROFILE ? FORMAT_PROFILE : kind == NS_WRITE_GATEWAY ? FORMAT_GATEWAY : FORMAT;
}

static struct wr begin(struct ns_write *write)
{
	struct wr wr = wr_init(write->bytes, sizeof write->bytes);
	wr_u8(&wr, format_of(write->kind));
	return wr;
}

static void end(struct ns_write *write, const struct wr *wr)
{
	ASSERT(wr_ok(wr));
	write->length = (uint8_t)wr_length(wr);
}

void ns_state_write_profile(struct ns *ns, const struct net_profile *profile)
{
	struct ns_write *write = ns_write(ns, NS_WRITE_PROFILE, profile->id.bytes, 16);
	struct wr wr = begin(write);
	wr_u64le(&wr, profile->version);
	wr_u8(&wr, (uint8_t)profile->mac_version);
	wr_copy(&wr, (const uint8_t *)profile->region_id, sizeof profile->region_id);
	wr_u8(&wr, (uint8_t)profile->device_class);
	wr_u8(&wr, profile->rx_delay_s);
	wr_u8(&wr, profile->rx1_dr_offset);
	wr_u8(&wr, profile->rx2_dr);
	wr_u32le(&wr, profile->rx2_freq_hz);
	wr_u8(&wr, (uint8_t)(profile->adr | profile->allow_fcnt_reset << 1));
	wr_u32le(&wr, profile->late_uplink_s);
	wr_u16le(&wr, profile->dev_status_interval_h);
	wr_u8(&wr, profile->adr_margin_db);
	wr_u8(&wr, profile->min_dr);
	wr_u8(&wr, profile->max_dr);
	wr_u8(&wr, profile->max_nb_trans);
	wr_u8(&wr, profile->max_duty_cycle);
	wr_u8(&wr, profile->uplink_dwell);
	wr_u8(&wr, profile->downlink_dwell);
	wr_u8(&wr, profile->max_eirp_dbm);
	wr_u8(&wr, profile->confirmed_downlink_tries);
	wr_u8(&wr, (uint8_t)profile->adr_algorithm);
	wr_u8(&wr, profile->adr_fixed_dr);
	wr_u8(&wr, (uint8_t)profile->regional_revision);
	wr_u8(&wr, profile->fcnt_16_bit);
	wr_u8(&wr, profile->quirks);
	wr_u8(&wr, profile->adr_ack_limit_exp);
	wr_u8(&wr, profile->adr_ack_delay_exp);
	wr_u8(&wr, (uint8_t)profile->rejoin);
	wr_u8(&wr, profile->rejoin_time_exp);
	wr_u8(&wr, profile->rejoin_count_exp);
	wr_u32le(&wr, profile->beacon_freq_hz);
	wr_u32le(&wr, profile->ping_slot_freq_hz);
	wr_u8(&wr, profile->ping_slot_dr);
	end(write, &wr);
}

void ns_state_write_device(struct ns *ns, const struct net_device *device)
{
	struct ns_write *write = ns_write(ns, NS_WRITE_DEVICE, device->dev_eui.bytes, 8);
	struct wr wr = begin(write);
	wr_u64le(&wr, device->version);
	wr_copy(&wr, device->join_eui.bytes, 8);
	wr_copy(&wr, device->profile.bytes, 16);
	wr_u8(&wr, (uint8_t)(device->enabled | (device->activation == NET_ABP) << 1 |
			     device->private_keys << 2 | device->replaced << 3));
	end(write, &wr);
}

void ns_state_write_gateway(struct ns *ns, const struct net_gateway *gateway)
{
	struct ns_write *write = ns_write(ns, NS_WRITE_GATEWAY, gateway->gateway.eui.bytes, 8);
	struct wr wr = begin(write);
	wr_u64le(&wr, gateway->version);
	wr_copy(&wr, (const uint8_t *)gateway->gateway.region_id, sizeof gateway->gateway.region_id);
	wr_u8(&wr, gateway->gateway.accept);
	wr_copy(&wr, (const uint8_t *)gateway->gateway.source_cidr, sizeof gateway->gateway.source_cidr);
	wr_copy(&wr, (const uint8_t *)gateway->channel_plan, sizeof gateway->channel_plan);
	wr_u64le(&wr, (uint64_t)gateway->gateway.certificates_void_us);
	wr_u8(&wr, (uint8_t)gateway->gateway.chip);
	wr_u8(&wr, gateway->gateway.token_count);
	for (size_t i = 0; i < gateway->gateway.token_count; i++)
		wr_copy(&wr, gateway->gateway.token_hashes[i], sizeof gateway->gateway.token_hashes[i]);
	end(write, &wr);
}

void ns_state_write_meta(struct ns *ns)
{
	struct ns_write *write = ns_write(ns, NS_WRITE_META, NULL, 0);
	struct wr wr = begin(write);
	wr_copy(&wr, ns->state.city.bytes, 16);
	wr_u64le(&wr, ns->state.applied_version);
	end(write, &wr);
}

static void read_text(struct rd *rd, char *text, size_t size)
{
	rd_copy(rd, (uint8_t *)text, size);
	text[size - 1] = 0;
}

/* What the fourth format added. */
static bool load_fourth(struct rd *rd, struct net_profile *profile)
{
	uint8_t revision = rd_u8(rd);
	profile->fcnt_16_bit = rd_u8(rd) & 1;
	profile->quirks = rd_u8(rd);
	profile->adr_ack_limit_exp = rd_u8(rd);
	profile->adr_ack_delay_exp = rd_u8(rd);
	uint8_t rejoin = rd_u8(rd);
	profile->rejoin_time_exp = rd_u8(rd);
	profile->rejoin_count_exp = rd_u8(rd);
	profile->beacon_freq_hz = rd_u32le(rd);
	profile->ping_slot_freq_hz = rd_u32le(rd);
	profile->ping_slot_dr = rd_u8(rd);
	if (revision >= LW_REGIONAL_REVISION_COUNT || rejoin >= NET_REJOINS || profile->quirks > NET_QUIRKS)
		return false;
	profile->regional_revision = (enum lw_regional_revision)revision;
	profile->rejoin = (enum net_rejoin)rejoin;
	return true;
}

static bool load_profile(struct ns *ns, uint8_t format, const uint8_t *key, struct rd *rd)
{
	struct net_profile profile = {.version = rd_u64le(rd)};
	net_profile_defaults(&profile);
	memcpy(profile.id.bytes, key, 16);
	profile.mac_version = rd_u8(rd);
	read_text(rd, profile.region_id, sizeof profile.region_id);
	profile.device_class = rd_u8(rd);
	profile.rx_delay_s = rd_u8(rd);
	profile.rx1_dr_offset = rd_u8(rd);
	profile.rx2_dr = rd_u8(rd);
	profile.rx2_freq_hz = rd_u32le(rd);
	uint8_t flags = rd_u8(rd);
	profile.adr = flags & 1;
	profile.allow_fcnt_reset = flags >> 1 & 1;
	profile.late_uplink_s = rd_u32le(rd);
	if (format >= 2) {
		profile.dev_status_interval_h = rd_u16le(rd);
		profile.adr_margin_db = rd_u8(rd);
		profile.min_dr = rd_u8(rd);
		profile.max_dr = rd_u8(rd);
		profile.max_nb_trans = rd_u8(rd);
		profile.max_duty_cycle = rd_u8(rd);
		profile.uplink_dwell = rd_u8(rd);
		profile.downlink_dwell = rd_u8(rd);
		profile.max_eirp_dbm = rd_u8(rd);
		profile.confirmed_downlink_tries = rd_u8(rd);
	}
	if (format >= 3) {
		uint8_t algorithm = rd_u8(rd);
		profile.adr_fixed_dr = rd_u8(rd);
		if (algorithm >= NET_ADR_ALGORITHMS || profile.adr_fixed_dr >= LW_DATA_RATES)
			return false;
		profile.adr_algorithm = algorithm;
	}
	return (format < 4 || load_fourth(rd, &profile)) && rd_ok(rd) &&
	       ns_state_put_profile(ns, (struct now){0}, &profile);
}

static bool load_device(struct ns *ns, const uint8_t *key, struct rd *rd)
{
	struct net_device device = {.version = rd_u64le(rd)};
	memcpy(device.dev_eui.bytes, key, 8);
	rd_copy(rd, device.join_eui.bytes, 8);
	rd_copy(rd, device.profile.bytes, 16);
	uint8_t flags = rd_u8(rd);
	device.enabled = flags & 1;
	device.activation = flags >> 1 & 1 ? NET_ABP : NET_OTAA;
	device.private_keys = flags >> 2 & 1;
	device.replaced = flags >> 3 & 1;
	uint32_t slot;
	return rd_ok(rd) && ns_state_put_device(ns, (struct now){0}, &device, &slot);
}

/* Of before there was a policy: UDP or not, and one token or none. */
static void read_gateway_1(struct rd *rd, struct net_gateway *gateway)
{
	uint8_t flags = rd_u8(rd);
	gateway->gateway.accept = (uint8_t)((flags & 1 ? GW_ACCEPT_UDP : 0u) | GW_ACCEPT_TOKEN |
					    GW_ACCEPT_CERTIFICATE);
	gateway->gateway.token_count = flags >> 1 & 1;
	gateway->gateway.chip = GW_SX1302;
	read_text(rd, gateway->gateway.source_cidr, sizeof gateway->gateway.source_cidr);
	rd_copy(rd, gateway->gateway.token_hashes[0], sizeof gateway->gateway.token_hashes[0]);
	read_text(rd, gateway->channel_plan, sizeof gateway->channel_plan);
}

static bool read_gateway(struct rd *rd, struct net_gateway *gateway)
{
	gateway->gateway.accept = rd_u8(rd);
	read_text(rd, gateway->gateway.source_cidr, sizeof gateway->gateway.source_cidr);
	read_text(rd, gateway->channel_plan, sizeof gateway->channel_plan);
	gateway->gateway.certificates_void_us = (int64_t)rd_u64le(rd);
	uint8_t chip = rd_u8(rd);
	gateway->gateway.chip = (enum gw_chip)chip;
	gateway->gateway.token_count = rd_u8(rd);
	if (chip >= GW_CHIP_COUNT || gateway->gateway.token_count > GW_TOKENS_MAX)
		return false;
	for (size_t i = 0; i < gateway->gateway.token_count; i++)
		rd_copy(rd, gateway->gateway.token_hashes[i], sizeof gateway->gateway.token_hashes[i]);
	return true;
}

static bool load_gateway(struct ns *ns, const uint8_t *key, struct rd *rd, uint8_t format)
{
	struct net_gateway gateway = {.version = rd_u64le(rd)};
	memcpy(gateway.gateway.eui.bytes, key, 8);
	read_text(rd, gateway.gateway.region_id, sizeof gateway.gateway.region_id);
	if (format == 1)
		read_gateway_1(rd, &gateway);
	else if (!read_gateway(rd, &gateway))
		return false;
	return rd_ok(rd) && ns_state_put_gateway(ns, (struct now){0}, &gateway);
}

static bool load_meta(struct ns *ns, struct rd *rd)
{
	struct net_uuid city = {{0}};
	rd_copy(rd, city.bytes, 16);
	uint64_t version = rd_u64le(rd);
	if (!rd_ok(rd))
		return false;
	ns->state.city = city;
	ns->state.applied_version = version;
	return true;
}

bool ns_load_write(struct ns *ns, enum ns_write_kind kind, const uint8_t *key, size_t key_length,
		   const uint8_t *bytes, size_t length)
{
	struct rd rd = rd_init(bytes, length);
	struct rd at = rd_init(key, key_length);
	uint8_t format = rd_u8(&rd);
	if (format < 1 || format > format_of(kind))
		return false;
	switch (kind) {
	case NS_WRITE_PROFILE: return key_length == 16 && load_profile(ns, format, key, &rd);
	case NS_WRITE_DEVICE: return key_length == 8 && load_device(ns, key, &rd);
	case NS_WRITE_GATEWAY: return key_length == 8 && load_gateway(ns, key, &rd, format);
	case NS_WRITE_RELEASED: {
		struct lw_dev_addr dev_addr = {rd_u32be(&at)};
		uint16_t day = rd_u16le(&rd);
		if (!rd_ok(&rd) || !rd_ok(&at))
			return false;
		ns_foreign_released(&ns->foreign, dev_addr, day);
		return true;
	}
	case NS_WRITE_META: return load_meta(ns, &rd);
	}
	return false;
}
