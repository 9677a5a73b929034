#include "cli/why_ask.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT      (5 * US_PER_S) /* of the application server, which waits 1.5 s for the others */
#define TIMEOUT_EACH (2 * US_PER_S) /* of a process by itself */
#define ANSWER_LIMIT (16u << 20)
#define PATH_MAX_    (CLI_SOCKET_MAX + 64)

struct asked {
	bool asked, done;
	enum status status;
	int code;
	json_t *answer; /* owned */
};

struct asking {
	struct io_loop *loop;
	struct io_http_client *http;
	struct asked calls[WHY_PROCESS_COUNT];
	bool interrupted;
};

/* --- calls -------------------------------------------------------------------------------------------------------- */

static void on_stop(void *ctx, struct now now)
{
	struct asking *asking = ctx;
	(void)now;
	asking->interrupted = true;
}

static void on_done(void *ctx, struct now now, io_http_call_id id, const struct io_http_answer *said)
{
	struct asked *asked = ctx;
	(void)now, (void)id;
	asked->done = true;
	asked->status = said->status;
	asked->code = said->code;
	if (said->length > 0)
		asked->answer = json_loadb((const char *)said->body, said->length, JSON_REJECT_DUPLICATES,
					   NULL);
}

static bool all_done(void *ctx)
{
	const struct asking *asking = ctx;
	for (size_t i = 0; i < ARRAY_SIZE(asking->calls); i++)
		if (asking->calls[i].asked && !asking->calls[i].done)
			return asking->interrupted;
	return true;
}

static void start(struct asking *asking, struct asked *asked, const char *socket, const char *target,
		  span_us timeout)
{
	char url[CLI_TARGET_MAX + 20];
	io_http_call_id id;
	snprintf(url, sizeof url, "http://lamppost%s", target);
	*asked = (struct asked){.asked = true, .status = ST_TIMEOUT};
	const struct io_http_call call = {.method = IO_HTTP_GET,
					  .url = url,
					  .unix_path = socket,
					  .timeout = timeout,
					  .answer_limit = ANSWER_LIMIT,
					  .on_done = on_done,
					  .ctx = asked};
	enum status status = io_http_client_start(asking->http, &call, &id);
	if (status != ST_OK)
		*asked = (struct asked){.asked = true, .done = true, .status = status};
}

/* --- the application server --------------------------------------------------------------------------------------------- */

static bool make_target(char target[CLI_TARGET_MAX], const struct cli_why *why)
{
	static const char *const paths[WHY_KIND_COUNT] = {
		[WHY_DEVICE] = "/api/v1/devices/",  [WHY_GATEWAY] = "/api/v1/gateways/",
		[WHY_JOIN] = "/api/v1/joins/",      [WHY_DOWNLINK] = "/api/v1/downlinks/",
		[WHY_FRAME] = "/api/v1/frames/why", [WHY_COUNTED] = "/api/v1/frames/why",
		[WHY_EVENT] = "/api/v1/frames/why", [WHY_SERVER] = "/api/v1/why/server",
		[WHY_RULES] = "/api/v1/why/rules"};
	enum why_kind kind = why->subject.kind;
	char number[24];
	bool frame = kind == WHY_FRAME || kind == WHY_COUNTED || kind == WHY_EVENT;
	snprintf(target, CLI_TARGET_MAX, "%s", paths[kind]);
	if (kind == WHY_RULES)
		return true;
	char text[WHY_TEXT_MAX];
	why_subject_format(&why->subject,
			   text); /* of a PHYPayload its MIC and whose it is: no payload travels */
	if (frame && !cli_target_append_query(target, "frame", text))
		return false;
	if (!frame && kind != WHY_SERVER) {
		if (!cli_target_append(target, text) || strlen(target) + 5 > CLI_TARGET_MAX)
			return false;
		memcpy(target + strlen(target), "/why", 5);
	}
	snprintf(number, sizeof number, "%u", why->limit);
	if (!cli_target_append_query(target, "limit", number))
		return false;
	snprintf(number, sizeof number, "%ld", why->since_s);
	return why->since_s == 0 || cli_target_append_query(target, "since", number);
}

/* --- the processes by themselves ------------------------------------------------------------------------------------------ */

