/* The checker must be able to fail: one good story, and one row for every way to spoil it. */
#include "simulator/check.h"
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

/* A 1.1 device that joins, sends a confirmed reading (twice: the first ACK is lost) and a plain one, hears one ACK. And an ABP one. */
static const char report_text[] =
	"{'records_dropped': 0, 'devices': ["
	"{'name': 'air', 'dev_eui': '70b3d57ed0050001', 'activation': 'otaa', 'mac_version': '1.1.0', "
	"'joined': true,"
	" 'dev_addr': '01000001',"
	" 'joins': [{'at_us': 1, 'dev_nonce': 1, 'heard_by': 1}, {'at_us': 2, 'dev_nonce': 2, 'heard_by': "
	"1}],"
	" 'accepts': [{'at_us': 3, 'dev_nonce': 2, 'join_nonce': 7, 'dev_addr': '01000001', 'window': 1}],"
	" 'sent': ["
	"  {'at_us': 10, 'dev_addr': '01000001', 'fcnt': 0, 'attempt': 1, 'fport': 10, 'payload': '0102', "
	"'reading': true,"
	"   'confirmed': true, 'heard_by': 1},"
	"  {'at_us': 20, 'dev_addr': '01000001', 'fcnt': 0, 'attempt': 2, 'fport': 10, 'payload': '0102', "
	"'reading': true,"
	"   'confirmed': true, 'heard_by': 2},"
	"  {'at_us': 30, 'dev_addr': '01000001', 'fcnt': 1, 'attempt': 1, 'fport': 10, 'payload': '0304', "
	"'reading': true,"
	"   'confirmed': false, 'heard_by': 1},"
	"  {'at_us': 40, 'dev_addr': '01000001', 'fcnt': 2, 'attempt': 1, 'fport': null, 'payload': '', "
	"'reading': false,"
	"   'confirmed': false, 'heard_by': 1},"
	"  {'at_us': 50, 'dev_addr': '01000001', 'fcnt': 3, 'attempt': 1, 'fport': 10, 'payload': '0506', "
	"'reading': true,"
	"   'confirmed': false, 'heard_by': 0}],"
	" 'outcomes': [{'at_us': 25, 'fcnt': 0, 'attempts': 2, 'confirmed': true, 'acknowledged': true, "
	"'reading': true},"
	"  {'at_us': 35, 'fcnt': 1, 'attempts': 1, 'confirmed': false, 'acknowledged': false, 'reading': "
	"true}],"
	" 'downlinks': [{'at_us': 3, 'result': 'accepted', 'window': 1, 'phy': '20aa'},"
	"  {'at_us': 24, 'result': 'accepted', 'window': 1, 'fcnt': 1, 'counter': 'nfcnt', 'phy': "
	"'60010000012001000a0b0c0d'},"
	"  {'at_us': 34, 'result': 'mic', 'window': 1, 'phy': '20bb'}]},"
	"{'name': 'parking', 'dev_eui': '70b3d57ed0050004', 'activation': 'abp', 'mac_version': '1.0.4', "
	"'joined': true,"
	" 'dev_addr': '0100da04', 'joins': [], 'accepts': [],"
	" 'sent': [{'at_us': 15, 'dev_addr': '0100da04', 'fcnt': 0, 'attempt': 1, 'fport': 13, 'payload': "
	"'01', 'reading': true,"
	"  'confirmed': false, 'heard_by': 1}],"
	" 'outcomes': [], 'downlinks': []}],"
	"'air': [{'at_us': 2, 'phy': '20aa'},"
	" {'at_us': 14, 'phy': '60010000012000000a0b0c0d'}, {'at_us': 14, 'phy': '60010000012000000a0b0c0d'},"
	" {'at_us': 24, 'phy': '60010000012001000a0b0c0d'}, {'at_us': 25, 'phy': "
	"'600100000120010005aa0a0b0c0d'}]}";

#define UP(id, eui, addr, fcnt, port, data)                                                             \
	"{'topic': 't', 'kind': 'up', 'event': {'deduplicationId': '" id "', 'deviceInfo': {'devEui': " \
	"'" eui "'}, "                                                                                  \
	"'devAddr': '" addr "', 'fCnt': " fcnt ", 'fPort': " port ", 'data': '" data "'}}"

static const char received_text[] =
	"[{'topic': 't', 'kind': 'join', 'event': {'deduplicationId': 'j', 'deviceInfo': {'devEui': "
	"'70b3d57ed0050001'}, "
	"'devAddr': '01000001'}}," UP("a", "70b3d57ed0050001", "01000001", "0", "10", "AQI=") "," UP(
		"p", "70b3d57ed0050004", "0100da04", "0", "13",
		"AQ==") "," UP("a", "70b3d57ed0050001", "01000001", "0", "10",
			       "AQI=") "," UP("b",
					      "70b3d57ed00"
					      "50001",
					      "01000001", "1", "10", "AwQ=") "]";

