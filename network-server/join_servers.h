/* Join servers of others (TS002): which JoinEUIs they serve, and how each fares. Joins of other JoinEUIs go to the city's own
 * join server, on join.sock, and never wait for one of these:
 *
 *	network-server:
 *	  join_servers:
 *	    maker:
 *	      join_euis: [70b3d57ed0000000/36]        # the longest block that holds a JoinEUI wins
 *	      url: https://js.maker.example/ts002
 *	      certificate: /etc/lamppost/maker.crt    # ours, and its key; or headers: a file of "Name: value" lines
 *	      key: /etc/lamppost/maker.key
 *	      kek: maker-13                           # KEKLabel of the network keys, and the file of the key
 *	      kek_file: /etc/lamppost/maker.kek
 *
 * Each has its own limit of joins that wait, and a breaker:
 *
 *	            NS_BREAKER_FAILURES calls in a row failed
 *	CLOSED ────────────────────────────────────────────▶ OPEN: no join is given to it
 *	  ▲  ▲                                                │ its pause has passed
 *	  │  └───────────── a call was answered ───── PROBING ◀┘ one join at a time
 *	  │                                               └─ that failed ──▶ OPEN, the pause twice as long
 *
 * Pure. */
#ifndef LAMPPOST_NETWORK_SERVER_JOIN_SERVERS_H
#define LAMPPOST_NETWORK_SERVER_JOIN_SERVERS_H

#include "common/backend/ts002.h"
#include "common/base/options.h"
#include "common/base/units.h"
#include "common/lorawan/eui_prefix.h"

#define NS_JOIN_SERVERS_MAX   OPTION_MAP_MAX
#define NS_JOIN_SERVER_OURS   UINT8_MAX /* the place of the city's own */
#define NS_JOIN_SERVER_BLOCKS 8
#define NS_JOIN_SERVER_PEER   65 /* a common name and NUL */
#define NS_JOIN_CAUSE         40

#define NS_BREAKER_FAILURES 5
#define NS_BREAKER_PAUSE    (5 * US_PER_S)
#define NS_BREAKER_LONGEST  (60 * US_PER_S)

struct ns_join_server {
	char name[OPTION_LABEL_MAX];
	struct lw_eui_prefix blocks[NS_JOIN_SERVER_BLOCKS];
	size_t block_count;
	char url[OPTION_PATH_MAX];
	char ca[OPTION_PATH_MAX]; /* "": the system's */
	char certificate[OPTION_PATH_MAX], key[OPTION_PATH_MAX], headers[OPTION_PATH_MAX];
	enum bi_protocol protocol;
	bool has_sender;
	struct lw_net_id sender; /* SenderID; ours where none is said */
	bool has_ns_id;
	struct lw_eui64 ns_id;         /* SenderNSID (1.1) */
	char kek_label[BI_LABEL_TEXT]; /* "": network keys come in clear, over TLS */
	char kek_file[OPTION_PATH_MAX];
	uint8_t kek[BI_KEY_CLEAR]; /* the edge fills it */
	bool asynchronous;
	char answers_from
		[NS_JOIN_SERVER_PEER]; /* common name of the certificate that asynchronous answers come with */
	span_us timeout;               /* of one call */
	uint32_t in_flight;            /* joins that may wait for it */
};

enum ns_breaker { NS_BREAKER_CLOSED, NS_BREAKER_OPEN, NS_BREAKER_PROBING };

struct ns_join_server_state {
	enum ns_breaker breaker;
	uint32_t failures; /* in a row */
	span_us pause;
	struct mono until;  /* OPEN */
	uint32_t in_flight; /* joins that wait */
	/* Since the start. */
	uint64_t joins, calls, answers, accepted, refused, unusable, failed, busy, shunned;
};

/* Reads one entry of the configuration's map (option_words.h). False with what was expected. */
bool ns_join_server_parse(const char *label, const char *words, struct ns_join_server *server,
			  char expect[OPTION_EXPECT_MAX]);
/* The same as a row's check_entry. */
bool ns_join_server_check_entry(const char *label, const char *words, char expect[OPTION_EXPECT_MAX]);
/* The place of the server with the longest block that holds it; NS_JOIN_SERVER_OURS: none has. */
uint8_t ns_join_server_for(const struct ns_join_server *servers, uint8_t count,
			   const struct lw_eui64 *join_eui);

/* What becomes of a join that it is to get now. */
enum ns_join_admission { NS_JOIN_ADMITTED, NS_JOIN_BUSY, NS_JOIN_SHUNNED };
enum ns_join_admission ns_join_server_admit(const struct ns_join_server *server,
					    const struct ns_join_server_state *state, struct mono now);
/* A join begins to wait for it, which was admitted; and waits no longer. */
void ns_join_server_began(struct ns_join_server_state *state, struct mono now);
void ns_join_server_ended(struct ns_join_server_state *state);
/* One call of it was answered, in whatever way that could be read; or failed. */
void ns_join_server_answered(struct ns_join_server_state *state);
void ns_join_server_failed(struct ns_join_server_state *state, struct mono now);
/* Whether a join that waits may ask again. */
bool ns_join_server_may_repeat(const struct ns_join_server_state *state);

#endif
