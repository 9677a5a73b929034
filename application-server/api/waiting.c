#include "application-server/api/waiting.h"

#include "common/base/check.h"

#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *bytes, size_t length)
{
	char *copy = bytes ? malloc(length + 1) : NULL;
	ASSERT(copy || !bytes);
	if (copy) {
		memcpy(copy, bytes, length);
		copy[length] = '\0';
	}
	return copy;
}

void as_waiting_call_free(struct as_waiting_call *call)
{
	if (!call)
		return;
	free(call->who);
	free(call->collection);
	free(call->id);
	free(call->text);
	free(call);
}

bool as_waiting_add(struct as_waiting *waiting, uint64_t ticket, const struct as_route *route,
		    const struct as_call *call)
{
	if (waiting->count == AS_WAITING_MAX || waiting->bytes + call->text_length > AS_WAITING_BYTES)
		return false;
	struct as_waiting_call *copy = calloc(1, sizeof *copy), **end = &waiting->first;
	ASSERT(copy);
	copy->ticket = ticket;
	copy->route = route;
	copy->scope = *call->scope;
	copy->who = copy_of(call->who, call->who ? strlen(call->who) : 0);
	copy->collection = copy_of(call->collection, call->collection ? strlen(call->collection) : 0);
	copy->id = copy_of(call->id, call->id ? strlen(call->id) : 0);
	copy->text = copy_of(call->text, call->text_length);
	copy->text_length = call->text_length;
	while (*end)
		end = &(*end)->next;
	*end = copy;
	waiting->count++;
	waiting->bytes += call->text_length;
	return true;
}

/* Takes one out of the row. */
static struct as_waiting_call *unlink_call(struct as_waiting *waiting, struct as_waiting_call **place)
{
	struct as_waiting_call *call = *place;
	*place = call->next;
	call->next = NULL;
	waiting->count--;
	waiting->bytes -= call->text_length;
	return call;
}

struct as_waiting_call *as_waiting_take(struct as_waiting *waiting)
{
	return waiting->first ? unlink_call(waiting, &waiting->first) : NULL;
}

void as_waiting_forget(struct as_waiting *waiting, uint64_t ticket)
{
	struct as_waiting_call **place = &waiting->first;
	while (*place && (*place)->ticket != ticket)
		place = &(*place)->next;
	if (*place)
		as_waiting_call_free(unlink_call(waiting, place));
}

void as_waiting_release(struct as_waiting *waiting)
{
	while (waiting->first)
		as_waiting_call_free(as_waiting_take(waiting));
}
