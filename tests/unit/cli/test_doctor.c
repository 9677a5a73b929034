/* What doctor thinks of facts: every outcome of every check is reached by a row, and every one has its sentence. The facts begin
 * as those of a machine on which all is well, and each row spoils something. */
#include "tests/harness/harness.h"

#include "cli/doctor_judge.h"
#include "cli/doctor_look.h"
#include "tests/harness/process.h"
#include "tests/harness/temp.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MIB   (1024ull * 1024)
#define OWNER 900u
#define OTHER 901u

static struct doctor_facts facts;
static struct doctor_findings findings;

static struct doctor_file *add_file(enum doctor_file_kind kind, const char *reader, const char *path,
				    unsigned mode, long long size)
{
	struct doctor_file *file = &facts.files[facts.file_count++];
	*file = (struct doctor_file){.kind = kind,
				     .seen = DOCTOR_THERE,
				     .reader = reader,
				     .regular = true,
				     .mode = mode,
				     .uid = OWNER,
				     .size = size};
	snprintf(file->path, sizeof file->path, "%s", path);
	return file;
}

static struct doctor_file *file_of(enum doctor_file_kind kind)
{
	for (size_t i = 0; i < facts.file_count; i++)
		if (facts.files[i].kind == kind)
			return &facts.files[i];
	return NULL;
}

static struct doctor_process *process_of(const char *name)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (strcmp(facts.processes[i].name, name) == 0)
			return &facts.processes[i];
	return NULL;
}

static void healthy_processes(void)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		facts.processes[i] = (struct doctor_process){.name = cli_process_names[i],
							     .socket = DOCTOR_THERE,
							     .answers = true,
							     .healthy = true,
							     .answer_ms = 1,
							     .pid = 100 + (int)i,
							     .version = "1.0.0",
							     .owner_known = true,
							     .uid = OWNER,
							     .files_open = 20,
							     .files_limit = 65536,
							     .core_limit = 0,
							     .checked = true,
							     .config_good = true};
}

static void healthy_files(void)
{
	static const char *const databases[DOCTOR_DATABASES][2] = {{"network.db", "network-server"},
								   {"join.db", "join-server"},
								   {"city.db", "application-server"},
								   {"readings.db", "application-server"}};
	add_file(DOCTOR_CONFIG, NULL, "/s/lamppost.yaml", 0640, 500);
	add_file(DOCTOR_STATE_DIR, NULL, "/s", 0750, 4096);
	add_file(DOCTOR_RUN_DIR, NULL, "/r", 0750, 4096);
	add_file(DOCTOR_KEYS_DIR, NULL, "/s/keys", 0750, 4096);
	add_file(DOCTOR_KEY, "join-server", "/s/keys/join-server.master", 0600, 32);
	add_file(DOCTOR_KEY, "join-server", "/s/keys/kek-network.join-server", 0600, 16);
	add_file(DOCTOR_PUBLIC_KEY, NULL, "/s/keys/join-server.box.pub", 0644, 65);
	for (size_t i = 0; i < DOCTOR_DATABASES; i++) {
		add_file(DOCTOR_DATABASE, databases[i][1], databases[i][0], 0600, 8192);
		facts.databases[i] = (struct doctor_database){.name = databases[i][0],
							      .process = databases[i][1],
							      .seen = DOCTOR_THERE,
							      .opens = true,
							      .version = 3,
							      .newest = 3,
							      .size = 8192};
	}
}

static void all_is_well(void)
{
	memset(&facts, 0, sizeof facts);
	snprintf(facts.place.state, sizeof facts.place.state, "/s");
	snprintf(facts.place.run, sizeof facts.place.run, "/r");
	snprintf(facts.place.config, sizeof facts.place.config, "/s/lamppost.yaml");
	facts.cores = 4;
	facts.memory = 8192 * MIB;
	facts.memory_free = 6000 * MIB;
	facts.swap = 1024 * MIB;
	facts.debian = true;
	facts.debian_version = 12;
	facts.sqlite_number = 3040001;
	facts.service_uid = OWNER;
	facts.clock_known = facts.synchronised = true;
	facts.year = 2026;
	facts.disk_known = true;
	snprintf(facts.disk_type, sizeof facts.disk_type, "ext4");
	facts.disk_free = 100000 * MIB;
	facts.disk_size = 200000 * MIB;
	facts.inodes = facts.inodes_free = 1000000;
	facts.journal_limit = 4096;
	facts.disk_floor = 256;
	facts.flush_known = true;
	facts.flush_us = 800;
	facts.flush_max_us = 2000;
	snprintf(facts.own_version, sizeof facts.own_version, "1.0.0");
	facts.receive_max = 33554432;
	facts.buffer_known = true;
	facts.buffer_asked = facts.buffer_given = 16777216;
	facts.callers_known = true;
	facts.port_count = 1;
	facts.ports[0] = (struct doctor_port){
		.port = 1700, .taken = true, .owner_known = true, .ours = true, .pid = 103};
	facts.socket_count = 1;
	facts.sockets[0] = (struct doctor_socket){
		.seen = DOCTOR_THERE, .is_socket = true, .mode = 0660, .answers = true};
	snprintf(facts.sockets[0].path, sizeof facts.sockets[0].path, "/r/join.sock");
	facts.channels_known = true;
	facts.channel_count = 1;
	facts.channels[0] = (struct doctor_channel){.name = "ops", .problem = "", .sent = 3};
	facts.broker = DOCTOR_BROKER_UP;
	snprintf(facts.broker_address, sizeof facts.broker_address, "broker.example:1883");
	healthy_processes();
	healthy_files();
}

