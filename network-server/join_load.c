#include "network-server/join_load.h"

#include "network-server/gateways.h"

static struct ns_join_second *second_of(struct ns_join_load *load, int64_t second)
{
	struct ns_join_second *row = &load->seconds[second % NS_JOIN_SECONDS];
	if (row->second != second)
		*row = (struct ns_join_second){.second = second};
	return row;
}

void ns_join_load_offered(struct ns_join_load *load, struct mono now, uint32_t need_us)
{
	struct ns_join_second *row = second_of(load, now.us / US_PER_S);
	row->offered++;
	row->need_us += need_us;
}

void ns_join_load_heard(struct ns_join_load *load, struct mono now, int64_t *last)
{
	int64_t second = now.us / US_PER_S;
	struct ns_join_second *before = &load->seconds[*last % NS_JOIN_SECONDS];
	if (*last == second)
		return;
	if (*last != 0 && before->second == *last && before->hearers > 0)
		before->hearers--;
	*last = second;
	second_of(load, second)->hearers++;
}

void ns_join_load_answered(struct ns_join_load *load, struct mono now)
{
	second_of(load, now.us / US_PER_S)->answered++;
}

struct ns_join_look ns_join_load_look(const struct ns_join_load *load, struct mono now, int64_t seconds)
{
	int64_t present = now.us / US_PER_S;
	struct ns_join_look look = {0};
	uint64_t need_us = 0;
	for (size_t i = 0; i < NS_JOIN_SECONDS; i++) {
		const struct ns_join_second *row = &load->seconds[i];
		if (row->second <= present - seconds || row->second > present)
			continue;
		look.offered += row->offered;
		look.answered += row->answered;
		look.hearers += row->hearers;
		need_us += row->need_us;
	}
	uint64_t may_us = look.hearers * (uint64_t)seconds * US_PER_S * NS_STORM_TX_PERMILLE / 1000;
	look.need_permille = may_us == 0 ? 0 : need_us * 1000 / may_us;
	return look;
}
