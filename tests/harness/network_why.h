/* What the network server of a rig has recorded, for tests: asked as the admin socket asks, so that a test sees what a person
 * would. */
#ifndef LAMPPOST_TESTS_NETWORK_WHY_H
#define LAMPPOST_TESTS_NETWORK_WHY_H

#include "tests/harness/network_rig.h"

/* The numbers of the newest decision `verdict` in an answer, as "fcnt:3,expected:6"; "nothing" where there is none.
 * `about`: "device:EUI", "gateway:EUI", "frame:MIC", "frame:MIC@DEVADDR" (or DEVEUI), "addr:DEVADDR" or "server". Valid until the next call. */
const char *rig_decided(const struct rig *rig, const char *about, const char *verdict);
/* The same of the rig's first device (its slot is 0). */
const char *rig_decided_of_device(const struct rig *rig, const char *verdict);
/* The whole answer, or "" where nothing is known; the caller's to free. */
char *rig_why(const struct rig *rig, const char *about, unsigned limit);
/* The verdicts of an answer, the newest first: "uplink downlink_planned". Valid until the next call. */
const char *rig_verdicts(const struct rig *rig, const char *about);

#endif
