/* A message of alarms as an e-mail that a person understands at three in the morning: what it is in the subject, then for each alarm
 * what is wrong with its numbers, since when, why it may be, what to do, which commands. Pure text; lines end with CR LF. */
#ifndef LAMPPOST_AS_MAIL_TEXT_H
#define LAMPPOST_AS_MAIL_TEXT_H

#include "application-server/alarms/local_time.h"

#include <jansson.h>
#include <stddef.h>

#define AS_MAIL_SUBJECT 400

struct as_mail_frame {
	const char *from, *to; /* addresses, `to` with commas between */
	const char *domain;    /* behind the @ of the message's id */
	const struct as_zone *zone;
	struct wall now;
};

/* Fills the subject in clear. */
const char *as_mail_subject(char text[AS_MAIL_SUBJECT], const json_t *message);
/* Gives head and body, the caller's to free; NULL: no memory. `message` as of as_message_json(). */
char *as_mail_text(const struct as_mail_frame *frame, const json_t *message, size_t *length);

#endif
