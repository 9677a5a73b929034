/* What is recorded of joins, sessions, ADR, MAC requests and desired state. */
#include "tests/harness/harness.h"
#include "tests/harness/network_why.h"

#include "common/base/hex.h"
#include "common/lorawan/join_frame.h"
#include "network-server/why/explain.h"

#include <string.h>

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX], phy_length;

enum { PROFILE_103, PROFILE_ADR, PROFILE_US };

static void with_adr(struct net_profile *profile)
{
	profile->rx_delay_s = 5;
	profile->adr = true;
	profile->dev_status_interval_h = 0;
}

static void setup(void)
{
	rig_init(&rig);
	rig_state_begin(&rig, false);
	rig_profile(&rig, PROFILE_ADR, LW_MAC_1_0_3, "eu868", with_adr);
	rig_profile(&rig, PROFILE_US, LW_MAC_1_0_3, "us915", NULL);
	rig_state_end(&rig);
}

/* --- joins --- */

static void asks(uint16_t dev_nonce, uint64_t gateway)
{
	struct lw_join_request join = {
		.join_eui = device.join_eui, .dev_eui = device.dev_eui, .dev_nonce = dev_nonce};
	phy_length = (uint8_t)lw_join_request_encode(&join, phy);
	rig_hears(&rig, gateway, phy, phy_length, 0);
}

static void asks_to_join(void)
{
	rig_otaa(&rig, &device, 1, PROFILE_103);
	asks(77, 1);
	rig_run(&rig, 250 * US_PER_MS);
}

static void answers(enum bi_result result, const char *description)
{
	const struct ns_join_call *call = &rig.joins[rig.join_count - 1];
	struct bi_message message = {
		.envelope = {.type = BI_JOIN_ANS, .transaction_id = call->transaction, .result = result}};
	snprintf(message.envelope.description, sizeof message.envelope.description, "%s", description);
	struct bi_join_ans *answer = &message.join_ans;
	answer->phy_length = 33;
	memset(answer->phy_payload, 0x20, answer->phy_length);
	device.dev_addr = call->request.dev_addr;
	memset(&device.keys, 0x61, sizeof device.keys);
	snprintf(answer->nwk_s_key.label, sizeof answer->nwk_s_key.label, "network");
	answer->nwk_s_key.length = BI_KEY_WRAPPED;
	assert_int_equal(AES_WRAP_OK, aes_wrap(rig.config.kek, 16, device.keys.f_nwk_s_int_key.bytes, 16,
					       answer->nwk_s_key.key));
	ns_on_join_answer(&rig.ns, rig.now, call->transaction, &message);
	rig_turn(&rig);
}

static void joins(void)
{
	asks_to_join();
	answers(BI_SUCCESS, "");
}

static void joins_and_sends(void)
{
	joins();
	device.fcnt_up = 2;
	phy_length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, 1, phy, phy_length, 0);
	rig_run(&rig, 10 * US_PER_S);
}

static void has_another_key(void)
{
	asks_to_join();
	answers(BI_MIC_FAILED, "mic_failed");
}

static void gets_a_bad_answer(void)
{
	asks_to_join();
	memset(rig.ns.config.kek, 0, sizeof rig.ns.config.kek);
	answers(BI_SUCCESS, "");
}

static void nobody_answers(void)
{
	asks_to_join();
	rig_run(&rig, 20 * US_PER_S);
}

static void has_another_join_eui(void)
{
	rig_otaa(&rig, &device, 1, PROFILE_103);
	device.join_eui = rig_eui(0x99aa);
	asks(5, 1);
	rig_run(&rig, US_PER_S);
}

static void is_registered_for_abp(void)
{
	rig_abp(&rig, &device, 1, PROFILE_103, 0x26000001, false);
	device.join_eui = rig_eui(0x99aa);
	asks(5, 1);
	rig_run(&rig, US_PER_S);
}

static void is_not_registered(void)
{
	rig_otaa(&rig, &device, 1, PROFILE_103);
	device.dev_eui = rig_eui(0x1234);
	asks(5, 1);
	asks(5, 2);
	rig_run(&rig, US_PER_S);
}

static void sends_the_same_once_more(void)
{
	asks_to_join();
	rig_run(&rig, 20 * US_PER_S);
	rig_hears(&rig, 1, phy, phy_length, 0);
	rig_run(&rig, US_PER_S);
}

