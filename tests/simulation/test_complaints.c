/* What users of other network servers complain of, each as a test named after the complaint, where no test of a part says it already.
 * docs/complaints.md has the whole list: the complaint, what is done here, and the tests that prove it. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/base/bytes.h"
#include "common/lorawan/airtime.h"
#include "common/lorawan/join_frame.h"

#include <stdio.h>
#include <string.h>

#define DEVICES 60

enum { PROFILE_103, PROFILE_104, PROFILE_US };

static struct rig rig;
static struct rig_device devices[DEVICES], *const device = devices;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static void rx_delay_5(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
}

static void with_adr(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->adr = true;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_104, LW_MAC_1_0_4, "eu868", rx_delay_5);
	rig_profile(&rig, PROFILE_US, LW_MAC_1_0_3, "us915", with_adr);
	rig_state_end(&rig);
}

/* --- joins */

static uint8_t request(const struct rig_device *of, uint16_t dev_nonce)
{
	struct lw_join_request join = {
		.join_eui = of->join_eui, .dev_eui = of->dev_eui, .dev_nonce = dev_nonce};
	return (uint8_t)lw_join_request_encode(&join, phy);
}

static void wrap(struct bi_key_envelope *envelope, const char *label, uint8_t fill)
{
	uint8_t key[16];
	memset(key, fill, sizeof key);
	snprintf(envelope->label, sizeof envelope->label, "%s", label);
	envelope->length = BI_KEY_WRAPPED;
	assert_int_equal(AES_WRAP_OK, aes_wrap(rig.config.kek, 16, key, 16, envelope->key));
}

/* The join server says yes to all that it was asked since. */
static void join_server_answers(size_t *answered)
{
	for (; *answered < rig.join_count; (*answered)++) {
		const struct ns_join_call *call = &rig.joins[*answered];
		struct bi_message message = {.envelope = {.type = BI_JOIN_ANS,
							  .transaction_id = call->transaction,
							  .result = BI_SUCCESS}};
		struct bi_join_ans *answer = &message.join_ans;
		answer->phy_length = call->request.has_cflist ? 33 : 17;
		memset(answer->phy_payload, 0x20, answer->phy_length);
		answer->phy_payload[1] = (uint8_t)*answered;
		wrap(&answer->nwk_s_key, "network", 0x61);
		wrap(&answer->app_s_key, "application", 0x62);
		ns_on_join_answer(&rig.ns, rig.now, call->transaction, &message);
		rig_turn(&rig);
	}
}

/* The clock runs on, and whatever the join server is asked meanwhile it answers within 10 ms. */
static void runs(span_us span, size_t *answered)
{
	for (span_us passed = 0; passed < span; passed += 10 * US_PER_MS) {
		rig_run(&rig, 10 * US_PER_MS);
		join_server_answers(answered);
	}
}

/* Complaint 6: sensors that join again and again leave thousands of sessions under one address, and the server on its knees. */
static void a_device_that_joins_again_and_again_leaves_no_sessions_behind(void **state)
{
	(void)state;
	setup();
	rig_otaa(&rig, device, 1, PROFILE_103);
	size_t answered = 0;
	uint32_t most = 0;
	for (uint16_t n = 0; n < 100; n++) {
		rig_hears(&rig, 1, phy, request(device, n), 0);
		runs(20 * US_PER_S, &answered);
		most = rig.ns.sessions.slab.count > most ? rig.ns.sessions.slab.count : most;
	}
	t_uint("asked", 100, rig.join_count);
	t_true("the last two joins and the session in use at most", most <= 3);
	rig_restart(&rig);
	t_true("after a restart as well", rig.ns.sessions.slab.count <= 3);
	rig_release(&rig);
}

