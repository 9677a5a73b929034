#include "cli/doctor_judge.h"

#include "common/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct doctor_check doctor_checks[] = {
	{"machine", "cores", doctor_judge_machine},
	{"memory", "memory and swap", doctor_judge_memory},
	{"release", "operating system", doctor_judge_release},
	{"libraries", "versions of the libraries in use", doctor_judge_libraries},
	{"configuration", "each process's section, by its own program", doctor_judge_config},
	{"callers", "users whom the configuration lets call", doctor_judge_callers},
	{"state", "the state directory and who may enter it", doctor_judge_state},
	{"keys", "key files: there, of their reader, closed to others", doctor_judge_keys},
	{"databases", "databases: there, of their process, closed to others", doctor_judge_databases},
	{"schema", "the databases' schema against this release", doctor_judge_schema},
	{"wal", "write-ahead logs", doctor_judge_wal},
	{"integrity", "the databases read through, with --deep", doctor_judge_integrity},
	{"clock", "whether the clock is kept in time, and its year", doctor_judge_clock},
	{"steps", "whether the clock is set while looking", doctor_judge_steps},
	{"disk", "free room against the floor and the journal's limit", doctor_judge_disk},
	{"inodes", "room for files", doctor_judge_inodes},
	{"filesystem", "kind of file system", doctor_judge_filesystem},
	{"flush", "time of a flush, measured", doctor_judge_flush},
	{"processes", "whether each answers, and what it warns of", doctor_judge_processes},
	{"versions", "versions of what runs against this command's", doctor_judge_versions},
	{"run", "the folder of the sockets and who may write there", doctor_judge_run},
	{"sockets", "whether each socket answers, or is left from before", doctor_judge_sockets},
	{"open_files", "limits of open files", doctor_judge_open_files},
	{"core_dumps", "whether a process could write its keys to a core dump", doctor_judge_cores},
	{"ports", "who has the UDP ports of gateways", doctor_judge_ports},
	{"receive_buffer", "what the kernel gave of the 16 MB that were asked", doctor_judge_buffer},
	{"drops", "datagrams that the kernel dropped", doctor_judge_drops},
	{"broker", "the MQTT broker", doctor_judge_broker},
	{"alarms", "whether alarms reach somebody", doctor_judge_alarms},
};
const size_t doctor_check_count = ARRAY_SIZE(doctor_checks);

const char *doctor_verdict_name(enum doctor_verdict verdict)
{
	static const char *const names[DOCTOR_VERDICT_COUNT] = {[DOCTOR_OK] = "ok",
								[DOCTOR_WARN] = "warn",
								[DOCTOR_BAD] = "bad",
								[DOCTOR_SKIPPED] = "skipped"};
	return names[verdict];
}

void doctor_find(struct doctor_findings *findings, enum doctor_outcome_id id, const char *subject,
		 const char *numbers, ...)
{
	if (findings->count == DOCTOR_FINDINGS_MAX) {
		findings->lost = true;
		return;
	}
	struct doctor_finding *finding = &findings->rows[findings->count++];
	*finding = (struct doctor_finding){.outcome = doctor_outcome(id), .check = findings->check};
	snprintf(finding->subject, sizeof finding->subject, "%s", subject ? subject : "");
	va_list arguments;
	va_start(arguments, numbers);
	vsnprintf(finding->numbers, sizeof finding->numbers, numbers, arguments);
	va_end(arguments);
}

void doctor_judge(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	memset(findings, 0, sizeof *findings);
	for (size_t i = 0; i < doctor_check_count; i++) {
		findings->check = i;
		doctor_checks[i].judge(facts, findings);
	}
}

size_t doctor_count(const struct doctor_findings *findings, enum doctor_verdict verdict)
{
	size_t count = 0;
	for (size_t i = 0; i < findings->count; i++)
		count += findings->rows[i].outcome->verdict == verdict;
	return count;
}

/* Copies a template with the subject in the place of each `{}`. */
static void fill(char text[DOCTOR_TEXT_MAX], const char *template, const char *subject)
{
	size_t used = 0;
	text[0] = '\0';
	for (const char *at = template; *at && used < DOCTOR_TEXT_MAX - 1;) {
		size_t plain = strcspn(at, "{");
		const char *part = at;
		int length = (int)plain;
		if (plain == 0) {
			ASSERT(at[1] == '}');
			part = subject;
			length = (int)strlen(subject);
		}
		used += (size_t)snprintf(text + used, DOCTOR_TEXT_MAX - used, "%.*s", length, part);
		at += plain ? plain : 2;
	}
}

void doctor_sentence(const struct doctor_finding *finding, char text[DOCTOR_TEXT_MAX])
{
	fill(text, finding->outcome->sentence, finding->subject);
	size_t used = strlen(text);
	if (finding->numbers[0])
		snprintf(text + used, DOCTOR_TEXT_MAX - used, " (%s)", finding->numbers);
}

void doctor_next(const struct doctor_finding *finding, char text[DOCTOR_TEXT_MAX])
{
	fill(text, finding->outcome->next, finding->subject);
}
