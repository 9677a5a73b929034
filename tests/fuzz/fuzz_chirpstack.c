/* A body of a gateway that speaks ChirpStack's MQTT interface at the bridge's codec, as each kind of event. Whatever is taken keeps the
 * codec's promises. */
#include "common/base/check.h"
#include "gateway-bridge/chirpstack.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena scratch;
	static const struct lw_eui64 gateway = {{0x00, 0x16, 0xc0, 0x01, 0xff, 0x10, 0xa2, 0x35}};
	if (scratch.capacity == 0)
		arena_init(&scratch, GB_CHIRPSTACK_SCRATCH);
	struct gb_chirpstack_uplink up;
	if (gb_chirpstack_uplink(&scratch, data, size, &gateway, &up) == GB_ACCEPTED) {
		ASSERT_CMP(up.context.length, <=, GB_CHIRPSTACK_CONTEXT_MAX);
		ASSERT_CMP(up.rxpk.freq_hz, >, 0);
		ASSERT(up.rxpk.gps_time_us >= 0 && up.rxpk.fine_time_ns < 1000000000);
		ASSERT(strlen(up.rxpk.data_rate) < sizeof up.rxpk.data_rate);
	}
	struct gb_chirpstack_stats stats;
	if (gb_chirpstack_stats(&scratch, data, size, &gateway, &stats) == GB_ACCEPTED) {
		ASSERT(!stats.stats.has_location ||
		       (stats.stats.latitude_deg >= -90 && stats.stats.latitude_deg <= 90));
		ASSERT(strlen(stats.model) < sizeof stats.model);
	}
	struct gb_chirpstack_ack ack;
	if (gb_chirpstack_ack(&scratch, data, size, &gateway, &ack) == GB_ACCEPTED) {
		ASSERT(ack.count > 0 && ack.count <= GB_CHIRPSTACK_ITEMS_MAX);
		ASSERT_CMP(gb_chirpstack_telling(&ack), <, ack.count);
	}
	bool online;
	(void)!gb_chirpstack_conn(&scratch, data, size, &gateway, &online);
	ASSERT_CMP(scratch.used, ==, 0);
	char topic[256];
	size_t length = size < sizeof topic ? size : sizeof topic - 1;
	memcpy(topic, data, length);
	topic[length] = 0;
	struct gb_chirpstack_topic name;
	if (gb_chirpstack_topic(topic, &name) == GB_ACCEPTED)
		ASSERT_CMP(strlen(name.prefix), <, sizeof name.prefix);
	return 0;
}
