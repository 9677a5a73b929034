/* The agency's side of keys that it alone holds: the file of KEKs, payloads opened and made without a server. */
#include "tests/harness/harness.h"

#include "cli/held.h"
#include "cli/problem.h"
#include "common/base/hex.h"
#include "common/crypto/aes.h"
#include "common/lorawan/cipher.h"
#include "tests/harness/process.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const uint8_t kek[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t other[16] = {16, 15, 14};
static const struct lw_key app_s_key = {{0x2b, 0x7e, 0x15, 0x16}};
static const struct lw_dev_addr address = {0x01020304};
static const uint8_t plain[] = {0xca, 0xfe, 0x00, 0x17};

static void path_in(char path[T_DIR_MAX + 16], const char *dir)
{
	snprintf(path, T_DIR_MAX + 16, "%s/parks.kek", dir);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static void a_file_keeps_every_version_and_is_never_written_over(void **state)
{
	char dir[T_DIR_MAX], path[T_DIR_MAX + 16];
	struct cli_keks keks;
	struct stat info;
	(void)state;
	t_temp_dir(dir);
	path_in(path, dir);
	t_int("absent", CLI_NOT_FOUND, cli_keks_read(path, &keks));
	t_int("made", CLI_DONE, cli_keks_write_new(path, "agency-parks", kek));
	assert_int_equal(0, stat(path, &info));
	t_uint("only its owner reads it", 0600, info.st_mode & 0777);
	t_int("not twice", CLI_REFUSED, cli_keks_write_new(path, "agency-parks", other));
	t_int("read", CLI_DONE, cli_keks_read(path, &keks));
	t_int("rotated", CLI_DONE, cli_keks_add(path, &keks, "agency-parks.2", other));
	t_int("read again", CLI_DONE, cli_keks_read(path, &keks));
	t_uint("both", 2, keks.count);
	t_bytes("the first", kek, 16, cli_keks_find(&keks, "agency-parks"), 16);
	t_bytes("the second", other, 16, cli_keks_find(&keks, "agency-parks.2"), 16);
	t_true("no third", cli_keks_find(&keks, "agency-parks.3") == NULL);
	assert_int_equal(0, stat(path, &info));
	t_uint("still", 0600, info.st_mode & 0777);
	assert_int_equal(0, chmod(path, 0640));
	t_int("a file that others read", CLI_REFUSED, cli_keks_read(path, &keks));
	t_temp_dir_remove(dir);
}

static void a_file_of_something_else_is_refused(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {{"empty", ""},
		    {"words alone", "# nothing\n"},
		    {"no blank", "0102030405060708090a0b0c0d0e0f10\n"},
		    {"too few digits", "parks 0102\n"},
		    {"no name", " 0102030405060708090a0b0c0d0e0f10\n"},
		    {"a name too long",
		     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 0102030405060708090a0b0c0d0e0f10\n"},
		    {"more behind the key", "parks 0102030405060708090a0b0c0d0e0f10 x\n"}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char dir[T_DIR_MAX], path[T_DIR_MAX + 16];
		struct cli_keks keks;
		t_row(rows[i].name);
		t_temp_dir(dir);
		path_in(path, dir);
		t_write_file(path, rows[i].text);
		assert_int_equal(0, chmod(path, 0600));
		t_int("code", CLI_FAILED, cli_keks_read(path, &keks));
		t_temp_dir_remove(dir);
	}
}

/* --- payloads ------------------------------------------------------------------------------------------------------ */

static struct cli_keks ring(void)
{
	struct cli_keks keks = {.count = 2, .keks = {{.name = "agency-parks"}, {.name = "agency-parks.2"}}};
	memcpy(keks.keks[0].key, other, 16);
	memcpy(keks.keks[1].key, kek, 16);
	return keks;
}

static json_t *said(const char *label, const uint8_t wrapping[16])
{
	uint8_t wrapped[24];
	char text[BASE64_ROOM(24)];
	assert_int_equal(AES_WRAP_OK, aes_wrap(wrapping, 16, app_s_key.bytes, 16, wrapped));
	base64_encode(text, wrapped, sizeof wrapped);
	return json_pack("{s{s{ss ss}} ss si si}", "joinServerContext", "appSKey", "kekLabel", label,
			 "aesKey", text, "devAddr", "01020304", "fCnt", 70000, "fPort", 5);
}

static json_t *uplink(const char *label, const uint8_t wrapping[16])
{
	json_t *event = said(label, wrapping);
	struct aes *aes = aes_new();
	uint8_t bytes[sizeof plain];
	char text[BASE64_ROOM(sizeof plain)];
	assert_non_null(aes);
	lw_cipher_frm_payload(aes, &app_s_key, LW_UP, address, 70000, plain, sizeof plain, bytes);
	aes_free(aes);
	base64_encode(text, bytes, sizeof bytes);
	json_object_set_new(event, "data", json_string(text));
	json_object_set_new(event, "encrypted", json_true());
	return event;
}

static void an_uplink_opens_with_the_kek_that_its_label_names(void **state)
{
	static const struct {
		const char *name, *label;
		const uint8_t *wrapping;
		enum cli_held held;
		const char *why;
	} rows[] = {
		{"of the second version", "agency-parks.2", kek, CLI_HELD_OPENED, ""},
		{"of a version that is not in the file", "agency-parks.3", kek, CLI_HELD_CLOSED,
		 "agency-parks.3"},
		{"of another key under that name", "agency-parks", kek, CLI_HELD_CLOSED, "does not open"}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cli_keks keks = ring();
		char why[CLI_HELD_WHY_MAX] = "", text[BASE64_ROOM(sizeof plain)];
		json_t *event = uplink(rows[i].label, rows[i].wrapping);
		base64_encode(text, plain, sizeof plain);
		t_row(rows[i].name);
		t_int("held", rows[i].held, cli_held_open(&keks, event, why));
		t_true("why", strstr(why, rows[i].why) != NULL);
		bool shown = strcmp(text, json_string_value(json_object_get(event, "data"))) == 0;
		t_int("in clear", rows[i].held == CLI_HELD_OPENED, shown);
		if (shown)
			t_int("once", CLI_HELD_IN_CLEAR, cli_held_open(&keks, event, why));
		json_decref(event);
	}
}

static void what_is_in_clear_stays_as_it_is(void **state)
{
	struct cli_keks keks = ring();
	char why[CLI_HELD_WHY_MAX];
	json_t *event = json_pack("{ss si}", "data", "yv4AFw==", "fCnt", 3);
	(void)state;
	t_int("held", CLI_HELD_IN_CLEAR, cli_held_open(&keks, event, why));
	t_str("data", "yv4AFw==", json_string_value(json_object_get(event, "data")));
	json_decref(event);
}

static void a_key_known_by_its_id_alone_is_said_to_be_so(void **state)
{
	struct cli_keks keks = ring();
	char why[CLI_HELD_WHY_MAX];
	struct lw_key key;
	json_t *event = json_pack("{s{ss}}", "joinServerContext", "sessionKeyId", "0102");
	(void)state;
	t_false("opened", cli_held_key(&keks, event, &key, why));
	t_true("why", strstr(why, "id") != NULL);
	json_decref(event);
}

static void a_command_is_encrypted_as_the_device_expects_it(void **state)
{
	struct cli_keks keks = ring();
	char why[CLI_HELD_WHY_MAX];
	uint8_t bytes[sizeof plain], again[sizeof plain];
	json_t *session = said("agency-parks.2", kek);
	struct aes *aes = aes_new();
	(void)state;
	assert_non_null(aes);
	t_true("encrypted", cli_held_encrypt(&keks, session, 9, plain, sizeof plain, bytes, why));
	lw_cipher_frm_payload(aes, &app_s_key, LW_DOWN, address, 9, bytes, sizeof bytes, again);
	t_bytes("opened by the device", plain, sizeof plain, again, sizeof again);
	t_true("another counter", cli_held_encrypt(&keks, session, 10, plain, sizeof plain, again, why));
	t_true("is another key stream", memcmp(bytes, again, sizeof bytes) != 0);
	aes_free(aes);
	json_decref(session);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(a_file_keeps_every_version_and_is_never_written_over),
		t_test(a_file_of_something_else_is_refused),
		t_test(an_uplink_opens_with_the_kek_that_its_label_names),
		t_test(what_is_in_clear_stays_as_it_is),
		t_test(a_key_known_by_its_id_alone_is_said_to_be_so),
		t_test(a_command_is_encrypted_as_the_device_expects_it),
	};
	return t_run(tests);
}
