/* What `lamppost doctor` thinks of what it found. Pure: facts in, findings out.
 *
 * A check is a row (name, what it looks at, its judge). What it can come to is a row as well (an outcome: verdict, sentence,
 * what to do next), so that a test can walk all of them. `{}` in a sentence or in `next` stands for the finding's subject: a
 * path, a process. Numbers stand behind the sentence. */
#ifndef LAMPPOST_CLI_DOCTOR_JUDGE_H
#define LAMPPOST_CLI_DOCTOR_JUDGE_H

#include "cli/doctor_facts.h"

#define DOCTOR_FINDINGS_MAX 128
#define DOCTOR_TEXT_MAX     768

enum doctor_verdict { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD, DOCTOR_SKIPPED, DOCTOR_VERDICT_COUNT };
const char *doctor_verdict_name(enum doctor_verdict verdict); /* "ok", "warn", "bad", "skipped" */

enum doctor_outcome_id {
	/* the machine */
	DOCTOR_MACHINE_OK,
	DOCTOR_ONE_CORE,
	DOCTOR_MEMORY_OK,
	DOCTOR_MEMORY_SMALL,
	DOCTOR_MEMORY_TIGHT,
	DOCTOR_SWAPPING,
	DOCTOR_RELEASE_OK,
	DOCTOR_RELEASE_OTHER,
	DOCTOR_RELEASE_OLD,
	DOCTOR_LIBRARIES_OK,
	DOCTOR_SQLITE_OLD,
	/* configuration */
	DOCTOR_CONFIG_OK,
	DOCTOR_CONFIG_MISSING,
	DOCTOR_CONFIG_REFUSED,
	DOCTOR_CONFIG_DENIED,
	DOCTOR_PROGRAM_MISSING,
	DOCTOR_CALLERS_OK,
	DOCTOR_CALLER_UNKNOWN,
	DOCTOR_CALLERS_UNREAD,
	/* files */
	DOCTOR_STATE_OK,
	DOCTOR_STATE_MISSING,
	DOCTOR_STATE_OPEN,
	DOCTOR_FILES_DENIED,
	DOCTOR_RUN_OK,
	DOCTOR_RUN_MISSING,
	DOCTOR_RUN_OPEN,
	DOCTOR_KEYS_OK,
	DOCTOR_KEYS_DENIED,
	DOCTOR_KEYS_NONE,
	DOCTOR_KEY_MISSING,
	DOCTOR_KEY_LOST,
	DOCTOR_KEY_OPEN,
	DOCTOR_KEY_FOLDER_OPEN,
	DOCTOR_CREDENTIAL_MISSING,
	DOCTOR_CREDENTIAL_UNSEEN,
	DOCTOR_KEY_WORLD,
	DOCTOR_KEY_OWNER,
	DOCTOR_KEY_FORM,
	DOCTOR_PUBLIC_MISSING,
	DOCTOR_DATABASES_OK,
	DOCTOR_DATABASES_NONE,
	DOCTOR_DATABASES_DENIED,
	DOCTOR_DATABASE_OPEN,
	DOCTOR_DATABASE_OWNER,
	DOCTOR_DATABASE_UNREADABLE,
	DOCTOR_SCHEMA_OK,
	DOCTOR_SCHEMA_OLD,
	DOCTOR_SCHEMA_NEW,
	DOCTOR_SCHEMA_UNKNOWN,
	DOCTOR_WAL_OK,
	DOCTOR_WAL_LARGE,
	DOCTOR_INTEGRITY_OK,
	DOCTOR_INTEGRITY_BAD,
	DOCTOR_INTEGRITY_NOT_ASKED,
	/* clock */
	DOCTOR_CLOCK_OK,
	DOCTOR_CLOCK_FREE,
	DOCTOR_CLOCK_FAR,
	DOCTOR_CLOCK_YEAR,
	DOCTOR_CLOCK_UNKNOWN,
	DOCTOR_CLOCK_STEADY,
	DOCTOR_CLOCK_STEPPED,
	/* disk */
	DOCTOR_DISK_OK,
	DOCTOR_DISK_FULL,
	DOCTOR_DISK_SMALL,
	DOCTOR_DISK_UNKNOWN,
	DOCTOR_INODES_OK,
	DOCTOR_INODES_FEW,
	DOCTOR_FILESYSTEM_OK,
	DOCTOR_FILESYSTEM_NETWORK,
	DOCTOR_FILESYSTEM_READ_ONLY,
	DOCTOR_FILESYSTEM_MEMORY,
	DOCTOR_FLUSH_OK,
	DOCTOR_FLUSH_SLOW,
	DOCTOR_FLUSH_VERY_SLOW,
	DOCTOR_FLUSH_UNKNOWN,
	/* what runs */
	DOCTOR_PROCESSES_OK,
	DOCTOR_PROCESSES_NONE,
	DOCTOR_PROCESS_DOWN,
	DOCTOR_PROCESS_DENIED,
	DOCTOR_PROCESS_SILENT,
	DOCTOR_PROCESS_FAILING,
	DOCTOR_PROCESS_WARNS,
	DOCTOR_PROCESS_RESTART,
	DOCTOR_VAULT_TWO_KEYS,
	DOCTOR_VERSIONS_OK,
	DOCTOR_VERSION_OTHER,
	DOCTOR_VERSIONS_UNKNOWN,
	DOCTOR_SOCKETS_OK,
	DOCTOR_SOCKETS_NONE,
	DOCTOR_SOCKET_STALE,
	DOCTOR_SOCKET_STALE_STOPPED,
	DOCTOR_SOCKET_SILENT,
	DOCTOR_SOCKET_OPEN,
	DOCTOR_SOCKET_NONE_OF_ONE,
	DOCTOR_SOCKET_DENIED,
	DOCTOR_FILES_LIMIT_OK,
	DOCTOR_FILES_LIMIT_LOW,
	DOCTOR_FILES_LIMIT_NEAR,
	DOCTOR_FILES_LIMIT_UNKNOWN,
	DOCTOR_CORES_OFF,
	DOCTOR_CORES_ON,
	DOCTOR_CORES_UNKNOWN,
	/* UDP */
	DOCTOR_PORT_OK,
	DOCTOR_PORT_FREE,
	DOCTOR_PORT_LOST,
	DOCTOR_PORT_TAKEN,
	DOCTOR_PORT_TAKEN_UNSEEN,
	DOCTOR_PORTS_UNKNOWN,
	DOCTOR_BUFFER_OK,
	DOCTOR_BUFFER_SMALL,
	DOCTOR_BUFFER_WILL_BE_SMALL,
	DOCTOR_BUFFER_UNKNOWN,
	DOCTOR_DROPS_NONE,
	DOCTOR_DROPS_SOME,
	DOCTOR_DROPS_UNKNOWN,
	/* broker */
	DOCTOR_BROKER_OK,
	DOCTOR_BROKER_OFF,
	DOCTOR_BROKER_TCP_ONLY,
	DOCTOR_BROKER_DOWN,
	DOCTOR_BROKER_LOST,
	DOCTOR_BROKER_REFUSED,
	DOCTOR_BROKER_NOT_MQTT,
	DOCTOR_BROKER_UNTOLD,
	/* alarms */
	DOCTOR_ALARMS_OK,
	DOCTOR_ALARMS_UNTRIED,
	DOCTOR_ALARMS_FAILING,
	DOCTOR_ALARMS_OFF,
	DOCTOR_ALARMS_UNTOLD,
	DOCTOR_OUTCOME_COUNT
};

