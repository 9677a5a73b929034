/* `lamppost vault`: the join server's vault, spoken to over join.sock of this machine, by root or the join server's own user (or who
 * `join-server.callers: {vault: ...}` names). Keys never come to this program in clear but by `vault open`, with the secret key of whoever the
 * export was made for. */
#ifndef LAMPPOST_CLI_VAULT_H
#define LAMPPOST_CLI_VAULT_H

#include "cli/client.h"
#include "cli/command.h"

extern const struct cli_command cli_vault_commands[];
extern const size_t cli_vault_command_count;
extern const struct cli_command cli_vault_audit_commands[];
extern const size_t cli_vault_audit_command_count;
extern const struct cli_command cli_vault_export_commands[];
extern const size_t cli_vault_export_command_count;
extern const struct cli_command cli_vault_open_commands[];
extern const size_t cli_vault_open_command_count;
extern const struct cli_command cli_vault_import_commands[];
extern const size_t cli_vault_import_command_count;

/* A client of join.sock; NULL with `*code`, reported. */
struct cli_client *cli_vault_client(const struct cli_arguments *arguments, int *code);
/* Reads a public key, 64 hex digits, as the .box.pub files and vault keypair write them. An enum cli_exit, reported. */
#define CLI_VAULT_HEX_KEY 65
int cli_vault_public_key(const char *path, char text[CLI_VAULT_HEX_KEY]);
/* "2026-11-22 05:10:00Z" of microseconds; "never" of 0 and null. */
#define CLI_VAULT_TIME 24
const char *cli_vault_time(char text[CLI_VAULT_TIME], const json_t *us);

#endif
