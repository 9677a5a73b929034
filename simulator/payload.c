#include "simulator/payload.h"

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/rng.h"

#include <math.h>

#define TURN 6.28318530717958647692

const char *const sim_payload_names[SIM_PAYLOAD_COUNT] = {
	[SIM_PAYLOAD_CLIMATE] = "climate", [SIM_PAYLOAD_PARKING] = "parking",
	[SIM_PAYLOAD_AIR] = "air",         [SIM_PAYLOAD_WATER] = "water",
	[SIM_PAYLOAD_PEOPLE] = "people",   [SIM_PAYLOAD_COUNTER] = "counter",
};

const char *sim_payload_name(enum sim_payload payload)
{
	return (unsigned)payload < SIM_PAYLOAD_COUNT ? sim_payload_names[payload] : "unknown";
}

/* A wave of some minutes with a phase of the device's own, and a little noise: −1.1 .. 1.1. */
static double wave(struct rng *device, struct rng *reading, double seconds, double period_s)
{
	double phase = rng_below(device, 1000) / 1000.0;
	double noise = ((double)rng_below(reading, 2001) - 1000) / 10000.0;
	return sin(TURN * (seconds / period_s + phase)) + noise;
}

static double around(double middle, double swing, double value)
{
	double result = round(middle + swing * value);
	return result < 0 && middle >= 0 && swing <= middle * 2 ? 0 : result;
}

size_t sim_payload_make(enum sim_payload payload, uint64_t seed, uint64_t number, int64_t now_us,
			uint8_t out[SIM_PAYLOAD_MAX])
{
	struct rng device = rng_seeded(seed);
	struct rng reading = rng_seeded(seed ^ (number + 1) * UINT64_C(0x2545f4914f6cdd1d));
	struct wr wr = wr_init(out, SIM_PAYLOAD_MAX);
	double seconds = (double)now_us / 1e6;
	uint8_t battery = (uint8_t)(165 + rng_below(&device, 15)); /* 3.3 to 3.6 V */
	switch (payload) {
	case SIM_PAYLOAD_CLIMATE:
		wr_u16be(&wr, (uint16_t)(int16_t)around(1850, 400, wave(&device, &reading, seconds, 600)));
		wr_u16be(&wr, (uint16_t)around(5500, 1500, wave(&device, &reading, seconds, 900)));
		break;
	case SIM_PAYLOAD_PARKING: {
		bool occupied = wave(&device, &reading, seconds, 120) > 0;
		wr_u8(&wr, occupied);
		wr_u16be(&wr, (uint16_t)(int16_t)around(occupied ? 380 : 45, 20,
							wave(&device, &reading, seconds, 40)));
		break;
	}
	case SIM_PAYLOAD_AIR:
		wr_u16be(&wr, (uint16_t)around(112, 60, wave(&device, &reading, seconds, 700)));
		wr_u16be(&wr, (uint16_t)around(284, 120, wave(&device, &reading, seconds, 500)));
		wr_u16be(&wr, (uint16_t)(int16_t)around(1700, 300, wave(&device, &reading, seconds, 800)));
		break;
	case SIM_PAYLOAD_WATER:
		wr_u16be(&wr, (uint16_t)around(1420, 350, wave(&device, &reading, seconds, 1200)));
		wr_u16be(&wr, (uint16_t)around(260, 90, wave(&device, &reading, seconds, 300)));
		wr_u16be(&wr, (uint16_t)(int16_t)around(1150, 120, wave(&device, &reading, seconds, 1500)));
		break;
	case SIM_PAYLOAD_PEOPLE:
		wr_u16be(&wr, (uint16_t)around(14, 11, wave(&device, &reading, seconds, 240)));
		wr_u16be(&wr, (uint16_t)around(13, 10, wave(&device, &reading, seconds, 260)));
		break;
	case SIM_PAYLOAD_COUNTER:
	case SIM_PAYLOAD_COUNT: wr_u32be(&wr, (uint32_t)number); return wr_length(&wr);
	}
	wr_u8(&wr, battery);
	return wr_length(&wr);
}
