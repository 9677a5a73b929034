/* Turns, deaths and starts of a process; see machine.h. */
#include "tests/simulation/world/world_parts.h"

#include "common/base/check.h"
#include "common/base/deadlines.h"
#include "common/crypto/secret.h"

#include <stdlib.h>
#include <string.h>

#define TURN_MIN_US     100
#define TURN_SPREAD_US  1400
#define START_MIN_US    (100 * US_PER_MS)
#define START_SPREAD_US (1900 * (uint32_t)US_PER_MS)
#define TICKS_IN_PLACE  1000 /* a core whose deadline does not move */

struct now machine_now(const struct machine *machine)
{
	const struct world *world = machine->world;
	return (struct now){.mono = {WORLD_MONO_START + world->now_us},
			    .wall = {WORLD_WALL_START + world->now_us + world->clock_jump_us},
			    .wall_synchronised = true};
}

static void update_deadline(struct machine *machine)
{
	struct mono next = machine->kind->next_deadline(machine);
	machine->deadline_us = next.us == MONO_NEVER.us ? WORLD_NEVER : next.us - WORLD_MONO_START;
}

static void drop_outgoing(struct machine *machine)
{
	for (size_t i = 0; i < machine->out_count; i++)
		free(machine->out[i].bytes);
	machine->out_count = 0;
}

void machine_queue(struct machine *machine, struct outgoing outgoing)
{
	if (machine->out_count == machine->out_room) {
		machine->out_room = machine->out_room * 2 + 64;
		machine->out = realloc(machine->out, machine->out_room * sizeof *machine->out);
		ASSERT(machine->out);
	}
	machine->out[machine->out_count++] = outgoing;
}

void machine_put(struct machine *machine, int64_t at_us, struct world_event event)
{
	event.at_us = at_us;
	event.owner = machine;
	event.incarnation = machine->incarnation;
	world_put(machine->world, event);
}

/* --- turns --- */

static bool crash_is(const struct machine *machine, enum world_moment moment)
{
	return machine->crash_planned && machine->crash_moment == moment;
}

/* A power cut at one of the next operations of the disk; if the commit needs fewer, it has succeeded. */
static void arm_disk(struct machine *machine)
{
	uint64_t in = 1 + rng_below(&machine->world->fault_rng, 12);
	fault_disk_crash_at(machine->disk, fault_disk_operations(machine->disk) + in);
}

static void let_leave(struct machine *machine, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct outgoing *outgoing = &machine->out[i];
		outgoing->leave(machine, outgoing);
	}
	drop_outgoing(machine);
}

/* Returns false if the process has to die; `*moment` says how. */
static bool end_turn(struct machine *machine, enum world_moment *moment)
{
	struct now now = machine_now(machine);
	machine->turn_open = false;
	machine->turns++;
	if (crash_is(machine, WORLD_BEFORE_COMMIT)) {
		*moment = WORLD_BEFORE_COMMIT;
		return false;
	}
	if (crash_is(machine, WORLD_IN_COMMIT))
		arm_disk(machine);
	enum status status = machine->kind->commit(machine, now);
	if (fault_disk_is_off(machine->disk)) {
		*moment = WORLD_IN_COMMIT;
		return false;
	}
	if (status != ST_OK) {
		world_break(machine->world, "%s: a commit failed", machine->kind->name);
		*moment = WORLD_BEFORE_COMMIT;
		return false;
	}
	if (crash_is(machine, WORLD_IN_COMMIT)) { /* the commit was too short: the next one then */
		fault_disk_crash_at(machine->disk, 0);
	} else if (crash_is(machine, WORLD_AFTER_COMMIT)) {
		*moment = WORLD_AFTER_COMMIT;
		return false;
	}
	machine->kind->drain(machine, now);
	if (crash_is(machine, WORLD_HALF_DRAINED) && machine->out_count > 0) {
		let_leave(machine, rng_below(&machine->world->fault_rng, (uint32_t)machine->out_count));
		*moment = WORLD_HALF_DRAINED;
		return false;
	}
	let_leave(machine, machine->out_count);
	update_deadline(machine);
	return true;
}

static void turn_ends(struct world *world, const struct world_event *event)
{
	(void)world;
	struct machine *machine = event->owner;
	enum world_moment moment;
	if (machine->turn_open && !end_turn(machine, &moment))
		machine_die(machine, moment);
}

void machine_touch(struct machine *machine)
{
	if (machine->turn_open || !machine->up)
		return;
	machine->turn_open = true;
	machine_put(machine,
		    machine->world->now_us + TURN_MIN_US + rng_below(&machine->world->rng, TURN_SPREAD_US),
		    (struct world_event){.happen = turn_ends});
}

bool io_loop_end_turn_early(struct io_loop *loop)
{
	struct machine *machine = loop->machine;
	if (machine->dying)
		return false;
	if (end_turn(machine, &machine->crash_moment)) {
		machine->turn_open = true; /* the turn's end is on its way */
		return true;
	}
	machine->dying = true;
	return false;
}

void io_loop_touch(struct io_loop *loop)
{
	machine_touch(loop->machine);
}

int64_t machine_next_us(const struct machine *machine)
{
	if (!machine->up || machine->turn_open)
		return WORLD_NEVER;
	return machine->deadline_us > machine->stalled_us ? machine->deadline_us : machine->stalled_us;
}

/* After each of its callbacks. */
void machine_settle(struct machine *machine)
{
	if (machine->dying)
		machine_die(machine, machine->crash_moment);
	else
		machine_touch(machine);
}

