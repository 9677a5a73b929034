/* Holds against each other what devices sent and had acknowledged (a run's report, simulator/report.h) and what a subscriber got
 * (`lamppost-sim view --log`): nothing lost that the network answered for, nothing invented, nothing repeated.
 *
 *	delivered    every reading that a gateway heard; where losses are allowed (processes were killed), every one that was
 *	             acknowledged or otherwise answered
 *	as sent      address, counter, port and payload of an event are those of a frame that the device sent
 *	once         one frame is one event id, however often it is delivered; one id is one content
 *	in order     first deliveries of a session have rising counters
 *	joins        every accepted join-accept has its event; no DevNonce is accepted and no JoinNonce given twice
 *	air          no FCntDown stands for two contents; no device heard a counter again, a bad MIC, a gap,
 *	             more bytes than the data rate carries, or an ACK for what was not confirmed
 *
 * Only what the report and the subscriber say is looked at: the servers' own word counts for nothing here. */
#ifndef LAMPPOST_SIM_CHECK_H
#define LAMPPOST_SIM_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct sim_check_options {
	bool allow_loss; /* readings without an answer may be missing */
	bool unfinished; /* the run was ended before its time: a device may not have joined yet */
};

struct sim_check_sum {
	unsigned devices, joined;
	unsigned readings;  /* heard by at least one gateway */
	unsigned delivered; /* of those */
	unsigned acknowledged;
	unsigned events;   /* ups and joins received, repeats included */
	unsigned repeats;  /* of those, delivered again under the same id */
	unsigned problems; /* 0: everything holds */
};

/* `received` is an array of {topic, kind, event}, in order of arrival. Writes one line a problem (the first 50) to `out`, fills
 * `sum`, and returns whether everything holds. A report that is not one is a problem. */
bool sim_check(const json_t *report, const json_t *received, const struct sim_check_options *options,
	       FILE *out, struct sim_check_sum *sum);

/* `lamppost-sim check`: reads the two files. argv[0] is "check". Returns an exit code: 0 everything holds, 1 not, 2 usage. */
int sim_check_command(int argc, char **argv);

#endif
