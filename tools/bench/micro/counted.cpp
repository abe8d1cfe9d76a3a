// Runs each subject a fixed number of times for callgrind to count the instructions, which it does only meanwhile. Says
// how it was built, and then `operations NAME` for each. With a name: that subject alone.
// Driven by tools/bench/instructions.

#include <iostream>
#include <string_view>

#include <absl/base/config.h>
#include <gnu/libc-version.h>
#include <valgrind/callgrind.h>

#include "tools/bench/micro/subject.hpp"

int main(int argc, char** argv) {
  const std::string_view only = argc > 1 ? argv[1] : "";
  std::cout << MICRO_BUILD << ", glibc " << gnu_get_libc_version() << ", Abseil " << ABSL_LTS_RELEASE_VERSION
            << std::endl;
  for (const micro::subject_description& d : micro::all_subjects()) {
    if (!only.empty() && d.name != only) continue;
    const auto subject = d.make();
    subject->prepare();
    subject->run(d.operations);  // buffers have their size then, and functions of libraries are found
    subject->prepare();
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    subject->run(d.operations);
    CALLGRIND_DUMP_STATS_AT(d.name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
    std::cout << d.operations << ' ' << d.name << std::endl;
  }
}
