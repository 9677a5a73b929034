/* What a follower of frames is shown (frame_messages.h): asked in the network server, so that nothing is told in vain, and
 * in the application server, which has several followers. */
#include "common/proto/frame_messages.h"

#include "common/base/check.h"

#include <string.h>

const char *net_frame_standing_name(enum net_frame_standing standing)
{
	static const char *const names[NET_FRAME_STANDING_COUNT] = {
		[NET_FRAME_GOOD] = "good",
		[NET_FRAME_NOTE] = "note",
		[NET_FRAME_PROBLEM] = "problem",
		[NET_FRAME_FOREIGN] = "foreign",
	};
	ASSERT((unsigned)standing < NET_FRAME_STANDING_COUNT);
	return names[standing];
}

static bool is_named(const char *list, const struct net_frame *frame)
{
	while (*list) {
		size_t length = strcspn(list, ",");
		if (length == strlen(frame->verdict) && memcmp(list, frame->verdict, length) == 0)
			return true;
		if (frame->standing == NET_FRAME_PROBLEM && length == strlen(NET_FRAME_PROBLEMS) &&
		    memcmp(list, NET_FRAME_PROBLEMS, length) == 0)
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

static bool is_of_gateway(const struct lw_eui64 *gateway, const struct net_frame *frame)
{
	if (frame->direction == LW_DOWN)
		return lw_eui64_equal(gateway, &frame->tx.gateway);
	for (uint8_t i = 0; i < frame->reception_count; i++)
		if (lw_eui64_equal(gateway, &frame->receptions[i].gateway))
			return true;
	return false;
}

bool net_frame_matches(const struct net_frame_filter *filter, const struct net_frame *frame)
{
	if (frame->standing == NET_FRAME_FOREIGN && !filter->foreign)
		return false;
	if (filter->directions != NET_FRAMES_BOTH &&
	    (filter->directions == NET_FRAMES_UP) != (frame->direction == LW_UP))
		return false;
	if (filter->by_device && !(frame->has_device && lw_eui64_equal(&filter->dev_eui, &frame->dev_eui)))
		return false;
	if (filter->by_dev_addr &&
	    !(frame->has_dev_addr && lw_dev_addr_in(frame->dev_addr, filter->dev_addr)))
		return false;
	if (filter->by_gateway && !is_of_gateway(&filter->gateway, frame))
		return false;
	return !filter->verdicts[0] || is_named(filter->verdicts, frame);
}

bool net_verdict_list_is(const char *list)
{
	if (strlen(list) >= NET_VERDICT_LIST_MAX)
		return false;
	for (;;) {
		size_t length = strspn(list, "abcdefghijklmnopqrstuvwxyz0123456789_");
		if (length == 0 || length >= NET_VERDICT_NAME_MAX)
			return false;
		list += length;
		if (*list == '\0')
			return true;
		if (*list++ != ',')
			return false;
	}
}
