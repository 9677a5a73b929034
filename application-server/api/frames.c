/* GET /api/v1/frames: which live frames a caller is shown (docs/frames.md). The city's engineers see all of them; an agency
 * sees those of its own devices, known by DevEUI, and never a foreign one (invariant 12). */
#include "application-server/api/answer.h"
#include "application-server/api/collections.h"
#include "common/text/frame_verdict.h"

#include <stdio.h>
#include <string.h>

bool as_view_shows_frame(const struct as_view *view, const struct net_frame *frame,
			 const struct net_uuid *owner)
{
	if (!as_scope_sees_all(&view->scope) &&
	    !(frame->has_device && owner && frame->standing != NET_FRAME_FOREIGN &&
	      as_scope_sees(&view->scope, owner)))
		return false;
	return net_frame_matches(&view->frame_filter, frame);
}

/* A record by its EUI or name, in the caller's scope; false with an answer. */
static bool read_eui(struct as_api *api, const struct as_call *call, enum record_kind kind, const char *query,
		     const char *member, bool *given, struct lw_eui64 *eui, struct as_answer *answer)
{
	struct as_call named = *call;
	named.id = as_call_query(call, query);
	if (!named.id)
		return true;
	json_t *record = as_get_or_answer(api, &named, kind, answer);
	*given = record && lw_eui64_parse(json_string_value(json_object_get(record, member)), eui);
	json_decref(record);
	return *given;
}

static bool read_dev_addr(const char *text, struct net_frame_filter *filter)
{
	struct lw_dev_addr whole;
	if (!text)
		return true;
	filter->by_dev_addr = true;
	if (lw_dev_addr_prefix_parse(text, &filter->dev_addr))
		return true;
	filter->dev_addr.bits = 32;
	bool parsed = lw_dev_addr_parse(text, &whole);
	filter->dev_addr.value = parsed ? whole.value : 0;
	return parsed;
}

static bool read_verdicts(const char *text, struct net_frame_filter *filter)
{
	if (!text)
		return true;
	if (!net_verdict_list_is(text))
		return false;
	snprintf(filter->verdicts, sizeof filter->verdicts, "%s", text);
	return true;
}

/* As far as the rules are known. False with an answer. */
static bool check_verdicts(const struct as_api *api, const struct net_frame_filter *filter,
			   struct as_answer *answer)
{
	size_t length;
	const char *unknown = frame_verdict_unknown(api->network_rules, filter->verdicts, &length);
	if (unknown)
		as_answer_problem(answer, 422, "verdict",
				  "%.*s: no such verdict; `lamppost why --rules` has them all", (int)length,
				  unknown);
	return !unknown;
}

static bool read_direction(const char *text, struct net_frame_filter *filter)
{
	static const char *const names[NET_FRAMES_DIRECTION_COUNT] = {"both", "up", "down"};
	for (int i = 0; text && i < NET_FRAMES_DIRECTION_COUNT; i++)
		if (strcmp(text, names[i]) == 0) {
			filter->directions = (enum net_frame_directions)i;
			return true;
		}
	return !text;
}

/* False with an answer. */
static bool read_foreign(const struct as_call *call, struct net_frame_filter *filter,
			 struct as_answer *answer)
{
	const char *text = as_call_query(call, "foreign");
	if (!text || strcmp(text, "false") == 0)
		return true;
	if (strcmp(text, "true") != 0) {
		as_answer_problem(answer, 422, "foreign", "foreign must be true or false");
		return false;
	}
	filter->foreign = true;
	if (as_scope_sees_all(call->scope))
		return true;
	as_answer_problem(answer, 403, "foreign", "other networks' frames are shown to the city's engineers");
	return false;
}

static bool read_words(const struct as_call *call, struct net_frame_filter *filter, struct as_answer *answer)
{
	if (!read_dev_addr(as_call_query(call, "dev_addr"), filter))
		as_answer_problem(
			answer, 422, "dev_addr",
			"dev_addr must be eight hex digits, with /0 to /32 behind them for a prefix whose "
			"other bits are 0");
	else if (!read_verdicts(as_call_query(call, "verdict"), filter))
		as_answer_problem(answer, 422, "verdict",
				  "verdict must be names of verdicts with commas between, or problems");
	else if (!read_direction(as_call_query(call, "direction"), filter))
		as_answer_problem(answer, 422, "direction", "direction must be up, down or both");
	else
		return read_foreign(call, filter, answer);
	return false;
}

/* GET /api/v1/frames. The answer is a view; the edge feeds the client what it shows. */
void as_handle_frames(struct as_api *api, const struct as_call *call, struct as_answer *answer)
{
	struct as_view view = {.scope = *call->scope, .frames = true};
	struct net_frame_filter *filter = &view.frame_filter;
	if (read_words(call, filter, answer) && check_verdicts(api, filter, answer) &&
	    read_eui(api, call, RECORD_GATEWAY, "gateway", "eui", &filter->by_gateway, &filter->gateway,
		     answer) &&
	    read_eui(api, call, RECORD_DEVICE, "device", "dev_eui", &filter->by_device, &filter->dev_eui,
		     answer))
		*answer = (struct as_answer){.status = 200, .streams = true, .view = view};
}
