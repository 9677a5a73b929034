/* Desired state, application-server → network-server. A removed record carries its identity and version alone. */
#include "common/proto/convert.h"

#include <string.h>

enum status pack_state_wanted(const struct proto_message *message, struct packing *to)
{
	const struct net_state_wanted *in = &message->state_wanted;
	Lamppost__StateWanted out = LAMPPOST__STATE_WANTED__INIT;
	out.city = convert_bytes(in->city.bytes, sizeof in->city.bytes);
	out.applied_version = in->applied_version;
	out.regions = in->regions[0] ? convert_text(in->regions) : NULL;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_STATE_WANTED, &out);
}

bool unpack_state_wanted(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__StateWanted *in = envelope->state_wanted;
	struct net_state_wanted *out = &message->state_wanted;
	*out = (struct net_state_wanted){.applied_version = in->applied_version};
	return convert_take_exact(out->city.bytes, sizeof out->city.bytes, &in->city) &&
	       convert_take_text(out->regions, sizeof out->regions, in->regions);
}

enum status pack_state_begin(const struct proto_message *message, struct packing *to)
{
	const struct net_state_begin *in = &message->state_begin;
	Lamppost__StateBegin out = LAMPPOST__STATE_BEGIN__INIT;
	out.city = convert_bytes(in->city.bytes, sizeof in->city.bytes);
	out.full = in->full;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_STATE_BEGIN, &out);
}

bool unpack_state_begin(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__StateBegin *in = envelope->state_begin;
	struct net_state_begin *out = &message->state_begin;
	*out = (struct net_state_begin){.full = in->full};
	return convert_take_exact(out->city.bytes, sizeof out->city.bytes, &in->city);
}

enum status pack_state_end(const struct proto_message *message, struct packing *to)
{
	Lamppost__StateEnd out = LAMPPOST__STATE_END__INIT;
	out.version = message->state_end.version;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_STATE_END, &out);
}

bool unpack_state_end(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	message->state_end = (struct net_state_end){.version = envelope->state_end->version};
	return true;
}

enum status pack_state_applied(const struct proto_message *message, struct packing *to)
{
	Lamppost__StateApplied out = LAMPPOST__STATE_APPLIED__INIT;
	out.version = message->state_applied.version;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_STATE_APPLIED, &out);
}

bool unpack_state_applied(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	message->state_applied = (struct net_state_applied){.version = envelope->state_applied->version};
	return true;
}

enum status pack_profile(const struct proto_message *message, struct packing *to)
{
	const struct net_profile *in = &message->profile;
	Lamppost__ProfileRecord out = LAMPPOST__PROFILE_RECORD__INIT;
	out.version = in->version;
	out.id = convert_bytes(in->id.bytes, sizeof in->id.bytes);
	out.deleted = in->deleted;
	if (!in->deleted) {
		out.has_mac_version = out.has_device_class = out.has_rx_delay_s = out.has_rx1_dr_offset = 1;
		out.has_rx2_dr = out.has_rx2_freq_hz = out.has_adr = out.has_allow_fcnt_reset = 1;
		out.has_late_uplink_s = out.has_adr_margin_db = out.has_min_dr = out.has_max_dr = 1;
		out.has_max_nb_trans = out.has_dev_status_interval_h = out.has_max_duty_cycle = 1;
		out.has_uplink_dwell = out.has_downlink_dwell = out.has_max_eirp_dbm = 1;
		out.has_confirmed_downlink_tries = out.has_adr_algorithm = out.has_adr_fixed_dr = 1;
		out.has_regional_revision = out.has_fcnt_16_bit = out.has_quirks = out.has_rejoin = 1;
		out.has_adr_ack_limit_exp = out.has_adr_ack_delay_exp = out.has_rejoin_time_exp = 1;
		out.has_rejoin_count_exp = out.has_beacon_freq_hz = out.has_ping_slot_freq_hz = 1;
		out.has_ping_slot_dr = 1;
		out.mac_version = (uint32_t)in->mac_version;
		out.region_id = convert_text(in->region_id);
		out.device_class = (uint32_t)in->device_class;
		out.rx_delay_s = in->rx_delay_s;
		out.rx1_dr_offset = in->rx1_dr_offset;
		out.rx2_dr = in->rx2_dr;
		out.rx2_freq_hz = in->rx2_freq_hz;
		out.adr = in->adr;
		out.allow_fcnt_reset = in->allow_fcnt_reset;
		out.late_uplink_s = in->late_uplink_s;
		out.adr_margin_db = in->adr_margin_db;
		out.min_dr = in->min_dr;
		out.max_dr = in->max_dr;
		out.max_nb_trans = in->max_nb_trans;
		out.dev_status_interval_h = in->dev_status_interval_h;
		out.max_duty_cycle = in->max_duty_cycle;
		out.uplink_dwell = in->uplink_dwell;
		out.downlink_dwell = in->downlink_dwell;
		out.max_eirp_dbm = in->max_eirp_dbm;
		out.confirmed_downlink_tries = in->confirmed_downlink_tries;
		out.adr_algorithm = (uint32_t)in->adr_algorithm;
		out.adr_fixed_dr = in->adr_fixed_dr;
		out.regional_revision = (uint32_t)in->regional_revision;
		out.fcnt_16_bit = in->fcnt_16_bit;
		out.quirks = in->quirks;
		out.adr_ack_limit_exp = in->adr_ack_limit_exp;
		out.adr_ack_delay_exp = in->adr_ack_delay_exp;
		out.rejoin = (uint32_t)in->rejoin;
		out.rejoin_time_exp = in->rejoin_time_exp;
		out.rejoin_count_exp = in->rejoin_count_exp;
		out.beacon_freq_hz = in->beacon_freq_hz;
		out.ping_slot_freq_hz = in->ping_slot_freq_hz;
		out.ping_slot_dr = in->ping_slot_dr;
	}
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_PROFILE, &out);
}