static void nothing_runs(void)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		facts.processes[i] = (struct doctor_process){.name = cli_process_names[i],
							     .socket = DOCTOR_MISSING,
							     .files_open = -1,
							     .files_limit = -1,
							     .core_limit = -1,
							     .checked = true,
							     .config_good = true};
	facts.socket_count = 0;
	facts.buffer_known = false;
	facts.ports[0] = (struct doctor_port){.port = 1700};
}

/* --- what is spoilt ---------------------------------------------------------------------------------------------- */

#define SPOIL(name, what)      \
	static void name(void) \
	{                      \
		what;          \
	}

SPOIL(well, (void)0)
SPOIL(one_core, facts.cores = 1)
SPOIL(small, facts.memory = 512 * MIB)
SPOIL(tight, facts.memory_free = 10 * MIB)
SPOIL(swapping, facts.swap_used = 900 * MIB)
SPOIL(other_system, facts.debian = false)
SPOIL(old_system, facts.debian_version = 11)
SPOIL(old_sqlite, facts.sqlite_number = 3034000)
SPOIL(no_config, file_of(DOCTOR_CONFIG)->seen = DOCTOR_MISSING)
SPOIL(denied_config, file_of(DOCTOR_CONFIG)->seen = DOCTOR_DENIED)
SPOIL(refused_config, facts.processes[1].config_good = false)
SPOIL(no_program, facts.processes[1].checked = false)
SPOIL(unknown_caller, facts.caller_count = 1; snprintf(facts.callers[0].user, 64, "nobody-here"))
SPOIL(unread_callers, facts.callers_known = false)
SPOIL(no_state, file_of(DOCTOR_STATE_DIR)->seen = DOCTOR_MISSING)
SPOIL(open_state, file_of(DOCTOR_STATE_DIR)->mode = 0757)
SPOIL(denied_state, file_of(DOCTOR_STATE_DIR)->seen = DOCTOR_DENIED)
SPOIL(no_run, file_of(DOCTOR_RUN_DIR)->seen = DOCTOR_MISSING)
SPOIL(open_run, file_of(DOCTOR_RUN_DIR)->mode = 0777)
SPOIL(denied_keys, file_of(DOCTOR_KEYS_DIR)->seen = DOCTOR_DENIED)
SPOIL(lost_key, file_of(DOCTOR_KEY)->seen = DOCTOR_MISSING)
SPOIL(group_key, file_of(DOCTOR_KEY)->mode = 0640)
SPOIL(world_key, file_of(DOCTOR_KEY)->mode = 0604)
SPOIL(key_of_another, file_of(DOCTOR_KEY)->uid = OTHER)
SPOIL(linked_key, file_of(DOCTOR_KEY)->regular = false)
SPOIL(short_key, file_of(DOCTOR_KEY)->size = 31)
SPOIL(open_folder, add_file(DOCTOR_KEY_FOLDER, NULL, "/etc/keys", 0757, 4096))
SPOIL(sticky_folder, add_file(DOCTOR_KEY_FOLDER, NULL, "/tmp", 01777, 4096))
SPOIL(plain_folder, add_file(DOCTOR_KEY_FOLDER, NULL, "/etc", 0755, 4096))
SPOIL(good_credential, add_file(DOCTOR_CREDENTIAL, "join-server", "/run/credentials/l/vault", 0400, 32))
SPOIL(group_credential, add_file(DOCTOR_CREDENTIAL, "join-server", "/run/credentials/l/vault", 0440, 32);
      file_of(DOCTOR_CREDENTIAL)->uid = 0)
