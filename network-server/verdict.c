#include "network-server/verdict.h"

#include "common/base/check.h"
#include "network-server/why/book.h"

const struct decision_rule *ns_verdict(enum ns_drop drop)
{
	ASSERT((int)drop >= 0 && drop < NS_DROP_COUNT);
	const struct decision_rule *rule = drop < NS_DROP_SECOND ? &ns_drop_rules_up[drop]
								 : &ns_drop_rules_down[drop - NS_DROP_SECOND];
	ASSERT(rule->name);
	return rule;
}
