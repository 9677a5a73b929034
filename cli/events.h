/* `lamppost events --follow`: readings and joins as they are delivered. */
#ifndef LAMPPOST_CLI_EVENTS_H
#define LAMPPOST_CLI_EVENTS_H

/* argv[0] is "events". Returns an enum cli_exit. */
int cli_events(int argc, char **argv);

#endif
