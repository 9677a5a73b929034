/* The servers of a storm: the bridge's and the network server's cores, linked without a socket; the join server is written again
 * here: it knows every light, answers 4 ms later, and never says no. */
#include "tests/simulation/storm/storm_parts.h"

#include "common/base/check.h"
#include "common/crypto/sealed_key.h"
#include "common/lorawan/join_frame.h"
#include "common/text/region_yaml.h"
#include "network-server/downlink.h"

#include <stdlib.h>
#include <string.h>

#define MONO_START (1000 * US_PER_S)
#define WALL_START (INT64_C(1790000000) * US_PER_S)
#define LINK       7
#define NET_ID     UINT32_C(0x000000)

struct now storm_now(const struct storm *storm)
{
	return (struct now){{MONO_START + storm->now_us}, {WALL_START + storm->now_us}, true};
}

static struct gb_peer peer_of(size_t gateway, enum sim_socket socket)
{
	struct gb_peer peer = {.address = {.family = 4, .port = (uint16_t)(40000 + socket)}};
	peer.address.bytes[0] = 10;
	peer.address.bytes[3] = (uint8_t)(gateway + 1);
	return peer;
}

/* --- the join server --- */

static void wrap(const struct storm *storm, struct bi_key_envelope *envelope, const struct lw_key *key,
		 const char *label)
{
	snprintf(envelope->label, sizeof envelope->label, "%s", label);
	envelope->length = BI_KEY_WRAPPED;
	ASSERT(aes_wrap(storm->ns.config.kek, AES_KEY, key->bytes, AES_KEY, envelope->key) == AES_WRAP_OK);
}

static void answer(struct storm *storm, const struct ns_join_call *call)
{
	const struct bi_join_req *request = &call->request;
	uint64_t number = lw_eui64_number(&request->dev_eui);
	size_t index = (size_t)(number >= STORM_LIGHTS ? number - STORM_LIGHTS + storm->setup->sensors
						       : number - STORM_SENSORS);
	const struct sim_device_config *device = &storm->scenario.devices[index];
	struct bi_message message = {
		.envelope = {.type = BI_JOIN_ANS, .transaction_id = call->transaction, .result = BI_SUCCESS}};
	struct lw_join_request asked;
	ASSERT(lw_join_request_parse(&asked, request->phy_payload, request->phy_length) == LW_OK);
	struct lw_join_accept accept = {.join_nonce = ++storm->join_nonce,
					.net_id = {NET_ID},
					.dev_addr = request->dev_addr,
					.dl_settings = lw_dl_settings_decode(request->dl_settings),
					.rx_delay = request->rx_delay,
					.has_cflist = request->has_cflist};
	memcpy(accept.cflist, request->cflist, sizeof accept.cflist);
	struct bi_join_ans *of = &message.join_ans;
	of->phy_length = (uint8_t)lw_join_accept_encode(&accept, of->phy_payload);
	struct lw_mic mic = lw_mic_join(storm->aes, &device->app_key, of->phy_payload, of->phy_length - 4u);
	memcpy(of->phy_payload + of->phy_length - 4, mic.bytes, 4);
	ASSERT(lw_join_accept_encrypt(storm->aes, &device->app_key, of->phy_payload, of->phy_length) ==
	       LW_OK);
	if (number >= STORM_LIGHTS)
		storm_accept_made(storm, (uint32_t)(number - STORM_LIGHTS), asked.dev_nonce, of->phy_payload);
	struct lw_session_keys keys;
	lw_session_keys_1_0(storm->aes, &device->app_key, accept.join_nonce, accept.net_id, asked.dev_nonce,
			    &keys);
	wrap(storm, &of->nwk_s_key, &keys.f_nwk_s_int_key, "network");
	wrap(storm, &of->app_s_key, &keys.app_s_key, "network");
	ns_on_join_answer(&storm->ns, storm_now(storm), call->transaction, &message);
}

