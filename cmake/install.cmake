# The headers, and the package that find_package(eigenpool) reads.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_directory "${CMAKE_INSTALL_DATADIR}/cmake/eigenpool")

install(DIRECTORY include/eigenpool DESTINATION include FILES_MATCHING PATTERN "*.hpp" PATTERN "kernels.cpp")
install(TARGETS eigenpool eigenpool_compiled EXPORT eigenpoolTargets)
install(
  EXPORT eigenpoolTargets
  NAMESPACE eigenpool::
  DESTINATION "${package_directory}")

configure_package_config_file(cmake/eigenpoolConfig.cmake.in eigenpoolConfig.cmake
                              INSTALL_DESTINATION "${package_directory}")
# Before 1.0 a minor version may break its users. Headers fit every architecture.
write_basic_package_version_file(eigenpoolConfigVersion.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/eigenpoolConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/eigenpoolConfigVersion.cmake" DESTINATION "${package_directory}")
