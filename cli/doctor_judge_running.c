/* What runs: processes, sockets, ports, the broker. */
#include "cli/doctor_judge.h"

#include "cli/status.h"

#include <stdio.h>
#include <string.h>

#define FILES_FEW 1024
#define OTHERS    0007u

static const struct doctor_process *process_named(const struct doctor_facts *facts, const char *name)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (facts->processes[i].name && strcmp(facts->processes[i].name, name) == 0)
			return &facts->processes[i];
	return NULL;
}

static bool runs(const struct doctor_process *process)
{
	return process && (process->answers || process->socket == DOCTOR_DENIED ||
			   (process->socket == DOCTOR_THERE && !process->refuses));
}

static bool anything_runs(const struct doctor_facts *facts)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (runs(&facts->processes[i]))
			return true;
	return false;
}

/* --- processes --------------------------------------------------------------------------------------------------- */

#define TWO_KEYS "vault_two_master_keys"

/* What it warns of but those that have sentences of their own. */
static void warnings_of(const struct doctor_process *process, char *text, size_t capacity)
{
	text[0] = '\0';
	for (size_t i = 0; i < process->warning_count; i++) {
		size_t used = strlen(text);
		if (strcmp(process->warnings[i], "restart_needed") != 0 &&
		    strcmp(process->warnings[i], TWO_KEYS) != 0 &&
		    strcmp(process->warnings[i], "receive_buffer_small") != 0 &&
		    strcmp(process->warnings[i], "kernel_drops") != 0)
			snprintf(text + used, capacity - used, "%s%s", used ? "; " : "",
				 cli_status_warning(process->warnings[i]));
	}
}

static void judge_process(const struct doctor_process *process, struct doctor_findings *findings)
{
	char warnings[400];
	warnings_of(process, warnings, sizeof warnings);
	if (process->socket == DOCTOR_DENIED)
		doctor_find(findings, DOCTOR_PROCESS_DENIED, process->name, "%s", "");
	else if (!runs(process))
		doctor_find(findings, DOCTOR_PROCESS_DOWN, process->name, "%s", "");
	else if (!process->answers && process->pid > 0)
		doctor_find(findings, DOCTOR_PROCESS_SILENT, process->name, "pid %d", process->pid);
	else if (!process->answers)
		doctor_find(findings, DOCTOR_PROCESS_SILENT, process->name, "%s", "");
	else if (!process->healthy)
		doctor_find(findings, DOCTOR_PROCESS_FAILING, process->name, "%s", warnings);
	else if (warnings[0])
		doctor_find(findings, DOCTOR_PROCESS_WARNS, process->name, "%s", warnings);
	for (size_t i = 0; i < process->warning_count; i++)
		if (strcmp(process->warnings[i], TWO_KEYS) == 0)
			doctor_find(findings, DOCTOR_VAULT_TWO_KEYS, process->name, "%s", "");
	if (process->restart_needed[0])
		doctor_find(findings, DOCTOR_PROCESS_RESTART, process->name, "%s", process->restart_needed);
}

void doctor_judge_processes(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t before = findings->count;
	int slowest = 0;
	if (!anything_runs(facts)) {
		doctor_find(findings, DOCTOR_PROCESSES_NONE, NULL, "%s", facts->place.run);
		return;
	}
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		judge_process(&facts->processes[i], findings);
		if (facts->processes[i].answer_ms > slowest)
			slowest = facts->processes[i].answer_ms;
	}
	if (findings->count == before)
		doctor_find(findings, DOCTOR_PROCESSES_OK, NULL, "each within %d ms", slowest);
}

void doctor_judge_versions(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t told = 0, before = findings->count;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		const struct doctor_process *process = &facts->processes[i];
		told += process->version[0] != '\0';
		if (process->version[0] && strcmp(process->version, facts->own_version) != 0)
			doctor_find(findings, DOCTOR_VERSION_OTHER, process->name, "%s, and this is %s",
				    process->version, facts->own_version);
	}
	if (told == 0)
		doctor_find(findings, DOCTOR_VERSIONS_UNKNOWN, NULL, "this is %s", facts->own_version);
	else if (findings->count == before)
		doctor_find(findings, DOCTOR_VERSIONS_OK, NULL, "%s", facts->own_version);
}

