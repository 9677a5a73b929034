/* The key is written first and its certificate last: a reader in between meets a pair that does not belong together, keeps what
 * it has and looks again. */
#include "application-server/edge_server_files.h"

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM (OPTION_PATH_MAX + 64)
#define OURS      "application-server" /* who has them issued */

struct as_identity_config as_identity_config_of(const struct as_config *config)
{
	struct as_identity_config out = {.gateway_us = config->gateway_certificate_us,
					 .server_us = config->server_certificate_us};
	snprintf(out.tc_uri, sizeof out.tc_uri, "%s", config->tc_uri);
	snprintf(out.cups_uri, sizeof out.cups_uri, "%s", config->cups_uri);
	return out;
}

static void path_of(char path[PATH_ROOM], const char *state_dir, const char *name)
{
	snprintf(path, PATH_ROOM, "%s/keys/gateway-bridge.%s", state_dir, name);
}

static bool write_file(const char *state_dir, const char *name, const char *text, mode_t mode)
{
	char path[PATH_ROOM], fresh[PATH_ROOM + 8];
	path_of(path, state_dir, name);
	snprintf(fresh, sizeof fresh, "%s.new", path);
	unlink(fresh);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	size_t length = strlen(text);
	bool done = fd >= 0 && write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	if (done && rename(fresh, path) == 0)
		return true;
	LOG_WARN("server_certificate_not_written",
		 "path=%s reason=\"%s\" try=\"lamppost gateway certificate server issue\"", path,
		 strerror(errno));
	return false;
}

static bool there(const char *state_dir, const char *name)
{
	char path[PATH_ROOM];
	path_of(path, state_dir, name);
	return access(path, F_OK) == 0;
}

/* Fills the row of the certificate that is in the file. The last one issued may be another: asked for at the command line for a folder
 * elsewhere, or never written. False: no certificate that this server issued. */
static bool certificate_there(struct as_authority *authority, const char *state_dir,
			      struct as_certificate_row *row)
{
	char path[PATH_ROOM], pem[2 * X509_PEM_MAX];
	uint8_t der[X509_DER_MAX];
	path_of(path, state_dir, "tls.crt");
	FILE *file = fopen(path, "re");
	size_t used = file ? fread(pem, 1, sizeof pem, file) : 0;
	if (file)
		fclose(file);
	size_t length = x509_pem_read(pem, used, "CERTIFICATE", der, sizeof der);
	return length > 0 && as_store_server_certificate_find(authority->store, der, length, row) == ST_OK;
}

/* --- the names ----------------------------------------------------------------------------------------------------- */

static size_t hosts_of(const struct as_config *config, char hosts[X509_HOSTS_MAX][X509_HOST_TEXT])
{
	static const char *const usual[] = {"localhost", "127.0.0.1", "::1"};
	size_t count = 0;
	for (; count < config->server_hosts.count && count < X509_HOSTS_MAX; count++)
		snprintf(hosts[count], X509_HOST_TEXT, "%s", config->server_hosts.items[count]);
	if (count > 0)
		return count;
	if (gethostname(hosts[0], X509_HOST_TEXT) == 0 && x509_host_ok(hosts[0]) &&
	    strcmp(hosts[0], usual[0]) != 0)
		count = 1;
	for (size_t i = 0; i < 3; i++)
		snprintf(hosts[count++], X509_HOST_TEXT, "%s", usual[i]);
	return count;
}

static bool same_hosts(const struct as_certificate_row *row, const char hosts[X509_HOSTS_MAX][X509_HOST_TEXT],
		       size_t count)
{
	const char *at = row->hosts;
	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(at, " ");
		if (length != strlen(hosts[i]) || strncmp(at, hosts[i], length) != 0)
			return false;
		at += length + (at[length] == ' ');
	}
	return *at == '\0';
}

/* --- making them --------------------------------------------------------------------------------------------------- */

static bool write_pair(struct as_authority *authority, const char *state_dir, const struct x509_key *key,
		       const struct as_certificate_row *row)
{
	uint8_t der[X509_KEY_DER_MAX];
	char key_pem[X509_KEY_PEM_MAX], chain[2 * X509_PEM_MAX], ca[X509_PEM_MAX];
	size_t length = x509_key_der(key, der);
	bool done = x509_pem_write(key_pem, sizeof key_pem, "EC PRIVATE KEY", der, length) > 0 &&
		    x509_pem_write(ca, sizeof ca, "CERTIFICATE", authority->certificate,
				   authority->certificate_length) > 0 &&
		    x509_pem_write(chain, sizeof chain, "CERTIFICATE", row->der, row->length) > 0;
	if (done) {
		size_t used = strlen(chain);
		snprintf(chain + used, sizeof chain - used, "%s", ca);
	}
	done = done && write_file(state_dir, "ca.crt", ca, 0644) &&
	       write_file(state_dir, "tls.key", key_pem, 0600) &&
	       write_file(state_dir, "tls.crt", chain, 0644);
	secret_wipe(der, sizeof der);
	secret_wipe(key_pem, sizeof key_pem);
	return done;
}

static void make(struct as_authority *authority, const char hosts[X509_HOSTS_MAX][X509_HOST_TEXT],
		 size_t count, const char *state_dir, struct wall now)
{
	struct as_certificate_row row;
	struct x509_key *key = x509_key_generate();
	if (key && as_authority_issue_server(authority, now, hosts, count, key, 0, OURS, &row) == ST_OK &&
	    write_pair(authority, state_dir, key, &row))
		LOG_INFO("server_certificate_issued", "hosts=\"%s\"", row.hosts);
	x509_key_free(key);
}

void as_server_files_look(struct as_authority *authority, const struct as_config *config,
			  const char *state_dir, struct wall now)
{
	char hosts[X509_HOSTS_MAX][X509_HOST_TEXT], folder[PATH_ROOM];
	size_t count = hosts_of(config, hosts);
	struct as_certificate_row row;
	bool known = certificate_there(authority, state_dir, &row);
	bool whole = there(state_dir, "tls.key") && there(state_dir, "tls.crt") && there(state_dir, "ca.crt");
	snprintf(folder, sizeof folder, "%s/keys", state_dir);
	/* Somebody else's: whoever put it there, or it was asked for at the command line. */
	if (whole && (!known || strcmp(row.issued_by, OURS) != 0))
		return;
	bool late = known && row.until.us - now.us <= (row.until.us - row.issued.us) / 3;
	if (whole && !late && same_hosts(&row, (const char(*)[X509_HOST_TEXT])hosts, count))
		return;
	if (access(folder, W_OK) != 0)
		return; /* the bridge is another user's; its operator asks for its certificate */
	make(authority, (const char(*)[X509_HOST_TEXT])hosts, count, state_dir, now);
}
