#include "cli/up_vault.h"

#include "cli/problem.h"
#include "common/io/key_file.h"
#include "common/io/vault_channel.h"
#include "common/text/yaml_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHILD_FD 3 /* the first that a child is given (common/io/process.h) */

static const struct yt_node *child(const struct yt_node *map, const char *key)
{
	const struct yt_node *node = map && map->kind == YT_MAP ? map->first : NULL;
	while (node && strcmp(node->key, key) != 0)
		node = node->next;
	return node;
}

static enum cli_vault_source source_in(const struct yt_node *root)
{
	const struct yt_node *key = child(child(root, "join-server"), "master_key");
	const char *text = key && key->kind == YT_SCALAR ? key->value : "";
	if (strcmp(text, "passphrase") == 0)
		return CLI_VAULT_PASSPHRASE;
	return strncmp(text, "credential:", 11) == 0 ? CLI_VAULT_CREDENTIAL : CLI_VAULT_FILE;
}

enum cli_vault_source cli_vault_source_of(const char *config)
{
	enum cli_vault_source source = CLI_VAULT_FILE;
	char *text = malloc(YT_TEXT_MAX);
	FILE *file = text ? fopen(config, "re") : NULL;
	size_t length = file ? fread(text, 1, YT_TEXT_MAX, file) : 0;
	struct yt tree;
	if (file) {
		if (yt_parse(&tree, config, text, length))
			source = source_in(tree.root);
		yt_release(&tree);
		fclose(file);
	}
	free(text);
	return source;
}

/* Of a new vault: once more, and long enough. */
static int confirm(struct cli_up_vault *vault, bool from_terminal)
{
	char again[PASSPHRASE_MAX];
	size_t length = 0;
	if (vault->length < PASSPHRASE_MIN)
		return cli_problem(CLI_REFUSED, "passphrase", "five words at random",
				   "fewer than %d characters are no protection", PASSPHRASE_MIN);
	if (!from_terminal)
		return CLI_DONE;
	bool same = passphrase_ask("Vault: once more: ", again, &length) && length == vault->length &&
		    memcmp(again, vault->passphrase, length) == 0;
	explicit_bzero(again, sizeof again);
	return same ? CLI_DONE : cli_problem(CLI_REFUSED, "passphrase", NULL, "the two are not the same");
}

int cli_up_vault_ask(struct cli_up_vault *vault, const struct cli_place *place, const char *fd)
{
	char database[OPTION_PATH_MAX + 16];
	vault->ours = vault->theirs = -1;
	vault->wanted = cli_vault_source_of(place->config) == CLI_VAULT_PASSPHRASE;
	if (!vault->wanted)
		return CLI_DONE;
	if (fd && (strspn(fd, "0123456789") != strlen(fd) || !*fd))
		return cli_problem(CLI_USAGE, "--passphrase-fd", NULL, "expected the number of a descriptor");
	io_harden(); /* before it is in our memory */
	/* Not into the swap file; a limit on locked memory is no reason not to start. */
	if (mlock(vault->passphrase, sizeof vault->passphrase) != 0)
		fprintf(stderr,
			"lamppost: the passphrase cannot be kept out of swap for the moment it is needed\n");
	snprintf(database, sizeof database, "%s/join.db", place->state);
	bool is_new = !key_file_exists(database);
	const char *prompt = is_new ? "Vault: a new passphrase: " : "Vault: passphrase: ";
	bool got = fd ? passphrase_read((int)strtol(fd, NULL, 10), vault->passphrase, &vault->length)
		      : passphrase_ask(prompt, vault->passphrase, &vault->length);
	if (!got)
		return cli_problem(CLI_USAGE, "passphrase", "--passphrase-fd 0",
				   "the vault needs it, and there is no terminal, or nothing was said");
	return is_new ? confirm(vault, !fd) : CLI_DONE;
}

void cli_up_vault_hand_over(struct cli_up_vault *vault, struct io_process_options *options,
			    const char **variable)
{
	int ends[2];
	if (!vault->wanted)
		return;
	cli_up_vault_take(vault);
	if (vault->ours >= 0)
		close(vault->ours);
	vault->ours = -1;
	if (!vault_channel_pair(ends))
		return; /* the join server says that nothing was handed over */
	vault->ours = ends[0];
	vault->theirs = ends[1];
	if (vault->key)
		vault_channel_send(vault->ours, VAULT_CHANNEL_MASTER, secret_master_bytes(vault->key),
				   SECRET_KEY);
	else
		vault_channel_send(vault->ours, VAULT_CHANNEL_PASSPHRASE, vault->passphrase, vault->length);
	snprintf(vault->variable, sizeof vault->variable, "%s=%d", VAULT_CHANNEL_VARIABLE, CHILD_FD);
	*variable = vault->variable;
	options->descriptors = &vault->theirs;
	options->descriptor_count = 1;
}

void cli_up_vault_handed(struct cli_up_vault *vault)
{
	if (vault->wanted && vault->theirs >= 0)
		close(vault->theirs);
	vault->theirs = -1;
}

void cli_up_vault_take(struct cli_up_vault *vault)
{
	uint8_t bytes[VAULT_CHANNEL_MAX];
	enum vault_channel_kind kind;
	size_t length;
	while (vault->wanted && vault->ours >= 0 &&
	       vault_channel_receive(vault->ours, 0, &kind, bytes, &length)) {
		struct secret_master *key = kind == VAULT_CHANNEL_MASTER && length == SECRET_KEY
						    ? secret_master_from(bytes)
						    : NULL;
		explicit_bzero(bytes, sizeof bytes);
		if (!key)
			continue;
		secret_master_free(vault->key);
		vault->key = key;
		explicit_bzero(vault->passphrase, sizeof vault->passphrase);
		vault->length = 0;
	}
}

void cli_up_vault_release(struct cli_up_vault *vault)
{
	if (!vault->wanted)
		return;
	cli_up_vault_handed(vault);
	if (vault->ours >= 0)
		close(vault->ours);
	secret_master_free(vault->key);
	explicit_bzero(vault, sizeof *vault);
}