SPOIL(world_credential, add_file(DOCTOR_CREDENTIAL, "join-server", "/run/credentials/l/vault", 0444, 32))
SPOIL(short_credential, add_file(DOCTOR_CREDENTIAL, "join-server", "/run/credentials/l/vault", 0400, 33))
SPOIL(credential_of_another, add_file(DOCTOR_CREDENTIAL, "join-server", "/run/credentials/l/vault", 0400, 32);
      file_of(DOCTOR_CREDENTIAL)->uid = OTHER)
SPOIL(no_credential, add_file(DOCTOR_CREDENTIAL, "join-server", "/run/credentials/l/vault", 0400, 32);
      file_of(DOCTOR_CREDENTIAL)->seen = DOCTOR_MISSING)
SPOIL(unseen_credential, add_file(DOCTOR_CREDENTIAL, "join-server", "credential:vault", 0, 0);
      file_of(DOCTOR_CREDENTIAL)->seen = DOCTOR_DENIED)
SPOIL(no_public, file_of(DOCTOR_PUBLIC_KEY)->seen = DOCTOR_MISSING)
SPOIL(denied_database, file_of(DOCTOR_DATABASE)->seen = DOCTOR_DENIED)
SPOIL(open_database, file_of(DOCTOR_DATABASE)->mode = 0640)
SPOIL(database_of_another, file_of(DOCTOR_DATABASE)->uid = OTHER)
SPOIL(no_database_at_all, facts.databases[0].opens = false)
SPOIL(older_schema, facts.databases[0].version = 2)
SPOIL(newer_schema, facts.databases[0].version = 4)
SPOIL(large_wal, facts.databases[0].wal_size = 300ll << 20)
SPOIL(whole, facts.databases[0].examined = facts.databases[0].whole = true)
SPOIL(damaged, facts.databases[0].examined = true)
SPOIL(free_clock, facts.synchronised = false)
SPOIL(far_clock, facts.clock_error_us = 3000000)
SPOIL(year_1970, facts.year = 1970)
SPOIL(silent_clock, facts.clock_known = false)
SPOIL(stepped, facts.stepped_us = -3600000000ll)
SPOIL(full_disk, facts.disk_free = 100 * MIB)
SPOIL(small_disk, facts.disk_free = 1000 * MIB)
SPOIL(no_disk, facts.disk_known = false)
SPOIL(few_inodes, facts.inodes_free = 3)
SPOIL(network_disk, facts.network_disk = true)
SPOIL(read_only, facts.read_only = true)
SPOIL(in_memory, snprintf(facts.disk_type, 32, "tmpfs"))
SPOIL(slow_flush, facts.flush_us = 50000)
SPOIL(very_slow_flush, facts.flush_us = 500000)
SPOIL(no_flush, facts.flush_known = false)
SPOIL(down, process_of("join-server")->socket = DOCTOR_MISSING; process_of("join-server")->answers = false)
SPOIL(denied_process, process_of("join-server")->socket = DOCTOR_DENIED)
SPOIL(silent_process, process_of("join-server")->answers = false)
SPOIL(failing, process_of("join-server")->healthy = false)
SPOIL(warning, process_of("join-server")->warning_count = 1;
      snprintf(process_of("join-server")->warnings[0], 64, "configuration_refused"))
SPOIL(new_warning, process_of("join-server")->warning_count = 1;
      snprintf(process_of("join-server")->warnings[0], 64, "moon_is_full"))
SPOIL(two_keys, process_of("join-server")->warning_count = 1;
      snprintf(process_of("join-server")->warnings[0], 64, "vault_two_master_keys"))
SPOIL(restart, snprintf(process_of("network-server")->restart_needed, 64, "network-server.regions"))
SPOIL(other_version, snprintf(facts.processes[0].version, 32, "0.9.0"))
SPOIL(stale, facts.sockets[0].refuses = true; facts.sockets[0].answers = false)
SPOIL(silent_socket, facts.sockets[0].answers = false)
SPOIL(open_socket, facts.sockets[0].mode = 0666)
SPOIL(removed_socket, facts.sockets[0].seen = DOCTOR_MISSING)
SPOIL(file_for_socket, facts.sockets[0].is_socket = false)
SPOIL(denied_socket, facts.sockets[0].seen = DOCTOR_DENIED)
SPOIL(few_files, facts.processes[2].files_limit = 256)
SPOIL(many_files, facts.processes[2].files_open = 65000)
SPOIL(core_dumps, facts.processes[2].core_limit = 1 << 20)
SPOIL(lost_port, facts.ports[0].taken = facts.ports[0].ours = false)
SPOIL(taken_port, facts.ports[0].ours = false; snprintf(facts.ports[0].owner, 64, "lora_pkt_fwd"))
SPOIL(unseen_port, facts.ports[0].ours = facts.ports[0].owner_known = false)
SPOIL(no_ports, facts.port_count = 0)
SPOIL(small_buffer, facts.buffer_given = 212992)
SPOIL(drops, facts.kernel_drops = 17)
SPOIL(drops_of_the_table, facts.ports[0].drops = 17)
SPOIL(a_failing_channel, facts.channels[0].failing = true; facts.channels[0].failing_s = 90)
SPOIL(an_untried_channel, facts.channels[0].sent = 0)
SPOIL(no_channel, facts.channel_count = 0)
SPOIL(untold_channels, facts.channels_known = false; facts.channel_count = 0)
SPOIL(no_broker, facts.broker = DOCTOR_BROKER_NONE)
SPOIL(unknown_broker, facts.broker = DOCTOR_BROKER_UNKNOWN)
SPOIL(waiting_broker, facts.broker = DOCTOR_BROKER_WAITING; facts.backlog_known = true;
      facts.broker_backlog = 12)
