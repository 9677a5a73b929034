/* What goes into a join server's vault and out of it, sealed (crypto_box_seal), by messages of one form:
 *
 *	plain   version = 1 (1) | kind (1) | ...
 *
 *	0x11    a new master key, to the join server's box key          32 bytes
 *	0x21    a page of an export, to the public key that was named   count (2) | count x record
 *	0x20    the same as it was before: records end with RJcount1    (read alone)
 *
 *	record  dev_eui (8) | join_eui (8) | LoRaWAN version (3: 1, 0, 4) | what is there (1: 1 app_key, 2 nwk_key,
 *	        4 dev_nonce, 8 rj_count1, 16 net_id, 32 ns_id) | app_key (16) | nwk_key (16) | last JoinNonce (4) |
 *	        highest DevNonce (2) | RJcount1 (2) | NetID of the last accept (4) | its network server (8) | accepts with the
 *	        key (8) | the last one's time, microseconds (8) | length (2) | every DevNonce that was used (nonces.h's stored form)
 *
 * All numbers little-endian; what is not there is zeros. An export's file is lines of JSON: {"lamppost_vault_export": 1, "to": HEX,
 * "join_server": FINGERPRINT, "made": TIME}, then {"page": n, "devices": n, "sealed": BASE64} for each page, then {"end": true,
 * "pages": n, "devices": n}, without which it is not whole. */
#ifndef LAMPPOST_CRYPTO_VAULT_SEAL_H
#define LAMPPOST_CRYPTO_VAULT_SEAL_H

#include "common/crypto/secret.h"

#define VAULT_MASTER_SEALED (2 + SECRET_KEY + SECRET_BOX_OVERHEAD)
#define VAULT_PAGE_RECORDS  100
#define VAULT_PAGE_PLAIN    32768
#define VAULT_PAGE_SEALED   (VAULT_PAGE_PLAIN + SECRET_BOX_OVERHEAD)
#define VAULT_USED_MAX      8193 /* bytes of the used DevNonces: a form and one bit for each of the 65,536 */

struct vault_record {
	uint8_t dev_eui[8], join_eui[8];
	uint8_t version[3];
	bool has_app_key, has_nwk_key, has_dev_nonce, has_rj_count1, has_net_id, has_ns_id;
	uint8_t app_key[16], nwk_key[16];
	uint32_t join_nonce; /* the last one given; 0: none */
	uint16_t dev_nonce;  /* the highest that counted */
	uint16_t rj_count1;
	uint32_t net_id;
	uint8_t ns_id[8];
	uint64_t uses;
	int64_t used_at_us;  /* 0: never */
	const uint8_t *used; /* borrowed; of a page that is read: stands in the page */
	size_t used_length;  /* 0: a page of before, which does not say */
};

/* A page in clear, being written or read. Wiped by whoever has it: vault_page_wipe(). */
struct vault_page {
	uint8_t plain[VAULT_PAGE_PLAIN];
	size_t length;
	size_t count; /* records */
	/* Reading. */
	size_t at, read;
	bool has_nonces; /* false: a page of before */
};

/* ST_INVALID: no usable public key. */
MUST_USE enum status vault_master_seal(uint8_t sealed[VAULT_MASTER_SEALED],
				       const uint8_t public_key[SECRET_KEY],
				       const struct secret_master *master);
/* Gives the key; NULL: it is not for this box, or no master key. */
struct secret_master *vault_master_open(const struct secret_box *box, const uint8_t *sealed, size_t length);

/* An empty page. */
void vault_page_begin(struct vault_page *page);
/* Adds a record. False: the page is full, and as it was. A page takes any three records at least. */
bool vault_page_add(struct vault_page *page, const struct vault_record *record);
/* Seals it; returns the length, 0: no usable public key. */
size_t vault_page_seal(uint8_t sealed[VAULT_PAGE_SEALED], const uint8_t public_key[SECRET_KEY],
		       const struct vault_page *page);
/* Opens a page and looks at all of it. ST_REFUSED: not for this box, or changed; ST_INVALID: no page. `page` is wiped then. */
MUST_USE enum status vault_page_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
				     struct vault_page *page);
/* Fills the next record of a page that was opened; false behind the last. The caller wipes it. */
bool vault_page_next(struct vault_page *page, struct vault_record *record);
void vault_page_wipe(struct vault_page *page);

#endif
