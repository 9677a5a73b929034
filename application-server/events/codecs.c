/* A profile keeps its codec as JSON. JSON is YAML, so the loader of the YAML form reads it as it stands. */
#include "application-server/events/codecs.h"

#include "application-server/uuid.h"

#include <stdlib.h>
#include <string.h>

void as_codecs_clear(struct as_codecs *codecs)
{
	for (size_t i = 0; i < AS_CODECS_KEPT; i++)
		free(codecs->slots[i].codec);
	*codecs = (struct as_codecs){.next = 0};
}

/* Blanks after colons and commas, as YAML's flow form wants them. */
static char *text_of(const json_t *object)
{
	return json_dumps(object, JSON_PRESERVE_ORDER);
}

bool as_codec_check(const json_t *object, char error[CODEC_ERROR_MAX])
{
	struct codec *codec = malloc(sizeof *codec);
	char *text = text_of(object);
	bool loaded = codec && text && codec_load(codec, "codec", text, strlen(text), error);
	free(text);
	free(codec);
	return loaded;
}

static struct codec *load(struct as_store *store, const struct net_uuid *profile)
{
	const char *stored;
	if (as_store_codec(store, profile, &stored) != ST_OK)
		return NULL;
	char error[CODEC_ERROR_MAX];
	json_t *object = json_loads(stored, 0, NULL);
	char *text = object ? text_of(object) : NULL;
	struct codec *codec = malloc(sizeof *codec);
	if (codec && !(text && codec_load(codec, "codec", text, strlen(text), error))) {
		free(codec);
		codec = NULL;
	}
	free(text);
	json_decref(object);
	return codec;
}

const struct codec *as_codecs_get(struct as_codecs *codecs, struct as_store *store,
				  const struct net_uuid *profile)
{
	for (size_t i = 0; i < AS_CODECS_KEPT; i++)
		if (codecs->slots[i].codec && as_uuid_equal(&codecs->slots[i].profile, profile))
			return codecs->slots[i].codec;
	struct codec *codec = load(store, profile);
	if (!codec)
		return NULL;
	struct as_codec_slot *slot = &codecs->slots[codecs->next];
	codecs->next = (codecs->next + 1) % AS_CODECS_KEPT;
	free(slot->codec);
	*slot = (struct as_codec_slot){*profile, codec};
	return codec;
}
