// SPDX-License-Identifier: MIT
/* The version, from configure. */
#include "erolith.h"
#include "config.h"

const char *ero_version(void)
{
	return PACKAGE_VERSION;
}

const char *ero_compat_version(void)
{
	return EROLITH_COMPAT;
}
