/* A world of one station and nothing else, which asks CUPS and then connects where it was sent: what `run` does with a station of a
 * scenario, ended as soon as the outcome is known.
 *
 *	asking ──refused, not reached, malformed──▶ told, exit
 *	   └──answered──▶ connecting ──router_config──▶ told, exit 0        --timeout ends either */
#include "simulator/edge_cups_command.h"

#include "simulator/edge_cups.h"
#include "simulator/edge_station.h"

#include "common/base/check.h"
#include "common/io/clock.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
	"lamppost-sim cups: a simulated Basics Station asks its configuration server (CUPS)\n"
	"\n"
	"  lamppost-sim cups EUI --home DIR [--no-connect] [--timeout S] [--json]\n"
	"\n"
	"      DIR is what `lamppost gateway certificate EUI issue --output DIR --cups-uri URI` or `gateway "
	"token ...`\n"
	"      writes: cups.uri, cups.trust, cups.crt, cups.key, and the same of tc.*. The station asks "
	"POST\n"
	"      /update-info over TLS, checks what comes (credentials; firmware against DIR/sig-N.key), "
	"stores it in\n"
	"      DIR, and connects to the LNS that it was told, until that has configured it.\n"
	"\n"
	"      --no-connect   stop after the answer\n"
	"      --timeout S    give up after so long (30)\n"
	"      --json         the result as one JSON document\n"
	"\n"
	"Exit codes: 0 answered, and connected; 1 the answer or a file is no good, or the LNS refused; 2 "
	"usage;\n"
	"4 CUPS refused the station; 5 CUPS is not reached; 6 not connected in time.\n"
	"\n"
	"Example: lamppost-sim cups 0016c001ff10a235 --home roof-7\n";

struct command {
	const char *home;
	struct lw_eui64 eui;
	bool no_connect, json;
	double timeout_s;
	struct io_loop *loop;
	struct sim_world *world;
	struct mono start;
	struct sim_edge_stations *stations;
	bool timed_out, finished;
};

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REFUSED = 4, EXIT_UNREACHED = 5, EXIT_LATE = 6 };

/* --- the outcome --- */

static int code_of(const struct command *command, const struct sim_cups_news *news)
{
	const struct sim_station *station = sim_world_station(command->world, 0);
	if (news == NULL)
		return EXIT_LATE;
	switch (news->result) {
	case SIM_CUPS_UNCHANGED:
	case SIM_CUPS_CHANGED: break;
	case SIM_CUPS_REFUSED: return EXIT_REFUSED;
	case SIM_CUPS_UNREACHED: return EXIT_UNREACHED;
	default: return EXIT_FAILED;
	}
	if (news->reason[0] != 0)
		return EXIT_FAILED;
	if (command->no_connect || station->state == SIM_STATION_RUNNING)
		return EXIT_DONE;
	return station->counters.discovery_refused > 0 ? EXIT_FAILED : EXIT_LATE;
}

static void show_line(const struct command *command, const struct sim_cups_news *news,
		      const struct sim_cups *state)
{
	const struct sim_station *station = sim_world_station(command->world, 0);
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &command->eui);
	printf("%s: CUPS %s: %s", eui, state->cups[SIM_CUPS_REG].uri,
	       news ? sim_cups_result_name(news->result) : "no answer in time");
	if (news != NULL && news->code != 0 && news->code != 200)
		printf(" (HTTP %d)", news->code);
	if (news != NULL && news->reason[0] != 0)
		printf(" (%s)", news->reason);
	if (news != NULL && news->cups_uri)
		printf(", another CUPS");
	if (news != NULL && news->cups_set)
		printf(", new cups credentials");
	if (news != NULL && news->tc_set)
		printf(", new tc credentials");
	if (news != NULL && news->firmware > 0)
		printf(", firmware %s of %zu bytes", state->package, news->firmware);
	printf("; LNS %s%s: %s\n", state->tc[SIM_CUPS_REG].uri[0] ? state->tc[SIM_CUPS_REG].uri : "none",
	       news != NULL && news->tc_uri ? " (new)" : "",
	       command->no_connect ? "not asked" : sim_station_state_name(station->state));
}

static void show_json(const struct command *command, const struct sim_cups_news *news,
		      const struct sim_cups *state)
{
	const struct sim_station *station = sim_world_station(command->world, 0);
	const struct sim_cups_set *cups = &state->cups[SIM_CUPS_REG], *tc = &state->tc[SIM_CUPS_REG];
	char eui[LW_EUI64_TEXT];
	lw_eui64_format(eui, &command->eui);
	json_t *out = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:s, s:s}",
				"eui", eui, "result", news ? sim_cups_result_name(news->result) : "timed_out",
				"code", news ? news->code : 0, "reason", news ? news->reason : "", "cups_uri",
				cups->uri, "tc_uri", tc->uri, "new_cups_uri", news && news->cups_uri,
				"new_tc_uri", news && news->tc_uri, "new_cups_credentials",
				news && news->cups_set, "new_tc_credentials", news && news->tc_set,
				"cups_crc", (json_int_t)sim_cups_crc(cups->bytes, cups->length), "tc_crc",
				(json_int_t)sim_cups_crc(tc->bytes, tc->length), "firmware_bytes",
				(json_int_t)(news ? news->firmware : 0), "package", state->package, "station",
				sim_station_state_name(station->state));
	ASSERT(out != NULL);
	json_dumpf(out, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(out);
}

