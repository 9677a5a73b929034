#include "simulator/scenario_parts.h"

#include "common/base/check.h"
#include "common/text/yaml_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const measure_names[SIM_MEASURE_COUNT] = {
	[SIM_MEASURE_JOINED] = "joined",
	[SIM_MEASURE_READINGS] = "readings",
	[SIM_MEASURE_HEARD] = "readings_heard",
	[SIM_MEASURE_CONFIRMED] = "confirmed",
	[SIM_MEASURE_ACKNOWLEDGED] = "acknowledged",
	[SIM_MEASURE_DOWNLINKS] = "downlinks",
	[SIM_MEASURE_REPEATED] = "repeated",
	[SIM_MEASURE_UNANSWERED] = "unanswered",
};

const char *sim_measure_name(enum sim_measure measure)
{
	return (unsigned)measure < SIM_MEASURE_COUNT ? measure_names[measure] : "unknown";
}

static const char *const fault_names[SIM_FAULT_KIND_COUNT] = {
	[SIM_FAULT_GATEWAY_OFF] = "gateway_off",       [SIM_FAULT_GATEWAY_RESTART] = "gateway_restart",
	[SIM_FAULT_GATEWAY_MUTE] = "gateway_mute",     [SIM_FAULT_BACKHAUL_DOWN] = "backhaul_down",
	[SIM_FAULT_BACKHAUL_DELAY] = "backhaul_delay", [SIM_FAULT_DEVICE_OFF] = "device_off",
	[SIM_FAULT_MISS_DOWNLINKS] = "miss_downlinks",
};

/* --- readers with a default --------------------------------------------------------------------------------- */

int64_t sim_yaml_int_or(struct yt *tree, const struct yt_node *map, const char *key, int64_t otherwise,
			int64_t min, int64_t max)
{
	const struct yt_node *node = yt_optional(tree, map, key);
	return node == NULL ? otherwise : yt_int(tree, node, min, max);
}

double sim_yaml_number_or(struct yt *tree, const struct yt_node *map, const char *key, double otherwise,
			  double min, double max)
{
	const struct yt_node *node = yt_optional(tree, map, key);
	if (node == NULL)
		return otherwise;
	double value = yt_number(tree, node);
	if (!tree->failed && (value < min || value > max))
		yt_fail(tree, node, "expected %g to %g", min, max);
	return value;
}

bool sim_yaml_bool_or(struct yt *tree, const struct yt_node *map, const char *key, bool otherwise)
{
	const struct yt_node *node = yt_optional(tree, map, key);
	return node == NULL ? otherwise : yt_bool(tree, node);
}

int64_t sim_yaml_microseconds(double seconds)
{
	return llround(seconds * 1e6);
}

/* A text parsed by one of the identifiers' own readers. */
#define IDENTIFIER(linkage, name, type, parse, what)                              \
	linkage void name(struct yt *tree, const struct yt_node *node, type *out) \
	{                                                                         \
		char text[40];                                                    \
		if (node == NULL)                                                 \
			return;                                                   \
		yt_text(tree, node, text, sizeof text);                           \
		if (!tree->failed && !parse(text, out))                           \
			yt_fail(tree, node, "expected " what);                    \
	}
IDENTIFIER(, sim_yaml_read_eui, struct lw_eui64, lw_eui64_parse, "16 hex digits")
IDENTIFIER(static, read_dev_addr, struct lw_dev_addr, lw_dev_addr_parse, "8 hex digits")
IDENTIFIER(static, read_key, struct lw_key, lw_key_parse, "32 hex digits")
IDENTIFIER(static, read_mac_version, enum lw_mac_version, lw_mac_version_parse,
	   "a version from 1.0.0 to 1.1.0")
#undef IDENTIFIER

double sim_yaml_place(struct rng *rng, double area_m)
{
	return area_m * ((double)rng_below(rng, 1000001) / 1e6 - 0.5);
}

/* --- devices ------------------------------------------------------------------------------------------------ */

/* Counts up in the last four bytes. */
static void count_up(uint8_t *bytes, size_t length, uint32_t by)
{
	for (size_t i = length; i-- > length - 4 && by != 0;) {
		uint32_t sum = bytes[i] + (by & 0xff);
		bytes[i] = (uint8_t)sum;
		by = (by >> 8) + (sum >> 8);
	}
}

