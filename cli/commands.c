/* All groups and all commands, in the order of the help. A new one: a row of `groups` if its group is new, and a row of
 * `tables` with its file's commands (command.h tells how). */
#include "cli/agency_kek.h"
#include "cli/airtime.h"
#include "cli/alarm.h"
#include "cli/capture.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/device.h"
#include "cli/device_claim.h"
#include "cli/device_status.h"
#include "cli/doctor.h"
#include "cli/downlink.h"
#include "cli/events.h"
#include "cli/frames.h"
#include "cli/frame.h"
#include "cli/gateway_certificate.h"
#include "cli/gateway_command.h"
#include "cli/gateway_health.h"
#include "cli/gateway_remote.h"
#include "cli/gateway_shell.h"
#include "cli/init.h"
#include "cli/join.h"
#include "cli/manual.h"
#include "cli/records.h"
#include "cli/status.h"
#include "cli/up.h"
#include "cli/vault.h"
#include "cli/watch.h"
#include "cli/why.h"
#include "common/base/check.h"

#include <string.h>

static const struct cli_group groups[] = {
	{.name = "init", .summary = "make state directory, keys and configuration, once"},
	{.name = "up", .summary = "run the whole network on this machine"},
	{.name = "status", .summary = "the network's health on one screen, and what to do about it"},
	{.name = "doctor",
	 .summary = "machine, files, clock, disk, sockets, broker: what is wrong, and what to do"},
	{.name = "agency", .summary = "parts of the city that own sensors and their data"},
	{.name = "application", .summary = "receivers of readings"},
	{.name = "profile", .summary = "kinds of device: radio behaviour and codec"},
	{.name = "deployment", .summary = "programmes that devices belong to"},
	{.name = "device", .summary = "sensors: register one or many, set keys"},
	{.name = "gateway", .summary = "the city's receivers"},
	{.name = "audit", .summary = "who did what to gateways, keys and devices on the shelf"},
	{.name = "vault",
	 .summary = "the join server's keys: master key, rotation, sealed exports, who read what"},
	{.name = "alarm",
	 .summary = "what is wrong, who is told, who has taken it on: gateways, lines, processes"},
	{.name = "airtime", .summary = "who uses the air: agencies with their quotas, gateways, devices"},
	{.name = "join", .summary = "what became of join-requests: why a sensor does not join"},
	{.name = "why",
	 .summary = "which rule decided what: silent sensors, gateways, lost frames and commands"},
	{.name = "downlink", .summary = "commands to devices: send, list, flush"},
	{.name = "frames",
	 .summary = "live radio frames with their verdicts: lines, a screen, packets for Wireshark"},
	{.name = "events", .summary = "readings, joins and what becomes of commands, as they are delivered"},
	{.name = "decrypt", .summary = "payloads under a key that only you hold, opened on this machine"},
	{.name = "frame",
	 .summary = "frames explained and made, offline",
	 .description = "Explains the bytes of a LoRaWAN frame, or makes them; no server is asked."},
	{.name = "capture",
	 .summary = "captures of radio frames and datagrams: look into one, send it again"},
	{.name = "completion", .summary = "completion for bash, zsh and fish"},
	{.name = "__complete", .summary = "what the completion asks", .hidden = true},
	{.name = "__manual", .summary = "what the manual is made of", .hidden = true},
};

static const struct {
	const struct cli_command *commands;
	const size_t *count;
} tables[] = {
	{cli_init_commands, &cli_init_command_count},
	{cli_up_commands, &cli_up_command_count},
	{cli_status_commands, &cli_status_command_count},
	{cli_doctor_commands, &cli_doctor_command_count},
	{cli_record_commands, &cli_record_command_count},
	{cli_agency_kek_commands, &cli_agency_kek_command_count},
	{cli_device_status_commands, &cli_device_status_command_count},
	{cli_device_commands, &cli_device_command_count},
	{cli_claim_commands, &cli_claim_command_count},
	{cli_alarm_commands, &cli_alarm_command_count},
	{cli_airtime_commands, &cli_airtime_command_count},
	{cli_gateway_health_commands, &cli_gateway_health_command_count},
	{cli_gateway_commands, &cli_gateway_command_count},
	{cli_gateway_certificate_commands, &cli_gateway_certificate_command_count},
	{cli_gateway_token_commands, &cli_gateway_token_command_count},
	{cli_gateway_firmware_commands, &cli_gateway_firmware_command_count},
	{cli_vault_commands, &cli_vault_command_count},
	{cli_vault_audit_commands, &cli_vault_audit_command_count},
	{cli_vault_export_commands, &cli_vault_export_command_count},
	{cli_vault_open_commands, &cli_vault_open_command_count},
	{cli_vault_import_commands, &cli_vault_import_command_count},
	{cli_audit_commands, &cli_audit_command_count},
	{cli_gateway_remote_commands, &cli_gateway_remote_command_count},
	{cli_gateway_shell_commands, &cli_gateway_shell_command_count},
	{cli_watch_commands, &cli_watch_command_count},
	{cli_join_commands, &cli_join_command_count},
	{cli_why_commands, &cli_why_command_count},
	{cli_downlink_commands, &cli_downlink_command_count},
	{cli_frames_commands, &cli_frames_command_count},
	{cli_events_commands, &cli_events_command_count},
	{cli_decrypt_commands, &cli_decrypt_command_count},
	{cli_frame_commands, &cli_frame_command_count},
	{cli_capture_commands, &cli_capture_command_count},
	{cli_completion_commands, &cli_completion_command_count},
	{cli_manual_commands, &cli_manual_command_count},
};

const struct cli_group *cli_group_at(size_t place)
{
	return place < ARRAY_SIZE(groups) ? &groups[place] : NULL;
}

const struct cli_group *cli_group_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strcmp(groups[i].name, name) == 0)
			return &groups[i];
	return NULL;
}

const struct cli_command *cli_command_of(const char *group, size_t place)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (size_t row = 0; row < *tables[i].count; row++)
			if (strcmp(tables[i].commands[row].group, group) == 0 && place-- == 0)
				return &tables[i].commands[row];
	return NULL;
}

const struct cli_command *cli_command_named(const char *group, const char *name)
{
	const struct cli_command *command;
	for (size_t i = 0; (command = cli_command_of(group, i)); i++)
		if (name ? command->name && strcmp(command->name, name) == 0 : !command->name)
			return command;
	return NULL;
}

size_t cli_commands_without_group(void)
{
	size_t lost = 0;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (size_t row = 0; row < *tables[i].count; row++)
			lost += cli_group_named(tables[i].commands[row].group) == NULL;
	return lost;
}