static int tell(const struct command *command)
{
	const struct sim_cups_news *news = sim_edge_stations_news(command->stations, 0);
	const struct sim_cups *state = sim_edge_stations_cups(command->stations, 0);
	(command->json ? show_json : show_line)(command, news, state);
	return code_of(command, news);
}

/* --- the loop --- */

static bool is_over(void *ctx)
{
	struct command *command = ctx;
	const struct sim_cups_news *news = sim_edge_stations_news(command->stations, 0);
	const struct sim_station *station = sim_world_station(command->world, 0);
	if (news == NULL || !sim_edge_stations_settled(command->stations, 0))
		return false;
	bool good = news->result == SIM_CUPS_UNCHANGED || news->result == SIM_CUPS_CHANGED;
	return !good || news->reason[0] != 0 || command->no_connect ||
	       station->state == SIM_STATION_RUNNING || station->counters.discovery_refused > 0;
}

static struct mono next_deadline(void *ctx)
{
	const struct command *command = ctx;
	int64_t next_us = sim_world_next_us(command->world);
	if (next_us == SIM_NEVER)
		return (struct mono){INT64_MAX};
	return mono_add(command->start, next_us);
}

static void on_tick(void *ctx, struct now now)
{
	const struct command *command = ctx;
	sim_world_run(command->world, mono_since(now.mono, command->start));
}

static int run(struct command *command)
{
	static const char one[] =
		"region: eu868\ngateways:\n  - {eui: %s, x: 0, y: 0, protocol: basics_station, home: \"-\", "
		"cups: true, backhaul_ms: 0}\ndevices: []\n";
	struct io_turn turn = {.next_deadline = next_deadline, .on_tick = on_tick, .ctx = command};
	struct sim_scenario scenario;
	char text[sizeof one + 32], eui[LW_EUI64_TEXT], error[SIM_SCENARIO_ERROR] = "";
	int code = EXIT_FAILED;
	lw_eui64_format(eui, &command->eui);
	snprintf(text, sizeof text, one, eui);
	if (!sim_scenario_load(&scenario, "cups", text, strlen(text), error)) {
		fprintf(stderr, "lamppost-sim: %s\n", error);
		return EXIT_FAILED;
	}
	snprintf(scenario.gateways[0].home, sizeof scenario.gateways[0].home, "%s", command->home);
	struct now now = clock_now();
	command->loop = io_loop_new(&turn);
	command->start = now.mono;
	command->world = sim_world_new(&scenario, now.wall, (struct sim_port){NULL, NULL});
	ASSERT(command->world != NULL);
	bool failed;
	command->stations = sim_edge_stations_new(command->loop, command->world, command->start, true,
						  &failed);
	if (!failed) {
		io_loop_run_until(command->loop, is_over, command, (span_us)(command->timeout_s * 1e6));
		code = tell(command);
	}
	sim_edge_stations_free(command->stations);
	sim_world_free(command->world);
	io_loop_free(command->loop);
	sim_scenario_release(&scenario);
	return code;
}

/* --- the command line --- */

static int usage_error(const char *what)
{
	fprintf(stderr, "lamppost-sim: cups: %s. Try: lamppost-sim cups --help\n", what);
	return EXIT_USAGE;
}

int sim_cups_command(int argc, char **argv)
{
	static const struct option options[] = {
		{"home", required_argument, NULL, 'h'},    {"no-connect", no_argument, NULL, 'n'},
		{"timeout", required_argument, NULL, 't'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, '?' + 256},    {NULL, 0, NULL, 0}};
	struct command command = {.timeout_s = 30};
	char *end = NULL;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case 'h': command.home = optarg; break;
		case 'n': command.no_connect = true; break;
		case 'j': command.json = true; break;
		case 't':
			command.timeout_s = strtod(optarg, &end);
			if (end == optarg || *end != 0 ||
			    !(command.timeout_s > 0 && command.timeout_s <= 3600))
				return usage_error("--timeout: expected seconds, at most 3600");
			break;
		case '?' + 256: return fputs(usage_text, stdout) < 0;
		default: return usage_error("an option is wrong");
		}
	}
	if (optind + 1 != argc || !lw_eui64_parse(argv[optind], &command.eui))
		return usage_error("expected one EUI of 16 hex digits");
	if (command.home == NULL)
		return usage_error("--home DIR is missing");
	return run(&command);
}
