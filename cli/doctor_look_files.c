/* Folders, keys, databases. Nothing is opened but databases, and those to read. */
#include "cli/doctor_look.h"

#include "common/base/check.h"
#include "common/db/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct doctor_key_row {
	const char *name, *reader;
	bool secret;
} key_rows[] = {
	{"network-server.master", "network-server", true},
	{"join-server.master", "join-server", true},
	{"application-server.master", "application-server", true},
	{"network-server.box", "network-server", true},
	{"join-server.box", "join-server", true},
	{"application-server.box", "application-server", true},
	{"kek-network.network-server", "network-server", true},
	{"kek-network.join-server", "join-server", true},
	{"kek-application.application-server", "application-server", true},
	{"kek-application.join-server", "join-server", true},
	{"network-server.box.pub", NULL, false},
	{"join-server.box.pub", NULL, false},
	{"application-server.box.pub", NULL, false},
};

static const struct {
	const char *name, *process;
	const struct db_migrations *migrations;
} database_rows[DOCTOR_DATABASES] = {
	{"network.db", "network-server", &db_migrations_network_server},
	{"join.db", "join-server", &db_migrations_join_server},
	{"city.db", "application-server", &db_migrations_application_server},
	{"readings.db", "application-server", &db_migrations_readings},
};

static struct doctor_file *look(struct doctor_facts *facts, enum doctor_file_kind kind, const char *reader,
				const char *path)
{
	struct stat seen;
	ASSERT_CMP(facts->file_count, <, DOCTOR_FILES_MAX);
	struct doctor_file *file = &facts->files[facts->file_count++];
	*file = (struct doctor_file){.kind = kind, .reader = reader};
	snprintf(file->path, sizeof file->path, "%s", path);
	/* A folder may be reached over a link; a key or database may not. */
	bool folder = kind == DOCTOR_STATE_DIR || kind == DOCTOR_KEYS_DIR || kind == DOCTOR_RUN_DIR;
	int failed = folder || kind == DOCTOR_CONFIG ? stat(path, &seen) : lstat(path, &seen);
	if (failed != 0) {
		file->seen = errno == ENOENT || errno == ENOTDIR ? DOCTOR_MISSING : DOCTOR_DENIED;
		return file;
	}
	file->seen = DOCTOR_THERE;
	file->regular = folder ? S_ISDIR(seen.st_mode) : S_ISREG(seen.st_mode);
	file->mode = seen.st_mode & 07777;
	file->uid = seen.st_uid;
	file->size = seen.st_size;
	return file;
}

/* What the configuration names in the place of STATE/keys/NAME; "" where it names nothing. */
static const char *configured(const struct doctor_settings *settings, const char *name)
{
	const struct {
		const char *name, *path;
	} rows[] = {{"join-server.master", settings->master_key},
		    {"join-server.box", settings->box_key},
		    {"kek-network.join-server", settings->kek_network},
		    {"kek-application.join-server", settings->kek_application}};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].path;
	return "";
}

/* A key of the configuration's own place, and who may put another there. */
static void look_elsewhere(struct doctor_facts *facts, const char *path)
{
	char folder[2 * OPTION_PATH_MAX];
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (!slash)
		return;
	slash[slash == folder ? 1 : 0] = '\0';
	for (size_t i = 0; i < facts->file_count; i++)
		if (strcmp(facts->files[i].path, folder) == 0)
			return;
	look(facts, DOCTOR_KEY_FOLDER, NULL, folder);
}

static void look_at_keks(struct doctor_facts *facts, const struct doctor_settings *settings)
{
	for (size_t i = 0; i < settings->kek_count; i++) {
		look(facts, DOCTOR_KEY, "join-server", settings->keks[i]);
		look_elsewhere(facts, settings->keks[i]);
	}
}

