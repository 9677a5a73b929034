#include "simulator/event_queue.h"

#include "common/base/check.h"

#include <stdlib.h>

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->sequence < b->sequence;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
	struct sim_event kept = *a;
	*a = *b;
	*b = kept;
}

void sim_event_queue_put(struct sim_event_queue *queue, struct sim_event event)
{
	if (queue->count == queue->room) {
		queue->room = queue->room ? queue->room * 2 : 256;
		queue->heap = realloc(queue->heap, queue->room * sizeof *queue->heap);
		ASSERT(queue->heap != NULL);
	}
	size_t at = queue->count++;
	event.sequence = queue->sequence++;
	queue->heap[at] = event;
	while (at > 0 && before(&queue->heap[at], &queue->heap[(at - 1) / 2])) {
		swap(&queue->heap[at], &queue->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
}

bool sim_event_queue_take(struct sim_event_queue *queue, int64_t until_us, struct sim_event *event)
{
	if (queue->count == 0 || queue->heap[0].at_us > until_us)
		return false;
	*event = queue->heap[0];
	queue->heap[0] = queue->heap[--queue->count];
	for (size_t at = 0;;) {
		size_t least = at, child = 2 * at + 1;
		if (child < queue->count && before(&queue->heap[child], &queue->heap[least]))
			least = child;
		if (child + 1 < queue->count && before(&queue->heap[child + 1], &queue->heap[least]))
			least = child + 1;
		if (least == at)
			return true;
		swap(&queue->heap[at], &queue->heap[least]);
		at = least;
	}
}

int64_t sim_event_queue_next_us(const struct sim_event_queue *queue)
{
	return queue->count ? queue->heap[0].at_us : INT64_MAX;
}

void sim_event_queue_release(struct sim_event_queue *queue)
{
	free(queue->heap);
	*queue = (struct sim_event_queue){0};
}
