/* Who or what a question is about, read from what people type, and whom to ask about it. */
#include "common/text/why.h"

#include "common/base/hex.h"
#include "common/lorawan/frame.h"
#include "common/lorawan/join_frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UUID_LENGTH 36
#define MIC_DIGITS  8
#define PHY_MAX     255
#define NOBODY      "0000000000000000" /* bridge and join server keep there what names nobody */

/* Copies `digits` hex digits in lower case, blanks, colons and dashes between bytes left out; false: not so many, or others. */
static bool take_hex(char *out, size_t digits, const char *text)
{
	size_t used = 0;
	for (; *text; text++) {
		if (used > 0 && used % 2 == 0 && used < digits &&
		    (*text == ':' || *text == '-' || *text == ' '))
			continue;
		int value = hex_digit(*text);
		if (value < 0 || used == digits)
			return false;
		out[used++] = "0123456789abcdef"[value];
	}
	out[used] = '\0';
	return used == digits;
}

static bool take_uuid(char out[WHY_TEXT_MAX], const char *text)
{
	if (strlen(text) != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		int value = hex_digit(text[i]);
		if (dash ? text[i] != '-' : value < 0)
			return false;
		out[i] = dash ? '-' : "0123456789abcdef"[value];
	}
	out[UUID_LENGTH] = '\0';
	return true;
}

/* "01020304:17" */
static bool take_counted(struct why_subject *subject, const char *text)
{
	const char *colon = strchr(text, ':');
	char address[MIC_DIGITS + 1], *end;
	if (!colon || colon - text != MIC_DIGITS || colon[1] < '0' || colon[1] > '9' ||
	    strlen(colon + 1) > 10)
		return false;
	memcpy(address, text, MIC_DIGITS);
	address[MIC_DIGITS] = '\0';
	unsigned long long fcnt = strtoull(colon + 1, &end, 10);
	if (*end || fcnt > UINT32_MAX || !take_hex(subject->text, MIC_DIGITS, address))
		return false;
	subject->fcnt = (uint32_t)fcnt;
	return true;
}

/* Whose frame it is, as far as its bytes say: of data the DevAddr, of join- and rejoin-requests the DevEUI. */
static void take_whose(struct why_subject *subject, const uint8_t *phy, size_t length)
{
	struct lw_frame frame;
	struct lw_join_request request;
	struct lw_rejoin_request rejoin;
	if (lw_frame_parse(&frame, phy, length, LW_UP) == LW_OK ||
	    lw_frame_parse(&frame, phy, length, LW_DOWN) == LW_OK)
		lw_dev_addr_format(subject->device, frame.dev_addr);
	else if (lw_join_request_parse(&request, phy, length) == LW_OK)
		lw_eui64_format(subject->device, &request.dev_eui);
	else if (lw_rejoin_request_parse(&rejoin, phy, length) == LW_OK)
		lw_eui64_format(subject->device, &rejoin.dev_eui);
}

/* "2b11ff0d@49be7df1", "2b11ff0d@70b3d57ed0000001" */
static bool take_mic_of(struct why_subject *subject, const char *text)
{
	char mic[MIC_DIGITS + 1];
	if (strlen(text) <= MIC_DIGITS || text[MIC_DIGITS] != '@')
		return false;
	memcpy(mic, text, MIC_DIGITS);
	mic[MIC_DIGITS] = '\0';
	const char *whose = text + MIC_DIGITS + 1;
	return take_hex(subject->text, MIC_DIGITS, mic) &&
	       (take_hex(subject->device, LW_DEV_ADDR_TEXT - 1, whose) ||
		take_hex(subject->device, LW_EUI64_TEXT - 1, whose));
}

/* A whole PHYPayload: its MIC is what it is known by. */
static bool take_phy(struct why_subject *subject, const char *text)
{
	uint8_t bytes[PHY_MAX];
	size_t length;
	if (!hex_decode(bytes, sizeof bytes, &length, text, strlen(text)) || length < 5)
		return false;
	hex_encode(subject->text, bytes + length - 4, 4);
	take_whose(subject, bytes, length);
	return true;
}

