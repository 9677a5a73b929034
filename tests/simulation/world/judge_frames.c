/* Frames of devices, from the device's own record to the subscriber. */
#include "tests/simulation/world/judge.h"

#include "application-server/uuid.h"
#include "common/base/check.h"
#include "common/base/hex.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int judge_device_of(const struct world *world, const struct lw_eui64 *dev_eui)
{
	uint64_t number = lw_eui64_number(dev_eui) - world_dev_eui(0);
	return number < world->device_count ? (int)number : -1;
}

static struct judge_frame *find(struct world *world, int device, uint32_t dev_addr, uint32_t fcnt)
{
	if (device < 0)
		return NULL;
	struct judge_device *book = &world->judge->devices[device];
	for (size_t i = book->count; i-- > 0;)
		if (book->frames[i].dev_addr == dev_addr && book->frames[i].fcnt == fcnt)
			return &book->frames[i];
	return NULL;
}

/* --- the device's side --- */

void judge_uplink(struct world *world, const struct sim_record *record)
{
	struct judge_device *book = &world->judge->devices[record->device];
	struct judge_frame *last = book->count ? &book->frames[book->count - 1] : NULL;
	if (last && last->dev_addr == record->dev_addr.value && last->fcnt == record->fcnt)
		return; /* transmitted again */
	if (last && last->dev_addr == record->dev_addr.value && record->fcnt < last->fcnt)
		world_break(world, "device %u: its counter went back", record->device);
	if (book->count == book->room) {
		book->room = book->room * 2 + 64;
		book->frames = realloc(book->frames, book->room * sizeof *book->frames);
		ASSERT(book->frames);
	}
	ASSERT(book->frames);
	struct judge_frame *frame = &book->frames[book->count++];
	*frame = (struct judge_frame){.dev_addr = record->dev_addr.value,
				      .fcnt = record->fcnt,
				      .sent_us = record->at_us,
				      .fport = record->fport,
				      .length = record->length,
				      .reading = record->reading};
	ASSERT(record->length <= sizeof frame->payload || record->fport <= 0);
	if (record->fport > 0)
		memcpy(frame->payload, record->payload, record->length);
	world->judge->totals.readings += record->reading;
}

/* Nothing leaves before its commit: what the device knows to be acknowledged is durable. */
void judge_outcome(struct world *world, const struct sim_record *record)
{
	if (!record->confirmed || !record->acknowledged)
		return;
	world->judge->devices[record->device].acknowledged_us = world->now_us;
	const struct judge_frame *frame = find(world, (int)record->device, record->dev_addr.value,
					       record->fcnt);
	if (!frame || !frame->committed)
		world_break(world, "device %u: frame %u is acknowledged, and not committed", record->device,
			    record->fcnt);
}

/* --- the network server's side --- */

void judge_up_event(struct world *world, const struct net_up_event *event)
{
	int device = judge_device_of(world, &event->head.dev_eui);
	struct judge_frame *frame = find(world, device, event->dev_addr.value, event->fcnt_up);
	if (!frame) {
		world_break(world, "device %d: an event of frame %u of %08x, which it did not send", device,
			    event->fcnt_up, event->dev_addr.value);
		return;
	}
	if (frame->committed && memcmp(&frame->id, &event->head.id, sizeof frame->id) != 0)
		world_break(world, "device %d: frame %u has two events", device, event->fcnt_up);
	if (!frame->committed)
		world_trace(world, "device %d: frame %u of %08x is committed", device, event->fcnt_up,
			    event->dev_addr.value);
	frame->committed = true;
	frame->id = event->head.id;
}

/* --- the subscriber's side --- */

static const char *text_of(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(body, name));
	return text ? text : "";
}

static bool same_payload(const struct judge_frame *frame, const json_t *body)
{
	uint8_t data[256];
	size_t length = 0;
	const char *text = text_of(body, "data");
	if (!base64_decode(data, sizeof data, &length, text, strlen(text)))
		return false;
	if (frame->fport <= 0)
		return length == 0;
	return json_integer_value(json_object_get(body, "fPort")) == frame->fport &&
	       length == frame->length && memcmp(data, frame->payload, length) == 0;
}

static void up_delivered(struct world *world, const json_t *body)
{
	struct lw_eui64 dev_eui = {{0}};
	struct lw_dev_addr dev_addr = {0};
	struct net_uuid id = {{0}};
	uint32_t fcnt = (uint32_t)json_integer_value(json_object_get(body, "fCnt"));
	bool read = lw_eui64_parse(text_of(json_object_get(body, "deviceInfo"), "devEui"), &dev_eui) &&
		    lw_dev_addr_parse(text_of(body, "devAddr"), &dev_addr) &&
		    as_uuid_parse(text_of(body, "deduplicationId"), &id);
	int device = read ? judge_device_of(world, &dev_eui) : -1;
	struct judge_frame *frame = find(world, device, dev_addr.value, fcnt);
	if (!frame || !frame->committed) {
		world_break(world, "device %d: frame %u of %08x is at the subscriber and %s", device, fcnt,
			    dev_addr.value, frame ? "was not committed" : "was never sent");
		return;
	}
	if (memcmp(&frame->id, &id, sizeof id) != 0)
		world_break(world, "device %d: frame %u comes under another event id", device, fcnt);
	if (!same_payload(frame, body))
		world_break(world, "device %d: frame %u comes with another payload%s", device, fcnt,
			    json_is_true(json_object_get(body, "encrypted")) ? ": still encrypted" : "");
	world_trace(world, "device %d: frame %u of %08x is at the subscriber", device, fcnt, dev_addr.value);
	world->judge->totals.delivered += frame->delivered++ == 0;
	if (frame->reading && frame->sent_us > world->judge->devices[device].served_us)
		world->judge->devices[device].served_us = frame->sent_us;
	world_mix(world, &frame->id, sizeof frame->id);
	world_mix(world, &world->now_us, sizeof world->now_us);
}

void judge_delivered(struct world *world, const char *topic, const uint8_t *payload, size_t length)
{
	json_t *body = json_loadb((const char *)payload, length, 0, NULL);
	const char *kind = strrchr(topic, '/');
	judge_step(world);
	if (!body || !kind)
		world_break(world, "the subscriber cannot read %s", topic);
	else if (strcmp(kind, "/up") == 0)
		up_delivered(world, body);
	else if (strcmp(kind, "/gap") == 0)
		world_break(world, "the subscriber has a gap");
	json_decref(body);
}

void judge_frames_end(struct world *world)
{
	for (unsigned i = 0; i < world->device_count; i++) {
		const struct judge_device *book = &world->judge->devices[i];
		for (size_t j = 0; j < book->count; j++)
			if (book->frames[j].committed && book->frames[j].delivered == 0)
				world_break(world,
					    "device %u: frame %u of %08x was committed and is not delivered",
					    i, book->frames[j].fcnt, book->frames[j].dev_addr);
	}
}
