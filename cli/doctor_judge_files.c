/* Configuration, folders, keys, databases. */
#include "cli/doctor_judge.h"

#include <string.h>

#define OTHERS    0007u
#define OTHERS_WX 0003u
#define GROUP     0070u
#define MIB       (1024ll * 1024)
#define WAL_LARGE (256 * MIB)

static const struct doctor_file *find_file(const struct doctor_facts *facts, enum doctor_file_kind kind)
{
	for (size_t i = 0; i < facts->file_count; i++)
		if (facts->files[i].kind == kind)
			return &facts->files[i];
	return NULL;
}

/* --- configuration ----------------------------------------------------------------------------------------------- */

void doctor_judge_config(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	const struct doctor_file *file = find_file(facts, DOCTOR_CONFIG);
	size_t before = findings->count;
	if (file && file->seen == DOCTOR_DENIED) {
		doctor_find(findings, DOCTOR_CONFIG_DENIED, file->path, "%s", "");
		return;
	}
	if (!file || file->seen == DOCTOR_MISSING)
		doctor_find(findings, DOCTOR_CONFIG_MISSING, file ? file->path : facts->place.config, "%s",
			    "");
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		const struct doctor_process *process = &facts->processes[i];
		if (!process->checked)
			doctor_find(findings, DOCTOR_PROGRAM_MISSING, process->name, "%s", "");
		else if (!process->config_good)
			doctor_find(findings, DOCTOR_CONFIG_REFUSED, process->name, "%s",
				    process->config_error);
	}
	if (findings->count == before)
		doctor_find(findings, DOCTOR_CONFIG_OK, NULL, "%s", facts->place.config);
}

void doctor_judge_callers(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	if (!facts->callers_known)
		doctor_find(findings, DOCTOR_CALLERS_UNREAD, NULL, "%s", "");
	for (size_t i = 0; i < facts->caller_count; i++)
		doctor_find(findings, DOCTOR_CALLER_UNKNOWN, facts->callers[i].user, "%s",
			    facts->callers[i].row);
	if (facts->callers_known && facts->caller_count == 0)
		doctor_find(findings, DOCTOR_CALLERS_OK, NULL, "%s", "");
}

/* --- folders ----------------------------------------------------------------------------------------------------- */

void doctor_judge_state(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t before = findings->count;
	for (size_t i = 0; i < facts->file_count; i++) {
		const struct doctor_file *file = &facts->files[i];
		if (file->kind != DOCTOR_STATE_DIR && file->kind != DOCTOR_KEYS_DIR)
			continue;
		if (file->seen == DOCTOR_MISSING && file->kind == DOCTOR_STATE_DIR)
			doctor_find(findings, DOCTOR_STATE_MISSING, file->path, "%s", "");
		else if (file->seen == DOCTOR_DENIED)
			doctor_find(findings, DOCTOR_FILES_DENIED, file->path, "%s", "");
		else if (file->seen == DOCTOR_THERE && (file->mode & OTHERS_WX))
			doctor_find(findings, DOCTOR_STATE_OPEN, file->path, "mode %04o", file->mode);
	}
	if (findings->count == before)
		doctor_find(findings, DOCTOR_STATE_OK, NULL, "%s", facts->place.state);
}

void doctor_judge_run(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	const struct doctor_file *file = find_file(facts, DOCTOR_RUN_DIR);
	if (!file || file->seen == DOCTOR_MISSING)
		doctor_find(findings, DOCTOR_RUN_MISSING, facts->place.run, "%s", "");
	else if (file->seen == DOCTOR_DENIED)
		doctor_find(findings, DOCTOR_FILES_DENIED, file->path, "%s", "");
	else
		doctor_find(findings, file->mode & 0002u ? DOCTOR_RUN_OPEN : DOCTOR_RUN_OK, file->path,
			    "mode %04o", file->mode);
}

/* --- keys -------------------------------------------------------------------------------------------------------- */

static bool database_is_there(const struct doctor_facts *facts, const char *process)
{
	for (size_t i = 0; i < DOCTOR_DATABASES; i++)
		if (facts->databases[i].seen == DOCTOR_THERE && process &&
		    strcmp(facts->databases[i].process, process) == 0)
			return true;
	return false;
}

