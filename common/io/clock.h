/* The operating system's clocks: the only place that reads them. Edges stamp one `struct now` an event and
 * hand it to the core (invariant 8). */
#ifndef LAMPPOST_IO_CLOCK_H
#define LAMPPOST_IO_CLOCK_H

#include "common/base/units.h"

/* Reads both clocks. `wall_synchronised` is the kernel's word (adjtimex), asked at most once a second. */
struct now clock_now(void);
/* Reads the monotonic clock alone. */
struct mono clock_mono(void);

#endif
