/* Commands to devices as people and programs write them: the first byte chooses the form (REST, MQTT) or, with its second bit, that the
 * rest is a topic. What is read is within its bounds; what is refused has a reason. */
#include "application-server/downlinks/command.h"
#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_topic(const uint8_t *data, size_t size)
{
	struct net_uuid application;
	char dev_eui[LW_EUI64_TEXT];
	const char *name = NULL;
	char *topic = strndup((const char *)data, size);
	ASSERT(topic);
	if (as_command_topic(topic, &application, dev_eui, &name)) {
		ASSERT_CMP(strlen(dev_eui), ==, LW_EUI64_TEXT - 1);
		ASSERT(name > topic && *name);
	}
	free(topic);
}

static void read_body(enum as_command_form form, const uint8_t *data, size_t size)
{
	static struct as_command command;
	struct record_problems problems = {.count = 0};
	json_t *body = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(body)) {
		json_decref(body);
		return;
	}
	bool read = as_command_read(body, form, (struct wall){INT64_C(1800000000) * US_PER_S}, &command,
				    &problems);
	ASSERT_CMP(read, ==, problems.count == 0);
	if (read) {
		ASSERT(command.item.fport >= 1 && command.item.fport <= AS_ITEM_PORT_MAX);
		ASSERT_CMP(command.item.priority, <=, AS_PRIORITY_MAX);
		ASSERT_CMP(command.length, <=, AS_COMMAND_DATA_MAX);
		ASSERT(command.item.encrypted || command.item.fcnt_given == 0);
	}
	json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 2)
		read_topic(data + 1, size - 1);
	else
		read_body(data[0] & 1 ? AS_COMMAND_MQTT : AS_COMMAND_REST, data + 1, size - 1);
	return 0;
}
