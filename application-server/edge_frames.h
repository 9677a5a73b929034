/* Live frames between the link to the network server and the streams of GET /api/v1/frames. Each open stream is a follower
 * (common/proto/frame_messages.h) under the number of its place; its lease is renewed while it is open. A reader that does
 * not keep up misses frames, which are counted and told to it (`lost`); nothing waits for it and nothing is kept. */
#ifndef LAMPPOST_AS_EDGE_FRAMES_H
#define LAMPPOST_AS_EDGE_FRAMES_H

#include "application-server/edge_api.h"
#include "application-server/edge_network.h"

struct as_edge_frames {
	struct as_edge_api *api;         /* borrowed */
	struct as_edge_network *network; /* borrowed */
	struct {
		io_http_exchange exchange; /* the stream that was asked for; 0: none */
		uint64_t connection;       /* on which it was */
		struct mono at;
	} asked[AS_STREAMS_MAX];
	uint64_t connection; /* that `number` is of */
	uint64_t learned;    /* the connection at which the rules were asked for */
	uint64_t number;     /* of the last frame on it; 0: none came */
	char *text;          /* owned: JSON of the frame at hand */
	uint64_t shown, lost;
};

/* Also makes the link hand frames over. */
void as_edge_frames_init(struct as_edge_frames *edge, struct as_edge_api *api,
			 struct as_edge_network *network);
void as_edge_frames_release(struct as_edge_frames *edge);
/* After the commit: asks for what open streams want, tells them what they missed. */
void as_edge_frames_drain(struct as_edge_frames *edge, struct now now);

#endif
