/* Captures there and back, on the real processes: traffic is written twice, as LoRaTap by `lamppost frames --pcap` and as the
 * datagrams of its gateways, and both are replayed. Into the network that heard it: nothing is delivered twice. Into a fresh one: the
 * ABP sensor's readings arrive again, each once. */
#include "tests/harness/harness.h"

#include "cli/capture_survey.h"
#include "tests/harness/network.h"
#include "tests/harness/radio.h"
#include "tests/harness/udp_tap.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ABP_NAME "parking-reade-street"
#define ABP_EUI  "70b3d57ed0050004"
#define ABP_ADDR 0x0100da04
#define ABP_NWK  "c40b5a9971e24f3d8e06b27d1f83ac65"
#define ABP_APP  "37d8e10fa6bc4920815e4c9b6a02f7d1"
#define GATEWAY  "aa555a0000000101"
#define COUNTERS 64
#define CONFIG   "network-server:\n  rx_delay_s: 1\n"

static char dir[T_DIR_MAX], night[T_DIR_MAX + 16], gateways[T_DIR_MAX + 16];
static uint16_t captured_port;
static bool heard[COUNTERS]; /* of the ABP sensor: counters that a gateway heard */
static uint32_t next_fcnt;
static size_t transmissions, joins; /* of all devices: data frames and join-requests that were heard */

/* --- the first run -------------------------------------------------------------------------------------------- */

struct place {
	struct t_network *network;
	struct t_subscriber *agency;
};

/* The bridge acknowledges gateways that are not on its list, and forwards nothing of them. */
static bool bridge_has_list(void *ctx)
{
	const struct place *place = ctx;
	return t_metric(t_network_admin(place->network, T_GATEWAY_BRIDGE),
			"lamppost_bridge_gateways{state=\"known\"}") >= 2;
}

static struct place open_place(void)
{
	struct place place = {.network = t_network_start(CONFIG)};
	t_network_furnish(place.network);
	t_true("gateways on the bridge's list", t_wait_until(bridge_has_list, &place, T_SLOW_CEILING));
	place.agency = t_network_subscribe(place.network);
	return place;
}

static void close_place(struct place *place)
{
	t_subscriber_free(place->agency);
	t_network_free(place->network);
}

static double metric(const struct place *place, const char *name)
{
	return t_metric(t_network_admin(place->network, T_NETWORK_SERVER), name);
}

static bool is_followed(void *ctx)
{
	return metric(ctx, "lamppost_network_frames_followers") >= 1;
}

static bool has_all_readings(void *ctx)
{
	const struct place *place = ctx;
	return t_network_check(place->network, place->agency, false, false) == 0;
}

static void read_report(const struct place *place)
{
	json_t *report = t_network_report(place->network), *device, *sent, *join;
	size_t d, i;
	assert_non_null(report);
	json_array_foreach(json_object_get(report, "devices"), d, device)
	{
		bool abp = strcmp(json_string_value(json_object_get(device, "name")), ABP_NAME) == 0;
		if (abp)
			next_fcnt = (uint32_t)json_integer_value(json_object_get(device, "fcnt_up"));
		json_array_foreach(json_object_get(device, "joins"), i, join)
			joins += json_integer_value(json_object_get(join, "heard_by")) > 0;
		json_array_foreach(json_object_get(device, "sent"), i, sent)
		{
			if (json_integer_value(json_object_get(sent, "heard_by")) == 0)
				continue;
			json_int_t fcnt = json_integer_value(json_object_get(sent, "fcnt"));
			transmissions++;
			if (abp && fcnt < COUNTERS)
				heard[fcnt] = true;
		}
	}
	json_decref(report);
}

/* How many frames going up the capture holds so far. */
static size_t captured(void)
{
	struct capture_file *file;
	struct capture_survey survey;
	if (capture_file_open(&file, night) != 0)
		return 0;
	bool read = capture_survey_make(&survey, file, captured_port);
	size_t count = read ? survey.kinds[CAPTURE_FRAME_UP] : 0;
	if (read)
		capture_survey_release(&survey);
	capture_file_close(file);
	return count;
}

static bool is_captured(void *ctx)
{
	(void)ctx;
	return captured() >= transmissions + joins;
}

