/* rule: words as: common/lorawan/bad.c */
struct region {
	char id[8];
};
int bad(const struct region *region);
int bad(const struct region *region)
{
	switch (region->id[0]) {
	default: return 0;
	}
}
