#include "tests/harness/network_script.h"

#include "common/base/check.h"
#include "common/io/link.h"
#include "common/lorawan/cipher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 200 /* events sent and not acknowledged */

struct t_network_script {
	struct io_loop *loop;
	struct io_link_server *server;
	io_link_id link;
	struct arena scratch;
	struct proto_message *in;
	uint8_t *bytes;
	struct t_script_seen seen;
	struct net_state_wanted state; /* what it has applied */
	struct net_uuid city;          /* of the run going on */
	uint64_t series, sent;
	struct lw_key app_s_key;
	char dev_eui[LW_EUI64_TEXT];
	uint32_t dev_addr;
	bool (*condition)(struct t_network_script *network);
};

struct net_up_event t_script_event(uint64_t row, const struct lw_key *app_s_key, const char *dev_eui,
				   uint32_t dev_addr)
{
	struct net_up_event event = {
		.head = {.row = row, .time = {INT64_C(1800000000) * US_PER_S + (int64_t)row * 1000}},
		.dev_addr = {dev_addr},
		.fcnt_up = (uint32_t)(row - 1),
		.has_fport = true,
		.fport = 2,
		.adr = true,
		.dr = 5,
		.freq_hz = 868100000,
		.modulation = {.kind = LW_LORA,
			       .spreading_factor = 7,
			       .bandwidth_hz = 125000,
			       .code_rate = "4/5"},
		.region_id = "eu868",
		.frm_payload_length = 2,
		.gateway_count = 1,
		.reception_count = 1};
	const uint8_t plain[2] = {(uint8_t)(row >> 8), (uint8_t)row};
	struct aes *aes = aes_new();
	ASSERT(aes && lw_eui64_parse(dev_eui, &event.head.dev_eui));
	for (int i = 0; i < 8; i++)
		event.head.id.bytes[i] = (uint8_t)(row >> (8 * i));
	event.head.id.bytes[15] = 1;
	event.receptions[0] = (struct net_reception){.gateway = {{1, 2, 3, 4, 5, 6, 7, 9}},
						     .rssi_dbm = -70,
						     .has_snr = true,
						     .snr_cdb = 0,
						     .arrival = event.head.time,
						     .crc = GW_CRC_OK};
	lw_cipher_frm_payload(aes, app_s_key, LW_UP, event.dev_addr, event.fcnt_up, plain, 2,
			      event.frm_payload);
	aes_free(aes);
	return event;
}

bool t_script_send(struct t_network_script *network, const struct proto_message *message)
{
	size_t length;
	ASSERT_CMP(proto_pack(message, network->bytes, PROTO_FRAME_MAX, &length), ==, ST_OK);
	return network->link &&
	       io_link_server_send(network->server, network->link, network->bytes, length) == ST_OK;
}

static void pump(struct t_network_script *network)
{
	static struct proto_message message;
	while (network->link && network->sent < network->series &&
	       network->sent - network->seen.stored_row < WINDOW) {
		memset(&message, 0, sizeof message);
		message.seq = network->sent + 1;
		message.kind = PROTO_UP_EVENT;
		message.up_event = t_script_event(network->sent + 1, &network->app_s_key, network->dev_eui,
						  network->dev_addr);
		if (!t_script_send(network, &message))
			return;
		network->sent++;
	}
}

static void on_open(void *ctx, struct now now, io_link_id link, const struct io_peer *peer)
{
	struct t_network_script *network = ctx;
	(void)now, (void)peer;
	network->link = link;
	network->sent = network->seen.stored_row;
}

static void on_close(void *ctx, struct now now, io_link_id link, enum io_link_reason reason)
{
	struct t_network_script *network = ctx;
	(void)now, (void)reason;
	if (link == network->link)
		network->link = 0;
}

static void on_hello(struct t_network_script *network)
{
	static struct proto_message message;
	message = (struct proto_message){.kind = PROTO_HELLO};
	message.hello = (struct proto_hello){
		.role = PROTO_NETWORK_SERVER, .name = "script", .major = PROTO_MAJOR, .minor = PROTO_MINOR};
	t_script_send(network, &message);
	message = (struct proto_message){.kind = PROTO_STATE_WANTED, .state_wanted = network->state};
	t_script_send(network, &message);
	network->seen.hellos++;
}

