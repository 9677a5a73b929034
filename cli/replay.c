#include "cli/replay.h"

#include "cli/capture_item.h"
#include "cli/progress.h"
#include "cli/replay_gap.h"
#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/io/clock.h"
#include "common/io/loop.h"
#include "common/io/udp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_ALIVE_US  (5 * US_PER_S)
#define UNREACHED_US   (3 * US_PER_S)
#define WRITTEN_OFF_US US_PER_S /* nothing was acknowledged for so long: what is on its way is lost */
#define LAST_ACKS_US   (2 * US_PER_S)
#define LOOP_GAP_US    US_PER_S /* between the last packet and the first of the next round */
#define BURST          100
#define ON_THE_WAY_MAX 256
#define UNANSWERED_MAX 8
#define DATAGRAM_MAX   65536
#define RECEIVE_BUFFER (1u << 20)
#define CAUSE          "TOO_LATE"

struct replay_gateway {
	struct replay *replay;
	struct lw_eui64 eui;
	struct io_udp *udp; /* owned */
	uint16_t token;
	struct mono next;       /* the earliest moment of the next datagram, by the rate, bursts aside */
	struct mono keep_alive; /* the next; MONO_NEVER for those of datagrams */
};

struct replay {
	const struct replay_options *options;
	struct replay_result *result;
	struct capture_file *file;
	struct io_loop *loop;
	struct io_timer *timer;
	struct replay_gateway
		*gateways[REPLAY_GATEWAYS_MAX]; /* owned; linear: a few in every capture there is */
	struct capture_item item;               /* the next, if has_item; borrows the file's buffer */
	bool has_item, has_origin, sent_all;
	struct wall origin, latest; /* of this round: its first packet, and its last so far */
	span_us behind;             /* length of the rounds before */
	unsigned long rounds_left;
	uint64_t done, on_the_way;
	struct mono started, first_sent, last_sent, last_push, last_ack;
	struct progress progress;
	struct replay_gap gap;
	uint8_t datagram[DATAGRAM_MAX];
};

/* --- gateways ----------------------------------------------------------------------------------------------------- */

static void send_from(struct replay_gateway *gateway, const uint8_t *bytes, size_t length)
{
	struct replay *replay = gateway->replay;
	if (io_udp_send(gateway->udp, &replay->options->server, bytes, length) != ST_OK)
		replay->result->send_failed++;
}

static void on_datagram(void *ctx, struct now now, const struct io_address *from, const uint8_t *bytes,
			size_t length)
{
	struct replay_gateway *gateway = ctx;
	struct replay *replay = gateway->replay;
	struct replay_result *result = replay->result;
	struct rd rd = rd_init(bytes, length);
	uint8_t version = rd_u8(&rd);
	uint16_t token = rd_u16be(&rd);
	uint8_t identifier = rd_u8(&rd);
	if (!rd_ok(&rd) || !io_address_equal(from, &replay->options->server))
		return;
	if (identifier == SEMTECH_PUSH_ACK || identifier == SEMTECH_PULL_ACK) {
		(*(identifier == SEMTECH_PUSH_ACK ? &result->push_acks : &result->pull_acks))++;
		replay->on_the_way -= replay->on_the_way > 0;
	} else if (identifier == SEMTECH_PULL_RESP) {
		result->pull_resps++;
		if (version == 2) {
			uint8_t answer[64];
			size_t written = semtech_write_tx_ack(answer, sizeof answer, version, token,
							      &gateway->eui, CAUSE, false, 0);
			send_from(gateway, answer, written);
			result->refused++;
		}
	} else {
		return;
	}
	result->reached = true;
	replay->last_ack = now.mono;
	io_timer_start(replay->timer, 0, 0);
}

