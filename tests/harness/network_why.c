#include "tests/harness/network_why.h"

#include "common/base/check.h"
#include "common/base/hex.h"
#include "network-server/why/explain.h"

#include <stdlib.h>
#include <string.h>

/* "MIC", "MIC@DEVADDR" or "MIC@DEVEUI" */
static bool frame(const struct ns *ns, const char *name, unsigned limit, FILE *out)
{
	struct lw_dev_addr dev_addr;
	struct lw_eui64 dev_eui;
	struct ns_why_whose whose = {.dev_addr = NULL};
	uint8_t mic[4];
	char digits[9];
	const char *at = strchr(name, '@');
	snprintf(digits, sizeof digits, "%.8s", name);
	if (at && lw_dev_addr_parse(at + 1, &dev_addr))
		whose.dev_addr = &dev_addr;
	else if (at && lw_eui64_parse(at + 1, &dev_eui))
		whose.dev_eui = &dev_eui;
	return hex_decode_exact(mic, sizeof mic, digits) && ns_why_frame(ns, mic, whose, limit, out);
}

static bool ask(const struct ns *ns, const char *about, unsigned limit, FILE *out)
{
	const char *colon = strchr(about, ':'), *name = colon ? colon + 1 : "";
	struct lw_eui64 eui;
	struct lw_dev_addr dev_addr;
	if (strcmp(about, "server") == 0)
		return ns_why_server(ns, limit, out);
	if (strncmp(about, "device", 6) == 0)
		return lw_eui64_parse(name, &eui) && ns_why_device(ns, &eui, limit, out);
	if (strncmp(about, "gateway", 7) == 0)
		return lw_eui64_parse(name, &eui) && ns_why_gateway(ns, &eui, limit, out);
	if (strncmp(about, "frame", 5) == 0)
		return frame(ns, name, limit, out);
	return lw_dev_addr_parse(name, &dev_addr) && ns_why_dev_addr(ns, dev_addr, limit, out);
}

char *rig_why(const struct rig *rig, const char *about, unsigned limit)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	ASSERT(out);
	(void)ask(&rig->ns, about, limit, out);
	ASSERT(fclose(out) == 0);
	return text;
}

const char *rig_decided(const struct rig *rig, const char *about, const char *verdict)
{
	static char numbers[512];
	char wanted[64];
	char *text = rig_why(rig, about, NS_WHY_LIMIT_MAX);
	snprintf(wanted, sizeof wanted, "\"verdict\":\"%s\"", verdict);
	snprintf(numbers, sizeof numbers, "nothing");
	const char *found = strstr(text, wanted);
	const char *from = found ? strstr(found, "\"numbers\":{") : NULL;
	if (from) {
		size_t length = 0;
		for (from = strchr(from, '{') + 1; *from && *from != '}' && length + 1 < sizeof numbers;
		     from++)
			if (*from != '"')
				numbers[length++] = *from;
		numbers[length] = 0;
	}
	free(text);
	return numbers;
}

const char *rig_decided_of_device(const struct rig *rig, const char *verdict)
{
	char about[8 + LW_EUI64_TEXT] = "device:";
	lw_eui64_format(about + 7, &ns_device_at(&rig->ns.sessions, 0)->dev_eui);
	return rig_decided(rig, about, verdict);
}

const char *rig_verdicts(const struct rig *rig, const char *about)
{
	static char verdicts[4096];
	static const char label[] = "\"verdict\":\"";
	char *text = rig_why(rig, about, NS_WHY_LIMIT_MAX);
	size_t length = 0;
	for (const char *at = text; (at = strstr(at, label));) {
		at += strlen(label);
		size_t name = strcspn(at, "\"");
		if (length + name + 2 > sizeof verdicts)
			break;
		if (length > 0)
			verdicts[length++] = ' ';
		memcpy(verdicts + length, at, name);
		length += name;
	}
	verdicts[length] = 0;
	free(text);
	return verdicts;
}
