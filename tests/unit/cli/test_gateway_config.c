/* What `lamppost gateway config` writes is read back with code of its own (the JSON with jansson, the TOML line by line, the
 * channels from the text of the regions' YAML), and every frequency computed back must be one of the plan, each once. */
#include "tests/harness/harness.h"

#include "cli/gateway_config.h"
#include "common/lorawan/gateway_plan.h"
#include "common/text/region_yaml.h"

#include <stdlib.h>
#include <string.h>

#define SET_MAX 100

struct set {
	long hz[SET_MAX];
	size_t count;
};

static void put(struct set *set, long hz)
{
	assert_true(set->count < SET_MAX);
	set->hz[set->count++] = hz;
}

static int by_value(const void *a, const void *b)
{
	long left = *(const long *)a, right = *(const long *)b;
	return left < right ? -1 : left > right;
}

static void same_set(const char *name, struct set *expected, struct set *got)
{
	qsort(expected->hz, expected->count, sizeof *expected->hz, by_value);
	qsort(got->hz, got->count, sizeof *got->hz, by_value);
	if (!t_uint(name, expected->count, got->count))
		return;
	for (size_t i = 0; i < expected->count; i++)
		t_int(name, expected->hz[i], got->hz[i]);
}

/* --- what the YAML says ------------------------------------------------------------------------------------------- */

/* "8-15,65" by hand; "": everything. */
static bool wanted(const char *plan, long index)
{
	if (!*plan)
		return true;
	for (const char *at = plan; *at;) {
		char *end;
		long first = strtol(at, &end, 10), last = first;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (index >= first && index <= last)
			return true;
		at = *end ? end + 1 : end;
	}
	return false;
}

/* Lines of `uplink_channels:` of a region's file. */
static void read_yaml(const char *region_id, const char *plan, struct set *narrow, struct set *wide)
{
	const struct region_source *source = NULL;
	for (size_t i = 0; i < region_source_count; i++)
		if (strcmp(region_sources[i].id, region_id) == 0)
			source = &region_sources[i];
	if (!source) {
		fail_msg("no region %s", region_id);
		return;
	}
	char *text = strndup(source->text, source->length);
	const char *line = strstr(text, "\nuplink_channels:\n");
	assert_non_null(line);
	for (line += strlen("\nuplink_channels:\n"); strncmp(line, "  - {", 5) == 0;
	     line = strchr(line, '\n') + 1) {
		long index, hz, bandwidth;
		assert_int_equal(sscanf(line, "  - {index: %ld, frequency_hz: %ld, bandwidth_hz: %ld", &index,
					&hz, &bandwidth),
				 3);
		if (wanted(plan, index))
			put(bandwidth == 125000 ? narrow : wide, hz);
	}
	free(text);
}

/* --- what was written --------------------------------------------------------------------------------------------- */

static long number(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	t_true(member, json_is_integer(value));
	return (long)json_integer_value(value);
}

static void read_channel(const json_t *chip, const char *name, long bandwidth, struct set *set)
{
	char radio_name[16];
	const json_t *channel = json_object_get(chip, name);
	if (!json_is_true(json_object_get(channel, "enable")))
		return;
	long radio = number(channel, "radio"), offset = number(channel, "if");
	snprintf(radio_name, sizeof radio_name, "radio_%ld", radio);
	const json_t *on = json_object_get(chip, radio_name);
	t_true("its radio is on", json_is_true(json_object_get(on, "enable")));
	/* As the HAL judges it: the channel has to lie inside the radio's filter. */
	long filter = bandwidth == 500000 ? 1100000 : bandwidth == 250000 ? 1000000 : 925000;
	t_true("inside the radio's filter", labs(offset) + bandwidth / 2 <= filter / 2);
	put(set, number(on, "freq") + offset);
}