static json_t *ask_processes(struct asking *asking, const char *city_socket, const struct cli_why *why)
{
	char socket[PATH_MAX_], target[WHY_TARGET_MAX];
	const char *slash = strrchr(city_socket, '/');
	int folder = slash ? (int)(slash - city_socket) : 1;
	struct why_part parts[WHY_PROCESS_COUNT];
	memset(asking->calls, 0, sizeof asking->calls);
	for (int i = 0; i < WHY_PROCESS_COUNT; i++) {
		if (!why_target(&why->subject, (enum why_process)i, why->limit, target))
			continue;
		snprintf(socket, sizeof socket, "%.*s/%s.admin.sock", folder, slash ? city_socket : ".",
			 why_process_name((enum why_process)i));
		start(asking, &asking->calls[i], socket, target, TIMEOUT_EACH);
	}
	(void)io_loop_run_until(asking->loop, all_done, asking, TIMEOUT_EACH + US_PER_S);
	bool any = false;
	for (size_t i = 0; i < WHY_PROCESS_COUNT; i++) {
		const struct asked *asked = &asking->calls[i];
		/* What cannot be read is missing as well. */
		bool reached = asked->status == ST_OK &&
			       (asked->code == 404 || (asked->code == 200 && asked->answer));
		any = any || (asked->asked && reached);
		parts[i] = (struct why_part){asked->asked, reached && asked->asked,
					     asked->code == 200 ? asked->answer : NULL};
	}
	struct why_question question = {
		.subject = why->subject, .now = clock_now().wall, .limit = why->limit};
	if (why->since_s)
		question.since.us = question.now.us - why->since_s * US_PER_S;
	json_t *answer = any ? why_answer(&question, parts) : NULL;
	for (size_t i = 0; i < WHY_PROCESS_COUNT; i++)
		json_decref(asking->calls[i].answer);
	return answer;
}

/* What only the application server knows. */
static int refuse_direct(const struct cli_why *why, const char *socket)
{
	if (why->subject.kind == WHY_DOWNLINK)
		return cli_problem(
			CLI_NOT_REACHED, why->what, "lamppost why device EUI",
			"no server answers on %s, and only the application server knows which device a "
			"downlink is for",
			socket);
	if (why->subject.kind == WHY_EVENT)
		return cli_problem(
			CLI_NOT_REACHED, why->what, "lamppost why frame DEVADDR:FCNT",
			"no server answers on %s, and only the application server knows which frame an "
			"event is of",
			socket);
	return CLI_DONE;
}

static int ask(struct asking *asking, const char *socket, const struct cli_why *why, json_t **answer,
	       bool *direct)
{
	char target[CLI_TARGET_MAX];
	struct asked *first = &asking->calls[0];
	if (!make_target(target, why))
		return cli_problem(CLI_USAGE, why->what, NULL, "too long");
	start(asking, first, socket, target, TIMEOUT);
	(void)io_loop_run_until(asking->loop, all_done, asking, TIMEOUT + US_PER_S);
	if (asking->interrupted)
		return CLI_INTERRUPTED;
	if (first->status == ST_OK) {
		int code = first->code == 200 ? CLI_DONE
					      : cli_report_answer(why->what, first->code, first->answer);
		if (code == CLI_DONE && first->answer) {
			*answer = first->answer;
			return CLI_DONE;
		}
		json_decref(first->answer);
		return code == CLI_DONE
			       ? cli_problem(CLI_FAILED, why->what, NULL, "the answer cannot be read")
			       : code;
	}
	int refused = refuse_direct(why, socket);
	if (refused != CLI_DONE)
		return refused;
	*direct = true;
	*answer = ask_processes(asking, socket, why);
	if (*answer)
		return CLI_DONE;
	return cli_problem(CLI_NOT_REACHED, why->what,
			   "start the network with `lamppost up`, or name its socket with --socket or "
			   "LAMPPOST_SOCKET; the processes' own sockets are for root and the service's user",
			   "no server answers on %s, nor any process beside it", socket);
}

int cli_why_ask(const struct cli_arguments *arguments, const struct cli_why *why, json_t **answer,
		bool *direct)
{
	char socket[CLI_SOCKET_MAX];
	int code = cli_socket_find(socket, arguments);
	if (code != CLI_DONE)
		return code;
	struct asking asking = {.loop = NULL};
	const struct io_turn turn = {.on_stop = on_stop, .ctx = &asking};
	asking.loop = io_loop_new(&turn);
	asking.http = io_http_client_new(asking.loop, NULL);
	*answer = NULL;
	*direct = false;
	code = ask(&asking, socket, why, answer, direct);
	io_http_client_free(asking.http);
	io_loop_free(asking.loop);
	return code;
}
