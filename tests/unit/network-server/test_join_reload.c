/* Others' join servers change while joins wait for them: what is as before notices nothing, what is reached otherwise is asked again,
 * what was taken out ends, and places are given to whom they belong. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/join_frame.h"
#include "network-server/join_flow.h"
#include "network-server/join_reload.h"

#include <stdio.h>
#include <string.h>

#define MAKER "join_euis=70b3d57ed0000000/36 url=https://js.example/ in_flight=1024"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

struct wanted {
	uint8_t count, places[NS_JOIN_SERVERS_MAX];
	bool renewed[NS_JOIN_SERVERS_MAX];
	struct bi_join_server servers[NS_JOIN_SERVERS_MAX];
};
static struct wanted file;

static void line(const char *name, const char *words)
{
	char expect[OPTION_EXPECT_MAX];
	assert_true(
		bi_join_server_parse(BI_NETWORK_SERVER, name, words, &file.servers[file.count++], expect));
}

/* Reads what `line` added; new and changed ones are found as the edge does. False: there is no place. */
static bool reload(void)
{
	if (!ns_join_servers_place(&rig.ns, file.servers, file.count, file.places))
		return false;
	for (uint8_t i = 0; i < file.count; i++) {
		const struct bi_join_server *there = &rig.ns.config.join_servers[file.places[i]];
		file.renewed[i] = there->block_count == 0 || strcmp(there->words, file.servers[i].words) != 0;
	}
	ns_join_servers_set(&rig.ns, rig.now, file.servers, file.count, file.places, file.renewed);
	rig_turn(&rig);
	memset(&file, 0, sizeof file);
	return true;
}

static void asks(void)
{
	static uint16_t dev_nonce = 99;
	dev_nonce++;
	struct lw_join_request join = {
		.join_eui = device.join_eui, .dev_eui = device.dev_eui, .dev_nonce = dev_nonce};
	uint8_t length = (uint8_t)lw_join_request_encode(&join, phy);
	rig_hears(&rig, 1, phy, length, 0);
	rig_run(&rig, 250 * US_PER_MS);
}

/* A sensor of the maker's JoinEUI, which has asked. */
static void setup(void)
{
	rig_init(&rig);
	memset(&file, 0, sizeof file);
	line("maker", MAKER);
	assert_true(reload());
	rig_otaa(&rig, &device, 1, 0);
	struct net_device record = {.version = ++rig.version,
				    .dev_eui = device.dev_eui,
				    .enabled = true,
				    .join_eui = lw_eui64_from_number(0x70b3d57ed0000001),
				    .profile = rig_uuid(0),
				    .activation = NET_OTAA};
	device.join_eui = record.join_eui;
	rig_state_begin(&rig, false);
	ns_on_device(&rig.ns, rig.now, &record);
	rig_state_end(&rig);
	asks();
	t_uint("asked", 1, rig.join_count);
	t_uint("the maker's", 0, rig.joins[0].server);
	t_uint("it waits", 1, rig.ns.join_server_states[0].in_flight);
}

static void refuse(size_t call)
{
	struct bi_message answer = {.envelope = {.type = BI_JOIN_ANS,
						 .transaction_id = rig.joins[call].transaction,
						 .result = BI_MIC_FAILED}};
	ns_on_join_answer(&rig.ns, rig.now, answer.envelope.transaction_id, &answer);
	rig_turn(&rig);
}

static void what_stays_as_it_was_notices_nothing(void **state)
{
	(void)state;
	setup();
	rig.ns.join_server_states[0].failures = 3;
	line("newcomer", "join_euis=1000000000000000/8 url=https://b/");
	line("maker", MAKER);
	t_true("read", reload());
	t_uint("its place is its own", 0,
	       bi_join_server_for(rig.ns.config.join_servers, 2, &device.join_eui));
	t_str("the newcomer's another", "newcomer", rig.ns.config.join_servers[1].name);
	rig_run(&rig, 100 * US_PER_MS);
	t_uint("it is not asked again", 1, rig.join_count);
	t_uint("nor forgiven", 3, rig.ns.join_server_states[0].failures);
	refuse(0);
	t_uint("its answer is taken", 1, rig.ns.join_server_states[0].refused);
	t_uint("nothing waits", 0, rig.ns.join_server_states[0].in_flight);
	rig_release(&rig);
}

static void one_that_is_reached_otherwise_is_asked_again(void **state)
{
	(void)state;
	setup();
	for (unsigned i = 0; i < NS_BREAKER_FAILURES; i++)
		ns_join_server_failed(&rig.ns.join_server_states[0], rig.now.mono);
	line("maker", MAKER " timeout_ms=900");
	t_true("read", reload());
	rig_run(&rig, US_PER_MS);
	t_uint("again, at once", 2, rig.join_count);
	t_uint("in the same transaction", rig.joins[0].transaction, rig.joins[1].transaction);
	t_uint("of the same", 0, rig.joins[1].server);
	t_int("with a fresh chance", NS_BREAKER_CLOSED, rig.ns.join_server_states[0].breaker);
	t_uint("that it was broken off is no failure", NS_BREAKER_FAILURES,
	       rig.ns.join_server_states[0].failed);
	refuse(1);
	t_uint("answered once", 1, rig.ns.join_server_states[0].refused);
	t_uint("nothing waits", 0, rig.ns.join_server_states[0].in_flight);
	rig_run(&rig, 10 * US_PER_S);
	t_uint("and not asked any more", 2, rig.join_count);
	rig_release(&rig);
}

