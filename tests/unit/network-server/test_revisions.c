/* Devices that were built by older regional parameters, beside others of the same region and under the same gateways. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/join_frame.h"
#include "common/lorawan/mac_command.h"
#include "network-server/mac/mac.h"

#include <stdlib.h>
#include <string.h>

static struct rig rig;
static struct rig_device device;
static uint8_t phy[LW_PHY_PAYLOAD_MAX], commands[LW_PHY_PAYLOAD_MAX], count;
static enum lw_regional_revision revision;

static void of_revision(struct net_profile *profile)
{
	profile->regional_revision = revision;
}

static void profile_of(const char *region, enum lw_regional_revision of)
{
	revision = of;
	rig_state_begin(&rig, false);
	rig_profile(&rig, 1, LW_MAC_1_0_3, region, of_revision);
	rig_state_end(&rig);
}

static struct ns_session *session(void)
{
	return ns_session_at(&rig.ns.sessions, ns_device_at(&rig.ns.sessions, 0)->session);
}

static void sends(uint8_t gateway)
{
	uint8_t length = rig_uplink(&rig, &device, &(struct rig_frame){.fport = 1}, phy);
	rig_hears(&rig, gateway, phy, length, 0);
	rig_run(&rig, 10 * US_PER_S);
	device.fcnt_up++;
}

/* The sub-band of gateway 3 in a join-accept, where the device knows such lists. */
static void a_cflist_for_those_who_know_it(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum lw_regional_revision revision;
		bool cflist;
	} rows[] = {
		{"RP001-1.0.2B", LW_RP001_1_0_2B, false},
		{"RP001-1.0.3A", LW_RP001_1_0_3A, true},
		{"the sheet's", LW_RP002_1_0_4, true},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_init(&rig);
		t_row(rows[i].name);
		profile_of("us915", rows[i].revision);
		rig_otaa(&rig, &device, 1, 1);
		struct lw_join_request join = {.join_eui = device.join_eui, .dev_eui = device.dev_eui};
		uint8_t length = (uint8_t)lw_join_request_encode(&join, phy);
		rig_hears_on(&rig, 3, phy, length, 0, 903900000, 0, 500);
		rig_run(&rig, US_PER_S);
		if (t_uint("asked", 1, rig.join_count))
			t_true("CFList", rig.joins[0].request.has_cflist == rows[i].cflist);
		rig_release(&rig);
	}
}

/* One region in two revisions. */
static void the_room_of_its_revision(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("an older device");
	profile_of("eu868", LW_RP001_1_0_2A);
	rig_abp(&rig, &device, 1, 1, 0x26000001, false);
	uint8_t number = session()->region;
	t_true("a number of its own", number != 0);
	t_uint("of the same region", 0, ns_region_base(number));
	t_str("whose name is the same", "eu868", ns_region(&rig.ns, number)->id);
	t_false("and that has no LR-FHSS", lw_region_data_rate(ns_region(&rig.ns, number), LW_UP, 8) != NULL);
	t_true("which the sheet has", lw_region_data_rate(ns_region(&rig.ns, 0), LW_UP, 8) != NULL);
	sends(1);
	t_uint("is heard by the region's gateways", 1, rig_events_of(&rig, PROTO_UP_EVENT));
	t_row("after a crash");
	rig_restart(&rig);
	t_uint("number", number, session()->region);
	sends(1);
	t_uint("is heard", 2, rig_events_of(&rig, PROTO_UP_EVENT));
	t_row("a profile that is set right");
	profile_of("eu868", LW_RP002_1_0_4);
	sends(1);
	t_uint("is heard", 3, rig_events_of(&rig, PROTO_UP_EVENT));
	t_uint("the session follows", 0, session()->region);
	rig_release(&rig);
}

/* Someone sorts the list, or adds a region in front: each session stays what it was. */
static void the_list_of_regions_may_change(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t order[3], count; /* of eu868, us915, as923-1 */
		unsigned events;
		uint8_t base;
	} rows[] = {
		{"as it was", {0, 1, 2}, 3, 2, 1},
		{"the other way round", {2, 1, 0}, 3, 2, 1},
		{"its region is the first now", {1, 0, 2}, 3, 2, 0},
		{"its region alone", {1}, 1, 2, 0},
		{"its region is gone: it has no session, and the start goes on", {0, 2}, 2, 1, 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig_init(&rig);
		t_row(rows[i].name);
		profile_of("us915", LW_RP001_1_0_2B);
		rig_abp(&rig, &device, 1, 1, 0x26000001, false);
		device.dr = 3;
		device.channel = 8;
		sends(3);
		struct lw_region *before = calloc(3, sizeof *before);
		assert_non_null(before);
		memcpy(before, rig.regions, 3 * sizeof *before);
		for (uint8_t k = 0; k < rows[i].count; k++)
			rig.regions[k] = before[rows[i].order[k]];
		free(before);
		rig.config.region_count = rows[i].count;
		rig_restart(&rig);
		sends(3);
		t_uint("events", rows[i].events, rig_events_of(&rig, PROTO_UP_EVENT));
		if (rows[i].events == 2) {
			t_uint("place", rows[i].base, ns_region_base(session()->region));
			t_str("region", "us915", ns_region(&rig.ns, session()->region)->id);
			t_true("of its revision", session()->region != rows[i].base);
		}
		rig_release(&rig);
	}
}

/* Sub-band 2 for a device that knows ChMaskCntl 5, and for one that does not; TXPower stays below what is reserved. */
static void requests_that_its_revision_knows(void **state)
{
	(void)state;
	rig_init(&rig);
	t_row("RP001-1.0.2B");
	profile_of("us915", LW_RP001_1_0_2B);
	rig_abp(&rig, &device, 1, 1, 0x26000001, false);
	device.dr = 3;
	device.channel = 8;
	sends(3);
	struct lw_frame down;
	assert_true(rig_last_downlink(&rig, &device, &down, session()->n_fcnt_down - 1, commands, &count));
	struct lw_mac_reader reader;
	struct lw_mac_command command;
	unsigned requests = 0;
	lw_mac_reader_init(&reader, LW_DOWN, commands, count, 100);
	while (lw_mac_read(&reader, &command) == LW_MAC_READ_COMMAND)
		if (command.cid == LW_CID_LINK_ADR) {
			requests++;
			t_true("no ChMaskCntl 5", command.as.link_adr_req.ch_mask_cntl != 5);
		}
	t_true("LinkADRReq", requests > 0);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_cflist_for_those_who_know_it),
		t_test(the_room_of_its_revision),
		t_test(the_list_of_regions_may_change),
		t_test(requests_that_its_revision_knows),
	};
	return t_run(tests);
}
