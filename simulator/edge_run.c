/* Real time drives the world: the loop's deadline is the world's next event, and every event is handled at its own time however late the
 * loop wakes. Datagrams of a gateway leave by two sockets of its own, as a forwarder has them; a station has its WebSocket (edge_station.h).
 *
 *	running ──duration is over──▶ draining (no new frames) ──all frames over, or drain_s──▶ report, exit
 *	   └───────first signal──────▶ draining ──1 s──▶ report, exit
 *
 * A second signal ends it at once. */
#include "simulator/edge_run.h"

#include "simulator/edge_mqtt.h"
#include "simulator/edge_station.h"
#include "simulator/report.h"
#include "simulator/world.h"

#include "common/base/check.h"
#include "common/io/clock.h"
#include "common/io/loop.h"
#include "common/io/udp.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX      (4ul << 20)
#define DRAIN_STEP_US INT64_C(200000)
#define SETTLE_US     INT64_C(1000000) /* acknowledgements of the last datagrams */

struct run;

struct wire {
	struct run *run;
	size_t gateway;
	struct io_udp *udp;
};

struct run {
	const struct sim_run_options *options;
	struct sim_scenario scenario;
	struct sim_world *world;
	struct io_loop *loop;
	struct wire *wires; /* two for each gateway: up, down; unused for stations */
	struct sim_edge_stations *stations;
	struct sim_edge_mqtts *mqtts;
	struct io_address bridge;
	struct now start;
	int64_t end_us;   /* SIM_NEVER: until stopped */
	int64_t check_us; /* draining: the next look */
	int64_t limit_us; /* draining: the last one */
	bool draining;
	bool stopped;
	size_t printed;
	int exit_code;
};

char *sim_edge_read_file(const char *path, unsigned long *length)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(FILE_MAX + 1);
	ASSERT(text != NULL);
	if (file == NULL) {
		fprintf(stderr, "lamppost-sim: %s: cannot be opened\n", path);
		free(text);
		return NULL;
	}
	*length = fread(text, 1, FILE_MAX + 1, file);
	bool ok = !ferror(file) && *length <= FILE_MAX;
	fclose(file);
	if (ok) {
		text[*length] = '\0';
		return text;
	}
	fprintf(stderr, "lamppost-sim: %s: cannot be read, or over 4 MiB\n", path);
	free(text);
	return NULL;
}

static int64_t world_time(const struct run *run, struct now now)
{
	return mono_since(now.mono, run->start.mono);
}

static void send_datagram(void *ctx, int64_t now_us, size_t gateway, enum sim_socket socket,
			  const uint8_t *bytes, size_t length)
{
	struct run *run = ctx;
	(void)now_us;
	struct wire *wire = &run->wires[2 * gateway + (socket == SIM_SOCKET_DOWN)];
	(void)!io_udp_send(wire->udp, &run->bridge, bytes, length); /* a full queue is a loss, as on a wire */
}

static void on_datagram(void *ctx, struct now now, const struct io_address *from, const uint8_t *bytes,
			size_t length)
{
	struct wire *wire = ctx;
	(void)from;
	sim_world_deliver(wire->run->world, world_time(wire->run, now), wire->gateway, bytes, length);
}

static void print_new(struct run *run)
{
	size_t count;
	uint64_t dropped;
	const struct sim_entry *entries = sim_world_entries(run->world, &count, &dropped);
	for (; run->printed < count; run->printed++) {
		if (!run->options->quiet)
			sim_report_line(stdout, run->world, &entries[run->printed]);
	}
	if (!run->options->quiet)
		fflush(stdout);
}

static bool write_report(struct run *run, int64_t now_us)
{
	if (run->options->report_file == NULL)
		return true;
	json_t *report = sim_report_json(run->world, run->start.wall, now_us);
	bool ok = report != NULL && json_dump_file(report, run->options->report_file, JSON_INDENT(1)) == 0;
	json_decref(report);
	if (!ok)
		fprintf(stderr, "lamppost-sim: %s: cannot be written\n", run->options->report_file);
	return ok;
}

static void finish(struct run *run, int64_t now_us)
{
	char why[128];
	if (run->stopped)
		return;
	run->stopped = true;
	print_new(run);
	run->exit_code = write_report(run, now_us) ? 0 : 1;
	if (!run->options->quiet)
		sim_report_summary(stdout, run->world, now_us);
	if (!sim_world_expectations_hold(run->world, why, sizeof why)) {
		fprintf(stderr, "lamppost-sim: expectation failed: %s\n", why);
		run->exit_code = 1;
	}
	io_loop_stop(run->loop, run->exit_code);
}

static void begin_drain(struct run *run, int64_t now_us, int64_t longest_us)
{
	run->draining = true;
	sim_world_quieten(run->world);
	run->check_us = now_us + SETTLE_US;
	run->limit_us = now_us + (longest_us > SETTLE_US ? longest_us : SETTLE_US);
}

