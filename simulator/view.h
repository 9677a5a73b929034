/* `lamppost-sim view`: an MQTT subscriber that shows what an agency gets, a line a message, and can keep every message for
 * a check afterwards. It knows topics and JSON as any subscriber does, and nothing of the servers. */
#ifndef LAMPPOST_SIM_VIEW_H
#define LAMPPOST_SIM_VIEW_H

#include <stdbool.h>

/* The table's columns for a terminal of `columns` characters (0: no terminal, no limit): a line must not wrap, so a narrow one
 * goes without the radio's figures, a narrower one without the counter, and the reading gets what is left. */
struct sim_view_layout {
	int reading; /* characters */
	bool counter, radio;
};
struct sim_view_layout sim_view_layout(unsigned columns);

/* argv[0] is "view". Returns an exit code: 0 after SIGTERM or SIGINT, 1 failed, 2 usage. */
int sim_view(int argc, char **argv);

#endif