static void read_session(struct yt *tree, const struct yt_node *node, struct sim_device_config *config)
{
	struct lw_session_keys *keys = &config->session_keys;
	bool is_1_1 = sim_rules_of(config->mac_version)->two_root_keys;
	read_dev_addr(tree, yt_member(tree, node, "dev_addr"), &config->dev_addr);
	read_key(tree, yt_member(tree, node, "nwk_s_key"), &keys->f_nwk_s_int_key);
	keys->s_nwk_s_int_key = keys->nwk_s_enc_key = keys->f_nwk_s_int_key;
	if (is_1_1) {
		read_key(tree, yt_member(tree, node, "s_nwk_s_int_key"), &keys->s_nwk_s_int_key);
		read_key(tree, yt_member(tree, node, "nwk_s_enc_key"), &keys->nwk_s_enc_key);
	}
	read_key(tree, yt_member(tree, node, "app_s_key"), &keys->app_s_key);
	config->first_fcnt_up = (uint32_t)sim_yaml_int_or(tree, node, "fcnt_up", 0, 0, UINT32_MAX);
}

static void read_roots(struct yt *tree, const struct yt_node *node, struct sim_device_config *config)
{
	sim_yaml_read_eui(tree, yt_member(tree, node, "join_eui"), &config->join_eui);
	read_key(tree, yt_member(tree, node, "app_key"), &config->app_key);
	if (sim_rules_of(config->mac_version)->two_root_keys)
		read_key(tree, yt_member(tree, node, "nwk_key"), &config->nwk_key);
	config->first_dev_nonce = (uint16_t)sim_yaml_int_or(tree, node, "dev_nonce", 0, 0, 0xffff);
}

static void read_device(struct yt *tree, const struct yt_node *node, const struct sim_scenario *scenario,
			struct sim_device_config *config)
{
	static const char *const activations[] = {"otaa", "abp"};
	const struct sim_plan *plan = scenario->plan;
	config->plan = plan;
	yt_text(tree, yt_member(tree, node, "name"), config->name, sizeof config->name);
	sim_yaml_read_eui(tree, yt_member(tree, node, "dev_eui"), &config->dev_eui);
	read_mac_version(tree, yt_member(tree, node, "mac_version"), &config->mac_version);
	config->activation = (enum sim_activation)yt_choice(tree, yt_member(tree, node, "activation"),
							    activations, 2);
	if (config->activation == SIM_ABP)
		read_session(tree, node, config);
	else
		read_roots(tree, node, config);
	config->sub_band = (uint8_t)sim_yaml_int_or(tree, node, "sub_band", 0, 0, 8);
	config->dr = (uint8_t)sim_yaml_int_or(tree, node, "dr", plan->usual_dr, plan->min_dr, plan->max_dr);
	config->adr = sim_yaml_bool_or(tree, node, "adr", true);
	config->confirmed_every = (uint8_t)sim_yaml_int_or(tree, node, "confirmed_every", 0, 0, 255);
	config->tries = (uint8_t)sim_yaml_int_or(tree, node, "tries", 8, 1, 15);
	config->rx_delay_s = (uint8_t)sim_yaml_int_or(tree, node, "rx_delay_s", 1, 1, 15);
	config->rx_error_us = sim_yaml_microseconds(
		sim_yaml_number_or(tree, node, "rx_error_ms", 10, 0.1, 500) / 1e3);
	config->interval_us = sim_yaml_microseconds(
		sim_yaml_number_or(tree, node, "interval_s", 60, 0.1, 864000));
	config->link_check_every = (uint8_t)sim_yaml_int_or(tree, node, "link_check_every", 0, 0, 255);
	config->device_time_every = (uint8_t)sim_yaml_int_or(tree, node, "device_time_every", 0, 0, 255);
	const struct yt_node *mac_fault = yt_optional(tree, node, "mac_fault");
	if (mac_fault)
		config->mac_fault = (enum sim_mac_fault)yt_choice(tree, mac_fault, sim_mac_fault_names,
								  SIM_MAC_FAULT_COUNT);
	config->payload = (enum sim_payload)yt_choice(tree, yt_member(tree, node, "payload"),
						      sim_payload_names, SIM_PAYLOAD_COUNT);
	config->fport = (uint8_t)sim_yaml_int_or(tree, node, "fport", 10, 1, 223);
}

/* Device `number` of a group that `config` is the first of. */
static void vary(struct sim_device_config *config, uint32_t number)
{
	size_t length = strnlen(config->name, sizeof config->name);
	snprintf(config->name + length, sizeof config->name - length, "-%u", number + 1);
	config->dev_addr.value += number;
	count_up(config->dev_eui.bytes, sizeof config->dev_eui.bytes, number);
	count_up(config->app_key.bytes, sizeof config->app_key.bytes, number);
	count_up(config->nwk_key.bytes, sizeof config->nwk_key.bytes, number);
	count_up(config->session_keys.f_nwk_s_int_key.bytes, 16, number);
	count_up(config->session_keys.s_nwk_s_int_key.bytes, 16, number);
	count_up(config->session_keys.nwk_s_enc_key.bytes, 16, number);
	count_up(config->session_keys.app_s_key.bytes, 16, number);
}

