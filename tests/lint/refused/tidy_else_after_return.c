/* rule: tidy as: common/base/bad.c */
int bad(int value);
int bad(int value)
{
	if (value > 0) {
		return 1;
	} else {
		return 2;
	}
}
