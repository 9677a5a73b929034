/* `lamppost-sim view`: an MQTT subscriber that shows what an agency gets, a line a message, and can keep every message for
 * a check afterwards. It knows topics and JSON as any subscriber does, and nothing of the servers. */
#ifndef LAMPPOST_SIM_VIEW_H
#define LAMPPOST_SIM_VIEW_H

/* argv[0] is "view". Returns an exit code: 0 after SIGTERM or SIGINT, 1 failed, 2 usage. */
int sim_view(int argc, char **argv);

#endif
