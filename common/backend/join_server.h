/* How a join server of another is reached, as the configuration says it: one group of words for each, by name.
 *
 *	join_servers:
 *	  maker:
 *	    join_euis: [70b3d57ed0000000/36]        # the longest block that holds a JoinEUI wins
 *	    url: https://js.maker.example/ts002
 *	    certificate: /etc/lamppost/maker.crt    # ours, and its key; or headers: a file of "Name: value" lines
 *	    key: /etc/lamppost/maker.key
 *	    kek: maker-13                           # KEKLabel of the keys that it sends, and the file of the key
 *	    kek_file: /etc/lamppost/maker.kek
 *
 * A network server has it make joins (JoinReq); an application server fetches AppSKeys (AppSKeyReq). Each has words that the other has
 * not. Pure. */
#ifndef LAMPPOST_BACKEND_JOIN_SERVER_H
#define LAMPPOST_BACKEND_JOIN_SERVER_H

#include "common/backend/ts002.h"
#include "common/base/options.h"
#include "common/base/units.h"
#include "common/lorawan/eui_prefix.h"

#define BI_JOIN_SERVER_BLOCKS 8
#define BI_JOIN_SERVER_PEER   65        /* a common name and NUL */
#define BI_JOIN_SERVER_NONE   UINT8_MAX /* no block of theirs: the city's own */

enum bi_asker { BI_NETWORK_SERVER = 1, BI_APPLICATION_SERVER = 2 };

struct bi_join_server {
	char name[OPTION_LABEL_MAX];
	char words[OPTION_VALUE_MAX]; /* that it was read from: what has the same words is the same */
	struct lw_eui_prefix blocks[BI_JOIN_SERVER_BLOCKS];
	size_t block_count;
	char url[OPTION_PATH_MAX];
	char ca[OPTION_PATH_MAX]; /* "": the system's */
	char certificate[OPTION_PATH_MAX], key[OPTION_PATH_MAX], headers[OPTION_PATH_MAX];
	enum bi_protocol protocol;
	bool has_sender;
	struct lw_net_id sender; /* a network server's SenderID; ours where none is said */
	bool has_ns_id;
	struct lw_eui64 ns_id;         /* its SenderNSID (1.1) */
	char as_id[BI_ID_TEXT];        /* an application server's SenderID */
	char kek_label[BI_LABEL_TEXT]; /* "": none is agreed on */
	char kek_file[OPTION_PATH_MAX];
	uint8_t kek[BI_KEY_CLEAR]; /* the edge fills it */
	bool asynchronous;
	char answers_from
		[BI_JOIN_SERVER_PEER]; /* common name of the certificate that asynchronous answers come with */
	span_us timeout;               /* of one call */
	uint32_t in_flight;            /* joins that may wait for it */
};

/* Reads one entry of the configuration's map (option_words.h). False with what was expected. */
bool bi_join_server_parse(enum bi_asker asker, const char *label, const char *words,
			  struct bi_join_server *server, char expect[OPTION_EXPECT_MAX]);
/* The same as a row's check_entry. */
bool bi_join_server_check_network(const char *label, const char *words, char expect[OPTION_EXPECT_MAX]);
bool bi_join_server_check_application(const char *label, const char *words, char expect[OPTION_EXPECT_MAX]);
/* The place of the server with the longest block that holds it; BI_JOIN_SERVER_NONE: none has. */
uint8_t bi_join_server_for(const struct bi_join_server *servers, uint8_t count,
			   const struct lw_eui64 *join_eui);

#endif