/* Traffic of five sensors through a tap, followed by `frames --pcap`. */
static struct place run_and_capture(void)
{
	struct place place = open_place();
	struct t_process *frames = t_network_program(
		place.network, "lamppost", "frames",
		(const char *const[]){"frames", "--follow", "--pcap", night, NULL});
	t_true("followed", t_wait_until(is_followed, &place, T_SLOW_CEILING));
	captured_port = t_network_port(place.network);
	struct t_udp_tap *tap = t_udp_tap_start(captured_port, gateways);
	struct t_process *simulator = t_network_simulate_at(place.network, "simulator/scenarios/demo.yaml",
							    "12", t_udp_tap_port(tap));
	t_int("simulator", 0, t_process_wait(simulator));
	t_process_free(simulator);
	t_true("readings", t_wait_until(has_all_readings, &place, T_SLOW_CEILING));
	read_report(&place);
	if (!t_true("captured", t_wait_until(is_captured, NULL, T_SLOW_CEILING)))
		fprintf(stderr, "%zu of %zu data frames and %zu join-requests\n", captured(), transmissions,
			joins);
	t_int("frames ends by the signal", 130, t_process_stop(frames));
	t_process_free(frames);
	t_udp_tap_free(tap);
	return place;
}

/* --- replays --------------------------------------------------------------------------------------------------- */

/* Readings of the ABP sensor so far, by counter. Returns all events of any kind and device. */
static size_t count_events(const struct place *place, unsigned readings[COUNTERS])
{
	size_t count = t_subscriber_count(place->agency);
	memset(readings, 0, COUNTERS * sizeof *readings);
	for (size_t i = 0; i < count; i++) {
		const char *topic = t_subscriber_topic(place->agency, i);
		if (!strstr(topic, ABP_EUI) || !strstr(topic, "/event/up"))
			continue;
		json_t *event = json_loads(t_subscriber_payload(place->agency, i), 0, NULL);
		json_int_t fcnt = json_integer_value(json_object_get(event, "fCnt"));
		if (fcnt >= 0 && fcnt < COUNTERS)
			readings[fcnt]++;
		json_decref(event);
	}
	return count;
}

static json_int_t number(const json_t *answer, const char *group, const char *name)
{
	const json_t *object = group ? json_object_get(answer, group) : answer;
	return json_integer_value(json_object_get(object, name));
}

/* Replays a file as fast as may be; everything has to be acknowledged, and no downlink goes unanswered. */
static void replay(const struct place *place, const char *path, bool loratap)
{
	char server[32], port[8];
	snprintf(server, sizeof server, "127.0.0.1:%u", t_network_port(place->network));
	snprintf(port, sizeof port, "%u", captured_port);
	t_cli_must(place->network, 0, "capture", "replay", path, "--server", server, "--port", port,
		   "--speed", "max", "--linger", "2", "--json", loratap ? "--gateway" : NULL, GATEWAY);
	json_t *answer = json_loads(t_cli_output(place->network), 0, NULL);
	t_true("JSON", answer != NULL);
	t_true("PUSH_DATA were sent", number(answer, "sent", "push_data") > 0);
	t_int("PUSH_DATA acknowledged", number(answer, "sent", "push_data"),
	      number(answer, "acknowledged", "push_data"));
	t_int("PULL_DATA acknowledged",
	      number(answer, "sent", "pull_data") + number(answer, "sent", "keep_alives"),
	      number(answer, "acknowledged", "pull_data"));
	t_int("downlinks refused", number(answer, "downlinks", "asked"),
	      number(answer, "downlinks", "refused"));
	t_int("gateways", loratap ? 1 : 2, number(answer, NULL, "gateways"));
	json_decref(answer);
}

struct wanted {
	const struct place *place;
	uint32_t fcnt;
};

static bool has_reading(void *ctx)
{
	const struct wanted *wanted = ctx;
	unsigned readings[COUNTERS];
	count_events(wanted->place, readings);
	return readings[wanted->fcnt] > 0;
}

/* One more frame of the ABP sensor, which never was in a capture. When its event is there, so is everything before it. */
static void sensor_sends_once_more(const struct place *place, uint32_t fcnt)
{
	struct t_gateway roof;
	struct t_device device = {.dev_addr = {ABP_ADDR}, .fcnt_up = fcnt};
	assert_true(lw_key_parse(ABP_NWK, &device.nwk_s_key));
	assert_true(lw_key_parse(ABP_APP, &device.app_s_key));
	assert_true(t_gateway_open(&roof, t_network_port(place->network), 0xaa555a0000000102));
	struct t_air air = t_device_sends(&device, false, 13, "\1\0", 2);
	t_true("the next frame is heard", t_gateway_hears(&roof, &air));
	struct wanted wanted = {place, fcnt};
	t_true("its event", t_wait_until(has_reading, &wanted, T_SLOW_CEILING));
	t_gateway_close(&roof);
}

