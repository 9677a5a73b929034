#include "tests/harness/gateway_log.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/packet.h"
#include "common/base/pcap.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX  4096
#define FILE_MAX (8u << 20)

enum { PUSH_DATA = 0, PULL_RESP = 3 };

static struct t_logged *entries;
static size_t count;

static void add(const json_t *object, bool down)
{
	const char *data = json_string_value(json_object_get(object, "data"));
	const char *rate = json_string_value(json_object_get(object, "datr"));
	struct t_logged entry = {.down = down};
	unsigned bandwidth_khz;
	ASSERT(data && rate && count < LOG_MAX);
	ASSERT(base64_decode(entry.phy, sizeof entry.phy, &entry.length, data, strlen(data)));
	ASSERT(sscanf(rate, "SF%dBW%u", &entry.spreading_factor, &bandwidth_khz) == 2);
	entry.bandwidth_hz = bandwidth_khz * 1000;
	entry.freq_hz = (uint32_t)llround(json_number_value(json_object_get(object, "freq")) * 1e6);
	entry.rssi_dbm = (int)json_integer_value(json_object_get(object, "rssi"));
	entry.snr_ddb = (int)lround(json_number_value(json_object_get(object, "lsnr")) * 10);
	entries[count++] = entry;
}

static void take_datagram(const struct packet_datagram *datagram, uint16_t port)
{
	bool up = datagram->to.port == port;
	unsigned identifier = datagram->length >= 4 ? datagram->bytes[3] : 99;
	size_t from = up ? 12 : 4, i;
	if (datagram->length <= from || identifier != (up ? PUSH_DATA : PULL_RESP))
		return;
	json_t *body = json_loadb((const char *)datagram->bytes + from, datagram->length - from, 0, NULL);
	ASSERT(body);
	const json_t *heard = json_object_get(body, "rxpk");
	for (i = 0; i < json_array_size(heard); i++)
		add(json_array_get(heard, i), false);
	if (!up)
		add(json_object_get(body, "txpk"), true);
	json_decref(body);
}

size_t t_gateway_log_read(const char *path, uint16_t port)
{
	struct pcap_reader reader = pcap_reader_init();
	struct pcap_packet packet;
	uint8_t *bytes = malloc(FILE_MAX);
	FILE *file = fopen(path, "rb");
	ASSERT(file && bytes);
	size_t length = fread(bytes, 1, FILE_MAX, file), at = 0, used;
	fclose(file);
	entries = calloc(LOG_MAX, sizeof *entries);
	ASSERT(entries);
	count = 0;
	enum pcap_verdict verdict;
	while ((verdict = pcap_read(&reader, bytes + at, length - at, &used, &packet)) <= PCAP_SKIPPED) {
		struct packet_datagram datagram;
		at += used;
		if (verdict == PCAP_PACKET &&
		    packet_parse(packet.link_type, packet.bytes, packet.length, &datagram) == PACKET_DATAGRAM)
			take_datagram(&datagram, port);
	}
	ASSERT(verdict == PCAP_MORE);
	free(bytes);
	return count;
}

void t_gateway_log_release(void)
{
	free(entries);
	entries = NULL;
	count = 0;
}

const struct t_logged *t_gateway_log_best(const uint8_t *phy, size_t length, uint32_t freq_hz,
					  int spreading_factor)
{
	const struct t_logged *best = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct t_logged *entry = &entries[i];
		if (entry->freq_hz == freq_hz && entry->spreading_factor == spreading_factor &&
		    entry->length == length && memcmp(entry->phy, phy, length) == 0 &&
		    (!best || entry->snr_ddb > best->snr_ddb))
			best = entry;
	}
	return best;
}
