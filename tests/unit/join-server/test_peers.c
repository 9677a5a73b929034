/* Peers on other machines: what the configuration may say of them, and how they are told apart and held to their rate. */
#include "tests/harness/harness.h"

#include "join-server/peers.h"

#include <stdio.h>
#include <string.h>

#define FINGERPRINT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define GOOD        "certificate=ns.b.example net_ids=60000d messages=joins join_euis=any"

static const struct {
	const char *name, *words, *expect; /* expect: a part of it; NULL: good */
} rows[] = {
	{"a network server", GOOD, NULL},
	{"all that there is",
	 "certificate=ns.b net_ids=60000d,000024 messages=joins,home,app_keys as_ids=as.b "
	 "join_euis=70b3d57ed0000000/36,0000000000000001/64 kek=city-b url=https://ns.b:9443/ rate=7",
	 NULL},
	{"a fingerprint", "fingerprint=" FINGERPRINT " net_ids=60000d messages=home join_euis=any", NULL},
	{"a fingerprint with colons",
	 "fingerprint=00:112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff "
	 "net_ids=60000d messages=home join_euis=any",
	 NULL},
	{"an application server", "certificate=as.b as_ids=as.b messages=app_keys kek=city-b join_euis=any",
	 NULL},
	{"nothing", "", "either certificate or fingerprint"},
	{"no word", "certificate", "members such as"},
	{"an unknown word", GOOD " colour=red", "colour: expected each at most once"},
	{"a word twice", GOOD " rate=5 rate=6", "rate: expected each at most once"},
	{"two ways to tell it", GOOD " fingerprint=" FINGERPRINT, "either certificate or fingerprint"},
	{"a short fingerprint", "fingerprint=0011 net_ids=60000d messages=joins join_euis=any",
	 "64 hexadecimal"},
	{"a long fingerprint", "fingerprint=" FINGERPRINT "00 net_ids=60000d messages=joins join_euis=any",
	 "64 hexadecimal"},
	{"no message", "certificate=a net_ids=60000d join_euis=any", "expected messages"},
	{"at home there without joins",
	 "certificate=a net_ids=60000d messages=home join_euis=any home_of=0800000000000000/8",
	 "home_of is for"},
	{"an unknown message", "certificate=a net_ids=60000d messages=roaming join_euis=any",
	 "some of joins, home, app_keys"},
	{"joins without NetIDs", "certificate=a messages=joins join_euis=any", "expected net_ids"},
	{"a NetID of 2 octets", "certificate=a net_ids=600d messages=joins join_euis=any",
	 "6 hexadecimal digits"},
	{"nine NetIDs",
	 "certificate=a messages=joins join_euis=any "
	 "net_ids=000001,000002,000003,000004,000005,000006,000007,000008,000009",
	 "at most 8"},
	{"no JoinEUIs", "certificate=a net_ids=60000d messages=joins", "expected join_euis"},
	{"a bit beyond the prefix",
	 "certificate=a net_ids=60000d messages=joins join_euis=70b3d57ed0000001/36", "EUI/bits"},
	{"application keys without a key to wrap them",
	 "certificate=a as_ids=as.b messages=app_keys join_euis=any", "as_ids and kek"},
	{"application keys without a name", "certificate=a kek=b messages=app_keys join_euis=any",
	 "as_ids and kek"},
	{"a URL without TLS", GOOD " url=http://ns.b/", "https://"},
	{"a rate of none", GOOD " rate=0", "1 to 10000"},
	{"a rate that is no number", GOOD " rate=5x", "1 to 10000"},
	{"a label of 33 characters", GOOD " kek=aaaaaaaaaabbbbbbbbbbcccccccccc123", "at most 32"},
	{"a common name of 65 characters",
	 "certificate=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345 net_ids=60000d "
	 "messages=joins join_euis=any",
	 "at most 64"},
};

static void what_the_configuration_may_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct js_peer peer;
		char expect[OPTION_EXPECT_MAX] = "";
		t_row(rows[i].name);
		t_int("good", rows[i].expect == NULL, js_peer_parse("b", rows[i].words, &peer, expect));
		if (rows[i].expect && !t_true("says what was expected", strstr(expect, rows[i].expect)))
			fprintf(stderr, "%s\n", expect);
	}
}

static struct js_peers peers;

