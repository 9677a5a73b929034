/* Who may speak to the join server from other machines (TS002 §3): the network servers and application servers of others, each
 * known by its certificate, with what it was granted. What nobody granted is refused (peer_check.c), by its own verdict.
 *
 *	join-server:
 *	  peers:
 *	    city-b:
 *	      certificate: ns.city-b.example      # common name; or fingerprint: SHA-256 of the certificate
 *	      net_ids: [60000d]                   # SenderIDs that it may speak for
 *	      messages: [joins, home]             # JoinReq and RejoinReq; HomeNSReq; app_keys: AppSKeyReq
 *	      join_euis: [70b3d57ed0000000/36]    # ReceiverIDs that it may address; any: all of them
 *	      home_of: [70b3d57ed0000000/36]      # devices of these JoinEUIs are at home in its (first) network, unless
 *	                                          # their record says another
 *	      kek: city-b                         # label in join-server.keks of its session keys
 *
 * Pure. */
#ifndef LAMPPOST_JOIN_SERVER_PEERS_H
#define LAMPPOST_JOIN_SERVER_PEERS_H

#include "common/backend/ts002.h"
#include "common/base/options.h"
#include "common/base/units.h"
#include "common/lorawan/eui_prefix.h"

#define JS_PEERS_MAX        OPTION_MAP_MAX
#define JS_PEER_NET_IDS     8
#define JS_PEER_AS_IDS      4
#define JS_PEER_JOIN_EUIS   8
#define JS_PEER_NAME        65 /* a common name and NUL (X.520) */
#define JS_PEER_FINGERPRINT 32 /* SHA-256 */
#define JS_PEER_RATE        50 /* messages a second where the configuration does not say */
#define JS_PEER_WAITING     64 /* answers on their way to one that wants them asynchronously */

/* What a peer may ask for. */
enum js_right { JS_RIGHT_JOINS = 1, JS_RIGHT_HOME = 2, JS_RIGHT_APP_KEYS = 4, JS_RIGHT_ALL = 7 };

struct js_peer {
	char name[OPTION_LABEL_MAX];    /* its label; "" on this machine */
	bool local;                     /* on join.sock: NetIDs, JoinEUIs and application keys of all */
	unsigned rights;                /* enum js_right, several */
	char common_name[JS_PEER_NAME]; /* of its certificate; "": told by the fingerprint */
	uint8_t fingerprint[JS_PEER_FINGERPRINT];
	struct lw_net_id net_ids[JS_PEER_NET_IDS];
	size_t net_id_count;
	char as_ids[JS_PEER_AS_IDS][BI_ID_TEXT]; /* SenderIDs of application servers */
	size_t as_id_count;
	bool any_join_eui;
	struct lw_eui_prefix join_euis[JS_PEER_JOIN_EUIS];
	size_t join_eui_count;
	struct lw_eui_prefix home_of[JS_PEER_JOIN_EUIS];
	size_t home_of_count;
	char kek[BI_LABEL_TEXT]; /* of the network keys, or of the AppSKeys that it fetches; "": `network` or the NetID */
	char url[OPTION_PATH_MAX]; /* where answers are posted to; "": in the answer of the request */
	uint32_t rate;             /* messages a second, with a burst of as many */
};

/* A peer as it is served. */
struct js_peer_state {
	int64_t tokens_us; /* room in the bucket: messages × a second */
	struct mono filled;
	uint32_t waiting; /* asynchronous answers on their way */
	uint64_t messages, limited, answers, answers_failed;
};

struct js_peers {
	size_t count;
	struct js_peer peers[JS_PEERS_MAX];
	struct js_peer_state states[JS_PEERS_MAX];
};

/* Reads one entry of the configuration's map (option_words.h). False with what was expected. */
bool js_peer_parse(const char *label, const char *words, struct js_peer *peer,
		   char expect[OPTION_EXPECT_MAX]);
/* Checks one: a row's check_entry. */
bool js_peer_check_entry(const char *label, const char *words, char expect[OPTION_EXPECT_MAX]);
/* Fills from the configuration, which was checked. Two that are told by the same certificate: false, with the later one's
 * label in `problem`. States begin anew, but for the counts of those whose label stays. */
bool js_peers_init(struct js_peers *peers, const struct option_map *table, char *problem, size_t capacity);
/* A caller on this machine, with these rights. */
struct js_peer js_peer_local(unsigned rights);

/* Lends the peer of a certificate that the TLS library has found good; NULL: it is nobody's. */
struct js_peer *js_peers_find(struct js_peers *peers, const char *common_name,
			      const uint8_t fingerprint[JS_PEER_FINGERPRINT]);
struct js_peer_state *js_peer_state(struct js_peers *peers, const struct js_peer *peer);
/* Whether one more message is within its rate; counted either way. */
bool js_peer_admit(struct js_peers *peers, const struct js_peer *peer, struct mono now);

/* The network that devices of a JoinEUI are at home in, by the longest block of `home_of`. False: nobody's. */
bool js_peers_home(const struct js_peers *peers, const struct lw_eui64 *join_eui, struct lw_net_id *home);

/* What it was granted. */
bool js_peer_speaks_for(const struct js_peer *peer, struct lw_net_id net_id);
bool js_peer_is_application(const struct js_peer *peer, const char *sender_id);
bool js_peer_may_address(const struct js_peer *peer, const struct lw_eui64 *join_eui);

#endif
