/* Calls of the REST API, one after the other, over city.sock. A call that fails has already said so on standard error in
 * the command line's form; its caller only returns the exit code. */
#ifndef LAMPPOST_CLI_CLIENT_H
#define LAMPPOST_CLI_CLIENT_H

#include "cli/arguments.h"
#include "common/base/units.h"
#include "common/io/http.h"

#include <jansson.h>

#define CLI_TARGET_MAX 512
#define CLI_SOCKET_MAX 512

struct cli_client; /* opaque */

/* Fills the API's socket: the option, LAMPPOST_SOCKET, city.sock where the network of this machine has its sockets. CLI_DONE,
 * else the code to exit with, reported. */
int cli_socket_find(char socket[CLI_SOCKET_MAX], const struct cli_arguments *arguments);

/* Opens the way to the socket that the arguments, LAMPPOST_SOCKET, LAMPPOST_RUN, LAMPPOST_STATE or the configuration name.
 * Never fails: the first call tells whether somebody is there. What is wrong with the way itself (a configuration that
 * cannot be read) is reported here, and each call then only returns its exit code. */
struct cli_client *cli_client_new(const struct cli_arguments *arguments);
void cli_client_free(struct cli_client *client); /* NULL is allowed */
const char *cli_client_socket(const struct cli_client *client);
/* Whether the command says --allow-known-keys (key_rules.h). */
bool cli_client_allows_known_keys(const struct cli_client *client);

/* Sends `body` (borrowed; NULL: none) and waits. CLI_DONE with `*answer` (the caller's; may be set to NULL by an answer
 * without a body; `answer` itself may be NULL) for 2xx, else an enum cli_exit, reported as about `what`. */
int cli_call(struct cli_client *client, const char *what, enum io_http_method method, const char *target,
	     json_t *body, json_t **answer);

/* As cli_call for a body of problem+json: hands it over instead of reporting. `*code` is the HTTP status. */
int cli_call_raw(struct cli_client *client, const char *what, enum io_http_method method, const char *target,
		 json_t *body, json_t **answer, int *code);
/* Reports that nobody answers on a socket, or that this user may not use it, and returns the exit code. */
int cli_not_reached(const char *what, const char *socket);
/* Reports a problem+json answer and returns its exit code. */
int cli_report_answer(const char *what, int code, const json_t *problem);

/* Gives the answer to a GET that may as well have none (no such record, nobody there), the caller's; NULL without a word. */
json_t *cli_try(struct cli_client *client, const char *target);
/* The same with a patience of its own. */
json_t *cli_try_within(struct cli_client *client, const char *target, span_us patience);

/* Follows server-sent events from `target` until interrupted or closed; `on_event` gets each event's data and kind, and
 * returns false to stop. CLI_INTERRUPTED after SIGINT. */
int cli_follow(struct cli_client *client, const char *what, const char *target,
	       bool (*on_event)(void *ctx, const char *id, const char *kind, const char *data), void *ctx);

/* Appends text to a target, percent-encoded; false when it does not fit. */
bool cli_target_append(char target[CLI_TARGET_MAX], const char *text);
/* Appends `?name=value` or `&name=value`. */
bool cli_target_append_query(char target[CLI_TARGET_MAX], const char *name, const char *value);

#endif
