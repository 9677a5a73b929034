#include "simulator/edge_cups.h"

#include "common/base/check.h"
#include "common/io/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_ROOM 2048

struct sim_edge_cups {
	struct io_http_client *client;
	struct io_timer *timer;
	struct sim_cups_options options;
	char home[SIM_PATH];
	struct sim_cups state;
	struct sim_scenario_tls tls; /* of the set that asks */
	io_http_call_id call;        /* 0: none under way */
	unsigned asked;              /* sets, since one was answered */
	bool over;
};

/* Passed on with what differs from before. */
static void tell(struct sim_edge_cups *cups, struct now now, struct sim_cups_news *news,
		 const struct sim_cups *before)
{
	const struct sim_cups_set *tc = &cups->state.tc[SIM_CUPS_REG], *own = &cups->state.cups[SIM_CUPS_REG];
	const struct sim_cups_set *old_tc = &before->tc[SIM_CUPS_REG], *old = &before->cups[SIM_CUPS_REG];
	news->tc_uri = strcmp(tc->uri, old_tc->uri) != 0;
	news->cups_uri = strcmp(own->uri, old->uri) != 0;
	news->tc_set = sim_cups_crc(tc->bytes, tc->length) != sim_cups_crc(old_tc->bytes, old_tc->length);
	news->cups_set = sim_cups_crc(own->bytes, own->length) != sim_cups_crc(old->bytes, old->length);
	if (cups->options.on_news != NULL)
		cups->options.on_news(cups->options.ctx, now, news);
}

/* What was taken over lasts before anything is done with it. */
static const char *keep(struct sim_edge_cups *cups, const struct sim_cups_answer *answer,
			struct sim_cups_news *news)
{
	static char error[SIM_HOME_ERROR];
	if (!sim_home_store(cups->home, &cups->state, error))
		return error;
	if (answer->update_length == 0)
		return "";
	news->firmware = answer->update_length;
	return sim_home_update(cups->home, answer->update, answer->update_length, error) ? "" : error;
}

static void rest(struct sim_edge_cups *cups, struct now now, bool good)
{
	int64_t delay_us = cups->state.next_us - now.mono.us;
	if (cups->options.every_us > 0)
		delay_us = cups->options.every_us;
	cups->asked = good ? 0 : cups->asked + 1;
	cups->over = cups->options.once &&
		     (good || cups->asked == SIM_CUPS_SETS || cups->state.which == SIM_CUPS_REG);
	if (!cups->over)
		io_timer_start(cups->timer, cups->options.once ? 0 : delay_us, 0);
}

static void on_done(void *ctx, struct now now, io_http_call_id call, const struct io_http_answer *got)
{
	struct sim_edge_cups *cups = ctx;
	struct sim_cups_answer answer = {0};
	struct sim_cups_news news = {.code = got->code, .reason = got->reason};
	struct sim_cups *before = malloc(sizeof *before);
	ASSERT(before != NULL);
	(void)call;
	*before = cups->state;
	cups->call = 0;
	news.result = sim_cups_answered(&cups->state, now.mono.us, got->status == ST_OK ? got->code : 0,
					got->body, got->length);
	bool good = news.result == SIM_CUPS_UNCHANGED || news.result == SIM_CUPS_CHANGED;
	if (good && sim_cups_parse(got->body, got->length, &answer) == SIM_STATION_OK) {
		const char *wrong = keep(cups, &answer, &news);
		if (wrong[0] != 0)
			news.reason = wrong;
	}
	rest(cups, now, good);
	tell(cups, now, &news, before);
	explicit_bzero(before, sizeof *before);
	free(before);
}

/* The server is not even asked: as when it is not there. */
static void give_up(struct sim_edge_cups *cups, struct now now, const char *reason)
{
	const struct io_http_answer none = {.status = ST_UNAVAILABLE, .reason = reason};
	on_done(cups, now, 0, &none);
}

static const char *or_none(const char *text)
{
	return text[0] != 0 ? text : NULL;
}

static void ask(struct sim_edge_cups *cups, struct now now)
{
	const struct sim_cups_set *set = &cups->state.cups[cups->state.which];
	char url[SIM_STATION_URI_MAX + 32], header[SIM_PATH + 32], question[QUESTION_ROOM],
		error[SIM_HOME_ERROR];
	/* A connection of its own each time: the next one may come with another credential. */
	const char *headers[] = {"Connection: close", NULL, NULL};
	if (!sim_home_tls(cups->home, set, &cups->tls, error)) {
		give_up(cups, now, error);
		return;
	}
	size_t end = strlen(set->uri);
	while (end > 0 && set->uri[end - 1] == '/')
		end--;
	snprintf(url, sizeof url, "%.*s/update-info", (int)end, set->uri);
	if (cups->tls.token[0] != 0) {
		snprintf(header, sizeof header, "Authorization: Bearer %s", cups->tls.token);
		headers[1] = header;
	}
	size_t length = sim_cups_question(&cups->state, question, sizeof question);
	const struct io_http_call call = {.method = IO_HTTP_POST,
					  .url = url,
					  .headers = headers,
					  .body = question,
					  .length = length,
					  .timeout = SIM_CUPS_TIMEOUT_US,
					  .answer_limit = SIM_CUPS_ANSWER_MAX,
					  .ca_file = or_none(cups->tls.trust),
					  .cert_file = or_none(cups->tls.certificate),
					  .key_file = or_none(cups->tls.key),
					  .on_done = on_done,
					  .ctx = cups};
	if (io_http_client_start(cups->client, &call, &cups->call) != ST_OK)
		give_up(cups, now, "no room for the question");
}

static void on_timer(void *ctx, struct now now)
{
	struct sim_edge_cups *cups = ctx;
	if (cups->call == 0)
		ask(cups, now);
}

void sim_edge_cups_hurry(struct sim_edge_cups *cups)
{
	if (cups->call == 0)
		io_timer_start(cups->timer, 0, 0);
}

bool sim_edge_cups_is_over(const struct sim_edge_cups *cups)
{
	return cups->over;
}

const struct sim_cups *sim_edge_cups_state(const struct sim_edge_cups *cups)
{
	return &cups->state;
}

struct sim_edge_cups *sim_edge_cups_new(struct io_loop *loop, struct io_http_client *client,
					const struct sim_cups_options *options, char error[SIM_HOME_ERROR])
{
	struct sim_edge_cups *cups = calloc(1, sizeof *cups);
	ASSERT(cups != NULL);
	cups->client = client;
	cups->options = *options;
	snprintf(cups->home, sizeof cups->home, "%s", options->home);
	bool good = sim_home_load(cups->home, &options->eui, &cups->state, error);
	if (good && cups->state.cups[cups->state.which].uri[0] == 0) {
		snprintf(error, SIM_HOME_ERROR, "%s: no cups.uri says where to ask", cups->home);
		good = false;
	}
	if (!good) {
		explicit_bzero(cups, sizeof *cups);
		free(cups);
		return NULL;
	}
	cups->timer = io_timer_new(loop, on_timer, cups);
	io_timer_start(cups->timer, 0, 0);
	return cups;
}

void sim_edge_cups_free(struct sim_edge_cups *cups)
{
	if (cups == NULL)
		return;
	if (cups->call != 0)
		io_http_client_cancel(cups->client, cups->call);
	io_timer_free(cups->timer);
	explicit_bzero(cups, sizeof *cups);
	free(cups);
}
