#include "cli/device_claim.h"

#include "cli/client.h"
#include "cli/problem.h"
#include "cli/qr_code.h"
#include "cli/text_width.h"
#include "common/base/check.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX    1000
#define PNG_SCALE     8
#define LABEL_COLUMNS 24 /* of text, beneath a code */

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

/* Bytes of a name that a label and its line have room for: whole letters. */
static int fitting(const char *name)
{
	size_t length = text_width_fitting(name, LABEL_COLUMNS);
	while (length >= QR_LINE_TEXT || (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80))
		length--;
	return (int)length;
}

/* Fills a label of a device's record, and its code's text. */
static bool make_label(const json_t *device, struct qr_label *label, char text[LW_TR005_TEXT])
{
	struct lw_tr005 code = {.vendor = 0};
	const char *serial = text_of(json_object_get(device, "tags"), "serial");
	if (!lw_eui64_parse(text_of(device, "dev_eui"), &code.dev_eui))
		return false;
	(void)lw_eui64_parse(text_of(device, "join_eui"), &code.join_eui);
	if (strlen(serial) < sizeof code.serial)
		for (size_t i = 0; serial[i]; i++)
			code.serial[i] = (char)toupper((unsigned char)serial[i]);
	if (!lw_tr005_is_value(code.serial, strlen(code.serial)))
		code.serial[0] = '\0';
	snprintf(label->lines[0], QR_LINE_TEXT, "%.*s", fitting(text_of(device, "name")),
		 text_of(device, "name"));
	snprintf(label->lines[1], QR_LINE_TEXT, "%s", text_of(device, "dev_eui"));
	snprintf(label->lines[2], QR_LINE_TEXT, "%.24s", code.serial);
	return lw_tr005_build(&code, text) && qr_code_make(text, &label->code);
}

struct sheet {
	struct qr_label *labels;
	char (*texts)[LW_TR005_TEXT];
	size_t count;
};

static int add(struct sheet *sheet, const json_t *device)
{
	if (sheet->count == LABELS_MAX)
		return cli_problem(CLI_REFUSED, "device qr", NULL, "more than %d labels at once", LABELS_MAX);
	if (!make_label(device, &sheet->labels[sheet->count], sheet->texts[sheet->count]))
		return cli_problem(CLI_FAILED, text_of(device, "dev_eui"), NULL, "no code can be made of it");
	sheet->count++;
	return CLI_DONE;
}

static int add_named(struct cli_client *client, const char *eui, struct sheet *sheet)
{
	char target[CLI_TARGET_MAX] = "/api/v1/devices/";
	json_t *device = NULL;
	if (!cli_target_append(target, eui))
		return cli_problem(CLI_USAGE, "device qr", NULL, "the EUI is too long");
	int exit_code = cli_call(client, eui, IO_HTTP_GET, target, NULL, &device);
	if (exit_code == CLI_DONE)
		exit_code = add(sheet, device);
	json_decref(device);
	return exit_code;
}

static int add_application(struct cli_client *client, const char *application, struct sheet *sheet)
{
	char target[CLI_TARGET_MAX] = "/api/v1/devices?limit=1000";
	json_t *answer = NULL, *device;
	size_t index;
	if (!cli_target_append_query(target, "application", application))
		return cli_problem(CLI_USAGE, "--application", NULL, "too long");
	int exit_code = cli_call(client, application, IO_HTTP_GET, target, NULL, &answer);
	json_array_foreach(json_object_get(answer, "items"), index, device)
		exit_code = exit_code == CLI_DONE ? add(sheet, device) : exit_code;
	if (exit_code == CLI_DONE && json_is_string(json_object_get(answer, "next")))
		exit_code = cli_problem(CLI_REFUSED, application, NULL, "more than %d labels at once",
					LABELS_MAX);
	json_decref(answer);
	return exit_code;
}

static int write_file(const struct sheet *sheet, const char *path, bool png)
{
	FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (!file)
		return cli_problem(CLI_FAILED, path, NULL, "cannot be written: %s", strerror(errno));
	bool ok = true;
	if (png)
		ok = qr_code_png(&sheet->labels[0].code, PNG_SCALE, file);
	else
		qr_sheet_svg(sheet->labels, sheet->count, file);
	ok = fflush(file) == 0 && ok;
	if (file != stdout)
		ok = fclose(file) == 0 && ok;
	return ok ? CLI_DONE : cli_problem(CLI_FAILED, path, NULL, "could not be written whole");
}

static int show(const struct sheet *sheet, const struct cli_arguments *arguments)
{
	const char *svg = cli_argument(arguments, "svg"), *png = cli_argument(arguments, "png");
	if (png && sheet->count != 1)
		return cli_problem(CLI_USAGE, "--png", "--svg FILE", "a picture has one code");
	if (svg || png)
		return write_file(sheet, svg ? svg : png, png != NULL);
	for (size_t i = 0; i < sheet->count; i++) {
		if (arguments->json) {
			printf("{\"dev_eui\": \"%s\", \"qr\": \"%s\"}\n", sheet->labels[i].lines[1],
			       sheet->texts[i]);
			continue;
		}
		qr_code_print(&sheet->labels[i].code, stdout);
		printf("%s\n%s\n\n", sheet->labels[i].lines[0], sheet->texts[i]);
	}
	return CLI_DONE;
}

int cli_device_qr(const struct cli_arguments *arguments)
{
	const char *application = cli_argument(arguments, "application");
	if ((arguments->operand_count > 0) == (application != NULL) ||
	    (cli_argument(arguments, "svg") && cli_argument(arguments, "png")))
		return cli_problem(CLI_USAGE, "device qr", "lamppost device qr --help",
				   "expected EUIs or --application, and --svg or --png at most");
	struct sheet sheet = {.labels = calloc(LABELS_MAX, sizeof *sheet.labels),
			      .texts = calloc(LABELS_MAX, sizeof *sheet.texts)};
	ASSERT(sheet.labels && sheet.texts);
	struct cli_client *client = cli_client_new(arguments);
	int exit_code = application ? add_application(client, application, &sheet) : CLI_DONE;
	for (size_t i = 0; i < arguments->operand_count && exit_code == CLI_DONE; i++)
		exit_code = add_named(client, arguments->operands[i], &sheet);
	if (exit_code == CLI_DONE)
		exit_code = show(&sheet, arguments);
	cli_client_free(client);
	free(sheet.labels);
	free(sheet.texts);
	return exit_code;
}
