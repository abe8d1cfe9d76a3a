# What makes memory errors harder to exploit, at hardly any cost: checked string functions, stack canaries and probes,
# control-flow enforcement where the processor has it, addresses that differ at each start, and nothing that is both
# writable and executable. Not with sanitizers, which check more by themselves.

option(PUBSUBSQL_HARDENING "Compile and link with the compiler's protections (never with sanitizers)" ON)

include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
include(CheckPIESupported)

check_pie_supported(LANGUAGES CXX)

# pubsubsql_harden(target): adds the options to what links the target.
function(pubsubsql_harden target)
  target_compile_options(${target} INTERFACE -Wformat -Wformat-security -Werror=format-security)
  foreach(option -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    string(MAKE_C_IDENTIFIER "has${option}" known)
    check_cxx_compiler_flag(${option} ${known})
    if(${known})
      target_compile_options(${target} INTERFACE ${option})
    endif()
  endforeach()

  # Level 3 also knows the sizes of what is allocated at run time. Either needs optimisation.
  check_cxx_source_compiles("int main(int, char** v) { return __builtin_dynamic_object_size(v, 0) != 0; }" has_dynamic_object_size)
  if(has_dynamic_object_size)
    set(level 3)
  else()
    set(level 2)
  endif()
  target_compile_options(${target} INTERFACE "$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=${level}>")

  target_link_options(${target} INTERFACE LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
endfunction()
