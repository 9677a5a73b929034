/* `channel_plans`: which channels devices of a region with fixed channels are to use, and gateways to hear. */
#include "tests/harness/harness.h"
#include "tests/harness/network_rig.h"

#include "common/lorawan/gateway_plan.h"
#include "network-server/mac/mac.h"
#include "network-server/reconfigure.h"

#include <string.h>

#define US_GATEWAY 3 /* its record names no channels */
#define OTHER      5

static struct rig rig;

static void configure(const char *plan)
{
	static struct ns_options options;
	struct config_common common = {.net_id = "000000"};
	struct option_list regions = {.count = 2, .items = {"eu868", "us915"}};
	struct ns_config config = rig.ns.config;
	char problem[CONFIG_ERROR_MAX];
	options = (struct ns_options){.dedup_window_ms = 200, .rx_delay_s = 5, .max_devices = 1000};
	if (plan) {
		options.channel_plans.count = 1;
		snprintf(options.channel_plans.entries[0].label, OPTION_LABEL_MAX, "us915");
		snprintf(options.channel_plans.entries[0].value, OPTION_PATH_MAX, "%s", plan);
	}
	assert_true(ns_config_from(&config, &common, &options, &regions, problem));
	ns_reconfigure(&rig.ns, &config);
}

static void add_gateway(const char *channel_plan)
{
	struct net_gateway record = {.version = ++rig.version,
				     .gateway = {.eui = rig_eui(OTHER), .accept = GW_ACCEPT_UDP}};
	snprintf(record.gateway.region_id, sizeof record.gateway.region_id, "us915");
	snprintf(record.channel_plan, sizeof record.channel_plan, "%s", channel_plan);
	rig_state_begin(&rig, false);
	ns_on_gateway(&rig.ns, rig.now, &record);
	rig_state_end(&rig);
}

static const struct ns_gateway *gateway(uint64_t number)
{
	struct lw_eui64 eui = rig_eui(number);
	return ns_gateways_at(&rig.ns.gateways, ns_gateways_find(&rig.ns.gateways, &eui));
}

static const struct {
	const char *name;
	const char *plan;  /* NULL: not named */
	const char *other; /* channels of a second gateway; NULL: there is none */
	const char *devices;
	const char *first_gateway;
} rows[] = {
	{"no plan, one gateway", NULL, NULL, "8-15,65", "8-15,65"},
	{"no plan, two gateways", NULL, "sub-band 1", "0-15,64-65", "8-15,65"},
	{"a sub-band of the network", "sub-band 4", NULL, "24-31,67", "24-31,67"},
	{"two of them", "sub-bands 1-2", NULL, "0-15,64-65", "0-15,64-65"},
	{"a list", "8-11", NULL, "8-11", "8-11"},
	{"a gateway that hears more", "8-11", "0-71", "8-11", "8-11"},
	{"a gateway that hears others", "8-11", "0-7,64", "8-11", "8-11"},
};

static void devices_and_gateways_follow(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[64];
		t_row(rows[i].name);
		rig_init(&rig);
		if (rows[i].other)
			add_gateway(rows[i].other);
		(void)ns_wanted(&rig.ns, 1);
		configure(rows[i].plan);
		t_str("devices", rows[i].devices,
		      lw_channels_format(text, sizeof text, &ns_wanted(&rig.ns, 1)->plan.enabled));
		t_str("gateway", rows[i].first_gateway,
		      lw_channels_format(text, sizeof text, &gateway(US_GATEWAY)->channels));
		rig_release(&rig);
	}
}

/* Stations are told by the bridge, which has it from the list. */
static void the_list_carries_what_gateways_are_to_hear(void **state)
{
	(void)state;
	static struct gw_gateway_list list;
	uint32_t cursor = 0;
	const struct lw_eui64 us = rig_eui(US_GATEWAY);
	rig_init(&rig);
	uint64_t version = rig.ns.gateways.version;
	configure("sub-bands 2-3");
	t_true("a new plan is a new list", rig.ns.gateways.version != version);
	version = rig.ns.gateways.version;
	configure("sub-bands 2-3");
	t_uint("the same is none", version, rig.ns.gateways.version);
	(void)ns_gateway_list_part(&rig.ns, &cursor, &list);
	bool fixed = false, dynamic = false;
	for (uint32_t i = 0; i < list.count; i++) {
		const struct gw_gateway *row = &list.gateways[i];
		if (strcmp(row->region_id, "us915") == 0 && memcmp(&row->eui, &us, sizeof us) == 0) {
			fixed = true;
			t_str("of a fixed plan", "8-23,65-66", row->channels);
		}
		if (strcmp(row->region_id, "eu868") == 0 && rig.ns.config.extra[0].count > 0) {
			dynamic = true;
			t_str("of a dynamic plan", "867.1@0-5 867.3@0-5 867.5@0-5 867.7@0-5 867.9@0-5",
			      row->channels);
		}
	}
	t_true("both were there", fixed && dynamic);
	rig_release(&rig);
}

/* Devices are told only what somebody hears. */
static void a_plan_that_is_half_heard(void **state)
{
	(void)state;
	char text[NS_OFF_PLAN_TEXT];
	rig_init(&rig);
	configure("sub-bands 2-3");
	t_row("the gateway hears all of the plan");
	t_str("gateway", "8-23,65-66", ns_off_plan_plan(text, &rig.ns, gateway(US_GATEWAY)));
	t_true("the second sub-band is inside", ns_off_plan_inside(&rig.ns, gateway(US_GATEWAY), 905500000));
	t_false("the first is not", ns_off_plan_inside(&rig.ns, gateway(US_GATEWAY), 902300000));
	t_row("until its record names half of it");
	struct net_gateway record = gateway(US_GATEWAY)->record;
	record.version = ++rig.version;
	snprintf(record.channel_plan, sizeof record.channel_plan, "sub-band 3");
	rig_state_begin(&rig, false);
	ns_on_gateway(&rig.ns, rig.now, &record);
	rig_state_end(&rig);
	t_str("devices", "16-23,66",
	      lw_channels_format(text, sizeof text, &ns_wanted(&rig.ns, 1)->plan.enabled));
	t_str("gateway", "sub-band 3", ns_off_plan_plan(text, &rig.ns, gateway(US_GATEWAY)));
	t_row("and the configuration loses it");
	configure(NULL);
	t_str("devices", "16-23,66",
	      lw_channels_format(text, sizeof text, &ns_wanted(&rig.ns, 1)->plan.enabled));
	t_str("gateway", "16-23,66", lw_channels_format(text, sizeof text, &gateway(US_GATEWAY)->channels));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(devices_and_gateways_follow),
					   t_test(the_list_carries_what_gateways_are_to_hear),
					   t_test(a_plan_that_is_half_heard)};
	return t_run(tests);
}
