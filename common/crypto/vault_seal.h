/* What goes into a join server's vault and out of it, sealed (crypto_box_seal), by messages of one form:
 *
 *	plain   version = 1 (1) | kind (1) | ...
 *
 *	0x11    a new master key, to the join server's box key          32 bytes
 *	0x20    a page of an export, to the public key that was named   count (2) | count x record
 *
 *	record  dev_eui (8) | join_eui (8) | LoRaWAN version (3: 1, 0, 4) | what is there (1: 1 app_key, 2 nwk_key,
 *	        4 dev_nonce, 8 rj_count1) | app_key (16) | nwk_key (16) | last JoinNonce (4) | highest DevNonce (2) | RJcount1 (2)
 *
 * All numbers little-endian; what is not there is zeros. An export's file is lines of JSON: {"lamppost_vault_export": 1, "to": HEX,
 * "join_server": FINGERPRINT, "made": TIME}, then {"page": n, "devices": n, "sealed": BASE64} for each page, then {"end": true,
 * "pages": n, "devices": n}, without which it is not whole. */
#ifndef LAMPPOST_CRYPTO_VAULT_SEAL_H
#define LAMPPOST_CRYPTO_VAULT_SEAL_H

#include "common/crypto/secret.h"

#define VAULT_MASTER_SEALED (2 + SECRET_KEY + SECRET_BOX_OVERHEAD)
#define VAULT_PAGE_RECORDS  100
#define VAULT_RECORD        60
#define VAULT_PAGE_PLAIN    (4 + VAULT_PAGE_RECORDS * VAULT_RECORD)
#define VAULT_PAGE_SEALED   (VAULT_PAGE_PLAIN + SECRET_BOX_OVERHEAD)

struct vault_record {
	uint8_t dev_eui[8], join_eui[8];
	uint8_t version[3];
	bool has_app_key, has_nwk_key, has_dev_nonce, has_rj_count1;
	uint8_t app_key[16], nwk_key[16];
	uint32_t join_nonce; /* the last one given; 0: none */
	uint16_t dev_nonce;  /* the highest that counted */
	uint16_t rj_count1;
};

/* ST_INVALID: no usable public key. */
MUST_USE enum status vault_master_seal(uint8_t sealed[VAULT_MASTER_SEALED],
				       const uint8_t public_key[SECRET_KEY],
				       const struct secret_master *master);
/* Gives the key; NULL: it is not for this box, or no master key. */
struct secret_master *vault_master_open(const struct secret_box *box, const uint8_t *sealed, size_t length);

/* Seals at most VAULT_PAGE_RECORDS; returns the length, 0: no usable public key. */
size_t vault_page_seal(uint8_t sealed[VAULT_PAGE_SEALED], const uint8_t public_key[SECRET_KEY],
		       const struct vault_record *records, size_t count);
/* Fills the records; the caller wipes them. ST_REFUSED: not for this box, or changed; ST_INVALID: no page. */
MUST_USE enum status vault_page_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
				     struct vault_record records[VAULT_PAGE_RECORDS], size_t *count);

#endif
