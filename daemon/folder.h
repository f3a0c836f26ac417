#pragma once

// Whole folders; links in them are not followed.

#include "base/err.h"

// With all that is in it; that it is not there is fine.
void folder_remove(const char *path);
// On disk with the names in it.
enum err folder_sync(const char *path, struct fault *fault) must_check;
// What root has made, folder or file, becomes that of the owner of `like`. Others give nothing.
enum err folder_give(const char *path, const char *like, struct fault *fault) must_check;