static void read_group(struct yt *tree, const struct yt_node *node, struct sim_scenario *scenario,
		       struct rng *rng)
{
	struct sim_device_config config = {0};
	size_t free_places = SIM_SCENARIO_DEVICES - scenario->device_count;
	yt_expect_map(tree, node);
	read_device(tree, node, scenario, &config);
	const struct yt_node *x = yt_optional(tree, node, "x"), *y = yt_optional(tree, node, "y");
	const struct yt_node *first = yt_optional(tree, node, "first_s");
	uint32_t count = (uint32_t)sim_yaml_int_or(tree, node, "count", 1, 1, (int64_t)free_places);
	double x_m = x != NULL ? yt_number(tree, x) : 0, y_m = y != NULL ? yt_number(tree, y) : 0;
	double first_s = sim_yaml_number_or(tree, node, "first_s", 0, 0, 864000);
	yt_done(tree, node);
	for (uint32_t i = 0; i < count && !tree->failed; i++) {
		struct sim_device_config *device = &scenario->devices[scenario->device_count++];
		*device = config;
		if (count > 1)
			vary(device, i);
		double random_x = sim_yaml_place(rng, scenario->area_m),
		       random_y = sim_yaml_place(rng, scenario->area_m);
		device->x_m = x != NULL ? x_m : random_x;
		device->y_m = y != NULL ? y_m : random_y;
		int64_t spread_us = (int64_t)(rng_u64(rng) % (uint64_t)config.interval_us);
		device->first_us = first != NULL && count == 1 ? sim_yaml_microseconds(first_s)
							       : sim_yaml_microseconds(first_s) + spread_us;
	}
}

/* --- faults and expectations -------------------------------------------------------------------------------- */

static bool has_target(const struct sim_scenario *scenario, const struct sim_fault *fault)
{
	bool of_device = fault->kind == SIM_FAULT_DEVICE_OFF || fault->kind == SIM_FAULT_MISS_DOWNLINKS;
	struct lw_eui64 eui = {{0}};
	bool is_eui = lw_eui64_parse(fault->target, &eui);
	if (strcmp(fault->target, "all") == 0)
		return true;
	for (size_t i = 0; of_device && i < scenario->device_count; i++) {
		const struct sim_device_config *device = &scenario->devices[i];
		if (strcmp(device->name, fault->target) == 0 ||
		    (is_eui && lw_eui64_equal(&device->dev_eui, &eui)))
			return true;
	}
	for (size_t i = 0; !of_device && is_eui && i < scenario->gateway_count; i++) {
		if (lw_eui64_equal(&scenario->gateways[i].config.eui, &eui))
			return true;
	}
	return false;
}

static void read_fault(struct yt *tree, const struct yt_node *node, const struct sim_scenario *scenario,
		       struct sim_fault *fault)
{
	const struct yt_node *target = yt_member(tree, node, "target");
	yt_expect_map(tree, node);
	fault->kind = (enum sim_fault_kind)yt_choice(tree, yt_member(tree, node, "kind"), fault_names,
						     SIM_FAULT_KIND_COUNT);
	fault->at_us = sim_yaml_microseconds(sim_yaml_number_or(tree, node, "at_s", 0, 0, 864000));
	fault->for_us = sim_yaml_microseconds(sim_yaml_number_or(tree, node, "for_s", 0, 0, 864000));
	fault->value = (uint32_t)sim_yaml_int_or(tree, node, "value", 1, 0, 1000000);
	yt_text(tree, target, fault->target, sizeof fault->target);
	if (!tree->failed && !has_target(scenario, fault))
		yt_fail(tree, target, "expected a name or EUI of this scenario, or all");
	yt_done(tree, node);
}

static void read_expectation(struct yt *tree, const struct yt_node *node, struct sim_expectation *expectation)
{
	yt_expect_map(tree, node);
	expectation->what = (enum sim_measure)yt_choice(tree, yt_member(tree, node, "what"), measure_names,
							SIM_MEASURE_COUNT);
	expectation->at_least = sim_yaml_int_or(tree, node, "at_least", 0, 0, INT64_MAX);
	expectation->at_most = sim_yaml_int_or(tree, node, "at_most", INT64_MAX, 0, INT64_MAX);
	yt_done(tree, node);
}

/* --- the whole ---------------------------------------------------------------------------------------------- */

