#include "application-server/downlinks/command.h"

#include "application-server/time_text.h"
#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	enum as_command_form form;
	struct wall now;
	struct as_command *command;
	struct record_problems *problems;
};

/* --- values ------------------------------------------------------------------------------------------------- */

/* Reads a whole number in a range; false with a problem. Numbers in text are MQTT's alone. */
static bool take_integer(const struct reading *reading, const char *name, const json_t *value, double min,
			 double max, double *out)
{
	double number = json_number_value(value);
	bool is_number = json_is_number(value);
	if (reading->form == AS_COMMAND_MQTT && json_is_string(value)) {
		char *end = NULL;
		const char *text = json_string_value(value);
		number = strtod(text, &end); /* which would read hexadecimal too, and NaN */
		is_number = end != text && *end == '\0' && strspn(text, "+-.0123456789eE") == strlen(text);
	}
	if (is_number && number >= min && number <= max && number == floor(number)) {
		*out = number;
		return true;
	}
	record_problems_add(reading->problems, name, "must be a whole number from %.0f to %.0f", min, max);
	return false;
}

static bool take_boolean(const struct reading *reading, const char *name, const json_t *value)
{
	if (!json_is_boolean(value))
		record_problems_add(reading->problems, name, "must be true or false");
	return json_is_true(value);
}

/* --- members: one function a row of the table below ------------------------------------------------------------ */

static void read_port(const struct reading *reading, const char *name, const json_t *value)
{
	double number;
	if (take_integer(reading, name, value, 1, AS_ITEM_PORT_MAX, &number))
		reading->command->item.fport = (uint8_t)number;
}

static void read_data(const struct reading *reading, const char *name, const json_t *value)
{
	struct as_command *command = reading->command;
	if (!json_is_string(value) ||
	    !base64_decode(command->payload, sizeof command->payload, &command->length,
			   json_string_value(value), json_string_length(value)))
		record_problems_add(reading->problems, name, "must be base64 of at most %d bytes",
				    NET_PAYLOAD_MAX);
}

static void read_hex(const struct reading *reading, const char *name, const json_t *value)
{
	struct as_command *command = reading->command;
	if (!json_is_string(value) || !hex_decode(command->payload, sizeof command->payload, &command->length,
						  json_string_value(value), json_string_length(value)))
		record_problems_add(reading->problems, name, "must be an even number of hex digits");
}

static void read_object(const struct reading *reading, const char *name, const json_t *value)
{
	if (!json_is_object(value))
		record_problems_add(reading->problems, name, "must be an object");
	reading->command->has_object = true;
	reading->command->object = value;
}

static void read_confirmed(const struct reading *reading, const char *name, const json_t *value)
{
	reading->command->item.confirmed = take_boolean(reading, name, value);
}

/* ChirpStack's commands know no priority: what people put there all the same is not refused. */
static void read_priority(const struct reading *reading, const char *name, const json_t *value)
{
	double number;
	if (reading->form == AS_COMMAND_MQTT && !json_is_integer(value))
		return;
	if (take_integer(reading, name, value, 0, AS_PRIORITY_MAX, &number))
		reading->command->item.priority = (uint8_t)number;
}

static void read_expires(const struct reading *reading, const char *name, const json_t *value)
{
	if (!json_is_string(value) ||
	    !as_time_parse(json_string_value(value), &reading->command->item.expires))
		record_problems_add(reading->problems, name,
				    "must be a time with its offset, as 2026-03-04T16:00:00Z");
}

static void read_ttl(const struct reading *reading, const char *name, const json_t *value)
{
	double seconds;
	if (take_integer(reading, name, value, 1, AS_TTL_MAX_S, &seconds))
		reading->command->item.expires.us = reading->now.us + (int64_t)seconds * US_PER_S;
}

static void read_id(const struct reading *reading, const char *name, const json_t *value)
{
	struct as_command *command = reading->command;
	const char *text = json_string_value(value);
	if (text && !*text && reading->form == AS_COMMAND_MQTT)
		return; /* as if it were not there */
	command->has_id = text && as_uuid_parse(text, &command->item.item);
	if (!command->has_id)
		record_problems_add(reading->problems, name, "must be a UUID");
}

static void read_encrypted(const struct reading *reading, const char *name, const json_t *value)
{
	reading->command->item.encrypted = take_boolean(reading, name, value);
}

static void read_counter(const struct reading *reading, const char *name, const json_t *value)
{
	double number;
	if (take_integer(reading, name, value, 0, UINT32_MAX, &number))
		reading->command->item.fcnt_given = (uint32_t)number;
}

enum { PORT, DATA, HEX, OBJECT, CONFIRMED, PRIORITY, EXPIRES, TTL, ID, ENCRYPTED, COUNTER, MEMBERS };

