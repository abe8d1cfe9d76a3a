# Build-wide choices: language level, warnings, protections, sanitizers, link-time optimisation, compiler cache.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

set(PUBSUBSQL_SANITIZE "" CACHE STRING "Sanitizers of every target: empty, 'address' (with undefined) or 'thread'")
set_property(CACHE PUBSUBSQL_SANITIZE PROPERTY STRINGS "" address thread)
option(PUBSUBSQL_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(PUBSUBSQL_FUZZ_ENGINE "With PUBSUBSQL_FUZZ: those that take the whole engine as well" OFF)
option(PUBSUBSQL_LTO "Link-time optimisation" OFF)
option(PUBSUBSQL_WERROR "Warnings are errors" OFF)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

if(PUBSUBSQL_LTO)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # All cores; and when GCC 12 inlines std::string across files, it misjudges the size of short strings.
    add_link_options(-flto=auto -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
endif()

# Own targets link this; libraries found on the system never see its warnings.
add_library(pubsubsql_flags INTERFACE)
target_compile_options(pubsubsql_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Woverloaded-virtual -Wcast-align $<$<BOOL:${PUBSUBSQL_WERROR}>:-Werror>
  -fno-omit-frame-pointer)
# GCC 12 sees overlapping copies in every `string + string` it inlines (its bug 105651).
target_compile_options(pubsubsql_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

# Files compiled as one see each other's names.
if(CMAKE_UNITY_BUILD)
  target_compile_options(pubsubsql_flags INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

include(cmake/hardening.cmake)
if(PUBSUBSQL_HARDENING AND PUBSUBSQL_SANITIZE STREQUAL "" AND NOT PUBSUBSQL_FUZZ)
  pubsubsql_harden(pubsubsql_flags)
endif()

if(PUBSUBSQL_FUZZ)
  target_compile_options(pubsubsql_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(PUBSUBSQL_SANITIZE STREQUAL "address")
  # Looking at the type behind each reference takes a third of the time to compile; what is gone AddressSanitizer notices.
  target_compile_options(pubsubsql_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all)
  target_link_options(pubsubsql_flags INTERFACE -fsanitize=address,undefined)
elseif(PUBSUBSQL_SANITIZE STREQUAL "thread")
  # GCC warns that fences are not instrumented; the fences are inside Boost.Asio.
  # And it takes views inside an optional for uninitialised that are not.
  target_compile_options(pubsubsql_flags INTERFACE -fsanitize=thread "$<$<CXX_COMPILER_ID:GNU>:-Wno-tsan;-Wno-maybe-uninitialized>")
  target_link_options(pubsubsql_flags INTERFACE -fsanitize=thread)
elseif(NOT PUBSUBSQL_SANITIZE STREQUAL "")
  message(FATAL_ERROR "PUBSUBSQL_SANITIZE is '${PUBSUBSQL_SANITIZE}'; use 'address', 'thread' or nothing")
endif()
