/* Subjects, whom to ask, and the putting together. Decisions come newest first from each process and are sorted anew by time;
 * those of one millisecond keep the order of the processes along a frame's way, last station first. */
#include "common/text/why.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UUID_LENGTH 36
#define MIC_DIGITS  8
#define PHY_MAX     255
#define NOBODY      "0000000000000000" /* bridge and join server keep there what names nobody */

static const char *const process_names[WHY_PROCESS_COUNT] = {"gateway-bridge", "network-server",
							     "join-server", "application-server"};

const char *why_process_name(enum why_process process)
{
	ASSERT_CMP((unsigned)process, <, WHY_PROCESS_COUNT);
	return process_names[process];
}

/* --- subjects ------------------------------------------------------------------------------------------------ */

static const char *const kind_names[WHY_KIND_COUNT] = {
	[WHY_DEVICE] = "device",     [WHY_GATEWAY] = "gateway", [WHY_JOIN] = "join",
	[WHY_DOWNLINK] = "downlink", [WHY_FRAME] = "frame",     [WHY_COUNTED] = "frame",
	[WHY_EVENT] = "frame",       [WHY_SERVER] = "server",   [WHY_RULES] = "rules"};

/* Copies `digits` hex digits in lower case, blanks, colons and dashes between bytes left out; false: not so many, or others. */
static bool take_hex(char *out, size_t digits, const char *text)
{
	size_t used = 0;
	for (; *text; text++) {
		if (used > 0 && used % 2 == 0 && used < digits &&
		    (*text == ':' || *text == '-' || *text == ' '))
			continue;
		int value = hex_digit(*text);
		if (value < 0 || used == digits)
			return false;
		out[used++] = "0123456789abcdef"[value];
	}
	out[used] = '\0';
	return used == digits;
}

static bool take_uuid(char out[WHY_TEXT_MAX], const char *text)
{
	if (strlen(text) != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		int value = hex_digit(text[i]);
		if (dash ? text[i] != '-' : value < 0)
			return false;
		out[i] = dash ? '-' : "0123456789abcdef"[value];
	}
	out[UUID_LENGTH] = '\0';
	return true;
}

/* "01020304:17" */
static bool take_counted(struct why_subject *subject, const char *text)
{
	const char *colon = strchr(text, ':');
	char address[MIC_DIGITS + 1], *end;
	if (!colon || colon - text != MIC_DIGITS || colon[1] < '0' || colon[1] > '9' ||
	    strlen(colon + 1) > 10)
		return false;
	memcpy(address, text, MIC_DIGITS);
	address[MIC_DIGITS] = '\0';
	unsigned long long fcnt = strtoull(colon + 1, &end, 10);
	if (*end || fcnt > UINT32_MAX || !take_hex(subject->text, MIC_DIGITS, address))
		return false;
	subject->fcnt = (uint32_t)fcnt;
	return true;
}

/* Whose frame it is, as far as its bytes say: of data the DevAddr, of join- and rejoin-requests the DevEUI. */
static void take_whose(struct why_subject *subject, const uint8_t *phy, size_t length)
{
	struct lw_frame frame;
	struct lw_join_request request;
	if (lw_frame_parse(&frame, phy, length, LW_UP) == LW_OK ||
	    lw_frame_parse(&frame, phy, length, LW_DOWN) == LW_OK)
		lw_dev_addr_format(subject->device, frame.dev_addr);
	else if (lw_join_request_parse(&request, phy, length) == LW_OK)
		lw_eui64_format(subject->device, &request.dev_eui);
}

/* "2b11ff0d@49be7df1", "2b11ff0d@70b3d57ed0000001" */
static bool take_mic_of(struct why_subject *subject, const char *text)
{
	char mic[MIC_DIGITS + 1];
	if (strlen(text) <= MIC_DIGITS || text[MIC_DIGITS] != '@')
		return false;
	memcpy(mic, text, MIC_DIGITS);
	mic[MIC_DIGITS] = '\0';
	const char *whose = text + MIC_DIGITS + 1;
	return take_hex(subject->text, MIC_DIGITS, mic) &&
	       (take_hex(subject->device, LW_DEV_ADDR_TEXT - 1, whose) ||
		take_hex(subject->device, LW_EUI64_TEXT - 1, whose));
}

/* A whole PHYPayload: its MIC is what it is known by. */
static bool take_phy(struct why_subject *subject, const char *text)
{
	uint8_t bytes[PHY_MAX];
	size_t length;
	if (!hex_decode(bytes, sizeof bytes, &length, text, strlen(text)) || length < 5)
		return false;
	hex_encode(subject->text, bytes + length - 4, 4);
	take_whose(subject, bytes, length);
	return true;
}

