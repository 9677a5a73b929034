/* The key files of the application server (docs/contract.md, Files). */
#ifndef LAMPPOST_AS_EDGE_KEYS_H
#define LAMPPOST_AS_EDGE_KEYS_H

#include "application-server/keys.h"

/* ST_REFUSED: one is missing or unfit; each is logged with what to do about it. */
enum status as_keys_load(struct as_keys *keys, const char *state_dir) MUST_USE;
/* Fills the first line of a file; false (logged) when it cannot be read. "" path: "". */
bool as_read_secret_line(const char *path, char *text, size_t capacity);

#endif
