# Eigen3::Eigen: the parent project's if it has one, else an installed one, else downloaded.

if(TARGET Eigen3::Eigen)
  return()
endif()

include(FetchContent)
# No version is asked for: Eigen's own version file accepts one major version only, and 3.4 and 5 both work.
# SOURCE_SUBDIR names no directory on purpose: Eigen is headers, and its own CMakeLists.txt would add targets,
# options and tests to the user's project.
FetchContent_Declare(
  Eigen3
  URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.gz
  URL_HASH SHA256=8586084f71f9bde545ee7fa6d00288b264a2b7ac3607b974e54d13e7162c1c72
  DOWNLOAD_EXTRACT_TIMESTAMP TRUE
  SOURCE_SUBDIR no-build
  FIND_PACKAGE_ARGS CONFIG)
FetchContent_MakeAvailable(Eigen3)

if(NOT TARGET Eigen3::Eigen)
  # Imported, so that its headers are system headers as an installed Eigen's are: no warnings from them.
  add_library(Eigen3::Eigen INTERFACE IMPORTED GLOBAL)
  target_include_directories(Eigen3::Eigen INTERFACE "${eigen3_SOURCE_DIR}")
elseif(Eigen3_VERSION VERSION_LESS 3.4)
  message(FATAL_ERROR "eigenpool needs Eigen 3.4 or later, and ${Eigen3_DIR} has ${Eigen3_VERSION}. "
                      "-DFETCHCONTENT_TRY_FIND_PACKAGE_MODE=NEVER downloads one instead.")
endif()
