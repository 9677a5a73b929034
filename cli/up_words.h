/* What `lamppost up` says: a line a change, in words for people or, with --json, as one object. */
#ifndef LAMPPOST_CLI_UP_WORDS_H
#define LAMPPOST_CLI_UP_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* The state directory and its keys are new. {"made", "join_server_fingerprint"} */
void cli_up_say_made(bool json, const char *state, const char *fingerprint);
/* {"process", "state", "detail"} */
void cli_up_say_entered(bool json, const char *process, const char *state, const char *detail);
/* All four, for the first time. {"healthy": true, "version", "api"} */
void cli_up_say_healthy(bool json, const char *run);
/* Fills "ended by signal 9" or "exit code 2". */
void cli_up_describe_end(char *text, size_t capacity, int exit_code, int signal_number);
/* The process that an answer of /healthz is from; 0: it does not say. */
long long cli_up_pid_of(const char *body, size_t length);
/* Fills the path of a program of ours, which stands beside this one. False, said: it is not there. */
bool cli_up_find_program(char *path, size_t capacity, const char *name);

#endif
