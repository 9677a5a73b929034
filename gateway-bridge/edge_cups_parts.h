/* What edge_cups.c and edge_cups_stream.c share; for them alone. */
#ifndef LAMPPOST_BRIDGE_EDGE_CUPS_PARTS_H
#define LAMPPOST_BRIDGE_EDGE_CUPS_PARTS_H

#include "gateway-bridge/edge_cups.h"

/* Begins an answer whose firmware follows in pieces; `head` is all before it. */
void gb_cups_stream_begin(struct gb_cups_asking *asking, struct now now, const uint8_t *head, size_t length);
/* The timer's: asks for more of what stations have taken. */
void gb_cups_feed(void *ctx, struct now now);
/* Its station has gone, or it is over: the place is free. */
void gb_cups_asking_end(struct gb_cups_asking *asking);

#endif
