# PNG::PNG: an installed one, else zlib and libpng are downloaded and built here, static. Their own build files
# are left alone: they add tests and tools, and libpng's looks for an installed zlib.

include(FetchContent)
FetchContent_Declare(
  ZLIB
  URL https://github.com/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz
  URL_HASH SHA256=9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23
  DOWNLOAD_EXTRACT_TIMESTAMP TRUE
  SOURCE_SUBDIR no-build
  FIND_PACKAGE_ARGS)
FetchContent_Declare(
  PNG
  URL https://github.com/pnggroup/libpng/archive/refs/tags/v1.6.43.tar.gz
  URL_HASH SHA256=fecc95b46cf05e8e3fc8a414750e0ba5aad00d89e9fdf175e94ff041caf1a03a
  DOWNLOAD_EXTRACT_TIMESTAMP TRUE
  SOURCE_SUBDIR no-build
  FIND_PACKAGE_ARGS)
FetchContent_MakeAvailable(ZLIB PNG)

if(NOT TARGET ZLIB::ZLIB)
  enable_language(C)
  file(GLOB zlib_sources "${zlib_SOURCE_DIR}/*.c")
  add_library(eigenpool_zlib STATIC EXCLUDE_FROM_ALL ${zlib_sources})
  add_library(ZLIB::ZLIB ALIAS eigenpool_zlib)
  target_include_directories(eigenpool_zlib SYSTEM PUBLIC "${zlib_SOURCE_DIR}")
  if(UNIX)
    # Its gzip files need unistd.h, which zconf.h includes only when told to.
    target_compile_definitions(eigenpool_zlib PRIVATE HAVE_UNISTD_H)
  endif()
endif()

if(NOT TARGET PNG::PNG)
  enable_language(C)
  # Every C file of the top directory but the two that are programs.
  file(GLOB png_sources "${png_SOURCE_DIR}/*.c")
  list(FILTER png_sources EXCLUDE REGEX "/(example|pngtest)\\.c$")
  set(png_generated "${CMAKE_CURRENT_BINARY_DIR}/libpng")
  configure_file("${png_SOURCE_DIR}/scripts/pnglibconf.h.prebuilt" "${png_generated}/pnglibconf.h" COPYONLY)
  add_library(eigenpool_png STATIC EXCLUDE_FROM_ALL ${png_sources})
  add_library(PNG::PNG ALIAS eigenpool_png)
  target_include_directories(eigenpool_png SYSTEM PUBLIC "${png_SOURCE_DIR}" "${png_generated}")
  # The files with vector code are in directories that are not built here.
  target_compile_definitions(eigenpool_png PRIVATE PNG_ARM_NEON_OPT=0 PNG_POWERPC_VSX_OPT=0 PNG_MIPS_MSA_OPT=0
                                                   PNG_MIPS_MMI_OPT=0 PNG_LOONGARCH_LSX_OPT=0)
  target_link_libraries(eigenpool_png PUBLIC ZLIB::ZLIB $<$<BOOL:${UNIX}>:m>)
endif()
