#include "cli/capture_survey.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/rng.h"

#include <jansson.h>
#include <string.h>

static const char *const type_names[SURVEY_TYPES] = {
	"join-request",      "join-accept",         "unconfirmed data up", "unconfirmed data down",
	"confirmed data up", "confirmed data down", "rejoin-request",      "proprietary",
};

const char *capture_type_name(unsigned type)
{
	return type < SURVEY_TYPES ? type_names[type] : "unknown";
}

static void count_frame(struct capture_survey *survey, const uint8_t *phy, size_t length)
{
	enum { FIRST_DATA = 2, LAST_DATA = 5 };
	struct rd rd = rd_init(phy, length);
	unsigned type = rd_u8(&rd) >> 5;
	uint32_t dev_addr = rd_u32le(&rd);
	if (length == 0)
		return;
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

/* The frame of an rxpk or txpk; false when there is none that can be read. */
static bool count_member(struct capture_survey *survey, const json_t *object)
{
	uint8_t phy[LW_PHY_PAYLOAD_MAX];
	size_t length;
	const char *data = json_string_value(json_object_get(object, "data"));
	if (!data || !base64_decode(phy, sizeof phy, &length, data, strlen(data)))
		return false;
	count_frame(survey, phy, length);
	return true;
}

/* Returns how many frames the datagram's JSON holds. */
static uint64_t count_body(struct capture_survey *survey, const struct capture_item *item)
{
	size_t from = item->identifier == SEMTECH_PULL_RESP ? 4 : SEMTECH_HEADER_SIZE, i;
	uint64_t frames = 0;
	json_t *body = item->length > from ? json_loadb((const char *)item->bytes + from, item->length - from,
							JSON_DISABLE_EOF_CHECK, NULL)
					   : NULL;
	const json_t *entry, *entries = json_object_get(body, "rxpk");
	json_array_foreach(entries, i, entry) frames += count_member(survey, entry);
	if (item->identifier == SEMTECH_PULL_RESP)
		frames += count_member(survey, json_object_get(body, "txpk"));
	json_decref(body);
	return frames;
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
	uint64_t frames = 0;
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
	if (item->kind == CAPTURE_FRAME_UP || item->kind == CAPTURE_FRAME_DOWN) {
		count_frame(survey, item->bytes, item->length);
		survey->frames_without_gateway += !item->has_gateway && item->kind == CAPTURE_FRAME_UP;
		frames = 1;
	} else {
		survey->datagrams[item->identifier]++;
		if (item->identifier == SEMTECH_PUSH_DATA || item->identifier == SEMTECH_PULL_RESP)
			frames = count_body(survey, item);
	}
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
