#include "cli/frame_input.h"

#include "common/base/bytes.h"
#include "common/base/hex.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX      8
#define DATAGRAM_MAX   65536
#define GWMP_HEAD      4
#define GWMP_HEAD_EUI  12
#define GWMP_PUSH_DATA 0
#define GWMP_PULL_RESP 3

enum hex_look { HEX_IS, HEX_ODD, HEX_IS_NOT };

/* Hex with what people leave between the digits. */
static enum hex_look read_hex(uint8_t *bytes, size_t capacity, size_t *length, const char *text)
{
	size_t digits = 0;
	bool more = true;
	if (strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0)
		text += 2;
	for (; *text; text++) {
		int digit = hex_digit(*text);
		if (digit < 0 && strchr(" \t:-", *text))
			continue;
		if (digit < 0)
			return HEX_IS_NOT;
		if (digits / 2 >= capacity)
			more = false;
		else if (digits % 2 == 0)
			bytes[digits / 2] = (uint8_t)(digit << 4);
		else
			bytes[digits / 2] |= (uint8_t)digit;
		digits++;
	}
	*length = more ? digits / 2 : capacity + 1;
	return digits == 0 ? HEX_IS_NOT : digits % 2 ? HEX_ODD : HEX_IS;
}

static bool add(struct cli_frame_inputs *inputs, const uint8_t *bytes, size_t length, const char **problem)
{
	*problem = "more frames than one piece of text may have";
	if (inputs->count == CLI_FRAME_INPUTS_MAX)
		return false;
	*problem = "longer than the 255 bytes that a frame may have";
	if (length > CLI_FRAME_BYTES_MAX)
		return false;
	struct cli_frame_bytes *frame = &inputs->frames[inputs->count++];
	memcpy(frame->bytes, bytes, length);
	frame->length = length;
	return true;
}

static bool add_base64(struct cli_frame_inputs *inputs, const char *text, const char **problem)
{
	uint8_t bytes[CLI_FRAME_BYTES_MAX];
	size_t length;
	*problem = "neither hex nor base64 of a frame";
	return base64_decode(bytes, sizeof bytes, &length, text, strlen(text)) &&
	       add(inputs, bytes, length, problem);
}

/* Members that hold a frame: `data` is base64 (rxpk, txpk), the others are hex here and base64 elsewhere. */
static bool add_member(struct cli_frame_inputs *inputs, const char *key, const char *text,
		       const char **problem)
{
	uint8_t bytes[CLI_FRAME_BYTES_MAX];
	size_t length;
	if (strcmp(key, "data") == 0)
		return add_base64(inputs, text, problem);
	if (strcmp(key, "phyPayload") != 0 && strcmp(key, "phy_payload") != 0 && strcmp(key, "phy") != 0)
		return true;
	if (read_hex(bytes, sizeof bytes, &length, text) == HEX_IS)
		return add(inputs, bytes, length, problem);
	return add_base64(inputs, text, problem);
}

static bool walk(struct cli_frame_inputs *inputs, const json_t *value, unsigned depth, const char **problem)
{
	const char *key;
	json_t *member;
	size_t index;
	if (depth == DEPTH_MAX)
		return true;
	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		if (json_is_string(member) ? !add_member(inputs, key, json_string_value(member), problem)
					   : !walk(inputs, member, depth + 1, problem))
			return false;
	}
	json_array_foreach((json_t *)(uintptr_t)value, index, member)
	{
		if (!walk(inputs, member, depth + 1, problem))
			return false;
	}
	return true;
}

static bool read_json(struct cli_frame_inputs *inputs, const char *text, size_t length, const char **problem)
{
	json_error_t error;
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	*problem = "not JSON";
	bool read = object && walk(inputs, object, 0, problem);
	if (read && inputs->count == 0) {
		*problem = "JSON without a frame: expected `data`, as in rxpk and txpk, or `phyPayload`";
		read = false;
	}
	json_decref(object);
	return read;
}

/* PUSH_DATA and PULL_RESP: version, token, identifier, [EUI], JSON. A frame with such an MHDR (1 or 2) has a Major that
 * LoRaWAN does not know, so nothing is taken for a datagram that might be a frame. */
static bool is_datagram(const uint8_t *bytes, size_t length, size_t *head)
{
	struct rd rd = rd_init(bytes, length);
	uint8_t version = rd_u8(&rd);
	(void)rd_u16be(&rd);
	uint8_t identifier = rd_u8(&rd);
	*head = identifier == GWMP_PUSH_DATA ? GWMP_HEAD_EUI : GWMP_HEAD;
	return rd_ok(&rd) && (version == 1 || version == 2) &&
	       (identifier == GWMP_PUSH_DATA || identifier == GWMP_PULL_RESP) && length > *head &&
	       bytes[*head] == '{';
}

bool cli_frame_input(struct cli_frame_inputs *inputs, const char *text, bool base64, const char **problem)
{
	inputs->count = 0;
	text += strspn(text, " \t\r\n");
	if (*text == '{' || *text == '[')
		return read_json(inputs, text, strlen(text), problem);
	if (base64)
		return add_base64(inputs, text, problem);
	uint8_t *bytes = malloc(DATAGRAM_MAX);
	size_t length, head;
	*problem = "no memory";
	if (!bytes)
		return false;
	bool done = false;
	enum hex_look look = read_hex(bytes, DATAGRAM_MAX, &length, text);
	if (look == HEX_IS_NOT)
		done = add_base64(inputs, text, problem);
	else if (look == HEX_ODD)
		*problem = "an odd number of hex digits";
	else if (length <= DATAGRAM_MAX && is_datagram(bytes, length, &head))
		done = read_json(inputs, (const char *)bytes + head, length - head, problem);
	else
		done = add(inputs, bytes, length, problem);
	free(bytes);
	return done;
}