static struct replay_gateway *gateway_of(struct replay *replay, const struct lw_eui64 *named)
{
	const struct replay_options *options = replay->options;
	struct lw_eui64 eui = *named;
	for (size_t i = 0; i < options->map_count; i++)
		if (lw_eui64_equal(&options->maps[i].from, named))
			eui = options->maps[i].to;
	for (size_t i = 0; i < replay->result->gateways; i++)
		if (lw_eui64_equal(&replay->gateways[i]->eui, &eui))
			return replay->gateways[i];
	if (replay->result->gateways == REPLAY_GATEWAYS_MAX) {
		replay->result->many_gateways = true;
		return NULL;
	}
	struct replay_gateway *gateway = calloc(1, sizeof *gateway);
	ASSERT(gateway);
	*gateway = (struct replay_gateway){.replay = replay, .eui = eui, .keep_alive = MONO_NEVER};
	const struct io_udp_options udp = {.host = options->server.family == 6 ? "::" : "0.0.0.0",
					   .receive_buffer = RECEIVE_BUFFER,
					   .on_datagram = on_datagram,
					   .ctx = gateway};
	if (io_udp_open(replay->loop, &udp, &gateway->udp) != ST_OK) {
		free(gateway);
		replay->result->many_gateways = true;
		return NULL;
	}
	return replay->gateways[replay->result->gateways++] = gateway;
}

static void keep_alive(struct replay_gateway *gateway, struct mono now)
{
	size_t length = semtech_write_pull_data(gateway->replay->datagram, DATAGRAM_MAX, 2, gateway->token++,
						&gateway->eui);
	send_from(gateway, gateway->replay->datagram, length);
	gateway->replay->result->keep_alives++;
	gateway->keep_alive = mono_add(now, KEEP_ALIVE_US);
}

/* --- what is next ------------------------------------------------------------------------------------------------- */

static bool can_be_sent(const struct replay *replay)
{
	const struct capture_item *item = &replay->item;
	return item->kind == CAPTURE_TO_SERVER ||
	       (item->kind == CAPTURE_FRAME_UP && (item->has_gateway || replay->options->has_gateway));
}

/* Takes the next packet that can be sent; false at the end of the last round. */
static bool take(struct replay *replay)
{
	struct pcap_packet packet;
	for (;;) {
		enum capture_next next = capture_file_next(replay->file, &packet);
		if (next == CAPTURE_PACKET) {
			capture_item_read(&replay->item, &packet, replay->options->port);
			replay->done++;
			if (can_be_sent(replay))
				break;
			replay->result->skipped++;
			continue;
		}
		if (next == CAPTURE_REFUSED || --replay->rounds_left == 0 ||
		    !capture_file_rewind(replay->file)) {
			replay->result->broken = next == CAPTURE_REFUSED || replay->rounds_left > 0;
			return false;
		}
		if (replay->has_origin)
			replay->behind += replay->latest.us - replay->origin.us + LOOP_GAP_US;
		replay->has_origin = false;
	}
	if (!replay->has_origin)
		replay->origin = replay->latest = replay->item.time;
	replay->has_origin = true;
	if (replay->item.time.us > replay->latest.us)
		replay->latest = replay->item.time;
	return true;
}

/* Where the item stands on the time line of all rounds. A packet that is earlier than the first stands with it. */
static span_us place_of(const struct replay *replay)
{
	span_us since = replay->item.time.us - replay->origin.us;
	return replay->behind + (since > 0 ? since : 0);
}

static struct mono due_at(const struct replay *replay)
{
	double speed = replay->options->speed;
	return speed > 0 ? mono_add(replay->started, (span_us)llround((double)place_of(replay) / speed))
			 : replay->started;
}

/* The moment at which the rate lets a gateway's next datagram leave. */
static struct mono allowed_at(const struct replay_gateway *gateway)
{
	unsigned rate = gateway->replay->options->rate;
	return rate ? mono_add(gateway->next, -(span_us)(BURST * US_PER_S / rate)) : gateway->next;
}

