/* Floods against the real bridge, through real sockets, while eight other gateways go about their work.
 *
 * A flood is paced by what the bridge has taken, not by time: a slice of datagrams, then one uplink of each of the others
 * behind it in the same socket; the next slice but a few waits until that uplink was acknowledged. So the bridge reads as
 * fast as it can, and nothing depends on how fast that is. What is asserted: nothing of the others is lost or late by
 * more than those slices, and every datagram of the flood is accounted for by a verdict. How fast it went is printed;
 * tests/bench/bench_flood.c measures it. */
#include "tests/harness/bridge_rig.h"
#include "tests/harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FLOODER UINT64_C(0xbadbadbad0000001)
#define QUIET   UINT64_C(0x0016c00100000000)
#define QUIETS  8
#define SLICE   500
#define AHEAD   8 /* slices that may be on their way: 4,000 datagrams, which the smallest usual buffer holds */
#define SLICES  100 /* of most floods: 50,000 datagrams */
#define BURST   32  /* of one sendmmsg() */
#define HOSTS   32
#define PULLS_IN \
	10 /* slices from one PULL_DATA of a quiet gateway to its next, and from one downlink to the next */

struct flood {
	const char *name;
	/* Writes the datagram of that number; its length. */
	size_t (*write)(uint8_t *bytes, unsigned number);
	unsigned slices;
	unsigned hosts; /* that it comes from */
	enum {
		TAKEN_NOT,
		TAKEN_PUSH,
		TAKEN_PULL,
		TAKEN_TX_ACK
	} taken;                 /* what the bridge counts it as when it takes it */
	const char *verdicts[4]; /* that account for the rest; of the first there are most */
};

struct world {
	struct t_bridge *rig;
	struct t_gateway *quiet[QUIETS];
	struct t_gateway *flooders[HOSTS];
	unsigned flooder_count;
	uint8_t seen[QUIETS][4096]; /* uplinks by number */
	unsigned uplinks[QUIETS], doubles;
	unsigned slice;     /* of theirs */
	unsigned ahead;     /* such slices that may be on their way */
	unsigned downlinks; /* ordered */
	unsigned answered[QUIETS];
};

/* --- what a flood is made of */

static size_t header(uint8_t *bytes, uint8_t identifier, uint64_t eui, unsigned number)
{
	const struct lw_eui64 gateway = lw_eui64_from_number(eui);
	bytes[0] = 2;
	bytes[1] = (uint8_t)(number >> 8);
	bytes[2] = (uint8_t)number;
	bytes[3] = identifier;
	memcpy(bytes + 4, gateway.bytes, 8);
	return 12;
}

static size_t with_body(uint8_t *bytes, uint64_t eui, unsigned number, const char *body)
{
	size_t length = header(bytes, 0, eui, number);
	memcpy(bytes + length, body, strlen(body));
	return length + strlen(body);
}

#define FRAME                                                                                       \
	"{\"rxpk\":[{\"tmst\":1,\"freq\":868.3,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\"," \
	"\"codr\":\"4/5\",\"rssi\":-60,\"lsnr\":7,\"size\":4,\"data\":\"QAECAw==\"}]}"

static size_t frames(uint8_t *bytes, unsigned number)
{
	return with_body(bytes, FLOODER, number, FRAME);
}

static size_t pulls(uint8_t *bytes, unsigned number)
{
	return header(bytes, 2, FLOODER, number);
}

static size_t malformed(uint8_t *bytes, unsigned number)
{
	static const char *const bodies[] = {"{\"rxpk\":[{\"tmst\":1,", "{\"rxpk\":{}}", "\xff\xfe",
					     "[[[[[[[[[[[["};
	return with_body(bytes, FLOODER, number, bodies[number % ARRAY_SIZE(bodies)]);
}

static size_t strangers(uint8_t *bytes, unsigned number)
{
	return with_body(bytes, UINT64_C(0xdead000000000000) + number * UINT64_C(2654435761), number, FRAME);
}

static size_t garbage(uint8_t *bytes, unsigned number)
{
	static const uint8_t heads[][4] = {{7, 0, 0, 0}, {2, 0, 0, 99}, {2, 0, 0, 4}, {2, 0, 0, 0}};
	memcpy(bytes, heads[number % 4], 4);
	return 4;
}

static size_t tx_acks(uint8_t *bytes, unsigned number)
{
	return header(bytes, 5, FLOODER, number);
}

static size_t forged(uint8_t *bytes, unsigned number)
{
	return with_body(bytes, QUIET + number % QUIETS, number, "{}");
}