static const struct {
	const char *name, *words[2]; /* of maker, of another; NULL: not there */
	uint8_t then;                /* whom the JoinEUI goes to afterwards */
} gone[] = {
	{"taken out", {NULL, NULL}, NS_JOIN_SERVER_OURS},
	{"it serves other JoinEUIs now",
	 {"join_euis=2000000000000000/8 url=https://js.example/", NULL},
	 NS_JOIN_SERVER_OURS},
	{"another has a longer block", {MAKER, "join_euis=70b3d57ed0000000/40 url=https://b/"}, 1},
	{"another in its place", {NULL, MAKER}, 1},
};

static void a_join_of_one_that_was_taken_out_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(gone); i++) {
		t_row(gone[i].name);
		setup();
		if (gone[i].words[0])
			line("maker", gone[i].words[0]);
		if (gone[i].words[1])
			line("another", gone[i].words[1]);
		t_true("read", reload());
		rig_run(&rig, US_PER_MS);
		const struct net_join_report *last = &rig.reports[(rig.report_count - 1) % RIG_SENT_MAX];
		t_uint("it has ended", 0, rig.ns.joins.count);
		t_int("told", NET_JOIN_FOREIGN_AWAY, last->verdict);
		t_str("whose, and why", "maker: taken out of the configuration, asked 1 times", last->cause);
		t_uint("counted", 1, rig.ns.drops[NS_DROP_JOIN_TIMEOUT]);
		t_uint("nothing waits", 0, rig.ns.join_server_states[0].in_flight);
		refuse(0);
		t_uint("a late answer is nobody's", 0, rig.ns.join_server_states[0].answers);
		asks();
		t_uint("the sensor asks again", 2, rig.join_count);
		t_uint("where the configuration says", gone[i].then, rig.joins[1].server);
		rig_release(&rig);
	}
}

/* The tick is what ends joins, so one reload after another finds the place still taken. */
static void a_place_is_free_when_its_last_join_has_ended(void **state)
{
	(void)state;
	setup();
	rig.ns.join_server_states[0].joins = 77;
	assert_true(ns_join_servers_place(&rig.ns, file.servers, 0, file.places));
	ns_join_servers_set(&rig.ns, rig.now, file.servers, 0, file.places, file.renewed);
	line("other", "join_euis=1000000000000000/8 url=https://b/");
	assert_true(ns_join_servers_place(&rig.ns, file.servers, file.count, file.places));
	t_uint("while one leaves, another place", 1, file.places[0]);
	rig_run(&rig, US_PER_MS);
	assert_true(ns_join_servers_place(&rig.ns, file.servers, file.count, file.places));
	t_uint("then its own", 0, file.places[0]);
	t_true("read", reload());
	t_uint("and its counts are new", 0, rig.ns.join_server_states[0].joins);
	rig_release(&rig);
}

static void there_are_places_for_two_whole_lists(void **state)
{
	(void)state;
	rig_init(&rig);
	memset(&file, 0, sizeof file);
	for (unsigned round = 0; round < 3; round++) {
		char name[16], words[80];
		for (unsigned i = 0; i < NS_JOIN_SERVERS_MAX; i++) {
			snprintf(name, sizeof name, "s%u-%u", round, i);
			snprintf(words, sizeof words, "join_euis=%02x00000000000000/8 url=https://b/", i + 1);
			line(name, words);
		}
		t_int("a place for each", round < 2, reload());
		/* As if a join waited for each. */
		for (unsigned i = 0; i < NS_JOIN_SERVER_PLACES; i++)
			rig.ns.join_server_states[i].in_flight = rig.ns.config.join_servers[i].block_count >
									 0 ||
								 rig.ns.join_server_states[i].in_flight > 0;
	}
	t_str("the refused list changed nothing", "s1-0", rig.ns.config.join_servers[16].name);
	t_uint("what left is asked nothing", 16,
	       bi_join_server_for(rig.ns.config.join_servers, rig.ns.config.join_server_count,
				  &(struct lw_eui64){{1}}));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_stays_as_it_was_notices_nothing),
		t_test(one_that_is_reached_otherwise_is_asked_again),
		t_test(a_join_of_one_that_was_taken_out_ends),
		t_test(a_place_is_free_when_its_last_join_has_ended),
		t_test(there_are_places_for_two_whole_lists),
	};
	return t_run(tests);
}