SPOIL(accepting_broker, facts.broker = DOCTOR_BROKER_ACCEPTS)
SPOIL(tls_broker, facts.broker = DOCTOR_BROKER_LISTENS)
SPOIL(refusing_broker, facts.broker = DOCTOR_BROKER_REFUSES)
SPOIL(silent_broker, facts.broker = DOCTOR_BROKER_SILENT)
SPOIL(broker_away, facts.broker = DOCTOR_BROKER_AWAY)

static void no_databases(void)
{
	for (size_t i = 0; i < DOCTOR_DATABASES; i++)
		facts.databases[i].seen = DOCTOR_MISSING;
	for (size_t i = 0; i < facts.file_count; i++)
		if (facts.files[i].kind == DOCTOR_DATABASE)
			facts.files[i].seen = DOCTOR_MISSING;
}

static void unreadable_databases(void)
{
	for (size_t i = 0; i < DOCTOR_DATABASES; i++)
		facts.databases[i].seen = DOCTOR_DENIED;
}

static void missing_key(void)
{
	no_databases();
	file_of(DOCTOR_KEY)->seen = DOCTOR_MISSING;
}

static void no_keys(void)
{
	no_databases();
	for (size_t i = 0; i < facts.file_count; i++)
		if (facts.files[i].kind == DOCTOR_KEY || facts.files[i].kind == DOCTOR_PUBLIC_KEY)
			facts.files[i].seen = DOCTOR_MISSING;
}

static void stale_of_a_stopped_one(void)
{
	nothing_runs();
	facts.socket_count = 1;
	facts.sockets[0].refuses = true;
	facts.sockets[0].answers = false;
}

static void small_buffer_to_come(void)
{
	nothing_runs();
	facts.receive_max = 212992;
}

static void no_buffer(void)
{
	nothing_runs();
	facts.receive_max = -1;
}

