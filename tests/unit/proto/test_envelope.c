/* Every message of network.sock survives packing and unpacking, member by member: both sides are zeroed before, so that
 * their bytes, padding included (the build zeroes automatic variables), can be compared as a whole. */
#include "tests/harness/harness.h"

#include "common/proto/envelope.h"

#include <stdlib.h>
#include <string.h>

static const struct lw_eui64 eui = {{0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0x01, 0x02, 0x03}};
static const struct lw_modulation sf7 = {LW_LORA, 7, 125000, 0, 0, "4/5"};
static const struct lw_modulation fsk = {LW_FSK, 0, 0, 50000, 25000, ""};
static const struct net_uuid uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static struct net_event_head head(void)
{
	return (struct net_event_head){uuid, UINT64_C(1) << 40, {INT64_C(1760000000123456)}, eui};
}

static void fill_hello(struct proto_message *m)
{
	m->hello = (struct proto_hello){PROTO_GATEWAY_BRIDGE, "bridge-1", PROTO_MAJOR, PROTO_MINOR};
}

static void fill_bye(struct proto_message *m)
{
	m->bye = (struct proto_bye){"major version 2 is not spoken here", 41};
}

static void fill_ack(struct proto_message *m)
{
	m->ack = (struct proto_ack){UINT64_MAX};
}

static void fill_gateway_uplink(struct proto_message *m)
{
	m->gateway_uplink = (struct gw_uplink){
		.gateway = eui,
		.phy = {0x40, 1, 2, 3, 4, 0, 0, 0, 1, 9, 9, 9, 9},
		.phy_length = 13,
		.freq_hz = 868100000,
		.modulation = sf7,
		.crc = GW_CRC_NONE,
		.rssi_dbm = -120,
		.has_snr = true,
		.snr_cdb = -1950,
		.ticks = {UINT32_MAX},
		.has_gps_time = true,
		.gps_time_us = INT64_C(1400000000000000),
		.has_fine_time = true,
		.fine_time_ns = 999999999,
		.channel = 7,
		.rf_chain = 1,
		.board = 2,
		.antenna = 3,
		.freq_offset_hz = -1234,
		.age_us = 1500,
		.arrival = {INT64_C(1760000000123456)},
		.wall_synchronised = true,
		.protocol = GW_BASICS_STATION,
	};
}

static void fill_gateway_tx_ack(struct proto_message *m)
{
	m->gateway_tx_ack = (struct gw_tx_ack){7, 1, eui, GW_TX_OTHER, "SOMETHING_NEW", true, -3, 45000};
}

static void fill_gateway_stats(struct proto_message *m)
{
	m->gateway_stats = (struct gw_stats){
		.gateway = eui,
		.has_counts = true,
		.rx_received = 5,
		.rx_ok = 4,
		.rx_forwarded = 3,
		.tx_received = 2,
		.tx_emitted = 1,
		.has_ack_permille = true,
		.ack_permille = 1000,
		.has_location = true,
		.latitude_deg = -33.5,
		.longitude_deg = 151.25,
		.altitude_m = -4,
		.has_temperature = true,
		.temperature_cdeg = -1050,
		.arrival = {5},
	};
}

static void fill_gateway_presence(struct proto_message *m)
{
	m->gateway_presence = (struct gw_presence){
		eui, true, true, GW_SEMTECH_UDP_V2, "203.0.113.7:41022", "pull_data"};
}

static void fill_gateway_downlink(struct proto_message *m)
{
	m->gateway_downlink = (struct gw_downlink){
		.id = 99, .phy = {0x60, 1}, .phy_length = 2, .attempt_count = 8};
	for (unsigned i = 0; i < GW_ATTEMPTS_MAX; i++)
		m->gateway_downlink.attempts[i] = (struct gw_tx_attempt){
			.gateway = eui,
			.window = i % 2 ? GW_RX2 : GW_RX1,
			.timing = i == 3 ? GW_AT_GPS_TIME : GW_AT_TICKS,
			.ticks = {i == 3 ? 0 : 1000 * i},
			.gps_time_us = i == 3 ? 77 : 0,
			.freq_hz = 869525000,
			.modulation = i == 5 ? fsk : sf7,
			.power_dbm = -2,
			.invert_polarity = true,
			.board = i,
			.antenna = i / 2,
		};
}

