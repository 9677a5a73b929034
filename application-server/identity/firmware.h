/* Firmware for stations: which is offered to whom. A package is offered when the station's model is its own, its version is
 * another than the station's, and the station has the public key that signed it. */
#ifndef LAMPPOST_AS_FIRMWARE_H
#define LAMPPOST_AS_FIRMWARE_H

#include "application-server/identity/cups.h"

/* Fills the answer's firmware, if an order says so, and moves the order. */
enum status as_firmware_offer(struct as_store *store, struct wall now,
			      const struct as_cups_question *question,
			      struct as_cups_answer *answer) MUST_USE;

#endif
