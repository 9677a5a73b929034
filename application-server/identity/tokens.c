#include "application-server/identity/tokens.h"

#include "application-server/identity/audit.h"

#include <string.h>

void as_token_new(char token[AS_TOKEN_TEXT])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t bytes[33] = {0}; /* the last is zero: 43 digits of 6 bits are 258 bits */
	secret_random(bytes, 32);
	for (size_t i = 0; i < AS_TOKEN_TEXT - 1; i++) {
		size_t bit = 6 * i;
		unsigned pair = (unsigned)bytes[bit / 8] << 8 |
				(bit / 8 + 1 < sizeof bytes ? bytes[bit / 8 + 1] : 0u);
		token[i] = digits[pair >> (10 - bit % 8) & 63];
	}
	token[AS_TOKEN_TEXT - 1] = '\0';
	secret_wipe(bytes, sizeof bytes);
}

static enum as_token_verdict write(struct as_store *store, struct wall now, const struct lw_eui64 *gateway,
				   const char *who, const struct as_identity *identity,
				   enum as_audit_what what, const char *detail, enum status *status)
{
	char name[LW_EUI64_TEXT];
	lw_eui64_format(name, gateway);
	*status = as_store_tokens_set(store, gateway, identity->token_count, identity->tokens);
	if (*status == ST_OK)
		*status = as_audit_write(store, now, who, what, name, detail);
	return *status == ST_OK ? AS_TOKEN_DONE : AS_TOKEN_FAILED;
}

static void add(struct as_identity *identity, char token[AS_TOKEN_TEXT])
{
	if (identity->token_count == 2)
		memmove(identity->tokens[0], identity->tokens[1], SECRET_HASH);
	else
		identity->token_count++;
	as_token_new(token);
	secret_hash(identity->tokens[identity->token_count - 1], token, strlen(token));
}

enum as_token_verdict as_token_issue(struct as_store *store, struct wall now, const struct lw_eui64 *gateway,
				     const char *who, char token[AS_TOKEN_TEXT], enum status *status)
{
	struct as_identity identity;
	*status = as_store_identity_get(store, gateway, &identity);
	if (*status != ST_OK)
		return AS_TOKEN_FAILED;
	if (identity.token_count > 0)
		return AS_TOKEN_THERE_IS_ONE;
	add(&identity, token);
	return write(store, now, gateway, who, &identity, AS_AUDIT_TOKEN_ISSUE, "", status);
}

enum as_token_verdict as_token_rotate(struct as_store *store, struct wall now, const struct lw_eui64 *gateway,
				      const char *who, char token[AS_TOKEN_TEXT], enum status *status)
{
	struct as_identity identity;
	*status = as_store_identity_get(store, gateway, &identity);
	if (*status != ST_OK)
		return AS_TOKEN_FAILED;
	if (identity.token_count == 0)
		return AS_TOKEN_NONE;
	add(&identity, token);
	return write(store, now, gateway, who, &identity, AS_AUDIT_TOKEN_ROTATE, "", status);
}

enum as_token_verdict as_token_revoke(struct as_store *store, struct wall now, const struct lw_eui64 *gateway,
				      const char *who, bool older, enum status *status)
{
	struct as_identity identity;
	*status = as_store_identity_get(store, gateway, &identity);
	if (*status != ST_OK)
		return AS_TOKEN_FAILED;
	if (identity.token_count < (older ? 2 : 1))
		return AS_TOKEN_NONE;
	if (older)
		memmove(identity.tokens[0], identity.tokens[1], SECRET_HASH);
	identity.token_count = older ? 1 : 0;
	return write(store, now, gateway, who, &identity, AS_AUDIT_TOKEN_REVOKE, older ? "the older" : "all",
		     status);
}