static void read_json(const char *text, const char *chip_name, struct set *narrow, struct set *wide)
{
	json_t *document = json_loads(text, 0, NULL);
	t_true("JSON", document != NULL);
	const json_t *chip = json_object_get(document, chip_name);
	t_true("of that chip", chip != NULL);
	for (int i = 0; i < 8; i++) {
		char name[24];
		snprintf(name, sizeof name, "chan_multiSF_%d", i);
		read_channel(chip, name, 125000, narrow);
	}
	const json_t *service = json_object_get(chip, "chan_Lora_std");
	if (json_is_true(json_object_get(service, "enable")))
		read_channel(chip, "chan_Lora_std", number(service, "bandwidth"), wide);
	const json_t *sender = json_object_get(chip, "radio_0"),
		     *gateway = json_object_get(document, "gateway_conf");
	t_true("radio 0 sends", json_is_true(json_object_get(sender, "tx_enable")));
	t_true("within its limits", number(sender, "tx_freq_min") < number(sender, "tx_freq_max"));
	t_str("gateway_ID", "0016C001FF10A235", json_string_value(json_object_get(gateway, "gateway_ID")));
	t_str("server", "192.0.2.10", json_string_value(json_object_get(gateway, "server_address")));
	t_int("up", 1700, number(gateway, "serv_port_up"));
	t_int("down", 1700, number(gateway, "serv_port_down"));
	t_int("keepalive", 10, number(gateway, "keepalive_interval"));
	t_int("stat", 30, number(gateway, "stat_interval"));
	t_true("no frames with a bad CRC",
	       json_is_false(json_object_get(gateway, "forward_crc_error")) &&
		       json_is_false(json_object_get(gateway, "forward_crc_disabled")));
	json_decref(document);
}

static void read_toml(const char *text, struct set *narrow, struct set *wide)
{
	bool inside = false, service = false;
	int rows = 0;
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		long hz;
		if (line[0] == '[')
			service = strncmp(line, "[gateway.concentrator.lora_std]", 31) == 0;
		if (strncmp(line, "multi_sf_channels = [", 21) == 0)
			inside = true;
		else if (line[0] == ']')
			inside = false;
		else if (inside && sscanf(line, "  %ld,", &hz) == 1) {
			rows++;
			if (hz != 0)
				put(narrow, hz);
		} else if (service && sscanf(line, "frequency = %ld", &hz) == 1)
			put(wide, hz);
	}
	t_true("closed", !inside);
	t_int("as many as Concentratord wants, heard or not", 8, rows);
}

/* --- the table ------------------------------------------------------------------------------------------------------ */

static struct lw_region region;

static bool make_plan(struct lw_channel_plan *plan, const char *region_id, const char *channel_plan)
{
	struct lw_channel_mask mask;
	assert_true(region_load(&region, region_id));
	lw_plan_init(plan, &region);
	if (region.plan_type != LW_PLAN_FIXED)
		return true;
	return lw_gateway_mask(&region, channel_plan, NULL, &mask) && lw_plan_limit(plan, &region, &mask);
}

static struct gateway_config config_of(enum gateway_chip chip)
{
	struct gateway_config config = {.region = &region, .host = "192.0.2.10", .port = 1700, .chip = chip};
	assert_true(lw_eui64_parse("0016c001ff10a235", &config.eui));
	return config;
}

static const char *make(struct gateway_config_output *output, const struct gateway_config *config,
			size_t target)
{
	char problem[GATEWAY_RADIO_PROBLEM_MAX] = "";
	size_t count;
	const struct gateway_target *targets = gateway_targets(&count);
	t_true("made", gateway_config_make(output, &targets[target], config, problem));
	return output->files[0].text;
}

