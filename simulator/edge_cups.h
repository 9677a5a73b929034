/* A simulated station at CUPS: asks its server over HTTPS with the set of credentials whose turn it is, takes the answer over (stores
 * credentials, checks firmware), and asks again in time. What it may take over says station_cups.h, where it is kept station_home.h. */
#ifndef LAMPPOST_SIM_EDGE_CUPS_H
#define LAMPPOST_SIM_EDGE_CUPS_H

#include "simulator/station_home.h"

#include "common/io/http_client.h"
#include "common/io/loop.h"

#define SIM_CUPS_ANSWER_MAX (64u << 20)

struct sim_edge_cups; /* opaque */

/* What came of a question. */
struct sim_cups_news {
	enum sim_cups_result result;
	int code;              /* HTTP status; 0: no answer */
	const char *reason;    /* for people; "" */
	bool tc_uri, cups_uri; /* another one is to be used from now on */
	bool tc_set, cups_set; /* other credentials are */
	size_t firmware;       /* bytes that were installed; 0: none */
};

struct sim_cups_options {
	const char *home; /* copied */
	struct lw_eui64 eui;
	int64_t every_us; /* asks again after so long, whatever came; 0: after a day, or a minute when it failed */
	bool once; /* asks one set after the other until one is answered or all were tried, then no more */
	/* After each answer, or none; never from inside a call. */
	void (*on_news)(void *ctx, struct now now, const struct sim_cups_news *news);
	void *ctx;
};

/* Loads the home and asks at once. NULL with a phrase in `error`: it cannot be read, or names no CUPS server. Keeps borrows of loop and
 * client. */
struct sim_edge_cups *sim_edge_cups_new(struct io_loop *loop, struct io_http_client *client,
					const struct sim_cups_options *options, char error[SIM_HOME_ERROR]);
void sim_edge_cups_free(struct sim_edge_cups *cups); /* NULL is allowed */
/* Does not wait for the next turn: the LNS does not let it in, or is not there. */
void sim_edge_cups_hurry(struct sim_edge_cups *cups);
/* `once`: no more will be asked. */
bool sim_edge_cups_is_over(const struct sim_edge_cups *cups);
const struct sim_cups *sim_edge_cups_state(const struct sim_edge_cups *cups);

#endif
