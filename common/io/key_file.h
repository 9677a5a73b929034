/* Files that hold a key: STATE/keys/<process>.master, <process>.box, kek-* (docs/contract.md). A secret one
 * is a regular file of mode 0600 (no bit for group or others), of the reader's own user, of the exact size;
 * anything else is refused with a name. Created once with O_EXCL, written, synced, and its directory synced,
 * before anybody uses it. */
#ifndef LAMPPOST_IO_KEY_FILE_H
#define LAMPPOST_IO_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_file_verdict {
	KEY_FILE_OK,
	KEY_FILE_MISSING,     /* no such file */
	KEY_FILE_EXISTS,      /* create: there is one; it was left alone */
	KEY_FILE_NOT_REGULAR, /* a link, directory, device, socket */
	KEY_FILE_WRONG_OWNER, /* of another user */
	KEY_FILE_OPEN_TO_ALL, /* bits for group or others */
	KEY_FILE_WRONG_SIZE,
	KEY_FILE_IO, /* errno says more */
	KEY_FILE_VERDICT_COUNT
};
/* "missing", "open_to_all"... */
const char *key_file_verdict_name(enum key_file_verdict verdict);
/* What to do about it, for people: "chmod 600 it"... */
const char *key_file_verdict_advice(enum key_file_verdict verdict);

/* Fills `key` with exactly `size` bytes; untouched on failure. Symbolic links are not followed. */
enum key_file_verdict key_file_read(const char *path, uint8_t *key, size_t size);
/* The same for a credential of systemd ($CREDENTIALS_DIRECTORY/NAME): it may be root's, and an access list for our user shows as
 * bits for the group; a bit for all others refuses it all the same. */
enum key_file_verdict key_file_read_credential(const char *path, uint8_t *key, size_t size);
/* Puts one file in the place of another, durably; the folder is the same. */
enum key_file_verdict key_file_replace(const char *from, const char *to);
/* Makes a file of `size` bytes, `mode` 0600 for secrets, 0644 for public halves; durable when it returns
 * KEY_FILE_OK. On failure there is no file, or the one that was there. */
enum key_file_verdict key_file_create(const char *path, const uint8_t *bytes, size_t size, unsigned mode);
/* Whether anything stands at that path. */
bool key_file_exists(const char *path);

/* key_file_read(); a refusal is logged with its advice. */
bool key_file_read_logged(const char *path, uint8_t *key, size_t size);

#endif
