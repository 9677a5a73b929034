/* One loop, all questions at once: a process that hangs costs two seconds and not two for each question. */
#include "cli/status.h"

#include "cli/problem.h"
#include "cli/up.h"
#include "common/base/check.h"
#include "common/io/http_client.h"
#include "common/io/loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define TIMEOUT_US  (2 * US_PER_S)
#define ANSWER_MAX  (4u << 20)
#define QUESTIONS   16
#define NAMES_ASKED 8
#define PATH_ROOM   (2 * OPTION_PATH_MAX)

struct question {
	char socket[PATH_ROOM], url[160];
	bool done;
	int code; /* 0: not reached */
	enum status status;
	json_t *answer; /* owned; NULL: nothing readable */
};

struct asking {
	struct question questions[QUESTIONS];
	size_t count;
};

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *answer)
{
	struct question *question = ctx;
	(void)now;
	(void)call;
	question->done = true;
	question->status = answer->status;
	question->code = answer->status == ST_OK ? answer->code : 0;
	if (question->code)
		question->answer = json_loadb((const char *)answer->body, answer->length, 0, NULL);
}

static bool all_done(void *ctx)
{
	const struct asking *asking = ctx;
	for (size_t i = 0; i < asking->count; i++)
		if (!asking->questions[i].done)
			return false;
	return true;
}

static struct question *add(struct asking *asking, const char *run, const char *socket, const char *target)
{
	ASSERT_CMP(asking->count, <, QUESTIONS);
	struct question *question = &asking->questions[asking->count++];
	*question = (struct question){.status = ST_TIMEOUT};
	snprintf(question->socket, sizeof question->socket, "%s/%s", run, socket);
	snprintf(question->url, sizeof question->url, "http://lamppost%s", target);
	return question;
}

static void run_round(struct asking *asking)
{
	struct io_loop *loop = io_loop_new(NULL);
	struct io_http_client *http = io_http_client_new(loop, NULL);
	for (size_t i = 0; i < asking->count; i++) {
		struct question *question = &asking->questions[i];
		const struct io_http_call call = {.method = IO_HTTP_GET,
						  .url = question->url,
						  .unix_path = question->socket,
						  .timeout = TIMEOUT_US,
						  .answer_limit = ANSWER_MAX,
						  .on_done = on_done,
						  .ctx = question};
		io_http_call_id id;
		question->status = io_http_client_start(http, &call, &id);
		question->done = question->status != ST_OK;
		if (!question->done)
			question->status = ST_TIMEOUT;
	}
	(void)io_loop_run_until(loop, all_done, asking, TIMEOUT_US + US_PER_S / 2);
	io_http_client_free(http);
	io_loop_free(loop);
}

/* Takes the answer; JSON null when there is none. */
static json_t *take(struct question *question)
{
	json_t *answer = question->code == 200 && question->answer ? json_incref(question->answer)
								   : json_null();
	json_decref(question->answer);
	question->answer = NULL;
	return answer;
}

/* What the socket itself says where nobody answered. */
static const char *why_silent(const struct question *question)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (question->status == ST_TIMEOUT)
		return "not answering";
	if (access(question->socket, F_OK) != 0 || strlen(question->socket) >= sizeof address.sun_path)
		return errno == EACCES ? "refused" : "not running";
	memcpy(address.sun_path, question->socket, strlen(question->socket) + 1);
	int try = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool refused = try >= 0 && connect(try, (struct sockaddr *)&address, sizeof address) != 0 &&
		       errno == EACCES;
	if (try >= 0)
		close(try);
	return refused ? "refused" : "not running";
}

static json_t *process_facts(const char *name, struct question *health, struct question *counters)
{
	const char *status = health->code == 200 ? "healthy" : health->code ? "failing" : why_silent(health);
	json_t *said = health->answer ? json_incref(health->answer) : json_null();
	json_decref(health->answer);
	health->answer = NULL;
	return json_pack("{ss ss so so}", "process", name, "status", status, "health", said, "counters",
			 take(counters));
}

/* Gateways that are known and not online. */
static json_t *take_silent(struct question *question)
{
	json_t *answer = take(question), *silent = json_array();
	size_t i;
	json_t *gateway;
	json_array_foreach(json_object_get(answer, "gateways"), i, gateway)
	{
		if (json_is_true(json_object_get(gateway, "known")))
			json_array_append(silent, gateway);
	}
	json_decref(answer);
	return silent;
}

/* Names of the gateways that are told about, from the registry. */
static json_t *ask_names(const struct cli_place *place, const json_t *gateways)
{
	static struct asking asking;
	json_t *names = json_object();
	size_t i;
	const json_t *gateway;
	asking.count = 0;
	json_array_foreach(gateways, i, gateway)
	{
		char target[80];
		const char *eui = json_string_value(json_object_get(gateway, "eui"));
		if (!eui || i >= NAMES_ASKED)
			break;
		snprintf(target, sizeof target, "/api/v1/gateways/%.16s", eui);
		add(&asking, place->run, "city.sock", target);
	}
	if (asking.count)
		run_round(&asking);
	for (i = 0; i < asking.count; i++) {
		json_t *record = take(&asking.questions[i]);
		const char *eui = json_string_value(json_object_get(record, "eui"));
		json_t *name = json_object_get(record, "name");
		if (eui && name)
			json_object_set(names, eui, name);
		json_decref(record);
	}
	return names;
}

static json_t *disk_facts(const char *state)
{
	struct statvfs disk;
	if (statvfs(state, &disk) != 0)
		return json_null();
	double block = (double)disk.f_frsize;
	return json_pack("{sI sI}", "free_bytes", (json_int_t)((double)disk.f_bavail * block), "size_bytes",
			 (json_int_t)((double)disk.f_blocks * block));
}

json_t *cli_status_ask(const struct cli_place *place)
{
	static struct asking asking;
	struct question *health[CLI_PROCESS_COUNT], *counters[CLI_PROCESS_COUNT];
	asking.count = 0;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		char socket[64];
		snprintf(socket, sizeof socket, "%s.admin.sock", cli_process_names[i]);
		health[i] = add(&asking, place->run, socket, "/healthz");
		counters[i] = add(&asking, place->run, socket, "/counters");
	}
	struct question *silent = add(&asking, place->run, "gateway-bridge.admin.sock",
				      "/gateways?state=silent&limit=256");
	struct question *city = add(&asking, place->run, "city.sock", "/api/v1/status");
	run_round(&asking);
	json_t *processes = json_array();
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		json_array_append_new(processes, process_facts(cli_process_names[i], health[i], counters[i]));
	const char *api = city->code == 200 ? "answers" : city->code ? "refused" : why_silent(city);
	json_t *gateways = take_silent(silent), *city_facts = take(city);
	/* Where the API has just not answered, names are not worth another wait. */
	json_t *names = json_is_object(city_facts) ? ask_names(place, gateways) : json_object();
	return json_pack("{ss ss ss so so so so so}", "state_dir", place->state, "run_dir", place->run, "api",
			 api, "processes", processes, "gateways", gateways, "names", names, "city",
			 city_facts, "disk", disk_facts(place->state));
}