static void spend(struct replay_gateway *gateway, struct mono now)
{
	unsigned rate = gateway->replay->options->rate;
	if (gateway->next.us < now.us)
		gateway->next = now;
	if (rate)
		gateway->next = mono_add(gateway->next, US_PER_S / rate);
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static size_t write_frame(struct replay *replay, struct replay_gateway *gateway)
{
	const struct capture_item *item = &replay->item;
	int rssi_cdb = 0;
	(void)lw_loratap_rssi_cdb(&item->header, &rssi_cdb);
	const struct semtech_rxpk rxpk = {.tmst = {(uint32_t)(uint64_t)place_of(replay)},
					  .freq_hz = item->header.freq_hz,
					  .spreading_factor = item->modulation.spreading_factor,
					  .bandwidth_hz = item->modulation.bandwidth_hz,
					  .bit_rate_bps = item->modulation.bit_rate_bps,
					  .crc = 1,
					  .rssi_dbm = (int)lround(rssi_cdb / 100.0),
					  .snr_cdb = item->header.snr * 25,
					  .phy = item->bytes,
					  .length = item->length};
	return semtech_write_push_data(replay->datagram, DATAGRAM_MAX, 2, gateway->token++, &gateway->eui,
				       &rxpk, 1, NULL);
}

/* The bytes as they were, under the gateway's EUI. */
static size_t copy_datagram(struct replay *replay, const struct replay_gateway *gateway)
{
	const struct capture_item *item = &replay->item;
	struct wr wr = wr_init(replay->datagram, DATAGRAM_MAX);
	wr_copy(&wr, item->bytes, SEMTECH_HEADER_SIZE - sizeof gateway->eui.bytes);
	wr_copy(&wr, gateway->eui.bytes, sizeof gateway->eui.bytes);
	wr_copy(&wr, item->bytes + SEMTECH_HEADER_SIZE, item->length - SEMTECH_HEADER_SIZE);
	return wr_length(&wr);
}

static void send_item(struct replay *replay, struct replay_gateway *gateway, struct mono now)
{
	const struct capture_item *item = &replay->item;
	struct replay_result *result = replay->result;
	if (replay->first_sent.us == 0)
		replay->first_sent = replay->last_ack = now;
	if (replay->on_the_way == 0)
		replay->last_ack = now;
	size_t length;
	bool acknowledged = true;
	if (item->kind == CAPTURE_FRAME_UP) {
		if (gateway->keep_alive.us == MONO_NEVER.us)
			keep_alive(gateway, now);
		length = write_frame(replay, gateway);
		result->push_data++;
	} else {
		length = copy_datagram(replay, gateway);
		acknowledged = item->identifier != SEMTECH_TX_ACK;
		(*(item->identifier == SEMTECH_PUSH_DATA   ? &result->push_data
		   : item->identifier == SEMTECH_PULL_DATA ? &result->pull_data
							   : &result->tx_ack))++;
	}
	send_from(gateway, replay->datagram, length);
	spend(gateway, now);
	replay_gap_sent(&replay->gap, item, now);
	replay->on_the_way += acknowledged;
	replay->last_sent = now;
	if (item->kind == CAPTURE_FRAME_UP || item->identifier == SEMTECH_PUSH_DATA)
		replay->last_push = now;
}

/* Sends all that may leave; fills when to look again, at the latest. False: something is over. */
static bool send_due(struct replay *replay, struct mono now, struct mono *again)
{
	static const struct lw_eui64 none;
	while (!replay->sent_all) {
		if (!replay->has_item && !(replay->has_item = take(replay))) {
			replay->sent_all = true;
			break;
		}
		if (replay->on_the_way >= (replay->result->reached ? ON_THE_WAY_MAX : UNANSWERED_MAX)) {
			*again = mono_add(replay->last_ack, WRITTEN_OFF_US);
			if (!replay->result->reached || again->us > now.us)
				return true;
			replay->on_the_way = 0;
			replay->last_ack = now;
		}
		struct mono due = due_at(replay);
		if (due.us > now.us) {
			*again = due;
			return true;
		}
		const struct capture_item *item = &replay->item;
		struct replay_gateway *gateway = gateway_of(replay, item->has_gateway ? &item->gateway
								    : replay->options->has_gateway
									    ? &replay->options->gateway
									    : &none);
		if (!gateway)
			return false;
		struct mono allowed = allowed_at(gateway), apart = replay_gap_allows(&replay->gap, item);
		if (apart.us > allowed.us)
			allowed = apart;
		if (allowed.us > now.us) {
			*again = allowed;
			return true;
		}
		send_item(replay, gateway, now);
		replay->has_item = false;
	}
	return true;
}

static bool is_acknowledged(const struct replay_result *result)
{
	return result->push_acks >= result->push_data &&
	       result->pull_acks >= result->pull_data + result->keep_alives;
}

/* Whether nothing more is to be waited for; else `again` is when it may be. */
static bool is_over(const struct replay *replay, struct mono now, struct mono *again)
{
	const struct replay_result *result = replay->result;
	bool asked = result->push_data + result->pull_data + result->keep_alives > 0;
	if (!result->reached && asked && replay->first_sent.us != 0 &&
	    mono_since(now, replay->first_sent) >= UNREACHED_US)
		return true;
	if (!replay->sent_all)
		return false;
	struct mono end = mono_add(replay->last_sent, is_acknowledged(result) ? 0 : LAST_ACKS_US);
	struct mono lingers = mono_add(replay->last_push, replay->options->linger);
	*again = lingers.us > end.us && result->push_data > 0 ? lingers : end;
	return again->us <= now.us;
}

static void on_timer(void *ctx, struct now now)
{
	struct replay *replay = ctx;
	struct mono again = mono_add(now.mono, US_PER_S / 10), next = again;
	if (!send_due(replay, now.mono, &next) || is_over(replay, now.mono, &next)) {
		io_loop_stop(replay->loop, 0);
		return;
	}
	for (size_t i = 0; i < replay->result->gateways; i++) {
		struct replay_gateway *gateway = replay->gateways[i];
		if (gateway->keep_alive.us <= now.mono.us)
			keep_alive(gateway, now.mono);
	}
	progress_show(&replay->progress, (size_t)replay->done, (size_t)replay->options->total);
	if (next.us < again.us)
		again = next;
	span_us wait = mono_since(again, now.mono);
	io_timer_start(replay->timer, wait > US_PER_MS ? wait : US_PER_MS, 0);
}

static void on_stop(void *ctx, struct now now)
{
	struct replay *replay = ctx;
	(void)now;
	replay->result->interrupted = true;
	io_loop_stop(replay->loop, 0);
}

void replay_run(struct replay_result *result, struct capture_file *file, const struct replay_options *options)
{
	struct replay *replay = calloc(1, sizeof *replay);
	ASSERT(replay);
	memset(result, 0, sizeof *result);
	replay->options = options;
	replay->result = result;
	replay->file = file;
	replay->rounds_left = options->loops;
	replay_gap_init(&replay->gap, options->gap);
	const struct io_turn turn = {.on_stop = on_stop, .ctx = replay};
	replay->loop = io_loop_new(&turn);
	replay->timer = io_timer_new(replay->loop, on_timer, replay);
	replay->started = clock_mono();
	progress_start(&replay->progress, "replaying");
	io_timer_start(replay->timer, 0, 0);
	if (io_loop_run(replay->loop) != 0)
		result->broken = true;
	progress_end(&replay->progress);
	result->took = mono_since(clock_mono(), replay->started);
	for (size_t i = 0; i < result->gateways; i++) {
		result->send_failed += io_udp_stats(replay->gateways[i]->udp)->send_failed;
		io_udp_close(replay->gateways[i]->udp);
		free(replay->gateways[i]);
	}
	replay_gap_release(&replay->gap);
	io_timer_free(replay->timer);
	io_loop_free(replay->loop);
	free(replay);
}
