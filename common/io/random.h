/* The system's randomness as a generator, for common/io: seeds of tables, keys and masks of a WebSocket client. Not for keys of
 * ciphers (common/crypto/secret.h). */
#ifndef LAMPPOST_IO_RANDOM_H
#define LAMPPOST_IO_RANDOM_H

#include "common/base/rng.h"

struct rng io_random_rng(void);

#endif
