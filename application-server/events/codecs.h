/* The codecs of profiles, kept parsed: a bounded cache, emptied whenever a profile changes. A profile's codec is a JSON
 * text: the name of a built-in one ("cayenne-lpp"), or a declarative codec as an object. */
#ifndef LAMPPOST_AS_CODECS_H
#define LAMPPOST_AS_CODECS_H

#include "application-server/store_keys.h"
#include "common/text/cayenne_lpp.h"
#include "common/base/decision.h"
#include "common/text/codec.h"

#define AS_CODECS_KEPT     64
#define AS_CODEC_CAUSE_MAX 192

struct as_codecs {
	struct as_codec_slot {
		struct net_uuid profile;
		struct as_codec *codec; /* owned; NULL: the slot is free */
	} slots[AS_CODECS_KEPT];
	size_t next; /* the slot that goes first */
};

enum as_codec_result {
	AS_CODEC_DONE,
	AS_CODEC_NONE,  /* the profile has no codec, or one that does not load */
	AS_CODEC_FAILED /* `cause` says why */
};

void as_codecs_clear(struct as_codecs *codecs);
/* Checks a codec as a profile states it (a JSON object or a name); false with the reason. */
bool as_codec_check(const json_t *codec, char error[CODEC_ERROR_MAX]);

/* Reads a payload in clear. Gives `*object`, a new one, with AS_CODEC_DONE alone. Unless AS_CODEC_NONE, `said` gets table, verdict
 * and numbers of what the codec made of it (why/rules.h); the rest of it stays. */
enum as_codec_result as_codecs_decode(struct as_codecs *codecs, struct as_store *store,
				      const struct net_uuid *profile, uint8_t fport, const uint8_t *payload,
				      size_t length, json_t **object, char cause[AS_CODEC_CAUSE_MAX],
				      struct decision *said);
/* Makes the payload of a downlink from `object`. A declarative codec has no such side: AS_CODEC_NONE. */
enum as_codec_result as_codecs_encode(struct as_codecs *codecs, struct as_store *store,
				      const struct net_uuid *profile, const json_t *object, uint8_t *payload,
				      size_t capacity, size_t *length, char cause[AS_CODEC_CAUSE_MAX]);

#endif
