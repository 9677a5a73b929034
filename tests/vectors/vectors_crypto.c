/* aes_cmac.json, and the key wraps of keys.json. */
#include "tests/vectors/vectors.h"

#include "common/lorawan/join_answer.h"

#include <string.h>

static void aes_block(struct vector *vector)
{
	struct lw_key key = v_key(vector, "key"), plain = v_key(vector, "plain");
	uint8_t block[AES_BLOCK];
	aes_encrypt(vector->aes, key.bytes, plain.bytes, block, 1);
	struct bytes cipher = x_bytes(vector, vector->expect, "cipher", block, sizeof block);
	aes_decrypt(vector->aes, key.bytes, cipher.at, block, 1);
	if (memcmp(block, plain.bytes, sizeof block) != 0)
		v_fail(vector, "plain", "the plain block", "another block from decrypting");
}

static void cmac(struct vector *vector)
{
	struct lw_key key = v_key(vector, "key");
	struct bytes message = v_bytes(vector, "message");
	uint8_t whole[AES_BLOCK], pieces[AES_BLOCK];
	aes_cmac(vector->aes, key.bytes, message.at, message.length, whole);
	struct bytes mac = x_bytes(vector, vector->expect, "mac", whole, sizeof whole);
	/* Again in two pieces, with the key that is there already. */
	aes_cmac_start(vector->aes, NULL);
	aes_cmac_add(vector->aes, message.at, message.length / 3);
	aes_cmac_add(vector->aes, message.at + message.length / 3, message.length - message.length / 3);
	aes_cmac_finish(vector->aes, pieces);
	x_built(vector, "mac in pieces", &mac, pieces, sizeof pieces);
}

/* CMAC does not show its subkeys, but a message of one block shows them: CMAC(m) = AES(m ^ K1) for a whole block,
 * AES(pad(m) ^ K2) for a shorter one. */
static void subkey_from_cmac(struct vector *vector, const struct lw_key *key, size_t length,
			     uint8_t subkey[AES_BLOCK])
{
	uint8_t message[AES_BLOCK] = {0}, mac[AES_BLOCK];
	aes_cmac(vector->aes, key->bytes, message, length, mac);
	aes_decrypt(vector->aes, key->bytes, mac, subkey, 1);
	if (length < AES_BLOCK)
		subkey[length] ^= 0x80;
}

static void cmac_subkeys(struct vector *vector)
{
	struct lw_key key = v_key(vector, "key");
	uint8_t zero[AES_BLOCK] = {0}, block[AES_BLOCK];
	aes_encrypt(vector->aes, key.bytes, zero, block, 1);
	x_bytes(vector, vector->expect, "aes_zero", block, sizeof block);
	subkey_from_cmac(vector, &key, AES_BLOCK, block);
	x_bytes(vector, vector->expect, "k1", block, sizeof block);
	subkey_from_cmac(vector, &key, 0, block);
	x_bytes(vector, vector->expect, "k2", block, sizeof block);
}

static void key_wrap(struct vector *vector)
{
	struct bytes kek = v_bytes(vector, "kek"), key = v_bytes(vector, "key");
	uint8_t out[BYTES_MAX] = {0};
	enum aes_wrap_verdict verdict = aes_wrap(kek.at, kek.length, key.at, key.length, out);
	struct bytes wrapped = x_bytes(vector, vector->expect, "wrapped", out,
				       verdict == AES_WRAP_OK ? key.length + 8 : 0);
	verdict = aes_unwrap(kek.at, kek.length, wrapped.at, wrapped.length, out);
	x_built(vector, "key", &key, out, verdict == AES_WRAP_OK ? wrapped.length - 8 : 0);
}

static void key_wrap_reject(struct vector *vector)
{
	const char *op = v_text(vector, "op");
	struct bytes kek = v_bytes(vector, "kek"), data = v_bytes(vector, "data");
	uint8_t out[BYTES_MAX + 8];
	enum aes_wrap_verdict verdict = AES_WRAP_OK;
	if (strcmp(op, "wrap") == 0)
		verdict = aes_wrap(kek.at, kek.length, data.at, data.length, out);
	else if (strcmp(op, "unwrap") == 0)
		verdict = aes_unwrap(kek.at, kek.length, data.at, data.length, out);
	else
		v_fail(vector, "input.op", "wrap or unwrap", op);
	x_reject(vector, aes_wrap_verdict_name(verdict));
}

static void key_envelope(struct vector *vector)
{
	const char *label = v_text(vector, "kek_label");
	struct lw_kek kek = {.length = 0};
	bool has_kek = v_has(vector, "kek");
	struct bytes kek_bytes = has_kek ? v_bytes(vector, "kek") : (struct bytes){.length = 0};
	struct lw_key key = v_key(vector, "key"), opened = {{0}};
	if (strlen(label) > LW_KEK_LABEL_MAX || kek_bytes.length > sizeof kek.bytes) {
		v_fail(vector, "input.kek", "a KEK", "one that does not fit");
		return;
	}
	memcpy(kek.label, label, strlen(label));
	memcpy(kek.bytes, kek_bytes.at, kek_bytes.length);
	kek.length = (uint8_t)kek_bytes.length;

	struct lw_key_envelope envelope = {.length = 0};
	if (lw_key_wrap(has_kek ? &kek : NULL, &key, &envelope) != AES_WRAP_OK)
		v_fail(vector, "AESKey", "an envelope", "a refusal");
	x_bytes(vector, vector->expect, "AESKey", envelope.bytes, envelope.length);
	if (x_has(vector->expect, "KEKLabel"))
		x_text(vector, vector->expect, "KEKLabel", envelope.kek_label);
	else if (envelope.kek_label[0] != '\0')
		v_fail(vector, "KEKLabel", "none", envelope.kek_label);
	if (lw_key_unwrap(has_kek ? &kek : NULL, &envelope, &opened) != AES_WRAP_OK ||
	    memcmp(opened.bytes, key.bytes, sizeof key.bytes) != 0)
		v_fail(vector, "key", "the key again", "another from opening the envelope");
}

const struct vector_kind vectors_crypto[] = {
	{"aes_block", aes_block},
	{"aes_cmac", cmac},
	{"cmac_subkeys", cmac_subkeys},
	{"key_wrap", key_wrap},
	{"key_wrap_reject", key_wrap_reject},
	{"key_envelope", key_envelope},
	{NULL, NULL},
};