static void drain_step(struct run *run, int64_t now_us)
{
	if (!run->draining) {
		begin_drain(run, now_us, (int64_t)(run->options->drain_s * 1e6));
	} else if (sim_world_is_quiet(run->world) || now_us >= run->limit_us) {
		finish(run, now_us);
	} else {
		run->check_us = now_us + DRAIN_STEP_US;
	}
}

static struct mono next_deadline(void *ctx)
{
	struct run *run = ctx;
	int64_t next_us = sim_world_next_us(run->world);
	int64_t own_us = run->draining ? run->check_us : run->end_us;
	next_us = own_us < next_us ? own_us : next_us;
	if (next_us == SIM_NEVER || run->stopped)
		return (struct mono){INT64_MAX};
	return mono_add(run->start.mono, next_us);
}

static void on_tick(void *ctx, struct now now)
{
	struct run *run = ctx;
	int64_t now_us = world_time(run, now);
	sim_world_run(run->world, now_us);
	print_new(run);
	if (now_us >= (run->draining ? run->check_us : run->end_us))
		drain_step(run, now_us);
}

static void on_stop(void *ctx, struct now now)
{
	struct run *run = ctx;
	begin_drain(run, world_time(run, now), 0);
}

static bool open_sockets(struct run *run)
{
	run->wires = calloc(2 * run->scenario.gateway_count + 1, sizeof *run->wires);
	ASSERT(run->wires != NULL);
	for (size_t i = 0; i < 2 * run->scenario.gateway_count; i++) {
		struct wire *wire = &run->wires[i];
		wire->run = run;
		wire->gateway = i / 2;
		const struct sim_gateway_config *config = &run->scenario.gateways[i / 2].config;
		if (config->is_station || config->is_mqtt)
			continue;
		struct io_udp_options options = {.host = run->scenario.gateways[i / 2].address,
						 .receive_buffer = 1u << 20,
						 .on_datagram = on_datagram,
						 .ctx = wire};
		if (io_udp_open(run->loop, &options, &wire->udp) != ST_OK) {
			fprintf(stderr, "lamppost-sim: no socket on %s\n", options.host);
			return false;
		}
	}
	return true;
}

static bool load(struct run *run)
{
	char error[SIM_SCENARIO_ERROR];
	unsigned long length;
	char *text = sim_edge_read_file(run->options->scenario_file, &length);
	bool ok = text != NULL &&
		  sim_scenario_load(&run->scenario, run->options->scenario_file, text, length, error);
	if (text != NULL && !ok)
		fprintf(stderr, "lamppost-sim: %s\n", error);
	free(text);
	if (!ok || run->options->devices_file == NULL)
		return ok;
	text = sim_edge_read_file(run->options->devices_file, &length);
	ok = text != NULL && sim_scenario_load_devices(&run->scenario, text, length, error);
	if (text != NULL && !ok)
		fprintf(stderr, "lamppost-sim: %s: %s\n", run->options->devices_file, error);
	free(text);
	return ok;
}

int sim_edge_run(const struct sim_run_options *options)
{
	struct run run = {.options = options, .end_us = SIM_NEVER, .exit_code = 2};
	if (io_address_parse_pair(options->bridge, &run.bridge) != ST_OK) {
		fprintf(stderr, "lamppost-sim: --bridge %s: expected HOST:PORT, numeric\n", options->bridge);
		return 2;
	}
	bool loaded = load(&run);
	loaded = loaded && sim_edge_stations_prepare(&run.scenario, options->lns);
	if (loaded && !sim_edge_mqtts_set_broker(&run.scenario, options->broker)) {
		fprintf(stderr, "lamppost-sim: --broker %s, or a gateway's: expected mqtt[s]://HOST:PORT\n",
			options->broker);
	} else if (loaded) {
		bool failed, no_broker;
		struct io_turn turn = {
			.next_deadline = next_deadline, .on_tick = on_tick, .on_stop = on_stop, .ctx = &run};
		run.loop = io_loop_new(&turn);
		run.start = clock_now();
		run.world = sim_world_new(&run.scenario, run.start.wall,
					  (struct sim_port){send_datagram, &run});
		ASSERT(run.world != NULL);
		if (options->duration_s >= 0)
			run.end_us = (int64_t)(options->duration_s * 1e6);
		else if (run.scenario.duration_us > 0)
			run.end_us = run.scenario.duration_us;
		run.exit_code = 1;
		run.stations = sim_edge_stations_new(run.loop, run.world, run.start.mono, false, &failed);
		run.mqtts = sim_edge_mqtts_new(run.loop, run.world, run.start.mono, &no_broker);
		if (open_sockets(&run) && !failed && !no_broker)
			run.exit_code = io_loop_run(run.loop);
		for (size_t i = 0; i < 2 * run.scenario.gateway_count; i++)
			if (run.wires[i].udp != NULL)
				io_udp_close(run.wires[i].udp);
		free(run.wires);
		sim_edge_mqtts_free(run.mqtts);
		sim_edge_stations_free(run.stations);
		sim_world_free(run.world);
		io_loop_free(run.loop);
	}
	sim_scenario_release(&run.scenario);
	return run.exit_code;
}
