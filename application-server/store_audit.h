/* The table of the audit; what is written stands in identity/audit.h. */
#ifndef LAMPPOST_AS_STORE_AUDIT_H
#define LAMPPOST_AS_STORE_AUDIT_H

#include "application-server/identity/audit.h"

enum status as_store_audit_put(struct as_store *store, struct wall now, const char *who, const char *what,
			       const char *subject, const char *detail) MUST_USE;

#endif
