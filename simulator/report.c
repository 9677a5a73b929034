#include "simulator/report.h"

#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <time.h>

static void set_int(json_t *object, const char *key, int64_t value)
{
	json_object_set_new(object, key, json_integer(value));
}

static void set_hex(json_t *object, const char *key, const uint8_t *bytes, size_t length)
{
	char text[2 * 255 + 1];
	hex_encode(text, bytes, length);
	json_object_set_new(object, key, json_string(text));
}

static void set_dev_addr(json_t *object, struct lw_dev_addr dev_addr)
{
	char text[LW_DEV_ADDR_TEXT];
	lw_dev_addr_format(text, dev_addr);
	json_object_set_new(object, "dev_addr", json_string(text));
}

static void set_fport(json_t *object, int fport)
{
	json_object_set_new(object, "fport", fport < 0 ? json_null() : json_integer(fport));
}

static json_t *join_json(const struct sim_entry *entry)
{
	json_t *object = json_object();
	set_int(object, "at_us", entry->record.at_us);
	set_int(object, "dev_nonce", entry->record.dev_nonce);
	set_int(object, "heard_by", entry->heard_by);
	set_hex(object, "phy", entry->record.phy, entry->record.phy_length);
	return object;
}

static json_t *accept_json(const struct sim_record *record)
{
	json_t *object = json_object();
	set_int(object, "at_us", record->at_us);
	set_int(object, "dev_nonce", record->dev_nonce);
	set_int(object, "join_nonce", record->join_nonce);
	set_int(object, "window", record->window);
	set_dev_addr(object, record->dev_addr);
	return object;
}

static json_t *sent_json(const struct sim_entry *entry)
{
	const struct sim_record *record = &entry->record;
	json_t *object = json_object();
	set_int(object, "at_us", record->at_us);
	set_dev_addr(object, record->dev_addr);
	set_int(object, "fcnt", record->fcnt);
	set_int(object, "attempt", record->attempt);
	set_fport(object, record->fport);
	set_hex(object, "payload", record->payload, record->length);
	json_object_set_new(object, "reading", json_boolean(record->reading));
	json_object_set_new(object, "confirmed", json_boolean(record->confirmed));
	json_object_set_new(object, "ack", json_boolean(record->acknowledged));
	set_int(object, "dr", record->dr);
	set_int(object, "freq_hz", record->freq_hz);
	set_hex(object, "phy", record->phy, record->phy_length);
	set_int(object, "heard_by", entry->heard_by);
	return object;
}

static json_t *outcome_json(const struct sim_record *record)
{
	json_t *object = json_object();
	set_int(object, "at_us", record->at_us);
	set_int(object, "fcnt", record->fcnt);
	set_int(object, "attempts", record->attempt);
	json_object_set_new(object, "confirmed", json_boolean(record->confirmed));
	json_object_set_new(object, "acknowledged", json_boolean(record->acknowledged));
	json_object_set_new(object, "reading", json_boolean(record->reading));
	return object;
}

static json_t *downlink_json(const struct sim_device *device, const struct sim_record *record)
{
	json_t *object = json_object();
	bool read = record->result == SIM_DOWN_ACCEPTED || record->result == SIM_DOWN_REPEATED ||
		    record->result == SIM_DOWN_GAP;
	set_int(object, "at_us", record->at_us);
	json_object_set_new(object, "result", json_string(sim_down_result_name(record->result)));
	set_int(object, "window", record->window);
	set_hex(object, "phy", record->phy, record->phy_length);
	if (record->unasked_ack)
		json_object_set_new(object, "unasked_ack", json_true());
	bool accept = record->phy_length > 0 && record->phy[0] >> 5 == 1;
	if (read && !accept) {
		const char *counter = record->app_counter ? "afcnt" : device->rules_1_1 ? "nfcnt" : "fcnt";
		set_int(object, "fcnt", record->fcnt);
		json_object_set_new(object, "counter", json_string(counter));
		set_fport(object, record->fport);
		set_hex(object, "payload", record->payload, record->length);
		json_object_set_new(object, "confirmed", json_boolean(record->confirmed));
		json_object_set_new(object, "ack", json_boolean(record->acknowledged));
	}
	return object;
}

