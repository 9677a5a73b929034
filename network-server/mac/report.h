/* GET /mac/device/{eui} of the admin socket: what a device has taken and refused of what the network wants of it, parameter by
 * parameter.
 *
 *	{"dev_eui", "dev_addr", "mac_version", "class": "A", "sticky": false, "rejoin_ordered": 0,
 *	 "parameters": [{"name": "rx2_freq_hz", "command": "RXParamSetupReq", "desired": 869525000, "confirmed": 869525000,
 *	                 "state": "agreed", "tries": 0, "next_in_uplinks": 0}]}
 *
 *	agreed                  the device has it
 *	due                     it will be asked after `next_in_uplinks` uplinks: with the next downlink, or later where the
 *	                        device has refused several requests of that command in a row
 *	asked                   it was asked `tries` times and has not answered; again after `next_in_uplinks` uplinks
 *	refused                 it said no: not asked again until something else is wanted
 *	not_known_to_version    its version has no such command: it stays as it is
 *
 * `mac_version` is the one that the session follows: 1.0.4 where a device of 1.1 has not the keys of 1.1. A parameter that its region does not have is left out. `confirmed` is null where nobody knows what the device has. */
#ifndef LAMPPOST_NETWORK_SERVER_MAC_REPORT_H
#define LAMPPOST_NETWORK_SERVER_MAC_REPORT_H

#include "network-server/network.h"

#include <stdio.h>

/* Writes it and returns true, or writes nothing: no such device, or it has no session. The core is not changed. */
bool ns_mac_report(struct ns *ns, const struct lw_eui64 *dev_eui, FILE *out);

#endif
