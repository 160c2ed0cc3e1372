# How this project's own programs are built. Nothing here reaches a user of the library.

add_library(eigenpool_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(
    eigenpool_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                 $<$<BOOL:${EIGENPOOL_WARNINGS_AS_ERRORS}>:-Werror>)
endif()

# eigenpool_program(name source...)
function(eigenpool_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE eigenpool::eigenpool eigenpool_warnings)
endfunction()

# Turns the warnings on for every target of a directory whose CMakeLists.txt reads as a user's would.
function(eigenpool_warn_in_directory directory)
  get_property(targets DIRECTORY "${directory}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_property(type TARGET ${target} PROPERTY TYPE)
    if(type STREQUAL "EXECUTABLE")
      target_link_libraries(${target} PRIVATE eigenpool_warnings)
    endif()
  endforeach()
endfunction()