static void is_heard_in_another_region(void)
{
	rig_otaa(&rig, &device, 1, PROFILE_103);
	asks(5, 3);
	rig_run(&rig, US_PER_S);
}

/* --- MAC and ADR --- */

static void says(const char *hex, uint8_t dr, int16_t snr_cdb)
{
	uint8_t fopts[LW_FOPTS_MAX];
	size_t length = 0;
	assert_true(hex_decode(fopts, sizeof fopts, &length, hex, strlen(hex)));
	device.dr = dr;
	phy_length = rig_uplink(
		&rig, &device,
		&(struct rig_frame){.fport = 1, .adr = true, .fopts = fopts, .fopts_length = (uint8_t)length},
		phy);
	rig_hears_on(&rig, 1, phy, phy_length, 0, 868100000, dr, snr_cdb);
	rig_run(&rig, 10 * US_PER_S);
	device.fcnt_up++;
}

static void adr_steps(void)
{
	rig_abp(&rig, &device, 1, PROFILE_ADR, 0x26000001, false);
	for (int i = 0; i < 5; i++)
		says("", 0, 700);
}

static void adr_has_few(void)
{
	rig_abp(&rig, &device, 1, PROFILE_ADR, 0x26000001, false);
	says("", 0, 700);
	says("", 0, 700);
}

static void takes_it(void)
{
	adr_steps();
	says("0307", 4, 700);
}

static void refuses_it(void)
{
	adr_steps();
	says("0305", 0, 700);
}

static void has_nothing_to_gain(void)
{
	rig_abp(&rig, &device, 1, PROFILE_ADR, 0x26000001, false);
	for (int i = 0; i < 8; i++)
		says("", 5, 300);
}

static void boots_with_1_s(void)
{
	rig_abp(&rig, &device, 1, PROFILE_103, 0x26000001, false);
	says("", 5, 0);
}

static void does_not_answer(void)
{
	boots_with_1_s();
	says("", 5, 0);
	says("", 5, 0);
}

/* --- desired state --- */

static void is_told_out_of_order(void)
{
	struct net_profile profile = {.version = 9, .id = rig_uuid(1), .region_id = "eu868"};
	ns_on_profile(&rig.ns, rig.now, &profile);
}

static void has_a_region_that_is_not_here(void)
{
	struct net_profile profile = {.version = ++rig.version, .id = rig_uuid(1), .region_id = "kr920"};
	rig_state_begin(&rig, false);
	ns_on_profile(&rig.ns, rig.now, &profile);
}

static void has_keys_of_another_server(void)
{
	struct net_device record;
	rig_abp_record(&rig, &device, &record, 1, PROFILE_103, 0x26000001, false);
	record.nwk_s_key[5] ^= 1;
	rig_state_begin(&rig, false);
	ns_on_device(&rig.ns, rig.now, &record);
}

static void stores_what_was_not_sent(void)
{
	ns_on_event_stored(&rig.ns, rig.now, &(struct net_event_stored){.row = 4000000});
}