/* --- the rows ---------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*spoil)(void);
	const char *check;
	enum doctor_outcome_id outcome;
} rows[] = {
	{"cores enough", well, "machine", DOCTOR_MACHINE_OK},
	{"one core", one_core, "machine", DOCTOR_ONE_CORE},
	{"memory enough", well, "memory", DOCTOR_MEMORY_OK},
	{"half a GiB", small, "memory", DOCTOR_MEMORY_SMALL},
	{"10 MiB free", tight, "memory", DOCTOR_MEMORY_TIGHT},
	{"900 MiB swapped out", swapping, "memory", DOCTOR_SWAPPING},
	{"Debian 12", well, "release", DOCTOR_RELEASE_OK},
	{"another system", other_system, "release", DOCTOR_RELEASE_OTHER},
	{"Debian 11", old_system, "release", DOCTOR_RELEASE_OLD},
	{"libraries of Debian 12", well, "libraries", DOCTOR_LIBRARIES_OK},
	{"SQLite 3.34", old_sqlite, "libraries", DOCTOR_SQLITE_OLD},
	{"a good configuration", well, "configuration", DOCTOR_CONFIG_OK},
	{"no configuration", no_config, "configuration", DOCTOR_CONFIG_MISSING},
	{"a configuration of others", denied_config, "configuration", DOCTOR_CONFIG_DENIED},
	{"a configuration that is refused", refused_config, "configuration", DOCTOR_CONFIG_REFUSED},
	{"no program", no_program, "configuration", DOCTOR_PROGRAM_MISSING},
	{"known users", well, "callers", DOCTOR_CALLERS_OK},
	{"a user whom nobody knows", unknown_caller, "callers", DOCTOR_CALLER_UNKNOWN},
	{"no configuration to read users from", unread_callers, "callers", DOCTOR_CALLERS_UNREAD},
	{"a closed state directory", well, "state", DOCTOR_STATE_OK},
	{"no state directory", no_state, "state", DOCTOR_STATE_MISSING},
	{"a state directory that anybody enters", open_state, "state", DOCTOR_STATE_OPEN},
	{"a state directory of others", denied_state, "state", DOCTOR_FILES_DENIED},
	{"a closed run directory", well, "run", DOCTOR_RUN_OK},
	{"no run directory", no_run, "run", DOCTOR_RUN_MISSING},
	{"a run directory that anybody writes", open_run, "run", DOCTOR_RUN_OPEN},
	{"keys of their readers", well, "keys", DOCTOR_KEYS_OK},
	{"keys of others", denied_keys, "keys", DOCTOR_KEYS_DENIED},
	{"a new state", no_keys, "keys", DOCTOR_KEYS_NONE},
	{"a key that is missing, and no database", missing_key, "keys", DOCTOR_KEY_MISSING},
	{"a key that is missing beside its database", lost_key, "keys", DOCTOR_KEY_LOST},
	{"a key that its group reads", group_key, "keys", DOCTOR_KEY_OPEN},
	{"a key that everybody reads", world_key, "keys", DOCTOR_KEY_WORLD},
	{"a key of another user", key_of_another, "keys", DOCTOR_KEY_OWNER},
	{"a link for a key", linked_key, "keys", DOCTOR_KEY_FORM},
	{"31 bytes for a key", short_key, "keys", DOCTOR_KEY_FORM},
	{"no public half", no_public, "keys", DOCTOR_PUBLIC_MISSING},
	{"a key's folder that everybody writes", open_folder, "keys", DOCTOR_KEY_FOLDER_OPEN},
	{"a key in /tmp", sticky_folder, "keys", DOCTOR_KEYS_OK},
	{"a key in /etc", plain_folder, "keys", DOCTOR_KEYS_OK},
	{"a credential of systemd", good_credential, "keys", DOCTOR_KEYS_OK},
	{"one of root that the group reads", group_credential, "keys", DOCTOR_KEYS_OK},
	{"one that everybody reads", world_credential, "keys", DOCTOR_KEY_WORLD},
	{"one of 33 bytes", short_credential, "keys", DOCTOR_KEY_FORM},
	{"one of another user", credential_of_another, "keys", DOCTOR_KEY_OWNER},
	{"none", no_credential, "keys", DOCTOR_CREDENTIAL_MISSING},
	{"one that may not be looked at", unseen_credential, "keys", DOCTOR_CREDENTIAL_UNSEEN},
	{"closed databases", well, "databases", DOCTOR_DATABASES_OK},
	{"no databases", no_databases, "databases", DOCTOR_DATABASES_NONE},
	{"a database of others", denied_database, "databases", DOCTOR_DATABASES_DENIED},
	{"a database that its group reads", open_database, "databases", DOCTOR_DATABASE_OPEN},
	{"a database of another user", database_of_another, "databases", DOCTOR_DATABASE_OWNER},
	{"a file that is no database", no_database_at_all, "databases", DOCTOR_DATABASE_UNREADABLE},
	{"the schema of this release", well, "schema", DOCTOR_SCHEMA_OK},
	{"no schema yet", no_databases, "schema", DOCTOR_DATABASES_NONE},
	{"an older schema", older_schema, "schema", DOCTOR_SCHEMA_OLD},
	{"a newer schema", newer_schema, "schema", DOCTOR_SCHEMA_NEW},
	{"no schema that may be read", unreadable_databases, "schema", DOCTOR_SCHEMA_UNKNOWN},
	{"small write-ahead logs", well, "wal", DOCTOR_WAL_OK},
	{"300 MiB of write-ahead log", large_wal, "wal", DOCTOR_WAL_LARGE},
	{"not read through", well, "integrity", DOCTOR_INTEGRITY_NOT_ASKED},
	{"read through and whole", whole, "integrity", DOCTOR_INTEGRITY_OK},
	{"read through and damaged", damaged, "integrity", DOCTOR_INTEGRITY_BAD},
	{"a clock that is kept", well, "clock", DOCTOR_CLOCK_OK},
	{"a clock that nobody keeps", free_clock, "clock", DOCTOR_CLOCK_FREE},
	{"a clock that may be 3 s off", far_clock, "clock", DOCTOR_CLOCK_FAR},
	{"1970", year_1970, "clock", DOCTOR_CLOCK_YEAR},
	{"a kernel that does not say", silent_clock, "clock", DOCTOR_CLOCK_UNKNOWN},
	{"an even clock", well, "steps", DOCTOR_CLOCK_STEADY},
	{"a clock set back by an hour", stepped, "steps", DOCTOR_CLOCK_STEPPED},
	{"room for all", well, "disk", DOCTOR_DISK_OK},
	{"less than the floor", full_disk, "disk", DOCTOR_DISK_FULL},
	{"less than floor and journal", small_disk, "disk", DOCTOR_DISK_SMALL},
	{"a disk that cannot be asked", no_disk, "disk", DOCTOR_DISK_UNKNOWN},
	{"the same for files", no_disk, "inodes", DOCTOR_DISK_UNKNOWN},
	{"the same for its kind", no_disk, "filesystem", DOCTOR_DISK_UNKNOWN},
	{"room for files", well, "inodes", DOCTOR_INODES_OK},
	{"room for three files", few_inodes, "inodes", DOCTOR_INODES_FEW},
	{"ext4", well, "filesystem", DOCTOR_FILESYSTEM_OK},
	{"NFS", network_disk, "filesystem", DOCTOR_FILESYSTEM_NETWORK},
	{"read only", read_only, "filesystem", DOCTOR_FILESYSTEM_READ_ONLY},
	{"in memory", in_memory, "filesystem", DOCTOR_FILESYSTEM_MEMORY},
	{"a flush in 0.8 ms", well, "flush", DOCTOR_FLUSH_OK},
	{"a flush in 50 ms", slow_flush, "flush", DOCTOR_FLUSH_SLOW},
	{"a flush in half a second", very_slow_flush, "flush", DOCTOR_FLUSH_VERY_SLOW},
	{"a disk that we may not write", no_flush, "flush", DOCTOR_FLUSH_UNKNOWN},
	{"all run", well, "processes", DOCTOR_PROCESSES_OK},
	{"none runs", nothing_runs, "processes", DOCTOR_PROCESSES_NONE},
	{"one does not run", down, "processes", DOCTOR_PROCESS_DOWN},
	{"one may not be asked", denied_process, "processes", DOCTOR_PROCESS_DENIED},
	{"one hangs", silent_process, "processes", DOCTOR_PROCESS_SILENT},
	{"one fails", failing, "processes", DOCTOR_PROCESS_FAILING},
	{"one warns", warning, "processes", DOCTOR_PROCESS_WARNS},
	{"a rotation is not finished", two_keys, "processes", DOCTOR_VAULT_TWO_KEYS},
	{"one needs a restart", restart, "processes", DOCTOR_PROCESS_RESTART},
	{"one version", well, "versions", DOCTOR_VERSIONS_OK},
	{"an older process", other_version, "versions", DOCTOR_VERSION_OTHER},
	{"no version told", nothing_runs, "versions", DOCTOR_VERSIONS_UNKNOWN},
	{"sockets that answer", well, "sockets", DOCTOR_SOCKETS_OK},
	{"no sockets", nothing_runs, "sockets", DOCTOR_SOCKETS_NONE},
	{"nobody behind a socket", stale, "sockets", DOCTOR_SOCKET_STALE},
	{"a socket of a process that was killed", stale_of_a_stopped_one, "sockets",
	 DOCTOR_SOCKET_STALE_STOPPED},
	{"a socket that says nothing", silent_socket, "sockets", DOCTOR_SOCKET_SILENT},
	{"a socket for everybody", open_socket, "sockets", DOCTOR_SOCKET_OPEN},
	{"a socket that somebody removed", removed_socket, "sockets", DOCTOR_SOCKET_NONE_OF_ONE},
	{"a file in the place of a socket", file_for_socket, "sockets", DOCTOR_SOCKET_NONE_OF_ONE},
	{"a socket of others", denied_socket, "sockets", DOCTOR_SOCKET_DENIED},
	{"65,536 files", well, "open_files", DOCTOR_FILES_LIMIT_OK},
	{"256 files", few_files, "open_files", DOCTOR_FILES_LIMIT_LOW},
	{"65,000 of 65,536 files", many_files, "open_files", DOCTOR_FILES_LIMIT_NEAR},
	{"limits of nobody", nothing_runs, "open_files", DOCTOR_FILES_LIMIT_UNKNOWN},
	{"no core dumps", well, "core_dumps", DOCTOR_CORES_OFF},
	{"core dumps", core_dumps, "core_dumps", DOCTOR_CORES_ON},
	{"core dumps of nobody", nothing_runs, "core_dumps", DOCTOR_CORES_UNKNOWN},
	{"our port", well, "ports", DOCTOR_PORT_OK},
	{"a free port", nothing_runs, "ports", DOCTOR_PORT_FREE},
	{"a bridge that does not listen there", lost_port, "ports", DOCTOR_PORT_LOST},
	{"a port of another program", taken_port, "ports", DOCTOR_PORT_TAKEN},
	{"a port of somebody", unseen_port, "ports", DOCTOR_PORT_TAKEN_UNSEEN},
	{"no ports known", no_ports, "ports", DOCTOR_PORTS_UNKNOWN},
	{"16 MiB given", well, "receive_buffer", DOCTOR_BUFFER_OK},
	{"208 KiB given", small_buffer, "receive_buffer", DOCTOR_BUFFER_SMALL},
	{"208 KiB to be given", small_buffer_to_come, "receive_buffer", DOCTOR_BUFFER_WILL_BE_SMALL},
	{"16 MiB to be given", nothing_runs, "receive_buffer", DOCTOR_BUFFER_OK},
	{"a kernel that does not say what it gives", no_buffer, "receive_buffer", DOCTOR_BUFFER_UNKNOWN},
	{"no drops", well, "drops", DOCTOR_DROPS_NONE},
	{"drops that the bridge counted", drops, "drops", DOCTOR_DROPS_SOME},
	{"drops in the kernel's table", drops_of_the_table, "drops", DOCTOR_DROPS_SOME},
	{"drops of nobody", nothing_runs, "drops", DOCTOR_DROPS_UNKNOWN},
	{"a channel of alarms", well, "alarms", DOCTOR_ALARMS_OK},
	{"one that was not tried", an_untried_channel, "alarms", DOCTOR_ALARMS_UNTRIED},
	{"one that does not take alarms", a_failing_channel, "alarms", DOCTOR_ALARMS_FAILING},
	{"none", no_channel, "alarms", DOCTOR_ALARMS_OFF},
	{"nobody to ask about them", untold_channels, "alarms", DOCTOR_ALARMS_UNTOLD},
	{"a broker", well, "broker", DOCTOR_BROKER_OK},
	{"a broker that accepts us", accepting_broker, "broker", DOCTOR_BROKER_OK},
	{"no broker", no_broker, "broker", DOCTOR_BROKER_OFF},
	{"a broker behind TLS", tls_broker, "broker", DOCTOR_BROKER_TCP_ONLY},
	{"nobody at the broker's address", broker_away, "broker", DOCTOR_BROKER_DOWN},
	{"an application server without its broker", waiting_broker, "broker", DOCTOR_BROKER_LOST},
	{"a broker that refuses us", refusing_broker, "broker", DOCTOR_BROKER_REFUSED},
	{"no MQTT at the broker's address", silent_broker, "broker", DOCTOR_BROKER_NOT_MQTT},
	{"no configuration to read the broker from", unknown_broker, "broker", DOCTOR_BROKER_UNTOLD},
};

/* The finding of a check with that outcome, or NULL. */
static const struct doctor_finding *find(const char *check, enum doctor_outcome_id outcome)
{
	for (size_t i = 0; i < findings.count; i++)
		if (strcmp(doctor_checks[findings.rows[i].check].name, check) == 0 &&
		    findings.rows[i].outcome->id == outcome)
			return &findings.rows[i];
	return NULL;
}

