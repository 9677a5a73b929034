/* The rows that stand in files: each verdict of a join-request and each state of a downlink comes to the real application server from
 * a scripted network server, and its sentence and next step are looked for in what the real `lamppost why` prints. */
#include "tests/harness/city_server.h"
#include "tests/harness/harness.h"

#include "application-server/uuid.h"
#include "application-server/why/why.h"
#include "common/proto/join_report.h"

#include <stdio.h>
#include <string.h>

#define ITEM "0b6e2b9c-6d1f-4f6e-9a53-1f0f7f3f0c11"

static struct proto_message message;
static char output[1 << 20];
static uint64_t row;

static const char *ask(const char *kind, const char *id)
{
	t_int("exit", 0, t_server_cli(output, sizeof output, (const char *const[]){"why", kind, id, NULL}));
	return output;
}

static void report(uint64_t attempt, enum net_join_verdict verdict)
{
	memset(&message, 0, sizeof message);
	message.kind = PROTO_JOIN_REPORT;
	message.join_report = (struct net_join_report){.attempt = attempt,
						       .verdict = verdict,
						       .time = {1800000000000000 + (int64_t)attempt},
						       .dev_nonce = (uint16_t)(4700 + attempt),
						       .has_device = true,
						       .has_heard = true,
						       .freq_hz = 868100000,
						       .modulation = {LW_LORA, 10, 125000, 0, 0, "4/5"},
						       .gateway_count = 1,
						       .rssi_dbm = -101,
						       .region_id = "eu868",
						       .times = 1};
	assert_true(lw_eui64_parse(T_OTAA_EUI, &message.join_report.dev_eui));
	message.join_report.device = message.join_report.dev_eui;
	t_true("reported", t_script_send(t_server.network, &message));
}

static char wanted[64];

static bool is_told(struct t_network_script *network)
{
	(void)network;
	return strstr(ask("join", T_OTAA_EUI), wanted) != NULL;
}

/* The loop of the script turns while the command runs, so that the server may speak. */
static void every_verdict_of_a_join(void **state)
{
	uint64_t attempt = 0;
	(void)state;
	t_server_open(0, false, "", "");
	for (int i = 0; i < NET_JOIN_VERDICT_COUNT; i++) {
		const struct net_join_row *rule = net_join_row((enum net_join_verdict)i);
		char line[1200];
		t_row(rule->name);
		report(++attempt, (enum net_join_verdict)i);
		snprintf(wanted, sizeof wanted, "application-server  %s\n", rule->name);
		if (!t_true("told", t_script_run(t_server.network, is_told, T_CEILING)))
			continue;
		const char *decision = strstr(output, wanted);
		snprintf(line, sizeof line, "\n    %s", rule->sentence);
		t_true("its sentence", strstr(decision, line) != NULL);
		snprintf(line, sizeof line, "\n  → %s\n", rule->next);
		t_true("its next step", !*rule->next || strstr(decision, line) != NULL);
	}
	t_true("who is missing is said", strstr(output, "Not reached: network-server, join-server") != NULL);
}

static bool is_enqueued(struct t_network_script *network)
{
	return t_script_seen(network)->enqueued > 0;
}

static bool all_stored(struct t_network_script *network)
{
	return t_script_seen(network)->stored_row >= row;
}

static void moves(const struct net_uuid *item, enum net_item_status status, const char *cause)
{
	memset(&message, 0, sizeof message);
	row++;
	message.kind = PROTO_DOWNLINK_EVENT;
	message.downlink_event = (struct net_downlink_event){.head = {.id = {{0x77}}, .row = row},
							     .item = *item,
							     .status = status,
							     .fcnt_down = 41,
							     .tries = 1};
	struct net_downlink_event *event = &message.downlink_event;
	event->head.time.us = 1800000000000000 + (int64_t)row;
	event->head.id.bytes[15] = (uint8_t)row;
	assert_true(lw_eui64_parse(T_OTAA_EUI, &event->head.dev_eui));
	snprintf(event->cause, sizeof event->cause, "%s", cause);
	t_true("sent", t_script_send(t_server.network, &message));
}

/* Each item goes to one state from which it can be told. */
static void every_state_of_a_downlink(void **state)
{
	(void)state;
	for (int i = 0; i < NET_ITEM_STATUS_COUNT; i++) {
		enum net_item_status status = (enum net_item_status)i;
		const struct as_item_row *rule = as_item_row(status);
		char body[200], line[400], id[] = ITEM;
		struct net_uuid uuid;
		t_row(net_item_status_name(status));
		id[35] = (char)('0' + i);
		snprintf(body, sizeof body,
			 "{\"id\":\"%s\",\"f_port\":7,\"data\":\"AQID\",\"confirmed\":true}", id);
		t_int("taken", 202, t_server_post("/api/v1/devices/" T_OTAA_EUI "/downlinks", body));
		t_true("handed over", t_script_run(t_server.network, is_enqueued, T_CEILING));
		assert_true(as_uuid_parse(id, &uuid));
		bool on_the_way = status == NET_ITEM_SENT || status == NET_ITEM_ACKNOWLEDGED;
		if (on_the_way)
			moves(&uuid, NET_ITEM_PLANNED, "");
		if (status == NET_ITEM_ACKNOWLEDGED)
			moves(&uuid, NET_ITEM_SENT, "");
		moves(&uuid, status, *rule->next ? "some_cause" : "");
		t_true("stored", t_script_run(t_server.network, all_stored, T_CEILING));
		snprintf(line, sizeof line, "application-server  %s\n    %s: port 7, 3 bytes, ",
			 net_item_status_name(status), rule->sentence);
		const char *decision = strstr(ask("downlink", id), line);
		if (!t_true("its sentence with its numbers", decision != NULL)) {
			fprintf(stderr, "%s\n", output);
			continue;
		}
		snprintf(line, sizeof line, "\n  → %s\n", rule->next);
		t_true("its next step", !*rule->next || strstr(decision, line) != NULL);
		t_true("its cause", !*rule->next || strstr(decision, ", cause some_cause.") != NULL);
		t_true("the device, too", strstr(ask("device", T_OTAA_EUI), rule->sentence) != NULL);
	}
	t_server_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_verdict_of_a_join),
		t_test(every_state_of_a_downlink),
	};
	return t_run(tests);
}
