/* Gets the answer to "why?": from the application server, which adds what it knows and what the caller may see; and when that is
 * not reached, from the processes' admin sockets by itself, so that there is an answer when it is needed most. */
#ifndef LAMPPOST_CLI_WHY_ASK_H
#define LAMPPOST_CLI_WHY_ASK_H

#include "cli/arguments.h"
#include "common/text/why.h"

struct cli_why {
	struct why_subject subject;
	unsigned limit;   /* decisions */
	long since_s;     /* 0: all */
	const char *what; /* for messages: what the caller typed */
};

/* CLI_DONE with `*answer` (the caller's) in the form of why_answer(); `*direct`: the processes were asked without the application
 * server. Else the exit code, said. */
int cli_why_ask(const struct cli_arguments *arguments, const struct cli_why *why, json_t **answer,
		bool *direct);

#endif