static void fill_gateway_list(struct proto_message *m)
{
	m->gateway_list = (struct gw_gateway_list){.version = 12, .first = true, .count = GW_LIST_PART_MAX};
	for (unsigned i = 0; i < GW_LIST_PART_MAX; i++) {
		m->gateway_list.gateways[i] = (struct gw_gateway){
			.eui = eui, .region_id = "eu868", .accept = GW_ACCEPT_UDP};
		m->gateway_list.gateways[i].eui.bytes[7] = (uint8_t)i;
	}
	m->gateway_list.gateways[1].token_count = 2;
	m->gateway_list.gateways[1].certificates_void_us = 1700000000000000;
	m->gateway_list.gateways[1].chip = GW_SX1302;
	snprintf(m->gateway_list.gateways[1].channels, GW_CHANNELS_MAX, "867.1@0-5 867.3@0-5");
	memset(m->gateway_list.gateways[1].token_hashes[0], 0xa5, 32);
	memset(m->gateway_list.gateways[1].token_hashes[1], 0x5a, 32);
	memcpy(m->gateway_list.gateways[2].source_cidr, "203.0.113.0/24", 15);
}

static void fill_up_event(struct proto_message *m)
{
	m->up_event = (struct net_up_event){
		.head = head(),
		.session = {{9}},
		.dev_addr = {0x26000001},
		.fcnt_up = UINT32_MAX,
		.has_fport = true,
		.fport = 2,
		.confirmed = true,
		.ack = true,
		.late = true,
		.restarted = true,
		.dr = 5,
		.freq_hz = 868300000,
		.modulation = sf7,
		.region_id = "as923-1",
		.frm_payload = {1, 2, 3},
		.frm_payload_length = 3,
		.next_fcnt_down = 4,
		.max_payload = 242,
		.gateway_count = 17,
		.reception_count = NET_RECEPTIONS_MAX,
		.count = UINT32_MAX,
		.missed = 65536,
		.airtime_us = 1810432,
		.seen = {INT64_C(1760000000000001)},
	};
	for (unsigned i = 0; i < NET_RECEPTIONS_MAX; i++)
		m->up_event.receptions[i] = (struct net_reception){
			.gateway = eui,
			.rssi_dbm = -100,
			.has_snr = i % 2,
			.snr_cdb = i % 2 ? 0 : 0,
			.channel = i,
			.rf_chain = 1,
			.board = 2,
			.antenna = 3,
			.ticks = {i},
			.has_gps_time = true,
			.gps_time_us = 5,
			.has_fine_time = true,
			.fine_time_ns = 6,
			.arrival = {7},
			.crc = GW_CRC_OK,
		};
}

static void fill_join_event(struct proto_message *m)
{
	m->join_event = (struct net_join_event){
		head(),  {{3}},         NET_REQUEST_REJOIN_2,     eui,    {0x26000002},
		"us915", "application", {1, 2, 3, 4, 5, 6, 7, 8}, {5, 6}, 2,
		true,    {{4}},
	};
}

static void fill_downlink_event(struct proto_message *m)
{
	m->downlink_event = (struct net_downlink_event){
		.head = head(),
		.item = uuid,
		.status = NET_ITEM_STALE_COUNTER,
		.fcnt_down = 9,
		.gateway = eui,
		.cause = "next counter is 12",
		.tries = 3,
		.has_max_payload = true,
		.has_uplink = true,
		.uplink = {{7, 7}},
		.has_tx = true,
		.freq_hz = 869525000,
		.modulation = sf7,
		.power_dbm = -1,
		.window = GW_CLASS_C,
		.delay = 6 * US_PER_S,
	};
}

