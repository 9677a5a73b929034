/* lamppost-sim: simulated devices, radio and gateways that speak the real gateway protocol to a real bridge. */
#include "simulator/check.h"
#include "simulator/edge_cups_command.h"
#include "simulator/edge_load.h"
#include "simulator/edge_run.h"
#include "simulator/view.h"

#include "common/base/log.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"lamppost-sim: simulated LoRaWAN devices, radio and gateways\n"
	"\n"
	"  lamppost-sim run SCENARIO.yaml [--bridge HOST:PORT] [--lns URI] [--broker URL]\n"
	"                   [--devices FILE.json] [--duration S] [--drain S] [--report FILE.json] [--quiet]\n"
	"      Run a scenario on the real clock against a gateway bridge: packet forwarders at --bridge\n"
	"      (127.0.0.1:1700), stations at --lns (ws://127.0.0.1:3001) or their own, forwarders by MQTT "
	"at\n"
	"      --broker (mqtt://127.0.0.1:1883) or their own. Exit code 0 only if what the scenario expects\n"
	"      holds. Ends after --duration, after the scenario's duration_s, or at "
	"SIGTERM.\n"
	"  lamppost-sim sessions --devices N --csv FILE [--application SLUG] [--profile SLUG]\n"
	"      Write the import file of N ABP devices whose sessions are computed from their number.\n"
	"  lamppost-sim load [--bridge HOST:PORT] --devices N [--gateways G] [--copies C] --rate R --seconds "
	"S\n"
	"                    [--confirmed PERCENT] [--first-device I] [--first-fcnt F] [--report FILE.json]\n"
	"      Send R uplinks a second of those devices, each heard by C of G gateways (us915, channels 8 to "
	"15).\n"
	"      So many percent of them ask for an answer.\n"
	"\n"
	"  lamppost-sim cups EUI --home DIR [--no-connect] [--timeout S] [--json]\n"
	"      A station asks its configuration server (CUPS) over TLS, takes over what it is told, and "
	"connects.\n"
	"  lamppost-sim view --broker HOST:PORT [--log FILE.jsonl] [--ready FILE]\n"
	"      Show readings as an MQTT subscriber gets them, and keep every message for a check.\n"
	"  lamppost-sim check --report FILE.json --received FILE.jsonl [--name TEXT] [--allow-loss] "
	"[--unfinished]\n"
	"      Hold a run's report against what the subscriber got. Exit code 0 only if nothing is lost or "
	"repeated.\n"
	"\n"
	"  --version, --help\n"
	"\n"
	"Example: lamppost-sim run simulator/scenarios/demo.yaml --duration 60 --report /tmp/report.json\n";

enum {
	OPT_BRIDGE = 256,
	OPT_LNS,
	OPT_BROKER,
	OPT_DEVICES,
	OPT_DURATION,
	OPT_DRAIN,
	OPT_REPORT,
	OPT_QUIET,
	OPT_CSV,
	OPT_APPLICATION,
	OPT_PROFILE,
	OPT_GATEWAYS,
	OPT_COPIES,
	OPT_RATE,
	OPT_CONFIRMED,
	OPT_SECONDS,
	OPT_FIRST_DEVICE,
	OPT_FIRST_FCNT
};

static const struct option options[] = {
	{"bridge", required_argument, NULL, OPT_BRIDGE},
	{"lns", required_argument, NULL, OPT_LNS},
	{"broker", required_argument, NULL, OPT_BROKER},
	{"devices", required_argument, NULL, OPT_DEVICES},
	{"duration", required_argument, NULL, OPT_DURATION},
	{"drain", required_argument, NULL, OPT_DRAIN},
	{"report", required_argument, NULL, OPT_REPORT},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{"csv", required_argument, NULL, OPT_CSV},
	{"application", required_argument, NULL, OPT_APPLICATION},
	{"profile", required_argument, NULL, OPT_PROFILE},
	{"gateways", required_argument, NULL, OPT_GATEWAYS},
	{"copies", required_argument, NULL, OPT_COPIES},
	{"rate", required_argument, NULL, OPT_RATE},
	{"confirmed", required_argument, NULL, OPT_CONFIRMED},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"first-device", required_argument, NULL, OPT_FIRST_DEVICE},
	{"first-fcnt", required_argument, NULL, OPT_FIRST_FCNT},
	{NULL, 0, NULL, 0},
};

struct arguments {
	struct sim_run_options run;
	struct sim_load_options load;
	const char *devices;
	bool bad;
};

