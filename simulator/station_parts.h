/* What station.c (states), station_up.c (texts) and station_queue.c (downlinks) share. */
#ifndef LAMPPOST_SIM_STATION_PARTS_H
#define LAMPPOST_SIM_STATION_PARTS_H

#include "simulator/station.h"

#define SIM_XTIME_US INT64_C(0xffffffffffff) /* the microseconds in an xtime */

/* Lends a place for something to do; NULL: full (counted). */
struct sim_station_act *sim_station_put(struct sim_station *station, enum sim_station_act_kind kind);
/* Puts a text to say, of a format. */
void sim_station_say(struct sim_station *station, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The time at which the clock shows that xtime; false: of another session, or 0. */
bool sim_station_time_of(const struct sim_station *station, int64_t now_us, int64_t xtime, int64_t *at_us);
double sim_station_utc_s(const struct sim_station *station, int64_t at_us);
/* GPS time at that time; 0: unknown. */
int64_t sim_station_gps_us(const struct sim_station *station, int64_t at_us);

/* station_up.c */
void sim_station_say_version(struct sim_station *station);
void sim_station_say_sent(struct sim_station *station, const struct sim_station_job *job);

/* station_queue.c */
void sim_station_queue_dnmsg(struct sim_station *station, int64_t now_us,
			     const struct sim_station_dnmsg *dnmsg);
/* Ends what is on the air at that time: dntxed. */
void sim_station_queue_tick(struct sim_station *station, int64_t now_us);
int64_t sim_station_queue_next_us(const struct sim_station *station);
void sim_station_queue_clear(struct sim_station *station);

#endif
