/* A command for a device whose key only the agency holds: encrypted here, under the counter that comes next. The network server may
 * spend that counter on a frame of its own before the command leaves; the item then comes back as `stale_counter` with the next one, and
 * is encrypted anew, a bounded number of times. A counter that has passed was never used for this payload on the air, and the new one
 * gives another key stream. */
#include "cli/downlink.h"

#include "cli/held.h"
#include "cli/problem.h"
#include "cli/progress.h"
#include "common/base/hex.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TRIES       8
#define POLL_MS     200
#define SETTLE_MS   1500 /* a counter that has passed already is told within this */
#define PAYLOAD_MAX 255

struct held {
	struct cli_client *client;
	const char *eui;
	struct cli_keks keks;
	uint8_t plain[PAYLOAD_MAX];
	size_t length;
	json_t *body; /* borrowed */
	json_t *item; /* owned: as it is now */
	char id[CLI_ID_TEXT];
	uint32_t least; /* the next counter, as the last stale item said */
};

static int take_plain(struct held *held)
{
	const char *data = cli_downlink_text(held->body, "data");
	if (json_object_get(held->body, "object"))
		return cli_problem(CLI_USAGE, "--object", "--hex, --base64, --text or --file",
				   "is encoded by the server, which cannot encrypt it then");
	if (!base64_decode(held->plain, sizeof held->plain, &held->length, data, strlen(data)))
		return cli_problem(CLI_REFUSED, "payload", NULL, "longer than any frame");
	return CLI_DONE;
}

/* Asks for the session, encrypts under its next counter, enqueues. */
static int send_once(struct held *held)
{
	char target[CLI_TARGET_MAX], why[CLI_HELD_WHY_MAX], text[BASE64_ROOM(PAYLOAD_MAX)];
	uint8_t bytes[PAYLOAD_MAX];
	json_t *session = NULL;
	snprintf(target, sizeof target, "/api/v1/devices/");
	if (!cli_target_append(target, held->eui) || strlen(target) + sizeof "/session" > sizeof target)
		return cli_problem(CLI_USAGE, held->eui, NULL, "too long");
	snprintf(target + strlen(target), sizeof target - strlen(target), "/session");
	int code = cli_call(held->client, held->eui, IO_HTTP_GET, target, NULL, &session);
	uint32_t counter = (uint32_t)json_integer_value(json_object_get(session, "nextFCntDown"));
	if (counter < held->least)
		counter = held->least;
	if (code == CLI_DONE &&
	    !cli_held_encrypt(&held->keks, session, counter, held->plain, held->length, bytes, why))
		code = cli_problem(CLI_REFUSED, held->eui, "lamppost agency kek list", "%s", why);
	json_decref(session);
	if (code != CLI_DONE)
		return code;
	base64_encode(text, bytes, held->length);
	json_object_set_new(held->body, "data", json_string(text));
	json_object_set_new(held->body, "encrypted", json_true());
	json_object_set_new(held->body, "f_cnt_down", json_integer(counter));
	json_object_set_new(held->body, "id", json_string(held->id));
	json_decref(held->item);
	held->item = NULL;
	if (!cli_downlink_target(target, held->eui, NULL))
		return cli_problem(CLI_USAGE, held->eui, NULL, "too long");
	code = cli_call(held->client, held->eui, IO_HTTP_POST, target, held->body, &held->item);
	if (code == CLI_TIMED_OUT || code == CLI_INTERRUPTED)
		fprintf(stderr,
			"lamppost: see what became of it before you send it again: lamppost downlink list "
			"%s\n",
			held->eui);
	return code;
}