static json_t *parse(const char *text)
{
	char *copy = strdup(text);
	assert_non_null(copy);
	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *value = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
	free(copy);
	assert_non_null(value);
	return value;
}

/* Sets a member deep in a value: "devices/0/sent/1/fcnt". */
static void set(json_t *value, const char *path, const char *new_text)
{
	char part[64];
	for (;;) {
		size_t length = strcspn(path, "/");
		snprintf(part, sizeof part, "%.*s", (int)length, path);
		json_t *made = path[length] ? NULL : json_loads(new_text, JSON_DECODE_ANY, NULL);
		if (json_is_array(value)) {
			size_t index = strtoul(part, NULL, 10);
			if (made)
				json_array_set_new(value, index, made);
			value = json_array_get(value, index);
		} else {
			if (made)
				json_object_set_new(value, part, made);
			value = json_object_get(value, part);
		}
		assert_non_null(value);
		if (!path[length])
			return;
		path += length + 1;
	}
}

static const struct {
	const char *name;
	const char *report_path, *report_value;     /* NULL: as it is */
	const char *received_path, *received_value; /* NULL: as it is; an empty path removes the element */
	int remove_received;                        /* index from 1; 0: none */
	bool last_comes_first;                      /* of what was received, behind the join */
	bool allow_loss, unfinished;
	bool holds;
	const char *only; /* the one problem that there is says this; NULL: any */
} rows[] = {
	{.name = "the good story", .holds = true},
	{.name = "the good story where losses are allowed", .allow_loss = true, .holds = true},
	{.name = "a plain reading is missing", .remove_received = 5},
	{.name = "a plain reading is missing where losses are allowed",
	 .remove_received = 5,
	 .allow_loss = true,
	 .holds = true},
	{.name = "an acknowledged reading is missing in spite of allowed losses",
	 .received_path = "1/kind",
	 .received_value = "\"other\"",
	 .remove_received = 4,
	 .allow_loss = true},
	{.name = "an answered reading is missing in spite of allowed losses",
	 .report_path = "devices/0/downlinks/1/at_us",
	 .report_value = "33",
	 .remove_received = 5,
	 .allow_loss = true},
	{.name = "an ABP device's reading is missing", .remove_received = 3},
	{.name = "the join event is missing", .remove_received = 1, .allow_loss = true},
	{.name = "a device did not join", .report_path = "devices/0/joined", .report_value = "false"},
	{.name = "a device has not joined when the run was ended",
	 .report_path = "devices/0/joined",
	 .report_value = "false",
	 .unfinished = true,
	 .holds = true},
	{.name = "a plain reading is missing though the run was ended",
	 .remove_received = 5,
	 .unfinished = true,
	 .only = "was heard, but not delivered"},
	{.name = "a byte of the payload differs",
	 .received_path = "4/event/data",
	 .received_value = "\"AwU=\""},
	{.name = "the port differs", .received_path = "4/event/fPort", .received_value = "11"},
	{.name = "the address differs",
	 .received_path = "4/event/devAddr",
	 .received_value = "\"01000002\"",
	 .allow_loss = true},
	{.name = "a frame that was never sent",
	 .received_path = "4/event/fCnt",
	 .received_value = "7",
	 .allow_loss = true},
	{.name = "the same frame under two ids",
	 .received_path = "3/event/deduplicationId",
	 .received_value = "\"c\""},
	{.name = "two frames under one id",
	 .received_path = "4/event/deduplicationId",
	 .received_value = "\"p\""},
	{.name = "a repeat with another content",
	 .received_path = "3/event/data",
	 .received_value = "\"AQM=\""},
	{.name = "an event without an id",
	 .received_path = "4/event/deduplicationId",
	 .received_value = "null"},
	{.name = "a line that is no event", .received_path = "3/event", .received_value = "null"},
	{.name = "first deliveries out of order",
	 .last_comes_first = true,
	 .only = "was delivered after counter 1"},
	{.name = "one join with two events",
	 .received_path = "3",
	 .received_value = "{\"topic\": \"t\", \"kind\": \"join\", \"event\": {\"deduplicationId\": \"k\", "
			   "\"deviceInfo\": {\"devEui\": \"70b3d57ed0050001\"}, \"devAddr\": \"01000001\"}}",
	 .only = "has two events"},
	{.name = "one join's event again",
	 .received_path = "3",
	 .received_value = "{\"topic\": \"t\", \"kind\": \"join\", \"event\": {\"deduplicationId\": \"j\", "
			   "\"deviceInfo\": {\"devEui\": \"70b3d57ed0050001\"}, \"devAddr\": \"01000001\"}}",
	 .holds = true},
	{.name = "a downlink counter with two contents",
	 .report_path = "air/2/phy",
	 .report_value = "\"60010000012000000a0b0c0e\""},
	{.name = "1.0.x has one counter for ports and MAC",
	 .report_path = "devices/0/mac_version",
	 .report_value = "\"1.0.4\""},
	{.name = "a device heard more bytes than the rate carries",
	 .report_path = "devices/0/downlinks/1/result",
	 .report_value = "\"too_long\"",
	 .allow_loss = true},
	{.name = "a device heard an ACK for what was not confirmed",
	 .report_path = "devices/0/downlinks/1/unasked_ack",
	 .report_value = "true",
	 .only = "not confirmed"},
	{.name = "a device heard a counter again",
	 .report_path = "devices/0/downlinks/1/result",
	 .report_value = "\"repeated\"",
	 .allow_loss = true},
	{.name = "a device heard a bad MIC",
	 .report_path = "devices/0/downlinks/1/result",
	 .report_value = "\"mic\"",
	 .allow_loss = true},
	{.name = "a JoinNonce again",
	 .report_path = "devices/0/downlinks/0/result",
	 .report_value = "\"join_nonce\"",
	 .allow_loss = true},
	{.name = "two joins with one DevNonce",
	 .report_path = "devices/0/accepts",
	 .report_value = "[{\"dev_nonce\": 2, \"join_nonce\": 7, \"dev_addr\": \"01000001\"},"
			 " {\"dev_nonce\": 2, \"join_nonce\": 8, \"dev_addr\": \"01000001\"}]",
	 .allow_loss = true},
	{.name = "two joins with one JoinNonce",
	 .report_path = "devices/0/accepts",
	 .report_value = "[{\"dev_nonce\": 1, \"join_nonce\": 7, \"dev_addr\": \"01000001\"},"
			 " {\"dev_nonce\": 2, \"join_nonce\": 7, \"dev_addr\": \"01000001\"}]",
	 .allow_loss = true},
	{.name = "records were dropped", .report_path = "records_dropped", .report_value = "3"},
	{.name = "no devices", .report_path = "devices", .report_value = "[]"},
	{.name = "no list of the air", .report_path = "air", .report_value = "null"},
};

