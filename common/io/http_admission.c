/* A rate is one moment (the generic cell rate algorithm): when the next arrival would be on time. An arrival moves it on by the
 * interval; one that is ahead of it by more than the burst is too early. */
#include "common/io/http_admission.h"

#include "common/base/check.h"

#include <string.h>

#define AT_ONCE           64
#define HANDSHAKE_TIMEOUT (10 * US_PER_S)
#define BURST             US_PER_S       /* of all */
#define SOURCE_BURST      (4 * US_PER_S) /* a gateway that tries its two addresses twice */
#define WAIT              (20 * US_PER_MS)
#define SOURCES_MORE      1024 /* remembered for their rate alone */

struct http_source {
	uint8_t network[16];
	struct mono due;
	unsigned connections;
};

void http_admission_init(struct http_admission *admission, const struct io_http_admission *limits,
			 size_t connections, struct rng *rng)
{
	*admission = (struct http_admission){.limits = *limits};
	struct io_http_admission *filled = &admission->limits;
	filled->handshakes_at_once = filled->handshakes_at_once ? filled->handshakes_at_once : AT_ONCE;
	filled->handshake_timeout = filled->handshake_timeout ? filled->handshake_timeout : HANDSHAKE_TIMEOUT;
	table_init(&admission->sources, connections + SOURCES_MORE, sizeof(struct http_source), 16, rng);
}

void http_admission_release(struct http_admission *admission)
{
	table_release(&admission->sources);
}

/* Whether an arrival at `now` keeps to `rate` a second. */
static bool on_time(struct mono due, struct mono now, unsigned rate, span_us burst)
{
	return rate == 0 || mono_since(due, now) <= burst - US_PER_S / rate;
}

static struct mono after_arrival(struct mono due, struct mono now, unsigned rate)
{
	if (rate == 0)
		return due;
	return mono_add(mono_since(due, now) > 0 ? due : now, US_PER_S / rate);
}

bool http_admission_has_room(const struct http_admission *admission, struct mono now, span_us *wait)
{
	*wait = WAIT;
	return admission->handshaking < admission->limits.handshakes_at_once &&
	       on_time(admission->due, now, admission->limits.handshakes_per_s, BURST);
}

static void network_of(const struct io_address *from, uint8_t network[16])
{
	memset(network, 0, 16);
	memcpy(network, from->bytes, from->family == 4 ? 4 : 8);
	network[15] = (uint8_t)from->family;
}

enum http_admitted http_admission_enter(struct http_admission *admission, struct mono now,
					const struct io_address *from)
{
	const struct io_http_admission *limits = &admission->limits;
	uint8_t network[16];
	bool made;
	network_of(from, network);
	struct http_source *source = table_put(&admission->sources, network, &made);
	if (source) {
		if (limits->source_connections && source->connections >= limits->source_connections)
			return HTTP_SOURCE_FULL;
		if (!on_time(source->due, now, limits->source_handshakes_per_s, SOURCE_BURST))
			return HTTP_SOURCE_TOO_FAST;
		source->due = after_arrival(source->due, now, limits->source_handshakes_per_s);
		source->connections++;
	}
	/* No room to remember the source: more sources than connections came within seconds; the limits of all hold. */
	admission->due = after_arrival(admission->due, now, limits->handshakes_per_s);
	admission->handshaking++;
	return HTTP_ADMITTED;
}

void http_admission_handshake_ended(struct http_admission *admission)
{
	ASSERT_CMP(admission->handshaking, >, 0);
	admission->handshaking--;
}

void http_admission_leave(struct http_admission *admission, const struct io_address *from)
{
	uint8_t network[16];
	network_of(from, network);
	struct http_source *source = table_get(&admission->sources, network);
	if (source && source->connections > 0)
		source->connections--;
}

/* Removes up to 64 idle sources: returns whether there may be more. */
static bool sweep_some(struct http_admission *admission, struct mono now)
{
	uint8_t idle[64][16];
	size_t count = 0, at = 0;
	for (const struct http_source *source;
	     count < ARRAY_SIZE(idle) && (source = table_next(&admission->sources, &at));)
		if (source->connections == 0 && mono_since(source->due, now) <= 0)
			memcpy(idle[count++], source->network, sizeof source->network);
	for (size_t i = 0; i < count; i++)
		table_remove(&admission->sources, idle[i]);
	return count == ARRAY_SIZE(idle);
}

void http_admission_sweep(struct http_admission *admission, struct mono now)
{
	while (sweep_some(admission, now))
		;
}
