/* An agency that answers a reading: its program gets the uplink by MQTT and publishes a command 300 ms later. The device must hear
 * it in a window of that same uplink (RxDelay 5 s, the default), not of the next. Judged by what the simulated device received:
 * each command carries the counter of the uplink that it answers. A machine with other work to do makes some of them late; every
 * second uplink is answered, so that a late one has left before the next and makes none late but itself. */
#include "tests/harness/harness.h"
#include "tests/harness/network.h"

#include "common/base/bytes.h"
#include "common/base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS "45"
#define PORT    20

static const char *const devices[] = {"70b3d57ed0050001", "70b3d57ed0050003"};

static bool is_ours(const char *dev_eui)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (strcmp(devices[i], dev_eui) == 0)
			return true;
	return false;
}

/* What the agency's program does for one message: waits its 300 ms, and answers if it is a reading of one of ours. */
static void react(struct t_network *network, const char *topic, const char *text)
{
	char command[300], answer_topic[200], data[BASE64_ROOM(4)];
	uint8_t payload[4];
	size_t length = strlen(topic);
	if (length < 9 || strcmp(topic + length - 9, "/event/up") != 0)
		return;
	json_t *up = json_loads(text, 0, NULL);
	const char *eui = json_string_value(json_object_get(json_object_get(up, "deviceInfo"), "devEui"));
	if (eui && is_ours(eui) && json_integer_value(json_object_get(up, "fCnt")) % 2 == 1) {
		struct wr wr = wr_init(payload, sizeof payload);
		wr_u32be(&wr, (uint32_t)json_integer_value(json_object_get(up, "fCnt")));
		base64_encode(data, payload, sizeof payload);
		snprintf(command, sizeof command, "{\"devEui\":\"%s\",\"fPort\":%d,\"data\":\"%s\"}", eui,
			 PORT, data);
		snprintf(answer_topic, sizeof answer_topic, "%.*s/command/down", (int)(length - 9), topic);
		(void)nanosleep(&(struct timespec){.tv_nsec = 300000000L}, NULL);
		t_true("published",
		       t_publish(t_mosquitto_port(t_network_broker(network)), answer_topic, command));
	}
	json_decref(up);
}

/* The counter of the last uplink that the device had begun before that time; −1: none. */
static json_int_t uplink_before(const json_t *device, json_int_t at_us)
{
	size_t i;
	json_t *sent;
	json_int_t fcnt = -1;
	json_array_foreach(json_object_get(device, "sent"), i, sent)
	{
		if (json_integer_value(json_object_get(sent, "at_us")) < at_us)
			fcnt = json_integer_value(json_object_get(sent, "fcnt"));
	}
	return fcnt;
}

/* How many answers were heard in a window of the uplink that they answer. */
static unsigned check_device(const json_t *device)
{
	size_t i;
	unsigned answers = 0;
	json_t *down;
	t_row(json_string_value(json_object_get(device, "name")));
	json_array_foreach(json_object_get(device, "downlinks"), i, down)
	{
		uint8_t payload[4];
		const char *hex = json_string_value(json_object_get(down, "payload"));
		if (json_integer_value(json_object_get(down, "fport")) != PORT)
			continue;
		if (!t_true("payload", hex && hex_decode_exact(payload, sizeof payload, hex)))
			continue;
		struct rd rd = rd_init(payload, sizeof payload);
		json_int_t fcnt = rd_u32be(&rd);
		json_int_t window = uplink_before(device, json_integer_value(json_object_get(down, "at_us")));
		t_true("in a window behind the uplink that it answers", window >= fcnt);
		answers += window == fcnt;
	}
	return answers;
}

static void an_answer_after_300_ms_makes_the_same_window(void **state)
{
	(void)state;
	struct t_network *network = t_network_start("");
	t_network_furnish(network);
	struct t_subscriber *agency = t_network_subscribe(network);
	struct t_process *simulator = t_network_simulate(network, "simulator/scenarios/demo.yaml", SECONDS);
	size_t seen = 0;
	while (t_process_running(simulator)) {
		if (!t_subscriber_wait(agency, seen + 1, 0.2))
			continue;
		react(network, t_subscriber_topic(agency, seen), t_subscriber_payload(agency, seen));
		seen++;
	}
	t_int("simulator", 0, t_process_wait(simulator));
	t_process_free(simulator);
	json_t *report = t_network_report(network), *device;
	size_t i;
	unsigned answers = 0;
	assert_non_null(report);
	json_array_foreach(json_object_get(report, "devices"), i, device)
	{
		if (is_ours(json_string_value(json_object_get(device, "dev_eui"))))
			answers += check_device(device);
	}
	t_row("both");
	t_true("in a window of the uplink that they answer", answers > 0);
	json_decref(report);
	t_subscriber_free(agency);
	t_network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(an_answer_after_300_ms_makes_the_same_window)};
	return t_run(tests);
}