static json_t *device_json(const struct sim_device *device)
{
	char eui[LW_EUI64_TEXT];
	json_t *object = json_object();
	lw_eui64_format(eui, &device->config.dev_eui);
	json_object_set_new(object, "name", json_string(device->config.name));
	json_object_set_new(object, "dev_eui", json_string(eui));
	json_object_set_new(object, "activation",
			    json_string(device->config.activation == SIM_OTAA ? "otaa" : "abp"));
	json_object_set_new(object, "mac_version",
			    json_string(lw_mac_version_name(device->config.mac_version)));
	json_object_set_new(object, "joined", json_boolean(device->joined));
	set_dev_addr(object, device->dev_addr);
	set_int(object, "fcnt_up", device->fcnt_up);
	static const char *const lists[] = {"joins", "accepts", "sent", "outcomes", "downlinks"};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		json_object_set_new(object, lists[i], json_array());
	return object;
}

static void add_entry(json_t *devices, const struct sim_world *world, const struct sim_entry *entry)
{
	const struct sim_record *record = &entry->record;
	json_t *device = json_array_get(devices, record->device);
	switch (record->kind) {
	case SIM_RECORD_JOIN_REQUEST:
		json_array_append_new(json_object_get(device, "joins"), join_json(entry));
		break;
	case SIM_RECORD_JOINED:
		json_array_append_new(json_object_get(device, "accepts"), accept_json(record));
		break;
	case SIM_RECORD_UPLINK:
		json_array_append_new(json_object_get(device, "sent"), sent_json(entry));
		break;
	case SIM_RECORD_OUTCOME:
		json_array_append_new(json_object_get(device, "outcomes"), outcome_json(record));
		break;
	case SIM_RECORD_DOWNLINK:
		json_array_append_new(json_object_get(device, "downlinks"),
				      downlink_json(sim_world_device(world, record->device), record));
		break;
	case SIM_RECORD_KIND_COUNT: break;
	}
}

static json_t *station_json(const struct sim_station *station)
{
	const struct sim_station_counters *counters = &station->counters;
	json_t *object = json_object(), *dropped = json_object(), *refused = json_object();
	json_object_set_new(object, "state", json_string(sim_station_state_name(station->state)));
	json_object_set_new(object, "region", json_string(station->config.region));
	set_int(object, "connects", (int64_t)counters->connects);
	set_int(object, "sessions", (int64_t)counters->sessions);
	set_int(object, "discovery_refused", (int64_t)counters->discovery_refused);
	set_int(object, "texts", (int64_t)counters->texts);
	set_int(object, "warnings", (int64_t)counters->warnings);
	set_int(object, "forwarded", (int64_t)counters->forwarded);
	set_int(object, "filtered", (int64_t)counters->filtered);
	set_int(object, "downlinks", (int64_t)counters->downlinks);
	set_int(object, "commands_refused", (int64_t)counters->commands_refused);
	set_int(object, "commands_run", (int64_t)counters->commands_run);
	for (unsigned i = 0; i < SIM_STATION_DROP_COUNT; i++)
		if (counters->dropped[i] > 0)
			set_int(dropped, sim_station_drop_name((enum sim_station_drop)i),
				(int64_t)counters->dropped[i]);
	for (unsigned i = SIM_STATION_OK + 1; i < SIM_STATION_VERDICT_COUNT; i++)
		if (counters->refused[i] > 0)
			set_int(refused, sim_station_verdict_name((enum sim_station_verdict)i),
				(int64_t)counters->refused[i]);
	json_object_set_new(object, "dropped", dropped);
	json_object_set_new(object, "refused", refused);
	return object;
}