static void every_reading_once(const struct place *place, uint32_t also)
{
	unsigned readings[COUNTERS];
	count_events(place, readings);
	for (uint32_t fcnt = 0; fcnt < COUNTERS; fcnt++) {
		char member[40];
		snprintf(member, sizeof member, "readings of counter %" PRIu32, fcnt);
		t_uint(member, heard[fcnt] || (fcnt >= next_fcnt && fcnt <= also) ? 1 : 0, readings[fcnt]);
	}
}

static double refusals(const struct place *place)
{
	static const char *const reasons[] = {"fcnt_old", "fcnt_reset", "repeated", "repeat_limit",
					      "late_copy"};
	double sum = 0;
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		char name[80];
		snprintf(name, sizeof name, "lamppost_network_drops_total{reason=\"%s\"}", reasons[i]);
		sum += metric(place, name);
	}
	return sum;
}

static void replay_delivers_nothing_twice(void **state)
{
	(void)state;
	t_row("the run that is captured");
	struct place place = run_and_capture();
	t_true("frames were heard", transmissions > 5);
	double before = refusals(&place), taken = metric(&place, "lamppost_network_uplinks_total");
	t_row("the datagram log into the network that heard it");
	replay(&place, gateways, false);
	sensor_sends_once_more(&place, next_fcnt);
	t_uint("one more uplink is taken", (unsigned long long)taken + 1,
	       (unsigned long long)metric(&place, "lamppost_network_uplinks_total"));
	t_true("each frame was refused by name", refusals(&place) - before >= (double)transmissions);
	every_reading_once(&place, next_fcnt);
	before = refusals(&place);
	t_row("the LoRaTap capture into it");
	replay(&place, night, true);
	sensor_sends_once_more(&place, next_fcnt + 1);
	t_true("each frame was refused by name", refusals(&place) - before >= (double)transmissions);
	every_reading_once(&place, next_fcnt + 1);
	close_place(&place);
}

static void fresh_network_takes_it_again(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *path;
		bool loratap;
	} rows[] = {{"LoRaTap into a fresh network", night, true},
		    {"the datagram log into a fresh network", gateways, false}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		struct place place = open_place();
		replay(&place, rows[i].path, rows[i].loratap);
		sensor_sends_once_more(&place, next_fcnt);
		every_reading_once(&place, next_fcnt);
		t_row("and the same once more");
		replay(&place, rows[i].path, rows[i].loratap);
		sensor_sends_once_more(&place, next_fcnt + 1);
		every_reading_once(&place, next_fcnt + 1);
		close_place(&place);
	}
}

static void what_is_refused(void **state)
{
	(void)state;
	struct place place = {.network = t_network_start(CONFIG)};
	static const struct {
		const char *name;
		int code;
		const char *words[12];
	} rows[] = {
		{"another machine's bridge",
		 4,
		 {"capture", "replay", gateways, "--server", "192.0.2.1:1700"}},
		{"a LoRaTap capture without a gateway's name", 2, {"capture", "replay", night}},
		{"nobody there",
		 5,
		 {"capture", "replay", night, "--gateway", GATEWAY, "--server", "127.0.0.1:9", "--speed",
		  "max"}},
		{"no capture", 1, {"capture", "replay", "/etc/passwd"}},
		{"no file", 3, {"capture", "replay", "/nowhere.pcap"}},
		{"a speed of nothing", 2, {"capture", "replay", night, "--gateway", GATEWAY, "--speed", "0"}},
		{"half a map", 2, {"capture", "replay", gateways, "--map", "aa555a0000000101"}},
		{"the log's port is another", 4, {"capture", "replay", gateways, "--port", "7"}},
		{"rotation without a capture", 2, {"frames", "--follow", "--rotate-mb", "1"}},
		{"lines and packets at once",
		 2,
		 {"frames", "--follow", "--pcap", "/tmp/never.pcap", "--json"}},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		t_cli_must_at(place.network, rows[i].code, rows[i].words);
	}
	t_network_free(place.network);
}

int main(void)
{
	t_temp_dir(dir);
	snprintf(night, sizeof night, "%s/night.pcap", dir);
	snprintf(gateways, sizeof gateways, "%s/gateways.pcap", dir);
	const struct CMUnitTest tests[] = {
		t_test(replay_delivers_nothing_twice),
		t_test(fresh_network_takes_it_again),
		t_test(what_is_refused),
	};
	int code = t_run(tests);
	t_temp_dir_remove(dir);
	return code;
}