/* CREDENTIALS_DIRECTORY as the process was started with it; "" where that may not be read. */
static void find_credentials(int pid, char folder[OPTION_PATH_MAX])
{
	static const char name[] = "CREDENTIALS_DIRECTORY=";
	char path[64], *entry = NULL;
	size_t room = 0;
	folder[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/environ", pid);
	FILE *file = fopen(path, "re");
	while (file && getdelim(&entry, &room, '\0', file) > 0)
		if (strncmp(entry, name, sizeof name - 1) == 0)
			snprintf(folder, OPTION_PATH_MAX, "%s", entry + sizeof name - 1);
	if (file)
		fclose(file);
	free(entry);
}

void doctor_look_credential(struct doctor_facts *facts, const struct doctor_settings *settings)
{
	char folder[OPTION_PATH_MAX], path[2 * OPTION_PATH_MAX];
	const char *name = settings->master_key + 11;
	if (strncmp(settings->master_key, "credential:", 11) != 0)
		return;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		const struct doctor_process *process = &facts->processes[i];
		if (!process->name || strcmp(process->name, "join-server") != 0 || process->pid == 0)
			continue;
		find_credentials(process->pid, folder);
		snprintf(path, sizeof path, "%s/%.*s", folder, OPTION_PATH_MAX - 2, name);
		struct doctor_file *file = look(facts, DOCTOR_CREDENTIAL, "join-server",
						folder[0] ? path : settings->master_key);
		if (!folder[0])
			file->seen = DOCTOR_DENIED;
	}
}

void doctor_look_files(struct doctor_facts *facts, const struct doctor_settings *settings)
{
	char path[2 * OPTION_PATH_MAX];
	const char *state = facts->place.state;
	bool no_file = strcmp(settings->master_key, "passphrase") == 0 ||
		       strncmp(settings->master_key, "credential:", 11) == 0;
	look(facts, DOCTOR_CONFIG, NULL, facts->place.config);
	const struct doctor_file *folder = look(facts, DOCTOR_STATE_DIR, NULL, state);
	facts->service_uid = folder->uid;
	look(facts, DOCTOR_RUN_DIR, NULL, facts->place.run);
	snprintf(path, sizeof path, "%s/keys", state);
	look(facts, DOCTOR_KEYS_DIR, NULL, path);
	for (size_t i = 0; i < ARRAY_SIZE(key_rows); i++) {
		const char *own = configured(settings, key_rows[i].name);
		/* Of systemd, or of a person: no file. */
		if (no_file && strcmp(key_rows[i].name, "join-server.master") == 0)
			continue;
		if (*own)
			snprintf(path, sizeof path, "%s", own);
		else
			snprintf(path, sizeof path, "%s/keys/%s", state, key_rows[i].name);
		/* And then the box key may stand in the vault alone. */
		if (no_file && strcmp(key_rows[i].name, "join-server.box") == 0 && access(path, F_OK) != 0)
			continue;
		look(facts, key_rows[i].secret ? DOCTOR_KEY : DOCTOR_PUBLIC_KEY, key_rows[i].reader, path);
		if (*own)
			look_elsewhere(facts, path);
	}
	look_at_keks(facts, settings);
	for (size_t i = 0; i < DOCTOR_DATABASES; i++) {
		snprintf(path, sizeof path, "%s/%s", state, database_rows[i].name);
		look(facts, DOCTOR_DATABASE, database_rows[i].process, path);
	}
}

/* --- databases --------------------------------------------------------------------------------------------------- */

static void look_inside(struct doctor_database *database, const char *path, bool deep)
{
	struct db *db;
	if (db_open(&(struct db_options){.path = path, .read_only = true}, &db) != ST_OK)
		return;
	database->version = (int)db_query_i64(db, "PRAGMA user_version", -1);
	database->opens = database->version >= 0;
	if (deep) {
		database->examined = true;
		database->whole = db_examine(db, database->damage, sizeof database->damage);
	}
	db_close(db);
}

void doctor_look_databases(struct doctor_facts *facts)
{
	for (size_t i = 0; i < DOCTOR_DATABASES; i++) {
		struct doctor_database *database = &facts->databases[i];
		char path[2 * OPTION_PATH_MAX], wal[2 * OPTION_PATH_MAX + 8];
		struct stat seen;
		database->name = database_rows[i].name;
		database->process = database_rows[i].process;
		database->newest = database_rows[i].migrations->count;
		snprintf(path, sizeof path, "%s/%s", facts->place.state, database->name);
		snprintf(wal, sizeof wal, "%s-wal", path);
		if (lstat(path, &seen) != 0) {
			database->seen = errno == ENOENT || errno == ENOTDIR ? DOCTOR_MISSING : DOCTOR_DENIED;
			continue;
		}
		database->seen = access(path, R_OK) == 0 ? DOCTOR_THERE : DOCTOR_DENIED;
		database->size = seen.st_size;
		if (lstat(wal, &seen) == 0)
			database->wal_size = seen.st_size;
		if (database->seen == DOCTOR_THERE)
			look_inside(database, path, facts->deep);
	}
}