/* Looks until the item has ended, or the time is over. */
static int watch(struct held *held, unsigned ms)
{
	char target[CLI_TARGET_MAX], text[80];
	struct progress progress;
	int code = CLI_DONE;
	if (!cli_downlink_target(target, held->eui, held->id))
		return cli_problem(CLI_USAGE, held->eui, NULL, "too long");
	snprintf(text, sizeof text, "waiting until %.40s is heard", held->eui);
	progress_start(&progress, text);
	for (unsigned waited = 0;
	     code == CLI_DONE && !json_is_true(json_object_get(held->item, "ended")) && waited < ms;
	     waited += POLL_MS) {
		json_t *item = NULL;
		progress_sleep(&progress, POLL_MS);
		code = cli_call(held->client, held->id, IO_HTTP_GET, target, NULL, &item);
		if (code == CLI_DONE) {
			json_decref(held->item);
			held->item = item;
		}
	}
	progress_clear(&progress);
	return code;
}

static bool is_stale(const json_t *item)
{
	return strcmp(cli_downlink_text(item, "status"), "stale_counter") == 0;
}

/* What it came to, for people who wait and for those who do not. */
static int conclude(const struct held *held, bool waits)
{
	const char *status = cli_downlink_text(held->item, "status"),
		   *cause = cli_downlink_text(held->item, "cause");
	bool ended = json_is_true(json_object_get(held->item, "ended"));
	if (is_stale(held->item))
		return cli_problem(CLI_FAILED, held->id, "lamppost downlink send once more",
				   "its counter had passed %d times in a row", TRIES);
	if (ended && strcmp(status, "sent") != 0 && strcmp(status, "acknowledged") != 0)
		return cli_problem(CLI_FAILED, held->id, "lamppost downlink list EUI --all", "%s%s%s", status,
				   *cause ? ": " : "", cause);
	if (!ended && waits)
		return cli_problem(CLI_TIMED_OUT, held->id, "lamppost downlink list EUI",
				   "still %s; it goes on without us", status);
	return CLI_DONE;
}

static int send_until_taken(struct held *held, double wait_s, bool json)
{
	unsigned ms = wait_s > 0 ? (unsigned)(wait_s * 1000) : SETTLE_MS;
	int code = CLI_DONE;
	for (int attempt = 1; attempt <= TRIES; attempt++) {
		code = send_once(held);
		if (code == CLI_DONE && attempt == 1 && !json)
			cli_downlink_print_sent(held->item);
		fflush(stdout);
		if (code == CLI_DONE)
			code = watch(held, ms);
		if (code != CLI_DONE || !is_stale(held->item))
			break;
		held->least = (uint32_t)json_integer_value(json_object_get(held->item, "f_cnt_down"));
		if (attempt < TRIES) {
			fprintf(stderr,
				"lamppost: the counter was spent on another frame; encrypted anew under "
				"%" PRIu32 " (try %d of %d)\n",
				held->least, attempt + 1, TRIES);
			cli_downlink_id(held->id);
		}
	}
	return code == CLI_DONE ? conclude(held, wait_s > 0) : code;
}

int cli_downlink_send_held(struct cli_client *client, const struct cli_arguments *arguments, json_t *body,
			   double wait_s)
{
	struct held held = {.client = client, .eui = arguments->operands[0], .body = body};
	snprintf(held.id, sizeof held.id, "%s", cli_downlink_text(body, "id"));
	int code = cli_argument(arguments, "encrypted") || cli_argument(arguments, "counter")
			   ? cli_problem(CLI_USAGE, "--kek", NULL,
					 "encrypts by itself: without --encrypted and --counter")
			   : cli_keks_read(cli_argument(arguments, "kek"), &held.keks);
	if (code == CLI_DONE)
		code = take_plain(&held);
	if (code == CLI_DONE)
		code = send_until_taken(&held, wait_s, arguments->json);
	if (held.item && arguments->json)
		cli_downlink_print_json(held.item);
	else if (held.item && wait_s > 0)
		cli_downlink_print_fate(held.item);
	else if (code == CLI_DONE && !json_is_true(json_object_get(held.item, "ended")))
		puts("  if another frame takes its counter before it leaves it comes back as stale_counter; "
		     "with --wait it "
		     "is then sent again");
	json_decref(held.item);
	cli_keks_release(&held.keks);
	secret_wipe(held.plain, sizeof held.plain);
	return code;
}
