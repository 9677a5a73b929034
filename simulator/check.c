/* Frames are found by text keys in jansson objects: "dev_eui/dev_addr/fcnt". First what was received is filed by key, then every device's
 * own story is walked in the order of time and each frame asked for. */
#include "simulator/check.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define PROBLEMS_SHOWN 50
#define KEY_ROOM       96

struct check {
	const struct sim_check_options *options;
	FILE *out;
	struct sim_check_sum *sum;
	json_t *frames;    /* key → first event received of that frame */
	json_t *joins;     /* "dev_eui/dev_addr" → event */
	json_t *ids;       /* event id → event */
	json_t *sent;      /* key → what the device sent */
	json_t *last_fcnt; /* "dev_eui/dev_addr" → counter of the last first delivery */
	json_t *addresses; /* dev_addr → "fcnt" or "two" (1.1), or "shared" */
	json_t *air;       /* "dev_addr/counter/fcnt" → PHYPayload */
};

__attribute__((format(printf, 2, 3))) static void problem(struct check *check, const char *format, ...)
{
	if (check->sum->problems++ >= PROBLEMS_SHOWN)
		return;
	va_list arguments;
	va_start(arguments, format);
	fputs("problem: ", check->out);
	vfprintf(check->out, format, arguments);
	fputc('\n', check->out);
	va_end(arguments);
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static json_int_t int_of(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static bool is_true(const json_t *object, const char *member)
{
	return json_is_true(json_object_get(object, member));
}

static void frame_key(char key[KEY_ROOM], const char *dev_eui, const char *dev_addr, json_int_t fcnt)
{
	snprintf(key, KEY_ROOM, "%.32s/%.16s/%" JSON_INTEGER_FORMAT, dev_eui, dev_addr, fcnt);
}

/* --- what was received -------------------------------------------------------------------------------------- */

static const char *device_of(const json_t *event)
{
	return text_of(json_object_get(event, "deviceInfo"), "devEui");
}

/* Files an event under its id; false when it is there already, which is no problem if it says the same. */
static bool file_id(struct check *check, json_t *event)
{
	const char *id = text_of(event, "deduplicationId");
	if (!*id) {
		problem(check, "an event without an id, of device %s", device_of(event));
		return true;
	}
	const json_t *before = json_object_get(check->ids, id);
	if (!before) {
		json_object_set(check->ids, id, event);
		return true;
	}
	check->sum->repeats++;
	if (!json_equal(before, event))
		problem(check, "event %s of device %s was delivered with two contents", id, device_of(event));
	return false;
}

static void receive_up(struct check *check, json_t *event)
{
	char key[KEY_ROOM], session[KEY_ROOM];
	json_int_t fcnt = int_of(event, "fCnt");
	frame_key(key, device_of(event), text_of(event, "devAddr"), fcnt);
	snprintf(session, sizeof session, "%.32s/%.16s", device_of(event), text_of(event, "devAddr"));
	if (!file_id(check, event))
		return;
	if (json_object_get(check->frames, key)) {
		problem(check, "frame %s has two events", key);
		return;
	}
	const json_t *last = json_object_get(check->last_fcnt, session);
	if (last && json_integer_value(last) > fcnt)
		problem(check, "frame %s was delivered after counter %" JSON_INTEGER_FORMAT, key,
			json_integer_value(last));
	json_object_set_new(check->last_fcnt, session, json_integer(fcnt));
	json_object_set(check->frames, key, event);
}

static void receive_join(struct check *check, json_t *event)
{
	char session[KEY_ROOM];
	snprintf(session, sizeof session, "%.32s/%.16s", device_of(event), text_of(event, "devAddr"));
	if (!file_id(check, event))
		return;
	if (json_object_get(check->joins, session))
		problem(check, "join %s has two events", session);
	json_object_set(check->joins, session, event);
}

static void receive(struct check *check, const json_t *received)
{
	size_t i;
	json_t *line;
	json_array_foreach(received, i, line)
	{
		const char *kind = text_of(line, "kind");
		json_t *event = json_object_get(line, "event");
		if (!json_is_object(event))
			problem(check, "line %zu of what was received is no event", i + 1);
		else if (strcmp(kind, "up") == 0)
			receive_up(check, event);
		else if (strcmp(kind, "join") == 0)
			receive_join(check, event);
		check->sum->events += strcmp(kind, "up") == 0 || strcmp(kind, "join") == 0;
	}
}

/* --- what the devices tell ---------------------------------------------------------------------------------- */

/* The frame that was on the air last before `at_us`; with `fcnt` 0 or more, the last one with that counter. */
static const json_t *sent_before(const json_t *device, json_int_t at_us, json_int_t fcnt)
{
	const json_t *list = json_object_get(device, "sent"), *found = NULL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *sent = json_array_get(list, i);
		if (int_of(sent, "at_us") >= at_us)
			break;
		if (fcnt < 0 || int_of(sent, "fcnt") == fcnt)
			found = sent;
	}
	return found;
}

/* The network answered for this frame: it must have been delivered if there is a reading in it. */
static void must_be_delivered(struct check *check, const json_t *device, const json_t *sent, const char *why)
{
	char key[KEY_ROOM];
	if (!sent || !is_true(sent, "reading"))
		return;
	frame_key(key, text_of(device, "dev_eui"), text_of(sent, "dev_addr"), int_of(sent, "fcnt"));
	if (!json_object_get(check->frames, key))
		problem(check, "frame %s was %s, but not delivered", key, why);
}

static void walk_outcomes(struct check *check, const json_t *device)
{
	size_t i;
	const json_t *outcome;
	json_array_foreach(json_object_get(device, "outcomes"), i, outcome)
	{
		if (!is_true(outcome, "confirmed") || !is_true(outcome, "acknowledged"))
			continue;
		check->sum->acknowledged++;
		must_be_delivered(check, device,
				  sent_before(device, int_of(outcome, "at_us"), int_of(outcome, "fcnt")),
				  "acknowledged");
	}
}

static bool is_join_accept(const char *phy)
{
	uint8_t mhdr;
	return strlen(phy) >= 2 && hex_decode_exact(&mhdr, 1, (char[3]){phy[0], phy[1], 0}) && mhdr >> 5 == 1;
}

static void walk_downlinks(struct check *check, const json_t *device)
{
	/* Another device's frames, and what the radio lost, are nothing that the network did wrong. */
	static const char *const faults[] = {"malformed",  "mic",        "repeated", "gap",
					     "join_nonce", "parameters", "too_long"};
	size_t i;
	const json_t *downlink;
	json_array_foreach(json_object_get(device, "downlinks"), i, downlink)
	{
		const char *result = text_of(downlink, "result"), *phy = text_of(downlink, "phy");
		bool accept = is_join_accept(phy);
		for (size_t f = 0; f < ARRAY_SIZE(faults); f++) {
			/* A join-accept names nobody: one for a neighbour looks like one with a bad MIC. */
			bool foreign = accept && strcmp(faults[f], "mic") == 0;
			if (strcmp(result, faults[f]) == 0 && !foreign)
				problem(check, "device %s heard a downlink that it refused: %s, %s",
					text_of(device, "name"), result, phy);
		}
		if (is_true(downlink, "unasked_ack"))
			problem(check, "device %s heard an ACK for what was not confirmed: %s",
				text_of(device, "name"), phy);
		if (strcmp(result, "accepted") == 0 && !accept)
			must_be_delivered(check, device, sent_before(device, int_of(downlink, "at_us"), -1),
					  "answered");
	}
}

static void once(struct check *check, json_t *seen, const json_t *device, const char *what, json_int_t value)
{
	char key[32];
	snprintf(key, sizeof key, "%" JSON_INTEGER_FORMAT, value);
	if (json_object_get(seen, key))
		problem(check, "device %s: %s %s was used for two joins", text_of(device, "name"), what, key);
	json_object_set_new(seen, key, json_true());
}

static void walk_joins(struct check *check, const json_t *device)
{
	json_t *dev_nonces = json_object(), *join_nonces = json_object();
	size_t i;
	const json_t *accept;
	json_array_foreach(json_object_get(device, "accepts"), i, accept)
	{
		char session[KEY_ROOM];
		snprintf(session, sizeof session, "%.32s/%.16s", text_of(device, "dev_eui"),
			 text_of(accept, "dev_addr"));
		if (!json_object_get(check->joins, session))
			problem(check, "join %s was accepted, but not delivered", session);
		once(check, dev_nonces, device, "DevNonce", int_of(accept, "dev_nonce"));
		once(check, join_nonces, device, "JoinNonce", int_of(accept, "join_nonce"));
	}
	json_decref(dev_nonces);
	json_decref(join_nonces);
}

static void count_readings(struct check *check, const json_t *device)
{
	json_t *counted = json_object();
	size_t i;
	json_t *sent;
	json_array_foreach(json_object_get(device, "sent"), i, sent)
	{
		char key[KEY_ROOM];
		frame_key(key, text_of(device, "dev_eui"), text_of(sent, "dev_addr"), int_of(sent, "fcnt"));
		if (!json_object_get(check->sent, key))
			json_object_set(check->sent, key, sent);
		if (!is_true(sent, "reading") || int_of(sent, "heard_by") < 1 ||
		    json_object_get(counted, key))
			continue;
		json_object_set_new(counted, key, json_true());
		check->sum->readings++;
		if (json_object_get(check->frames, key))
			check->sum->delivered++;
		else if (!check->options->allow_loss)
			problem(check, "frame %s was heard, but not delivered", key);
	}
	json_decref(counted);
}

static void name_address(struct check *check, const json_t *device, const char *dev_addr)
{
	bool two = strncmp(text_of(device, "mac_version"), "1.1", 3) == 0;
	bool taken = json_object_get(check->addresses, dev_addr) != NULL;
	json_object_set_new(check->addresses, dev_addr, json_string(taken ? "shared" : two ? "two" : "fcnt"));
}

static void walk_device(struct check *check, const json_t *device)
{
	bool abp = strcmp(text_of(device, "activation"), "abp") == 0;
	check->sum->devices++;
	check->sum->joined += is_true(device, "joined");
	if (!is_true(device, "joined") && !check->options->allow_loss && !check->options->unfinished)
		problem(check, "device %s did not join", text_of(device, "name"));
	if (abp)
		name_address(check, device, text_of(device, "dev_addr"));
	size_t i;
	const json_t *accept;
	json_array_foreach(json_object_get(device, "accepts"), i, accept)
	{
		name_address(check, device, text_of(accept, "dev_addr"));
	}
	count_readings(check, device);
	walk_outcomes(check, device);
	walk_downlinks(check, device);
	walk_joins(check, device);
}

/* --- events against frames ---------------------------------------------------------------------------------- */

static void compare_event(struct check *check, const char *key, const json_t *event)
{
	const json_t *sent = json_object_get(check->sent, key);
	if (!sent) {
		problem(check, "frame %s was delivered, but never sent", key);
		return;
	}
	uint8_t bytes[256];
	char payload[2 * sizeof bytes + 1];
	const char *data = text_of(event, "data");
	size_t length = 0;
	if (!base64_decode(bytes, sizeof bytes, &length, data, strlen(data))) {
		problem(check, "frame %s: its data is no base64", key);
		return;
	}
	hex_encode(payload, bytes, length);
	/* MAC commands on port 0 are no business of the subscriber's. */
	json_int_t fport = int_of(sent, "fport");
	const char *expected = fport > 0 ? text_of(sent, "payload") : "";
	if (strcmp(payload, expected) != 0)
		problem(check, "frame %s: sent %s, delivered %s", key, expected, payload);
	if (fport > 0 && int_of(event, "fPort") != fport)
		problem(check,
			"frame %s: sent on port %" JSON_INTEGER_FORMAT ", delivered on %" JSON_INTEGER_FORMAT,
			key, fport, int_of(event, "fPort"));
}

/* --- the air ------------------------------------------------------------------------------------------------ */

/* One counter, one content: 16 bits of it are on the air, so a run may hold 65,536 downlinks of a session. */
static void walk_air(struct check *check, const json_t *report)
{
	size_t i;
	const json_t *entry;
	json_array_foreach(json_object_get(report, "air"), i, entry)
	{
		const char *phy = text_of(entry, "phy");
		uint8_t bytes[256];
		size_t length;
		if (!hex_decode(bytes, sizeof bytes, &length, phy, strlen(phy)))
			continue;
		struct rd rd = rd_init(bytes, length);
		unsigned type = rd_u8(&rd) >> 5;
		uint32_t dev_addr = rd_u32le(&rd);
		uint8_t fopts_length = rd_u8(&rd) & 0xf;
		uint16_t fcnt = rd_u16le(&rd);
		(void)rd_take(&rd, fopts_length);
		if ((type != 3 && type != 5) || !rd_ok(&rd))
			continue;
		bool application = rd_left(&rd) > 4 && rd_u8(&rd) > 0;
		char address[16], key[KEY_ROOM];
		snprintf(address, sizeof address, "%08" PRIx32, dev_addr);
		const char *counters = text_of(check->addresses, address);
		if (strcmp(counters, "shared") == 0)
			continue; /* its devices tell what they heard */
		bool afcnt = application && strcmp(counters, "two") == 0;
		snprintf(key, sizeof key, "%s/%s/%u", address, afcnt ? "afcnt" : "fcnt", fcnt);
		const char *before = text_of(check->air, key);
		if (!*before)
			json_object_set_new(check->air, key, json_string(phy));
		else if (strcmp(before, phy) != 0)
			problem(check, "downlink counter %s stands for two contents: %s and %s", key, before,
				phy);
	}
}

bool sim_check(const json_t *report, const json_t *received, const struct sim_check_options *options,
	       FILE *out, struct sim_check_sum *sum)
{
	struct check check = {options,       out,           sum,           json_object(), json_object(),
			      json_object(), json_object(), json_object(), json_object(), json_object()};
	*sum = (struct sim_check_sum){0};
	const json_t *devices = json_object_get(report, "devices");
	if (json_array_size(devices) == 0 || !json_is_array(json_object_get(report, "air")) ||
	    !json_is_array(received))
		problem(&check, "this is no report of a run, or there is no list of events");
	if (int_of(report, "records_dropped") != 0)
		problem(&check, "the report is not whole");
	receive(&check, received);
	size_t i;
	const json_t *device;
	json_array_foreach(devices, i, device)
	{
		walk_device(&check, device);
	}
	const char *key;
	json_t *event;
	json_object_foreach(check.frames, key, event)
	{
		compare_event(&check, key, event);
	}
	walk_air(&check, report);
	if (sum->problems > PROBLEMS_SHOWN)
		fprintf(out, "problem: %u more\n", sum->problems - PROBLEMS_SHOWN);
	json_t *const maps[] = {check.frames, check.joins,     check.ids,      check.sent,
				check.air,    check.addresses, check.last_fcnt};
	for (size_t m = 0; m < ARRAY_SIZE(maps); m++)
		json_decref(maps[m]);
	return sum->problems == 0;
}
