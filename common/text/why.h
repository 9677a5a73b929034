/* Reads the answer to "why?": what each process decided about one subject, put together, newest first, under a summary that is
 * computed by rules from the newest facts. One module for both who ask: the application server, which adds what it knows itself,
 * and the command line, which asks the processes by itself when the application server is away.
 *
 *	why_subject_parse() ─▶ why_target() for each process ─▶ GET on its admin socket ─▶ why_answer()
 *
 * A process that does not answer is named in the answer ("unreachable") and is no error: it is most likely to be missing when the
 * question is most urgent. Decisions come in the form of common/base/decision.h:
 *
 *	{"time", "process", "verdict", "sentence", "next", "numbers", "device"?, "gateway"?, "dev_addr"?, "frame"?, "item"?}
 *
 * Pure: `now` comes in. */
#ifndef LAMPPOST_TEXT_WHY_H
#define LAMPPOST_TEXT_WHY_H

#include "common/base/units.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHY_TEXT_MAX   40 /* a UUID with its NUL */
#define WHY_TARGET_MAX 128
#define WHY_LIMIT      50 /* decisions in an answer, where the caller names no number */
#define WHY_LIMIT_MAX  200

enum why_kind {
	WHY_DEVICE,   /* a DevEUI */
	WHY_GATEWAY,  /* a gateway's EUI */
	WHY_JOIN,     /* a DevEUI: of its decisions those about joins */
	WHY_DOWNLINK, /* an item's UUID; `device` is found by the application server */
	WHY_FRAME,    /* by its MIC: the last four bytes of the PHYPayload, in their order on the air */
	WHY_COUNTED,  /* a frame, by DevAddr and counter */
	WHY_EVENT,    /* a frame, by the id of its event: the application server knows which that is */
	WHY_SERVER,   /* what names no device and no gateway: messages, callers, records, floods */
	WHY_RULES,    /* not about anything: all that can be said */
	WHY_KIND_COUNT
};

enum why_process {
	WHY_GATEWAY_BRIDGE,
	WHY_NETWORK_SERVER,
	WHY_JOIN_SERVER,
	WHY_APPLICATION_SERVER,
	WHY_PROCESS_COUNT
};
const char *why_process_name(enum why_process process); /* "gateway-bridge" */

struct why_subject {
	enum why_kind kind;
	char text[WHY_TEXT_MAX]; /* EUI, MIC or DevAddr in lower-case hex digits, or a UUID */
	/* Whose it is, "" where not known. WHY_DOWNLINK: the item's DevEUI. WHY_FRAME: the frame's DevAddr (8 digits) or DevEUI (16): the
	 * table of MICs has the newest frames alone, and behind it the device's own are searched. */
	char device[WHY_TEXT_MAX];
	uint32_t fcnt; /* WHY_COUNTED */
};

/* Reads what stands for the subject. WHY_FRAME reads every form of a frame and sets the kind that it is: a MIC of 8 digits,
 * MIC@DEVADDR or MIC@DEVEUI, a whole PHYPayload in hex (which has both), DEVADDR:FCNT, a UUID. False: it is none; `*expected` says what it should be. */
bool why_subject_parse(struct why_subject *subject, enum why_kind kind, const char *text,
		       const char **expected);
/* Fills the form that why_subject_parse() reads as the same subject; of a PHYPayload no payload is in it. */
void why_subject_format(const struct why_subject *subject, char text[WHY_TEXT_MAX]);
/* Fills the path to ask that process for; false: it knows nothing of such a subject. */
bool why_target(const struct why_subject *subject, enum why_process process, unsigned limit,
		char target[WHY_TARGET_MAX]);

/* What one process said. */
struct why_part {
	bool asked;
	bool reached;         /* it answered, be it that it knows nothing */
	const json_t *answer; /* borrowed: {"decisions": [...]}, {"rules": [...]}, or NULL */
};

struct why_question {
	struct why_subject subject;
	struct wall now;
	struct wall since; /* .us 0: all */
	unsigned limit;    /* 0: WHY_LIMIT */
	/* What the asker knows beside the processes' decisions; borrowed, may be NULL. Members that the summary reads:
	 * "name", "registered", "enabled", "last_heard" (time or null), "behind" (["network-server", ...]: processes that do not have
	 * its record yet), "status" and "cause" of an item, "waiting" (items), "home_net_id" (whose it is), "delivery" ({"state", "backlog"} of the
	 * broker). */
	const json_t *facts;
	/* Decisions of its own; borrowed, may be NULL. */
	const json_t *decisions;
	/* Which decisions the asker may see; NULL: all. */
	bool (*shows)(void *ctx, const json_t *decision);
	void *ctx;
};

/* Gives the answer, a new object: {"subject": {"kind", "id"}, "summary", "next", "facts"?, "decisions": [...], "more": how many were left
 * out, "asked": [...], "unreachable": [...]}. With WHY_RULES: {"rules": [...], "asked", "unreachable"}. */
json_t *why_answer(const struct why_question *question, const struct why_part parts[WHY_PROCESS_COUNT]);

/* "3 h", "12 min", "40 s": a length of time as people say it. */
#define WHY_SPAN_TEXT 24
const char *why_span_text(char text[WHY_SPAN_TEXT], span_us span);
/* Reads the time of a decision (RFC 3339, UTC); false: it is none. */
bool why_time_parse(const char *text, struct wall *time);
/* Fills a time in the form that decisions have ("2026-11-21T18:00:00.123Z"). */
#define WHY_TIME_TEXT 32
const char *why_time_format(char text[WHY_TIME_TEXT], struct wall time);

/* For why.c alone: the summary and the next step, of decisions that are in order. */
void why_summarise(const struct why_question *question, const json_t *decisions, const json_t *unreachable,
		   json_t *answer);

#endif
