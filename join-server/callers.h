/* Who may ask for what on join.sock, by the user at the other end as the kernel knew it: the network server may ask for
 * joins and not for provisioning when it runs as a user of its own. Pure. */
#ifndef LAMPPOST_JOIN_SERVER_CALLERS_H
#define LAMPPOST_JOIN_SERVER_CALLERS_H

#include "common/base/callers.h"

#include <stdbool.h>
#include <stdint.h>

enum js_call { JS_CALL_JOINS, JS_CALL_PROVISIONING, JS_CALL_APP_KEYS, JS_CALL_VAULT, JS_CALL_COUNT };
const char *js_call_name(enum js_call call); /* "joins", "provisioning", "app_keys", "vault" */

struct js_callers {
	struct callers table;
};

/* Fills from the configuration's table. `find_user` turns a name or number into a uid. False with a phrase that names the
 * entry in `problem`. */
bool js_callers_init(struct js_callers *callers, const struct option_map *table, uint32_t own_uid,
		     bool (*find_user)(const char *name, uint32_t *uid), char *problem, size_t capacity);
/* What of TS002 a user may ask (enum js_right). */
unsigned js_callers_rights(const struct js_callers *callers, uint32_t uid);
bool js_callers_allow(const struct js_callers *callers, enum js_call call, uint32_t uid);

#endif
