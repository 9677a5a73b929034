/* Heads of the join server's audit that were noted elsewhere: a file with one line of `lamppost vault audit head --json` or more. Each proves by its
 * signature that the audit had a row of that number and hash once; so it has to have it now. */
#ifndef LAMPPOST_CLI_VAULT_HEADS_H
#define LAMPPOST_CLI_VAULT_HEADS_H

#include "common/crypto/audit_chain.h"

#include <stdbool.h>
#include <stddef.h>

struct cli_vault_heads {
	size_t count, room;
	struct cli_vault_head {
		struct audit_head head;
		long line;
		bool met;  /* a row of its number went by */
		bool same; /* with its hash */
	} * heads;         /* owned; in order of seq */
};

/* Reads them all, and checks their signatures. An enum cli_exit, reported; release it in either case. */
int cli_vault_heads_read(struct cli_vault_heads *heads, const char *path,
			 const uint8_t public_key[SECRET_KEY]);
/* A row of the audit, in any order. `hash`: hex. */
void cli_vault_heads_meet(struct cli_vault_heads *heads, uint64_t seq, const char *hash);
/* All rows went by. An enum cli_exit, reported: whether each head has its row. */
int cli_vault_heads_end(const struct cli_vault_heads *heads);
void cli_vault_heads_release(struct cli_vault_heads *heads);

#endif
