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

/* --- reading ------------------------------------------------------------------------------------------------ */

/* Reads `digits` digits and what must stand behind them ('\0': nothing). */
static bool take_number(const char **at, int digits, char behind, int *value)
{
	*value = 0;
	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*value = *value * 10 + (**at - '0');
	}
	if (behind == '\0')
		return true;
	return *(*at)++ == behind;
}

/* Days from 1970-01-01; the reverse of date_of(). */
static int64_t days_of(struct date date)
{
	int64_t year = date.year - (date.month <= 2);
	int64_t era = year / 400, of_era = year % 400;
	int64_t march_month = date.month > 2 ? date.month - 3 : date.month + 9;
	int64_t of_year = (153 * march_month + 2) / 5 + date.day - 1;
	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_ERA;
}

static bool is_date(struct date date)
{
	if (date.month < 1 || date.month > 12 || date.day < 1)
		return false;
	struct date back = date_of(days_of(date)); /* the 31st of April comes back as the 1st of May */
	return back.day == date.day && back.month == date.month;
}

static bool take_fraction(const char **at, int *us)
{
	*us = 0;
	if (**at != '.')
		return true;
	int digits = 0, weight = (int)US_PER_S / 10;
	for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, digits++, weight /= 10)
		*us += (**at - '0') * weight;
	return digits > 0;
}

static bool take_offset(const char **at, int *seconds)
{
	int hours, minutes;
	char sign = *(*at)++;
	*seconds = 0;
	if (sign == 'Z' || sign == 'z')
		return **at == '\0';
	if ((sign != '+' && sign != '-') || !take_number(at, 2, ':', &hours) ||
	    !take_number(at, 2, '\0', &minutes) || hours > 23 || minutes > 59 || **at != '\0')
		return false;
	*seconds = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

bool as_time_parse(const char *text, struct wall *time)
{
	struct date date;
	int hour, minute, second, us, offset;
	const char *at = text;
	if (!take_number(&at, 4, '-', &date.year) || !take_number(&at, 2, '-', &date.month) ||
	    !take_number(&at, 2, '\0', &date.day) || (*at != 'T' && *at != 't' && *at != ' '))
		return false;
	at++;
	if (!take_number(&at, 2, ':', &hour) || !take_number(&at, 2, ':', &minute) ||
	    !take_number(&at, 2, '\0', &second) || !take_fraction(&at, &us) || !take_offset(&at, &offset))
		return false;
	if (date.year < 1970 || !is_date(date) || hour > 23 || minute > 59 || second > 60)
		return false;
	int64_t seconds = days_of(date) * DAY_S + hour * 3600 + minute * 60 + second - offset;
	time->us = seconds * US_PER_S + us;
	return true;
}