static void judge(void (*spoil)(void))
{
	all_is_well();
	spoil();
	doctor_judge(&facts, &findings);
}

static void every_outcome_is_reached(void **state)
{
	(void)state;
	bool reached[DOCTOR_OUTCOME_COUNT] = {false};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[DOCTOR_TEXT_MAX];
		t_row(rows[i].name);
		judge(rows[i].spoil);
		reached[rows[i].outcome] = true;
		const struct doctor_finding *finding = find(rows[i].check, rows[i].outcome);
		if (!t_true(doctor_outcome(rows[i].outcome)->name, finding != NULL))
			continue;
		doctor_sentence(finding, text);
		t_true("a sentence", strlen(text) > 10 && !strpbrk(text, "{}"));
		t_true("its subject", !strstr(finding->outcome->sentence, "{}") || finding->subject[0]);
		doctor_next(finding, text);
		t_true("what to do", !strpbrk(text, "{}"));
	}
	for (int i = 0; i < DOCTOR_OUTCOME_COUNT; i++) {
		t_row(doctor_outcome((enum doctor_outcome_id)i)->name);
		t_true("is reached by a row of this test", reached[i]);
	}
}

static void every_outcome_says_what_to_do(void **state)
{
	(void)state;
	for (int i = 0; i < DOCTOR_OUTCOME_COUNT; i++) {
		const struct doctor_outcome *outcome = doctor_outcome((enum doctor_outcome_id)i);
		if (!t_true("a row", outcome->name != NULL && outcome->sentence != NULL))
			continue;
		t_row(outcome->name);
		t_int("its own row", i, (int)outcome->id);
		t_true("a sentence without a full stop",
		       outcome->sentence[0] && outcome->sentence[strlen(outcome->sentence) - 1] != '.');
		t_true("what to do", outcome->next[0] || outcome->verdict == DOCTOR_OK ||
					     outcome->verdict == DOCTOR_SKIPPED);
		t_true("one line", !strchr(outcome->next, '\n'));
		for (int j = 0; j < i; j++)
			t_true("a name of its own",
			       strcmp(outcome->name, doctor_outcome((enum doctor_outcome_id)j)->name) != 0);
	}
}