static bool take_frame(struct why_subject *subject, const char *text)
{
	subject->kind = WHY_COUNTED;
	if (take_counted(subject, text))
		return true;
	subject->kind = WHY_EVENT;
	if (take_uuid(subject->text, text))
		return true;
	subject->kind = WHY_FRAME;
	if (take_mic_of(subject, text) || take_hex(subject->text, MIC_DIGITS, text))
		return true;
	subject->device[0] = '\0';
	return take_phy(subject, text);
}

void why_subject_format(const struct why_subject *subject, char text[WHY_TEXT_MAX])
{
	if (subject->kind == WHY_COUNTED)
		snprintf(text, WHY_TEXT_MAX, "%.8s:%" PRIu32, subject->text, subject->fcnt);
	else if (subject->kind == WHY_FRAME && *subject->device)
		snprintf(text, WHY_TEXT_MAX, "%.8s@%.16s", subject->text, subject->device);
	else
		snprintf(text, WHY_TEXT_MAX, "%s", subject->text);
}

bool why_subject_parse(struct why_subject *subject, enum why_kind kind, const char *text,
		       const char **expected)
{
	*subject = (struct why_subject){.kind = kind};
	switch (kind) {
	case WHY_DEVICE:
	case WHY_JOIN:
	case WHY_GATEWAY: *expected = "16 hex digits"; return take_hex(subject->text, 16, text);
	case WHY_DOWNLINK: *expected = "the UUID of a downlink"; return take_uuid(subject->text, text);
	case WHY_SERVER:
	case WHY_RULES: return true;
	case WHY_FRAME:
	case WHY_COUNTED:
	case WHY_EVENT:
	case WHY_KIND_COUNT: break;
	}
	*expected = "a MIC of 8 hex digits, MIC@DEVADDR, a whole PHYPayload in hex, DEVADDR:FCNT, or the id "
		    "of an event";
	return take_frame(subject, text);
}

bool why_target(const struct why_subject *subject, enum why_process process, unsigned limit,
		char target[WHY_TARGET_MAX])
{
	/* What each process is asked for, with the subject's text or its device behind it; NULL: it knows nothing of it. */
	static const struct {
		const char *paths
			[WHY_PROCESS_COUNT]; /* bridge, network server, join server, application server */
		bool by_device;
	} rows[WHY_KIND_COUNT] = {
		[WHY_DEVICE] = {{NULL, "/why/device/", "/why/device/", "/why/device/"}, false},
		[WHY_JOIN] = {{NULL, "/why/device/", "/why/device/", "/why/device/"}, false},
		[WHY_GATEWAY] = {{"/why/gateway/", "/why/gateway/", NULL, NULL}, false},
		[WHY_DOWNLINK] = {{NULL, "/why/device/", NULL, "/why/device/"}, true},
		[WHY_FRAME] = {{"/why/frame/", "/why/frame/", "/why/frame/", NULL}, false},
		[WHY_COUNTED] = {{NULL, "/why/dev-addr/", NULL, NULL}, false},
		[WHY_EVENT] = {{NULL, NULL, NULL, NULL}, false},
		[WHY_SERVER] = {{"/why/gateway/" NOBODY, "/why/server", "/why/device/" NOBODY, NULL}, false},
		[WHY_RULES] = {{"/why/rules", "/why/rules", "/why/rules", "/why/rules"}, false},
	};
	const char *path = rows[subject->kind].paths[process];
	const char *text = rows[subject->kind].by_device ? subject->device : subject->text;
	if (!path || (rows[subject->kind].by_device && !*text))
		return false;
	/* What is filtered here must be whole before it is. */
	bool filtered = subject->kind == WHY_JOIN || subject->kind == WHY_DOWNLINK ||
			subject->kind == WHY_COUNTED;
	bool whose = subject->kind == WHY_FRAME && process == WHY_NETWORK_SERVER && *subject->device;
	snprintf(target, WHY_TARGET_MAX, "%s%s?limit=%u%s%s", path, text, filtered ? WHY_LIMIT_MAX : limit,
		 whose ? "&of=" : "", whose ? subject->device : "");
	return true;
}
