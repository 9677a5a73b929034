/* The machine, its clock and its disk. */
#include "cli/doctor_judge.h"

#include "common/base/units.h"

#include <stdlib.h>
#include <string.h>

#define KIB             1024ull
#define MIB             (1024ull * KIB)
#define GIB             (1024ull * MIB)
#define DEBIAN_TESTED   12
#define SQLITE_TESTED   3040000
#define YEAR_FIRST      2025
#define YEAR_LAST       2099
#define STEP_MAX        (50 * US_PER_MS)
#define CLOCK_ERROR_MAX US_PER_S
#define INODES_MIN      1000
#define FLUSH_SLOW      (20 * US_PER_MS)
#define FLUSH_VERY_SLOW (200 * US_PER_MS)

void doctor_judge_machine(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	doctor_find(findings, facts->cores < 2 ? DOCTOR_ONE_CORE : DOCTOR_MACHINE_OK, NULL,
		    "%ld cores, kernel %s", facts->cores, facts->kernel);
}

void doctor_judge_memory(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	enum doctor_outcome_id id = DOCTOR_MEMORY_OK;
	if (facts->memory_free < 64 * MIB)
		id = DOCTOR_MEMORY_TIGHT;
	else if (facts->swap_used > 256 * MIB && facts->swap_used > facts->swap / 2)
		id = DOCTOR_SWAPPING;
	else if (facts->memory < 900 * MIB)
		id = DOCTOR_MEMORY_SMALL;
	doctor_find(findings, id, NULL, "%llu MiB, %llu MiB free, %llu of %llu MiB swap used",
		    facts->memory / MIB, facts->memory_free / MIB, facts->swap_used / MIB, facts->swap / MIB);
}

void doctor_judge_release(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	enum doctor_outcome_id id = DOCTOR_RELEASE_OK;
	if (!facts->debian)
		id = DOCTOR_RELEASE_OTHER;
	else if (facts->debian_version != 0 && facts->debian_version < DEBIAN_TESTED)
		id = DOCTOR_RELEASE_OLD;
	doctor_find(findings, id, NULL, "%s",
		    facts->release[0] ? facts->release : "it does not say what it is");
}

void doctor_judge_libraries(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	char list[200] = "";
	for (size_t i = 0; i < facts->library_count; i++) {
		size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, "%s%s %s", i ? ", " : "", facts->libraries[i].name,
			 facts->libraries[i].version);
	}
	doctor_find(findings, facts->sqlite_number < SQLITE_TESTED ? DOCTOR_SQLITE_OLD : DOCTOR_LIBRARIES_OK,
		    NULL, "%s", list);
}

/* --- the clock --------------------------------------------------------------------------------------------------- */

void doctor_judge_clock(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	if (facts->year < YEAR_FIRST || facts->year > YEAR_LAST)
		doctor_find(findings, DOCTOR_CLOCK_YEAR, NULL, "it says %d", facts->year);
	else if (!facts->clock_known)
		doctor_find(findings, DOCTOR_CLOCK_UNKNOWN, NULL, "year %d", facts->year);
	else if (!facts->synchronised)
		doctor_find(findings, DOCTOR_CLOCK_FREE, NULL, "%s", "");
	else
		doctor_find(findings,
			    facts->clock_error_us > CLOCK_ERROR_MAX ? DOCTOR_CLOCK_FAR : DOCTOR_CLOCK_OK,
			    NULL, "off by at most %lld ms", facts->clock_error_us / US_PER_MS);
}

void doctor_judge_steps(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	bool stepped = llabs(facts->stepped_us) > STEP_MAX;
	doctor_find(findings, stepped ? DOCTOR_CLOCK_STEPPED : DOCTOR_CLOCK_STEADY, NULL, "by %lld ms",
		    facts->stepped_us / US_PER_MS);
}

/* --- the disk ---------------------------------------------------------------------------------------------------- */

void doctor_judge_disk(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	if (!facts->disk_known) {
		doctor_find(findings, DOCTOR_DISK_UNKNOWN, NULL, "%s", "");
		return;
	}
	unsigned long long floor = (facts->disk_floor >= 0 ? (unsigned long long)facts->disk_floor : 256) *
				   MIB;
	unsigned long long journal = (facts->journal_limit >= 0 ? (unsigned long long)facts->journal_limit
								: 4096) *
				     MIB;
	enum doctor_outcome_id id = DOCTOR_DISK_OK;
	if (facts->disk_free < floor)
		id = DOCTOR_DISK_FULL;
	else if (facts->disk_free < floor + journal)
		id = DOCTOR_DISK_SMALL;
	doctor_find(findings, id, NULL, "%llu of %llu MiB free, floor %llu MiB, journal up to %llu MiB",
		    facts->disk_free / MIB, facts->disk_size / MIB, floor / MIB, journal / MIB);
}

void doctor_judge_inodes(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	if (!facts->disk_known)
		doctor_find(findings, DOCTOR_DISK_UNKNOWN, NULL, "%s", "");
	else if (facts->inodes == 0)
		doctor_find(findings, DOCTOR_INODES_OK, NULL, "%s",
			    "this file system has no limit of its own");
	else
		doctor_find(findings, facts->inodes_free < INODES_MIN ? DOCTOR_INODES_FEW : DOCTOR_INODES_OK,
			    NULL, "%llu of %llu free", facts->inodes_free, facts->inodes);
}

void doctor_judge_filesystem(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	enum doctor_outcome_id id = DOCTOR_FILESYSTEM_OK;
	if (!facts->disk_known)
		id = DOCTOR_DISK_UNKNOWN;
	else if (facts->network_disk)
		id = DOCTOR_FILESYSTEM_NETWORK;
	else if (facts->read_only)
		id = DOCTOR_FILESYSTEM_READ_ONLY;
	else if (strcmp(facts->disk_type, "tmpfs") == 0 || strcmp(facts->disk_type, "ramfs") == 0)
		id = DOCTOR_FILESYSTEM_MEMORY;
	doctor_find(findings, id, NULL, "%s", facts->disk_type);
}

void doctor_judge_flush(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	if (!facts->flush_known) {
		doctor_find(findings, DOCTOR_FLUSH_UNKNOWN, NULL, "%s", "");
		return;
	}
	enum doctor_outcome_id id = DOCTOR_FLUSH_OK;
	if (facts->flush_us > FLUSH_VERY_SLOW)
		id = DOCTOR_FLUSH_VERY_SLOW;
	else if (facts->flush_us > FLUSH_SLOW)
		id = DOCTOR_FLUSH_SLOW;
	doctor_find(findings, id, NULL, "%lld.%lld ms, at most %lld.%lld ms", facts->flush_us / 1000,
		    facts->flush_us % 1000 / 100, facts->flush_max_us / 1000,
		    facts->flush_max_us % 1000 / 100);
}