static void read_path_loss(struct yt *tree, const struct yt_node *node, struct sim_path_loss *loss)
{
	static const char *const fadings[] = {"none", "rayleigh", "rician"};
	*loss = (struct sim_path_loss){.exponent = 2.9};
	if (node == NULL)
		return;
	yt_expect_map(tree, node);
	const struct yt_node *fading = yt_optional(tree, node, "fading");
	loss->exponent = sim_yaml_number_or(tree, node, "exponent", 2.9, 1.5, 6);
	loss->shadowing_db = sim_yaml_number_or(tree, node, "shadowing_db", 0, 0, 20);
	if (fading != NULL)
		loss->fading = (enum sim_fading)yt_choice(tree, fading, fadings, ARRAY_SIZE(fadings));
	yt_done(tree, node);
}

static const struct sim_plan *read_region(struct yt *tree, const struct yt_node *node)
{
	char name[16];
	yt_text(tree, node, name, sizeof name);
	const struct sim_plan *plan = tree->failed ? NULL : sim_plan_find(name);
	if (plan == NULL)
		yt_fail(tree, node,
			"expected eu868, us915, au915, as923-1 to as923-4, in865, ru864, eu433 or kr920");
	return plan;
}

static const struct yt_node *optional_items(struct yt *tree, const struct yt_node *root, const char *key,
					    size_t max)
{
	const struct yt_node *list = yt_optional(tree, root, key);
	return list == NULL ? NULL : yt_items(tree, list, max);
}

static void read_scenario(struct yt *tree, struct sim_scenario *scenario)
{
	const struct yt_node *root = tree->root;
	yt_expect_map(tree, root);
	scenario->seed = (uint64_t)sim_yaml_int_or(tree, root, "seed", 1, 0, INT64_MAX);
	scenario->plan = read_region(tree, yt_member(tree, root, "region"));
	scenario->duration_us = sim_yaml_microseconds(
		sim_yaml_number_or(tree, root, "duration_s", 0, 0, 31536000));
	scenario->area_m = sim_yaml_number_or(tree, root, "area_m", 1000, 1, 1e6);
	read_path_loss(tree, yt_optional(tree, root, "path_loss"), &scenario->loss);
	if (tree->failed)
		return;
	struct rng rng = rng_seeded(scenario->seed);
	const struct yt_node *item = yt_items(tree, yt_member(tree, root, "gateways"), SIM_SCENARIO_GATEWAYS);
	for (; item != NULL && !tree->failed; item = item->next)
		sim_scenario_read_gateway(tree, item, scenario, &rng,
					  &scenario->gateways[scenario->gateway_count++]);
	item = yt_items(tree, yt_member(tree, root, "devices"), SIM_SCENARIO_DEVICES);
	for (; item != NULL && !tree->failed; item = item->next)
		read_group(tree, item, scenario, &rng);
	item = optional_items(tree, root, "faults", SIM_SCENARIO_FAULTS);
	for (; item != NULL && !tree->failed; item = item->next)
		read_fault(tree, item, scenario, &scenario->faults[scenario->fault_count++]);
	item = optional_items(tree, root, "expect", SIM_SCENARIO_EXPECTATIONS);
	for (; item != NULL && !tree->failed; item = item->next)
		read_expectation(tree, item, &scenario->expectations[scenario->expectation_count++]);
	yt_done(tree, root);
}

bool sim_scenario_load(struct sim_scenario *scenario, const char *file, const char *text, size_t length,
		       char error[SIM_SCENARIO_ERROR])
{
	struct yt tree;
	*scenario = (struct sim_scenario){
		.gateways = calloc(SIM_SCENARIO_GATEWAYS, sizeof *scenario->gateways),
		.devices = calloc(SIM_SCENARIO_DEVICES, sizeof *scenario->devices),
		.faults = calloc(SIM_SCENARIO_FAULTS, sizeof *scenario->faults),
		.expectations = calloc(SIM_SCENARIO_EXPECTATIONS, sizeof *scenario->expectations),
	};
	ASSERT(scenario->gateways && scenario->devices && scenario->faults && scenario->expectations);
	if (yt_parse(&tree, file, text, length))
		read_scenario(&tree, scenario);
	bool ok = !tree.failed;
	if (!ok) {
		snprintf(error, SIM_SCENARIO_ERROR, "%s", tree.error);
		sim_scenario_release(scenario);
	}
	yt_release(&tree);
	return ok;
}

void sim_scenario_release(struct sim_scenario *scenario)
{
	free(scenario->gateways);
	if (scenario->devices != NULL)
		explicit_bzero(scenario->devices, scenario->device_count * sizeof *scenario->devices);
	free(scenario->devices);
	free(scenario->faults);
	free(scenario->expectations);
	*scenario = (struct sim_scenario){0};
}
