/* The putting together; subjects, and whom to ask, are in why_subject.c. Decisions come newest first from each process and are
 * sorted anew by time; those of one millisecond keep the order of the processes along a frame's way, last station first. */
#include "common/text/why.h"

#include "common/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const process_names[WHY_PROCESS_COUNT] = {"gateway-bridge", "network-server",
							     "join-server", "application-server"};

const char *why_process_name(enum why_process process)
{
	ASSERT_CMP((unsigned)process, <, WHY_PROCESS_COUNT);
	return process_names[process];
}

static const char *const kind_names[WHY_KIND_COUNT] = {
	[WHY_DEVICE] = "device",     [WHY_GATEWAY] = "gateway", [WHY_JOIN] = "join",
	[WHY_DOWNLINK] = "downlink", [WHY_FRAME] = "frame",     [WHY_COUNTED] = "frame",
	[WHY_EVENT] = "frame",       [WHY_SERVER] = "server",   [WHY_RULES] = "rules"};

/* --- times ---------------------------------------------------------------------------------------------------- */

bool why_time_parse(const char *text, struct wall *time)
{
	struct tm tm = {.tm_mday = 0};
	int used = 0, ms = 0;
	if (!text ||
	    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		   &tm.tm_min, &tm.tm_sec, &used) != 6 ||
	    used != 19)
		return false;
	if (text[used] == '.')
		(void)sscanf(text + used + 1, "%3d", &ms);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time->us = (int64_t)timegm(&tm) * US_PER_S + ms * US_PER_MS;
	return true;
}

const char *why_time_format(char text[WHY_TIME_TEXT], struct wall time)
{
	struct tm tm;
	char date[24];
	time_t seconds = (time_t)(time.us / US_PER_S);
	if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		date[0] = '\0';
	snprintf(text, WHY_TIME_TEXT, "%s.%03dZ", date, (int)(time.us / US_PER_MS % 1000));
	return text;
}

const char *why_span_text(char text[WHY_SPAN_TEXT], span_us span)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	int64_t seconds = span / US_PER_S;
	/* From twice a unit on it is exact enough for people. */
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds >= 2 * units[i].seconds || i + 1 == ARRAY_SIZE(units)) {
			snprintf(text, WHY_SPAN_TEXT, "%" PRId64 " %s",
				 seconds < 0 ? 0 : seconds / units[i].seconds, units[i].unit);
			break;
		}
	}
	return text;
}

/* --- putting together ------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* Join requests carry a DevNonce, rejoins an RJcount; what is decided of joins without one is named so. */
static bool is_about_a_join(const json_t *decision)
{
	const json_t *numbers = json_object_get(decision, "numbers");
	return json_object_get(numbers, "dev_nonce") || json_object_get(numbers, "rj_count") ||
	       strncmp(text_of(decision, "verdict"), "join", 4) == 0 ||
	       strcmp(text_of(decision, "process"), "join-server") == 0;
}

static bool is_counted(const json_t *decision, uint32_t fcnt)
{
	const json_t *number = json_object_get(json_object_get(decision, "numbers"), "fcnt");
	if (!json_is_integer(number))
		return false;
	uint64_t has = (uint64_t)json_integer_value(number);
	/* On the air are its low 16 bits alone. */
	return has == fcnt || ((has <= UINT16_MAX || fcnt <= UINT16_MAX) && ((has ^ fcnt) & UINT16_MAX) == 0);
}

/* A record has the first eight digits of an item's id; whoever knows the item gives it whole. */
static bool is_of_item(const json_t *decision, const char *uuid)
{
	const char *item = text_of(decision, "item");
	return strlen(item) == 8 ? strncmp(item, uuid, 8) == 0 : strcmp(item, uuid) == 0;
}

static bool is_wanted(const struct why_question *question, const json_t *decision)
{
	const struct why_subject *subject = &question->subject;
	struct wall time;
	if (!json_is_object(decision) || !why_time_parse(text_of(decision, "time"), &time) ||
	    time.us < question->since.us)
		return false;
	if (question->shows && !question->shows(question->ctx, decision))
		return false;
	if (subject->kind == WHY_JOIN)
		return is_about_a_join(decision);
	if (subject->kind == WHY_COUNTED)
		return is_counted(decision, subject->fcnt);
	if (subject->kind == WHY_DOWNLINK)
		return is_of_item(decision, subject->text);
	return true;
}