static void fill_status_event(struct proto_message *m)
{
	m->status_event = (struct net_status_event){head(), uuid, 255, -32};
}

static void fill_air_event(struct proto_message *m)
{
	m->air_event = (struct net_air_event){head(), NET_AIR_MAC, true, 41216, 46216, eui};
}

static void fill_join_report(struct proto_message *m)
{
	m->join_report = (struct net_join_report){
		.attempt = UINT64_C(0x0102030405060708),
		.verdict = NET_JOIN_GATEWAY_REFUSED,
		.time = {INT64_C(1760000000123456)},
		.dev_eui = eui,
		.join_eui = eui,
		.dev_nonce = UINT16_MAX,
		.request = NET_REQUEST_REJOIN_1,
		.has_device = true,
		.device = eui,
		.device_join_eui = eui,
		.has_heard = true,
		.freq_hz = 903000000,
		.modulation = sf7,
		.gateway_count = 3,
		.gateway = eui,
		.rssi_dbm = -121,
		.has_snr = true,
		.snr_cdb = -1975,
		.region_id = "us915",
		.times = 2,
		.off_plan = true,
		.channel = 71,
		.sub_band = 8,
		.plan = "8-15,65",
		.cause = "tx_freq",
		.unheard = UINT16_MAX,
		.has_tx = true,
		.tx_gateway = eui,
		.tx_window = GW_RX2,
		.tx_freq_hz = 923300000,
		.left = -5,
	};
}

static void fill_event_stored(struct proto_message *m)
{
	m->event_stored = (struct net_event_stored){UINT64_C(1) << 50};
}

static void fill_state_wanted(struct proto_message *m)
{
	m->state_wanted = (struct net_state_wanted){uuid, 77, "eu868 us915"};
}

static void fill_state_begin(struct proto_message *m)
{
	m->state_begin = (struct net_state_begin){uuid, true};
}

static void fill_state_end(struct proto_message *m)
{
	m->state_end = (struct net_state_end){78};
}

static void fill_state_applied(struct proto_message *m)
{
	m->state_applied = (struct net_state_applied){79};
}

static void fill_profile(struct proto_message *m)
{
	m->profile = (struct net_profile){
		5,
		uuid,
		false,
		LW_MAC_1_1_0,
		"eu868",
		NET_CLASS_C,
		15,
		5,
		255,
		869525000,
		true,
		true,
		3600,
		15,
		1,
		12,
		2,
		168,
		7,
		0,
		1,
		27,
		8,
		NET_ADR_FIXED,
		14,
		LW_RP001_1_0_2B,
		true,
		NET_QUIRKS,
		5,
		4,
		NET_REJOIN_KEYS,
		10,
		12,
		869525000,
		869400000,
		3,
	};
}

static void fill_device(struct proto_message *m)
{
	m->device = (struct net_device){
		.version = 6,
		.dev_eui = eui,
		.enabled = true,
		.join_eui = eui,
		.profile = uuid,
		.activation = NET_ABP,
		.private_keys = true,
		.replaced = true,
		.dev_addr = {0x26000003},
		.has_nwk_s_key = true,
		.has_nwk_s_enc_key = true,
		.fcnt_up = 1,
		.fcnt_down = 2,
	};
	memset(m->device.nwk_s_key, 1, NET_SEALED_KEY_SIZE);
	memset(m->device.nwk_s_enc_key, 2, NET_SEALED_KEY_SIZE);
}

static void fill_gateway(struct proto_message *m)
{
	m->gateway = (struct net_gateway){.version = 8,
					  .gateway = {.eui = eui,
						      .region_id = "us915",
						      .accept = GW_ACCEPT_CERTIFICATE,
						      .certificates_void_us = 9,
						      .chip = GW_SX1302},
					  .channel_plan = "8-15,65"};
}

