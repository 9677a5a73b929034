#include "cli/capture_body.h"

#include "common/base/hex.h"

#include <jansson.h>
#include <string.h>

/* The frame of an rxpk or txpk; 0 when there is none that can be read. */
static uint64_t tell_member(const json_t *object,
			    void (*on_frame)(void *ctx, const uint8_t *phy, size_t length), void *ctx)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	size_t length;
	const char *data = json_string_value(json_object_get(object, "data"));
	if (!data || !base64_decode(phy, sizeof phy, &length, data, strlen(data)) || length == 0)
		return 0;
	on_frame(ctx, phy, length);
	return 1;
}

uint64_t capture_each_frame(const struct capture_item *item,
			    void (*on_frame)(void *ctx, const uint8_t *phy, size_t length), void *ctx)
{
	if (item->kind == CAPTURE_FRAME_UP || item->kind == CAPTURE_FRAME_DOWN) {
		on_frame(ctx, item->bytes, item->length);
		return 1;
	}
	bool push = item->identifier == SEMTECH_PUSH_DATA;
	if ((item->kind != CAPTURE_TO_SERVER || !push) &&
	    (item->kind != CAPTURE_FROM_SERVER || item->identifier != SEMTECH_PULL_RESP))
		return 0;
	size_t from = push ? SEMTECH_HEADER_SIZE : 4, i;
	uint64_t frames = 0;
	json_t *body = item->length > from ? json_loadb((const char *)item->bytes + from, item->length - from,
							JSON_DISABLE_EOF_CHECK, NULL)
					   : NULL;
	const json_t *entry, *entries = json_object_get(body, "rxpk");
	json_array_foreach(entries, i, entry)
	{
		frames += tell_member(entry, on_frame, ctx);
	}
	if (!push)
		frames += tell_member(json_object_get(body, "txpk"), on_frame, ctx);
	json_decref(body);
	return frames;
}
