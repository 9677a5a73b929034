/* Between `lamppost up` and a join server whose vault a passphrase opens: a socket pair, the child's end handed over as the descriptor
 * that LAMPPOST_VAULT_FD names (a number, no secret). So that a restart at night needs nobody, and the passphrase itself is forgotten as
 * soon as it has opened the vault once:
 *
 *	lamppost up                                  join-server
 *	    │ 'P' passphrase (the first start)  ───────▶ │ makes the master key of it, opens the vault
 *	    │ ◀─────── 'M' master key                    │
 *	    │ wipes the passphrase, keeps the key in locked memory
 *	    │ 'M' master key (every later start) ──────▶ │ opens the vault
 *	    │ ◀─────── 'M' after a rotation              │
 *
 *	message = kind (1) | length (2, little-endian) | bytes, in one datagram (SOCK_SEQPACKET) */
#ifndef LAMPPOST_IO_VAULT_CHANNEL_H
#define LAMPPOST_IO_VAULT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VAULT_CHANNEL_VARIABLE "LAMPPOST_VAULT_FD"
#define VAULT_CHANNEL_MAX      512 /* bytes of a message */

enum vault_channel_kind { VAULT_CHANNEL_PASSPHRASE = 'P', VAULT_CHANNEL_MASTER = 'M' };

/* Makes a pair: [0] the parent's, which does not block, [1] the child's. Both close on exec. */
bool vault_channel_pair(int ends[2]);
/* The descriptor that was handed over; -1: none. It closes on exec from then on. */
int vault_channel_inherited(void);
bool vault_channel_send(int fd, enum vault_channel_kind kind, const void *bytes, size_t length);
/* Waits for a message up to `wait_ms`. False: none, or one that cannot be. */
bool vault_channel_receive(int fd, int wait_ms, enum vault_channel_kind *kind,
			   uint8_t bytes[VAULT_CHANNEL_MAX], size_t *length);

#endif