void machine_tick(struct machine *machine)
{
	if (machine->ticked_us != machine->world->now_us)
		machine->ticks_in_place = 0;
	machine->ticked_us = machine->world->now_us;
	if (++machine->ticks_in_place > TICKS_IN_PLACE)
		world_break(machine->world, "%s: its deadline does not move", machine->kind->name);
	machine->kind->on_tick(machine, machine_now(machine));
	machine_settle(machine);
}

void machine_happen(struct machine *machine, struct world_event *event)
{
	if (!machine->up || machine->incarnation != event->incarnation)
		return;
	if (machine->stalled_us > machine->world->now_us) {
		struct world_event later = *event;
		later.at_us = machine->stalled_us;
		event->bytes = NULL;
		world_put(machine->world, later);
		return;
	}
	event->happen(machine->world, event);
}

/* --- life --- */

void machine_init(struct machine *machine, struct world *world, enum world_process id,
		  const struct machine_kind *kind)
{
	*machine = (struct machine){.world = world, .id = id, .kind = kind, .deadline_us = WORLD_NEVER};
	machine->loop.machine = machine;
	machine->rng = rng_seeded(world->seed * 16 + (uint64_t)id);
	machine->disk = fault_vfs_disk(kind->name);
}

void machine_start(struct machine *machine)
{
	ASSERT(!machine->up);
	machine->up = true;
	machine->turn_open = machine->dying = machine->crash_planned = false;
	machine->stalled_us = 0;
	if (!machine->kind->start(machine)) {
		world_break(machine->world, "%s: does not start", machine->kind->name);
		machine->up = false;
		machine->incarnation++;
		return;
	}
	update_deadline(machine);
	machine_touch(machine);
}

static void starts_again(struct world *world, const struct world_event *event)
{
	(void)world;
	struct machine *machine = event->object;
	if (!machine->up)
		machine_start(machine);
}

void machine_die(struct machine *machine, enum world_moment moment)
{
	static const enum world_fault of_moment[WORLD_MOMENT_COUNT] = {
		[WORLD_BEFORE_COMMIT] = WORLD_FAULT_CRASH_BEFORE_COMMIT,
		[WORLD_IN_COMMIT] = WORLD_FAULT_CRASH_IN_COMMIT,
		[WORLD_AFTER_COMMIT] = WORLD_FAULT_CRASH_AFTER_COMMIT,
		[WORLD_HALF_DRAINED] = WORLD_FAULT_CRASH_HALF_DRAINED};
	struct world *world = machine->world;
	world_fault_happened(world, of_moment[moment]);
	world_fault_happened(world, WORLD_FAULT_BRIDGE_CRASH + (int)machine->id);
	machine->up = false;
	machine->incarnation++;
	drop_outgoing(machine);
	fault_disk_power_off(machine->disk); /* nothing is written on the way out */
	machine_calls_break(machine);
	machine->kind->release(machine);
	if (moment == WORLD_IN_COMMIT) {
		if (fault_disk_power_on(machine->disk, rng_u64(&world->fault_rng) | 1))
			world_fault_happened(world, WORLD_FAULT_TORN);
	} else {
		fault_disk_restart(machine->disk);
	}
	world_put(world, (struct world_event){.at_us = world->now_us + START_MIN_US +
						       rng_below(&world->rng, START_SPREAD_US),
					      .happen = starts_again,
					      .object = machine});
}

void machine_release(struct machine *machine)
{
	drop_outgoing(machine);
	free(machine->out);
	machine->out = NULL;
	if (!machine->up)
		return;
	machine->up = false;
	machine->incarnation++;
	fault_disk_power_off(machine->disk);
	machine->kind->release(machine);
}

/* --- timers of edges --- */

struct io_timer {
	struct machine *machine;
	void (*callback)(void *ctx, struct now now);
	void *ctx;
	uint64_t id;
	uint64_t generation; /* a start or stop makes what was set before nothing */
	span_us repeat;
	struct io_timer *next; /* of this machine */
};

static void timer_fires(struct world *world, const struct world_event *event);

static void set_timer(struct io_timer *timer, span_us delay)
{
	machine_put(timer->machine, timer->machine->world->now_us + delay,
		    (struct world_event){.happen = timer_fires, .a = timer->id, .b = timer->generation});
}

static void timer_fires(struct world *world, const struct world_event *event)
{
	(void)world;
	struct machine *machine = event->owner;
	struct io_timer *timer = machine->timers;
	while (timer && timer->id != event->a)
		timer = timer->next;
	if (!timer || timer->generation != event->b)
		return;
	if (timer->repeat > 0)
		set_timer(timer, timer->repeat);
	timer->callback(timer->ctx, machine_now(machine));
	machine_settle(machine);
}

struct io_timer *io_timer_new(struct io_loop *loop, void (*callback)(void *ctx, struct now now), void *ctx)
{
	struct io_timer *timer = calloc(1, sizeof *timer);
	ASSERT(timer);
	*timer = (struct io_timer){.machine = loop->machine,
				   .callback = callback,
				   .ctx = ctx,
				   .id = ++loop->machine->last_timer,
				   .next = loop->machine->timers};
	loop->machine->timers = timer;
	return timer;
}

void io_timer_start(struct io_timer *timer, span_us delay, span_us repeat)
{
	timer->generation++;
	timer->repeat = repeat;
	set_timer(timer, delay);
}

void io_timer_stop(struct io_timer *timer)
{
	timer->generation++;
}

void io_timer_free(struct io_timer *timer)
{
	if (!timer)
		return;
	struct io_timer **at = &timer->machine->timers;
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	free(timer);
}
