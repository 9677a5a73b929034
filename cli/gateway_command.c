/* The record over REST gives region and channels; the network's own channel plans come from the
 * configuration where this machine has one; the rest is gateway_config.c. Files go to standard output or a place named with
 * --output; what a person has to know goes to standard error, so that a redirected file stays a file. */
#include "cli/gateway_command.h"

#include "cli/client.h"
#include "cli/gateway_config.h"
#include "cli/input.h"
#include "cli/place.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/base/printable.h"
#include "common/lorawan/extra_channels.h"
#include "common/lorawan/gateway_plan.h"
#include "common/text/region_yaml.h"
#include "common/text/yaml_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PORT      1700
#define DEFAULT_LNS_PORT  3001
#define EXTRA_MAX         256
#define ANTENNA_GAIN_MOST 30

static const struct cli_option options[] = {
	{"for", "lora_pkt_fwd|station|chirpstack", "the program that the gateway runs"},
	{"server", "HOST", "where the gateway reaches the gateway bridge: a name or an address"},
	{"port", "N", "its port; default 1700, for a station 3001"},
	{"chip", "sx1301|sx1302",
	 "the concentrator; sx1302 (default) stands for SX1303 too; a --base file says it itself"},
	{"antenna-gain", "DBI", "gain of the antenna, less the loss of its cable, in whole dB"},
	{"base", "FILE", "the vendor's own configuration: everything of the hardware is kept from it"},
	{"extra-channels", "MHZ",
	 "channels beyond a dynamic region's own (\"867.1 867.3 868.8@7\"); default: the network's"},
	{"output", "PATH",
	 "write there instead of to standard output; a directory where there are several files"},
	{"config", "FILE", "the network's configuration, for its channel plans (-c for short)"},
};

/* --- what is known of the gateway --------------------------------------------------------------------------------- */

/* Fills what a map of the section `network-server` says of a region. False: nothing, or there is no configuration here. */
static bool find_setting(char setting[EXTRA_MAX], const struct cli_arguments *arguments, const char *map,
			 const char *region_id)
{
	struct cli_place place;
	struct yt tree;
	size_t length;
	bool found = false;
	const char *config = cli_argument(arguments, "config");
	if (cli_place_find(&place, "gateway config", NULL, config) != CLI_DONE)
		return false;
	char *text = cli_read_file(place.config, &length);
	if (!text)
		return false;
	if (yt_parse(&tree, place.config, text, length) && tree.root)
		for (const struct yt_node *section = tree.root->first; section; section = section->next)
			for (const struct yt_node *key = section->first; key; key = key->next)
				for (const struct yt_node *row = key->first; row; row = row->next)
					if (section->key && strcmp(section->key, "network-server") == 0 &&
					    key->key && strcmp(key->key, map) == 0 && row->key &&
					    row->value && strcmp(row->key, region_id) == 0) {
						snprintf(setting, EXTRA_MAX, "%s", row->value);
						found = true;
					}
	yt_release(&tree);
	free(text);
	return found;
}

/* A fixed plan: the channels of the record, else those of the network. */
static int choose_channels(struct lw_channel_plan *plan, const struct lw_region *region,
			   const char *channel_plan, const struct cli_arguments *arguments)
{
	struct lw_channel_mask mask, network = {0};
	char setting[EXTRA_MAX];
	if (!channel_plan[0] && find_setting(setting, arguments, "channel_plans", region->id) &&
	    !lw_channels_parse(region, setting, &network))
		return cli_problem(CLI_REFUSED, "network-server.channel_plans", NULL,
				   "names no channels of %s", region->id);
	if (lw_gateway_mask(region, channel_plan, &network, &mask) && lw_plan_limit(plan, region, &mask))
		return CLI_DONE;
	return cli_problem(CLI_REFUSED, arguments->operands[0],
			   "lamppost gateway update EUI --channel-plan 8-15,65",
			   "its channel_plan is not one of %s", region->id);
}

/* A dynamic one: the region's own with those that the network adds. */
static int add_channels(struct lw_channel_plan *plan, const struct lw_region *region,
			const struct cli_arguments *arguments)
{
	char setting[EXTRA_MAX];
	struct lw_extra_channels extra;
	const char *word, *named = cli_argument(arguments, "extra-channels");
	size_t length;
	if (named)
		snprintf(setting, sizeof setting, "%s", named);
	else if (!find_setting(setting, arguments, "extra_channels", region->id))
		snprintf(setting, sizeof setting, "%s", lw_usual_extra_channels(region->id));
	enum lw_extra_verdict verdict = lw_extra_channels_read(&extra, region, setting, &word, &length);
	if (verdict != LW_EXTRA_TAKEN)
		return cli_problem(CLI_USAGE, named ? "--extra-channels" : "network-server.extra_channels",
				   "--extra-channels \"867.1 867.3\"", "%.*s: %s", (int)length, word,
				   lw_extra_verdict_name(verdict));
	lw_extra_channels_add(&extra, region, plan);
	return CLI_DONE;
}

