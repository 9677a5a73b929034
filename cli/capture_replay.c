/* `lamppost capture replay`: options, what is refused before anything is sent, and the sum at the end. The sending: replay.h. */
#include "cli/capture.h"
#include "cli/capture_survey.h"
#include "cli/problem.h"
#include "cli/replay.h"
#include "common/base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER   "127.0.0.1:1700"
#define RATE     190 /* below the 200 that a bridge takes of one gateway */
#define GAP_MS   250 /* a deduplication window, and some more */
#define LINGER_S 6   /* RxDelay of 5 s, and the window after it */

static bool is_loopback(const struct io_address *address)
{
	static const uint8_t one[16] = {[15] = 1};
	return address->family == 4 ? address->bytes[0] == 127 : memcmp(address->bytes, one, sizeof one) == 0;
}

static int read_server(const struct cli_arguments *arguments, struct io_address *server)
{
	const char *text = cli_argument(arguments, "server");
	if (!text)
		text = SERVER;
	if (io_address_parse_pair(text, server) != ST_OK)
		return cli_problem(CLI_USAGE, "--server", SERVER, "%s: expected an address and a port", text);
	if (is_loopback(server) || cli_argument(arguments, "not-loopback"))
		return CLI_DONE;
	return cli_problem(
		CLI_REFUSED, text,
		"a bridge of a test on this machine, or the same with --not-loopback if that is meant",
		"is not this machine: what is replayed there turns the downlinks of the gateways it "
		"names to this command, and may reach other people's sensors");
}

static bool read_speed(const char *text, double *speed)
{
	char *end = NULL;
	*speed = 0;
	if (strcmp(text, "max") == 0)
		return true;
	errno = 0;
	*speed = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
	return *speed >= 0.001 && *speed <= 1e6 && errno == 0 && end && *end == '\0';
}

/* A number from 0. */
static bool read_number(const struct cli_arguments *arguments, const char *name, unsigned long otherwise,
			unsigned long most, unsigned long *number)
{
	const char *text = cli_argument(arguments, name);
	char *end = NULL;
	*number = otherwise;
	if (!text)
		return true;
	errno = 0;
	*number = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : most + 1;
	if (*number <= most && errno == 0 && end && *end == '\0')
		return true;
	char option[16];
	snprintf(option, sizeof option, "--%s", name);
	(void)cli_problem(CLI_USAGE, option, NULL, "%s: expected a number from 0 to %lu", text, most);
	return false;
}

static int read_maps(const char *text, struct replay_options *options)
{
	for (const char *at = text; at && *at;) {
		char from[LW_EUI64_TEXT], to[LW_EUI64_TEXT];
		struct replay_map *map = &options->maps[options->map_count];
		const char *comma = strchr(at, ',');
		size_t length = comma ? (size_t)(comma - at) : strlen(at);
		if (options->map_count == REPLAY_MAPS_MAX)
			return cli_problem(CLI_USAGE, "--map", NULL, "more than %d", REPLAY_MAPS_MAX);
		snprintf(from, sizeof from, "%.16s", at);
		snprintf(to, sizeof to, "%.16s", length == 33 ? at + 17 : "");
		if (length != 33 || at[16] != '=' || !lw_eui64_parse(from, &map->from) ||
		    !lw_eui64_parse(to, &map->to))
			return cli_problem(CLI_USAGE, "--map", "--map 0016c001f153a14c=aa555a0000000101",
					   "%.*s: expected two EUIs of 16 digits with = between", (int)length,
					   at);
		options->map_count++;
		at += length + (comma ? 1 : 0);
	}
	return CLI_DONE;
}

static int read_options(const struct cli_arguments *arguments, struct replay_options *options)
{
	unsigned long rate, gap, linger;
	const char *speed = cli_argument(arguments, "speed"), *loop = cli_argument(arguments, "loop");
	const char *gateway = cli_argument(arguments, "gateway");
	*options = (struct replay_options){.speed = 1, .loops = 1};
	int code = read_server(arguments, &options->server);
	if (code != CLI_DONE)
		return code;
	if (!cli_capture_port(arguments, &options->port) ||
	    (loop && !cli_parse_count("--loop", loop, &options->loops)))
		return CLI_USAGE;
	if (speed && !read_speed(speed, &options->speed))
		return cli_problem(CLI_USAGE, "--speed", "--speed 10",
				   "%s: expected a number such as 0.5 or 10, or max", speed);
	if (!read_number(arguments, "rate", RATE, 1000000, &rate) ||
	    !read_number(arguments, "gap", GAP_MS, 60000, &gap) ||
	    !read_number(arguments, "linger", LINGER_S, 3600, &linger))
		return CLI_USAGE;
	options->rate = (unsigned)rate;
	options->gap = (span_us)gap * US_PER_MS;
	options->linger = (span_us)linger * US_PER_S;
	options->has_gateway = gateway != NULL;
	if (gateway && !lw_eui64_parse(gateway, &options->gateway))
		return cli_problem(CLI_USAGE, "--gateway", NULL, "%s: expected an EUI of 16 digits", gateway);
	return read_maps(cli_argument(arguments, "map"), options);
}

