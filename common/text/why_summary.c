/* The summary: what a person at a silent sensor or gateway wants to be told first. Composed of rules in this order: who it is and
 * how its record stands, when it was heard, what was decided last, what went wrong before that, and which process is missing from
 * the answer. The next step is that of the first of them that has one. */
#include "common/text/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SUMMARY_MAX 2048
#define EPISODE     (10 * US_PER_S) /* decisions this near belong to one happening */
#define BEFORE_MAX \
	(INT64_C(86400) * US_PER_S) /* a problem from before the last decision is told if it is no older */

struct summary {
	const struct why_question *question;
	const json_t *facts; /* borrowed; NULL: none */
	const char *next;    /* "" so far */
	char step[256];      /* where `next` was composed here */
	char text[SUMMARY_MAX];
	size_t used;
};

static void say(struct summary *summary, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct summary *summary, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int written = vsnprintf(summary->text + summary->used, sizeof summary->text - summary->used, format,
				arguments);
	va_end(arguments);
	if (written > 0)
		summary->used += (size_t)written;
	if (summary->used >= sizeof summary->text)
		summary->used = sizeof summary->text - 1;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

static void next_is(struct summary *summary, const char *next)
{
	if (!*summary->next && *next)
		summary->next = next;
}

static const char *ago(struct summary *summary, char text[WHY_SPAN_TEXT], const char *time)
{
	struct wall then = summary->question->now;
	(void)why_time_parse(time, &then);
	return why_span_text(text, summary->question->now.us - then.us);
}

/* "network-server" as it stands in a sentence. */
static const char *process_words(const char *process)
{
	static const char *const words[][2] = {{"gateway-bridge", "the gateway bridge"},
					       {"network-server", "the network server"},
					       {"join-server", "the join server"},
					       {"application-server", "the application server"}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], process) == 0)
			return words[i][1];
	return process;
}

/* --- who it is, and how its record stands -------------------------------------------------------------------------- */

static void say_who(struct summary *summary)
{
	const struct why_subject *subject = &summary->question->subject;
	const char *name = text_of(summary->facts, "name");
	switch (subject->kind) {
	case WHY_DEVICE: say(summary, "Device %s", subject->text); break;
	case WHY_JOIN: say(summary, "Joins of device %s", subject->text); break;
	case WHY_GATEWAY: say(summary, "Gateway %s", subject->text); break;
	case WHY_DOWNLINK: say(summary, "Downlink %s", subject->text); break;
	case WHY_FRAME: say(summary, "Frame with MIC %s", subject->text); break;
	case WHY_COUNTED: say(summary, "Frame %u of address %s", subject->fcnt, subject->text); break;
	case WHY_EVENT: say(summary, "Event %s", subject->text); break;
	case WHY_SERVER: say(summary, "The servers themselves"); break;
	case WHY_RULES:
	case WHY_KIND_COUNT: break;
	}
	if (*name)
		say(summary, " (%.80s)", name);
}

static void say_record(struct summary *summary)
{
	const struct why_subject *subject = &summary->question->subject;
	bool device = subject->kind == WHY_DEVICE || subject->kind == WHY_JOIN;
	const json_t *behind = json_object_get(summary->facts, "behind"), *process;
	size_t index;
	say(summary, ":");
	if (json_is_false(json_object_get(summary->facts, "registered"))) {
		say(summary, " it is not registered.");
		snprintf(summary->step, sizeof summary->step,
			 device ? "Compare the EUI with the label, digit by digit, and register it: lamppost "
				  "device add."
				: "Compare the EUI with the gateway's, digit by digit, and register it: "
				  "lamppost "
				  "gateway add.");
		next_is(summary, summary->step);
	}
	if (json_is_false(json_object_get(summary->facts, "enabled"))) {
		say(summary, " it is disabled: its frames are refused until it is enabled.");
		snprintf(summary->step, sizeof summary->step,
			 "Have its review approved, or enable it: lamppost device update %s --enabled true.",
			 subject->text);
		next_is(summary, summary->step);
	}
	const char *other = json_string_value(json_object_get(summary->facts, "replaced_by"));
	if (other) {
		say(summary, " %s stands in its place: its frames are refused.", other);
		snprintf(summary->step, sizeof summary->step,
			 "Take it down. If it is to go on: lamppost device replace %s --undo.",
			 subject->text);
		next_is(summary, summary->step);
	}
	const char *home = json_string_value(json_object_get(summary->facts, "home_net_id"));
	if (home)
		say(summary, " Its home is the network of NetID %s: no other has it join.", home);
	json_array_foreach((json_t *)behind, index, process)
	{
		say(summary, " Its record has not reached %s yet.",
		    process_words(json_string_value(process) ? json_string_value(process) : "a process"));
		next_is(summary, "Wait some seconds; if it stays so, see lamppost status: the process may be "
				 "away.");
	}
	if (*text_of(summary->facts, "status"))
		say(summary, " it is %s%s%s.", text_of(summary->facts, "status"),
		    *text_of(summary->facts, "cause") ? ", cause " : "", text_of(summary->facts, "cause"));
}

