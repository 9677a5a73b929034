/* Labels: what a sheet draws is read back square by square, and is the code that was asked for; names do no harm to the page. */
#include "tests/harness/harness.h"

#include "cli/qr_code.h"

#include <stdlib.h>
#include <string.h>

#define LABELS 26 /* a page has 25 */

/* Fills `dark` from the path of one label: M x y h run v1 ... Returns behind it. */
static const char *read_path(const char *at, size_t side, uint8_t dark[QR_SIDE_MAX][QR_SIDE_MAX])
{
	size_t x, y, run, back;
	int length;
	memset(dark, 0, sizeof(uint8_t[QR_SIDE_MAX][QR_SIDE_MAX]));
	while (sscanf(at, "M%zu %zuh%zuv1h-%zuz%n", &x, &y, &run, &back, &length) == 4) {
		assert_true(run == back && run > 0 && x + run <= side && y < side);
		for (size_t i = 0; i < run; i++)
			dark[y][x + i] = 1;
		at += length;
	}
	return at;
}

static char *drawn(const struct qr_label *labels, size_t count)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	qr_sheet_svg(labels, count, out);
	fclose(out);
	return text;
}

static void a_sheet_has_every_code(void **state)
{
	(void)state;
	struct qr_label *labels = calloc(LABELS, sizeof *labels);
	static uint8_t dark[QR_SIDE_MAX][QR_SIDE_MAX];
	assert_non_null(labels);
	for (size_t i = 0; i < LABELS; i++) {
		char text[80];
		snprintf(text, sizeof text, "LW:D0:70B3D57ED0000000:70B3D57ED00000%02zX:00000000", i);
		assert_true(qr_code_make(text, &labels[i].code));
		snprintf(labels[i].lines[0], QR_LINE_TEXT, "Bed %zu", i);
	}
	char *svg = drawn(labels, LABELS);
	const char *at = svg;
	t_true("two pages", strstr(svg, "height=\"594mm\"") != NULL);
	for (size_t i = 0; i < LABELS; i++) {
		char name[32];
		at = strstr(at, "<path d=\"");
		assert_non_null(at);
		at = read_path(at + strlen("<path d=\""), labels[i].code.side, dark);
		t_true("module by module", memcmp(dark, labels[i].code.dark, sizeof dark) == 0);
		snprintf(name, sizeof name, ">Bed %zu</text>", i);
		t_true("its name beneath", strstr(at, name) != NULL);
	}
	t_true("and no more", strstr(at, "<path") == NULL);
	t_true("whole", strcmp(svg + strlen(svg) - strlen("</svg>\n"), "</svg>\n") == 0);
	free(svg);
	free(labels);
}

static void a_name_is_text(void **state)
{
	(void)state;
	struct qr_label *label = calloc(1, sizeof *label);
	assert_non_null(label);
	assert_true(qr_code_make("LW:D0", &label->code));
	snprintf(label->lines[0], QR_LINE_TEXT, "</svg><script>\x01&\"");
	char *svg = drawn(label, 1);
	t_true("no element of its own", strstr(svg, "<script") == NULL);
	t_true("as it reads", strstr(svg, "&#60;/svg&#62;&#60;script&#62;&#38;&#34;</text>") != NULL);
	free(svg);
	free(label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {t_test(a_sheet_has_every_code), t_test(a_name_is_text)};
	return t_run(tests);
}
