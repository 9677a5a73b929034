/* UUIDs as text: 8-4-4-4-12 lower-case digits. */
#ifndef LAMPPOST_AS_UUID_H
#define LAMPPOST_AS_UUID_H

#include "common/base/rng.h"
#include "common/proto/network_messages.h"

#define AS_UUID_TEXT 37 /* 36 characters and NUL */

/* Parses either case; false, `uuid` untouched, for anything else. */
bool as_uuid_parse(const char *text, struct net_uuid *uuid);
/* Fills the text and returns it. */
const char *as_uuid_format(char text[AS_UUID_TEXT], const struct net_uuid *uuid);
/* Draws a random one (version 4). */
struct net_uuid as_uuid_new(struct rng *rng);
bool as_uuid_equal(const struct net_uuid *a, const struct net_uuid *b);

#endif
