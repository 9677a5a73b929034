#include "cli/capture_survey.h"

#include "cli/capture_body.h"
#include "common/base/check.h"
#include "common/base/rng.h"

#include <string.h>

static const char *const type_names[SURVEY_TYPES] = {
	"join-request",      "join-accept",         "unconfirmed data up", "unconfirmed data down",
	"confirmed data up", "confirmed data down", "rejoin-request",      "proprietary",
};

const char *capture_type_name(unsigned type)
{
	return type < SURVEY_TYPES ? type_names[type] : "unknown";
}

static void count_frame(void *ctx, const uint8_t *phy, size_t length)
{
	struct capture_survey *survey = ctx;
	enum { FIRST_DATA = 2, LAST_DATA = 5 };
	struct rd rd = rd_init(phy, length);
	unsigned type = rd_u8(&rd) >> 5;
	uint32_t dev_addr = rd_u32le(&rd);
	survey->types[type]++;
	if (type < FIRST_DATA || type > LAST_DATA || !rd_ok(&rd))
		return;
	bool made;
	struct survey_address *address = table_put(&survey->addresses, &dev_addr, &made);
	if (!address)
		survey->more_addresses++;
	else if (capture_frame_is_down(phy, length))
		address->down++;
	else
		address->up++;
}

static struct survey_gateway *gateway_of(struct capture_survey *survey, const struct capture_item *item)
{
	bool made;
	if (!item->has_gateway)
		return NULL;
	struct survey_gateway *gateway = table_put(&survey->gateways, item->gateway.bytes, &made);
	if (!gateway)
		survey->more_gateways++;
	return gateway;
}

static void count_item(struct capture_survey *survey, const struct capture_item *item)
{
	survey->packets++;
	survey->kinds[item->kind]++;
	if (item->kind == CAPTURE_SKIPPED) {
		survey->skipped[item->skip]++;
		return;
	}
	if (!survey->has_time || item->time.us < survey->first.us)
		survey->first = item->time;
	if (!survey->has_time || item->time.us > survey->last.us)
		survey->last = item->time;
	survey->has_time = true;
	uint64_t frames = capture_each_frame(item, count_frame, survey);
	if (item->kind == CAPTURE_FRAME_UP)
		survey->frames_without_gateway += !item->has_gateway;
	if (item->kind == CAPTURE_TO_SERVER || item->kind == CAPTURE_FROM_SERVER)
		survey->datagrams[item->identifier]++;
	struct survey_gateway *gateway = gateway_of(survey, item);
	if (!gateway)
		return;
	gateway->frames += frames;
	if (item->kind == CAPTURE_TO_SERVER)
		gateway->datagrams[item->identifier]++;
}

bool capture_survey_make(struct capture_survey *survey, struct capture_file *file, uint16_t port)
{
	struct rng rng = rng_seeded(port); /* a file is no attacker that sees the seed's effect */
	struct pcap_packet packet;
	enum capture_next next;
	memset(survey, 0, sizeof *survey);
	table_init(&survey->gateways, SURVEY_GATEWAYS_MAX, sizeof(struct survey_gateway), 8, &rng);
	table_init(&survey->addresses, SURVEY_ADDRESSES_MAX, sizeof(struct survey_address), sizeof(uint32_t),
		   &rng);
	while ((next = capture_file_next(file, &packet)) == CAPTURE_PACKET) {
		struct capture_item item;
		capture_item_read(&item, &packet, port);
		count_item(survey, &item);
	}
	survey->cut_short = next == CAPTURE_END_CUT;
	if (next != CAPTURE_REFUSED)
		return true;
	capture_survey_release(survey);
	return false;
}

void capture_survey_release(struct capture_survey *survey)
{
	table_release(&survey->gateways);
	table_release(&survey->addresses);
}