static void ask(struct storm *storm, const struct ns_join_call *call)
{
	bool light = lw_eui64_number(&call->request.dev_eui) >= STORM_LIGHTS;
	storm->result->asked += light;
	if (light && storm->setup->silent)
		return;
	ASSERT_CMP(storm->call_count, <, STORM_CALLS);
	storm->calls[(storm->call_first + storm->call_count++) % STORM_CALLS] = (struct storm_call){
		storm->now_us + STORM_JOIN_LAG, *call};
}

/* --- between the two cores --- */

static void to_bridge(struct storm *storm, const struct proto_message *message)
{
	ASSERT(gb_bridge_on_network_message(storm->bridge, storm_now(storm), message) == ST_OK);
}

static void to_network(struct storm *storm, const struct proto_message *message)
{
	struct ns *ns = &storm->ns;
	struct now now = storm_now(storm);
	switch ((int)message->kind) {
	case PROTO_GATEWAY_UPLINK:
		storm_note_heard(storm, &message->gateway_uplink);
		ns_on_uplink(ns, now, LINK, message->seq, &message->gateway_uplink);
		break;
	case PROTO_GATEWAY_TX_ACK:
		ns_on_seq(ns, now, LINK, message->seq);
		ns_on_tx_ack(ns, now, &message->gateway_tx_ack);
		break;
	case PROTO_GATEWAY_STATS: ns_on_stats(ns, now, LINK, message->seq, &message->gateway_stats); break;
	case PROTO_GATEWAY_PRESENCE:
		ns_on_presence(ns, now, LINK, message->seq, &message->gateway_presence);
		break;
	default: break;
	}
}

/* A sensor's reading is delivered when the application server would be told of it, each once. */
static void take_event(struct storm *storm, const struct ns_out *out)
{
	struct proto_message *event = &storm->message;
	const struct net_event_stored stored = {out->event.row};
	ASSERT(proto_unpack(event, storm->ns.journal.turn + out->event.offset, out->event.length,
			    &storm->arena) == ST_OK);
	if (event->kind == PROTO_UP_EVENT) {
		uint64_t sensor = lw_eui64_number(&event->up_event.head.dev_eui) - STORM_SENSORS;
		bool reading = event->up_event.has_fport && event->up_event.fport > 0;
		if (reading && sensor < storm->setup->sensors && storm->now_us >= STORM_BEGINS_US)
			storm->delivered++;
	}
	ns_on_event_stored(&storm->ns, storm_now(storm), &stored);
}

static void drain(struct storm *storm)
{
	struct ns *ns = &storm->ns;
	uint32_t slots[256];
	while (ns_fold_slice(ns, storm_now(storm), slots, 256) == 256)
		;
	for (size_t i = 0; i < ns->outbox.count; i++) {
		const struct ns_out *out = &ns->outbox.entries[i];
		struct proto_message *message = &storm->message;
		switch (out->kind) {
		case NS_OUT_ACK:
			message->kind = PROTO_ACK;
			message->ack.seq = out->seq;
			to_bridge(storm, message);
			break;
		case NS_OUT_DOWNLINK:
			message->kind = PROTO_GATEWAY_DOWNLINK;
			message->gateway_downlink = out->downlink;
			storm->result->downlinks_data += out->downlink.phy[0] >> 5 != 1;
			if (out->downlink.phy_length >= STORM_ACCEPT_BYTES)
				storm_accept_handed(storm, out->downlink.phy);
			ns_downlink_left(ns, storm_now(storm).mono, out);
			to_bridge(storm, message);
			break;
		case NS_OUT_EVENT: take_event(storm, out); break;
		case NS_OUT_JOIN: ask(storm, &out->join); break;
		default: break;
		}
	}
	ns_outbox_clear(&ns->outbox);
	while (ns_join_reports_first(&ns->join_reports))
		ns_join_reports_take(&ns->join_reports);
	ns_turn_done(ns);
}

