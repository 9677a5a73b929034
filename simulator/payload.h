/* What the simulated sensors measure: values that change slowly, in the byte layouts below (big-endian). None is longer than 11 bytes,
 * the least that any data rate carries. The codecs beside the scenarios (scenarios/codecs/) read them.
 *
 *	climate   temperature i16 0.01 °C | humidity u16 0.01 % | battery u8 20 mV
 *	parking   occupied u8 bit 0 | magnetic field i16 µT | battery u8 20 mV
 *	air       PM2.5 u16 0.1 µg/m³ | NO2 u16 0.1 µg/m³ | temperature i16 0.01 °C | battery u8 20 mV
 *	water     level u16 mm | flow u16 l/min | temperature i16 0.01 °C | battery u8 20 mV
 *	people    in u16 | out u16 (since the last report) | battery u8 20 mV
 *	counter   u32 number of the reading: for checkers */
#ifndef LAMPPOST_SIM_PAYLOAD_H
#define LAMPPOST_SIM_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_PAYLOAD_MAX 11

enum sim_payload {
	SIM_PAYLOAD_CLIMATE,
	SIM_PAYLOAD_PARKING,
	SIM_PAYLOAD_AIR,
	SIM_PAYLOAD_WATER,
	SIM_PAYLOAD_PEOPLE,
	SIM_PAYLOAD_COUNTER,
	SIM_PAYLOAD_COUNT
};

const char *sim_payload_name(enum sim_payload payload);
/* The names in the order of the enum, for choosers. */
extern const char *const sim_payload_names[SIM_PAYLOAD_COUNT];
/* Fills one reading and returns its length. The same device seed, number and time give the same bytes. */
size_t sim_payload_make(enum sim_payload payload, uint64_t seed, uint64_t number, int64_t now_us,
			uint8_t out[SIM_PAYLOAD_MAX]);

#endif
