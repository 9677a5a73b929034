/* A whole network under test, as an administrator has it: a state directory, a configuration with free ports, Mosquitto, the real
 * `lamppost up` with its four processes, and the public command line.
 *
 *	struct t_network *network = t_network_start("");
 *	t_network_furnish(network);                          agency, application, profiles, gateways, five sensors
 *	struct t_subscriber *agency = t_network_subscribe(network);
 *	struct t_process *simulator = t_network_simulate(network, "simulator/scenarios/demo.yaml", "30");
 *	t_network_kill(network, T_JOIN_SERVER);
 *	...
 *	t_int("check", 0, t_network_check(network, agency, true));
 *	t_subscriber_free(agency);
 *	t_network_free(network);                              stops it, fails the row if that was not orderly
 *
 * Test programs run in the project's root folder; one network at a time. */
#ifndef LAMPPOST_TESTS_NETWORK_H
#define LAMPPOST_TESTS_NETWORK_H

#include "tests/harness/mosquitto.h"
#include "tests/harness/process.h"

#include <jansson.h>

enum t_role { T_JOIN_SERVER, T_APPLICATION_SERVER, T_NETWORK_SERVER, T_GATEWAY_BRIDGE, T_ROLE_COUNT };
const char *t_role_name(enum t_role role);

#define T_PATH_MAX 256
/* A sanitized process starts and works several times slower. */
#define T_SLOW_CEILING (3 * T_CEILING)

struct t_network; /* opaque */

/* Makes all of it and waits until four processes are healthy; aborts with their log when they are not. `more_config` is YAML
 * that is appended to the configuration; its sections are `join-server`, `network-server`. */
struct t_network *t_network_start(const char *more_config);
/* The same, and gateways may come by the broker (mqtt_gateway.h). */
struct t_network *t_network_start_by_mqtt(const char *more_config);
/* The same, and stations listen to TLS as well: every protocol side by side. */
struct t_network *t_network_start_for_gateways(const char *more_config);
uint16_t t_network_station_port(const struct t_network *network);
/* SIGTERM to `lamppost up`; a code other than 0 fails the row, as does a sanitizer's report in any log. What it wrote stays. */
void t_network_stop(struct t_network *network);
/* Stops it if it still runs, and removes all that it wrote. */
void t_network_free(struct t_network *network);

const char *t_network_dir(const struct t_network *network);   /* state/, config/, logs */
const char *t_network_state(const struct t_network *network); /* DIR/state */
uint16_t t_network_port(const struct t_network *network);     /* Semtech UDP */
uint16_t t_network_cups_port(const struct t_network *network);
struct t_mosquitto *t_network_broker(struct t_network *network);
const char *t_network_admin(const struct t_network *network, enum t_role role); /* admin socket's path */
/* A subscriber to all events of applications, with a persistent session. */
struct t_subscriber *t_network_subscribe(struct t_network *network);

/* Waits until all four say that they are healthy. */
bool t_network_healthy(struct t_network *network);
/* A process's id; 0 while it does not run. */
int t_network_pid(const struct t_network *network, enum t_role role);
/* SIGKILL; returns false if it did not run. The supervisor starts it again. */
bool t_network_kill(struct t_network *network, enum t_role role);
/* SIGHUP to the supervisor, which passes it on. */
void t_network_hangup(struct t_network *network);
/* SIGKILL to the supervisor and to all four at once; t_network_resume() starts the supervisor again and waits until all are well. */
void t_network_crash(struct t_network *network);
bool t_network_resume(struct t_network *network);
/* Adds "NAME=value" to the environment of commands ("LAMPPOST_SOCKET=..."); borrowed. NULL: no more. */
void t_network_variable(struct t_network *network, const char *variable);

/* Runs `lamppost WORDS...` and returns its exit code. */
#define t_cli(network, ...) t_cli_at(network, (const char *const[]){__VA_ARGS__, NULL})
int t_cli_at(struct t_network *network, const char *const *words);
/* What the last command wrote to either stream; valid until the next. */
const char *t_cli_output(const struct t_network *network);
/* Runs it and fails the row, showing the output, when the exit code is another. */
#define t_cli_must(network, code, ...) t_cli_must_at(network, code, (const char *const[]){__VA_ARGS__, NULL})
bool t_cli_must_at(struct t_network *network, int code, const char *const *words);

/* Registers what `make demo` registers: agency parks, application city-block, five profiles with codecs, two gateways and the five
 * devices of simulator/scenarios/demo.csv. Waits until the network server has it all. */
void t_network_furnish(struct t_network *network);
/* Waits until network server and join server have applied every change that was made so far. */
bool t_network_replicated(struct t_network *network);

/* Starts `lamppost-sim run SCENARIO` for so many seconds (NULL: until stopped); its report will be DIR/sent.json. */
struct t_process *t_network_simulate(struct t_network *network, const char *scenario, const char *seconds);
/* The same, sending to another port of 127.0.0.1 than the bridge's (udp_tap.h). */
struct t_process *t_network_simulate_at(struct t_network *network, const char *scenario, const char *seconds,
					uint16_t port);
/* Starts any program of the build with the network's environment (`lamppost frames --follow`); its log is DIR/NAME.log. */
struct t_process *t_network_program(struct t_network *network, const char *program, const char *name,
				    const char *const *words);
/* The report; the caller releases it. NULL when there is none. */
json_t *t_network_report(const struct t_network *network);
/* Writes what was received as `lamppost-sim view` does, runs `lamppost-sim check`, shows what it says unless it holds, and returns
 * its exit code. */
int t_network_check(struct t_network *network, struct t_subscriber *subscriber, bool allow_loss, bool show);

#endif
