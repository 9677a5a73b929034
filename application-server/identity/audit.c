#include "application-server/identity/audit.h"

#include "application-server/store_audit.h"

#include <stdio.h>

static const char *const names[AS_AUDIT_COUNT] = {
	[AS_AUDIT_CA_MADE] = "ca_made",
	[AS_AUDIT_SERVER_CERTIFICATE] = "server_certificate",
	[AS_AUDIT_CERTIFICATE_ISSUE] = "certificate_issue",
	[AS_AUDIT_CERTIFICATE_RENEW] = "certificate_renew",
	[AS_AUDIT_CERTIFICATE_REVOKE] = "certificate_revoke",
	[AS_AUDIT_TOKEN_ISSUE] = "token_issue",
	[AS_AUDIT_TOKEN_ROTATE] = "token_rotate",
	[AS_AUDIT_TOKEN_REVOKE] = "token_revoke",
	[AS_AUDIT_FIRMWARE_KEY] = "firmware_key",
	[AS_AUDIT_FIRMWARE_ADD] = "firmware_add",
	[AS_AUDIT_FIRMWARE_ASSIGN] = "firmware_assign",
	[AS_AUDIT_FIRMWARE_CANCEL] = "firmware_cancel",
	[AS_AUDIT_REMOTE_COMMAND] = "remote_command",
	[AS_AUDIT_REMOTE_SHELL] = "remote_shell",
	[AS_AUDIT_JOIN_ALLOW_ONCE] = "join_allow_once",
	[AS_AUDIT_JOIN_ALLOW_WITHDRAW] = "join_allow_withdraw",
	[AS_AUDIT_STOCK_ADD] = "stock_add",
	[AS_AUDIT_STOCK_REMOVE] = "stock_remove",
	[AS_AUDIT_EUI_TAKEN] = "dev_eui_taken",
	[AS_AUDIT_CLAIM] = "device_claim",
	[AS_AUDIT_CLAIM_REFUSED] = "claim_refused",
	[AS_AUDIT_CLAIM_LOCKED] = "claim_locked",
	[AS_AUDIT_RELEASE] = "device_release",
	[AS_AUDIT_REPLACE] = "device_replace",
	[AS_AUDIT_REPLACE_UNDO] = "device_replace_undo",
	[AS_AUDIT_KEK_NEW] = "kek_new",
	[AS_AUDIT_KEK_ROTATE] = "kek_rotate",
	[AS_AUDIT_KEK_RETIRE] = "kek_retire",
};

const char *as_audit_name(enum as_audit_what what)
{
	return (unsigned)what < AS_AUDIT_COUNT ? names[what] : "unknown";
}

enum status as_audit_write(struct as_store *store, struct wall now, const char *who, enum as_audit_what what,
			   const char *subject, const char *detail)
{
	char said[AS_AUDIT_DETAIL_MAX];
	snprintf(said, sizeof said, "%s", detail);
	return as_store_audit_put(store, now, who, as_audit_name(what), subject, said);
}
