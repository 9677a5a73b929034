/* UDP: what the kernel gives, who has the ports of gateways, what it dropped there. The kernel's table names a socket by its
 * inode, and a process's folder in /proc names the inodes that it holds; that folder is for root alone. So a bridge that runs
 * is also asked which sockets it has. */
#include "cli/doctor_look.h"

#include "common/base/check.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint16_t port_of(const char *listen)
{
	const char *colon = strrchr(listen, ':');
	return colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

/* Whether the process has the socket open. */
static bool holds(const char *pid, const char *wanted)
{
	char path[300], link[64];
	bool found = false;
	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	DIR *files = opendir(path);
	for (struct dirent *file; files && !found && (file = readdir(files));) {
		snprintf(path, sizeof path, "/proc/%.20s/fd/%.20s", pid, file->d_name);
		ssize_t length = readlink(path, link, sizeof link - 1);
		link[length > 0 ? length : 0] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	if (files)
		closedir(files);
	return found;
}

static int bridge_pid(const struct doctor_facts *facts)
{
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (strcmp(facts->processes[i].name, "gateway-bridge") == 0)
			return facts->processes[i].pid;
	return 0;
}

/* Finds the process that holds a socket. One that was handed over is held by two, the bridge and who keeps it for the bridge: it is the
 * bridge's. False: nobody's that we may look into. */
static bool find_owner(unsigned long inode, int bridge, struct doctor_port *port)
{
	char wanted[64], path[64], pid[24];
	bool found;
	snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	snprintf(pid, sizeof pid, "%d", bridge);
	found = bridge != 0 && holds(pid, wanted);
	DIR *all = found ? NULL : opendir("/proc");
	for (struct dirent *entry; all && !found && (entry = readdir(all));) {
		snprintf(pid, sizeof pid, "%.20s", entry->d_name);
		found = isdigit((unsigned char)pid[0]) && holds(pid, wanted);
	}
	if (all)
		closedir(all);
	if (!found)
		return false;
	port->pid = (int)strtol(pid, NULL, 10);
	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	doctor_read_line(path, port->owner, sizeof port->owner);
	return true;
}

/* One line: "  12: 00000000:06A4 00000000:0000 07 0:0 0:0 0 UID 0 INODE 2 POINTER DROPS". */
static void take_line(struct doctor_facts *facts, struct doctor_port *port, const char *line)
{
	unsigned number, uid;
	unsigned long inode;
	unsigned long long drops;
	if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %u %*s %lu %*s %*s %llu", &number, &uid,
		   &inode, &drops) != 4 ||
	    number != port->port)
		return;
	struct doctor_port other = {.pid = 0};
	int bridge = bridge_pid(facts);
	port->taken = true;
	port->drops += drops;
	if (!find_owner(inode, bridge, &other))
		return;
	port->owner_known = true;
	port->ours |= other.pid == bridge && bridge != 0;
	if (port->pid == 0 || port->ours) {
		port->pid = other.pid;
		snprintf(port->owner, sizeof port->owner, "%s", other.owner);
	}
}

static void look_table(struct doctor_facts *facts, const char *table)
{
	char line[512];
	FILE *in = fopen(table, "re");
	while (in && fgets(line, sizeof line, in))
		for (size_t i = 0; i < facts->port_count; i++)
			take_line(facts, &facts->ports[i], line);
	if (in)
		fclose(in);
}

/* The metrics of a bridge that runs name its sockets: socket="0.0.0.0:1700". */
static void ask_bridge(struct doctor_facts *facts)
{
	char path[2 * OPTION_PATH_MAX], *body = malloc(DOCTOR_ANSWER_MAX);
	const struct doctor_process *bridge = &facts->processes[0];
	int code;
	ASSERT(body);
	for (size_t i = 0; i < CLI_PROCESS_COUNT; i++)
		if (strcmp(facts->processes[i].name, "gateway-bridge") == 0)
			bridge = &facts->processes[i];
	snprintf(path, sizeof path, "%s/gateway-bridge.admin.sock", facts->place.run);
	if (bridge->answers &&
	    doctor_get(path, "/metrics", body, DOCTOR_ANSWER_MAX, &code) == DOCTOR_ASK_ANSWERED) {
		for (size_t i = 0; i < facts->port_count; i++) {
			char label[24];
			snprintf(label, sizeof label, ":%u\"}", facts->ports[i].port);
			if (!facts->ports[i].ours && !facts->ports[i].owner_known && strstr(body, label)) {
				facts->ports[i].ours = true;
				facts->ports[i].pid = bridge->pid;
			}
		}
	}
	free(body);
}

void doctor_look_udp(struct doctor_facts *facts, const struct doctor_settings *settings)
{
	facts->receive_max = doctor_read_number("/proc/sys/net/core/rmem_max", "", -1);
	for (size_t i = 0; i < settings->listen_count; i++) {
		uint16_t number = port_of(settings->listen[i]);
		bool known = number == 0;
		for (size_t j = 0; j < facts->port_count; j++)
			known |= facts->ports[j].port == number;
		if (!known)
			facts->ports[facts->port_count++] = (struct doctor_port){.port = number};
	}
	look_table(facts, "/proc/net/udp");
	look_table(facts, "/proc/net/udp6");
	ask_bridge(facts);
}
