/* What a follower of frames is shown. */
#include "tests/harness/harness.h"

#include "common/proto/frame_messages.h"

#include <string.h>

static const struct lw_eui64 eui = {{0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0x01, 0x02, 0x03}};
static const struct lw_eui64 other = {{1, 2, 3, 4, 5, 6, 7, 8}};
static const struct lw_eui64 third = {{3, 3, 3, 3, 3, 3, 3, 3}};

/* An uplink of `eui` that two gateways heard, `third` second. */
static struct net_frame uplink(const char *verdict, enum net_frame_standing standing)
{
	struct net_frame frame = {.direction = LW_UP,
				  .standing = standing,
				  .has_device = true,
				  .dev_eui = eui,
				  .has_dev_addr = true,
				  .dev_addr = {0x26010203},
				  .reception_count = 2,
				  .receptions = {{.gateway = other}, {.gateway = third}}};
	snprintf(frame.verdict, sizeof frame.verdict, "%s", verdict);
	return frame;
}

static void all_that_is_set_has_to_hold(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct net_frame_filter filter;
		bool shown;
	} rows[] = {
		{"nothing set", {.by_gateway = false}, true},
		{"the second gateway that heard it", {.by_gateway = true, .gateway = third}, true},
		{"a gateway that did not", {.by_gateway = true, .gateway = eui}, false},
		{"its device", {.by_device = true, .dev_eui = eui}, true},
		{"another device", {.by_device = true, .dev_eui = other}, false},
		{"its address", {.by_dev_addr = true, .dev_addr = {0x26010203, 32}}, true},
		{"a prefix of its address", {.by_dev_addr = true, .dev_addr = {0x26000000, 7}}, true},
		{"another prefix", {.by_dev_addr = true, .dev_addr = {0x28000000, 7}}, false},
		{"its verdict", {.verdicts = "mic"}, true},
		{"a list that has its verdict last", {.verdicts = "accepted,fcnt_old,mic"}, true},
		{"a longer verdict of which its own is the beginning", {.verdicts = "mic_bad"}, false},
		{"a beginning of its verdict", {.verdicts = "mi"}, false},
		{"problems", {.verdicts = NET_FRAME_PROBLEMS}, true},
		{"uplinks", {.directions = NET_FRAMES_UP}, true},
		{"downlinks", {.directions = NET_FRAMES_DOWN}, false},
		{"two, of which one does not hold",
		 {.by_gateway = true, .gateway = other, .verdicts = "accepted"},
		 false},
	};
	struct net_frame frame = uplink("mic", NET_FRAME_PROBLEM);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("shown", rows[i].shown, net_frame_matches(&rows[i].filter, &frame));
	}
}

static void what_is_not_known_matches_no_filter(void **state)
{
	(void)state;
	struct net_frame frame = uplink("malformed", NET_FRAME_PROBLEM);
	frame.has_device = frame.has_dev_addr = false;
	const struct net_frame_filter device = {.by_device = true, .dev_eui = eui};
	const struct net_frame_filter address = {.by_dev_addr = true}; /* a prefix of no bits */
	t_false("no device", net_frame_matches(&device, &frame));
	t_false("no address", net_frame_matches(&address, &frame));
}

static void foreign_frames_are_shown_to_who_asks_for_them(void **state)
{
	(void)state;
	struct net_frame frame = uplink("foreign_dev_addr", NET_FRAME_FOREIGN);
	t_false("by default", net_frame_matches(&(struct net_frame_filter){.foreign = false}, &frame));
	t_true("asked for", net_frame_matches(&(struct net_frame_filter){.foreign = true}, &frame));
	t_false("they are no problem",
		net_frame_matches(&(struct net_frame_filter){.foreign = true, .verdicts = "problems"},
				  &frame));
}

static void a_downlink_is_of_the_gateway_that_sends_it(void **state)
{
	(void)state;
	struct net_frame frame = uplink("sent", NET_FRAME_NOTE);
	frame.direction = LW_DOWN;
	frame.reception_count = 0;
	frame.tx.gateway = other;
	const struct net_frame_filter sender = {.by_gateway = true, .gateway = other};
	const struct net_frame_filter another = {.by_gateway = true, .gateway = third};
	const struct net_frame_filter down = {.directions = NET_FRAMES_DOWN};
	t_true("its gateway", net_frame_matches(&sender, &frame));
	t_false("another", net_frame_matches(&another, &frame));
	t_true("downlinks", net_frame_matches(&down, &frame));
}

static void lists_of_verdicts_have_a_form(void **state)
{
	(void)state;
	char many[NET_VERDICT_LIST_MAX + 1];
	memset(many, 'a', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	for (size_t i = 16; i < sizeof many - 1; i += 16)
		many[i] = ',';
	static const struct {
		const char *name, *list;
		bool is;
	} rows[] = {
		{"one", "mic", true},
		{"several", "mic,fcnt_old,tx_1", true},
		{"none", "", false},
		{"an empty one at the end", "mic,", false},
		{"an empty one at the front", ",mic", false},
		{"capitals", "MIC", false},
		{"a blank", "mic, fcnt_old", false},
		{"an escape", "\x1b[2J", false},
		{"one as long as they are", "abcdefghijklmnopqrstuvwxyzabcde", true},
		{"one that is longer", "abcdefghijklmnopqrstuvwxyzabcdef", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_int("is", rows[i].is, net_verdict_list_is(rows[i].list));
	}
	t_row("more than fits");
	t_false("is", net_verdict_list_is(many));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(all_that_is_set_has_to_hold),
		t_test(what_is_not_known_matches_no_filter),
		t_test(foreign_frames_are_shown_to_who_asks_for_them),
		t_test(a_downlink_is_of_the_gateway_that_sends_it),
		t_test(lists_of_verdicts_have_a_form),
	};
	return t_run(tests);
}
