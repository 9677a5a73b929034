/* rule: compile as: common/base/bad.c */
unsigned char bad(int value);
unsigned char bad(int value)
{
	unsigned char narrow = value;
	return narrow;
}
