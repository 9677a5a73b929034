/* A join server's core with a store in memory, and the device's side of a join: what both tests of the core use. */
#ifndef LAMPPOST_TESTS_JOIN_WORLD_H
#define LAMPPOST_TESTS_JOIN_WORLD_H

#include "join-server/join.h"
#include "join-server/provisioning.h"
#include "tests/harness/join_store.h"

#define T_CITY     "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define T_DEV_EUI  UINT64_C(0x0102030405060708)
#define T_JOIN_EUI UINT64_C(0x0807060504030201)

struct t_join_world {
	struct t_join_store store;
	struct js_join join;
	struct js_options options;
	struct secret_master *master;
	struct secret_box *box;
	struct rng rng;
	struct now now;
	struct js_records records; /* scratch of one call */
	struct js_applied applied;
};

/* The NetID is 010203; KEKs `network`, `application` and `60000d` (another network's) are there. */
void t_join_world_open(struct t_join_world *world);
void t_join_world_close(struct t_join_world *world);
/* Drops what was not committed, and starts the core again. */
void t_join_world_crash(struct t_join_world *world);

/* A caller on this machine who may ask for everything. */
extern const struct js_peer t_join_here;
extern const struct lw_key t_app_key, t_nwk_key;

/* A record of the device T_DEV_EUI with both keys sealed to the world's box. */
struct js_record t_join_record(const struct t_join_world *world, uint64_t version,
			       enum lw_mac_version mac_version);
/* Applies one record; begins with a full run if none was. */
void t_join_provision(struct t_join_world *world, const struct js_record *record);

/* A JoinReq for T_DEV_EUI's frame with that DevNonce, its MIC made with `key`. */
struct bi_message t_join_request(struct t_join_world *world, const struct lw_key *key,
				 enum lw_mac_version version, uint16_t dev_nonce, uint32_t transaction_id);
/* Sends it as a peer (NULL: nobody's certificate); fills the answer if there is one. */
enum js_verdict t_join_ask_as(struct t_join_world *world, const struct js_peer *peer,
			      const struct bi_message *request, struct bi_message *answer);
/* The same as a caller on this machine. */
enum js_verdict t_join_ask(struct t_join_world *world, const struct bi_message *request,
			   struct bi_message *answer);

#endif