static json_t *mqtt_json(const struct sim_mqtt_facts *facts)
{
	json_t *object = json_object();
	json_object_set_new(object, "connected", json_boolean(facts->connected));
	set_int(object, "connects", (int64_t)facts->connects);
	set_int(object, "uplinks", (int64_t)facts->uplinks);
	set_int(object, "stats", (int64_t)facts->stats);
	set_int(object, "lost", (int64_t)facts->lost);
	set_int(object, "commands", (int64_t)facts->commands);
	set_int(object, "refused", (int64_t)facts->refused);
	json_object_set_new(object, "why", json_string(facts->why));
	return object;
}

/* `station`, `mqtt`: NULL where it is none. */
static json_t *gateway_json(const struct sim_gateway *gateway, const struct sim_station *station,
			    const struct sim_mqtt_facts *mqtt)
{
	const struct sim_gateway_counters *counters = &gateway->counters;
	char eui[LW_EUI64_TEXT];
	json_t *object = json_object();
	lw_eui64_format(eui, &gateway->config.eui);
	json_object_set_new(object, "eui", json_string(eui));
	set_int(object, "heard", (int64_t)counters->heard);
	set_int(object, "ghosts", (int64_t)counters->ghosts);
	set_int(object, "push_data", (int64_t)counters->push_data);
	set_int(object, "push_acks", (int64_t)counters->push_acks);
	set_int(object, "pull_data", (int64_t)counters->pull_data);
	set_int(object, "pull_acks", (int64_t)counters->pull_acks);
	set_int(object, "pull_resp", (int64_t)counters->pull_resp);
	set_int(object, "sent", (int64_t)counters->sent);
	json_t *refused = json_object(), *missed = json_object(), *bad = json_object();
	for (unsigned i = SIM_JIT_TOO_LATE; i < SIM_JIT_VERDICT_COUNT; i++) {
		if (counters->refused[i] > 0)
			set_int(refused, sim_jit_verdict_name((enum sim_jit_verdict)i),
				(int64_t)counters->refused[i]);
	}
	for (unsigned i = SIM_TOO_WEAK; i < SIM_RECEPTION_COUNT; i++) {
		if (counters->missed[i] > 0)
			set_int(missed, sim_reception_name((enum sim_reception)i),
				(int64_t)counters->missed[i]);
	}
	for (unsigned i = SIM_DOWN_TRUNCATED; i < SIM_DOWN_VERDICT_COUNT; i++) {
		if (counters->bad_datagrams[i] > 0)
			set_int(bad, sim_down_verdict_name((enum sim_down_verdict)i),
				(int64_t)counters->bad_datagrams[i]);
	}
	if (station != NULL)
		json_object_set_new(object, "station", station_json(station));
	if (mqtt != NULL)
		json_object_set_new(object, "mqtt", mqtt_json(mqtt));
	json_object_set_new(object, "refused", refused);
	json_object_set_new(object, "missed", missed);
	json_object_set_new(object, "bad_datagrams", bad);
	return object;
}

static json_t *air_json(const struct sim_world *world)
{
	json_t *list = json_array();
	size_t count;
	const struct sim_air_entry *entries = sim_world_air(world, &count);
	for (size_t i = 0; i < count; i++) {
		json_t *object = json_object();
		set_int(object, "at_us", entries[i].at_us);
		set_int(object, "gateway", entries[i].gateway);
		set_int(object, "token", entries[i].token);
		set_int(object, "freq_hz", entries[i].freq_hz);
		set_hex(object, "phy", entries[i].phy, entries[i].length);
		json_array_append_new(list, object);
	}
	return list;
}

