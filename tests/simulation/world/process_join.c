/* The join server in the world: its core and its store; the routes of main.c are written again here. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/backend/ts002.h"
#include "join-server/kek_orders.h"
#include "join-server/provisioning.h"
#include "join-server/store_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_TURNS 64

struct join {
	struct js_join core;
	struct db *db;
	struct aes *aes;
	struct rng rng;
	struct js_records records;
	struct js_applied applied;
};

static void add_kek(struct js_options *options, const char *label, const uint8_t bytes[16])
{
	struct lw_kek *kek = &options->keks[options->kek_count++];
	memset(kek, 0, sizeof *kek);
	memcpy(kek->label, label, strlen(label));
	kek->length = 16;
	memcpy(kek->bytes, bytes, 16);
}

static bool start(struct machine *machine)
{
	const struct world_keys *keys = machine->world->keys;
	struct join *self = calloc(1, sizeof *self);
	ASSERT(self);
	machine->self = self;
	self->rng = machine->rng = rng_seeded(rng_u64(&machine->rng));
	self->aes = aes_new();
	ASSERT(self->aes);
	enum status status = js_store_open("join/join.db", FAULT_VFS, &self->db);
	ASSERT(status == ST_OK);
	struct js_options options = {.store = js_store_sqlite(self->db),
				     .vault = {keys->master[WORLD_JOIN], keys->box[WORLD_JOIN]},
				     .aes = self->aes,
				     .rng = &self->rng,
				     .retry_entries = 64};
	add_kek(&options, JS_KEK_NETWORK, keys->kek_network);
	add_kek(&options, JS_KEK_APPLICATION, keys->kek_application);
	return js_join_init(&self->core, &options, machine_now(machine)) == ST_OK;
}

static void release(struct machine *machine)
{
	struct join *self = machine->self;
	js_join_release(&self->core);
	aes_free(self->aes);
	db_close(self->db);
	free(self);
	machine->self = NULL;
}

static void reply_json(struct machine *machine, uint64_t call, int code, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	ASSERT(text);
	machine_reply(machine, call, code, text, strlen(text));
	free(text);
	json_decref(body);
}

static void on_records(struct machine *machine, struct now now, uint64_t call, const uint8_t *body,
		       size_t length)
{
	struct join *self = machine->self;
	char problem[JS_PROBLEM_TEXT];
	if (!js_records_parse(body, length, &self->records, problem)) {
		world_break(machine->world, "join server: malformed records: %s", problem);
		machine_reply(machine, call, 422, "{}", 2);
		return;
	}
	switch (js_provisioning_apply(&self->core, now, &self->records, &self->applied)) {
	case JS_PROVISIONED: reply_json(machine, call, 200, js_applied_json(&self->applied)); return;
	case JS_PROVISIONING_OTHER_CITY: machine_reply(machine, call, 409, "{}", 2); return;
	case JS_PROVISIONING_FAILED: machine_reply(machine, call, 500, "{}", 2); return;
	}
}

/* As a join server does whose vault cannot be opened. */
static void refuse(struct machine *machine, uint64_t call, const uint8_t *body, size_t length)
{
	struct bi_message asked, answer = {0};
	struct bi_error error;
	char text[BI_WRITTEN_MAX];
	ASSERT(bi_read((const char *)body, length, &asked, &error));
	answer.envelope = asked.envelope;
	answer.envelope.type = asked.envelope.type == BI_JOIN_REQ ? BI_JOIN_ANS : BI_REJOIN_ANS;
	memcpy(answer.envelope.sender_id, asked.envelope.receiver_id, sizeof answer.envelope.sender_id);
	memcpy(answer.envelope.receiver_id, asked.envelope.sender_id, sizeof answer.envelope.receiver_id);
	answer.envelope.result = BI_OTHER;
	size_t written = bi_write(&answer, text, sizeof text);
	ASSERT(written > 0);
	machine_reply(machine, call, 200, text, written);
}

static void decide(struct machine *machine, struct now now, uint64_t call, const uint8_t *body, size_t length)
{
	struct join *self = machine->self;
	char answer[BI_WRITTEN_MAX];
	struct js_outcome outcome;
	const struct js_peer peer = js_peer_local(JS_RIGHT_ALL);
	if (machine->world->now_us < machine->world->join_refuses_until_us) {
		refuse(machine, call, body, length);
		return;
	}
	size_t written = js_join_on_message(&self->core, now, body, length, &peer, answer, &outcome);
	machine_reply(machine, call, outcome.verdict == JS_UNREADABLE ? 400 : 200, answer, written);
}

static void decide_late(struct world *world, const struct world_event *event)
{
	struct machine *machine = &world->machines[WORLD_JOIN];
	decide(machine, machine_now(machine), event->a, event->bytes, event->length);
	machine_touch(machine);
}

/* It may be slow to begin. */
static void on_join(struct machine *machine, struct now now, uint64_t call, const uint8_t *body,
		    size_t length)
{
	struct world *world = machine->world;
	if (world->now_us >= world->join_slow_until_us) {
		decide(machine, now, call, body, length);
		return;
	}
	uint8_t *copy = malloc(length);
	ASSERT(copy);
	memcpy(copy, body, length);
	machine_put(machine, world->now_us + world->join_slow_us,
		    (struct world_event){.happen = decide_late, .a = call, .bytes = copy, .length = length});
}

static void on_call(struct machine *machine, struct now now, uint64_t call, enum io_http_method method,
		    const char *url, const uint8_t *body, size_t length)
{
	struct join *self = machine->self;
	const char *path = url + strlen("http://lamppost");
	if (method == IO_HTTP_GET && strcmp(path, "/provisioning/v1/state") == 0) {
		reply_json(machine, call, 200, js_provisioning_state(&self->core));
	} else if (method == IO_HTTP_GET && strcmp(path, "/keks") == 0) {
		reply_json(machine, call, 200, js_keks_json(&self->core));
	} else if (method == IO_HTTP_POST && strcmp(path, "/provisioning/v1/records") == 0) {
		on_records(machine, now, call, body, length);
	} else if (method == IO_HTTP_POST && strcmp(path, "/") == 0) {
		on_join(machine, now, call, body, length);
	} else {
		world_break(machine->world, "join server: no route %s", path);
	}
}

static enum status commit(struct machine *machine, struct now now)
{
	(void)now;
	struct join *self = machine->self;
	enum status status = js_store_commit(self->db);
	if (status == ST_OK && machine->turns % CHECKPOINT_TURNS == 0) {
		int log, done;
		sqlite3_wal_checkpoint_v2(db_handle(self->db), NULL, SQLITE_CHECKPOINT_RESTART, &log, &done);
	}
	return status;
}

static void drain(struct machine *machine, struct now now)
{
	(void)machine, (void)now;
}

static struct mono next_deadline(struct machine *machine)
{
	return js_join_next_deadline(&((struct join *)machine->self)->core);
}

static void on_tick(struct machine *machine, struct now now)
{
	if (js_join_on_tick(&((struct join *)machine->self)->core, now) != ST_OK)
		world_break(machine->world, "join server: its sweep failed");
}

const struct machine_kind world_join = {.name = "join",
					.start = start,
					.release = release,
					.commit = commit,
					.drain = drain,
					.next_deadline = next_deadline,
					.on_tick = on_tick,
					.on_call = on_call};
