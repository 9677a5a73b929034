/* The texts of a kind's row with an alarm's numbers in them. */
#include "application-server/alarms/alarms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The bytes of the letter that stands there; 0: it is no UTF-8, or is cut off. */
static size_t letter_length(const char *at)
{
	const uint8_t *byte = (const uint8_t *)at;
	size_t length = byte[0] < 0x80 ? 1 : byte[0] < 0xc2 ? 0 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
	if (length == 0 || byte[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (byte[0] == 0xe0 && byte[1] < 0xa0) || (byte[0] == 0xf0 && byte[1] < 0x90);
	bool outside = (byte[0] == 0xed && byte[1] >= 0xa0) || (byte[0] == 0xf4 && byte[1] >= 0x90);
	return overlong || outside ? 0 : length;
}

static bool is_control(const char *at)
{
	const uint8_t *byte = (const uint8_t *)at;
	return byte[0] < ' ' || byte[0] == 0x7f || (byte[0] == 0xc2 && byte[1] < 0xa0);
}

char *as_alarm_letters(char *out, size_t capacity, const char *text)
{
	size_t used = 0;
	while (*text) {
		size_t length = letter_length(text), take = length ? length : 1;
		bool control = length && is_control(text);
		size_t room = control || !length ? 1 : length;
		if (used + room >= capacity)
			break;
		if (control || !length)
			out[used] = control ? ' ' : '?';
		else
			memmove(out + used, text, length);
		used += room;
		text += take;
	}
	out[used] = '\0';
	return out;
}

/* Takes the rest of a letter away that a limit cut. */
static size_t without_half_letter(const char *text, size_t used)
{
	size_t start = used;
	while (start > 0 && used - start < 4 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && (uint8_t)text[start - 1] >= 0xc0 && letter_length(text + start - 1) == 0)
		return start - 1;
	return used;
}

/* "3 min", "2 h 5 min", "4 d 2 h". */
static void write_seconds(char *text, size_t capacity, int64_t seconds)
{
	if (seconds < 120)
		snprintf(text, capacity, "%" PRId64 " s", seconds);
	else if (seconds < 7200)
		snprintf(text, capacity, "%" PRId64 " min", seconds / 60);
	else if (seconds < 172800)
		snprintf(text, capacity, "%" PRId64 " h %" PRId64 " min", seconds / 3600,
			 seconds % 3600 / 60);
	else
		snprintf(text, capacity, "%" PRId64 " d %" PRId64 " h", seconds / 86400,
			 seconds % 86400 / 3600);
}

/* The singular of a unit such as "gateways" or "moves in an hour": its first word loses its s. */
static void write_counted(char *text, size_t capacity, int64_t value, const char *unit)
{
	size_t word = strcspn(unit, " ");
	bool one = value == 1 && word > 1 && unit[word - 1] == 's';
	snprintf(text, capacity, "%" PRId64 " %.*s%s", value, (int)(one ? word - 1 : word), unit,
		 unit + word);
}

static void write_value(char *text, size_t capacity, const struct as_alarm_kind *kind, int64_t value)
{
	if (strcmp(kind->unit, "s") == 0)
		write_seconds(text, capacity, value);
	else if (strcmp(kind->unit, "%") == 0)
		snprintf(text, capacity, "%" PRId64 " %%", value);
	else
		write_counted(text, capacity, value, kind->unit);
}

static void write_word(char *text, size_t capacity, const char *word, size_t length,
		       const struct as_alarm *alarm)
{
	const struct as_alarm_kind *kind = as_alarm_kind_of(alarm);
	*text = '\0';
	if (length == 4 && memcmp(word, "name", 4) == 0)
		snprintf(text, capacity, "%s", alarm->name[0] ? alarm->name : alarm->key.subject);
	else if (length == 7 && memcmp(word, "subject", 7) == 0)
		snprintf(text, capacity, "%s", alarm->key.subject);
	else if (length == 6 && memcmp(word, "detail", 6) == 0)
		snprintf(text, capacity, "%s", alarm->detail);
	else if (length == 5 && memcmp(word, "value", 5) == 0)
		write_value(text, capacity, kind, alarm->value);
	else if (length == 5 && memcmp(word, "raise", 5) == 0)
		write_value(text, capacity, kind, kind->raise);
	else if (length == 5 && memcmp(word, "clear", 5) == 0)
		write_value(text, capacity, kind, kind->clear);
}

const char *as_alarm_fill(char *text, size_t capacity, const char *pattern, const struct as_alarm *alarm)
{
	size_t used = 0;
	text[0] = '\0';
	for (const char *at = pattern; *at && used + 1 < capacity;) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		if (end) {
			write_word(text + used, capacity - used, at + 1, (size_t)(end - at - 1), alarm);
			used += strlen(text + used);
			at = end + 1;
		} else {
			text[used++] = *at++;
			text[used] = '\0';
		}
	}
	used = without_half_letter(text, used);
	text[used] = '\0';
	while (used > 0 && text[used - 1] == ' ')
		text[--used] = '\0';
	return text;
}

const char *as_alarm_sentence(char text[AS_ALARM_SENTENCE], const struct as_alarm *alarm)
{
	return as_alarm_fill(text, AS_ALARM_SENTENCE, as_alarm_kind_of(alarm)->sentence, alarm);
}