static void a_warning_is_told_in_a_sentence(void **state)
{
	char text[DOCTOR_TEXT_MAX];
	(void)state;
	t_row("one that lamppost status knows");
	judge(warning);
	const struct doctor_finding *finding = find("processes", DOCTOR_PROCESS_WARNS);
	if (!t_true("found", finding != NULL))
		return;
	doctor_sentence(finding, text);
	t_true("in words",
	       strstr(text, "the old one stays in force") && !strstr(text, "configuration_refused"));
	t_row("one of a newer process");
	judge(new_warning);
	finding = find("processes", DOCTOR_PROCESS_WARNS);
	if (!t_true("found", finding != NULL))
		return;
	doctor_sentence(finding, text);
	t_true("its word", strstr(text, "moon_is_full") != NULL);
}

static void a_machine_on_which_all_is_well(void **state)
{
	(void)state;
	t_row("all is well");
	judge(well);
	t_uint("bad", 0, doctor_count(&findings, DOCTOR_BAD));
	t_uint("to look at", 0, doctor_count(&findings, DOCTOR_WARN));
	t_uint("skipped", 1, doctor_count(&findings, DOCTOR_SKIPPED)); /* --deep */
	for (size_t i = 0; i < doctor_check_count; i++) {
		bool found = false;
		t_row(doctor_checks[i].name);
		for (size_t j = 0; j < findings.count; j++)
			found |= findings.rows[j].check == i;
		t_true("finds something", found);
		t_true("says what it looks at", doctor_checks[i].looks[0] != '\0');
	}
	t_row("nothing runs on a new machine: nothing of that is bad");
	judge(nothing_runs);
	t_uint("bad", 0, doctor_count(&findings, DOCTOR_BAD));
}

