/* `lamppost-sim cups`: one station's way from its configuration server to its LNS. */
#ifndef LAMPPOST_SIM_EDGE_CUPS_COMMAND_H
#define LAMPPOST_SIM_EDGE_CUPS_COMMAND_H

/* `argv[0]` is "cups". Returns the exit code: 0 done, 1 failed, 2 usage, 4 refused, 5 not reached, 6 timed out. */
int sim_cups_command(int argc, char **argv);

#endif