/* Until neither has anything for the other, or for a gateway. */
static void settle(struct storm *storm)
{
	static struct gb_datagram datagram;
	struct gb_note note;
	struct proto_message *message = &storm->message;
	bool more = true;
	while (more) {
		more = storm->ns.outbox.count > 0;
		drain(storm);
		while (gb_bridge_take_datagram(storm->bridge, &datagram)) {
			sim_world_deliver(storm->world, storm->now_us, datagram.to.address.bytes[3] - 1u,
					  datagram.bytes, datagram.length);
			more = true;
		}
		while (gb_bridge_take_note(storm->bridge, &note))
			;
		if (gb_bridge_next_message(storm->bridge, storm_now(storm), message)) {
			gb_bridge_message_sent(storm->bridge);
			static struct proto_message copy;
			copy = *message;
			to_network(storm, &copy);
			more = true;
		}
	}
}

void storm_datagram(struct storm *storm, size_t gateway, enum sim_socket socket, const uint8_t *bytes,
		    size_t length)
{
	const struct gb_peer peer = peer_of(gateway, socket);
	gb_bridge_on_datagram(storm->bridge, storm_now(storm), &peer, bytes, length);
	settle(storm);
}

int64_t storm_servers_next_us(const struct storm *storm)
{
	struct mono next = ns_next_deadline(&storm->ns), bridge = gb_bridge_next_deadline(storm->bridge);
	int64_t at = next.us < bridge.us ? next.us : bridge.us;
	at = at > INT64_MAX - MONO_START ? INT64_MAX : at - MONO_START;
	if (storm->call_count > 0 && storm->calls[storm->call_first].due_us < at)
		at = storm->calls[storm->call_first].due_us;
	return at;
}

void storm_servers_tick(struct storm *storm)
{
	while (storm->call_count > 0 && storm->calls[storm->call_first].due_us <= storm->now_us) {
		const struct ns_join_call call = storm->calls[storm->call_first].call;
		storm->call_first = (storm->call_first + 1) % STORM_CALLS;
		storm->call_count--;
		answer(storm, &call);
		settle(storm);
	}
	ns_on_tick(&storm->ns, storm_now(storm));
	settle(storm);
	gb_bridge_on_tick(storm->bridge, storm_now(storm));
	settle(storm);
}

/* --- life --- */

static struct net_uuid uuid(uint8_t number)
{
	struct net_uuid id = {{0}};
	id.bytes[15] = number;
	return id;
}

static void tell_device(struct storm *storm, const struct sim_device_config *config)
{
	struct net_device record = {.version = ++storm->version,
				    .dev_eui = config->dev_eui,
				    .enabled = true,
				    .join_eui = config->join_eui,
				    .profile = uuid(1),
				    .activation = config->activation == SIM_ABP ? NET_ABP : NET_OTAA};
	if (config->activation == SIM_ABP) {
		record.dev_addr = config->dev_addr;
		record.has_nwk_s_key = true;
		ASSERT(sealed_key_seal(record.nwk_s_key, secret_box_public(storm->box), SEALED_NWK_S_KEY,
				       config->dev_eui.bytes,
				       config->session_keys.f_nwk_s_int_key.bytes) == ST_OK);
	}
	ns_on_device(&storm->ns, storm_now(storm), &record);
}

