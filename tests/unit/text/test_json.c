#include "tests/harness/harness.h"

#include "common/text/json.h"

#include <string.h>

static const struct {
	const char *name;
	const char *text;
	const char *error; /* its beginning; "" for accepted */
} documents[] = {
	{"a device", "{\"devices\":[{\"dev_eui\":\"0102030405060708\",\"fcnt\":10.0,\"on\":true}]}", ""},
	{"a short EUI", "{\"devices\":[{\"dev_eui\":\"01\",\"fcnt\":1,\"on\":true}]}",
	 "/devices/0/dev_eui: expected 16 hex digits"},
	{"an EUI that is a number", "{\"devices\":[{\"dev_eui\":1,\"fcnt\":1,\"on\":true}]}",
	 "/devices/0/dev_eui: expected 16 hex digits"},
	{"a missing member of the second device",
	 "{\"devices\":[{\"dev_eui\":\"0102030405060708\",\"fcnt\":1,\"on\":true},{\"fcnt\":1}]}",
	 "/devices/1/dev_eui: missing"},
	{"a null is missing", "{\"devices\":[{\"dev_eui\":null,\"fcnt\":1,\"on\":true}]}",
	 "/devices/0/dev_eui: missing"},
	{"a fraction", "{\"devices\":[{\"dev_eui\":\"0102030405060708\",\"fcnt\":1.5,\"on\":true}]}",
	 "/devices/0/fcnt: expected a whole number, 0 to 4294967295"},
	{"a number out of range",
	 "{\"devices\":[{\"dev_eui\":\"0102030405060708\",\"fcnt\":4294967296,\"on\":true}]}",
	 "/devices/0/fcnt: expected a whole number, 0 to 4294967295"},
	{"a number for a truth", "{\"devices\":[{\"dev_eui\":\"0102030405060708\",\"fcnt\":1,\"on\":1}]}",
	 "/devices/0/on: expected true or false"},
	{"an unknown member",
	 "{\"devices\":[{\"dev_eui\":\"0102030405060708\",\"fcnt\":1,\"on\":true,\"off\":1}]}",
	 "/devices/0/off: unknown member"},
	{"an object for an array", "{\"devices\":{}}", "/devices: expected an array"},
	{"too many elements", "{\"devices\":[1,2,3]}", "/devices: expected at most 2 elements, got 3"},
	{"an array at the root", "[]", "/: expected an object"},
	{"a member twice", "{\"devices\":[],\"devices\":[]}", "line 1, column "},
	{"not JSON", "{\"devices\":[}", "line 1, column "},
	{"something after the end", "{\"devices\":[]} x", "line 1, column "},
	{"nothing", "", "line 1, column "},
	{"nested too deeply", "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "/: nested deeper than 16"},
	{"brackets in a text are not nesting",
	 "{\"devices\":[{\"dev_eui\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[\",\"fcnt\":1,\"on\":true}]}",
	 "/devices/0/dev_eui: expected 16 hex digits"},
	{"nor behind an escaped quote",
	 "{\"devices\":[{\"dev_eui\":\"\\\"[[[[[[[[[[[[[[[[[[[[\",\"fcnt\":1,\"on\":true}]}",
	 "/devices/0/dev_eui: expected 16 hex digits"},
	{"a text that ends with a backslash ends there", "[\"\\\\\",[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
	 "/: nested deeper than 16"},
};

static void read_document(struct jr_doc *doc)
{
	struct jr root = jr_root(doc);
	struct jr devices = jr_member(&root, "devices");
	size_t count = jr_count(&devices, 2);
	for (size_t i = 0; i < count; i++) {
		struct jr device = jr_element(&devices, i);
		struct jr eui = jr_member(&device, "dev_eui");
		struct jr fcnt = jr_member(&device, "fcnt");
		struct jr on = jr_member(&device, "on");
		uint8_t bytes[8];
		jr_hex(&eui, bytes, sizeof bytes);
		(void)jr_int(&fcnt, 0, UINT32_MAX);
		(void)jr_bool(&on);
		jr_only(&device, (const char *const[]){"dev_eui", "fcnt", "on", NULL});
	}
}

static void errors_name_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		t_row(documents[i].name);
		struct jr_doc doc;
		if (jr_parse(&doc, documents[i].text, strlen(documents[i].text), JR_DEPTH_DEFAULT))
			read_document(&doc);
		t_int("accepted", documents[i].error[0] == '\0', !doc.failed);
		if (documents[i].error[0])
			doc.error[strlen(documents[i].error)] = '\0';
		t_str("error", documents[i].error, doc.error);
		jr_release(&doc);
	}
}

static void values_arrive(void **state)
{
	(void)state;
	static const char text[] =
		"{\"n\":-7,\"x\":2.5,\"s\":\"pi\\u00f1a\",\"h\":\"0xA0b1\",\"b\":\"AQID\",\"c\":\"blue\","
		"\"null\":null}";
	struct jr_doc doc;
	assert_true(jr_parse(&doc, text, sizeof text - 1, 4));
	struct jr root = jr_root(&doc);
	struct jr n = jr_member(&root, "n"), x = jr_member(&root, "x"), s = jr_member(&root, "s");
	struct jr h = jr_member(&root, "h"), b = jr_member(&root, "b"), c = jr_member(&root, "c");
	struct jr absent = jr_optional(&root, "absent"), null = jr_optional(&root, "null");
	uint8_t bytes[4];
	t_int("int", -7, jr_int(&n, -10, 10));
	t_int("number", 25, (int)(10 * jr_number(&x, 0, 3)));
	t_str("string", "piña", jr_string(&s, 5));
	t_uint("hex length", 2, jr_hex_any(&h, bytes, sizeof bytes));
	t_bytes("hex", (const uint8_t[]){0xa0, 0xb1}, 2, bytes, 2);
	t_uint("base64 length", 3, jr_base64(&b, bytes, sizeof bytes));
	t_bytes("base64", (const uint8_t[]){1, 2, 3}, 3, bytes, 3);
	t_uint("choice", 1, jr_choice(&c, (const char *const[]){"red", "blue", NULL}));
	t_false("absent", jr_is_there(&absent));
	t_false("null", jr_is_there(&null));
	t_int("absent yields zero", 0, jr_int(&absent, 5, 10));
	t_false("no error so far", doc.failed);
	t_uint("longer than wanted", 0, strlen(jr_string(&s, 4)));
	t_str("error", "/s: expected at most 4 bytes", doc.error);
	t_int("after an error all is zero", 0, jr_int(&n, -10, 10));
	jr_release(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		t_test(errors_name_their_place),
		t_test(values_arrive),
	};
	return t_run(tests);
}
