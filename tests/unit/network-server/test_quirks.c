/* Devices that leave the specification in a way that their profile names: what is then on the air, byte by byte. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/cipher.h"
#include "common/lorawan/mac_command.h"
#include "network-server/mac/mac.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX], commands[LW_PHY_PAYLOAD_MAX], count;
static uint8_t quirks;

static void as_chosen(struct net_profile *profile)
{
	profile->quirks = quirks;
}

static void setup(const char *region, uint8_t chosen)
{
	quirks = chosen;
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_1_0, region, as_chosen);
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, 1, 0x26000001, true);
}

static uint32_t slot(void)
{
	return ns_device_at(&rig.ns.sessions, 0)->session;
}

/* An uplink with these FOpts; the commands of its answer. */
static bool asks(const uint8_t *fopts, uint8_t length)
{
	bool us = ns_session_at(&rig.ns.sessions, slot())->region == 1;
	struct rig_frame frame = {.fport = 1, .fopts = fopts, .fopts_length = length};
	device.dr = us ? 3 : 5;
	device.channel = us ? 8 : 0;
	uint8_t phy_length = rig_uplink(&rig, &device, &frame, phy);
	size_t before = rig.downlink_count;
	rig_hears(&rig, us ? 3 : 1, phy, phy_length, 0);
	rig_run(&rig, 10 * US_PER_S);
	struct lw_frame down;
	uint32_t next = ns_session_at(&rig.ns.sessions, slot())->n_fcnt_down;
	bool answered = rig.downlink_count > before &&
			rig_last_downlink(&rig, &device, &down, next - 1, commands, &count);
	device.fcnt_up++;
	return answered;
}

/* --- fopts_before_erratum --- */

/* Key 01 × 16, DevAddr 01020304, counter 1, 01020304 in clear: block A with 0 in byte 4 is that of FRMPayload. */
static void the_cipher_of_before(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_direction direction;
		enum lw_fopts_counter counter;
		uint8_t expected[4];
	} rows[] = {
		{"up", LW_UP, LW_FOPTS_FCNT_UP, {0x23, 0x61, 0x5f, 0x18}},
		{"up, before the erratum", LW_UP, LW_FOPTS_BEFORE_ERRATUM, {0xcf, 0xf3, 0x0b, 0x4e}},
		{"down, NFCntDown", LW_DOWN, LW_FOPTS_NFCNT_DOWN, {0xb2, 0xdb, 0xe3, 0x91}},
		{"down, AFCntDown", LW_DOWN, LW_FOPTS_AFCNT_DOWN, {0xf1, 0xb1, 0xba, 0xa0}},
		{"down, before the erratum", LW_DOWN, LW_FOPTS_BEFORE_ERRATUM, {0x4e, 0x75, 0xf4, 0x40}},
	};
	struct aes *aes = aes_new();
	struct lw_key key;
	memset(key.bytes, 1, sizeof key.bytes);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		uint8_t out[4];
		lw_cipher_fopts(aes, &key, rows[i].direction, (struct lw_dev_addr){0x01020304}, 1,
				rows[i].counter, (const uint8_t[]){1, 2, 3, 4}, 4, out);
		t_bytes("FOpts", rows[i].expected, 4, out, 4);
	}
	aes_free(aes);
}

static void fopts_before_the_erratum(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t quirks;
		bool device_is_old, understood;
	} rows[] = {
		{"an old device that its profile names", NET_QUIRK_FOPTS_BEFORE_ERRATUM, true, true},
		{"an old device that it does not", 0, true, false},
		{"a new device", 0, false, true},
		{"a new device that is named old", NET_QUIRK_FOPTS_BEFORE_ERRATUM, false, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup("eu868", rows[i].quirks);
		t_row(rows[i].name);
		device.fopts_before_erratum = rows[i].device_is_old;
		bool answered = asks((const uint8_t[]){LW_CID_LINK_CHECK}, 1);
		bool checked = answered && count >= 3 && commands[0] == LW_CID_LINK_CHECK && commands[2] == 1;
		t_true("LinkCheckReq is answered, one gateway", checked == rows[i].understood);
		t_uint("delivered", 1, rig_events_of(&rig, PROTO_UP_EVENT));
		rig_release(&rig);
	}
}