static const char *const adr_names[NET_ADR_ALGORITHMS] = {
	[NET_ADR_USUAL] = "usual",
	[NET_ADR_FIXED] = "fixed",
	[NET_ADR_STEADY] = "steady",
};

const char *net_adr_algorithm_name(enum net_adr_algorithm algorithm)
{
	return (unsigned)algorithm < NET_ADR_ALGORITHMS ? adr_names[algorithm] : "unknown";
}

bool net_adr_algorithm_parse(const char *name, enum net_adr_algorithm *algorithm)
{
	for (int i = 0; i < NET_ADR_ALGORITHMS; i++)
		if (!strcmp(name, adr_names[i])) {
			*algorithm = (enum net_adr_algorithm)i;
			return true;
		}
	return false;
}

static const char *const rejoin_names[NET_REJOINS] = {
	[NET_REJOIN_ALL] = "all",
	[NET_REJOIN_KEYS] = "keys",
	[NET_REJOIN_NONE] = "none",
};

bool net_rejoin_parse(const char *name, enum net_rejoin *rejoin)
{
	for (int i = 0; i < NET_REJOINS; i++)
		if (!strcmp(name, rejoin_names[i])) {
			*rejoin = (enum net_rejoin)i;
			return true;
		}
	return false;
}

void net_profile_defaults(struct net_profile *profile)
{
	const Lamppost__ProfileRecord absent = LAMPPOST__PROFILE_RECORD__INIT;
	profile->adr_margin_db = (uint8_t)absent.adr_margin_db;
	profile->min_dr = (uint8_t)absent.min_dr;
	profile->max_dr = (uint8_t)absent.max_dr;
	profile->max_nb_trans = (uint8_t)absent.max_nb_trans;
	profile->dev_status_interval_h = (uint16_t)absent.dev_status_interval_h;
	profile->max_duty_cycle = (uint8_t)absent.max_duty_cycle;
	profile->uplink_dwell = (uint8_t)absent.uplink_dwell;
	profile->downlink_dwell = (uint8_t)absent.downlink_dwell;
	profile->max_eirp_dbm = (uint8_t)absent.max_eirp_dbm;
	profile->confirmed_downlink_tries = (uint8_t)absent.confirmed_downlink_tries;
	profile->adr_algorithm = (enum net_adr_algorithm)absent.adr_algorithm;
	profile->adr_fixed_dr = (uint8_t)absent.adr_fixed_dr;
	profile->regional_revision = (enum lw_regional_revision)absent.regional_revision;
	profile->fcnt_16_bit = absent.fcnt_16_bit;
	profile->quirks = (uint8_t)absent.quirks;
	profile->adr_ack_limit_exp = (uint8_t)absent.adr_ack_limit_exp;
	profile->adr_ack_delay_exp = (uint8_t)absent.adr_ack_delay_exp;
	profile->rejoin = (enum net_rejoin)absent.rejoin;
	profile->rejoin_time_exp = (uint8_t)absent.rejoin_time_exp;
	profile->rejoin_count_exp = (uint8_t)absent.rejoin_count_exp;
	profile->beacon_freq_hz = absent.beacon_freq_hz;
	profile->ping_slot_freq_hz = absent.ping_slot_freq_hz;
	profile->ping_slot_dr = (uint8_t)absent.ping_slot_dr;
}

