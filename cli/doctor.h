/* `lamppost doctor`: looks at the machine and at what runs on it (doctor_look.h), judges it (doctor_judge.h), and says what to
 * do. Works as root and as an ordinary user, with Lamppost running or not: what may not be read is skipped, and said. */
#ifndef LAMPPOST_CLI_DOCTOR_H
#define LAMPPOST_CLI_DOCTOR_H

#include "cli/command.h"

extern const struct cli_command cli_doctor_commands[];
extern const size_t cli_doctor_command_count;

#endif
