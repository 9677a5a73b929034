/* Another master key, while joins go on: one row is written, and joins wait for it as for any other commit.
 *
 *	file       1 make a key, FILE.new, synced       2 add its wrap, commit       3 FILE.new becomes FILE       4 the old wrap goes, commit
 *	others     1 the key came sealed to our box     2 add its wrap, commit       the old wrap goes at the first start with the new key
 *	passphrase in the place of a passphrase         2 its wrap takes the place of the old one, one commit
 *
 * A crash before 2 leaves the old key and a FILE.new that the next start removes; after 2 either key opens; after 3 the new one stands in its
 * place and the next start does 4. */
#ifndef LAMPPOST_JOIN_SERVER_EDGE_ROTATE_H
#define LAMPPOST_JOIN_SERVER_EDGE_ROTATE_H

#include "join-server/edge_vault.h"

enum js_rotate_result {
	JS_ROTATED,
	JS_ROTATED_WAITS, /* the configuration has to say so: the old key opens as well until the next start with the new one */
	JS_ROTATE_FILE,       /* 409: the file cannot be written */
	JS_ROTATE_FILE_THERE, /* 409: a file stands where the new key would be */
	JS_ROTATE_NOT_FOR_US, /* 422: the sealed key does not open */
	JS_ROTATE_SAME_KEY,   /* 409: it is the key already */
	JS_ROTATE_AUDIT_FULL, /* 507 */
	JS_ROTATE_UNSYNCED,   /* 500: the new file has its name, perhaps not on the disk: either key opens */
	JS_ROTATE_NO_MEMORY,  /* 500 */
	JS_ROTATE_FAILED, /* the database: the turn fails, the process ends, nobody is answered; the next start finds one or the other */
	JS_ROTATE_RESULT_COUNT
};
int js_rotate_code(enum js_rotate_result result);
const char *js_rotate_reason(enum js_rotate_result result);

struct js_rotate_order {
	struct js_vault_form form;
	struct secret_master *key; /* the caller's; NULL with JS_VAULT_FILE: one is made */
	char who[JS_AUDIT_WHO];
	/* For tests: called after each step that is on the disk. NULL: nobody. */
	void (*after_step)(void *ctx, int step);
	void *ctx;
};

/* `file`: where a new file goes: the one that opened the vault, or STATE/keys/join-server.master. */
enum js_rotate_result js_rotate(struct js_edge_vault *vault, struct now now,
				const struct js_rotate_order *order, const char *file);

#endif