static void say_heard(struct summary *summary)
{
	const json_t *heard = json_object_get(summary->facts, "last_heard");
	char span[WHY_SPAN_TEXT];
	if (json_is_string(heard))
		say(summary, " Last uplink: %s ago.", ago(summary, span, json_string_value(heard)));
	else if (json_is_null(heard))
		say(summary, " No uplink of it was ever accepted.");
	json_int_t waiting = json_integer_value(json_object_get(summary->facts, "waiting"));
	if (waiting > 0)
		say(summary, " Downlinks that wait: %d.", (int)waiting);
}

/* Its readings do not reach the agency when the broker is away. */
static void say_delivery(struct summary *summary)
{
	const json_t *delivery = json_object_get(summary->facts, "delivery");
	const char *state = text_of(delivery, "state");
	json_int_t backlog = json_integer_value(json_object_get(delivery, "backlog"));
	if (!*state || strcmp(state, "up") == 0 || strcmp(state, "off") == 0)
		return;
	say(summary, " The MQTT broker is not reached (%s): %lld events wait for it.", state,
	    (long long)backlog);
	next_is(summary, "See that the broker runs, and its address under application-server.mqtt.");
}

/* --- what was decided -------------------------------------------------------------------------------------------- */

/* Each rule has a kind (common/base/decision_text.h). What a gateway heard of a device is not the gateway's problem. */
static bool is_a_problem(const struct summary *summary, const json_t *decision)
{
	const json_t *numbers = json_object_get(decision, "numbers");
	bool of_a_device = json_object_get(decision, "dev_addr") || json_object_get(numbers, "dev_nonce") ||
			   json_object_get(numbers, "rj_count");
	return strcmp(text_of(decision, "kind"), "problem") == 0 &&
	       !(summary->question->subject.kind == WHY_GATEWAY && of_a_device);
}

static void say_decision(struct summary *summary, const char *what, const json_t *decision)
{
	char span[WHY_SPAN_TEXT];
	say(summary, " %s, %s ago, %s: %s", what, ago(summary, span, text_of(decision, "time")),
	    process_words(text_of(decision, "process")), text_of(decision, "sentence"));
	if (is_a_problem(summary, decision))
		next_is(summary, text_of(decision, "next"));
}

/* How much older than the newest decision; a time that cannot be read is no age. */
static span_us age_of(const json_t *decisions, const json_t *decision)
{
	struct wall last = {0}, time = {0};
	(void)why_time_parse(text_of(json_array_get(decisions, 0), "time"), &last);
	(void)why_time_parse(text_of(decision, "time"), &time);
	return last.us - time.us;
}

/* The newest problem that is no older than BEFORE_MAX against the newest of all, or NULL. */
static const json_t *last_problem(const struct summary *summary, const json_t *decisions)
{
	const json_t *decision;
	size_t index;
	json_array_foreach((json_t *)decisions, index, decision)
	{
		if (is_a_problem(summary, decision))
			return age_of(decisions, decision) <= BEFORE_MAX ? decision : NULL;
	}
	return NULL;
}

/* A problem leads if it belongs to what happened last: what follows a frame at once (an answer that is planned, say) does not hide
 * that its payload could not be read. */