static bool is_choice(uint32_t value, uint32_t max)
{
	return value <= max || value == NET_REGIONS_OWN;
}

static bool mac_fields_ok(const Lamppost__ProfileRecord *in)
{
	return in->adr_margin_db <= 30 && in->min_dr <= 14 && is_choice(in->max_dr, 14) &&
	       in->max_nb_trans >= 1 && in->max_nb_trans <= 3 && in->dev_status_interval_h <= 8784 &&
	       in->max_duty_cycle <= 15 && is_choice(in->uplink_dwell, 1) &&
	       is_choice(in->downlink_dwell, 1) && is_choice(in->max_eirp_dbm, 36) &&
	       in->confirmed_downlink_tries >= 1 && in->confirmed_downlink_tries <= 8 &&
	       in->adr_algorithm < NET_ADR_ALGORITHMS && in->adr_fixed_dr <= 14;
}

static bool newer_mac_fields_ok(const Lamppost__ProfileRecord *in)
{
	return in->regional_revision < LW_REGIONAL_REVISION_COUNT && in->quirks <= NET_QUIRKS &&
	       is_choice(in->adr_ack_limit_exp, 15) && is_choice(in->adr_ack_delay_exp, 15) &&
	       in->rejoin < NET_REJOINS && is_choice(in->rejoin_time_exp, 15) &&
	       is_choice(in->rejoin_count_exp, 15) && is_choice(in->ping_slot_dr, 15);
}

bool unpack_profile(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__ProfileRecord *in = envelope->profile;
	if (!in->deleted &&
	    (!in->has_mac_version || in->mac_version >= LW_MAC_VERSION_COUNT || !in->region_id ||
	     in->region_id[0] == '\0' || in->device_class > NET_CLASS_C || in->rx_delay_s > 15 ||
	     in->rx1_dr_offset > 7 || !in->has_rx2_dr || (in->rx2_dr > 15 && in->rx2_dr != 255) ||
	     !mac_fields_ok(in) || !newer_mac_fields_ok(in)))
		return false;
	struct net_profile *out = &message->profile;
	*out = (struct net_profile){
		.version = in->version,
		.deleted = in->deleted,
		.mac_version = (enum lw_mac_version)in->mac_version,
		.device_class = (enum net_class)in->device_class,
		.rx_delay_s = (uint8_t)in->rx_delay_s,
		.rx1_dr_offset = (uint8_t)in->rx1_dr_offset,
		.rx2_dr = (uint8_t)in->rx2_dr,
		.rx2_freq_hz = in->rx2_freq_hz,
		.adr = in->adr,
		.allow_fcnt_reset = in->allow_fcnt_reset,
		.late_uplink_s = in->late_uplink_s,
		.adr_margin_db = (uint8_t)in->adr_margin_db,
		.min_dr = (uint8_t)in->min_dr,
		.max_dr = (uint8_t)in->max_dr,
		.max_nb_trans = (uint8_t)in->max_nb_trans,
		.dev_status_interval_h = (uint16_t)in->dev_status_interval_h,
		.max_duty_cycle = (uint8_t)in->max_duty_cycle,
		.uplink_dwell = (uint8_t)in->uplink_dwell,
		.downlink_dwell = (uint8_t)in->downlink_dwell,
		.max_eirp_dbm = (uint8_t)in->max_eirp_dbm,
		.confirmed_downlink_tries = (uint8_t)in->confirmed_downlink_tries,
		.adr_algorithm = (enum net_adr_algorithm)in->adr_algorithm,
		.adr_fixed_dr = (uint8_t)in->adr_fixed_dr,
		.regional_revision = (enum lw_regional_revision)in->regional_revision,
		.fcnt_16_bit = in->fcnt_16_bit,
		.quirks = (uint8_t)in->quirks,
		.adr_ack_limit_exp = (uint8_t)in->adr_ack_limit_exp,
		.adr_ack_delay_exp = (uint8_t)in->adr_ack_delay_exp,
		.rejoin = (enum net_rejoin)in->rejoin,
		.rejoin_time_exp = (uint8_t)in->rejoin_time_exp,
		.rejoin_count_exp = (uint8_t)in->rejoin_count_exp,
		.beacon_freq_hz = in->beacon_freq_hz,
		.ping_slot_freq_hz = in->ping_slot_freq_hz,
		.ping_slot_dr = (uint8_t)in->ping_slot_dr,
	};
	return convert_take_exact(out->id.bytes, sizeof out->id.bytes, &in->id) &&
	       convert_take_text(out->region_id, sizeof out->region_id, in->region_id);
}