/* Makes the plan of the record. */
static int make_plan(struct lw_channel_plan *plan, const struct lw_region *region, const char *channel_plan,
		     const struct cli_arguments *arguments)
{
	lw_plan_init(plan, region);
	return region->plan_type == LW_PLAN_FIXED ? choose_channels(plan, region, channel_plan, arguments)
						  : add_channels(plan, region, arguments);
}

static int fetch(json_t **record, const struct cli_arguments *arguments)
{
	char target[CLI_TARGET_MAX] = "/api/v1/gateways/";
	if (!cli_target_append(target, arguments->operands[0]))
		return cli_problem(CLI_USAGE, arguments->operands[0], NULL, "too long");
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = cli_call(client, arguments->operands[0], IO_HTTP_GET, target, NULL, record);
	cli_client_free(client);
	return exit_code;
}

/* --- options -------------------------------------------------------------------------------------------------------- */

static const struct gateway_target *find_target(const char *name)
{
	size_t count;
	const struct gateway_target *targets = gateway_targets(&count);
	for (size_t i = 0; name && i < count; i++)
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
	return NULL;
}

static int read_base(json_t **base, const char *path)
{
	char problem[GATEWAY_RADIO_PROBLEM_MAX];
	size_t length;
	char *text = cli_read_file(path, &length);
	if (!text)
		return cli_problem(CLI_FAILED, path, NULL, "cannot be read: %s", strerror(errno));
	*base = gateway_base_parse(text, length, problem);
	free(text);
	return *base ? CLI_DONE
		     : cli_problem(CLI_USAGE, path, "the vendor's global_conf.json", "%s", problem);
}

static int read_options(struct gateway_config *config, json_t **base, const struct gateway_target *target,
			const struct cli_arguments *arguments)
{
	const char *port = cli_argument(arguments, "port"), *chip = cli_argument(arguments, "chip");
	const char *gain = cli_argument(arguments, "antenna-gain"), *file = cli_argument(arguments, "base");
	unsigned long number = strcmp(target->name, "station") == 0 ? DEFAULT_LNS_PORT : DEFAULT_PORT;
	config->host = cli_argument(arguments, "server");
	if (!config->host || !gateway_host_ok(config->host))
		return cli_problem(CLI_USAGE, "--server", "--server lamppost.example.city",
				   config->host ? "neither a name nor an address (IPv6 in brackets)"
						: "say where the gateway reaches the gateway bridge");
	if (port && (!cli_parse_count("--port", port, &number) || number > UINT16_MAX))
		return number > UINT16_MAX ? cli_problem(CLI_USAGE, "--port", NULL, "expected 1 to 65535")
					   : CLI_USAGE;
	config->port = (uint16_t)number;
	if (chip && strcmp(chip, "sx1301") != 0 && strcmp(chip, "sx1302") != 0 && strcmp(chip, "sx1303") != 0)
		return cli_problem(CLI_USAGE, "--chip", "--chip sx1301", "expected sx1301 or sx1302");
	config->chip = chip && strcmp(chip, "sx1301") == 0 ? GATEWAY_SX1301 : GATEWAY_SX1302;
	config->has_antenna_gain = gain != NULL;
	if (gain) {
		char *end;
		long value = strtol(gain, &end, 10);
		if (end == gain || *end || value < -ANTENNA_GAIN_MOST || value > ANTENNA_GAIN_MOST)
			return cli_problem(CLI_USAGE, "--antenna-gain", "--antenna-gain 3",
					   "expected whole dBi from -30 to 30");
		config->antenna_gain_dbi = (int)value;
	}
	return file ? read_base(base, file) : CLI_DONE;
}

/* --- output --------------------------------------------------------------------------------------------------------- */

static int write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wex");
	if (!file && errno == EEXIST)
		return cli_problem(CLI_REFUSED, path, "another --output", "is there already");
	bool written = file && fputs(text, file) >= 0;
	if (file && fclose(file) != 0)
		written = false;
	return written ? CLI_DONE
		       : cli_problem(CLI_FAILED, path, NULL, "cannot be written: %s", strerror(errno));
}

static void print_files(const struct gateway_config_output *output)
{
	if (output->file_count == 1)
		puts(output->files[0].text);
	for (size_t i = 0; output->file_count > 1 && i < output->file_count; i++)
		printf("%s# %s\n%s", i ? "\n" : "", output->files[i].name, output->files[i].text);
}

static int write_files(const struct gateway_config_output *output, const char *path)
{
	struct stat about;
	bool folder = output->file_count > 1 || (stat(path, &about) == 0 && S_ISDIR(about.st_mode));
	if (folder && mkdir(path, 0777) != 0 && errno != EEXIST)
		return cli_problem(CLI_FAILED, path, NULL, "cannot be made: %s", strerror(errno));
	for (size_t i = 0; i < output->file_count; i++) {
		char full[4096];
		snprintf(full, sizeof full, "%s%s%s", path, folder ? "/" : "",
			 folder ? output->files[i].name : "");
		int exit_code = write_file(full, output->files[i].text);
		if (exit_code != CLI_DONE)
			return exit_code;
		fprintf(stderr, "written: %s\n", full);
	}
	return CLI_DONE;
}

