/* The bytes of firmware packages: STATE/firmware/SHA512.bin, the first 32 digits of the SHA-512 of what is in it. One upload at a
 * time is put together in STATE/firmware/upload; its signature is verified before it gets its name, and it is synced before
 * the row that names it is written. */
#ifndef LAMPPOST_AS_STORE_PACKAGES_H
#define LAMPPOST_AS_STORE_PACKAGES_H

#include "application-server/store_firmware.h"

#define AS_FIRMWARE_MAX   (UINT64_C(64) << 20)
#define AS_FIRMWARE_PIECE (512u << 10) /* bytes that are written or read at a time */

struct as_packages; /* opaque */

/* Nothing is looked at yet. */
struct as_packages *as_packages_new(const char *state_dir);
void as_packages_free(struct as_packages *packages); /* NULL is allowed; an upload under way is given up */

/* Begins an upload of `row->size` bytes, in place of one that was under way. Gives its number, 0: the disk says no, logged. */
uint64_t as_packages_begin(struct as_packages *packages, const struct as_firmware_row *row,
			   const struct as_firmware_key *key);
/* Appends. ST_NOT_FOUND: no such upload; ST_CONFLICT: not where it stands (`*at` of `*size` is); ST_INVALID: more than was said;
 * ST_IO. */
enum status as_packages_append(struct as_packages *packages, uint64_t upload, uint64_t offset,
			       const uint8_t *bytes, size_t length, uint64_t *at, uint64_t *size) MUST_USE;
/* All bytes are there: verifies and names the file; `row` gets the digest. ST_REFUSED: the signature is not that key's over these
 * bytes, and the upload is gone; ST_IO. */
enum status as_packages_finish(struct as_packages *packages, uint64_t upload,
			       struct as_firmware_row *row) MUST_USE;
/* Reads up to AS_FIRMWARE_PIECE bytes of a package. ST_NOT_FOUND: the file is not there; ST_IO. */
enum status as_packages_read(const struct as_packages *packages, const struct as_firmware_row *row,
			     uint64_t offset, uint8_t *bytes, size_t *length) MUST_USE;

#endif
