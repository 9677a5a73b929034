/* A gateway's tokens: 32 random bytes as text, shown once, kept as hashes. At most two are good at a time, so that one can be
 * replaced while the gateway is on the air. */
#ifndef LAMPPOST_AS_TOKENS_H
#define LAMPPOST_AS_TOKENS_H

#include "application-server/store_identity.h"

#define AS_TOKEN_TEXT 44 /* 43 characters of base64url and NUL */

/* Fills a new token. The caller wipes. */
void as_token_new(char token[AS_TOKEN_TEXT]);

enum as_token_verdict {
	AS_TOKEN_DONE,
	AS_TOKEN_THERE_IS_ONE, /* issue: rotate it */
	AS_TOKEN_NONE,         /* rotate, revoke: there is none */
	AS_TOKEN_FAILED        /* of the store: `*status` */
};
/* Each changes what bridges accept, in this turn. `who` for the audit. ST_NOT_FOUND in `*status`: not registered. */
enum as_token_verdict as_token_issue(struct as_store *store, struct wall now, const struct lw_eui64 *gateway,
				     const char *who, char token[AS_TOKEN_TEXT], enum status *status);
/* The newer of two stays beside the new one; the older is void. */
enum as_token_verdict as_token_rotate(struct as_store *store, struct wall now, const struct lw_eui64 *gateway,
				      const char *who, char token[AS_TOKEN_TEXT], enum status *status);
/* Voids all, or (`older`) the older of two. */
enum as_token_verdict as_token_revoke(struct as_store *store, struct wall now, const struct lw_eui64 *gateway,
				      const char *who, bool older, enum status *status);

#endif