/* Everything that can be written for a plan, read back. */
static void there_and_back(const char *region_id, const char *channel_plan, const char *by_hand)
{
	struct set narrow = {.count = 0}, wide = {.count = 0};
	struct gateway_radios radios;
	struct lw_channel_plan plan;
	char problem[GATEWAY_RADIO_PROBLEM_MAX] = "";
	read_yaml(region_id, by_hand, &narrow, &wide);
	if (!t_true("plan", make_plan(&plan, region_id, channel_plan)) ||
	    !t_true("fits", gateway_radios_fit(&radios, &region, &plan, problem))) {
		t_str("problem", "", problem);
		return;
	}
	for (enum gateway_chip chip = GATEWAY_SX1301; chip <= GATEWAY_SX1302; chip++) {
		struct set read_narrow = {.count = 0}, read_wide = {.count = 0};
		struct gateway_config_output output;
		struct gateway_config config = config_of(chip);
		config.radios = radios;
		read_json(make(&output, &config, 0), chip == GATEWAY_SX1301 ? "SX1301_conf" : "SX130x_conf",
			  &read_narrow, &read_wide);
		same_set("channels of 125 kHz", &narrow, &read_narrow);
		same_set("wide channels", &wide, &read_wide);
		gateway_config_release(&output);
	}
	struct set read_narrow = {.count = 0}, read_wide = {.count = 0};
	struct gateway_config_output output;
	struct gateway_config config = config_of(GATEWAY_SX1302);
	config.radios = radios;
	read_toml(make(&output, &config, 2), &read_narrow, &read_wide);
	same_set("channels of 125 kHz, TOML", &narrow, &read_narrow);
	same_set("wide channels, TOML", &wide, &read_wide);
	t_true("the forwarder's server",
	       strstr(output.files[1].text, "server = \"192.0.2.10:1700\"") != NULL);
	t_uint("files", 3, output.file_count);
	t_str("the other forwarder's file", "chirpstack-mqtt-forwarder.toml", output.files[2].name);
	const char *lines[] = {"\njson = false\n", "\nserver = \"ssl://192.0.2.10:8883\"\n",
			       "\nusername = \"0016c001ff10a235\"\n", "\nstats_interval = \"30s\"\n",
			       "\nenabled = \"concentratord\"\n"};
	char prefix[64];
	snprintf(prefix, sizeof prefix, "\ntopic_prefix = \"%s\"\n", region.id);
	t_true("topics of its region", strstr(output.files[2].text, prefix) != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		t_true(lines[i], strstr(output.files[2].text, lines[i]) != NULL);
	gateway_config_release(&output);
}

static const struct {
	const char *region_id, *channel_plan, *by_hand;
} rows[] = {
	{"as923-1", "", ""},
	{"as923-2", "", ""},
	{"as923-3", "", ""},
	{"as923-4", "", ""},
	{"eu433", "", ""},
	{"eu868", "", ""},
	{"in865", "", ""},
	{"kr920", "", ""},
	{"ru864", "", ""},
	{"cn779", "", ""},
	{"us915", "", "8-15,65"},
	{"au915", "", "8-15,65"},
	{"us915", "0-7,64", "0-7,64"},
	{"us915", "8-15,65", "8-15,65"},
	{"us915", "16-23,66", "16-23,66"},
	{"us915", "24-31,67", "24-31,67"},
	{"us915", "32-39,68", "32-39,68"},
	{"us915", "40-47,69", "40-47,69"},
	{"us915", "48-55,70", "48-55,70"},
	{"us915", "56-63,71", "56-63,71"},
	{"us915", "8-15", "8-15"},
	{"au915", "0-7,64", "0-7,64"},
	{"au915", "56-63,71", "56-63,71"},
	{"us915", "0,1,6,7", "0,1,6,7"},
	{"cn470-20a", "0-7", "0-7"},
	{"cn470-20b", "0-7", "0-7"},
	{"cn470-26a", "8-15", "8-15"},
	{"cn470-26b", "0-7", "0-7"},
	{"cn470-rp001", "80-87", "80-87"},
};

static void every_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[64];
		snprintf(name, sizeof name, "%s %s", rows[i].region_id, rows[i].channel_plan);
		t_row(name);
		there_and_back(rows[i].region_id, rows[i].channel_plan, rows[i].by_hand);
	}
}

static const struct {
	const char *name, *region_id, *channel_plan, *says;
} refused[] = {
	{"64 channels", "cn470-20a", "", "the plan has 64 channels of 125 kHz"},
	{"nine of them", "cn470-rp001", "", "the plan has 9 channels of 125 kHz"},
	{"two sub-bands", "us915", "0-15,64,65", "16 channels of 125 kHz and 2 of 500 kHz"},
	{"far apart", "us915", "0,20,40,60", "do not fit two radios"},
	{"2.4 GHz", "ism2400", "", "channels of 812 kHz"},
};