static void tell_records(struct storm *storm)
{
	struct ns *ns = &storm->ns;
	struct now now = storm_now(storm);
	const struct net_state_begin begin = {.city = uuid(200), .full = true};
	struct net_profile profile = {.version = ++storm->version,
				      .id = uuid(1),
				      .mac_version = LW_MAC_1_0_3,
				      .rx_delay_s = 1,
				      .rx2_dr = NET_REGIONS_OWN};
	snprintf(profile.region_id, sizeof profile.region_id, "%s", storm->setup->region);
	net_profile_defaults(&profile);
	profile.dev_status_interval_h = 0;
	ns_on_state_begin(ns, now, &begin);
	ns_on_profile(ns, now, &profile);
	for (size_t i = 0; i < storm->scenario.gateway_count; i++) {
		struct net_gateway gateway = {
			.version = ++storm->version,
			.gateway = {.eui = storm->scenario.gateways[i].config.eui, .accept = GW_ACCEPT_UDP}};
		snprintf(gateway.gateway.region_id, sizeof gateway.gateway.region_id, "%s",
			 storm->setup->region);
		ns_on_gateway(ns, now, &gateway);
	}
	for (size_t i = 0; i < storm->scenario.device_count; i++) {
		tell_device(storm, &storm->scenario.devices[i]);
		if (i % 1000 == 999)
			drain(storm);
	}
	const struct net_state_end end = {storm->version};
	ns_on_state_end(ns, now, &end);
	drain(storm);
}

static void link_them(struct storm *storm)
{
	struct proto_message *message = &storm->message;
	uint32_t cursor = 0;
	gb_bridge_on_link_open(storm->bridge, storm_now(storm));
	ns_on_bridge(&storm->ns, storm_now(storm), LINK);
	*message = (struct proto_message){
		.kind = PROTO_HELLO,
		.hello = {.role = PROTO_NETWORK_SERVER, .name = "network-server", .major = PROTO_MAJOR}};
	to_bridge(storm, message);
	bool more = true;
	while (more) {
		message->kind = PROTO_GATEWAY_LIST;
		more = ns_gateway_list_part(&storm->ns, &cursor, &message->gateway_list);
		to_bridge(storm, message);
	}
	settle(storm);
}

void storm_servers_open(struct storm *storm)
{
	struct ns_config config = {0};
	uint32_t devices = (uint32_t)storm->scenario.device_count + 64;
	char problem[160];
	ASSERT(secret_init() == ST_OK);
	storm->bridge_rng = rng_seeded(storm->setup->seed * 3 + 1);
	storm->ns_rng = rng_seeded(storm->setup->seed * 3 + 2);
	storm->master = secret_master_generate();
	storm->box = secret_box_generate();
	storm->aes = aes_new();
	storm->calls = calloc(STORM_CALLS, sizeof *storm->calls);
	ASSERT(storm->master && storm->box && storm->aes && storm->calls);
	ASSERT(region_load(&storm->region, storm->setup->region));
	arena_init(&storm->arena, 1u << 20);
	ns_config_defaults(&config);
	config.prefixes[0] = (struct lw_dev_addr_prefix){0x26000000, 7};
	config.prefix_count = 1;
	config.regions = &storm->region;
	config.region_count = 1;
	config.max_devices = devices;
	config.max_gateways = 64;
	config.decisions = 1u << 16;
	config.master = storm->master;
	config.box = storm->box;
	config.epoch = 1;
	memset(config.kek, 0x4b, sizeof config.kek);
	config.has_kek = true;
	config.first_come = storm->setup->first_come;
	ASSERT(ns_extra_channels_init(&config.extra[0], &(struct option_map){0}, &storm->region, problem,
				      sizeof problem));
	ns_init(&storm->ns, &config, &storm->ns_rng);
	storm->bridge = gb_bridge_new(&(struct gb_options){.name = "gateway-bridge",
							   .ring_age = 900 * US_PER_S,
							   .ring_bytes = 16u << 20,
							   .per_eui = {2000, 4000},
							   .frames = {2000, 4000},
							   .unknown = {2000, 2000}},
				      &storm->bridge_rng);
	ns_on_app(&storm->ns, true);
	tell_records(storm);
	link_them(storm);
}

void storm_servers_close(struct storm *storm)
{
	gb_bridge_free(storm->bridge);
	ns_release(&storm->ns);
	secret_master_free(storm->master);
	secret_box_free(storm->box);
	aes_free(storm->aes);
	arena_release(&storm->arena);
	free(storm->calls);
}
