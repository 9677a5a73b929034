/* The machine and its clock; and the small readers of /proc that others use. */
#include "cli/doctor_look.h"

#include "common/db/db.h"
#include "common/io/clock.h"
#include "common/io/loop.h"

#include <jansson.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

bool doctor_read_line(const char *path, char *line, size_t capacity)
{
	FILE *in = fopen(path, "re");
	bool read = in && fgets(line, (int)capacity, in);
	if (!read)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (in)
		fclose(in);
	return read;
}

long long doctor_read_number(const char *path, const char *label, long long otherwise)
{
	char line[512];
	long long number = otherwise;
	FILE *in = fopen(path, "re");
	size_t length = strlen(label);
	while (in && fgets(line, sizeof line, in)) {
		if (strncmp(line, label, length) != 0)
			continue;
		char *end, *at = line + length;
		long long value = strtoll(at, &end, 10);
		if (end != at)
			number = value;
		else if (strncmp(at + strspn(at, " \t"), "unlimited", 9) == 0)
			number = LLONG_MAX;
		break;
	}
	if (in)
		fclose(in);
	return number;
}

static unsigned long long meminfo(const char *label)
{
	long long kib = doctor_read_number("/proc/meminfo", label, 0);
	return kib > 0 ? (unsigned long long)kib * 1024 : 0;
}

/* `NAME=value` or `NAME="value"` of /etc/os-release. */
static bool read_release(const char *name, char *value, size_t capacity)
{
	char line[256];
	bool found = false;
	size_t length = strlen(name);
	FILE *in = fopen("/etc/os-release", "re");
	while (in && !found && fgets(line, sizeof line, in)) {
		found = strncmp(line, name, length) == 0 && line[length] == '=';
		const char *at = line + length + 1;
		if (found)
			snprintf(value, capacity, "%.*s", (int)strcspn(at + (*at == '"'), "\"\n"),
				 at + (*at == '"'));
	}
	if (in)
		fclose(in);
	return found;
}

static void look_release(struct doctor_facts *facts)
{
	char id[64] = "", version[32] = "";
	read_release("PRETTY_NAME", facts->release, sizeof facts->release);
	read_release("ID", id, sizeof id);
	facts->debian = strcmp(id, "debian") == 0;
	if (read_release("VERSION_ID", version, sizeof version))
		facts->debian_version = (int)strtol(version, NULL, 10);
}

static void add_library(struct doctor_facts *facts, const char *name, const char *version)
{
	facts->libraries[facts->library_count].name = name;
	snprintf(facts->libraries[facts->library_count].version, sizeof facts->libraries[0].version, "%s",
		 version);
	facts->library_count++;
}

static void look_clock(struct doctor_facts *facts)
{
	struct timex timex = {.modes = 0};
	time_t now = time(NULL);
	struct tm broken;
	int state = adjtimex(&timex);
	facts->clock_known = state >= 0;
	facts->synchronised = state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
	facts->clock_error_us = timex.esterror;
	facts->year = gmtime_r(&now, &broken) ? broken.tm_year + 1900 : 0;
}

void doctor_look_machine(struct doctor_facts *facts)
{
	struct utsname name;
	facts->root = geteuid() == 0;
	facts->cores = sysconf(_SC_NPROCESSORS_ONLN);
	facts->memory = meminfo("MemTotal:");
	facts->memory_free = meminfo("MemAvailable:");
	facts->swap = meminfo("SwapTotal:");
	facts->swap_used = facts->swap - meminfo("SwapFree:");
	if (uname(&name) == 0)
		snprintf(facts->kernel, sizeof facts->kernel, "%.90s", name.release);
	look_release(facts);
	add_library(facts, "SQLite", db_library_version(&facts->sqlite_number));
	add_library(facts, "libuv", io_loop_library_version());
	add_library(facts, "libsodium", sodium_version_string());
	add_library(facts, "jansson", jansson_version_str());
	snprintf(facts->own_version, sizeof facts->own_version, "%s", LAMPPOST_VERSION);
	look_clock(facts);
}

/* How far the wall clock moved against the monotonic one. */
static long long clocks_apart(void)
{
	struct now now = clock_now();
	return now.wall.us - now.mono.us;
}

void doctor_look(struct doctor_facts *facts)
{
	struct doctor_settings settings = {.mqtt_port = 0};
	long long apart = clocks_apart();
	doctor_look_machine(facts);
	doctor_look_config(facts, &settings);
	doctor_look_running(facts);
	doctor_look_credential(facts, &settings);
	doctor_look_files(facts, &settings);
	doctor_look_databases(facts);
	doctor_look_disk(facts);
	doctor_look_udp(facts, &settings);
	doctor_look_broker(facts, &settings);
	doctor_look_alarms(facts);
	facts->stepped_us = clocks_apart() - apart;
}
