#include "common/io/http_routes.h"

#include "common/base/check.h"
#include "common/io/http_parse.h"

#include <string.h>

#define SEGMENTS_MAX 32

/* A path's segments, decoded one by one, so that an encoded slash never separates. */
struct segments {
	const char *decoded[SEGMENTS_MAX];
	const char *raw[SEGMENTS_MAX];
	size_t count;
	char text[HTTP_PATH_MAX];
};

static bool split(const char *path, struct segments *segments)
{
	size_t used = 0;
	segments->count = 0;
	while (*path == '/') {
		path++;
		size_t length = strcspn(path, "/");
		if (segments->count == SEGMENTS_MAX)
			return false;
		char *out = segments->text + used;
		if (!http_decode(path, length, false, out, sizeof segments->text - used) ||
		    strcmp(out, ".") == 0 || strcmp(out, "..") == 0)
			return false;
		segments->decoded[segments->count] = out;
		segments->raw[segments->count++] = path;
		used += strlen(out) + 1;
		path += length;
	}
	return *path == 0;
}

static bool is_placeholder(const char *segment)
{
	return segment[0] == '{';
}

static bool takes_rest(const char *segment, size_t length)
{
	return is_placeholder(segment) && length > 5 && memcmp(segment + length - 4, "...}", 4) == 0;
}

void http_routes_add(struct http_routes *routes, const struct io_http_route *table, size_t count, void *ctx)
{
	for (size_t i = 0; i < count; i++) {
		const char *pattern = table[i].pattern;
		ASSERT(routes->count < HTTP_ROUTES_MAX);
		ASSERT(pattern[0] == '/' && table[i].handle && table[i].method < IO_HTTP_METHOD_COUNT);
		size_t params = 0;
		for (const char *at = pattern; (at = strchr(at, '{')); at++) {
			ASSERT(at[-1] == '/' && strchr(at, '}'));
			params++;
		}
		ASSERT(params <= HTTP_PARAMS_MAX);
		routes->rows[routes->count].route = &table[i];
		routes->rows[routes->count++].ctx = ctx;
	}
}

/* Whether the pattern fits; `exact` gets one bit for each exact segment, the first segment highest: greater is more
 * particular. */
static bool fits(const char *pattern, const struct segments *segments, uint32_t *exact)
{
	*exact = 0;
	for (size_t i = 0; i < segments->count; i++) {
		if (*pattern != '/')
			return false;
		pattern++;
		size_t length = strcspn(pattern, "/");
		if (takes_rest(pattern, length))
			return segments->decoded[i][0] != 0;
		if (is_placeholder(pattern)) {
			if (segments->decoded[i][0] == 0)
				return false;
		} else if (strlen(segments->decoded[i]) != length ||
			   memcmp(pattern, segments->decoded[i], length) != 0) {
			return false;
		} else {
			*exact |= UINT32_C(1) << (31 - i);
		}
		pattern += length;
	}
	return *pattern == 0;
}

static void take_params(struct http_match *match, const struct segments *segments)
{
	const char *pattern = match->route->pattern;
	size_t used = 0;
	for (size_t i = 0; i < segments->count && *pattern == '/'; i++) {
		pattern++;
		size_t length = strcspn(pattern, "/");
		if (is_placeholder(pattern)) {
			bool rest = takes_rest(pattern, length);
			const char *from = segments->raw[i];
			char *out = match->text + used;
			/* It was decoded once already: it fits. */
			ASSERT(http_decode(from, rest ? strlen(from) : strcspn(from, "/"), false, out,
					   sizeof match->text - used));
			used += strlen(out) + 1;
			match->params[match->param_count].name = pattern + 1;
			match->params[match->param_count].name_length = length - (rest ? 5 : 2);
			match->params[match->param_count++].value = out;
			if (rest)
				return;
		}
		pattern += length;
	}
}

bool http_routes_find(const struct http_routes *routes, enum io_http_method method, const char *path,
		      struct http_match *match)
{
	struct segments segments;
	memset(match, 0, offsetof(struct http_match, text));
	if (!split(path, &segments))
		return false;
	uint32_t best = 0;
	for (size_t i = 0; i < routes->count; i++) {
		const struct io_http_route *route = routes->rows[i].route;
		uint32_t exact;
		if (!fits(route->pattern, &segments, &exact))
			continue;
		match->methods |= 1u << route->method;
		if (route->method != method || (match->route && exact <= best))
			continue;
		best = exact;
		match->route = route;
		match->ctx = routes->rows[i].ctx;
	}
	if (match->route)
		take_params(match, &segments);
	return true;
}