struct doctor_outcome {
	enum doctor_outcome_id id;
	enum doctor_verdict verdict;
	const char *name;     /* "key_open": for --json and for programs */
	const char *sentence; /* what is, without a full stop; `{}`: the subject */
	const char *next; /* what a person does; "" where nothing is to be done; never "" for warn and bad */
};
const struct doctor_outcome *doctor_outcome(enum doctor_outcome_id id);

struct doctor_finding {
	const struct doctor_outcome *outcome;
	size_t check;      /* place of its row */
	char subject[512]; /* "" where there is none */
	char numbers[256]; /* "512 MiB of 2048 MiB"; "" */
};

struct doctor_findings {
	struct doctor_finding rows[DOCTOR_FINDINGS_MAX];
	size_t count;
	size_t check; /* the row that judges at the moment */
	bool lost;    /* there were more */
};

struct doctor_check {
	const char *name;  /* "keys" */
	const char *looks; /* what it looks at, for the manual */
	void (*judge)(const struct doctor_facts *facts, struct doctor_findings *findings);
};
extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/* All checks, in order; each finds at least one thing. */
void doctor_judge(const struct doctor_facts *facts, struct doctor_findings *findings);
/* How many findings have that verdict. */
size_t doctor_count(const struct doctor_findings *findings, enum doctor_verdict verdict);
/* Fills the sentence with its subject and its numbers, and what to do next. */
void doctor_sentence(const struct doctor_finding *finding, char text[DOCTOR_TEXT_MAX]);
void doctor_next(const struct doctor_finding *finding, char text[DOCTOR_TEXT_MAX]);

/* For judges: adds a finding about `subject` (NULL: none), with numbers as of printf. */
void doctor_find(struct doctor_findings *findings, enum doctor_outcome_id id, const char *subject,
		 const char *numbers, ...) __attribute__((format(printf, 4, 5)));

/* The judges, by file. */
void doctor_judge_machine(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_memory(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_release(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_libraries(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_clock(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_steps(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_disk(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_inodes(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_filesystem(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_flush(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_config(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_callers(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_state(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_run(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_keys(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_databases(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_schema(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_wal(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_integrity(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_processes(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_versions(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_sockets(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_open_files(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_cores(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_ports(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_buffer(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_drops(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_broker(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_alarms(const struct doctor_facts *facts, struct doctor_findings *findings);

#endif
