// The library's version, as numbers; CMakeLists.txt reads it from here.
#pragma once

#define EIGENPOOL_VERSION_MAJOR 0
#define EIGENPOOL_VERSION_MINOR 1
#define EIGENPOOL_VERSION_PATCH 0