/* Complaint 8: a strong device is heard on a second frequency, gets two join-accepts, and takes up the wrong address. */
static void a_join_request_heard_on_two_channels_gets_one_accept(void **state)
{
	(void)state;
	setup();
	rig_otaa(&rig, device, 1, PROFILE_103);
	size_t answered = 0;
	uint8_t length = request(device, 7);
	rig_hears_on(&rig, 1, phy, length, 0, 868300000, 5, 900);
	rig_hears_on(&rig, 1, phy, length, 0, 868500000, 5, -900); /* the ghost */
	rig_hears_on(&rig, 2, phy, length, 0, 868300000, 5, 100);
	runs(400 * US_PER_MS, &answered);
	struct lw_dev_addr address = rig.joins[0].request.dev_addr;
	rig_hears_on(&rig, 2, phy, length, 400 * US_PER_MS, 868100000, 5,
		     -900); /* another, over a slow backhaul */
	runs(10 * US_PER_S, &answered);
	t_uint("the join server is asked", 1, rig.join_count);
	t_uint("accepts", 1, rig.downlink_count);
	t_uint("where it was heard best", 868300000, rig.downlinks[0].attempts[0].freq_hz);
	t_uint("join events", 1, rig_events_of(&rig, PROTO_JOIN_EVENT));
	const struct ns_device *record = ns_device_at(&rig.ns.sessions, 0);
	assert_true(record->pending != NS_NO_SLOT);
	t_uint("its address", address.value,
	       ns_session_at(&rig.ns.sessions, record->pending)->dev_addr.value);
	rig_release(&rig);
}

struct on_air {
	uint64_t gateway;
	uint32_t from, airtime; /* by the gateway's counter, microseconds */
};

/* Whether a gateway was told to send two frames at one time. */
static unsigned overlaps(unsigned of_gateway[3])
{
	static struct on_air sent[RIG_SENT_MAX];
	unsigned count = 0;
	for (size_t i = 0; i < rig.downlink_count; i++) {
		const struct gw_tx_attempt *attempt = &rig.downlinks[i].attempts[0];
		sent[i] = (struct on_air){
			lw_eui64_number(&attempt->gateway), attempt->ticks.us,
			lw_airtime_us(&attempt->modulation, LW_DOWN, rig.downlinks[i].phy_length)};
		of_gateway[sent[i].gateway]++;
		for (size_t j = 0; j < i; j++)
			count += sent[j].gateway == sent[i].gateway &&
				 (sent[i].from - sent[j].from < sent[j].airtime ||
				  sent[j].from - sent[i].from < sent[i].airtime);
	}
	return count;
}

/* Complaint 24: many devices are powered together, and four of five joins fail, since the accepts fall on one another. Two gateways
 * cannot answer sixty requests of one second; those that get no accept ask again as the specification has it. */
static void sixty_devices_powered_together_are_all_in_within_a_minute(void **state)
{
	(void)state;
	static const uint32_t freqs[] = {868100000, 868300000, 868500000};
	span_us next[DEVICES];
	uint16_t tries[DEVICES] = {0};
	unsigned accepts[DEVICES] = {0}, of_gateway[3] = {0}, joined = 0, at_once = 0;
	size_t answered = 0, looked_at = 0;
	struct rng rng = rng_seeded(24);
	setup();
	for (unsigned i = 0; i < DEVICES; i++) {
		rig_otaa(&rig, &devices[i], 100 + i, PROFILE_103);
		next[i] = i * 20 * US_PER_MS;
	}
	for (span_us now = 0; now < 60 * US_PER_S; now += 20 * US_PER_MS) {
		for (unsigned i = 0; i < DEVICES; i++) {
			if (accepts[i] > 0 || now < next[i])
				continue;
			uint8_t length = request(&devices[i], tries[i]++);
			rig_hears_on(&rig, 1, phy, length, 0, freqs[i % 3], 5, i % 2 ? 500 : 300);
			rig_hears_on(&rig, 2, phy, length, 0, freqs[i % 3], 5, i % 2 ? 300 : 500);
			next[i] = now + 7 * US_PER_S + (span_us)rng_below(&rng, 8 * US_PER_S);
		}
		runs(20 * US_PER_MS, &answered);
		for (; looked_at < rig.downlink_count; looked_at++) {
			uint64_t number = lw_eui64_number(
				&rig.joins[rig.downlinks[looked_at].phy[1]].request.dev_eui);
			unsigned i = 0;
			while (lw_eui64_number(&devices[i].dev_eui) != number)
				ASSERT_CMP(++i, <, DEVICES);
			joined += accepts[i]++ == 0;
		}
		at_once = now < 5 * US_PER_S ? joined : at_once;
	}
	t_true("most at once", at_once > DEVICES / 2);
	t_uint("all within a minute", DEVICES, joined);
	t_uint("one accept each", DEVICES, rig.downlink_count);
	t_uint("that a gateway would have to send at one time", 0, overlaps(of_gateway));
	t_true("both gateways send", of_gateway[1] > 10 && of_gateway[2] > 10);
	rig_release(&rig);
}

