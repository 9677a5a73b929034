/* What is told of join-requests of nobody's devices, in the cases that test_join_course.c does not reach, and the ring in which
 * all reports wait. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/join_frame.h"
#include "network-server/join_reports.h"

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX];

static void setup(void)
{
	rig_init(&rig);
	rig_otaa(&rig, &device, 1, 0);
}

static void hears(struct lw_eui64 dev_eui, struct lw_eui64 join_eui, uint16_t dev_nonce)
{
	struct lw_join_request request = {.dev_eui = dev_eui, .join_eui = join_eui, .dev_nonce = dev_nonce};
	rig_hears(&rig, 1, phy, (uint8_t)lw_join_request_encode(&request, phy), 0);
}

/* Both EUIs must fit before two devices are said to be one. */
static void a_join_eui_that_is_somebodys_dev_eui(void **state)
{
	(void)state;
	setup();
	hears(rig_eui(77), device.dev_eui, 1);
	rig_run(&rig, US_PER_S);
	t_uint("one report", 1, rig.report_count);
	t_int("nothing is swapped", NET_JOIN_FOREIGN, rig.reports[0].verdict);
	t_true("nobody is named", !rig.reports[0].has_device);
	rig_release(&rig);
}

/* More foreign devices than their table and their budget hold: one of ours, forgotten in the registry, is told of at once. */
static void a_flood_hides_nothing_of_ours(void **state)
{
	(void)state;
	setup();
	for (unsigned i = 0; i < 2 * NS_STRANGERS_MAX; i++)
		hears(rig_eui(0x990000 + i), rig_eui(5000), 1);
	t_uint("their table is full", NS_STRANGERS_MAX, rig.ns.strangers.over);
	hears(rig_eui(77), device.join_eui, 1);
	rig_run(&rig, NS_STRANGER_FIRST + 100 * US_PER_MS);
	bool told = false;
	unsigned foreign = 0;
	for (size_t i = 0; i < rig.report_count && i < RIG_SENT_MAX; i++) {
		told |= rig.reports[i].verdict == NET_JOIN_UNKNOWN_DEV_EUI;
		foreign += rig.reports[i].verdict == NET_JOIN_FOREIGN;
	}
	t_true("ours", told);
	t_uint("of the others, a second's budget", NS_STRANGER_REPORTS, foreign);
	rig_release(&rig);
}

/* A report that has not left yet takes up what comes after it: no request is lost from the count. */
static void requests_are_counted_while_nobody_listens(void **state)
{
	(void)state;
	setup();
	ns_on_app(&rig.ns, false);
	for (uint16_t i = 0; i < 40; i++) {
		hears(rig_eui(77), device.join_eui, i);
		rig_run(&rig, US_PER_S);
	}
	rig_run(&rig, NS_STRANGER_AGAIN);
	uint32_t times = 0;
	for (const struct net_join_report *report; (report = ns_join_reports_first(&rig.ns.join_reports));
	     ns_join_reports_take(&rig.ns.join_reports))
		times += report->times;
	t_uint("requests", 40, times);
	rig_release(&rig);
}

static void the_ring_of_reports(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(3);
	struct ns_join_reports reports, next_run;
	ns_join_reports_init(&reports, &rng);
	ns_join_reports_init(&next_run, &rng);
	t_row("one attempt is one report while it waits");
	uint32_t number = ns_join_reports_number(&reports);
	struct net_join_report *first = ns_join_reports_add(&reports, number, false);
	t_true("the same", ns_join_reports_add(&reports, number, false) == first);
	t_uint("waiting", 1, reports.count);
	uint64_t attempt = first->attempt;
	t_true("the next run's numbers are others",
	       ns_join_reports_add(&next_run, ns_join_reports_number(&next_run), false)->attempt != attempt);

	t_row("strangers have half of it");
	for (unsigned i = 0; i < NS_JOIN_REPORTS_MAX; i++)
		(void)ns_join_reports_add(&reports, ns_join_reports_number(&reports), true);
	t_uint("waiting", NS_JOIN_REPORTS_MAX / 2, reports.count);
	t_uint("dropped", NS_JOIN_REPORTS_MAX / 2 + 1, reports.dropped);

	t_row("full: the oldest goes, the newest stays");
	while (reports.count < NS_JOIN_REPORTS_MAX)
		(void)ns_join_reports_add(&reports, ns_join_reports_number(&reports), false);
	t_true("the oldest is still there", ns_join_reports_first(&reports)->attempt == attempt);
	uint64_t newest = ns_join_reports_add(&reports, ns_join_reports_number(&reports), false)->attempt;
	t_true("it went", ns_join_reports_first(&reports)->attempt != attempt);
	uint64_t last = 0;
	unsigned count = 0;
	for (const struct net_join_report *report; (report = ns_join_reports_first(&reports));
	     ns_join_reports_take(&reports), count++) {
		t_true("in order", report->attempt > last || last == 0);
		last = report->attempt;
	}
	t_uint("all the others", NS_JOIN_REPORTS_MAX, count);
	t_true("the newest is the last", last == newest);
	ns_join_reports_release(&reports);
	ns_join_reports_release(&next_run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_join_eui_that_is_somebodys_dev_eui),
		t_test(a_flood_hides_nothing_of_ours),
		t_test(requests_are_counted_while_nobody_listens),
		t_test(the_ring_of_reports),
	};
	return t_run(tests);
}