/* --- force_rejoin_high_byte_first --- */

static void force_rejoin_in_either_order(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t quirks;
		uint8_t expected[3];
	} rows[] = {
		{"low byte first, as every field", 0, {0x0e, 0x25, 0x3f}},
		{"high byte first", NET_QUIRK_FORCE_REJOIN_HIGH_BYTE_FIRST, {0x0e, 0x3f, 0x25}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup("eu868", rows[i].quirks);
		t_row(rows[i].name);
		struct ns_rejoin_order order = {
			.period = 7, .max_retries = 7, .rejoin_type = 2, .data_rate = 5};
		assert_int_equal(ns_mac_order_rejoin(&rig.ns, rig.now, slot(), &order), NS_ORDER_TAKEN);
		rig_turn(&rig);
		assert_true(asks(NULL, 0));
		bool found = false;
		for (uint8_t at = 0; at + 3 <= count; at++)
			found = found || memcmp(commands + at, rows[i].expected, 3) == 0;
		t_true("its bytes", found);
		rig_release(&rig);
	}
}

static void turning_twice_is_nothing(void **state)
{
	(void)state;
	uint8_t command[3] = {LW_CID_FORCE_REJOIN, 0x2d, 0x3f};
	lw_mac_force_rejoin_turn(command);
	t_bytes("turned", (const uint8_t[]){0x0e, 0x3f, 0x2d}, 3, command, 3);
	lw_mac_force_rejoin_turn(command);
	t_bytes("turned back", (const uint8_t[]){0x0e, 0x2d, 0x3f}, 3, command, 3);
}

/* --- duplicate_link_adr_ans --- */

static void an_answer_a_request(void **state)
{
	(void)state;
	static const uint8_t one[] = {0x03, 0x07}, two[] = {0x03, 0x07, 0x03, 0x07},
			     mixed[] = {0x03, 0x07, 0x03, 0x06};
	static const struct {
		const char *name;
		uint8_t quirks;
		const uint8_t *says;
		uint8_t length;
		bool taken;
		unsigned odd;
	} rows[] = {
		{"one answer for the block, as 1.1 has it", 0, one, sizeof one, true, 0},
		{"two answers are understood, and noted", 0, two, sizeof two, true, 1},
		{"two answers, as the profile says", NET_QUIRK_DUPLICATE_LINK_ADR_ANS, two, sizeof two, true,
		 0},
		{"one answer all the same", NET_QUIRK_DUPLICATE_LINK_ADR_ANS, one, sizeof one, true, 0},
		{"what one of them refuses is refused", NET_QUIRK_DUPLICATE_LINK_ADR_ANS, mixed, sizeof mixed,
		 false, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup("us915", rows[i].quirks);
		t_row(rows[i].name);
		assert_true(asks(NULL, 0)); /* brings the block that settles its channels */
		unsigned before = (unsigned)rig.ns.drops[NS_DROP_MAC_UNEXPECTED];
		(void)asks(rows[i].says, rows[i].length);
		bool settled = !(ns_session_at(&rig.ns.sessions, slot())->flags & NS_SESSION_SETTLE);
		t_true("taken", settled == rows[i].taken);
		t_uint("noted", rows[i].odd, rig.ns.drops[NS_DROP_MAC_UNEXPECTED] - before);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(the_cipher_of_before),         t_test(fopts_before_the_erratum),
		t_test(force_rejoin_in_either_order), t_test(turning_twice_is_nothing),
		t_test(an_answer_a_request),
	};
	return t_run(tests);
}