static void on_end(struct t_network_script *network, uint64_t version)
{
	static struct proto_message message;
	network->state = (struct net_state_wanted){network->city, version, ""};
	message = (struct proto_message){.kind = PROTO_STATE_APPLIED, .state_applied = {version}};
	t_script_send(network, &message);
	network->seen.ends++;
}

static void keep_item(struct t_script_seen *seen, const struct net_enqueue *enqueue)
{
	for (size_t i = 0; i < seen->item_count && i < T_SCRIPT_ITEMS; i++)
		if (memcmp(seen->items[i].item.bytes, enqueue->item.bytes, sizeof enqueue->item.bytes) == 0)
			return;
	if (seen->item_count < T_SCRIPT_ITEMS)
		seen->items[seen->item_count] = *enqueue;
	seen->item_count++;
}

static void on_message(void *ctx, struct now now, io_link_id link, const uint8_t *bytes, size_t length)
{
	struct t_network_script *network = ctx;
	struct t_script_seen *seen = &network->seen;
	const struct proto_message *in = network->in;
	(void)now, (void)link;
	ASSERT_CMP(proto_unpack(network->in, bytes, length, &network->scratch), ==, ST_OK);
	switch (in->kind) {
	case PROTO_HELLO: on_hello(network); break;
	case PROTO_STATE_BEGIN:
		network->city = in->state_begin.city;
		seen->runs++;
		seen->full_runs += in->state_begin.full;
		break;
	case PROTO_PROFILE:
		seen->profile = in->profile;
		seen->tombstones += in->profile.deleted;
		seen->profiles++;
		break;
	case PROTO_DEVICE:
		seen->device = in->device;
		seen->tombstones += in->device.deleted;
		seen->devices++;
		break;
	case PROTO_GATEWAY:
		seen->tombstones += in->gateway.deleted;
		seen->gateways++;
		break;
	case PROTO_STATE_END: on_end(network, in->state_end.version); break;
	case PROTO_ENQUEUE:
		seen->enqueue = in->enqueue;
		seen->enqueued++;
		keep_item(seen, &in->enqueue);
		break;
	case PROTO_FLUSH:
		seen->flush = in->flush;
		seen->flushed++;
		break;
	case PROTO_SEALED:
		seen->sealed = in->sealed;
		seen->sealed_count++;
		break;
	case PROTO_FRAMES_WANTED:
		seen->wanted = in->frames_wanted;
		seen->frames_wanted += in->frames_wanted.lease_s > 0;
		break;
	case PROTO_EVENT_STORED: seen->stored_row = in->event_stored.row; break;
	default: break;
	}
	pump(network);
}

struct t_network_script *t_script_open(const char *run_dir)
{
	struct t_network_script *network = calloc(1, sizeof *network);
	ASSERT(network);
	network->in = malloc(sizeof *network->in);
	network->bytes = malloc(PROTO_FRAME_MAX);
	ASSERT(network->in && network->bytes);
	arena_init(&network->scratch, 1 << 20);
	network->loop = io_loop_new(NULL);
	char path[200];
	snprintf(path, sizeof path, "%s/network.sock", run_dir);
	const struct io_link_server_options options = {
		.path = path,
		.events = {
			.on_open = on_open, .on_message = on_message, .on_close = on_close, .ctx = network}};
	ASSERT_CMP(io_link_server_open(network->loop, &options, &network->server), ==, ST_OK);
	return network;
}

void t_script_free(struct t_network_script *network)
{
	io_link_server_free(network->server);
	io_loop_free(network->loop);
	arena_release(&network->scratch);
	free(network->in);
	free(network->bytes);
	free(network);
}

const struct t_script_seen *t_script_seen(const struct t_network_script *network)
{
	return &network->seen;
}

void t_script_series(struct t_network_script *network, uint64_t count, const struct lw_key *app_s_key,
		     const char *dev_eui, uint32_t dev_addr)
{
	network->series = count;
	network->app_s_key = *app_s_key;
	network->dev_addr = dev_addr;
	snprintf(network->dev_eui, sizeof network->dev_eui, "%s", dev_eui);
	pump(network);
}

bool t_script_all_stored(struct t_network_script *network)
{
	return network->seen.stored_row >= network->series;
}

static bool condition(void *ctx)
{
	struct t_network_script *network = ctx;
	return network->condition(network);
}

bool t_script_run(struct t_network_script *network, bool (*wanted)(struct t_network_script *network),
		  double ceiling)
{
	network->condition = wanted;
	return io_loop_run_until(network->loop, condition, network, (span_us)(ceiling * 1e6));
}