json_t *sim_report_json(const struct sim_world *world, struct wall start, int64_t now_us)
{
	const struct sim_scenario *scenario = sim_world_scenario(world);
	json_t *root = json_object(), *totals = json_object(), *devices = json_array(),
	       *gateways = json_array();
	char stamp[32], digest[17];
	time_t seconds = (time_t)(start.us / US_PER_S);
	struct tm utc;
	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
	snprintf(digest, sizeof digest, "%016" PRIx64, sim_world_digest(world));
	json_object_set_new(root, "start", json_string(stamp));
	json_object_set_new(root, "start_unix_us", json_integer(start.us));
	json_object_set_new(root, "seconds", json_real((double)now_us / 1e6));
	json_object_set_new(root, "digest", json_string(digest));
	for (unsigned i = 0; i < SIM_MEASURE_COUNT; i++)
		set_int(totals, sim_measure_name((enum sim_measure)i),
			sim_world_measure(world, (enum sim_measure)i));
	json_object_set_new(root, "totals", totals);
	for (size_t i = 0; i < scenario->device_count; i++)
		json_array_append_new(devices, device_json(sim_world_device(world, i)));
	size_t count;
	uint64_t dropped;
	const struct sim_entry *entries = sim_world_entries(world, &count, &dropped);
	for (size_t i = 0; i < count; i++)
		add_entry(devices, world, &entries[i]);
	set_int(root, "records_dropped", (int64_t)dropped);
	for (size_t i = 0; i < scenario->gateway_count; i++)
		json_array_append_new(gateways,
				      gateway_json(sim_world_gateway(world, i), sim_world_station(world, i),
						   sim_world_mqtt(world, i)));
	json_object_set_new(root, "devices", devices);
	json_object_set_new(root, "gateways", gateways);
	json_object_set_new(root, "air", air_json(world));
	return root;
}

void sim_report_line(FILE *out, const struct sim_world *world, const struct sim_entry *entry)
{
	const struct sim_record *record = &entry->record;
	const char *name = sim_world_device(world, record->device)->config.name;
	char payload[2 * 255 + 1];
	fprintf(out, "%9.3f s  %-20s ", (double)record->at_us / 1e6, name);
	switch (record->kind) {
	case SIM_RECORD_JOIN_REQUEST:
		fprintf(out, "join-request, DevNonce %u, %.1f MHz DR%u\n", record->dev_nonce,
			(double)record->freq_hz / 1e6, record->dr);
		break;
	case SIM_RECORD_JOINED:
		fprintf(out, "joined as %08" PRIx32 " in RX%u\n", record->dev_addr.value, record->window);
		break;
	case SIM_RECORD_UPLINK:
		hex_encode(payload, record->payload, record->length);
		fprintf(out, "uplink %" PRIu32 "%s%s, port %d, %.1f MHz DR%u  %s\n", record->fcnt,
			record->confirmed ? " confirmed" : "", record->attempt > 1 ? " again" : "",
			record->fport, (double)record->freq_hz / 1e6, record->dr, payload);
		break;
	case SIM_RECORD_OUTCOME:
		fprintf(out, "uplink %" PRIu32 " is over%s\n", record->fcnt,
			!record->confirmed     ? ""
			: record->acknowledged ? ", acknowledged"
					       : ", not acknowledged");
		break;
	case SIM_RECORD_DOWNLINK:
		fprintf(out, "downlink %" PRIu32 " in RX%u: %s%s\n", record->fcnt, record->window,
			sim_down_result_name(record->result), record->acknowledged ? ", ACK" : "");
		break;
	case SIM_RECORD_KIND_COUNT: break;
	}
}

void sim_report_summary(FILE *out, const struct sim_world *world, int64_t now_us)
{
	const struct sim_scenario *scenario = sim_world_scenario(world);
	fprintf(out, "simulated %.1f s: %zu devices, %zu gateways\n", (double)now_us / 1e6,
		scenario->device_count, scenario->gateway_count);
	for (unsigned i = 0; i < SIM_MEASURE_COUNT; i++)
		fprintf(out, "  %-16s %" PRId64 "\n", sim_measure_name((enum sim_measure)i),
			sim_world_measure(world, (enum sim_measure)i));
}
