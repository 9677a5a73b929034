/* The declarative codecs of profiles, kept parsed: a bounded cache, emptied whenever a profile changes. */
#ifndef LAMPPOST_AS_CODECS_H
#define LAMPPOST_AS_CODECS_H

#include "application-server/store_keys.h"
#include "common/text/codec.h"

#define AS_CODECS_KEPT 64

struct as_codecs {
	struct as_codec_slot {
		struct net_uuid profile;
		struct codec *codec; /* owned; NULL: the slot is free */
	} slots[AS_CODECS_KEPT];
	size_t next; /* the slot that goes first */
};

void as_codecs_clear(struct as_codecs *codecs);
/* Lends the profile's codec until the next call; NULL: none, or it does not load. */
const struct codec *as_codecs_get(struct as_codecs *codecs, struct as_store *store,
				  const struct net_uuid *profile);
/* Checks a codec as a profile states it (a JSON object); false with the reason. */
bool as_codec_check(const json_t *object, char error[CODEC_ERROR_MAX]);

#endif