static void stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		t_row(rows[i].name);
		json_t *report = parse(report_text), *received = parse(received_text);
		if (rows[i].report_path)
			set(report, rows[i].report_path, rows[i].report_value);
		if (rows[i].received_path)
			set(received, rows[i].received_path, rows[i].received_value);
		if (rows[i].remove_received)
			json_array_remove(received, (size_t)rows[i].remove_received - 1);
		if (rows[i].last_comes_first) {
			size_t last = json_array_size(received) - 1;
			json_array_insert(received, 1, json_array_get(received, last));
			json_array_remove(received, last + 1);
		}
		struct sim_check_options options = {.allow_loss = rows[i].allow_loss,
						    .unfinished = rows[i].unfinished};
		struct sim_check_sum sum = {0};
		char *said = NULL;
		size_t length;
		FILE *out = open_memstream(&said, &length);
		assert_non_null(out);
		t_int("holds", rows[i].holds, sim_check(report, received, &options, out, &sum));
		(void)fclose(out);
		t_int("problems", rows[i].holds, sum.problems == 0);
		if (rows[i].only) {
			t_uint("one problem", 1, sum.problems);
			t_true("says which", strstr(said, rows[i].only) != NULL);
		}
		free(said);
		json_decref(report);
		json_decref(received);
	}
}

static void sums(void **state)
{
	(void)state;
	json_t *report = parse(report_text), *received = parse(received_text);
	struct sim_check_sum sum = {0};
	t_true("holds", sim_check(report, received, &(struct sim_check_options){0}, stdout, &sum));
	t_uint("devices", 2, sum.devices);
	t_uint("joined", 2, sum.joined);
	t_uint("readings heard", 3, sum.readings);
	t_uint("delivered", 3, sum.delivered);
	t_uint("acknowledged", 1, sum.acknowledged);
	t_uint("events", 5, sum.events);
	t_uint("repeats", 1, sum.repeats);
	json_decref(report);
	json_decref(received);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(stories), t_test(sums)};
	return t_run(tests);
}
