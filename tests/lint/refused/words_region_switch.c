/* rule: words as: common/lorawan/bad.c */
int bad(int region);
int bad(int region)
{
	switch (region) {
	default: return 0;
	}
}
