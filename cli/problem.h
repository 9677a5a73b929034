/* How the command line fails: one form of message on standard error, one table of exit codes (docs/contract.md):
 *
 *	lamppost: WHAT: WHY. Try: WHAT NEXT.
 */
#ifndef LAMPPOST_CLI_PROBLEM_H
#define LAMPPOST_CLI_PROBLEM_H

enum cli_exit {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_NOT_FOUND = 3,
	CLI_REFUSED = 4,     /* by a rule: validation, rights, a conflict */
	CLI_NOT_REACHED = 5, /* the server */
	CLI_TIMED_OUT = 6,
	CLI_INTERRUPTED = 130
};

/* Prints the message and returns `code`, so that a command can say `return cli_problem(...)`. `next` may be NULL; `why` is
 * a format. Full stops are added where they are missing. */
int cli_problem(enum cli_exit code, const char *what, const char *next, const char *why, ...)
	__attribute__((format(printf, 4, 5)));

#endif