enum status pack_device(const struct proto_message *message, struct packing *to)
{
	const struct net_device *in = &message->device;
	Lamppost__DeviceRecord out = LAMPPOST__DEVICE_RECORD__INIT;
	out.version = in->version;
	out.dev_eui = lw_eui64_number(&in->dev_eui);
	out.deleted = in->deleted;
	if (!in->deleted) {
		out.has_enabled = out.has_join_eui = out.has_profile = out.has_activation = 1;
		out.has_private_keys = out.has_dev_addr = out.has_fcnt_up = out.has_fcnt_down = 1;
		out.enabled = in->enabled;
		out.join_eui = lw_eui64_number(&in->join_eui);
		out.profile = convert_bytes(in->profile.bytes, sizeof in->profile.bytes);
		out.activation = (uint32_t)in->activation;
		out.private_keys = in->private_keys;
		out.has_replaced = out.replaced = in->replaced;
		out.dev_addr = in->dev_addr.value;
		out.fcnt_up = in->fcnt_up;
		out.fcnt_down = in->fcnt_down;
		out.has_nwk_s_key = in->has_nwk_s_key;
		out.nwk_s_key = convert_bytes(in->nwk_s_key, sizeof in->nwk_s_key);
		out.has_s_nwk_s_int_key = in->has_s_nwk_s_int_key;
		out.s_nwk_s_int_key = convert_bytes(in->s_nwk_s_int_key, sizeof in->s_nwk_s_int_key);
		out.has_nwk_s_enc_key = in->has_nwk_s_enc_key;
		out.nwk_s_enc_key = convert_bytes(in->nwk_s_enc_key, sizeof in->nwk_s_enc_key);
	}
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_DEVICE, &out);
}

/* Takes a sealed key that may be absent. */
static bool sealed_key_in(uint8_t out[NET_SEALED_KEY_SIZE], bool *has, protobuf_c_boolean present,
			  const ProtobufCBinaryData *in)
{
	*has = present;
	return !present || convert_take_exact(out, NET_SEALED_KEY_SIZE, in);
}

bool unpack_device(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__DeviceRecord *in = envelope->device;
	if (!in->deleted && (!in->has_profile || in->activation > NET_ABP))
		return false;
	struct net_device *out = &message->device;
	*out = (struct net_device){
		.version = in->version,
		.dev_eui = lw_eui64_from_number(in->dev_eui),
		.deleted = in->deleted,
		.enabled = in->enabled,
		.join_eui = lw_eui64_from_number(in->join_eui),
		.activation = (enum net_activation)in->activation,
		.private_keys = in->private_keys,
		.replaced = in->replaced,
		.dev_addr = {in->dev_addr},
		.fcnt_up = in->fcnt_up,
		.fcnt_down = in->fcnt_down,
	};
	if (in->deleted)
		return true;
	return convert_take_exact(out->profile.bytes, sizeof out->profile.bytes, &in->profile) &&
	       sealed_key_in(out->nwk_s_key, &out->has_nwk_s_key, in->has_nwk_s_key, &in->nwk_s_key) &&
	       sealed_key_in(out->s_nwk_s_int_key, &out->has_s_nwk_s_int_key, in->has_s_nwk_s_int_key,
			     &in->s_nwk_s_int_key) &&
	       sealed_key_in(out->nwk_s_enc_key, &out->has_nwk_s_enc_key, in->has_nwk_s_enc_key,
			     &in->nwk_s_enc_key);
}

enum status pack_gateway(const struct proto_message *message, struct packing *to)
{
	const struct net_gateway *in = &message->gateway;
	Lamppost__Gateway gateway;
	ProtobufCBinaryData tokens[GW_TOKENS_MAX];
	convert_gateway_out(&gateway, tokens, &in->gateway);
	Lamppost__GatewayRecord out = LAMPPOST__GATEWAY_RECORD__INIT;
	out.version = in->version;
	out.deleted = in->deleted;
	out.gateway = &gateway;
	out.channel_plan = in->channel_plan[0] ? convert_text(in->channel_plan) : NULL;
	return convert_pack(to, LAMPPOST__ENVELOPE__BODY_GATEWAY, &out);
}

bool unpack_gateway(struct proto_message *message, const Lamppost__Envelope *envelope)
{
	const Lamppost__GatewayRecord *in = envelope->gateway;
	struct net_gateway *out = &message->gateway;
	*out = (struct net_gateway){.version = in->version, .deleted = in->deleted};
	return convert_gateway_in(&out->gateway, in->gateway) &&
	       convert_take_text(out->channel_plan, sizeof out->channel_plan, in->channel_plan);
}
