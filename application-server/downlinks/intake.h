/* Commands as they come from a broker, one message at a time:
 *
 *	topic ──▶ registered device of that application? ──▶ not too fast ──▶ JSON ──▶ DevEUI as in the topic ──▶ seen before?
 *	      ──▶ the device's queue (downlinks/queue.h)
 *
 * What an agency got wrong is counted, and told on its device's `event/log`, at a bounded rate. What is about a device that
 * the topic's application does not have is counted and told to nobody: whose it is, the sender may not learn.
 *
 * A command with an id is known by it. One without is known again if the broker says that it delivers again (DUP) and the same
 * bytes came on the same topic within AS_COMMAND_WINDOW, or under the same message id (store_device.h). Two equal commands
 * without DUP are two commands. A retained message is none: it would come again with every subscription. */
#ifndef LAMPPOST_AS_INTAKE_H
#define LAMPPOST_AS_INTAKE_H

#include "application-server/application.h"
#include "common/base/table.h"

#define AS_INTAKE_BYTES_MAX 16384 /* of one command */
#define AS_INTAKE_RATE      200   /* commands a second of one application, lasting */
#define AS_INTAKE_BURST     20000 /* at once */

enum as_intake_verdict {
	AS_INTAKE_TAKEN,
	AS_INTAKE_REPEATED,  /* known by its id */
	AS_INTAKE_DUPLICATE, /* delivered again by the broker */
	AS_INTAKE_OTHER,     /* not a `down` command */
	AS_INTAKE_RETAINED,
	AS_INTAKE_NO_DEVICE, /* no such topic, application, or device of it */
	AS_INTAKE_TOO_FAST,
	AS_INTAKE_MALFORMED,
	AS_INTAKE_REFUSED, /* by the queue */
	AS_INTAKE_VERDICTS
};
const char *as_intake_verdict_name(enum as_intake_verdict verdict);

struct as_intake {
	struct as_application *app; /* borrowed */
	struct table buckets;       /* by application */
	uint64_t counts[AS_INTAKE_VERDICTS];
};

struct as_intake_message {
	const char *topic;
	const void *bytes;
	size_t length;
	int mid;
	bool dup, retained;
};

void as_intake_init(struct as_intake *intake, struct as_application *app);
void as_intake_release(struct as_intake *intake);
/* Takes one message into the turn; ST_OK whatever the verdict, anything else means that the turn will not commit. */
enum status as_intake_take(struct as_intake *intake, struct now now, const struct as_intake_message *message,
			   enum as_intake_verdict *verdict) MUST_USE;

#endif