static void fill_enqueue(struct proto_message *m)
{
	m->enqueue = (struct net_enqueue){uuid, eui, 10, 3, true, 6, {123}, true, 55, {7, 8, 9}};
}

static void fill_flush(struct proto_message *m)
{
	m->flush = (struct net_flush){eui, true, uuid};
}

static void fill_seal(struct proto_message *m)
{
	m->seal = (struct net_seal){uuid, eui, {{4}}, {0x26000004}, 56};
}

static void fill_sealed(struct proto_message *m)
{
	m->sealed = (struct net_sealed){uuid, 56, true, "", {1, 2}, 2};
}

static void fill_force_rejoin(struct proto_message *m)
{
	m->force_rejoin = (struct net_force_rejoin){eui, 2, 7, 6, true, 15};
}

static void fill_frames_wanted(struct proto_message *m)
{
	m->frames_wanted = (struct net_frames_wanted){
		.follower = NET_FOLLOWERS_MAX - 1,
		.lease_s = NET_FRAMES_LEASE_S,
		.filter = {.by_gateway = true,
			   .gateway = eui,
			   .by_device = true,
			   .dev_eui = eui,
			   .by_dev_addr = true,
			   .dev_addr = {0x26000000, 7},
			   .verdicts = "mic,fcnt_old",
			   .directions = NET_FRAMES_DOWN,
			   .foreign = true},
	};
}

static void fill_frame(struct proto_message *m)
{
	m->frame = (struct net_frame){
		.number = UINT64_C(1) << 33,
		.direction = LW_DOWN,
		.time = {INT64_C(1760000000123456)},
		.phy = {0x60, 1, 2, 3, 4, 0, 0, 0, 9, 9, 9, 9},
		.phy_length = 12,
		.standing = NET_FRAME_PROBLEM,
		.verdict = "tx_freq",
		.sentence = "The gateway cannot send on 923300000 Hz.",
		.next = "Compare its channel plan with the region's.",
		.has_device = true,
		.dev_eui = eui,
		.has_dev_addr = true,
		.dev_addr = {0x26010203},
		.has_fcnt = true,
		.fcnt = UINT32_MAX,
		.region_id = "us915",
		.freq_hz = 923300000,
		.modulation = sf7,
		.has_dr = true,
		.dr = 8,
		.retransmission = true,
		.gateway_count = 3,
		.reception_count = 1,
		.receptions = {{.gateway = eui,
				.rssi_dbm = -120,
				.has_snr = true,
				.snr_cdb = -1950,
				.channel = 7,
				.antenna = 1,
				.ticks = {UINT32_MAX},
				.arrival = {INT64_C(1760000000123456)},
				.crc = GW_CRC_NONE}},
		.downlink = UINT64_MAX,
		.attempt = 2,
		.tx = {.gateway = eui,
		       .window = GW_CLASS_C,
		       .timing = GW_AT_TICKS,
		       .ticks = {4711},
		       .freq_hz = 923300000,
		       .modulation = sf7,
		       .power_dbm = 27,
		       .invert_polarity = true},
		.left = -1,
		.answered = true,
		.has_power = true,
		.power_dbm = -3,
	};
}

