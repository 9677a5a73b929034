#include "common/crypto/sealed_kek.h"

#include "common/base/bytes.h"
#include "common/base/check.h"

#include <stdio.h>
#include <string.h>

#define LABEL_ROOM 32

bool sealed_kek_label_is_good(const char *label)
{
	size_t length = strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_");
	return length > 0 && length <= SEALED_KEK_LABEL_MAX && label[length] == '\0';
}

void sealed_kek_name(char name[SEALED_KEK_NAME], const char *label, uint32_t version)
{
	if (version == 1)
		snprintf(name, SEALED_KEK_NAME, "%.*s", SEALED_KEK_LABEL_MAX, label);
	else
		snprintf(name, SEALED_KEK_NAME, "%.*s.%u", SEALED_KEK_LABEL_MAX, label,
			 version % (SEALED_KEK_VERSION_MAX + 1));
}

/* Everything before the key. */
#define HEAD (SEALED_KEK_PLAIN - 16)

static void write_head(uint8_t head[HEAD], const char *label, uint32_t version)
{
	uint8_t room[LABEL_ROOM] = {0};
	memccpy(room, label, '\0', sizeof room);
	struct wr wr = wr_init(head, HEAD);
	wr_u8(&wr, SEALED_KEY_VERSION);
	wr_u8(&wr, SEALED_KEK_KIND);
	wr_u32le(&wr, version);
	wr_copy(&wr, room, sizeof room);
	ASSERT_CMP(wr_length(&wr), ==, HEAD);
}

enum status sealed_kek_seal(uint8_t sealed[SEALED_KEK_LENGTH], const uint8_t public_key[SECRET_KEY],
			    const char *label, uint32_t version, const uint8_t key[16])
{
	uint8_t plain[SEALED_KEK_PLAIN];
	if (!sealed_kek_label_is_good(label) || version == 0 || version > SEALED_KEK_VERSION_MAX)
		return ST_INVALID;
	write_head(plain, label, version);
	memcpy(plain + HEAD, key, 16);
	enum status status = secret_box_seal(public_key, plain, sizeof plain, sealed);
	secret_wipe(plain, sizeof plain);
	return status;
}

enum sealed_key_verdict sealed_kek_open(const struct secret_box *box, const uint8_t *sealed, size_t length,
					const char *label, uint32_t version, uint8_t key[16])
{
	uint8_t plain[SEALED_KEK_PLAIN], head[HEAD];
	if (length != SEALED_KEK_LENGTH)
		return SEALED_KEY_BAD_LENGTH;
	if (!sealed_kek_label_is_good(label) || secret_box_open(box, sealed, length, plain) != ST_OK)
		return SEALED_KEY_NOT_FOR_THIS_BOX;
	write_head(head, label, version);
	enum sealed_key_verdict verdict = SEALED_KEY_OK;
	if (plain[0] != SEALED_KEY_VERSION)
		verdict = SEALED_KEY_UNSUPPORTED_VERSION;
	else if (plain[1] != SEALED_KEK_KIND)
		verdict = SEALED_KEY_WRONG_KIND;
	else if (memcmp(plain, head, HEAD) != 0)
		verdict = SEALED_KEY_WRONG_DEVICE;
	else
		memcpy(key, plain + HEAD, 16);
	secret_wipe(plain, sizeof plain);
	return verdict;
}
