/* Devices that come and go with a code on their label: `lamppost device claim`, `release`, `replace`, `shelve`,
 * `shelf`, `unshelve`, `qr`. */
#ifndef LAMPPOST_CLI_DEVICE_CLAIM_H
#define LAMPPOST_CLI_DEVICE_CLAIM_H

#include "cli/command.h"
#include "common/lorawan/tr005.h"

#include <jansson.h>

extern const struct cli_command cli_claim_commands[];
extern const size_t cli_claim_command_count;

/* Reads the code that a person, a file (@FILE) or a scanner on standard input (-) gives for --qr. CLI_DONE, else an exit
 * code, reported. The caller wipes `code`. */
int cli_code_read(const char *word, struct lw_tr005 *code);
/* Puts DevEUI and JoinEUI of a code into a body, and its token's hash where it has one. */
void cli_code_fill(const struct lw_tr005 *code, json_t *body);

/* --- device_qr.c, device_shelf.c */
int cli_device_qr(const struct cli_arguments *arguments);
int cli_device_shelve(const struct cli_arguments *arguments);
int cli_device_shelf(const struct cli_arguments *arguments);
int cli_device_unshelve(const struct cli_arguments *arguments);
/* Makes a new owner token: 16 characters that are not mistaken for others. */
void cli_token_new(char token[LW_TR005_TOKEN]);

#endif