static const struct {
	const char *name, *other; /* two spellings; NULL: only one */
	void (*read)(const struct reading *reading, const char *name, const json_t *value);
	bool rest_only;
} members[MEMBERS] = {
	[PORT] = {"f_port", "fPort", read_port, false},
	[DATA] = {"data", NULL, read_data, false},
	[HEX] = {"hex", NULL, read_hex, true},
	[OBJECT] = {"object", NULL, read_object, false},
	[CONFIRMED] = {"confirmed", NULL, read_confirmed, false},
	[PRIORITY] = {"priority", NULL, read_priority, false},
	[EXPIRES] = {"expires_at", "expiresAt", read_expires, false},
	[TTL] = {"ttl_s", NULL, read_ttl, true},
	[ID] = {"id", NULL, read_id, false},
	[ENCRYPTED] = {"encrypted", "isEncrypted", read_encrypted, false},
	[COUNTER] = {"f_cnt_down", "fCntDown", read_counter, false},
};

/* The row of a name in this form, or MEMBERS. */
static int row_of(enum as_command_form form, const char *name)
{
	for (int i = 0; i < MEMBERS; i++) {
		if (members[i].rest_only && form != AS_COMMAND_REST)
			continue;
		if (strcmp(members[i].name, name) == 0 ||
		    (members[i].other && strcmp(members[i].other, name) == 0))
			return i;
	}
	return MEMBERS;
}

/* What holds between members. */
static void check_together(const struct reading *reading, const bool given[MEMBERS])
{
	struct record_problems *problems = reading->problems;
	const struct as_command *command = reading->command;
	int contents = given[DATA] + given[HEX] + given[OBJECT];
	if (!given[PORT])
		record_problems_add(problems, "f_port", "is needed: 1 to %d", AS_ITEM_PORT_MAX);
	if (reading->form == AS_COMMAND_REST && contents != 1)
		record_problems_add(problems, "data", "one of data (base64), hex and object is needed");
	if (given[EXPIRES] && given[TTL])
		record_problems_add(problems, "ttl_s", "expires_at says it already");
	if (command->item.encrypted && !given[COUNTER])
		record_problems_add(problems, "f_cnt_down", "is needed: the counter it was encrypted under");
	if (reading->form == AS_COMMAND_REST && given[COUNTER] && !command->item.encrypted)
		record_problems_add(problems, "f_cnt_down", "is for encrypted payloads alone");
	if (command->item.encrypted && given[OBJECT])
		record_problems_add(problems, "object", "cannot be encrypted already");
}

bool as_command_read(const json_t *body, enum as_command_form form, struct wall now,
		     struct as_command *command, struct record_problems *problems)
{
	const struct reading reading = {form, now, command, problems};
	bool given[MEMBERS] = {false};
	const char *name;
	json_t *value;
	*command = (struct as_command){.item = {.status = NET_ITEM_QUEUED}};
	json_object_foreach((json_t *)body, name, value)
	{
		int row = row_of(form, name);
		if (row == MEMBERS) {
			if (form == AS_COMMAND_REST)
				record_problems_add(problems, name, "is not a field of a downlink");
		} else if (given[row]) {
			record_problems_add(problems, name, "is given twice");
		} else if (!json_is_null(value)) {
			given[row] = true;
			members[row].read(&reading, name, value);
		}
	}
	check_together(&reading, given);
	if (!command->item.encrypted)
		command->item.fcnt_given = 0;
	return problems->count == 0;
}

/* --- topics ------------------------------------------------------------------------------------------------- */

bool as_command_topic(const char *topic, struct net_uuid *application, char dev_eui[LW_EUI64_TEXT],
		      const char **name)
{
	static const char first[] = "application/", second[] = "/device/", third[] = "/command/";
	char uuid[AS_UUID_TEXT] = "";
	size_t length = strlen(topic);
	size_t head = sizeof first - 1, middle = head + AS_UUID_TEXT - 1 + sizeof second - 1;
	size_t end = middle + LW_EUI64_TEXT - 1 + sizeof third - 1;
	if (length <= end || strncmp(topic, first, head) != 0 ||
	    strncmp(topic + middle - (sizeof second - 1), second, sizeof second - 1) != 0 ||
	    strncmp(topic + end - (sizeof third - 1), third, sizeof third - 1) != 0)
		return false;
	memcpy(uuid, topic + head, AS_UUID_TEXT - 1);
	memcpy(dev_eui, topic + middle, LW_EUI64_TEXT - 1);
	dev_eui[LW_EUI64_TEXT - 1] = '\0';
	*name = topic + end;
	return as_uuid_parse(uuid, application);
}