static void what_cannot_be_heard(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct gateway_radios radios;
		struct lw_channel_plan plan;
		char problem[GATEWAY_RADIO_PROBLEM_MAX] = "";
		t_row(refused[i].name);
		t_true("a plan", make_plan(&plan, refused[i].region_id, refused[i].channel_plan));
		t_false("fits", gateway_radios_fit(&radios, &region, &plan, problem));
		if (!strstr(problem, refused[i].says))
			t_str("says", refused[i].says, problem);
	}
	/* And each region of the library is in one of the tables. */
	for (size_t i = 0; i < region_source_count; i++) {
		bool met = false;
		t_row(region_sources[i].id);
		for (size_t j = 0; j < ARRAY_SIZE(rows); j++)
			met = met || (strcmp(rows[j].region_id, region_sources[i].id) == 0);
		for (size_t j = 0; j < ARRAY_SIZE(refused); j++)
			met = met || (strcmp(refused[j].region_id, region_sources[i].id) == 0);
		t_true("has a row", met);
	}
}

/* The network's five extra channels of EU868 with the region's three: eight channels on two radios. */
static void extra_channels(void **state)
{
	(void)state;
	struct gateway_radios radios;
	struct lw_channel_plan plan;
	char problem[GATEWAY_RADIO_PROBLEM_MAX];
	struct set got = {.count = 0}, service = {.count = 0}, expected = {.count = 0};
	t_row("eu868 with its usual channels");
	assert_true(make_plan(&plan, "eu868", ""));
	const char *at = lw_usual_extra_channels("eu868");
	for (uint8_t index = 3; *at; at += strspn(at, " ")) {
		struct lw_new_channel channel = {.index = index, .max_dr = 5};
		assert_true(lw_mhz_take(&at, &channel.freq_hz));
		index++;
		t_int("taken", 3, lw_plan_apply_new_channel(&plan, &region, &channel));
	}
	t_true("fits", gateway_radios_fit(&radios, &region, &plan, problem));
	struct gateway_config_output output;
	struct gateway_config config = config_of(GATEWAY_SX1302);
	config.radios = radios;
	read_json(make(&output, &config, 0), "SX130x_conf", &got, &service);
	for (long hz = 867100000; hz <= 867900000; hz += 200000)
		put(&expected, hz);
	for (long hz = 868100000; hz <= 868500000; hz += 200000)
		put(&expected, hz);
	same_set("channels", &expected, &got);
	t_uint("no single rate", 0, service.count);
	gateway_config_release(&output);
	t_row("a frequency named twice takes one demodulator");
	struct lw_new_channel again = {.index = 8, .freq_hz = 868100000, .max_dr = 5};
	t_int("taken", 3, lw_plan_apply_new_channel(&plan, &region, &again));
	t_true("fits", gateway_radios_fit(&radios, &region, &plan, problem));
	t_uint("channels", 8, radios.multi_count);
}

static void the_vendors_file(void **state)
{
	(void)state;
	static const char vendor[] = "{ /* our board */ \"SX1301_conf\": {\"clksrc\": 0, // radio 0\n"
				     " \"radio_0\": {\"enable\": true, \"type\": \"SX1257\", \"freq\": 1, "
				     "\"rssi_offset\": -162.5, \"tx_enable\": true},\n"
				     " \"radio_1\": {\"enable\": true, \"freq\": 1, \"tx_enable\": false},\n"
				     " \"chan_multiSF_7\": {\"enable\": true, \"radio\": 1, \"if\": 5},\n"
				     " \"tx_lut_0\": {\"pa_gain\": 0, \"mix_gain\": 8}},\n"
				     " \"gateway_conf\": {\"gateway_ID\": \"AA555A0000000000\", "
				     "\"gps_tty_path\": \"/dev/ttyS1\"}}";
	char problem[GATEWAY_RADIO_PROBLEM_MAX];
	struct lw_channel_plan plan;
	struct gateway_config_output output;
	t_row("with comments, and a chip that the file names");
	json_t *base = gateway_base_parse(vendor, strlen(vendor), problem);
	assert_non_null(base);
	assert_true(make_plan(&plan, "eu868", ""));
	struct gateway_config config = config_of(GATEWAY_SX1302);
	assert_true(gateway_radios_fit(&config.radios, &region, &plan, problem));
	config.base = base;
	json_t *made = json_loads(make(&output, &config, 0), 0, NULL);
	const json_t *chip = json_object_get(made, "SX1301_conf"),
		     *gateway = json_object_get(made, "gateway_conf");
	const json_t *radio = json_object_get(chip, "radio_0");
	t_true("no other chip", json_object_get(made, "SX130x_conf") == NULL);
	t_int("clock", 0, number(chip, "clksrc"));
	t_true("offset", json_real_value(json_object_get(radio, "rssi_offset")) < -162.4 &&
				 json_real_value(json_object_get(radio, "rssi_offset")) > -162.6);
	t_int("gains", 8, number(json_object_get(chip, "tx_lut_0"), "mix_gain"));
	t_true("a channel of its own is off",
	       json_is_false(json_object_get(json_object_get(chip, "chan_multiSF_7"), "enable")));
	t_int("centre", 868300000, number(radio, "freq"));
	t_str("EUI", "0016C001FF10A235", json_string_value(json_object_get(gateway, "gateway_ID")));
	t_str("what else it says", "/dev/ttyS1", json_string_value(json_object_get(gateway, "gps_tty_path")));
	for (size_t i = 0; i < output.note_count; i++)
		t_true("no word of missing gains", strstr(output.notes[i], "cannot send") == NULL);
	json_decref(made);
	json_decref(base);
	gateway_config_release(&output);
}