static void say_decisions(struct summary *summary, const json_t *decisions)
{
	const json_t *newest = json_array_get(decisions, 0), *problem = last_problem(summary, decisions);
	if (problem && age_of(decisions, problem) <= EPISODE) {
		say_decision(summary, "Last decision", problem);
		return;
	}
	say_decision(summary, "Last decision", newest);
	if (problem)
		say_decision(summary, "Last problem", problem);
}

/* What it may mean that nothing is kept about it, and where to look. */
static void say_nothing(struct summary *summary)
{
	static const struct {
		const char *sentence, *next;
	} rows[WHY_KIND_COUNT] = {
		[WHY_DEVICE] =
			{"No decision about it is kept: since the servers started nothing that carries its "
			 "identity was heard, nor sent to it.",
			 "See whether it sends at all, and whether a gateway near it is online: lamppost why "
			 "gateway EUI; join-requests of mistaken EUIs: lamppost join list --unknown."},
		[WHY_JOIN] = {"No join-request of it was heard.",
			      "See lamppost join list --unknown for requests with a mistaken EUI, and "
			      "lamppost why "
			      "gateway EUI for the gateway near it."},
		[WHY_GATEWAY] =
			{"No decision about it is kept: the bridge has heard nothing of it since it started.",
			 "Check the gateway's power, its network and the server address that it is set to: "
			 "lamppost gateway config EUI shows what it should be."},
		[WHY_DOWNLINK] = {"No decision about it is kept.", ""},
		[WHY_FRAME] = {"No decision about it is kept: no gateway brought it, it is older than what "
			       "is kept, "
			       "or, "
			       "where the MIC alone is given, a newer frame hides it.",
			       "Ask with whose it is: lamppost why frame MIC@DEVADDR, or the whole "
			       "PHYPayload. Or look "
			       "at the "
			       "device or the gateway: lamppost why device EUI, lamppost why gateway EUI."},
		[WHY_COUNTED] =
			{"No decision about it is kept: no gateway brought it, or it is older than what is "
			 "kept.",
			 "Look at the device instead: lamppost why device EUI."},
		[WHY_SERVER] = {"Nothing that names no device and no gateway was refused.", ""},
		[WHY_EVENT] = {"No decision about its frame is kept.",
			       "Look at the device: lamppost why device EUI."},
	};
	const struct why_subject *subject = &summary->question->subject;
	if (summary->question->since.us) {
		say(summary, " Nothing was decided about it in that time.");
		return;
	}
	if (rows[subject->kind].sentence)
		say(summary, " %s", rows[subject->kind].sentence);
	if (rows[subject->kind].next)
		next_is(summary, rows[subject->kind].next);
}

/* --- what is missing ------------------------------------------------------------------------------------------------- */

static void say_unreachable(struct summary *summary, const json_t *unreachable)
{
	size_t index, count = json_array_size(unreachable);
	const json_t *process;
	if (count == 0)
		return;
	say(summary, " Not reached:");
	json_array_foreach((json_t *)unreachable, index, process)
	{
		say(summary, "%s %s", index ? "," : "", json_string_value(process));
	}
	say(summary, "; what %s knows is missing here.", count > 1 ? "they" : "it");
	next_is(summary, "See lamppost status: a process that should run does not answer.");
}

void why_summarise(const struct why_question *question, const json_t *decisions, const json_t *unreachable,
		   json_t *answer)
{
	struct summary summary = {.question = question, .facts = question->facts, .next = ""};
	say_who(&summary);
	say_record(&summary);
	say_heard(&summary);
	if (json_array_size(decisions) > 0)
		say_decisions(&summary, decisions);
	else if (json_array_size(unreachable) == 0)
		say_nothing(&summary);
	else /* what that means cannot be said: who is away may know of decisions */
		say(&summary, " Those that answered know of no decision about it.");
	say_delivery(&summary);
	say_unreachable(&summary, unreachable);
	/* Cut at its end, a text from the world may end within a character. */
	json_t *text = json_string(summary.text);
	json_object_set_new(answer, "summary", text ? text : json_string(""));
	json_object_set_new(answer, "next", json_string(summary.next));
}
