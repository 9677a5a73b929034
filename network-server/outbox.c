#include "network-server/outbox.h"

#include "common/base/check.h"

void ns_outbox_init(struct ns_outbox *outbox, size_t capacity)
{
	*outbox = (struct ns_outbox){.entries = calloc(capacity, sizeof *outbox->entries),
				     .capacity = capacity};
	ASSERT(outbox->entries);
}

void ns_outbox_release(struct ns_outbox *outbox)
{
	free(outbox->entries);
	*outbox = (struct ns_outbox){0};
}

size_t ns_outbox_room(const struct ns_outbox *outbox)
{
	return outbox->capacity - outbox->count;
}

struct ns_out *ns_outbox_add(struct ns_outbox *outbox, enum ns_out_kind kind)
{
	if (outbox->count == outbox->capacity)
		return NULL;
	struct ns_out *out = &outbox->entries[outbox->count++];
	memset(out, 0, sizeof *out);
	out->kind = kind;
	return out;
}

void ns_outbox_clear(struct ns_outbox *outbox)
{
	outbox->count = 0;
}