/* The user that a file's reader runs as; where it does not run: the owner of the state directory. */
static uint32_t reader_uid(const struct doctor_facts *facts, const char *reader)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (reader && strcmp(facts->processes[i].name, reader) == 0 &&
		    facts->processes[i].owner_known)
			return facts->processes[i].uid;
	return facts->service_uid;
}

/* systemd gives 0400 or 0440, of root where the service has a user of its own. */
static enum doctor_outcome_id judge_credential(const struct doctor_facts *facts,
					       const struct doctor_file *key)
{
	if (key->seen == DOCTOR_DENIED)
		return DOCTOR_CREDENTIAL_UNSEEN;
	if (key->seen == DOCTOR_MISSING)
		return DOCTOR_CREDENTIAL_MISSING;
	if (!key->regular || key->size != 32)
		return DOCTOR_KEY_FORM;
	if (key->mode & OTHERS)
		return DOCTOR_KEY_WORLD;
	return key->uid == 0 || key->uid == reader_uid(facts, key->reader) ? DOCTOR_KEYS_OK
									   : DOCTOR_KEY_OWNER;
}

static enum doctor_outcome_id judge_key(const struct doctor_facts *facts, const struct doctor_file *key)
{
	if (key->kind == DOCTOR_CREDENTIAL)
		return judge_credential(facts, key);
	if (key->kind == DOCTOR_KEY_FOLDER) /* the sticky bit keeps others' hands off a file that is there */
		return key->seen == DOCTOR_THERE && (key->mode & 01002u) == 0002u ? DOCTOR_KEY_FOLDER_OPEN
										  : DOCTOR_KEYS_OK;
	bool secret = key->kind == DOCTOR_KEY;
	if (key->seen == DOCTOR_MISSING && !secret)
		return DOCTOR_PUBLIC_MISSING;
	if (key->seen == DOCTOR_MISSING)
		return database_is_there(facts, key->reader) ? DOCTOR_KEY_LOST : DOCTOR_KEY_MISSING;
	if (!secret)
		return DOCTOR_KEYS_OK;
	if (!key->regular || (key->size != 32 && key->size != 16))
		return DOCTOR_KEY_FORM;
	if (key->mode & OTHERS)
		return DOCTOR_KEY_WORLD;
	if (key->mode & GROUP)
		return DOCTOR_KEY_OPEN;
	if (key->uid != reader_uid(facts, key->reader))
		return DOCTOR_KEY_OWNER;
	return DOCTOR_KEYS_OK;
}

void doctor_judge_keys(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	const struct doctor_file *folder = find_file(facts, DOCTOR_KEYS_DIR);
	size_t before = findings->count, keys = 0, missing = 0;
	bool denied = folder && folder->seen == DOCTOR_DENIED, database = false;
	for (size_t i = 0; i < facts->file_count; i++) {
		const struct doctor_file *file = &facts->files[i];
		if (file->kind != DOCTOR_KEY)
			continue;
		keys++;
		missing += file->seen == DOCTOR_MISSING;
		denied |= file->seen == DOCTOR_DENIED;
		database |= database_is_there(facts, file->reader);
	}
	if (denied) {
		doctor_find(findings, DOCTOR_KEYS_DENIED, folder ? folder->path : facts->place.state, "%s",
			    "");
		return;
	}
	if (missing == keys && !database) {
		doctor_find(findings, DOCTOR_KEYS_NONE, folder ? folder->path : facts->place.state, "%s", "");
		return;
	}
	for (size_t i = 0; i < facts->file_count; i++) {
		const struct doctor_file *file = &facts->files[i];
		bool is_key = file->kind == DOCTOR_KEY || file->kind == DOCTOR_PUBLIC_KEY ||
			      file->kind == DOCTOR_KEY_FOLDER || file->kind == DOCTOR_CREDENTIAL;
		enum doctor_outcome_id id = is_key ? judge_key(facts, file) : DOCTOR_KEYS_OK;
		if (id == DOCTOR_KEY_OWNER)
			doctor_find(findings, id, file->path, "uid %u, and %s is uid %u", file->uid,
				    file->reader, reader_uid(facts, file->reader));
		else if (id == DOCTOR_KEY_WORLD || id == DOCTOR_KEY_OPEN || id == DOCTOR_KEY_FOLDER_OPEN)
			doctor_find(findings, id, file->path, "mode %04o", file->mode);
		else if (id == DOCTOR_KEY_FORM)
			doctor_find(findings, id, file->path, "%lld bytes", file->size);
		else if (id != DOCTOR_KEYS_OK)
			doctor_find(findings, id, file->path, "%s", "");
	}
	if (findings->count == before)
		doctor_find(findings, DOCTOR_KEYS_OK, NULL, "%zu secret ones", keys);
}