/* --- sockets ----------------------------------------------------------------------------------------------------- */

/* The process of "RUN/network.sock" or "RUN/network-server.admin.sock". */
static const struct doctor_process *owner_of(const struct doctor_facts *facts, const char *path)
{
	static const struct {
		const char *file, *process;
	} sockets[] = {{"network.sock", "network-server"},
		       {"join.sock", "join-server"},
		       {"city.sock", "application-server"}};
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
		if (strcmp(sockets[i].file, file) == 0)
			return process_named(facts, sockets[i].process);
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		size_t length = facts->processes[i].name ? strlen(facts->processes[i].name) : 0;
		if (length && strncmp(file, facts->processes[i].name, length) == 0 && file[length] == '.')
			return &facts->processes[i];
	}
	return NULL;
}

static void judge_socket(const struct doctor_facts *facts, const struct doctor_socket *socket,
			 struct doctor_findings *findings)
{
	bool running = runs(owner_of(facts, socket->path));
	if (socket->seen == DOCTOR_DENIED)
		doctor_find(findings, DOCTOR_SOCKET_DENIED, socket->path, "%s", "");
	else if (socket->seen == DOCTOR_MISSING || !socket->is_socket) {
		if (running)
			doctor_find(findings, DOCTOR_SOCKET_NONE_OF_ONE, socket->path, "%s", "");
	} else if (socket->mode & OTHERS)
		doctor_find(findings, DOCTOR_SOCKET_OPEN, socket->path, "mode %04o", socket->mode);
	else if (socket->refuses)
		doctor_find(findings, running ? DOCTOR_SOCKET_STALE : DOCTOR_SOCKET_STALE_STOPPED,
			    socket->path, "%s", "");
	else if (!socket->answers)
		doctor_find(findings, DOCTOR_SOCKET_SILENT, socket->path, "%s", "");
}

void doctor_judge_sockets(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t before = findings->count, there = 0;
	for (size_t i = 0; i < facts->socket_count; i++) {
		there += facts->sockets[i].seen == DOCTOR_THERE;
		judge_socket(facts, &facts->sockets[i], findings);
	}
	if (findings->count == before)
		doctor_find(findings, there ? DOCTOR_SOCKETS_OK : DOCTOR_SOCKETS_NONE, NULL, "%zu", there);
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

void doctor_judge_open_files(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t before = findings->count;
	long long least = -1;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		const struct doctor_process *process = &facts->processes[i];
		if (process->pid == 0 || process->files_limit < 0)
			continue;
		if (least < 0 || process->files_limit < least)
			least = process->files_limit;
		if (process->files_open >= 0 && process->files_open > process->files_limit / 10 * 9)
			doctor_find(findings, DOCTOR_FILES_LIMIT_NEAR, process->name, "%lld of %lld",
				    process->files_open, process->files_limit);
		else if (process->files_limit < FILES_FEW)
			doctor_find(findings, DOCTOR_FILES_LIMIT_LOW, process->name, "%lld",
				    process->files_limit);
	}
	if (least < 0)
		doctor_find(findings, DOCTOR_FILES_LIMIT_UNKNOWN, NULL, "%s", "");
	else if (findings->count == before)
		doctor_find(findings, DOCTOR_FILES_LIMIT_OK, NULL, "at least %lld each", least);
}

void doctor_judge_cores(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	size_t before = findings->count, known = 0;
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++) {
		const struct doctor_process *process = &facts->processes[i];
		if (process->pid == 0 || process->core_limit < 0)
			continue;
		known++;
		if (process->core_limit > 0)
			doctor_find(findings, DOCTOR_CORES_ON, process->name, "limit %lld bytes",
				    process->core_limit);
	}
	if (known == 0)
		doctor_find(findings, DOCTOR_CORES_UNKNOWN, NULL, "%s", "");
	else if (findings->count == before)
		doctor_find(findings, DOCTOR_CORES_OFF, NULL, "%zu processes", known);
}

/* --- UDP --------------------------------------------------------------------------------------------------------- */

