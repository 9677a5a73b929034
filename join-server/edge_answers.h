/* Asynchronous answers on their way to the peers' own URLs: bounded in number, each tried JS_ANSWER_TRIES times within the time
 * that a device waits. For edge_joins.c. */
#ifndef LAMPPOST_JOIN_SERVER_ANSWERS_H
#define LAMPPOST_JOIN_SERVER_ANSWERS_H

#include "join-server/edge_joins.h"

void js_answers_open(struct js_edge_joins *edge);
void js_answers_release(struct js_edge_joins *edge); /* wipes; harmless when not opened */
/* Leaves after the turn's commit. */
void js_answers_add(struct js_edge_joins *edge, struct now now, const struct js_peer *peer, const char *text,
		    size_t length);

#endif