/* --- databases --------------------------------------------------------------------------------------------------- */

void doctor_judge_databases(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t before = findings->count, there = 0;
	for (size_t i = 0; i < facts->file_count; i++) {
		const struct doctor_file *file = &facts->files[i];
		if (file->kind != DOCTOR_DATABASE || file->seen == DOCTOR_MISSING)
			continue;
		if (file->seen == DOCTOR_DENIED) {
			doctor_find(findings, DOCTOR_DATABASES_DENIED, file->path, "%s", "");
			continue;
		}
		there++;
		if (file->mode & (OTHERS | GROUP))
			doctor_find(findings, DOCTOR_DATABASE_OPEN, file->path, "mode %04o", file->mode);
		if (file->uid != reader_uid(facts, file->reader))
			doctor_find(findings, DOCTOR_DATABASE_OWNER, file->path, "uid %u, and %s is uid %u",
				    file->uid, file->reader, reader_uid(facts, file->reader));
	}
	for (size_t i = 0; i < DOCTOR_DATABASES; i++)
		if (facts->databases[i].seen == DOCTOR_THERE && !facts->databases[i].opens)
			doctor_find(findings, DOCTOR_DATABASE_UNREADABLE, facts->databases[i].name,
				    "%lld bytes", facts->databases[i].size);
	if (findings->count == before)
		doctor_find(findings, there ? DOCTOR_DATABASES_OK : DOCTOR_DATABASES_NONE, NULL, "%s", "");
}

void doctor_judge_schema(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t there = 0, read = 0, before = findings->count;
	for (size_t i = 0; i < DOCTOR_DATABASES; i++) {
		const struct doctor_database *database = &facts->databases[i];
		there += database->seen != DOCTOR_MISSING;
		if (database->seen != DOCTOR_THERE || !database->opens)
			continue;
		read++;
		if (database->version != database->newest)
			doctor_find(findings,
				    database->version > database->newest ? DOCTOR_SCHEMA_NEW
									 : DOCTOR_SCHEMA_OLD,
				    database->name, "schema %d, this release has %d", database->version,
				    database->newest);
	}
	if (there == 0)
		doctor_find(findings, DOCTOR_DATABASES_NONE, NULL, "%s", "");
	else if (read == 0)
		doctor_find(findings, DOCTOR_SCHEMA_UNKNOWN, NULL, "%s", "");
	else if (findings->count == before)
		doctor_find(findings, DOCTOR_SCHEMA_OK, NULL, "%zu databases", read);
}

void doctor_judge_wal(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	long long largest = 0;
	size_t before = findings->count;
	for (size_t i = 0; i < DOCTOR_DATABASES; i++) {
		const struct doctor_database *database = &facts->databases[i];
		if (database->wal_size > largest)
			largest = database->wal_size;
		if (database->wal_size > WAL_LARGE)
			doctor_find(findings, DOCTOR_WAL_LARGE, database->name, "%lld MiB",
				    database->wal_size / MIB);
	}
	if (findings->count == before)
		doctor_find(findings, DOCTOR_WAL_OK, NULL, "at most %lld KiB", largest / 1024);
}

void doctor_judge_integrity(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t examined = 0, before = findings->count;
	for (size_t i = 0; i < DOCTOR_DATABASES; i++) {
		const struct doctor_database *database = &facts->databases[i];
		examined += database->examined;
		if (database->examined && !database->whole)
			doctor_find(findings, DOCTOR_INTEGRITY_BAD, database->name, "%s", database->damage);
	}
	if (examined == 0)
		doctor_find(findings, DOCTOR_INTEGRITY_NOT_ASKED, NULL, "%s", "");
	else if (findings->count == before)
		doctor_find(findings, DOCTOR_INTEGRITY_OK, NULL, "%zu databases", examined);
}
