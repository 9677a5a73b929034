/* Keys that are no secret. Whoever knows a device's key is that device, so a key that stands in a manual, that is made of what is
 * printed on the label, or that many devices share is refused before it is sealed: behind that nobody can see it any more.
 * Every way in comes through here: `device add`, `update`, `keys set`, `replace`, `import` and `shelve`, whatever the file.
 *
 * The rules are rows: a name, what it looks like, and the words. Sixteen zero bytes are never taken (a device without a key, or a
 * column that was not filled); the others are taken with --allow-known-keys, for a device whose key cannot be changed. */
#ifndef LAMPPOST_CLI_KEY_RULES_H
#define LAMPPOST_CLI_KEY_RULES_H

#include "common/lorawan/types.h"

#include <stdbool.h>
#include <stddef.h>

#define KEY_ALLOW_OPTION "allow-known-keys"
#define KEY_ALLOW_HELP   "take keys that others know or that several devices share, at your own risk"

struct key_rule {
	const char *name; /* "zeros" */
	bool (*is)(const struct lw_key *key, const struct lw_eui64 *dev_eui);
	const char *words; /* a clause; it names no byte of a key that is not public */
	bool never;        /* not even when it is allowed */
};
extern const struct key_rule key_rules[];
extern const size_t key_rule_count;

/* The first rule that the key breaks; NULL: none. Pure. */
const struct key_rule *key_rule_broken(const struct lw_key *key, const struct lw_eui64 *dev_eui);

/* The keys of one command, so that one that several devices share is seen; keyed hashes of them, under a key that is drawn for
 * this run and gone with it. */
struct key_watch; /* opaque */
struct key_watch *key_watch_new(bool allow_known);
void key_watch_free(struct key_watch *watch); /* NULL is allowed */
/* NULL: it is taken; else why not, lent until the next call. `field`: "app_key"; a device may have one key in two fields. */
const char *key_watch_refusal(struct key_watch *watch, const char *field, const struct lw_eui64 *dev_eui,
			      const struct lw_key *key);

#endif