static const struct {
	enum proto_kind kind;
	void (*fill)(struct proto_message *m);
} rows[] = {
	{PROTO_HELLO, fill_hello},
	{PROTO_BYE, fill_bye},
	{PROTO_ACK, fill_ack},
	{PROTO_GATEWAY_UPLINK, fill_gateway_uplink},
	{PROTO_GATEWAY_TX_ACK, fill_gateway_tx_ack},
	{PROTO_GATEWAY_STATS, fill_gateway_stats},
	{PROTO_GATEWAY_PRESENCE, fill_gateway_presence},
	{PROTO_GATEWAY_DOWNLINK, fill_gateway_downlink},
	{PROTO_GATEWAY_LIST, fill_gateway_list},
	{PROTO_UP_EVENT, fill_up_event},
	{PROTO_JOIN_EVENT, fill_join_event},
	{PROTO_DOWNLINK_EVENT, fill_downlink_event},
	{PROTO_EVENT_STORED, fill_event_stored},
	{PROTO_STATUS_EVENT, fill_status_event},
	{PROTO_JOIN_REPORT, fill_join_report},
	{PROTO_AIR_EVENT, fill_air_event},
	{PROTO_STATE_WANTED, fill_state_wanted},
	{PROTO_STATE_BEGIN, fill_state_begin},
	{PROTO_STATE_END, fill_state_end},
	{PROTO_STATE_APPLIED, fill_state_applied},
	{PROTO_PROFILE, fill_profile},
	{PROTO_DEVICE, fill_device},
	{PROTO_GATEWAY, fill_gateway},
	{PROTO_ENQUEUE, fill_enqueue},
	{PROTO_FLUSH, fill_flush},
	{PROTO_SEAL, fill_seal},
	{PROTO_SEALED, fill_sealed},
	{PROTO_FORCE_REJOIN, fill_force_rejoin},
	{PROTO_FRAMES_WANTED, fill_frames_wanted},
	{PROTO_FRAME, fill_frame},
};

static uint8_t bytes[PROTO_FRAME_MAX];
static struct arena scratch;

static void make(struct proto_message *message, size_t row)
{
	memset(message, 0, sizeof *message);
	message->seq = 1000 + row;
	message->kind = rows[row].kind;
	rows[row].fill(message);
}

static void every_kind_has_a_row(void **state)
{
	(void)state;
	t_int("rows", PROTO_KIND_COUNT - 1, ARRAY_SIZE(rows));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		t_int("in order", (int)i + 1, rows[i].kind);
}

static void every_message_survives_the_wire(void **state)
{
	(void)state;
	static struct proto_message sent, got;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(proto_kind_name(rows[i].kind));
		make(&sent, i);
		size_t length = 0;
		t_int("pack", ST_OK, proto_pack(&sent, bytes, sizeof bytes, &length));
		memset(&got, 0, sizeof got);
		t_int("unpack", ST_OK, proto_unpack(&got, bytes, length, &scratch));
		t_bytes("message", (const uint8_t *)&sent, sizeof sent, (const uint8_t *)&got, sizeof got);
		t_uint("scratch is left as it was", 0, scratch.used);
	}
}

static void a_short_buffer_is_full(void **state)
{
	(void)state;
	static struct proto_message sent;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(proto_kind_name(rows[i].kind));
		make(&sent, i);
		size_t length = 0, unchanged = 4711;
		t_int("pack", ST_OK, proto_pack(&sent, bytes, sizeof bytes, &length));
		t_int("one byte short", ST_FULL, proto_pack(&sent, bytes, length - 1, &unchanged));
		t_uint("length untouched", 4711, unchanged);
	}
}

static void a_truncated_message_is_invalid(void **state)
{
	(void)state;
	static struct proto_message message;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(proto_kind_name(rows[i].kind));
		make(&message, i);
		size_t length = 0;
		t_int("pack", ST_OK, proto_pack(&message, bytes, sizeof bytes, &length));
		/* The body is the last member, so every cut inside it is noticed; a cut right behind `seq` leaves an envelope
		 * without a body, which is the unknown kind. */
		for (size_t cut = 0; cut < length; cut++) {
			enum status status = proto_unpack(&message, bytes, cut, &scratch);
			if (status == ST_OK)
				t_int("kind", PROTO_UNKNOWN, message.kind);
		}
	}
}

