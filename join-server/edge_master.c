#include "join-server/edge_master.h"

#include "common/io/key_file.h"
#include "common/io/vault_channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREDENTIAL   "credential:"
#define HAND_OVER_MS 30000

bool js_master_parse(struct js_master *master, const struct config_common *common,
		     const struct js_config *config, char problem[CONFIG_ERROR_MAX])
{
	const char *text = config->master_key;
	*master = (struct js_master){.source = JS_VAULT_FILE, .channel = -1};
	if (strcmp(text, "passphrase") == 0) {
		master->source = JS_VAULT_PASSPHRASE;
		return true;
	}
	if (strncmp(text, CREDENTIAL, strlen(CREDENTIAL)) != 0) {
		if (text[0])
			snprintf(master->path, sizeof master->path, "%s", text);
		else
			snprintf(master->path, sizeof master->path, "%s/keys/join-server.master",
				 common->state_dir);
		return true;
	}
	const char *name = text + strlen(CREDENTIAL), *folder = getenv("CREDENTIALS_DIRECTORY");
	master->source = JS_VAULT_CREDENTIAL;
	if (!name[0] || strchr(name, '/') || name[0] == '.') {
		snprintf(problem, CONFIG_ERROR_MAX,
			 "join-server.master_key: expected credential:NAME, the name of LoadCredential=");
		return false;
	}
	snprintf(master->path, sizeof master->path, "%s/%s", folder ? folder : "", name);
	if (folder)
		return true;
	snprintf(problem, CONFIG_ERROR_MAX,
		 "join-server.master_key: systemd gave no credentials (CREDENTIALS_DIRECTORY). Try: "
		 "LoadCredential=%.64s:/path/of/the/key in the unit, and start it with systemctl",
		 name);
	return false;
}

static bool read_file(struct js_master *master, char problem[CONFIG_ERROR_MAX])
{
	uint8_t bytes[SECRET_KEY];
	enum key_file_verdict verdict = master->source == JS_VAULT_FILE
						? key_file_read(master->path, bytes, sizeof bytes)
						: key_file_read_credential(master->path, bytes, sizeof bytes);
	if (verdict == KEY_FILE_OK) {
		master->key = secret_master_from(bytes);
		secret_wipe(bytes, sizeof bytes);
		return master->key != NULL;
	}
	snprintf(problem, CONFIG_ERROR_MAX, "the master key %s: %s. Try: %s", master->path,
		 key_file_verdict_name(verdict), key_file_verdict_advice(verdict));
	return false;
}

/* From `lamppost up`: the passphrase at its first start, the key itself at the next ones. */
static bool take_over(struct js_master *master, char problem[CONFIG_ERROR_MAX])
{
	uint8_t bytes[VAULT_CHANNEL_MAX];
	enum vault_channel_kind kind;
	size_t length;
	bool got = vault_channel_receive(master->channel, HAND_OVER_MS, &kind, bytes, &length);
	bool good = got && length > 0 && length < sizeof master->passphrase;
	if (good && kind == VAULT_CHANNEL_MASTER) {
		good = length == SECRET_KEY && (master->key = secret_master_from(bytes)) != NULL;
	} else if (good) {
		memcpy(master->passphrase, bytes, length);
		master->length = length;
	}
	secret_wipe(bytes, sizeof bytes);
	if (!good)
		snprintf(problem, CONFIG_ERROR_MAX, "lamppost up handed no passphrase over");
	return good;
}

static bool ask(struct js_master *master, bool is_new, char problem[CONFIG_ERROR_MAX])
{
	char again[PASSPHRASE_MAX];
	size_t length = 0;
	if (!passphrase_ask(is_new ? "Vault: a new passphrase: " : "Vault: passphrase: ", master->passphrase,
			    &master->length)) {
		snprintf(problem, CONFIG_ERROR_MAX,
			 "the vault needs its passphrase, and there is no terminal to ask for it. Try: "
			 "lamppost up --passphrase-fd 0, or master_key: credential:NAME under systemd");
		return false;
	}
	if (!is_new)
		return true;
	bool same = passphrase_ask("Vault: once more: ", again, &length) && length == master->length &&
		    memcmp(again, master->passphrase, length) == 0;
	secret_wipe(again, sizeof again);
	if (!same)
		snprintf(problem, CONFIG_ERROR_MAX, "the two passphrases are not the same");
	return same;
}

bool js_master_read(struct js_master *master, bool is_new, char problem[CONFIG_ERROR_MAX])
{
	if (master->source != JS_VAULT_PASSPHRASE)
		return read_file(master, problem);
	master->channel = vault_channel_inherited();
	bool good = master->channel >= 0 ? take_over(master, problem) : ask(master, is_new, problem);
	if (good && is_new && !master->key && master->length < PASSPHRASE_MIN) {
		snprintf(problem, CONFIG_ERROR_MAX,
			 "a passphrase of fewer than %d characters is no protection. Try: five words at "
			 "random",
			 PASSPHRASE_MIN);
		good = false;
	}
	return good;
}

struct secret_master *js_master_for(const struct js_master *master, const struct js_vault_form *form)
{
	if (master->key)
		return secret_master_from(secret_master_bytes(master->key));
	if (form->source != JS_VAULT_PASSPHRASE)
		return NULL;
	return secret_master_derive(&form->derive, master->passphrase, master->length);
}

void js_master_tell(const struct js_master *master, const struct secret_master *key)
{
	if (master->channel >= 0)
		vault_channel_send(master->channel, VAULT_CHANNEL_MASTER, secret_master_bytes(key),
				   SECRET_KEY);
}

void js_master_forget(struct js_master *master)
{
	secret_wipe(master->passphrase, sizeof master->passphrase);
	master->length = 0;
	secret_master_free(master->key);
	master->key = NULL;
}
