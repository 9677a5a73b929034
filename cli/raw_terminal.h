/* Standard input as a terminal whose keys go elsewhere as they are, Ctrl-C with them; put back on every way out: a call, exit(), a
 * crash, SIGTSTP (and taken again at SIGCONT). SIGINT, SIGTERM and SIGHUP end the loop and so come to a call. One in a process. */
#ifndef LAMPPOST_CLI_RAW_TERMINAL_H
#define LAMPPOST_CLI_RAW_TERMINAL_H

#include <stdbool.h>

/* False: standard input is no terminal; its flags are put back all the same. */
bool raw_terminal_take(void);
/* Harmless where nothing was taken. */
void raw_terminal_give_back(void);

#endif
