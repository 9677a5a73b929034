/* Shorthand for the rows of the packages' tables; for the .c files of this folder alone. */
#ifndef LAMPPOST_LORAWAN_PACKAGES_ROW_MACROS_H
#define LAMPPOST_LORAWAN_PACKAGES_ROW_MACROS_H

#include "common/base/check.h"
#include "common/lorawan/packages/package.h"

#include <stddef.h>

/* A field: the member `member` of `as`, under the name that the specification gives it. */
#define NAMED(field_kind, title, as, member, from, count)                                     \
	{                                                                                     \
		title, field_kind, from, count, offsetof(union lw_package_fields, as.member), \
			sizeof(((union lw_package_fields *)0)->as.member)                     \
	}
#define UINT(as, member, from, count)  NAMED(LW_PACKAGE_UINT, #member, as, member, from, count)
#define SINT(as, member, from, count)  NAMED(LW_PACKAGE_SINT, #member, as, member, from, count)
#define FLAG(as, member, from)         NAMED(LW_PACKAGE_BOOL, #member, as, member, from, 1)
#define FREQUENCY(as, member, from)    NAMED(LW_PACKAGE_FREQUENCY, #member, as, member, from, 24)
#define ADDRESS(as, member, from)      NAMED(LW_PACKAGE_ADDRESS, #member, as, member, from, 32)
#define BYTES(as, member, from, count) NAMED(LW_PACKAGE_BYTES, #member, as, member, from, 8 * (count))

/* The end of a row: its fields and its tail. */
#define FIELDS(list)                           list, ARRAY_SIZE(list), LW_PACKAGE_NO_TAIL, 0, 0, 0
#define NO_FIELDS                              NULL, 0, LW_PACKAGE_NO_TAIL, 0, 0, 0
#define FIELDS_TAIL(list, tail)                list, ARRAY_SIZE(list), tail, 0, 0, 0
#define FIELDS_MORE(list, length, mask, value) list, ARRAY_SIZE(list), LW_PACKAGE_MORE_IF, length, mask, value

/* Every package begins with these two. */
#define PACKAGE_VERSION_FIELDS                                         \
	static const struct lw_package_field package_version_ans[] = { \
		UINT(package_version_ans, package_identifier, 0, 8),   \
		UINT(package_version_ans, package_version, 8, 8),      \
	}
#define PACKAGE_VERSION_REQ                                                              \
	{                                                                                \
		LW_DOWN, LW_CID_PACKAGE_VERSION, "PackageVersionReq", 0, 1, 2, NO_FIELDS \
	}
#define PACKAGE_VERSION_ANS                                                                              \
	{                                                                                                \
		LW_UP, LW_CID_PACKAGE_VERSION, "PackageVersionAns", 2, 1, 2, FIELDS(package_version_ans) \
	}

#endif
