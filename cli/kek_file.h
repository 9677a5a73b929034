/* An agency's KEKs, in a file on its own machine: one line for each, `NAME HEX` (`agency-parks.2 0123...`), the name as it stands in
 * an envelope. Lines that begin with # are for people. Every version stays, so that what was wrapped under an older one still opens.
 *
 * Invariants: 0600, never written over: `new` refuses a file that is there, `rotate` writes beside it and renames. A file that group or
 * others may read is refused. Keys are wiped when released. */
#ifndef LAMPPOST_CLI_KEK_FILE_H
#define LAMPPOST_CLI_KEK_FILE_H

#include "common/crypto/sealed_kek.h"
#include "common/lorawan/types.h"

#define CLI_KEKS_MAX 64
#define CLI_KEK_NAME 33 /* a foreign join server's label may be longer than ours */

struct cli_keks {
	size_t count;
	struct cli_kek {
		char name[CLI_KEK_NAME];
		uint8_t key[16];
	} keks[CLI_KEKS_MAX];
};

/* CLI_DONE, or an exit code, reported. The caller releases `keks`. */
int cli_keks_read(const char *path, struct cli_keks *keks);
void cli_keks_release(struct cli_keks *keks);
/* Lends the KEK of that name, or NULL. */
const uint8_t *cli_keks_find(const struct cli_keks *keks, const char *name);
/* Makes the file with one KEK in it; CLI_REFUSED when it is there. */
int cli_keks_write_new(const char *path, const char *name, const uint8_t key[16]);
/* Adds one to a file that was read as `keks`. */
int cli_keks_add(const char *path, const struct cli_keks *keks, const char *name, const uint8_t key[16]);

#endif
