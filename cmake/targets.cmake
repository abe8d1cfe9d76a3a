# pubsubsql_library(name SRCS a.cpp ... DEPS target ...)
#
# One static library per folder, `pubsubsql_<name>` with the alias `pubsubsql::<name>`.
# Includes are relative to the root of the repository.
function(pubsubsql_library name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_library(pubsubsql_${name} STATIC ${ARG_SRCS})
  add_library(pubsubsql::${name} ALIAS pubsubsql_${name})
  target_include_directories(pubsubsql_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(pubsubsql_${name} PUBLIC ${ARG_DEPS} PRIVATE $<BUILD_INTERFACE:pubsubsql_flags>)
endfunction()

# pubsubsql_program(name SRCS a.cpp ... DEPS target ...): an executable in the top of the build folder.
function(pubsubsql_program name)
  cmake_parse_arguments(ARG "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SRCS})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} pubsubsql_flags)
endfunction()