static int make(const struct gateway_config *config, const struct gateway_target *target,
		const struct cli_arguments *arguments)
{
	struct gateway_config_output output;
	char problem[GATEWAY_RADIO_PROBLEM_MAX];
	if (!gateway_config_make(&output, target, config, problem)) {
		gateway_config_release(&output);
		return cli_problem(CLI_REFUSED, arguments->operands[0], NULL, "%s", problem);
	}
	const char *path = cli_argument(arguments, "output");
	int exit_code = path ? write_files(&output, path) : CLI_DONE;
	if (!path)
		print_files(&output);
	fflush(stdout);
	for (size_t i = 0; exit_code == CLI_DONE && i < output.note_count; i++) {
		fputs("note: ", stderr);
		printable_write(stderr, output.notes[i]);
		fputc('\n', stderr);
	}
	gateway_config_release(&output);
	return exit_code;
}

/* What to try where a plan does not fit; NULL where nothing would. */
static const char *other_channels(const struct lw_region *region)
{
	if (region->plan_type != LW_PLAN_FIXED)
		return lw_usual_extra_channels(region->id)[0] ? "--extra-channels \"867.1 867.3\"" : NULL;
	return region->uplink_channels[region->uplink_channel_count - 1].bandwidth_hz == 500000
		       ? "lamppost gateway update EUI --channel-plan 0-7,64"
		       : "lamppost gateway update EUI --channel-plan 0-7";
}

static int with_record(const json_t *record, const struct gateway_target *target,
		       const struct cli_arguments *arguments)
{
	static struct lw_region region;
	struct gateway_config config = {.region = &region};
	struct lw_channel_plan plan;
	char problem[GATEWAY_RADIO_PROBLEM_MAX];
	json_t *base = NULL;
	const char *eui = json_string_value(json_object_get(record, "eui"));
	const char *region_id = json_string_value(json_object_get(record, "region"));
	const char *channel_plan = json_string_value(json_object_get(record, "channel_plan"));
	if (!eui || !lw_eui64_parse(eui, &config.eui) || !region_id || !region_load(&region, region_id))
		return cli_problem(CLI_FAILED, arguments->operands[0], NULL,
				   "its record has no EUI or no region that is "
				   "known here");
	int exit_code = read_options(&config, &base, target, arguments);
	config.base = base;
	if (exit_code == CLI_DONE)
		exit_code = make_plan(&plan, &region, channel_plan ? channel_plan : "", arguments);
	if (exit_code == CLI_DONE && !gateway_radios_fit(&config.radios, &region, &plan, problem))
		exit_code = cli_problem(CLI_REFUSED, arguments->operands[0], other_channels(&region), "%s",
					problem);
	if (exit_code == CLI_DONE)
		exit_code = make(&config, target, arguments);
	json_decref(base);
	return exit_code;
}

static int run_config(const struct cli_arguments *arguments)
{
	json_t *record = NULL;
	const char *name = cli_argument(arguments, "for");
	const struct gateway_target *target = find_target(name);
	if (!target)
		return cli_problem(CLI_USAGE, name ? name : "gateway config",
				   "--for lora_pkt_fwd, station or chirpstack",
				   name ? "no such program is known" : "say which program the gateway runs");
	int exit_code = fetch(&record, arguments);
	if (exit_code == CLI_DONE)
		exit_code = with_record(record, target, arguments);
	json_decref(record);
	return exit_code;
}

const struct cli_command cli_gateway_commands[] = {
	{.group = "gateway",
	 .name = "config",
	 .summary = "the gateway's own configuration, from its record",
	 .description = "Writes the file or files that the program on the gateway reads, so that it hears "
			"the channels of its "
			"plan and sends what it hears to this network. The radios' centres are chosen so "
			"that every channel "
			"fits; a plan that cannot be heard is refused with the reason.\n\nGain tables and "
			"RSSI offsets belong to "
			"the hardware: give the vendor's file with --base, and they are kept.",
	 .operands = "GATEWAY",
	 .options = options,
	 .option_count = ARRAY_SIZE(options),
	 .examples = "lamppost gateway config 0016c001ff10a235 --for lora_pkt_fwd --server "
		     "lamppost.example.city\n"
		     "lamppost gateway config 0016c001ff10a235 --for lora_pkt_fwd --chip sx1301 --server "
		     "192.0.2.10 "
		     "--base vendor.json --output global_conf.json\n"
		     "lamppost gateway config 0016c001ff10a235 --for chirpstack --server 192.0.2.10 --output "
		     "conf\n",
	 .exits = "4 the plan does not fit the radios of a gateway\n",
	 .run = run_config},
};
const size_t cli_gateway_command_count = ARRAY_SIZE(cli_gateway_commands);