static void a_value_out_of_range_is_invalid(void **state)
{
	(void)state;
	/* Each row changes one value of a good message to one that the sender's own check would not let through, so the
	 * bytes are changed after packing: `find` occurs once in them. */
	static const struct {
		const char *name;
		enum proto_kind kind;
		uint8_t find[8], with[8];
		size_t length;
	} changes[] = {
		{"role 9", PROTO_HELLO, {0x08, 0x01, 0x12, 0x08}, {0x08, 0x09, 0x12, 0x08}, 4},
		{"crc 3 of an uplink", PROTO_GATEWAY_UPLINK, {0x28, 0x02}, {0x28, 0x03}, 2},
		{"protocol 4", PROTO_GATEWAY_UPLINK, {0x98, 0x01, 0x02}, {0x98, 0x01, 0x04}, 3},
		{"tx result 14", PROTO_GATEWAY_TX_ACK, {0x20, 0x0d}, {0x20, 0x0e}, 2},
		{"attempt 8", PROTO_GATEWAY_TX_ACK, {0x08, 0x07, 0x10, 0x01}, {0x08, 0x07, 0x10, 0x08}, 4},
		{"item status 8", PROTO_DOWNLINK_EVENT, {0x18, 0x07}, {0x18, 0x08}, 2},
		{"window 4", PROTO_DOWNLINK_EVENT, {0x20, 0x03, 0x28}, {0x20, 0x04, 0x28}, 3},
		{"margin 32",
		 PROTO_STATUS_EVENT,
		 {0x18, 0xff, 0x01, 0x20, 0x3f},
		 {0x18, 0xff, 0x01, 0x20, 0x40},
		 5},
		{"air kind 5", PROTO_AIR_EVENT, {0x10, 0x04, 0x18, 0x01}, {0x10, 0x05, 0x18, 0x01}, 4},
		{"join verdict out of the table",
		 PROTO_JOIN_REPORT,
		 {0x10, NET_JOIN_GATEWAY_REFUSED, 0x18},
		 {0x10, NET_JOIN_VERDICT_COUNT, 0x18},
		 3},
		{"dev nonce of 17 bits",
		 PROTO_JOIN_REPORT,
		 {0x30, 0xff, 0xff, 0x03, 0x39},
		 {0x30, 0xff, 0xff, 0x07, 0x39},
		 5},
		{"class 3", PROTO_PROFILE, {0x30, 0x02}, {0x30, 0x03}, 2},
		{"ADR margin of 31 dB", PROTO_PROFILE, {0x70, 0x0f}, {0x70, 0x1f}, 2},
		{"highest data rate 15", PROTO_PROFILE, {0x80, 0x01, 0x0c}, {0x80, 0x01, 0x0f}, 3},
		{"NbTrans of at most 0", PROTO_PROFILE, {0x88, 0x01, 0x02}, {0x88, 0x01, 0x00}, 3},
		{"duty cycle 16", PROTO_PROFILE, {0x98, 0x01, 0x07}, {0x98, 0x01, 0x10}, 3},
		{"dwell of uplinks 2", PROTO_PROFILE, {0xa0, 0x01, 0x00}, {0xa0, 0x01, 0x02}, 3},
		{"0 tries", PROTO_PROFILE, {0xb8, 0x01, 0x08}, {0xb8, 0x01, 0x00}, 3},
		{"ADR algorithm 9", PROTO_PROFILE, {0xc0, 0x01, 0x01, 0xc8}, {0xc0, 0x01, 0x09, 0xc8}, 4},
		{"revision to come",
		 PROTO_PROFILE,
		 {0xd0, 0x01, 0x03},
		 {0xd0, 0x01, LW_REGIONAL_REVISION_COUNT},
		 3},
		{"quirk to come", PROTO_PROFILE, {0xe0, 0x01, NET_QUIRKS}, {0xe0, 0x01, NET_QUIRKS + 1}, 3},
		{"2^16 uplinks", PROTO_PROFILE, {0xe8, 0x01, 5}, {0xe8, 0x01, 16}, 3},
		{"back-off of 2^16", PROTO_PROFILE, {0xf0, 0x01, 4}, {0xf0, 0x01, 16}, 3},
		{"rejoin to come",
		 PROTO_PROFILE,
		 {0xf8, 0x01, NET_REJOIN_KEYS},
		 {0xf8, 0x01, NET_REJOINS},
		 3},
		{"rejoin time 16", PROTO_PROFILE, {0x80, 0x02, 10}, {0x80, 0x02, 16}, 3},
		{"rejoin count 16", PROTO_PROFILE, {0x88, 0x02, 12}, {0x88, 0x02, 16}, 3},
		{"ping slots at 16", PROTO_PROFILE, {0xa0, 0x02, 3}, {0xa0, 0x02, 16}, 3},
		{"fixed data rate 15", PROTO_PROFILE, {0xc8, 0x01, 0x0e}, {0xc8, 0x01, 0x0f}, 3},
		{"mac version 6", PROTO_PROFILE, {0x20, 0x05}, {0x20, 0x06}, 2},
		{"activation 2", PROTO_DEVICE, {0x38, 0x01}, {0x38, 0x02}, 2},
		{"priority 7", PROTO_ENQUEUE, {0x30, 0x06}, {0x30, 0x07}, 2},
		{"fport 0", PROTO_ENQUEUE, {0x18, 0x0a}, {0x18, 0x00}, 2},
		{"length that is not the payload's", PROTO_ENQUEUE, {0x20, 0x03}, {0x20, 0x04}, 2},
		{"follower 64", PROTO_FRAMES_WANTED, {0x08, 0x3f, 0x10}, {0x08, 0x40, 0x10}, 3},
		{"prefix of 33 bits", PROTO_FRAMES_WANTED, {0x20, 0x07, 0x2a}, {0x20, 0x21, 0x2a}, 3},
		{"directions 3", PROTO_FRAMES_WANTED, {0x30, 0x02, 0x38}, {0x30, 0x03, 0x38}, 3},
		{"verdict with a blank", PROTO_FRAMES_WANTED, {'m', 'i', 'c', ','}, {'m', 'i', ' ', ','}, 4},
		{"standing 4", PROTO_FRAME, {0x20, 0x02, 0x2a}, {0x20, 0x04, 0x2a}, 3},
		{"window 4 of a frame", PROTO_FRAME, {0x10, 0x03, 0x18}, {0x10, 0x04, 0x18}, 3},
	};
	static struct proto_message message;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		t_row(changes[i].name);
		make(&message, (size_t)changes[i].kind - 1);
		uint64_t changed_seq = message.seq;
		size_t length = 0;
		t_int("pack", ST_OK, proto_pack(&message, bytes, sizeof bytes, &length));
		uint8_t *at = memmem(bytes, length, changes[i].find, changes[i].length);
		if (!t_true("found", at != NULL))
			continue;
		memcpy(at, changes[i].with, changes[i].length);
		t_int("unpack", ST_INVALID, proto_unpack(&message, bytes, length, &scratch));
		t_str("kind", proto_kind_name(changes[i].kind), proto_kind_name(message.kind));
		t_uint("seq", changed_seq, message.seq);
	}
}

static void too_little_scratch_is_invalid(void **state)
{
	(void)state;
	static struct proto_message message;
	make(&message, PROTO_GATEWAY_LIST - 1);
	size_t length = 0;
	t_int("pack", ST_OK, proto_pack(&message, bytes, sizeof bytes, &length));
	struct arena small;
	arena_init(&small, 256);
	t_int("unpack", ST_INVALID, proto_unpack(&message, bytes, length, &small));
	arena_release(&small);
}

int main(void)
{
	arena_init(&scratch, 256 * 1024);
	const struct CMUnitTest tests[] = {
		t_test(every_kind_has_a_row),
		t_test(every_message_survives_the_wire),
		t_test(a_short_buffer_is_full),
		t_test(a_truncated_message_is_invalid),
		t_test(a_value_out_of_range_is_invalid),
		t_test(too_little_scratch_is_invalid),
	};
	int code = t_run(tests);
	arena_release(&scratch);
	return code;
}
