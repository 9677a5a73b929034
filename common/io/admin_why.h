/* "Why?" on a process's admin socket, from its decision records:
 *
 *	GET /why/KIND/{eui}?limit=N   {"decisions": [newest first]}, 404 where nothing is known; N 1 to 1000, 100 without one
 *	GET /why/frame/{mic}          the last decision about a frame, by the 8 hex digits of its MIC as on the air
 *	GET /why/rules                {"rules": [...]}: all that the process can say
 *
 * For processes whose subjects are known by an EUI alone. */
#ifndef LAMPPOST_IO_ADMIN_WHY_H
#define LAMPPOST_IO_ADMIN_WHY_H

#include "common/base/decision_text.h"
#include "common/io/admin.h"

struct io_why {
	const char *kind; /* "device", "gateway" */
	const struct decision_book *book;
	const struct decision_ring *ring;
	/* Lends the newest decision about an EUI, or NULL. */
	const struct decision *(*newest)(void *ctx, const uint8_t eui[8]);
	/* What a decision is to be printed with; the names are zeroed before, but for `device` or `gateway`, after
	 * `kind`, where the EUI was asked for. NULL: only those. */
	void (*name)(void *ctx, const struct decision *decision, struct decision_names *names);
	/* Fills the place-th of the decisions that are made at the moment of asking and stand before the others (how a gateway is
	 * now); false: there is none in that place. NULL: there are no such. */
	bool (*present)(void *ctx, struct now now, const uint8_t eui[8], unsigned place,
			struct decision *decision);
	unsigned places;
	void *ctx;
	/* The rest is admin_why.c's. */
	struct io_admin *admin;
	struct io_http_route routes[3];
	char pattern[48];
};

/* Adds the routes; keeps a borrow of `why`, whose first part the caller has filled, until the admin socket is freed. */
void io_why_add(struct io_admin *admin, struct io_why *why);

#endif
