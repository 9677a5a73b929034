#include "cli/gateway_config.h"

#include "common/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct gateway_target targets[] = {
	{"lora_pkt_fwd", "Semtech's packet forwarder: global_conf.json", gateway_make_lora_pkt_fwd},
	{"station", "LoRa Basics Station: station.conf and tc.uri", gateway_make_station},
	{"chirpstack",
	 "ChirpStack Concentratord: channels.toml, and a file for the UDP and for the MQTT Forwarder",
	 gateway_make_chirpstack},
};

const struct gateway_target *gateway_targets(size_t *count)
{
	*count = ARRAY_SIZE(targets);
	return targets;
}

bool gateway_host_ok(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t length = strlen(host);
	if (length == 0 || length > 253)
		return false;
	if (host[0] == '[')
		return host[length - 1] == ']' && strspn(host + 1, "0123456789abcdefABCDEF:.") == length - 2;
	return strspn(host, allowed) == length && host[0] != '-';
}

/* Blanks comments out, as far as they do not stand inside a text. */
static void strip_comments(char *text)
{
	bool quoted = false;
	for (char *at = text; *at; at++) {
		if (quoted && *at == '\\' && at[1])
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && at[0] == '/' && at[1] == '/')
			for (; *at && *at != '\n'; at++)
				*at = ' ';
		else if (!quoted && at[0] == '/' && at[1] == '*') {
			char *end = strstr(at + 2, "*/");
			if (!end)
				return;
			memset(at, ' ', (size_t)(end + 2 - at));
			at = end + 1;
		}
		if (!*at)
			return;
	}
}

json_t *gateway_base_parse(const char *text, size_t length, char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	json_error_t error;
	char *copy = strndup(text, length);
	ASSERT(copy != NULL);
	strip_comments(copy);
	json_t *base = json_loads(copy, 0, &error);
	free(copy);
	if (!base || !json_is_object(base)) {
		snprintf(problem, GATEWAY_RADIO_PROBLEM_MAX, "line %d: %s", base ? 1 : error.line,
			 base ? "expected an object" : error.text);
		json_decref(base);
		return NULL;
	}
	return base;
}

void gateway_output_file(struct gateway_config_output *output, const char *name, char *text)
{
	ASSERT_CMP(output->file_count, <, GATEWAY_FILES_MAX);
	ASSERT(text != NULL);
	output->files[output->file_count].name = name;
	output->files[output->file_count++].text = text;
}

void gateway_output_note(struct gateway_config_output *output, const char *format, ...)
{
	va_list arguments;
	ASSERT_CMP(output->note_count, <, GATEWAY_NOTES_MAX);
	va_start(arguments, format);
	vsnprintf(output->notes[output->note_count++], GATEWAY_NOTE_MAX, format, arguments);
	va_end(arguments);
}

bool gateway_config_make(struct gateway_config_output *output, const struct gateway_target *target,
			 const struct gateway_config *config, char problem[GATEWAY_RADIO_PROBLEM_MAX])
{
	memset(output, 0, sizeof *output);
	if (config->radios.left_out > 0)
		gateway_output_note(
			output,
			"There is one demodulator for a single LoRa data rate and one for FSK: %u more data "
			"rates of the plan's channels are not heard.",
			config->radios.left_out);
	return target->make(output, config, problem);
}

void gateway_config_release(struct gateway_config_output *output)
{
	for (size_t i = 0; i < output->file_count; i++)
		free(output->files[i].text);
	output->file_count = 0;
}