static const struct {
	const char *name;
	void (*it)(void);
	const char *about; /* NULL: the device */
	const char *verdict, *numbers;
} rows[] = {
	{"the join server is asked", asks_to_join, NULL, "join_asked",
	 "dev_nonce:77,gateways:1,snr_db:7,dr:5,dev_addr:2*"},
	{"accepted", joins, NULL, "session_joined", "dev_nonce:77,dev_addr:2*"},
	{"the first uplink", joins_and_sends, NULL, "session_entered", "fcnt:2,dev_addr:2*"},
	{"refused", has_another_key, NULL, "join_refused",
	 "cause:the MIC is wrong, so the keys differ,dev_nonce:77"},
	{"a bad answer", gets_a_bad_answer, NULL, "join_bad_answer",
	 "fault:its keys do not open or its accept is too short,dev_nonce:77"},
	{"no answer", nobody_answers, NULL, "join_timeout", "late_ms:500,dev_nonce:77"},
	{"asked again", nobody_answers, NULL, "join_asked_again", "left_ms:500,dev_nonce:77"},
	{"another JoinEUI", has_another_join_eui, NULL, "join_eui_differs",
	 "join_eui:00000000000099aa,dev_nonce:5"},
	{"ABP", is_registered_for_abp, NULL, "join_not_otaa", "join_eui:00000000000099aa,dev_nonce:5"},
	{"unknown", is_not_registered, "server", "join_unknown_device",
	 "dev_eui:0000000000001234,dev_nonce:5"},
	{"once more", sends_the_same_once_more, NULL, "join_repeated",
	 "freq_hz:868100000,rssi_dbm:-61,snr_db:7,dev_nonce:77"},
	{"another region", is_heard_in_another_region, NULL, "region",
	 "gateway_region:us915,device_region:eu868,dev_addr:00000000"},
	{"an ABP session", boots_with_1_s, NULL, "session_abp", "dev_addr:26000001,fcnt:0"},
	{"ADR steps", adr_steps, NULL, "adr_faster",
	 "dr_before:0,power_before:0,nb_trans_before:1,dr:4,power:0,nb_trans:1,samples:5,snr_db:7,spare_db:"
	 "14,"
	 "margin_db:10,loss_percent:0"},
	{"ADR waits", adr_has_few, NULL, "adr_too_few", "dr:0,power:0,nb_trans:1,samples:1"},
	{"ADR holds", has_nothing_to_gain, NULL, "adr_keep",
	 "dr:5,power:0,nb_trans:1,samples:5,snr_db:3,spare_db:-2.5,margin_db:10,loss_percent:0"},
	{"it is asked", adr_steps, NULL, "mac_link_adr_asked",
	 "dr:4,power:0,nb_trans:1,mask:0x0007,mask_cntl:0,requests:1,tries:1"},
	{"it is taken", takes_it, NULL, "mac_link_adr_taken",
	 "dr:4,power:0,nb_trans:1,mask:0x0007,mask_cntl:0,requests:1"},
	{"it is refused", refuses_it, NULL, "mac_link_adr_refused",
	 "answer:0x05,dr:4,power:0,nb_trans:1,mask:0x0007,mask_cntl:0,requests:1"},
	{"RxDelay is asked", boots_with_1_s, NULL, "mac_rx_timing_setup_asked", "rx_delay_s:5,tries:1"},
	{"and again", does_not_answer, NULL, "mac_rx_timing_setup_asked", "rx_delay_s:5,tries:3"},
	{"out of order", is_told_out_of_order, "server", "state_out_of_order", "version:9,last:*"},
	{"invalid", has_a_region_that_is_not_here, "server", "state_invalid", "version:*"},
	{"a key of another", has_keys_of_another_server, NULL, "state_key", "version:*"},
	{"an event that never was", stores_what_was_not_sent, "server", "protocol",
	 "what:word of an event that was never sent, row,number:4000000"},
};

static void verdicts_have_their_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup();
		t_row(rows[i].name);
		rows[i].it();
		const char *about = rows[i].about, *verdict = rows[i].verdict;
		const char *numbers = about ? rig_decided(&rig, about, verdict)
					    : rig_decided_of_device(&rig, verdict);
		size_t length = strcspn(rows[i].numbers, "*"); /* what follows is drawn, or counts records */
		if (rows[i].numbers[length] == '*' && strncmp(numbers, rows[i].numbers, length) == 0)
			numbers = rows[i].numbers;
		t_str(verdict, rows[i].numbers, numbers);
		rig_release(&rig);
	}
}

/* A stranger's request is told once for all its copies. */
static void an_unknown_device_is_told_once(void **state)
{
	(void)state;
	setup();
	is_not_registered();
	t_str("one record", "join_unknown_device", rig_verdicts(&rig, "server"));
	rig_release(&rig);
}

/* "ADR holds" is told when it begins to, not with each uplink. */
static void adr_is_told_when_it_changes_its_mind(void **state)
{
	(void)state;
	setup();
	has_nothing_to_gain();
	char about[32] = "device:";
	lw_eui64_format(about + 7, &device.dev_eui);
	const char *verdicts = rig_verdicts(&rig, about);
	unsigned count = 0;
	for (const char *at = verdicts; (at = strstr(at, "adr_")); at++)
		count++;
	t_uint("too few, then it holds", 2, count);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(verdicts_have_their_numbers),
		t_test(an_unknown_device_is_told_once),
		t_test(adr_is_told_when_it_changes_its_mind),
	};
	return t_run(tests);
}