static const struct flood floods[] = {
	{"one gateway's frames", frames, 6 * SLICES, 1, TAKEN_PUSH, {"rate_eui"}},
	{"one gateway's PULL_DATA", pulls, SLICES, 1, TAKEN_PULL, {"rate_eui"}},
	{"malformed JSON", malformed, SLICES, 1, TAKEN_PUSH, {"rate_eui"}},
	{"TX_ACKs that nobody waits for", tx_acks, SLICES, 1, TAKEN_TX_ACK, {"rate_eui"}},
	{"invented EUIs from one host",
	 strangers,
	 SLICES,
	 1,
	 TAKEN_NOT,
	 {"rate_unknown", "unknown_gateway", "unknown_list_full"}},
	{"invented EUIs from many hosts",
	 strangers,
	 SLICES,
	 HOSTS,
	 TAKEN_NOT,
	 {"unknown_list_full", "unknown_gateway", "rate_unknown"}},
	{"garbage",
	 garbage,
	 SLICES,
	 1,
	 TAKEN_NOT,
	 {"truncated", "bad_version", "bad_identifier", "wrong_direction"}},
	{"the others' EUIs, forged", forged, SLICES, 1, TAKEN_PUSH, {"rate_eui"}},
};

/* --- the others */

static void on_uplink(void *ctx, const struct gw_uplink *uplink)
{
	struct world *world = ctx;
	uint64_t index = lw_eui64_number(&uplink->gateway) - QUIET;
	if (index >= QUIETS)
		return;
	unsigned number = uplink->ticks.us / 1000;
	ASSERT_CMP(number, <, sizeof world->seen[0]);
	world->doubles += world->seen[index][number]++;
	world->uplinks[index]++;
}

/* Every quiet gateway sends the uplink of this slice; now and then it pulls, and is given a downlink. */
static void quiet_traffic(struct world *world)
{
	bool pull = world->slice % PULLS_IN == 0;
	for (unsigned i = 0; i < QUIETS; i++) {
		t_gateway_push(world->quiet[i], 1000 * world->slice);
		if (pull)
			t_gateway_pull(world->quiet[i]);
	}
	if (pull && world->slice > 0) {
		unsigned turn = world->downlinks % QUIETS;
		t_upstream_order(world->rig->upstream, QUIET + turn, ++world->downlinks);
	}
	world->slice++;
}

static void pump(struct world *world)
{
	t_bridge_pump(world->rig);
	for (unsigned i = 0; i < QUIETS; i++)
		for (; world->answered[i] < world->quiet[i]->pull_resps; world->answered[i]++)
			t_gateway_answer(world->quiet[i], SIM_JIT_OK);
}

static bool caught_up(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	for (unsigned i = 0; i < QUIETS; i++)
		if (world->quiet[i]->push_acks + world->ahead < world->slice)
			return false;
	return true;
}

static unsigned pulls_sent(const struct world *world)
{
	return (world->slice + PULLS_IN - 1) / PULLS_IN;
}

static bool all_done(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	for (unsigned i = 0; i < QUIETS; i++)
		if (world->uplinks[i] < world->slice || world->quiet[i]->push_acks < world->slice ||
		    world->quiet[i]->pull_acks < pulls_sent(world))
			return false;
	return world->rig->upstream->tx_acks >= world->downlinks;
}

static bool paths_are_there(void *ctx)
{
	struct world *world = ctx;
	pump(world);
	for (unsigned i = 0; i < QUIETS; i++)
		if (world->quiet[i]->pull_acks == 0)
			return false;
	return true;
}

/* --- the flood */

static void send_slice(struct world *world, const struct flood *flood, unsigned number)
{
	static uint8_t bytes[BURST][512];
	struct mmsghdr messages[BURST];
	struct iovec parts[BURST];
	for (unsigned done = 0; done < SLICE;) {
		unsigned count = SLICE - done < BURST ? SLICE - done : BURST;
		for (unsigned i = 0; i < count; i++) {
			parts[i].iov_base = bytes[i];
			parts[i].iov_len = flood->write(bytes[i], number + done + i);
			messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
		}
		struct t_gateway *from = world->flooders[done / BURST % world->flooder_count];
		int sent = sendmmsg(from->up, messages, count, 0);
		if (sent < 0 && errno == EAGAIN)
			sent = 0;
		ASSERT(sent >= 0);
		done += (unsigned)sent;
	}
}

