#include "application-server/time_text.h"

#include <string.h>

#define DAY_S     INT64_C(86400)
#define LAST_US   (INT64_C(253402300799) * US_PER_S) /* 9999-12-31T23:59:59 */
#define ERA_DAYS  146097                             /* 400 years */
#define EPOCH_ERA 719468                             /* days from 0000-03-01 to 1970-01-01 */

struct date {
	int year, month, day;
};

/* Years are counted from March, so that the leap day is their last; an era of 400 years always has the same days. */
static struct date date_of(int64_t days)
{
	int64_t shifted = days + EPOCH_ERA;
	int64_t era = shifted / ERA_DAYS;
	int64_t of_era = shifted - era * ERA_DAYS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t march_month = (5 * of_year + 2) / 153;
	int day = (int)(of_year - (153 * march_month + 2) / 5 + 1);
	int month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
	return (struct date){(int)(year + era * 400) + (month <= 2), month, day};
}

/* Digits by hand: an uplink's event holds half a dozen times, and printf would take a third of what its whole text costs. */
static char *put_digits(char *at, int value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + digits;
}

static char *put_pair(char *at, char before, int value)
{
	*at = before;
	return put_digits(at + 1, value, 2);
}

const char *as_time_format(char text[AS_TIME_TEXT], struct wall time)
{
	int64_t us = time.us < 0 ? 0 : time.us > LAST_US ? LAST_US : time.us;
	int64_t seconds = us / US_PER_S;
	int fraction = (int)(us % US_PER_S), of_day = (int)(seconds % DAY_S);
	struct date date = date_of(seconds / DAY_S);
	char *at = put_digits(text, date.year, 4);
	at = put_pair(at, '-', date.month);
	at = put_pair(at, '-', date.day);
	at = put_pair(at, 'T', of_day / 3600);
	at = put_pair(at, ':', of_day / 60 % 60);
	at = put_pair(at, ':', of_day % 60);
	if (fraction) {
		*at++ = '.';
		at = fraction % 1000 ? put_digits(at, fraction, 6) : put_digits(at, fraction / 1000, 3);
	}
	memcpy(at, "+00:00", sizeof "+00:00");
	return text;
}
