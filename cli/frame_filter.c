/* A filter as a person types it (frame_screen.h). */
#include "cli/frame_screen.h"

#include "common/base/check.h"
#include "common/base/printable.h"

#include <stdio.h>
#include <string.h>

enum { GATEWAY, DEVICE, DEV_ADDR, VERDICT, DIRECTION, FOREIGN, NAME_COUNT };
static const char *const names[NAME_COUNT] = {"gateway", "device",    "dev_addr",
					      "verdict", "direction", "foreign"};

/* Lends the place of a value; NULL for `foreign`, which has none. */
static const char **place_of(struct cli_frame_filters *filters, int name)
{
	const char **const places[NAME_COUNT] = {&filters->gateway, &filters->device,    &filters->dev_addr,
						 &filters->verdict, &filters->direction, NULL};
	return places[name];
}

static bool refuse(char why[FRAME_SCREEN_EDIT], const char *word, const char *expected)
{
	char safe[64];
	printable_copy(safe, sizeof safe, word);
	snprintf(why, FRAME_SCREEN_EDIT, "%s: expected %s", safe, expected);
	return false;
}

static bool take_word(struct cli_frame_filters *filters, char *word, char why[FRAME_SCREEN_EDIT])
{
	char *value = strchr(word, '=');
	if (!value)
		return refuse(why, word,
			      "name=value; names are gateway, device, dev_addr, verdict, direction, foreign");
	*value++ = '\0';
	for (int i = 0; i < NAME_COUNT; i++) {
		if (strcmp(word, names[i]) != 0)
			continue;
		if (i == FOREIGN) {
			filters->foreign = strcmp(value, "yes") == 0;
			return filters->foreign || strcmp(value, "no") == 0 ||
			       refuse(why, value, "yes or no");
		}
		*place_of(filters, i) = value;
		return *value != '\0' || refuse(why, word, "a value behind the equals sign");
	}
	return refuse(why, word, "gateway, device, dev_addr, verdict, direction or foreign");
}

bool frame_filter_read(struct frame_filter *filter, const char *text, char why[FRAME_SCREEN_EDIT])
{
	*filter = (struct frame_filter){.text = ""};
	snprintf(filter->text, sizeof filter->text, "%s", text);
	for (char *word = filter->text, *end; *word; word = end) {
		word += strspn(word, " ");
		end = word + strcspn(word, " ");
		if (*end)
			*end++ = '\0';
		if (*word && !take_word(&filter->filters, word, why))
			return false;
	}
	return true;
}

void frame_filter_text(char text[FRAME_SCREEN_EDIT], const struct cli_frame_filters *filters)
{
	struct cli_frame_filters copy = *filters;
	size_t used = 0;
	text[0] = '\0';
	for (int i = 0; i < NAME_COUNT; i++) {
		const char *value = i == FOREIGN ? (filters->foreign ? "yes" : NULL) : *place_of(&copy, i);
		if (!value || used + strlen(names[i]) + strlen(value) + 3 > FRAME_SCREEN_EDIT)
			continue;
		used += (size_t)snprintf(text + used, FRAME_SCREEN_EDIT - used, "%s%s=%s", used ? " " : "",
					 names[i], value);
	}
}