/* What cannot be replayed is refused before the first datagram leaves. */
static int judge(const struct capture_survey *survey, const char *path, const struct replay_options *options)
{
	if (survey->kinds[CAPTURE_FRAME_UP] + survey->kinds[CAPTURE_TO_SERVER] == 0)
		return cli_problem(CLI_REFUSED, path, "lamppost capture info FILE",
				   "nothing that a gateway sends to port %u is in its %" PRIu64 " packets",
				   options->port, survey->packets);
	if (survey->frames_without_gateway > 0 && !options->has_gateway)
		return cli_problem(CLI_USAGE, path, "--gateway EUI",
				   "LoRaTap does not say which gateway heard its %" PRIu64 " frames",
				   survey->frames_without_gateway);
	if (survey->more_gateways > 0)
		return cli_problem(CLI_REFUSED, path, NULL, "more than %d gateways", REPLAY_GATEWAYS_MAX);
	return CLI_DONE;
}

static void print_json(const struct replay_result *result, const struct replay_options *options,
		       const char *path)
{
	json_t *document = json_pack(
		"{s:s, s:I, s:f, s:i, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I}, s:{s:I, s:I}, s:I, s:I, s:b}",
		"file", path, "loops", (json_int_t)options->loops, "seconds",
		(double)result->took / (double)US_PER_S, "gateways", (int)result->gateways, "sent",
		"push_data", (json_int_t)result->push_data, "pull_data", (json_int_t)result->pull_data,
		"keep_alives", (json_int_t)result->keep_alives, "tx_ack", (json_int_t)result->tx_ack,
		"acknowledged", "push_data", (json_int_t)result->push_acks, "pull_data",
		(json_int_t)result->pull_acks, "downlinks", "asked", (json_int_t)result->pull_resps,
		"refused", (json_int_t)result->refused, "skipped", (json_int_t)result->skipped, "send_failed",
		(json_int_t)result->send_failed, "interrupted", result->interrupted);
	json_dumpf(document, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(document);
}

static void print_text(const struct replay_result *result, const char *path)
{
	printf("%s: %" PRIu64 " PUSH_DATA of %zu gateway%s in %.1f s, %" PRIu64 " acknowledged\n", path,
	       result->push_data, result->gateways, result->gateways == 1 ? "" : "s",
	       (double)result->took / (double)US_PER_S, result->push_acks);
	printf("  %" PRIu64 " PULL_DATA, %" PRIu64 " acknowledged; %" PRIu64 " TX_ACK of the log\n",
	       result->pull_data + result->keep_alives, result->pull_acks, result->tx_ack);
	printf("  %" PRIu64 " downlinks asked for, %" PRIu64 " answered TOO_LATE; none was sent\n",
	       result->pull_resps, result->refused);
	if (result->skipped > 0)
		printf("  %" PRIu64 " packets skipped: lamppost capture info tells which\n", result->skipped);
	if (result->send_failed > 0)
		printf("  %" PRIu64 " datagrams could not be sent\n", result->send_failed);
}

static int code_of(const struct replay_result *result, const struct replay_options *options, const char *path)
{
	char server[IO_ADDRESS_TEXT];
	io_address_format(server, &options->server);
	if (result->interrupted)
		return CLI_INTERRUPTED;
	if (result->many_gateways)
		return cli_problem(CLI_FAILED, path, NULL, "no socket for another gateway");
	if (result->broken)
		return cli_problem(CLI_FAILED, path, NULL, "the file could not be read to its end");
	uint64_t asked = result->push_data + result->pull_data + result->keep_alives;
	uint64_t answered = result->push_acks + result->pull_acks;
	if (asked > 0 && !result->reached)
		return cli_problem(CLI_NOT_REACHED, server, "lamppost status", "nobody answered within 3 s");
	if (answered < asked)
		return cli_problem(CLI_FAILED, server, "a lower --rate",
				   "%" PRIu64 " of %" PRIu64 " datagrams were not acknowledged",
				   asked - answered, asked);
	return CLI_DONE;
}

int cli_capture_replay(const struct cli_arguments *arguments)
{
	struct replay_options options;
	struct capture_file *file;
	struct capture_survey survey;
	const char *path = arguments->operands[0];
	int code = read_options(arguments, &options);
	if (code != CLI_DONE)
		return code;
	code = capture_file_open(&file, path);
	if (code != CLI_DONE)
		return code;
	if (!capture_survey_make(&survey, file, options.port)) {
		capture_file_close(file);
		return CLI_FAILED;
	}
	code = judge(&survey, path, &options);
	if (code == CLI_DONE && survey.cut_short)
		fprintf(stderr, "lamppost: %s: the last packet is cut short, and left out\n", path);
	options.total = survey.packets * options.loops;
	capture_survey_release(&survey);
	if (code == CLI_DONE && !capture_file_rewind(file))
		code = cli_problem(CLI_USAGE, path, NULL,
				   "a pipe cannot be read twice: save it in a file first");
	if (code == CLI_DONE) {
		struct replay_result result;
		replay_run(&result, file, &options);
		if (arguments->json)
			print_json(&result, &options, path);
		else
			print_text(&result, path);
		code = code_of(&result, &options, path);
	}
	capture_file_close(file);
	return code;
}