/* --- commands */

static void enqueue(uint8_t number, bool confirmed)
{
	struct net_enqueue item = {.item = rig_uuid(number),
				   .dev_eui = device->dev_eui,
				   .fport = 2,
				   .length = 3,
				   .confirmed = confirmed};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
}

/* An uplink; its answer leaves, sealed with the item's number as its payload, and the gateway says that it was sent. */
static void uplink(void)
{
	size_t seals = rig.seal_count, downlinks = rig.downlink_count;
	uint8_t length = rig_uplink(&rig, device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 4210 * US_PER_MS);
	if (rig.seal_count > seals) {
		const struct net_seal *asked = &rig.seals[rig.seal_count - 1];
		struct net_sealed sealed = {.item = asked->item,
					    .fcnt_down = asked->fcnt_down,
					    .ok = true,
					    .frm_payload_length = 3};
		memset(sealed.frm_payload, asked->item.bytes[15], 3);
		ns_on_sealed(&rig.ns, rig.now, &sealed);
		rig_turn(&rig);
	}
	if (rig.downlink_count > downlinks)
		rig_tx_ack(&rig, GW_TX_OK);
	device->fcnt_up++;
	rig_run(&rig, 30 * US_PER_S);
}

/* The numbers of the items in the frames that left, as one text: "1 1 1 2". */
static const char *items_sent(void)
{
	static char text[200];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < rig.downlink_count; i++) {
		struct lw_frame frame;
		assert_int_equal(LW_OK, lw_frame_parse(&frame, rig.downlinks[i].phy,
						       rig.downlinks[i].phy_length, LW_DOWN));
		if (frame.frm_payload_length == 3)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%d", used ? " " : "",
						 frame.frm_payload[0] - 1);
	}
	return text;
}

/* Complaint 13: a confirmed command that is never acknowledged holds up all others, or the first message is sent again and again. */
static void a_command_that_is_never_acknowledged_holds_up_nobody(void **state)
{
	(void)state;
	setup();
	rig_abp(&rig, device, 1, PROFILE_104, 0x26000001, false);
	enqueue(1, true);
	enqueue(2, false);
	enqueue(3, true);
	for (unsigned i = 0; i < 10; i++)
		uplink(); /* and no ACK in any */
	t_str("three tries, the next, three tries", "1 1 1 2 3 3 3", items_sent());
	t_uint("no counter with two contents", 0, rig.counters_repeated);
	rig_release(&rig);
}

/* Complaint 14: of two commands within 100 ms one is lost, since what guards against doubles does not look at what they are. */
static void two_equal_commands_at_once_are_two_and_one_that_comes_twice_is_one(void **state)
{
	(void)state;
	setup();
	rig_abp(&rig, device, 1, PROFILE_104, 0x26000001, false);
	enqueue(1, false);
	enqueue(2, false); /* the same in everything but its id */
	enqueue(2, false); /* once more, by an application that did not get its answer */
	for (unsigned i = 0; i < 4; i++)
		uplink();
	t_str("both, once", "1 2", items_sent());
	rig_release(&rig);
}

/* --- requests of the network */