static bool take_frame(struct why_subject *subject, const char *text)
{
	subject->kind = WHY_COUNTED;
	if (take_counted(subject, text))
		return true;
	subject->kind = WHY_EVENT;
	if (take_uuid(subject->text, text))
		return true;
	subject->kind = WHY_FRAME;
	if (take_mic_of(subject, text) || take_hex(subject->text, MIC_DIGITS, text))
		return true;
	subject->device[0] = '\0';
	return take_phy(subject, text);
}

void why_subject_format(const struct why_subject *subject, char text[WHY_TEXT_MAX])
{
	if (subject->kind == WHY_COUNTED)
		snprintf(text, WHY_TEXT_MAX, "%.8s:%" PRIu32, subject->text, subject->fcnt);
	else if (subject->kind == WHY_FRAME && *subject->device)
		snprintf(text, WHY_TEXT_MAX, "%.8s@%.16s", subject->text, subject->device);
	else
		snprintf(text, WHY_TEXT_MAX, "%s", subject->text);
}

bool why_subject_parse(struct why_subject *subject, enum why_kind kind, const char *text,
		       const char **expected)
{
	*subject = (struct why_subject){.kind = kind};
	switch (kind) {
	case WHY_DEVICE:
	case WHY_JOIN:
	case WHY_GATEWAY: *expected = "16 hex digits"; return take_hex(subject->text, 16, text);
	case WHY_DOWNLINK: *expected = "the UUID of a downlink"; return take_uuid(subject->text, text);
	case WHY_SERVER:
	case WHY_RULES: return true;
	case WHY_FRAME:
	case WHY_COUNTED:
	case WHY_EVENT:
	case WHY_KIND_COUNT: break;
	}
	*expected = "a MIC of 8 hex digits, MIC@DEVADDR, a whole PHYPayload in hex, DEVADDR:FCNT, or the id "
		    "of an event";
	return take_frame(subject, text);
}

bool why_target(const struct why_subject *subject, enum why_process process, unsigned limit,
		char target[WHY_TARGET_MAX])
{
	/* What each process is asked for, with the subject's text or its device behind it; NULL: it knows nothing of it. */
	static const struct {
		const char *paths
			[WHY_PROCESS_COUNT]; /* bridge, network server, join server, application server */
		bool by_device;
	} rows[WHY_KIND_COUNT] = {
		[WHY_DEVICE] = {{NULL, "/why/device/", "/why/device/", "/why/device/"}, false},
		[WHY_JOIN] = {{NULL, "/why/device/", "/why/device/", "/why/device/"}, false},
		[WHY_GATEWAY] = {{"/why/gateway/", "/why/gateway/", NULL, NULL}, false},
		[WHY_DOWNLINK] = {{NULL, "/why/device/", NULL, "/why/device/"}, true},
		[WHY_FRAME] = {{"/why/frame/", "/why/frame/", "/why/frame/", NULL}, false},
		[WHY_COUNTED] = {{NULL, "/why/dev-addr/", NULL, NULL}, false},
		[WHY_EVENT] = {{NULL, NULL, NULL, NULL}, false},
		[WHY_SERVER] = {{"/why/gateway/" NOBODY, "/why/server", "/why/device/" NOBODY, NULL}, false},
		[WHY_RULES] = {{"/why/rules", "/why/rules", "/why/rules", "/why/rules"}, false},
	};
	const char *path = rows[subject->kind].paths[process];
	const char *text = rows[subject->kind].by_device ? subject->device : subject->text;
	if (!path || (rows[subject->kind].by_device && !*text))
		return false;
	/* What is filtered here must be whole before it is. */
	bool filtered = subject->kind == WHY_JOIN || subject->kind == WHY_DOWNLINK ||
			subject->kind == WHY_COUNTED;
	bool whose = subject->kind == WHY_FRAME && process == WHY_NETWORK_SERVER && *subject->device;
	snprintf(target, WHY_TARGET_MAX, "%s%s?limit=%u%s%s", path, text, filtered ? WHY_LIMIT_MAX : limit,
		 whose ? "&of=" : "", whose ? subject->device : "");
	return true;
}

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

/* Join requests carry a DevNonce; what is decided of joins without one is named so. */
static bool is_about_a_join(const json_t *decision)
{
	return json_object_get(json_object_get(decision, "numbers"), "dev_nonce") ||
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
