#include "common/text/frame_verdict.h"

#include "common/base/check.h"

#include <stdbool.h>
#include <string.h>

static bool is(const char *name, const char *at, size_t length)
{
	return strlen(name) == length && memcmp(name, at, length) == 0;
}

static bool is_known(const json_t *rules, const char *at, size_t length)
{
	static const char *const own[] = {"problems", "sent", "tx_ok", "tx_no_answer", "join_waiting"};
	bool asked = false;
	const json_t *rule;
	size_t i;
	for (i = 0; i < ARRAY_SIZE(own); i++)
		if (is(own[i], at, length))
			return true;
	json_array_foreach(rules, i, rule)
	{
		const char *verdict = json_string_value(json_object_get(rule, "verdict"));
		const char *process = json_string_value(json_object_get(rule, "process"));
		const char *table = json_string_value(json_object_get(rule, "table"));
		if (!verdict || !process || !table || strcmp(process, "network-server") != 0 ||
		    strcmp(table, "drop") != 0)
			continue;
		asked = true;
		if (is(verdict, at, length))
			return true;
	}
	return !asked;
}

const char *frame_verdict_unknown(const json_t *rules, const char *names, size_t *length)
{
	for (const char *at = names; *at; at += strspn(at, ",")) {
		size_t this = strcspn(at, ",");
		if (!is_known(rules, at, this)) {
			*length = this;
			return at;
		}
		at += this;
	}
	return NULL;
}