static void fill(const char *a, const char *b)
{
	struct option_map map = {.count = b ? 2 : 1};
	char problem[256];
	snprintf(map.entries[0].label, OPTION_LABEL_MAX, "a");
	snprintf(map.entries[0].value, OPTION_VALUE_MAX, "%s", a);
	snprintf(map.entries[1].label, OPTION_LABEL_MAX, "b");
	snprintf(map.entries[1].value, OPTION_VALUE_MAX, "%s", b ? b : "");
	assert_true(js_peers_init(&peers, &map, problem, sizeof problem));
}

static void a_certificate_tells_who_it_is(void **state)
{
	(void)state;
	uint8_t fingerprint[JS_PEER_FINGERPRINT], other[JS_PEER_FINGERPRINT] = {0};
	for (size_t i = 0; i < sizeof fingerprint; i++)
		fingerprint[i] = (uint8_t)(i % 16 * 0x11);
	fill(GOOD, "fingerprint=" FINGERPRINT " net_ids=000024 messages=home join_euis=any");
	t_str("by its name", "a", js_peers_find(&peers, "ns.b.example", other)->name);
	t_str("by its fingerprint", "b", js_peers_find(&peers, "whatever", fingerprint)->name);
	t_true("nobody's", js_peers_find(&peers, "ns.c.example", other) == NULL);
	t_true("a certificate without a name is not a peer without one",
	       js_peers_find(&peers, "", other) == NULL);
	t_row("the same certificate twice");
	struct option_map map = {.count = 2};
	char problem[256];
	snprintf(map.entries[0].label, OPTION_LABEL_MAX, "a");
	snprintf(map.entries[0].value, OPTION_VALUE_MAX, "%s", GOOD);
	snprintf(map.entries[1].label, OPTION_LABEL_MAX, "b");
	snprintf(map.entries[1].value, OPTION_VALUE_MAX, "%s", GOOD " rate=7");
	t_false("taken", js_peers_init(&peers, &map, problem, sizeof problem));
	t_str("says which", "join-server.peers.b: expected another certificate than that of a", problem);
	t_uint("the ones before stay", 2, peers.count);
}

static void rights_are_what_was_granted(void **state)
{
	(void)state;
	struct js_peer peer;
	char expect[OPTION_EXPECT_MAX];
	assert_true(
		js_peer_parse("b",
			      "certificate=b net_ids=60000d,000024 messages=joins,app_keys as_ids=as.b kek=b "
			      "join_euis=70b3d57ed0000000/36,0000000000000001/64",
			      &peer, expect));
	t_true("a NetID", js_peer_speaks_for(&peer, (struct lw_net_id){0x000024}));
	t_false("another NetID", js_peer_speaks_for(&peer, (struct lw_net_id){0x000025}));
	t_true("an application server", js_peer_is_application(&peer, "as.b"));
	t_false("another", js_peer_is_application(&peer, "as.c"));
	static const struct {
		uint64_t join_eui;
		bool may;
	} euis[] = {{0x70b3d57ed0000000, true},
		    {0x70b3d57edfffffff, true},
		    {0x70b3d57ee0000000, false},
		    {0x70b3d57ecfffffff, false},
		    {1, true},
		    {2, false}};
	for (size_t i = 0; i < ARRAY_SIZE(euis); i++) {
		struct lw_eui64 eui = lw_eui64_from_number(euis[i].join_eui);
		t_int("JoinEUI", euis[i].may, js_peer_may_address(&peer, &eui));
	}
}

static void a_rate_is_kept(void **state)
{
	(void)state;
	fill(GOOD " rate=5", NULL);
	struct js_peer *peer = &peers.peers[0];
	struct mono now = {77 * US_PER_S};
	unsigned passed = 0;
	for (unsigned i = 0; i < 20; i++)
		passed += js_peer_admit(&peers, peer, now);
	t_uint("a burst", 5, passed);
	t_uint("the rest is counted", 15, peers.states[0].limited);
	for (unsigned i = 0; i < 100; i++, now.us += US_PER_S / 10)
		passed += js_peer_admit(&peers, peer, now);
	t_true("then its rate", passed >= 5 + 48 && passed <= 5 + 51);
	now.us += 3600 * US_PER_S;
	passed = 0;
	for (unsigned i = 0; i < 20; i++)
		passed += js_peer_admit(&peers, peer, now);
	t_uint("an hour of silence saves no more than a burst", 5, passed);
	uint64_t messages = peers.states[0].messages;
	fill(GOOD " rate=6", NULL);
	t_uint("a reload keeps the counts", messages, peers.states[0].messages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(what_the_configuration_may_say),
		t_test(a_certificate_tells_who_it_is),
		t_test(rights_are_what_was_granted),
		t_test(a_rate_is_kept),
	};
	return t_run(tests);
}
