/* A profile keeps its codec as JSON. JSON is YAML, so the loader of the YAML form reads it as it stands. */
#include "application-server/events/codecs.h"

#include "application-server/uuid.h"
#include "application-server/why/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct as_codec {
	bool is_lpp;
	struct codec declarative;
};

void as_codecs_clear(struct as_codecs *codecs)
{
	for (size_t i = 0; i < AS_CODECS_KEPT; i++)
		free(codecs->slots[i].codec);
	*codecs = (struct as_codecs){.next = 0};
}

/* --- loading */

/* Blanks after colons and commas, as YAML's flow form wants them. */
static char *text_of(const json_t *object)
{
	return json_dumps(object, JSON_PRESERVE_ORDER);
}

static bool load(struct as_codec *codec, const json_t *stated, char error[CODEC_ERROR_MAX])
{
	*codec = (struct as_codec){.is_lpp = json_is_string(stated)};
	if (codec->is_lpp) {
		bool is_known = strcmp(json_string_value(stated), LPP_NAME) == 0;
		if (!is_known)
			snprintf(error, CODEC_ERROR_MAX, "no built-in codec of this name, only " LPP_NAME);
		return is_known;
	}
	char *text = text_of(stated);
	snprintf(error, CODEC_ERROR_MAX, "no memory");
	bool loaded = text && codec_load(&codec->declarative, "codec", text, strlen(text), error);
	free(text);
	return loaded;
}

bool as_codec_check(const json_t *stated, char error[CODEC_ERROR_MAX])
{
	struct as_codec *codec = malloc(sizeof *codec);
	bool loaded = codec && load(codec, stated, error);
	free(codec);
	return loaded;
}

static struct as_codec *load_stored(struct as_store *store, const struct net_uuid *profile)
{
	const char *stored;
	if (as_store_codec(store, profile, &stored) != ST_OK)
		return NULL;
	char error[CODEC_ERROR_MAX];
	json_t *stated = json_loads(stored, JSON_DECODE_ANY, NULL);
	struct as_codec *codec = malloc(sizeof *codec);
	if (codec && !(stated && load(codec, stated, error))) {
		free(codec);
		codec = NULL;
	}
	json_decref(stated);
	return codec;
}

/* Lends the profile's codec until the next call; NULL: none, or it does not load. */
static const struct as_codec *find(struct as_codecs *codecs, struct as_store *store,
				   const struct net_uuid *profile)
{
	for (size_t i = 0; i < AS_CODECS_KEPT; i++)
		if (codecs->slots[i].codec && as_uuid_equal(&codecs->slots[i].profile, profile))
			return codecs->slots[i].codec;
	struct as_codec *codec = load_stored(store, profile);
	if (!codec)
		return NULL;
	struct as_codec_slot *slot = &codecs->slots[codecs->next];
	codecs->next = (codecs->next + 1) % AS_CODECS_KEPT;
	free(slot->codec);
	*slot = (struct as_codec_slot){*profile, codec};
	return codec;
}

/* --- use */

static void say(struct decision *said, enum as_table table, unsigned verdict, size_t length, size_t number)
{
	said->table = table;
	said->verdict = (uint8_t)verdict;
	said->b = decision_halves((int64_t)length, (int64_t)number);
}

static json_t *decode_lpp(const uint8_t *payload, size_t length, char cause[AS_CODEC_CAUSE_MAX],
			  struct decision *said)
{
	struct lpp_values values;
	size_t at = 0;
	enum lpp_verdict verdict = lpp_decode(&values, payload, length, &at);
	say(said, AS_TABLE_LPP, verdict, length, verdict == LPP_DECODED ? values.count : at);
	if (verdict == LPP_DECODED)
		return lpp_json(&values);
	snprintf(cause, AS_CODEC_CAUSE_MAX, LPP_NAME ": %s: the value at byte %zu of %zu",
		 lpp_verdict_name(verdict), at, length);
	return NULL;
}

static json_t *decode_declared(const struct codec *codec, uint8_t fport, const uint8_t *payload,
			       size_t length, char cause[AS_CODEC_CAUSE_MAX], struct decision *said)
{
	struct codec_readings readings;
	size_t field = 0;
	enum codec_verdict verdict = codec_decode(codec, fport, payload, length, &readings, &field);
	say(said, AS_TABLE_CODEC, verdict, length, verdict == CODEC_DECODED ? readings.count : field);
	if (verdict == CODEC_DECODED)
		return codec_readings_json(&readings);
	if (verdict == CODEC_PAYLOAD_TOO_SHORT)
		snprintf(cause, AS_CODEC_CAUSE_MAX, "%.48s: %s: %s lies beyond its %zu bytes", codec->name,
			 codec_verdict_name(verdict), codec->fields[field].property, length);
	else
		snprintf(cause, AS_CODEC_CAUSE_MAX, "%.48s: %s: port %u", codec->name,
			 codec_verdict_name(verdict), fport);
	return NULL;
}

enum as_codec_result as_codecs_decode(struct as_codecs *codecs, struct as_store *store,
				      const struct net_uuid *profile, uint8_t fport, const uint8_t *payload,
				      size_t length, json_t **object, char cause[AS_CODEC_CAUSE_MAX],
				      struct decision *said)
{
	const struct as_codec *codec = find(codecs, store, profile);
	if (!codec)
		return AS_CODEC_NONE;
	snprintf(cause, AS_CODEC_CAUSE_MAX, "no memory");
	json_t *made = codec->is_lpp
			       ? decode_lpp(payload, length, cause, said)
			       : decode_declared(&codec->declarative, fport, payload, length, cause, said);
	if (!made)
		return AS_CODEC_FAILED;
	*object = made;
	return AS_CODEC_DONE;
}

enum as_codec_result as_codecs_encode(struct as_codecs *codecs, struct as_store *store,
				      const struct net_uuid *profile, const json_t *object, uint8_t *payload,
				      size_t capacity, size_t *length, char cause[AS_CODEC_CAUSE_MAX])
{
	const struct as_codec *codec = find(codecs, store, profile);
	char reason[LPP_CAUSE_MAX];
	if (!codec || !codec->is_lpp)
		return AS_CODEC_NONE;
	if (lpp_encode(object, payload, capacity, length, reason))
		return AS_CODEC_DONE;
	snprintf(cause, AS_CODEC_CAUSE_MAX, LPP_NAME ": %s", reason);
	return AS_CODEC_FAILED;
}
