# What eigenpool may bring into a user's project: one include path, C++20 and Eigen.

function(expect property expected)
  get_target_property(value eigenpool::eigenpool INTERFACE_${property})
  if(NOT value)
    set(value "")
  endif()
  if(NOT value MATCHES "^${expected}$")
    message(SEND_ERROR "eigenpool's INTERFACE_${property} is '${value}', expected '${expected}'")
  endif()
endfunction()

expect(INCLUDE_DIRECTORIES "(\\$<BUILD_INTERFACE:)?[^;]*/include>?(;\\$<INSTALL_INTERFACE:include>)?")
expect(LINK_LIBRARIES "Eigen3::Eigen")
expect(COMPILE_FEATURES "cxx_std_20")
foreach(property COMPILE_DEFINITIONS COMPILE_OPTIONS LINK_DIRECTORIES LINK_OPTIONS PRECOMPILE_HEADERS SOURCES)
  expect(${property} "")
endforeach()

# For the two consumers that build eigenpool as a part of themselves: its two targets, no tests, no directories.
function(expect_only_the_library directory)
  get_property(targets DIRECTORY "${directory}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(tests DIRECTORY "${directory}" PROPERTY TESTS)
  get_property(directories DIRECTORY "${directory}" PROPERTY SUBDIRECTORIES)
  if(NOT "${targets};${tests};${directories}" STREQUAL "eigenpool;eigenpool_compiled;;")
    message(SEND_ERROR "eigenpool brings targets '${targets}', tests '${tests}', directories '${directories}'")
  endif()
endfunction()