/* Complaint 17: once the channel mask was changed, the power is never lowered. */
static void power_falls_also_after_the_masks_were_changed(void **state)
{
	(void)state;
	setup();
	rig_abp(&rig, device, 1, PROFILE_US, 0x26000001, false);
	uint8_t answer[15], answer_length = 0, dr = 3, power = 0;
	for (unsigned n = 0; n < 60; n++) {
		uint8_t commands[LW_PHY_PAYLOAD_MAX], length;
		size_t before = rig.downlink_count;
		const struct rig_frame frame = {
			.fport = 1, .adr = true, .fopts = answer, .fopts_length = answer_length};
		uint8_t phy_length = rig_uplink(&rig, device, &frame, phy);
		rig_hears_on(&rig, 3, phy, phy_length, 0, 903900000, dr, 1300);
		rig_run(&rig, 30 * US_PER_S);
		device->fcnt_up++;
		answer_length = 0;
		struct lw_frame down;
		if (rig.downlink_count == before)
			continue;
		assert_true(rig_last_downlink(&rig, device, &down, (uint32_t)before, commands, &length));
		struct rd rd = rd_init(commands, length);
		while (rd_left(&rd) >= 5 &&
		       rd_u8(&rd) == 0x03) { /* LinkADRReq: the device does as it is asked */
			uint8_t rate = rd_u8(&rd);
			(void)rd_take(&rd, 3);
			dr = rate >> 4 == 15 ? dr : rate >> 4;
			power = (rate & 15) == 15 ? power : rate & 15;
			answer[answer_length++] = 0x03;
			answer[answer_length++] = 0x07;
		}
	}
	const struct ns_session *session = ns_session_at(&rig.ns.sessions, 0);
	t_uint("channels", 9, lw_mask_count(&ns_session_plan(&rig.ns.sessions, session)->enabled));
	t_true("less power", power >= 2);
	t_uint("and the server knows", power, session->mac.tx_power);
	rig_release(&rig);
}

/* --- counters */

/* Complaint 25: somebody plays recorded frames again, and the device is refused from then on. */
static void recorded_frames_played_again_do_the_device_no_harm(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t profile;
		uint32_t from; /* counter of the first recorded frame */
	} rows[] = {
		{"a young session", PROFILE_103, 0},
		{"the 16 bits on the air begin again", PROFILE_103, 65533},
		{"1.0.4, far on", PROFILE_104, 0x2fffd},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static uint8_t recorded[6][LW_PHY_PAYLOAD_MAX];
		uint8_t lengths[6];
		t_row(rows[i].name);
		setup();
		rig_abp(&rig, device, 1, rows[i].profile, 0x26000001, false);
		for (device->fcnt_up = 0; device->fcnt_up < rows[i].from; device->fcnt_up += 10000) {
			lengths[0] = rig_uplink(&rig, device, &(struct rig_frame){.fport = 1}, recorded[0]);
			rig_hears(&rig, 1, recorded[0], lengths[0], 0);
			rig_run(&rig, 10 * US_PER_S);
		}
		device->fcnt_up = rows[i].from;
		rig.event_count = 0;
		for (unsigned n = 0; n < 6; n++, device->fcnt_up++) {
			lengths[n] = rig_uplink(&rig, device, &(struct rig_frame){.fport = 1}, recorded[n]);
			rig_hears(&rig, 1, recorded[n], lengths[n], 0);
			rig_run(&rig, 10 * US_PER_S);
		}
		unsigned before = rig_events_of(&rig, PROTO_UP_EVENT);
		t_uint("readings", 6, before);
		rig_restart(&rig); /* whoever plays may wait for that */
		for (unsigned n = 0; n < 18; n++) {
			rig_hears(&rig, 1, recorded[n % 5], lengths[n % 5], 0);
			rig_run(&rig, 10 * US_PER_S);
		}
		t_uint("none of them again", before, rig_events_of(&rig, PROTO_UP_EVENT));
		uint8_t length = rig_uplink(&rig, device, &(struct rig_frame){.fport = 1}, phy);
		rig_hears(&rig, 1, phy, length, 0);
		rig_run(&rig, 10 * US_PER_S);
		t_uint("and the device goes on", before + 1, rig_events_of(&rig, PROTO_UP_EVENT));
		t_uint("with its whole counter", rows[i].from + 6,
		       rig.events[rig.event_count - 1].up_event.fcnt_up);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_device_that_joins_again_and_again_leaves_no_sessions_behind),
		t_test(a_join_request_heard_on_two_channels_gets_one_accept),
		t_test(sixty_devices_powered_together_are_all_in_within_a_minute),
		t_test(a_command_that_is_never_acknowledged_holds_up_nobody),
		t_test(two_equal_commands_at_once_are_two_and_one_that_comes_twice_is_one),
		t_test(power_falls_also_after_the_masks_were_changed),
		t_test(recorded_frames_played_again_do_the_device_no_harm),
	};
	return t_run(tests);
}