void doctor_judge_ports(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	bool bridge = runs(process_named(facts, "gateway-bridge"));
	if (facts->port_count == 0)
		doctor_find(findings, DOCTOR_PORTS_UNKNOWN, NULL, "%s", "");
	for (size_t i = 0; i < facts->port_count; i++) {
		const struct doctor_port *port = &facts->ports[i];
		char number[8];
		snprintf(number, sizeof number, "%u", port->port);
		if (!port->taken)
			doctor_find(findings, bridge ? DOCTOR_PORT_LOST : DOCTOR_PORT_FREE, number, "%s", "");
		else if (port->ours)
			doctor_find(findings, DOCTOR_PORT_OK, number, "pid %d", port->pid);
		else if (port->owner_known)
			doctor_find(findings, DOCTOR_PORT_TAKEN, number, "%s, pid %d", port->owner,
				    port->pid);
		else
			doctor_find(findings, DOCTOR_PORT_TAKEN_UNSEEN, number, "%s", "");
	}
}

#define BUFFER_ASKED (16ll << 20)

void doctor_judge_buffer(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	if (facts->buffer_known && facts->buffer_given < facts->buffer_asked)
		doctor_find(findings, DOCTOR_BUFFER_SMALL, NULL,
			    "%llu of %llu bytes, net.core.rmem_max is %lld", facts->buffer_given,
			    facts->buffer_asked, facts->receive_max);
	else if (facts->buffer_known)
		doctor_find(findings, DOCTOR_BUFFER_OK, NULL, "%llu bytes", facts->buffer_given);
	else if (facts->receive_max < 0)
		doctor_find(findings, DOCTOR_BUFFER_UNKNOWN, NULL, "%s", "");
	else if (facts->receive_max < BUFFER_ASKED)
		doctor_find(findings, DOCTOR_BUFFER_WILL_BE_SMALL, NULL,
			    "net.core.rmem_max is %lld, %lld will be asked for", facts->receive_max,
			    BUFFER_ASKED);
	else
		doctor_find(findings, DOCTOR_BUFFER_OK, NULL, "net.core.rmem_max is %lld",
			    facts->receive_max);
}

void doctor_judge_drops(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	unsigned long long drops = facts->buffer_known ? facts->kernel_drops : 0;
	bool known = facts->buffer_known;
	for (size_t i = 0; i < facts->port_count; i++) {
		known |= facts->ports[i].ours;
		if (facts->ports[i].ours && facts->ports[i].drops > drops)
			drops = facts->ports[i].drops;
	}
	if (!known)
		doctor_find(findings, DOCTOR_DROPS_UNKNOWN, NULL, "%s", "");
	else
		doctor_find(findings, drops ? DOCTOR_DROPS_SOME : DOCTOR_DROPS_NONE, NULL,
			    "%llu since its start", drops);
}

/* --- the broker -------------------------------------------------------------------------------------------------- */

void doctor_judge_broker(const struct doctor_facts *facts, struct doctor_findings *findings)
{
	static const enum doctor_outcome_id ids[] = {
		[DOCTOR_BROKER_NONE] = DOCTOR_BROKER_OFF,
		[DOCTOR_BROKER_UNKNOWN] = DOCTOR_BROKER_UNTOLD,
		[DOCTOR_BROKER_UP] = DOCTOR_BROKER_OK,
		[DOCTOR_BROKER_WAITING] = DOCTOR_BROKER_LOST,
		[DOCTOR_BROKER_ACCEPTS] = DOCTOR_BROKER_OK,
		[DOCTOR_BROKER_LISTENS] = DOCTOR_BROKER_TCP_ONLY,
		[DOCTOR_BROKER_REFUSES] = DOCTOR_BROKER_REFUSED,
		[DOCTOR_BROKER_SILENT] = DOCTOR_BROKER_NOT_MQTT,
		[DOCTOR_BROKER_AWAY] = DOCTOR_BROKER_DOWN,
	};
	if (facts->backlog_known)
		doctor_find(findings, ids[facts->broker], facts->broker_address, "%llu events wait",
			    facts->broker_backlog);
	else
		doctor_find(findings, ids[facts->broker], facts->broker_address, "%s", facts->broker_answer);
}
