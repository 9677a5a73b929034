/* What 1.1 adds to MICs and ciphers, where both ends have to mean the same: ConfFCnt both ways, the cipher of FOpts beside an
 * application's payload, the channel of a frame that a neighbouring one seems to have brought too. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX], commands[LW_PHY_PAYLOAD_MAX], count;

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_1_0, "eu868",
		    NULL); /* boots with RxDelay 1 s: there is a request to make */
	rig_state_end(&rig);
	rig_abp(&rig, &device, 1, 1, 0x26000001, true);
}

static void send(uint32_t fcnt, const struct rig_frame *frame)
{
	device.fcnt_up = fcnt;
	uint8_t length = rig_uplink(&rig, &device, frame, phy);
	rig_hears(&rig, 1, phy, length, 0);
}

static const uint8_t ciphertext[] = {0xc1, 0xc2, 0xc3};

static void enqueue_and_seal(bool confirmed, uint32_t fcnt_up)
{
	struct net_enqueue item = {.item = rig_uuid(1),
				   .dev_eui = device.dev_eui,
				   .fport = 2,
				   .length = sizeof ciphertext,
				   .confirmed = confirmed};
	ns_on_enqueue(&rig.ns, rig.now, &item);
	rig_turn(&rig);
	send(fcnt_up, &(struct rig_frame){.fport = 1});
	rig_run(&rig, 205 * US_PER_MS);
	assert_int_equal(1, rig.seal_count);
	struct net_sealed sealed = {.item = rig_uuid(1),
				    .fcnt_down = rig.seals[0].fcnt_down + 1,
				    .ok = true,
				    .frm_payload_length = sizeof ciphertext};
	memcpy(sealed.frm_payload, ciphertext, sizeof ciphertext);
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
	t_uint("sealed under another counter: not taken", 0, rig.downlink_count);
	sealed.fcnt_down--;
	ns_on_sealed(&rig.ns, rig.now, &sealed);
	rig_turn(&rig);
	t_uint("sent", 1, rig.downlink_count);
}

static void fopts_beside_a_payload(void **state)
{
	(void)state;
	setup();
	enqueue_and_seal(false, 0);
	struct lw_frame frame;
	t_true("its MIC", rig_last_downlink(&rig, &device, &frame, 0, commands, &count));
	t_uint("port", 2, frame.fport);
	t_bytes("RXTimingSetupReq, deciphered under AFCntDown's constant", (const uint8_t[]){0x08, 0x05}, 2,
		commands, count);
	rig_release(&rig);
}

static void conf_fcnt_of_an_uplink(void **state)
{
	(void)state;
	setup();
	struct ns_session *session = ns_session_at(&rig.ns.sessions, 0);
	session->a_fcnt_down = 7;
	enqueue_and_seal(true, 0);
	rig_tx_ack(&rig, GW_TX_OK);
	rig_run(&rig, 20 * US_PER_S);
	rig_restart(&rig);
	device.conf_fcnt_down = 7;
	send(1, &(struct rig_frame){.fport = 1, .ack = true});
	rig_run(&rig, 20 * US_PER_S);
	t_uint("accepted", 2, rig_events_of(&rig, PROTO_UP_EVENT));
	bool acknowledged = false;
	for (size_t i = 0; i < rig.event_count; i++)
		acknowledged |= rig.events[i].kind == PROTO_DOWNLINK_EVENT &&
				rig.events[i].downlink_event.status == NET_ITEM_ACKNOWLEDGED;
	t_true("acknowledged", acknowledged);
	rig_release(&rig);
}

static void conf_fcnt_of_a_downlink(void **state)
{
	(void)state;
	setup();
	send(5, &(struct rig_frame){.fport = 1, .confirmed = true});
	rig_run(&rig, 5 * US_PER_S);
	struct lw_frame frame;
	t_true("its MIC holds the uplink's counter",
	       rig_last_downlink(&rig, &device, &frame, 0, commands, &count));
	t_true("ACK", frame.fctrl.ack);
	rig_release(&rig);
}

/* More gateways say the wrong channel than the right one: the MIC tells. */
static void ghosts_outnumber_the_channel(void **state)
{
	(void)state;
	setup();
	device.channel = 0;
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1, .confirmed = true}, phy);
	rig_hears_on(&rig, 1, phy, length, 0, 868300000, 5, 100);
	rig_hears_on(&rig, 2, phy, length, 0, 868300000, 5, 900);
	rig_hears_on(&rig, 2, phy, length, 0, 868100000, 5, 500);
	rig_run(&rig, 5 * US_PER_S);
	t_uint("accepted", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_true("answered", rig.downlink_count > 0);
	if (rig.downlink_count > 0)
		t_uint("on the device's channel", 868100000, rig.downlinks[0].attempts[0].freq_hz);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(fopts_beside_a_payload),
		t_test(conf_fcnt_of_an_uplink),
		t_test(conf_fcnt_of_a_downlink),
		t_test(ghosts_outnumber_the_channel),
	};
	return t_run(tests);
}