static void a_station(void **state)
{
	(void)state;
	struct lw_channel_plan plan;
	struct gateway_config_output output;
	char problem[GATEWAY_RADIO_PROBLEM_MAX];
	t_row("station");
	assert_true(make_plan(&plan, "us915", ""));
	struct gateway_config config = config_of(GATEWAY_SX1302);
	config.port = 3001;
	assert_true(gateway_radios_fit(&config.radios, &region, &plan, problem));
	json_t *made = json_loads(make(&output, &config, 1), 0, NULL);
	t_str("routerid", "00-16-c0-01-ff-10-a2-35",
	      json_string_value(json_object_get(json_object_get(made, "station_conf"), "routerid")));
	t_true("its chip", json_object_get(made, "SX1302_conf") != NULL);
	t_str("tc.uri", "wss://192.0.2.10:3001\n", output.files[1].text);
	t_true("says what its record needs", strstr(output.notes[0], "--accept-certificate") != NULL);
	json_decref(made);
	gateway_config_release(&output);
	t_row("a vendor's file that names the radios without a chip is filled where it is");
	static const char vendor[] = "{\"radio_conf\": {\"radio_0\": {\"tx_enable\": true}}}";
	json_t *base = gateway_base_parse(vendor, strlen(vendor), problem);
	config.base = base;
	made = json_loads(make(&output, &config, 1), 0, NULL);
	t_uint("radio_conf and station_conf", 2, json_object_size(made));
	t_true("filled", json_object_get(json_object_get(json_object_get(made, "radio_conf"), "radio_0"),
					 "rssi_offset") != NULL);
	json_decref(made);
	json_decref(base);
	gateway_config_release(&output);
}

/* 925, 1,000 and 1,100 kHz of filter, less half of the channel on either side. */
static void limits(void **state)
{
	(void)state;
	t_row("how far a channel may be from a radio's centre");
	t_int("125 kHz", 400000, gateway_if_limit_hz(125000));
	t_int("250 kHz", 375000, gateway_if_limit_hz(250000));
	t_int("500 kHz", 300000, gateway_if_limit_hz(500000));
}

static void hosts(void **state)
{
	(void)state;
	static const struct {
		const char *name, *host;
		bool ok;
	} cases[] = {
		{"a name", "lamppost.example.city", true},
		{"IPv4", "192.0.2.1", true},
		{"IPv6", "[2001:db8::1]", true},
		{"none", "", false},
		{"a quote", "a\"b", false},
		{"a line", "a\nb", false},
		{"an option", "-x", false},
		{"a port", "a:1", false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		t_row(cases[i].name);
		t_int("ok", cases[i].ok, gateway_host_ok(cases[i].host));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(every_plan),     t_test(what_cannot_be_heard),
					   t_test(extra_channels), t_test(the_vendors_file),
					   t_test(a_station),      t_test(limits),
					   t_test(hosts)};
	return t_run(tests);
}
