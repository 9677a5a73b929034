/* `lamppost gateway certificate`, `gateway token`, `gateway firmware` and `audit list`. */
#ifndef LAMPPOST_CLI_GATEWAY_CERTIFICATE_H
#define LAMPPOST_CLI_GATEWAY_CERTIFICATE_H

#include "cli/client.h"
#include "cli/command.h"

extern const struct cli_command cli_gateway_certificate_commands[];
extern const size_t cli_gateway_certificate_command_count;
extern const struct cli_command cli_gateway_token_commands[];
extern const size_t cli_gateway_token_command_count;
extern const struct cli_command cli_gateway_firmware_commands[];
extern const size_t cli_gateway_firmware_command_count;
extern const struct cli_command cli_audit_commands[];
extern const size_t cli_audit_command_count;

/* One word of several that a command's second operand may be. */
struct cli_verb {
	const char *name;
	int (*run)(const struct cli_arguments *arguments);
};
/* Runs the one that is named; CLI_USAGE with the words that there are. */
int cli_verb_run(const struct cli_verb *verbs, size_t count, const char *name,
		 const struct cli_arguments *arguments);
/* A gateway's target with a tail ("/certificates"); CLI_DONE, or CLI_USAGE reported. */
int cli_gateway_target(char *target, const struct cli_arguments *arguments, const char *gateway,
		       const char *tail);
/* One call about the gateway of the first operand; `query` NULL: none. As cli_call(). */
int cli_gateway_call(const struct cli_arguments *arguments, enum io_http_method method, const char *tail,
		     const char *query, const char *value, json_t *body, json_t **answer);
/* Lends a member that is text; "" when there is none. */
const char *cli_text_of(const json_t *object, const char *name);

/* Options of commands that write a station's files. */
#define CLI_CREDENTIAL_OPTIONS                                                                            \
	{"output", "DIR", "where to write the files that the station reads; it is made"},                 \
		{"der", NULL, "write DER instead of PEM"},                                                \
		{"tc-uri", "URI", "what stands in tc.uri; default: the record's or the configuration's"}, \
		{"cups-uri", "URI", "the same for cups.uri"},                                             \
	{                                                                                                 \
		"cups", NULL, "hand it over by CUPS when the station asks next, instead of writing files" \
	}

#endif