struct row {
	const json_t *decision;
	const char *time; /* of one form and length, so that texts compare as times */
	size_t order;
};

static int compare(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	int newer = strncmp(right->time, left->time, sizeof "2026-01-01T00:00:00.000" - 1);
	return newer ? newer : left->order < right->order ? -1 : left->order > right->order;
}

struct rows {
	struct row *items; /* owned */
	size_t count, room;
};

static void collect(struct rows *rows, const struct why_question *question, const json_t *decisions)
{
	size_t index;
	const json_t *decision;
	json_array_foreach((json_t *)decisions, index, decision)
	{
		if (!is_wanted(question, decision))
			continue;
		if (rows->count == rows->room) {
			rows->room = rows->room ? 2 * rows->room : 64;
			rows->items = realloc(rows->items, rows->room * sizeof *rows->items);
			ASSERT(rows->items);
		}
		rows->items[rows->count] = (struct row){decision, text_of(decision, "time"), rows->count};
		rows->count++;
	}
}

/* Gives the decisions that are shown, newest first; `*more`: how many are not. */
static json_t *put_together(const struct why_question *question,
			    const struct why_part parts[WHY_PROCESS_COUNT], size_t *more)
{
	struct rows rows = {.items = NULL};
	size_t limit = question->limit ? question->limit : WHY_LIMIT;
	collect(&rows, question, question->decisions);
	for (int i = WHY_PROCESS_COUNT - 1; i >= 0; i--)
		collect(&rows, question, json_object_get(parts[i].answer, "decisions"));
	if (rows.count > 0)
		qsort(rows.items, rows.count, sizeof *rows.items, compare);
	json_t *shown = json_array();
	for (size_t i = 0; i < rows.count && i < limit; i++)
		json_array_append(shown, (json_t *)rows.items[i].decision);
	*more = rows.count > limit ? rows.count - limit : 0;
	free(rows.items);
	return shown;
}

static void add_processes(json_t *answer, const struct why_part parts[WHY_PROCESS_COUNT])
{
	json_t *asked = json_array(), *unreachable = json_array();
	for (int i = 0; i < WHY_PROCESS_COUNT; i++) {
		if (parts[i].asked)
			json_array_append_new(asked, json_string(process_names[i]));
		if (parts[i].asked && !parts[i].reached)
			json_array_append_new(unreachable, json_string(process_names[i]));
	}
	json_object_set_new(answer, "asked", asked);
	json_object_set_new(answer, "unreachable", unreachable);
}

static json_t *answer_rules(const struct why_part parts[WHY_PROCESS_COUNT])
{
	json_t *answer = json_object(), *all = json_array();
	size_t index;
	json_t *rule;
	for (int i = 0; i < WHY_PROCESS_COUNT; i++) {
		json_array_foreach(json_object_get(parts[i].answer, "rules"), index, rule)
		{
			json_t *row = json_deep_copy(rule);
			json_object_set_new(row, "process", json_string(process_names[i]));
			json_array_append_new(all, row);
		}
	}
	json_object_set_new(answer, "rules", all);
	add_processes(answer, parts);
	return answer;
}

json_t *why_answer(const struct why_question *question, const struct why_part parts[WHY_PROCESS_COUNT])
{
	const struct why_subject *subject = &question->subject;
	size_t more;
	if (subject->kind == WHY_RULES)
		return answer_rules(parts);
	json_t *decisions = put_together(question, parts, &more);
	json_t *answer = json_pack("{s{ss ss}}", "subject", "kind", kind_names[subject->kind], "id",
				   subject->text);
	ASSERT(answer && decisions);
	if (subject->kind == WHY_COUNTED)
		json_object_set_new(json_object_get(answer, "subject"), "fcnt", json_integer(subject->fcnt));
	add_processes(answer, parts);
	why_summarise(question, decisions, json_object_get(answer, "unreachable"), answer);
	if (question->facts)
		json_object_set(answer, "facts", (json_t *)question->facts);
	json_object_set_new(answer, "decisions", decisions);
	json_object_set_new(answer, "more", json_integer((json_int_t)more));
	return answer;
}
