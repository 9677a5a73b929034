#include "application-server/replication/replica.h"

#include "common/base/check.h"

void as_replica_wanted(struct as_replica *replica, const struct as_store *store, const struct net_uuid *city,
		       uint64_t version)
{
	replica->full = !as_store_desired_continues(store, city, version);
	replica->sent = replica->full ? 0 : version;
	replica->applied = replica->sent;
	replica->batch_at = replica->batch_count = 0;
	replica->state = AS_REPLICA_READY;
}

void as_replica_applied(struct as_replica *replica, uint64_t version)
{
	replica->applied = version;
}

void as_replica_lost(struct as_replica *replica)
{
	replica->state = AS_REPLICA_AWAY;
}

/* Fills the batch; false when nothing is left, or on a failure. */
static bool refill(struct as_replica *replica, struct as_store *store, enum status *status)
{
	replica->batch_at = replica->batch_count = 0;
	*status = as_store_desired_after(store, replica->sent, replica->batch, AS_REPLICA_BATCH,
					 &replica->batch_count);
	return *status == ST_OK && replica->batch_count > 0;
}

enum as_replica_step as_replica_next(struct as_replica *replica, struct as_store *store,
				     const struct as_desired **record)
{
	enum status status;
	if (replica->state == AS_REPLICA_AWAY)
		return AS_STEP_NOTHING;
	if (replica->state == AS_REPLICA_READY) {
		if (!replica->full && replica->sent >= as_store_version(store))
			return AS_STEP_NOTHING;
		replica->state = AS_REPLICA_IN_RUN;
		replica->batch_at = replica->batch_count = 0;
		replica->runs++;
		return AS_STEP_BEGIN;
	}
	for (;;) {
		if (replica->batch_at == replica->batch_count && !refill(replica, store, &status)) {
			if (status != ST_OK)
				return AS_STEP_FAILED;
			replica->state = AS_REPLICA_READY;
			replica->full = false;
			replica->sent = as_store_version(store);
			return AS_STEP_END;
		}
		const struct as_desired *next = &replica->batch[replica->batch_at++];
		ASSERT_CMP(next->version, >, replica->sent);
		replica->sent = next->version;
		if (replica->full && next->deleted)
			continue;
		replica->records++;
		*record = next;
		return AS_STEP_RECORD;
	}
}
