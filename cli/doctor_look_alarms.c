/* How alarms leave: the application server says of each channel what was sent, and what failed last. */
#include "cli/doctor_look.h"

#include "common/base/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void read_channel(struct doctor_facts *facts, const json_t *told)
{
	const char *name = json_string_value(json_object_get(told, "name"));
	const char *problem = json_string_value(json_object_get(told, "problem"));
	if (!name || facts->channel_count == DOCTOR_CHANNELS_MAX)
		return;
	struct doctor_channel *channel = &facts->channels[facts->channel_count++];
	snprintf(channel->name, sizeof channel->name, "%s", name);
	snprintf(channel->problem, sizeof channel->problem, "%s", problem ? problem : "");
	channel->sent = json_integer_value(json_object_get(told, "sent"));
	channel->failed = json_integer_value(json_object_get(told, "failed"));
	const char *state = json_string_value(json_object_get(told, "state"));
	channel->failing = state && state[0] == 'f';
	channel->failing_s = json_integer_value(json_object_get(told, "failing_s"));
}

void doctor_look_alarms(struct doctor_facts *facts)
{
	char path[2 * OPTION_PATH_MAX], *body = malloc(DOCTOR_ANSWER_MAX);
	int code;
	size_t i;
	const json_t *told;
	ASSERT(body);
	snprintf(path, sizeof path, "%s/city.sock", facts->place.run);
	bool answered = doctor_get(path, "/api/v1/alarms/channels", body, DOCTOR_ANSWER_MAX, &code) ==
				DOCTOR_ASK_ANSWERED &&
			code == 200;
	json_t *list = answered ? json_loads(body, 0, NULL) : NULL;
	facts->channels_known = list != NULL;
	json_array_foreach(json_object_get(list, "items"), i, told)
	{
		read_channel(facts, told);
	}
	json_decref(list);
	free(body);
}
