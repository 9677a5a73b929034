/* The audit: who did what to whom among the things that give or take power over gateways, let devices in, and decide who reads. A row is written in the turn of the
 * deed itself, so that there is no deed without its row. Read by the city's engineers (GET /api/v1/audit, `lamppost audit
 * list`), kept for ever: people act rarely. Nothing secret is ever a detail.
 *
 *	time | who ("uid 1000", "cups", "console ...") | what (a row of the table below) | subject (an EUI, "ca") | detail
 */
#ifndef LAMPPOST_AS_AUDIT_H
#define LAMPPOST_AS_AUDIT_H

#include "application-server/store.h"

enum as_audit_what {
	AS_AUDIT_CA_MADE,
	AS_AUDIT_SERVER_CERTIFICATE,
	AS_AUDIT_CERTIFICATE_ISSUE,
	AS_AUDIT_CERTIFICATE_RENEW,
	AS_AUDIT_CERTIFICATE_REVOKE,
	AS_AUDIT_TOKEN_ISSUE,
	AS_AUDIT_TOKEN_ROTATE,
	AS_AUDIT_TOKEN_REVOKE,
	AS_AUDIT_FIRMWARE_KEY,
	AS_AUDIT_FIRMWARE_ADD,
	AS_AUDIT_FIRMWARE_ASSIGN,
	AS_AUDIT_FIRMWARE_CANCEL,
	AS_AUDIT_REMOTE_COMMAND, /* runcmd */
	AS_AUDIT_REMOTE_SHELL,   /* rmtsh */
	AS_AUDIT_JOIN_ALLOW_ONCE,
	AS_AUDIT_JOIN_ALLOW_WITHDRAW,
	AS_AUDIT_STOCK_ADD,
	AS_AUDIT_STOCK_REMOVE,
	AS_AUDIT_EUI_TAKEN, /* somebody asked for a DevEUI that another has (api/taken.h) */
	AS_AUDIT_CLAIM,
	AS_AUDIT_CLAIM_REFUSED,
	AS_AUDIT_CLAIM_LOCKED,
	AS_AUDIT_RELEASE,
	AS_AUDIT_REPLACE,
	AS_AUDIT_REPLACE_UNDO,
	AS_AUDIT_KEK_NEW,
	AS_AUDIT_KEK_ROTATE,
	AS_AUDIT_KEK_RETIRE,
	AS_AUDIT_COUNT
};
/* "certificate_issue", "remote_command"... */
const char *as_audit_name(enum as_audit_what what);

#define AS_AUDIT_WHO_MAX     64
#define AS_AUDIT_SUBJECT_MAX 64
#define AS_AUDIT_DETAIL_MAX  400 /* longer ones are cut */

/* Writes a row, in the turn. `who`: as_call.who of a call, or the name of what acted by itself ("cups"). */
enum status as_audit_write(struct as_store *store, struct wall now, const char *who, enum as_audit_what what,
			   const char *subject, const char *detail) MUST_USE;

struct as_audit_row {
	uint64_t seq; /* its place: `after` and `before` of lists */
	struct wall at;
	char who[AS_AUDIT_WHO_MAX], what[32], subject[AS_AUDIT_SUBJECT_MAX], detail[AS_AUDIT_DETAIL_MAX];
};
/* Fills the newest row that is older than `before` (0: of all) and about `subject` (NULL: any). ST_NOT_FOUND: there is none. */
enum status as_audit_next(struct as_store *store, const char *subject, uint64_t before,
			  struct as_audit_row *row) MUST_USE;

#endif