static double number(struct arguments *arguments, const char *name, double min, double max)
{
	char *end;
	errno = 0;
	double value = strtod(optarg, &end);
	if (errno == 0 && end != optarg && *end == '\0' && value >= min && value <= max)
		return value;
	fprintf(stderr, "lamppost-sim: --%s %s: expected a number from %g to %g\n", name, optarg, min, max);
	arguments->bad = true;
	return min;
}

static void take_option(struct arguments *arguments, int option)
{
	struct sim_load_options *load = &arguments->load;
	switch (option) {
	case OPT_BRIDGE: arguments->run.bridge = load->bridge = optarg; break;
	case OPT_LNS: arguments->run.lns = optarg; break;
	case OPT_BROKER: arguments->run.broker = optarg; break;
	case OPT_DEVICES: arguments->devices = arguments->run.devices_file = optarg; break;
	case OPT_DURATION: arguments->run.duration_s = number(arguments, "duration", 0, 1e7); break;
	case OPT_DRAIN: arguments->run.drain_s = number(arguments, "drain", 0, 3600); break;
	case OPT_REPORT: arguments->run.report_file = load->report_file = optarg; break;
	case OPT_QUIET: arguments->run.quiet = true; break;
	case OPT_CSV: load->csv_file = optarg; break;
	case OPT_APPLICATION: load->application = optarg; break;
	case OPT_PROFILE: load->profile = optarg; break;
	case OPT_GATEWAYS:
		load->gateways = (uint32_t)number(arguments, "gateways", 1, SIM_LOAD_GATEWAYS_MAX);
		break;
	case OPT_COPIES: load->copies = (uint32_t)number(arguments, "copies", 1, 16); break;
	case OPT_CONFIRMED:
		load->confirmed_permille = (uint32_t)(number(arguments, "confirmed", 0, 100) * 10);
		break;
	case OPT_RATE: load->rate = number(arguments, "rate", 0.1, 1e6); break;
	case OPT_SECONDS: load->seconds = number(arguments, "seconds", 0.1, 1e6); break;
	case OPT_FIRST_DEVICE:
		load->first_device = (uint32_t)number(arguments, "first-device", 0, 3e7);
		break;
	case OPT_FIRST_FCNT: load->first_fcnt = (uint32_t)number(arguments, "first-fcnt", 0, 4e9); break;
	default: arguments->bad = true; break;
	}
}

static int usage_error(const char *what)
{
	fprintf(stderr, "lamppost-sim: %s. Try: lamppost-sim --help\n", what);
	return 2;
}

/* For `load` and `sessions` --devices is a number. */
static bool take_device_count(struct arguments *arguments)
{
	if (arguments->devices == NULL)
		return false;
	optarg = (char *)(uintptr_t)arguments->devices;
	arguments->load.devices = (uint32_t)number(arguments, "devices", 1, 3e7);
	return !arguments->bad;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.run = {.bridge = "127.0.0.1:1700",
					      .lns = "ws://127.0.0.1:3001",
					      .broker = "mqtt://127.0.0.1:1883",
					      .duration_s = -1,
					      .drain_s = 15},
				      .load = SIM_LOAD_DEFAULTS};
	if (argc < 2)
		return usage_error("a command is missing");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return fputs(usage_text, stdout) < 0;
	if (strcmp(argv[1], "--version") == 0)
		return puts("lamppost-sim " LAMPPOST_VERSION) < 0;
	if (argc == 3 && strcmp(argv[2], "--help") == 0)
		return fputs(usage_text, stdout) < 0;
	log_init("simulator", LOG_LEVEL_WARN);
	const char *command = argv[1];
	if (strcmp(command, "view") == 0)
		return sim_view(argc - 1, argv + 1);
	if (strcmp(command, "cups") == 0)
		return sim_cups_command(argc - 1, argv + 1);
	if (strcmp(command, "check") == 0)
		return sim_check_command(argc - 1, argv + 1);
	for (int option; (option = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1;)
		take_option(&arguments, option);
	if (arguments.bad)
		return usage_error("an option is wrong");
	char **rest = argv + 1 + optind;
	if (strcmp(command, "run") == 0) {
		if (rest[0] == NULL || rest[1] != NULL)
			return usage_error("run needs one scenario");
		arguments.run.scenario_file = rest[0];
		return sim_edge_run(&arguments.run);
	}
	if (rest[0] != NULL)
		return usage_error("an argument is too much");
	if (strcmp(command, "load") == 0)
		return take_device_count(&arguments) ? sim_edge_load(&arguments.load)
						     : usage_error("load needs --devices N");
	if (strcmp(command, "sessions") == 0)
		return take_device_count(&arguments) && arguments.load.csv_file != NULL
			       ? sim_edge_sessions(&arguments.load)
			       : usage_error("sessions needs --devices N and --csv FILE");
	return usage_error("unknown command");
}