static struct world *world_start(const struct flood *flood)
{
	struct world *world = calloc(1, sizeof *world);
	ASSERT(world != NULL);
	world->rig = t_bridge_start(true, "");
	t_upstream_add(world->rig->upstream, FLOODER);
	for (unsigned i = 0; i < QUIETS; i++)
		t_upstream_add(world->rig->upstream, QUIET + i);
	world->rig->upstream->on_uplink = on_uplink;
	world->rig->upstream->ctx = world;
	t_true("list", t_bridge_has_list(world->rig));
	for (unsigned i = 0; i < QUIETS; i++)
		world->quiet[i] = t_bridge_gateway(world->rig, QUIET + i, 2, "127.0.0.2");
	world->flooder_count = flood->hosts;
	world->ahead = AHEAD * SLICES / flood->slices;
	for (unsigned i = 0; i < world->flooder_count; i++) {
		char host[32];
		snprintf(host, sizeof host, "127.66.%u.1", i);
		world->flooders[i] = t_bridge_gateway(world->rig, FLOODER, 2, host);
	}
	for (unsigned i = 0; i < QUIETS; i++)
		t_gateway_pull(world->quiet[i]);
	t_true("paths", t_wait_until(paths_are_there, world, T_CEILING));
	for (unsigned i = 0; i < QUIETS; i++)
		world->quiet[i]->pull_acks = 0;
	return world;
}

/* What the bridge took of the flood: all of that kind but what the others sent. */
static double taken(const struct world *world, const struct flood *flood)
{
	static const char *const metrics[] = {[TAKEN_PUSH] = "lamppost_bridge_push_data_total",
					      [TAKEN_PULL] = "lamppost_bridge_pull_data_total",
					      [TAKEN_TX_ACK] = "lamppost_bridge_tx_acks_total"};
	const unsigned others[] = {[TAKEN_PUSH] = QUIETS * world->slice,
				   [TAKEN_PULL] = QUIETS * (1 + pulls_sent(world)),
				   [TAKEN_TX_ACK] = world->downlinks};
	return flood->taken == TAKEN_NOT
		       ? 0
		       : t_metric(world->rig->admin, metrics[flood->taken]) - others[flood->taken];
}

static void account(const struct world *world, const struct flood *flood)
{
	double counted = taken(world, flood);
	t_true("by its limit", t_bridge_verdict(world->rig, flood->verdicts[0]) > flood->slices * SLICE / 5);
	for (size_t i = 0; i < ARRAY_SIZE(flood->verdicts) && flood->verdicts[i]; i++)
		counted += t_bridge_verdict(world->rig, flood->verdicts[i]);
	t_uint("every datagram is accounted for", flood->slices * SLICE, counted);
	char metric[128];
	snprintf(metric, sizeof metric, "lamppost_bridge_udp_kernel_drops_total{socket=\"127.0.0.1:%u\"}",
		 world->rig->port);
	t_uint("lost by the kernel", 0, t_metric(world->rig->admin, metric));
	t_true("no more strangers than the list holds",
	       t_metric(world->rig->admin, "lamppost_bridge_gateways{state=\"unknown\"}") <= 1024);
}

static void the_others_do_not_notice(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(floods); i++) {
		const struct flood *flood = &floods[i];
		t_row(flood->name);
		struct world *world = world_start(flood);
		double begun = t_seconds();
		bool kept_pace = true;
		for (unsigned slice = 0; slice < flood->slices && kept_pace; slice++) {
			send_slice(world, flood, slice * SLICE);
			if (slice % (flood->slices / SLICES) == 0)
				quiet_traffic(world);
			kept_pace = t_wait_until(caught_up, world, T_CEILING);
		}
		quiet_traffic(world); /* behind the last of the flood */
		double seconds = t_seconds() - begun;
		printf("%s: %u datagrams, %.0f a second\n", flood->name, flood->slices * SLICE,
		       flood->slices * SLICE / seconds);
		t_true("acknowledged while it lasts", kept_pace);
		t_true("all of theirs went through", t_wait_until(all_done, world, T_CEILING));
		for (unsigned q = 0; q < QUIETS; q++)
			t_uint("uplinks", world->slice, world->uplinks[q]);
		t_uint("more than once", 0, world->doubles);
		for (unsigned d = 0; d < world->downlinks; d++)
			t_str("downlink", "ok", gw_tx_result_name(world->rig->upstream->tx_ack[d].result));
		account(world, flood);
		t_bridge_stop(world->rig);
		free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(the_others_do_not_notice)};
	return t_run(tests);
}