/* --- looking ----------------------------------------------------------------------------------------------------- */

static int listen_at(const char *path, bool accepts)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
	if (accepts)
		assert_int_equal(0, listen(fd, 4));
	return fd;
}

static void sockets_are_told_apart(void **state)
{
	(void)state;
	char answer[64];
	t_row("no such file");
	t_int("asked", DOCTOR_ASK_MISSING, doctor_ask(t_temp("none.sock"), NULL, answer, sizeof answer, 5));
	t_row("nobody listens");
	int stale_one = listen_at(t_temp("stale.sock"), false);
	close(stale_one);
	t_int("asked", DOCTOR_ASK_REFUSED, doctor_ask(t_temp("stale.sock"), NULL, answer, sizeof answer, 5));
	t_row("somebody listens and says nothing");
	int silent = listen_at(t_temp("silent.sock"), true);
	t_int("asked", DOCTOR_ASK_SILENT, doctor_ask(t_temp("silent.sock"), "?", answer, sizeof answer, 5));
	close(silent);
	t_row("a file that is no socket");
	t_write_file(t_temp("file.sock"), "");
	t_int("asked", DOCTOR_ASK_REFUSED, doctor_ask(t_temp("file.sock"), NULL, answer, sizeof answer, 5));
}

static void numbers_of_proc(void **state)
{
	(void)state;
	t_row("a line in the midst");
	t_write_file(t_temp("limits"), "Limit  Soft  Hard\nMax open files            1024   4096   files\n"
				       "Max core file size        unlimited   0  bytes\n");
	t_int("number", 1024, doctor_read_number(t_temp("limits"), "Max open files", -1));
	t_true("no limit", doctor_read_number(t_temp("limits"), "Max core file size", -1) == LLONG_MAX);
	t_int("no line", -1, doctor_read_number(t_temp("limits"), "Max threads", -1));
	t_int("no file", -1, doctor_read_number(t_temp("nothing"), "", -1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(every_outcome_is_reached),        t_test(every_outcome_says_what_to_do),
		t_test(a_warning_is_told_in_a_sentence), t_test(a_machine_on_which_all_is_well),
		t_test(sockets_are_told_apart),          t_test(numbers_of_proc),
	};
	return t_run(tests);
}
